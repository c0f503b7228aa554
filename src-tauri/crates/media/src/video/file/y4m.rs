//! YUV4MPEG2: uncompressed pictures, as ffmpeg and mplayer read and write them.

use std::io::{BufRead, Read, Seek, SeekFrom, Write};
use std::time::{Duration, Instant};

use super::{Demux, FileFrame};
use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Picture, PixelFormat, Scaler, Size};

/// Longest header line; those of known writers have about 100 bytes.
const MAX_LINE: u64 = 1_024;

const MAGIC: &[u8] = b"YUV4MPEG2";

fn unusable(problem: impl Into<String>) -> VideoError {
    VideoError::Format { format: "Y4M", problem: problem.into() }
}

/// Reads 8 bits in 4:2:0, or grey.
#[derive(Debug)]
pub struct Y4mReader<R> {
    reader: R,
    begin: u64,
    size: Size,
    format: PixelFormat,
    /// Frames a second as a fraction.
    rate: (u32, u32),
    count: u64,
    buffer: Vec<u8>,
}

impl<R: BufRead + Seek> Y4mReader<R> {
    pub fn new(mut reader: R) -> Result<Self, VideoError> {
        let line = line(&mut reader)?.ok_or_else(|| unusable("it is empty"))?;
        let mut fields = line.split(|byte| *byte == b' ').filter(|field| !field.is_empty());
        if fields.next() != Some(MAGIC) {
            return Err(unusable("it does not begin with YUV4MPEG2"));
        }
        let (mut width, mut height, mut rate, mut format) = (0, 0, (25, 1), PixelFormat::I420);
        for field in fields {
            let value = String::from_utf8_lossy(&field[1..]);
            match field[0] {
                b'W' => width = value.parse().map_err(|_| unusable("width is no number"))?,
                b'H' => height = value.parse().map_err(|_| unusable("height is no number"))?,
                b'F' => rate = frame_rate(&value)?,
                b'C' => format = pixel_format(&value)?,
                b'I' if !matches!(value.as_ref(), "p" | "?") => {
                    return Err(unusable("interlaced pictures are not read"));
                }
                _ => {}
            }
        }
        let size = Size::new(width, height)?;
        let len = if format == PixelFormat::Grey { size.luma_len() } else { size.i420_len() };
        let begin = reader.stream_position().map_err(|error| unusable(error.to_string()))?;
        Ok(Self { reader, begin, size, format, rate, count: 0, buffer: vec![0; len] })
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// As numerator and denominator.
    pub fn frame_rate(&self) -> (u32, u32) {
        self.rate
    }
}

impl<R: BufRead + Seek + Send> Demux for Y4mReader<R> {
    fn next_frame(&mut self, pool: &FramePool) -> Result<Option<FileFrame>, VideoError> {
        let Some(header) = line(&mut self.reader)? else { return Ok(None) };
        if !header.starts_with(b"FRAME") {
            return Err(unusable(format!("frame {} does not begin with FRAME", self.count)));
        }
        self.reader
            .read_exact(&mut self.buffer)
            .map_err(|_| unusable(format!("frame {} is cut off", self.count)))?;
        let now = Instant::now();
        let picture = Picture::from_pixels(self.format, self.size, 0, &self.buffer, now, pool)?;
        let (numerator, denominator) = self.rate;
        let nanos = u128::from(self.count) * u128::from(denominator) * 1_000_000_000 / u128::from(numerator);
        self.count += 1;
        let time = Duration::from_nanos(u64::try_from(nanos).unwrap_or(u64::MAX));
        Ok(Some(FileFrame::Picture(time, picture)))
    }

    fn rewind(&mut self) -> Result<(), VideoError> {
        self.count = 0;
        let sought = self.reader.seek(SeekFrom::Start(self.begin));
        sought.map(drop).map_err(|error| unusable(error.to_string()))
    }
}

/// Without its end; `None` at the end of the file.
fn line(reader: &mut impl BufRead) -> Result<Option<Vec<u8>>, VideoError> {
    let mut line = Vec::new();
    let read =
        reader.take(MAX_LINE).read_until(b'\n', &mut line).map_err(|error| unusable(error.to_string()))?;
    if read == 0 {
        return Ok(None);
    }
    if line.pop() != Some(b'\n') {
        return Err(unusable("a header line is cut off or too long"));
    }
    Ok(Some(line))
}

fn frame_rate(value: &str) -> Result<(u32, u32), VideoError> {
    let parsed =
        value.split_once(':').and_then(|(n, d)| Some((n.parse::<u32>().ok()?, d.parse::<u32>().ok()?)));
    match parsed {
        // Unknown, says the format.
        Some((0, _)) => Ok((25, 1)),
        Some((n, d)) if d > 0 && n / d <= 1_000 && d / n <= 3_600 => Ok((n, d)),
        _ => Err(unusable(format!("frame rate {:?}", value.chars().take(40).collect::<String>()))),
    }
}

fn pixel_format(value: &str) -> Result<PixelFormat, VideoError> {
    match value {
        "420" | "420jpeg" | "420mpeg2" | "420paldv" => Ok(PixelFormat::I420),
        "mono" => Ok(PixelFormat::Grey),
        other => {
            let other: String = other.chars().take(40).collect();
            Err(unusable(format!("colour space {other:?}, only 8 bits in 4:2:0 are read")))
        }
    }
}

/// Writes pictures one after the other. All have the size of the first: others are scaled and letterboxed.
pub struct Y4mWriter<W: Write> {
    writer: W,
    frames_per_second: u32,
    size: Option<Size>,
    scaler: Scaler,
    pool: FramePool,
    written: u64,
}

impl<W: Write> Y4mWriter<W> {
    /// The header tells `frames_per_second`; the format has no other times.
    pub fn new(writer: W, frames_per_second: u32) -> Self {
        Self {
            writer,
            frames_per_second: frames_per_second.max(1),
            size: None,
            scaler: Scaler::new(),
            pool: FramePool::new(4),
            written: 0,
        }
    }

    pub fn write(&mut self, picture: &Picture) -> Result<(), VideoError> {
        let upright = picture.upright(&self.pool)?;
        let size = *self.size.get_or_insert(upright.size());
        let fitted = self.scaler.letterbox(&upright, size, &self.pool)?;
        let failed = |error: std::io::Error| unusable(error.to_string());
        if self.written == 0 {
            let rate = self.frames_per_second;
            writeln!(
                self.writer,
                "YUV4MPEG2 W{} H{} F{rate}:1 Ip A1:1 C420jpeg",
                size.width(),
                size.height()
            )
            .map_err(failed)?;
        }
        self.writer.write_all(b"FRAME\n").map_err(failed)?;
        self.writer.write_all(fitted.i420()).map_err(failed)?;
        self.written += 1;
        Ok(())
    }

    /// Pictures that were written.
    pub fn written(&self) -> u64 {
        self.written
    }

    /// Flushes and gives the writer back.
    pub fn finish(mut self) -> Result<W, VideoError> {
        self.writer.flush().map_err(|error| unusable(error.to_string()))?;
        Ok(self.writer)
    }
}

impl<W: Write> std::fmt::Debug for Y4mWriter<W> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Y4mWriter").field("size", &self.size).field("written", &self.written).finish()
    }
}
