//! IVF: VP8, VP9 and H.264 frames with timestamps, as libvpx and ffmpeg write them.

use std::io::{Read, Seek, SeekFrom, Write};
use std::time::Duration;

use super::{Demux, FileFrame};
use crate::video::codec::{Encoded, MAX_ENCODED, VIDEO_CLOCK_RATE, VideoCodec};
use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Size};

const HEADER_LEN: usize = 32;
const MAGIC: &[u8; 4] = b"DKIF";

/// Latest time that a frame may have: about a year.
const LATEST: u64 = 32_000_000;

fn unusable(problem: impl Into<String>) -> VideoError {
    VideoError::Format { format: "IVF", problem: problem.into() }
}

#[derive(Debug)]
pub struct IvfReader<R> {
    reader: R,
    begin: u64,
    codec: VideoCodec,
    size: Size,
    /// Ticks a second as a fraction.
    timebase: (u32, u32),
    first: Option<u64>,
}

impl<R: Read + Seek> IvfReader<R> {
    pub fn new(mut reader: R) -> Result<Self, VideoError> {
        let mut header = [0; HEADER_LEN];
        reader.read_exact(&mut header).map_err(|_| unusable("its header is cut off"))?;
        let [d, k, i, f, _, _, l0, l1, c0, c1, c2, c3, w0, w1, h0, h1, r0, r1, r2, r3, s0, s1, s2, s3, ..] =
            header;
        if [d, k, i, f] != *MAGIC {
            return Err(unusable("it does not begin with DKIF"));
        }
        let begin = u16::from_le_bytes([l0, l1]);
        if usize::from(begin) < HEADER_LEN {
            return Err(unusable("length of its header"));
        }
        let codec = match &[c0, c1, c2, c3] {
            b"VP80" => VideoCodec::Vp8,
            b"VP90" => VideoCodec::Vp9,
            b"H264" | b"AVC1" => VideoCodec::H264,
            other => return Err(unusable(format!("codec {:?}", String::from_utf8_lossy(other)))),
        };
        let size = Size::new(u16::from_le_bytes([w0, w1]).into(), u16::from_le_bytes([h0, h1]).into())?;
        let rate = u32::from_le_bytes([r0, r1, r2, r3]);
        let scale = u32::from_le_bytes([s0, s1, s2, s3]);
        if rate == 0 || scale == 0 {
            return Err(unusable("its time base is zero"));
        }
        let begin = u64::from(begin);
        reader.seek(SeekFrom::Start(begin)).map_err(|error| unusable(error.to_string()))?;
        Ok(Self { reader, begin, codec, size, timebase: (rate, scale), first: None })
    }

    pub fn codec(&self) -> VideoCodec {
        self.codec
    }

    pub fn size(&self) -> Size {
        self.size
    }
}

impl<R: Read + Seek + Send> Demux for IvfReader<R> {
    fn next_frame(&mut self, _pool: &FramePool) -> Result<Option<FileFrame>, VideoError> {
        let mut header = [0; 12];
        let mut read = 0;
        while read < header.len() {
            match self.reader.read(&mut header[read..]).map_err(|error| unusable(error.to_string()))? {
                0 if read == 0 => return Ok(None),
                0 => return Err(unusable("a frame header is cut off")),
                more => read += more,
            }
        }
        let [l0, l1, l2, l3, time @ ..] = header;
        let len = u32::from_le_bytes([l0, l1, l2, l3]) as usize;
        if len == 0 || len > MAX_ENCODED {
            return Err(unusable(format!("frame of {len} bytes")));
        }
        let mut data = Vec::new();
        let taken = (&mut self.reader).take(len as u64).read_to_end(&mut data);
        if taken.map_err(|error| unusable(error.to_string()))? != len {
            return Err(unusable("a frame is cut off"));
        }
        let ticks = u64::from_le_bytes(time);
        let ticks = ticks.saturating_sub(*self.first.get_or_insert(ticks));
        let (rate, scale) = self.timebase;
        let nanos = u128::from(ticks) * u128::from(scale) * 1_000_000_000 / u128::from(rate);
        let nanos = u64::try_from(nanos).ok().filter(|nanos| *nanos / 1_000_000_000 <= LATEST);
        let Some(nanos) = nanos else { return Err(unusable("time of a frame")) };
        Ok(Some(FileFrame::Encoded(Duration::from_nanos(nanos), self.codec, data)))
    }

    fn rewind(&mut self) -> Result<(), VideoError> {
        self.first = None;
        let sought = self.reader.seek(SeekFrom::Start(self.begin));
        sought.map(drop).map_err(|error| unusable(error.to_string()))
    }
}

/// Writes the encoded pictures of one stream.
#[derive(Debug)]
pub struct IvfWriter<W> {
    writer: W,
    frames: u32,
    first: Option<u32>,
    last: u64,
}

impl<W: Write + Seek> IvfWriter<W> {
    pub fn new(writer: W) -> Self {
        Self { writer, frames: 0, first: None, last: 0 }
    }

    pub fn write(&mut self, encoded: &Encoded) -> Result<(), VideoError> {
        if self.first.is_none() {
            self.header(encoded)?;
        }
        let first = *self.first.get_or_insert(encoded.timestamp);
        // Longer than the 13 hours in which the timestamp wraps.
        let elapsed = encoded.timestamp.wrapping_sub(first);
        self.last += u64::from(elapsed.wrapping_sub(self.last as u32));
        let mut header = [0; 12];
        header[..4].copy_from_slice(&(encoded.data.len() as u32).to_le_bytes());
        header[4..].copy_from_slice(&self.last.to_le_bytes());
        self.frames += 1;
        let written = self.writer.write_all(&header).and_then(|()| self.writer.write_all(&encoded.data));
        written.map_err(|error| unusable(error.to_string()))
    }

    /// Writes how many frames there are and gives the writer back.
    pub fn finish(mut self) -> Result<W, VideoError> {
        let finished = self
            .writer
            .seek(SeekFrom::Start(24))
            .and_then(|_| self.writer.write_all(&self.frames.to_le_bytes()))
            .and_then(|()| self.writer.seek(SeekFrom::End(0)))
            .and_then(|_| self.writer.flush());
        finished.map_err(|error| unusable(error.to_string()))?;
        Ok(self.writer)
    }

    fn header(&mut self, encoded: &Encoded) -> Result<(), VideoError> {
        let mut header = [0; HEADER_LEN];
        header[..4].copy_from_slice(MAGIC);
        header[6] = HEADER_LEN as u8;
        header[8..12].copy_from_slice(match encoded.codec {
            VideoCodec::Vp8 => b"VP80",
            VideoCodec::Vp9 => b"VP90",
            VideoCodec::H264 => b"H264",
        });
        header[12..14].copy_from_slice(&(encoded.size.width() as u16).to_le_bytes());
        header[14..16].copy_from_slice(&(encoded.size.height() as u16).to_le_bytes());
        header[16..20].copy_from_slice(&VIDEO_CLOCK_RATE.to_le_bytes());
        header[20..24].copy_from_slice(&1u32.to_le_bytes());
        self.writer.write_all(&header).map_err(|error| unusable(error.to_string()))
    }
}
