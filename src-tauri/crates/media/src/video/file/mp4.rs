//! MP4, whole or in fragments: the first video track, H.264 or VP8.

use std::io::{Read, Seek, SeekFrom};
use std::time::Duration;

use shiguredo_mp4::TrackKind;
use shiguredo_mp4::boxes::SampleEntry;
use shiguredo_mp4::demux::{
    DemuxError, Fmp4FileDemuxer, Mp4FileDemuxer, Mp4FileKind, Mp4FileKindDetector, RequiredInput, Sample,
    TrackInfo,
};

use super::avc::AvcConfiguration;
use super::{Demux, FileFrame};
use crate::video::codec::{MAX_ENCODED, VideoCodec};
use crate::video::error::VideoError;
use crate::video::picture::FramePool;

/// The index of a film of hours, or one of its fragments, in bytes.
const LARGEST_PART: u64 = 64 << 20;
/// Boxes and frames of other tracks that are passed over for one picture.
const MOST_STEPS: usize = 100_000;
/// Pictures in which the order of all is looked at.
const LOOK_AHEAD: usize = 64;
/// Seconds; later times are damaged ones.
const LATEST: u64 = 1_000_000;

fn unusable(problem: impl Into<String>) -> VideoError {
    VideoError::Format { format: "MP4", problem: problem.into() }
}

/// Reads the pictures; sound is passed over. Pictures that are decoded in another order than they are shown in (B-frames) are
/// refused: OpenH264 does not put them in order.
pub struct Mp4Reader<R> {
    parts: Parts<R>,
    demuxer: Demuxer,
    track: u32,
    /// Ticks of a second.
    scale: u32,
    coding: Option<Coding>,
    first: Option<u64>,
}

/// The file, read by pieces.
struct Parts<R> {
    reader: R,
    length: u64,
}

enum Demuxer {
    Whole(Mp4FileDemuxer),
    Fragmented(Fmp4FileDemuxer),
}

struct Place {
    ticks: u64,
    /// From when it is decoded to when it is shown.
    shift: i64,
    offset: u64,
    size: usize,
}

enum Coding {
    H264(AvcConfiguration),
    Other(VideoCodec),
}

impl<R: Read + Seek> Mp4Reader<R> {
    pub fn new(mut reader: R) -> Result<Self, VideoError> {
        let length = reader.seek(SeekFrom::End(0)).map_err(|error| unusable(error.to_string()))?;
        let mut parts = Parts { reader, length };
        let mut demuxer = Demuxer::new(parts.kind()?);
        for _ in 0..MOST_STEPS {
            let required = match demuxer.tracks() {
                Ok(tracks) => {
                    let track = tracks.iter().find(|track| track.kind == TrackKind::Video);
                    let track = track.ok_or_else(|| unusable("it has no pictures"))?;
                    let (track, scale) = (track.track_id, track.timescale.get());
                    let mut reader = Self { parts, demuxer, track, scale, coding: None, first: None };
                    reader.look_ahead()?;
                    return Ok(reader);
                }
                Err(DemuxError::InputRequired(required)) => required,
                Err(error) => return Err(unusable(error.to_string())),
            };
            demuxer.feed(required, &parts.read(required)?);
        }
        Err(unusable("it has too many boxes"))
    }

    /// What cannot be played is told when it is opened, and not when it is live.
    fn look_ahead(&mut self) -> Result<(), VideoError> {
        let mut first = None;
        for _ in 0..LOOK_AHEAD {
            let Some(place) = self.next_place()? else { break };
            if *first.get_or_insert(place.shift) != place.shift {
                let problem = "its pictures are not in the order in which they are shown (B-frames): \
                               encode it without them";
                return Err(unusable(problem));
            }
        }
        self.restart()
    }

    /// Where the next picture is.
    fn next_place(&mut self) -> Result<Option<Place>, VideoError> {
        for _ in 0..MOST_STEPS {
            let sample = match self.demuxer.next_sample() {
                Ok(Some(sample)) => sample,
                Ok(None) => return Ok(None),
                Err(DemuxError::InputRequired(required)) => {
                    self.demuxer.feed(required, &self.parts.read(required)?);
                    continue;
                }
                Err(error) => return Err(unusable(error.to_string())),
            };
            if sample.track.track_id != self.track {
                continue;
            }
            if let Some(entry) = sample.sample_entry {
                self.coding = Some(Coding::of(entry)?);
            }
            return Ok(Some(Place {
                ticks: sample.timestamp,
                shift: sample.composition_time_offset.unwrap_or(0),
                offset: sample.data_offset,
                size: sample.data_size,
            }));
        }
        Err(unusable("no picture for very long"))
    }

    fn restart(&mut self) -> Result<(), VideoError> {
        self.first = None;
        match &mut self.demuxer {
            Demuxer::Whole(demuxer) => {
                demuxer.seek(Duration::ZERO).map_err(|error| unusable(error.to_string()))
            }
            Demuxer::Fragmented(demuxer) => {
                *demuxer = Fmp4FileDemuxer::new();
                Ok(())
            }
        }
    }

