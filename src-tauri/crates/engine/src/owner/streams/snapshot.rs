//! A stream's picture as a PNG.

use super::super::{
    Errand, Owner,
    recording::{file_name, timestamp},
    text,
};
use crate::{
    hooks::{Hook, Verdict},
    io::{clock, streams::Pictures},
};
use sidetone_api::{Event, Failure, FailureCode, Reply, SnapshotFile, StreamId};
use sidetone_media::video::{FramePool, Picture};
use std::{
    fs::{self, File},
    io::{self, BufWriter, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// For the next picture; the last one is taken after it.
const NEXT: Duration = Duration::from_millis(200);
/// For the first one, where there is none yet.
const FIRST: Duration = Duration::from_secs(5);
/// Snapshots of one stream in the same second.
const TRIES: u32 = 1_000;

/// What became of a snapshot.
#[derive(Debug)]
pub(in super::super) struct Taken {
    id: StreamId,
    result: Result<SnapshotFile, String>,
}

impl Owner {
    /// [`Event::SnapshotTaken`] follows.
    pub(in super::super) fn take_snapshot(&mut self, id: &StreamId) -> Result<Reply, Failure> {
        self.stream_folder()?;
        self.stream(id)?;
        let Some((session, fields)) = self.stream_fields(id) else { return Ok(Reply::Done) };
        let stream = id.clone();
        self.gate(Hook::Snapshot, &session, id.as_str(), fields, move |owner, verdict| {
            let taken = match verdict {
                Verdict::Go(_) => owner.begin_snapshot(&stream).map_err(|failure| failure.message),
                Verdict::Refused { info } => Err(info),
            };
            if let Err(info) = taken {
                owner.on_snapshot_taken(Taken { id: stream, result: Err(info) });
            }
        });
        Ok(Reply::Done)
    }

    fn begin_snapshot(&mut self, id: &StreamId) -> Result<(), Failure> {
        let folder = self.stream_folder()?;
        let stream = self.stream(id)?;
        let plan = folder.join(format!("{} {}", timestamp(clock::wallclock_ms()), file_name(&stream.name)));
        let (pictures, errands, id) = (stream.own.pictures(), self.errands.clone(), id.clone());
        tokio::spawn(async move {
            let result = match next_picture(pictures).await {
                Some(picture) => {
                    let writing = tokio::task::spawn_blocking(move || write(&plan, &picture));
                    writing.await.unwrap_or_else(|error| Err(error.to_string()))
                }
                None => Err("the stream shows no picture".into()),
            };
            let _ = errands.send(Errand::Snapshot(Taken { id, result })).await;
        });
        Ok(())
    }

    pub(in super::super) fn on_snapshot_taken(&mut self, taken: Taken) {
        let Taken { id: stream_id, result } = taken;
        let (file, info) = match result {
            Ok(file) => (Some(file), String::new()),
            Err(problem) => (None, text::shown(&problem)),
        };
        self.publish(Event::SnapshotTaken { stream_id, file, info });
    }

    /// Where snapshots and recordings of streams go.
    ///
    /// # Errors
    /// Names the setting that could say it.
    pub(in super::super) fn stream_folder(&self) -> Result<PathBuf, Failure> {
        let named = &self.settings.get().video.folder;
        if !named.is_empty() {
            return Ok(PathBuf::from(named));
        }
        self.videos.clone().ok_or_else(|| Failure {
            field: Some("video.folder".into()),
            ..Failure::new(
                FailureCode::Storage,
                "no folder for snapshots and recordings is set: video.folder",
            )
        })
    }
}

pub(in super::super) async fn next_picture(mut pictures: Pictures) -> Option<Picture> {
    let patience = if pictures.latest().is_some() { NEXT } else { FIRST };
    match tokio::time::timeout(patience, pictures.next()).await {
        Ok(Some(picture)) => Some(picture),
        Ok(None) | Err(_) => pictures.latest(),
    }
}

/// A new file of this name, or with a number after it where there is one.
fn write(plan: &Path, picture: &Picture) -> Result<SnapshotFile, String> {
    let picture = picture.upright(&FramePool::default()).map_err(|error| error.to_string())?;
    let pixels = picture.to_rgb().map_err(|error| error.to_string())?;
    let in_words = |path: &Path, error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    if let Some(folder) = plan.parent() {
        fs::create_dir_all(folder).map_err(|error| in_words(folder, &error))?;
    }
    for number in 1..=TRIES {
        let mut name = plan.as_os_str().to_owned();
        if number > 1 {
            name.push(format!(" {number}"));
        }
        name.push(".png");
        let path = PathBuf::from(name);
        let file = match File::create_new(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
            Err(error) => return Err(in_words(&path, &error)),
        };
        let (width, height) = (picture.width(), picture.height());
        if let Err(error) = save(file, width, height, &pixels) {
            // Half a picture is of no use.
            let _ = fs::remove_file(&path);
            return Err(in_words(&path, &error));
        }
        return Ok(SnapshotFile { path: path.display().to_string(), width, height });
    }
    Err(in_words(plan, &"there are too many pictures of this name"))
}

fn save(file: File, width: u32, height: u32, rgb: &[u8]) -> io::Result<()> {
    let mut buffered = BufWriter::new(file);
    encode(&mut buffered, width, height, rgb)?;
    buffered.flush()?;
    buffered.get_ref().sync_all()
}

/// As a PNG.
pub(in super::super) fn encode(to: impl Write, width: u32, height: u32, rgb: &[u8]) -> io::Result<()> {
    let mut encoder = png::Encoder::new(to, width, height);
    encoder.set_color(png::ColorType::Rgb);
    encoder.set_depth(png::BitDepth::Eight);
    encoder.set_compression(png::Compression::Fast);
    let mut writer = encoder.write_header()?;
    writer.write_image_data(rgb)?;
    writer.finish()?;
    Ok(())
}
