//! Pictures as an uncompressed film, YUV4MPEG2 (as mjpegtools' yuv4mpeg(5) has it): for tests, and for other programs.

use crate::exit::{Error, Exit};
use sidetone_engine::Pictures;
use sidetone_media::video::{FramePool, Picture, Size};
use std::{
    fs::File,
    io::{self, BufWriter, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::{Duration, Instant},
};
use tokio::{
    sync::mpsc,
    task::{JoinHandle, spawn_blocking},
};

/// Pictures that wait for the disk; what comes meanwhile is missed.
const WAITING: usize = 4;

/// A film that is being written.
pub(super) struct Film {
    path: PathBuf,
    reading: JoinHandle<()>,
    writing: JoinHandle<io::Result<()>>,
}

impl Film {
    pub(super) fn begin(path: PathBuf, mut pictures: Pictures) -> Result<Self, Error> {
        let file = File::create(&path).map_err(|error| failed(&path, &error))?;
        let (sender, receiver) = mpsc::channel(WAITING);
        let reading = tokio::spawn(async move {
            while let Some(picture) = pictures.next().await {
                if sender.send(picture).await.is_err() {
                    return;
                }
            }
        });
        let first = path.clone();
        let writing = spawn_blocking(move || write(&first, file, receiver));
        Ok(Self { path, reading, writing })
    }

    /// Waits until all is in the file.
    ///
    /// # Errors
    /// Exit code 6 where it could not be written.
    pub(super) async fn end(self) -> Result<(), Error> {
        self.reading.abort();
        match self.writing.await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(failed(&self.path, &error)),
            Err(error) => Err(Error::new(Exit::Internal, error.to_string())),
        }
    }
}

fn failed(path: &Path, error: &io::Error) -> Error {
    Error::new(Exit::Device, format!("{}: {error}", path.display()))
}

fn write(path: &Path, file: File, mut pictures: mpsc::Receiver<Picture>) -> io::Result<()> {
    let pool = FramePool::default();
    let (mut part, mut number) = (Part::new(file), 1);
    while let Some(picture) = pictures.blocking_recv() {
        let Ok(picture) = picture.upright(&pool) else { continue };
        // A film has one size: what comes in another one goes into a file of its own.
        if part.size.is_some_and(|size| size != picture.size()) {
            part.end()?;
            number += 1;
            part = Part::new(File::create(numbered(path, number))?);
        }
        part.write(&picture)?;
    }
    part.end()
}

/// `out-2.y4m` after `out.y4m`.
fn numbered(path: &Path, number: u32) -> PathBuf {
    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
    let ending = path.extension().map(|ending| format!(".{}", ending.to_string_lossy())).unwrap_or_default();
    path.with_file_name(format!("{stem}-{number}{ending}"))
}

struct Part {
    out: BufWriter<File>,
    size: Option<Size>,
    count: u32,
    first: Option<Instant>,
    last: Option<Instant>,
}

impl Part {
    fn new(file: File) -> Self {
        Self { out: BufWriter::with_capacity(1 << 20, file), size: None, count: 0, first: None, last: None }
    }

    fn write(&mut self, picture: &Picture) -> io::Result<()> {
        if self.size.replace(picture.size()).is_none() {
            self.out.write_all(header(picture.size(), 30_000).as_bytes())?;
        }
        self.first.get_or_insert_with(Instant::now);
        self.last = Some(Instant::now());
        self.count += 1;
        self.out.write_all(b"FRAME\n")?;
        self.out.write_all(picture.i420())
    }

    /// The rate is known now.
    fn end(mut self) -> io::Result<()> {
        self.out.flush()?;
        let span = self.last.zip(self.first).map(|(last, first)| last.saturating_duration_since(first));
        if let (Some(size), Some(rate)) = (self.size, rate(self.count, span.unwrap_or_default())) {
            let file = self.out.get_mut();
            file.seek(SeekFrom::Start(0))?;
            file.write_all(header(size, rate).as_bytes())?;
        }
        Ok(())
    }
}

/// Pictures in 1000 s.
fn rate(count: u32, span: Duration) -> Option<u32> {
    let gaps = f64::from(count.checked_sub(1)?);
    let rate = gaps * 1_000.0 / span.as_secs_f64();
    // Of at most 120 a second, and `as` keeps within the type.
    (rate.is_finite() && rate >= 1.0).then_some((rate as u32).min(999_999))
}

/// As long for every rate.
fn header(size: Size, rate: u32) -> String {
    let (width, height) = (size.width(), size.height());
    format!("YUV4MPEG2 W{width} H{height} F{rate:06}:1000 Ip A1:1 C420jpeg XCOLORRANGE=LIMITED\n")
}

#[cfg(test)]
mod tests {
    use super::{header, numbered, rate};
    use sidetone_media::video::Size;
    use std::{path::Path, time::Duration};

    #[test]
    fn the_header_has_the_same_length_for_every_rate() {
        let size = Size::new(641, 361).unwrap();
        assert!(header(size, 29_970).starts_with("YUV4MPEG2 W641 H361 F029970:1000 "));
        assert_eq!(header(size, 1).len(), header(size, 999_999).len());
    }

    #[test]
    fn the_rate_is_that_of_the_pictures() {
        assert_eq!(rate(31, Duration::from_secs(1)), Some(30_000));
        assert_eq!(rate(1, Duration::ZERO), None);
        assert_eq!(rate(0, Duration::ZERO), None);
        assert_eq!(numbered(Path::new("a/b.y4m"), 2), Path::new("a/b-2.y4m"));
    }
}