    fn data(&mut self, offset: u64, size: usize) -> Result<Vec<u8>, VideoError> {
        if size == 0 || size > MAX_ENCODED {
            return Err(unusable(format!("frame of {size} bytes")));
        }
        let data = self.parts.read(RequiredInput { position: offset, size: Some(size) })?;
        if data.len() == size { Ok(data) } else { Err(unusable("a frame is cut off")) }
    }
}

impl<R: Read + Seek> Parts<R> {
    fn kind(&mut self) -> Result<Mp4FileKind, VideoError> {
        let mut detector = Mp4FileKindDetector::new();
        for _ in 0..MOST_STEPS {
            if let Some(kind) = detector.file_kind().map_err(|error| unusable(error.to_string()))? {
                return Ok(kind);
            }
            let Some(required) = detector.required_input() else { continue };
            detector.handle_input(required.to_input(&self.read(required)?));
        }
        Err(unusable("it has too many boxes"))
    }

    /// What there is of it.
    fn read(&mut self, required: RequiredInput) -> Result<Vec<u8>, VideoError> {
        let left = self.length.saturating_sub(required.position);
        let size = required.size.map_or(left, |size| left.min(size as u64));
        if size > LARGEST_PART {
            return Err(unusable(format!("a part of {size} bytes")));
        }
        let mut data = Vec::new();
        let read = self
            .reader
            .seek(SeekFrom::Start(required.position.min(self.length)))
            .and_then(|_| (&mut self.reader).take(size).read_to_end(&mut data));
        read.map_err(|error| unusable(error.to_string()))?;
        Ok(data)
    }
}

impl Demuxer {
    fn new(kind: Mp4FileKind) -> Self {
        match kind {
            Mp4FileKind::Mp4 => Self::Whole(Mp4FileDemuxer::new()),
            Mp4FileKind::FragmentedMp4 => Self::Fragmented(Fmp4FileDemuxer::new()),
        }
    }

    fn tracks(&mut self) -> Result<&[TrackInfo], DemuxError> {
        match self {
            Self::Whole(demuxer) => demuxer.tracks(),
            Self::Fragmented(demuxer) => demuxer.tracks(),
        }
    }

    fn next_sample(&mut self) -> Result<Option<Sample<'_>>, DemuxError> {
        match self {
            Self::Whole(demuxer) => demuxer.next_sample(),
            Self::Fragmented(demuxer) => demuxer.next_sample(),
        }
    }

    fn feed(&mut self, required: RequiredInput, data: &[u8]) {
        match self {
            Self::Whole(demuxer) => demuxer.handle_input(required.to_input(data)),
            Self::Fragmented(demuxer) => demuxer.handle_input(required.to_input(data)),
        }
    }
}

impl Coding {
    fn of(entry: &SampleEntry) -> Result<Self, VideoError> {
        let other = match entry {
            SampleEntry::Avc1(avc) => {
                let avc = &avc.avcc_box;
                let sets = avc.sps_list.iter().chain(&avc.pps_list).map(Vec::as_slice);
                let length_bytes = usize::from(avc.length_size_minus_one.get()) + 1;
                return Ok(Self::H264(AvcConfiguration::new(length_bytes, sets)));
            }
            SampleEntry::Vp08(_) => return Ok(Self::Other(VideoCodec::Vp8)),
            SampleEntry::Vp09(_) => return Ok(Self::Other(VideoCodec::Vp9)),
            SampleEntry::Hev1(_) | SampleEntry::Hvc1(_) => "H.265",
            SampleEntry::Av01(_) => "AV1",
            _ => "unknown",
        };
        Err(unusable(format!("codec {other}: convert it to H.264")))
    }
}

impl<R: Read + Seek + Send> Demux for Mp4Reader<R> {
    fn next_frame(&mut self, _pool: &FramePool) -> Result<Option<FileFrame>, VideoError> {
        let Some(Place { ticks, offset, size, .. }) = self.next_place()? else { return Ok(None) };
        let ticks = ticks.saturating_sub(*self.first.get_or_insert(ticks));
        let nanos = u128::from(ticks) * 1_000_000_000 / u128::from(self.scale);
        let nanos = u64::try_from(nanos).ok().filter(|nanos| *nanos / 1_000_000_000 <= LATEST);
        let time = Duration::from_nanos(nanos.ok_or_else(|| unusable("time of a frame"))?);
        let data = self.data(offset, size)?;
        let (codec, data) = match &self.coding {
            Some(Coding::H264(avc)) => {
                let units = avc.annex_b(&data).ok_or_else(|| unusable("a NAL unit is cut off"))?;
                (VideoCodec::H264, units)
            }
            Some(Coding::Other(codec)) => (*codec, data),
            None => return Err(unusable("it does not say how its pictures are coded")),
        };
        Ok(Some(FileFrame::Encoded(time, codec, data)))
    }

    fn rewind(&mut self) -> Result<(), VideoError> {
        self.restart()
    }
}

impl<R> std::fmt::Debug for Mp4Reader<R> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Mp4Reader").field("track", &self.track).finish_non_exhaustive()
    }
}
