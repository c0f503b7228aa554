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

/// Of a server's picture, bytes: 8192 by 4096 in RGBA.
const LARGEST_PICTURE: usize = 128 * 1024 * 1024;

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
        if self.stream(id)?.at_server().is_some() {
            return self.take_snapshot_at_server(id);
        }
        let plan = self.plan_of_snapshot(id)?;
        let stream = self.stream(id)?;
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

    fn plan_of_snapshot(&mut self, id: &StreamId) -> Result<PathBuf, Failure> {
        let folder = self.stream_folder()?;
        let name = file_name(&self.stream(id)?.name);
        Ok(folder.join(format!("{} {name}", timestamp(clock::wallclock_ms()))))
    }

    /// A server has taken it: a PNG.
    pub(in super::super) fn keep_snapshot(&mut self, id: &StreamId, taken: Result<Vec<u8>, String>) {
        let plan = taken.and_then(|png| Ok((self.plan_of_snapshot(id).map_err(|it| it.message)?, png)));
        let (errands, id) = (self.errands.clone(), id.clone());
        tokio::spawn(async move {
            let result = match plan {
                Ok((plan, bytes)) => {
                    let writing = tokio::task::spawn_blocking(move || keep(&plan, &bytes));
                    writing.await.unwrap_or_else(|error| Err(error.to_string()))
                }
                Err(info) => Err(info),
            };
            let _ = errands.send(Errand::Snapshot(Taken { id, result })).await;
        });
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

fn write(plan: &Path, picture: &Picture) -> Result<SnapshotFile, String> {
    let picture = picture.upright(&FramePool::default()).map_err(|error| error.to_string())?;
    let pixels = picture.to_rgb().map_err(|error| error.to_string())?;
    let (width, height) = (picture.width(), picture.height());
    create(plan, (width, height), |file| save(file, width, height, &pixels))
}

/// A picture of a stranger, as it is, once it has been read as a PNG.
fn keep(plan: &Path, bytes: &[u8]) -> Result<SnapshotFile, String> {
    let wrong = |error: &dyn std::fmt::Display| format!("the server's picture is no PNG: {error}");
    let mut decoder = png::Decoder::new(io::Cursor::new(bytes));
    decoder.set_limits(png::Limits { bytes: LARGEST_PICTURE });
    let mut reader = decoder.read_info().map_err(|error| wrong(&error))?;
    let size = reader.info().size();
    let length = reader.output_buffer_size().filter(|length| *length <= LARGEST_PICTURE);
    let mut pixels = vec![0; length.ok_or_else(|| wrong(&"it is too large"))?];
    reader.next_frame(&mut pixels).map_err(|error| wrong(&error))?;
    create(plan, size, |mut file| {
        file.write_all(bytes)?;
        file.sync_all()
    })
}

/// A new file of this name, or with a number after it where there is one.
fn create(
    plan: &Path,
    (width, height): (u32, u32),
    save: impl FnOnce(File) -> io::Result<()>,
) -> Result<SnapshotFile, String> {
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
        if let Err(error) = save(file) {
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
