//! WebM and Matroska: the first video track, VP8 or H.264.

use std::io::{self, Read, Seek, SeekFrom};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use std::time::Duration;

use matroska_demuxer::{DemuxError, Frame, MatroskaFile, TrackType};

use super::avc::AvcConfiguration;
use super::{Demux, FileFrame};
use crate::video::codec::{MAX_ENCODED, VideoCodec};
use crate::video::error::VideoError;
use crate::video::picture::FramePool;

/// Blocks of other tracks that are passed over for one picture.
const MAX_OTHERS: usize = 100_000;

/// Jumps in the file for one thing that is asked of it: a film without an index has one for each of its clusters.
const MAX_JUMPS: u32 = 200_000;

const CIRCLES: &str = "its index leads in circles";

/// The library does not pass on what the file said.
fn failed(jumps: &AtomicU32, error: &DemuxError) -> VideoError {
    if jumps.load(Relaxed) == 0 { unusable(CIRCLES) } else { unusable(error.to_string()) }
}

/// An index may point to itself: then the file ends with an error and not never.
struct Bounded<R> {
    reader: R,
    left: Arc<AtomicU32>,
}

impl<R: Read> Read for Bounded<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.reader.read(buffer)
    }
}

impl<R: Seek> Seek for Bounded<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        let left = self.left.fetch_update(Relaxed, Relaxed, |left| left.checked_sub(1));
        left.map_err(|_| io::Error::other(CIRCLES))?;
        self.reader.seek(to)
    }
}

fn unusable(problem: impl Into<String>) -> VideoError {
    VideoError::Format { format: "WebM", problem: problem.into() }
}

/// Reads the pictures; sound is passed over.
pub struct WebmReader<R: Read + Seek> {
    file: MatroskaFile<Bounded<R>>,
    jumps: Arc<AtomicU32>,
    track: u64,
    codec: VideoCodec,
    /// Nanoseconds of one tick.
    scale: u64,
    /// Of H.264: what goes before key frames, and the bytes of a unit's length.
    avc: Option<AvcConfiguration>,
    first: Option<u64>,
}

impl<R: Read + Seek> WebmReader<R> {
    pub fn new(reader: R) -> Result<Self, VideoError> {
        let jumps = Arc::new(AtomicU32::new(MAX_JUMPS));
        let reader = Bounded { reader, left: Arc::clone(&jumps) };
        let file = MatroskaFile::open(reader).map_err(|error| failed(&jumps, &error))?;
        let track = file.tracks().iter().find(|track| track.track_type() == TrackType::Video);
        let track = track.ok_or_else(|| unusable("it has no pictures"))?;
        let (codec, avc) = match track.codec_id() {
            "V_VP8" => (VideoCodec::Vp8, None),
            "V_VP9" => (VideoCodec::Vp9, None),
            "V_MPEG4/ISO/AVC" => {
                let avc = track.codec_private().and_then(AvcConfiguration::parse);
                (VideoCodec::H264, Some(avc.ok_or_else(|| unusable("no parameter sets"))?))
            }
            other => return Err(unusable(format!("codec {:?}", other.chars().take(40).collect::<String>()))),
        };
        let (track, scale) = (track.track_number().get(), file.info().timestamp_scale().get());
        Ok(Self { file, jumps, track, codec, scale, avc, first: None })
    }
}

impl<R: Read + Seek> std::fmt::Debug for WebmReader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("WebmReader").field("codec", &self.codec).finish_non_exhaustive()
    }
}

impl<R: Read + Seek + Send> Demux for WebmReader<R> {
    fn next_frame(&mut self, _pool: &FramePool) -> Result<Option<FileFrame>, VideoError> {
        self.jumps.store(MAX_JUMPS, Relaxed);
        let mut frame = Frame::default();
        for _ in 0..MAX_OTHERS {
            // The library wants it empty.
            frame.duration = None;
            if !self.file.next_frame(&mut frame).map_err(|error| failed(&self.jumps, &error))? {
                return Ok(None);
            }
            if frame.track != self.track || frame.data.is_empty() {
                continue;
            }
            if frame.data.len() > MAX_ENCODED {
                return Err(unusable(format!("frame of {} bytes", frame.data.len())));
            }
            let ticks = frame.timestamp.saturating_sub(*self.first.get_or_insert(frame.timestamp));
            let time = Duration::from_nanos(ticks.saturating_mul(self.scale));
            let data = match &self.avc {
                None => frame.data,
                Some(avc) => avc.annex_b(&frame.data).ok_or_else(|| unusable("a NAL unit is cut off"))?,
            };
            return Ok(Some(FileFrame::Encoded(time, self.codec, data)));
        }
        Err(unusable("no picture for very long"))
    }

    fn rewind(&mut self) -> Result<(), VideoError> {
        self.first = None;
        self.jumps.store(MAX_JUMPS, Relaxed);
        self.file.seek(0).map_err(|error| failed(&self.jumps, &error))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_index_that_points_to_itself_is_an_error() {
        let header = b"\x1A\x45\xDF\xA3\xA3\x42\x86\x81\x01\x42\xF7\x81\x01\x42\xF2\x81\x04\x42\xF3\x81\x08\
            \x42\x82\x88matroska\x42\x87\x81\x04\x42\x85\x81\x02";
        // A segment of unknown length; an index whose only entry is an index at its beginning.
        let segment = b"\x18\x53\x80\x67\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF";
        let index = b"\x11\x4D\x9B\x74\x8E\x4D\xBB\x8B\x53\xAB\x84\x11\x4D\x9B\x74\x53\xAC\x81\x00";
        let file = [&header[..], segment, index].concat();
        let error = WebmReader::new(io::Cursor::new(file)).unwrap_err();
        assert!(error.to_string().contains("leads in circles"), "{error}");
    }
}
