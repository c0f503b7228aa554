//! Fragmented MP4 with H.264 and Opus.

use std::io;
use std::num::NonZeroU32;
use std::time::Duration;

use shiguredo_mp4::boxes::{
    AudioSampleEntryFields, Avc1Box, AvccBox, DopsBox, OpusBox, SampleEntry, VisualSampleEntryFields,
};
use shiguredo_mp4::mux::{Fmp4SegmentMuxer, Sample as Mp4Sample};
use shiguredo_mp4::{FixedPointNumber, TrackKind, Uint};

use super::file::Medium;
use super::part::{Container, Piece, Sample, Tail};
use crate::video::codec::h264::nal;
use crate::video::codec::{Encoded, VIDEO_CLOCK_RATE};

const AUDIO_CLOCK_RATE: u32 = 48_000;
/// Profiles whose `avcC` tells of colours too (ISO/IEC 14496-15, 5.3.3.1.2).
const HIGH_PROFILES: [u8; 4] = [100, 110, 122, 144];

pub(super) struct Mp4 {
    tail: Tail,
    muxer: Fmp4SegmentMuxer,
    video: Option<Avc1Box>,
    /// Where the length in milliseconds is, of `mehd`.
    duration_at: Option<u64>,
    began: bool,
}

impl Mp4 {
    pub(super) fn new(medium: Box<dyn Medium>, first: Option<&Encoded>) -> io::Result<Self> {
        let video = first.map(entry).transpose()?;
        let muxer = Fmp4SegmentMuxer::new().map_err(io::Error::other)?;
        Ok(Self { tail: Tail::new(medium), muxer, video, duration_at: None, began: false })
    }

    /// Units without start codes, each after its length; what the file tells in its beginning is left out.
    fn of_lengths(&self, data: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(data.len() + 16);
        for unit in nal::units(data) {
            let is_told = |list: &[Vec<u8>]| list.iter().any(|told| told == unit);
            let skip = match (nal::kind(unit), &self.video) {
                (Some(nal::ACCESS_UNIT_DELIMITER), _) => true,
                (Some(nal::SPS), Some(video)) => is_told(&video.avcc_box.sps_list),
                (Some(nal::PPS), Some(video)) => is_told(&video.avcc_box.pps_list),
                _ => false,
            };
            if let (false, Ok(length)) = (skip, u32::try_from(unit.len())) {
                out.extend_from_slice(&length.to_be_bytes());
                out.extend_from_slice(unit);
            }
        }
        out
    }
}

impl Container for Mp4 {
    fn write(&mut self, piece: &Piece) -> io::Result<()> {
        let mut payload = Vec::new();
        let mut samples = Vec::with_capacity(piece.video.len() + piece.audio.len());
        for sample in &piece.video {
            let data = self.of_lengths(&sample.data);
            samples.push(described(TrackKind::Video, sample, payload.len(), data.len(), VIDEO_CLOCK_RATE));
            payload.extend_from_slice(&data);
        }
        for sample in &piece.audio {
            samples.push(described(
                TrackKind::Audio,
                sample,
                payload.len(),
                sample.data.len(),
                AUDIO_CLOCK_RATE,
            ));
            payload.extend_from_slice(&sample.data);
        }
        let mut told = [false; 2];
        for sample in samples.iter_mut().filter(|_| !self.began) {
            let is_video = sample.track_kind == TrackKind::Video;
            if !std::mem::replace(&mut told[usize::from(is_video)], true) {
                sample.sample_entry = match is_video {
                    true => self.video.clone().map(SampleEntry::Avc1),
                    false => Some(opus()),
                };
            }
        }
        let mut bytes = Vec::new();
        let fragment = self.muxer.create_media_segment_metadata(&samples).map_err(io::Error::other)?;
        if !self.began {
            bytes = self.muxer.init_segment_bytes().map_err(io::Error::other)?;
            // After the name: version and flags.
            let found = bytes.windows(4).position(|name| name == b"mehd");
            self.duration_at = found.map(|at| at as u64 + 8);
        }
        bytes.extend_from_slice(&fragment);
        bytes.extend_from_slice(&payload);
        self.tail.append(&bytes)?;
        self.began = true;
        let last = piece.video.last().or(piece.audio.last());
        match last {
            Some(last) => self.tell(last.at + last.lasts),
            None => Ok(()),
        }
    }

    fn finish(&mut self, written: Duration) -> io::Result<()> {
        let settled = self.tail.medium.settle(self.tail.length);
        if self.began && settled.is_ok() {
            self.tell(written)?;
            let index = self.muxer.mfra_bytes().map_err(io::Error::other)?;
            self.tail.append(&index)?;
            return self.tail.medium.settle(self.tail.length);
        }
        settled
    }
}

impl Mp4 {
    fn tell(&mut self, duration: Duration) -> io::Result<()> {
        let Some(at) = self.duration_at else { return Ok(()) };
        let millis = u32::try_from(duration.as_millis()).unwrap_or(u32::MAX);
        self.tail.patch(at, &millis.to_be_bytes())
    }
}

fn described(track_kind: TrackKind, sample: &Sample, offset: usize, size: usize, rate: u32) -> Mp4Sample {
    // Of the ends, so that rounding does not add up.
    let ticks = |time: Duration| (time.as_nanos() * u128::from(rate) + 500_000_000) / 1_000_000_000;
    let duration = ticks(sample.at + sample.lasts).saturating_sub(ticks(sample.at));
    Mp4Sample {
        track_kind,
        sample_entry: None,
        keyframe: sample.key,
        timescale: NonZeroU32::new(rate).unwrap_or(NonZeroU32::MIN),
        duration: u32::try_from(duration).unwrap_or(u32::MAX),
        composition_time_offset: None,
        data_offset: offset as u64,
        data_size: size,
    }
}

/// # Errors
/// The key frame does not tell its parameters.
fn entry(key: &Encoded) -> io::Result<Avc1Box> {
    let of = |kind: u8| -> Vec<Vec<u8>> {
        nal::units(&key.data).filter(|unit| nal::kind(unit) == Some(kind)).map(<[u8]>::to_vec).collect()
    };
    let (sps_list, pps_list) = (of(nal::SPS), of(nal::PPS));
    let [profile, compatibility, level] = match sps_list.first().map(Vec::as_slice) {
        Some([_, profile, compatibility, level, ..]) if !pps_list.is_empty() && sps_list.len() < 32 => {
            [*profile, *compatibility, *level]
        }
        _ => return Err(io::Error::other("its key frames do not tell their parameters")),
    };
    let tells_colours = HIGH_PROFILES.contains(&profile);
    let side = |length: u32| u16::try_from(length).unwrap_or(u16::MAX);
    Ok(Avc1Box {
        visual: VisualSampleEntryFields {
            data_reference_index: VisualSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
            width: side(key.size.width()),
            height: side(key.size.height()),
            horizresolution: VisualSampleEntryFields::DEFAULT_HORIZRESOLUTION,
            vertresolution: VisualSampleEntryFields::DEFAULT_VERTRESOLUTION,
            frame_count: VisualSampleEntryFields::DEFAULT_FRAME_COUNT,
            compressorname: VisualSampleEntryFields::NULL_COMPRESSORNAME,
            depth: VisualSampleEntryFields::DEFAULT_DEPTH,
        },
        avcc_box: AvccBox {
            avc_profile_indication: profile,
            profile_compatibility: compatibility,
            avc_level_indication: level,
            length_size_minus_one: Uint::new(3),
            sps_list,
            pps_list,
            chroma_format: tells_colours.then_some(Uint::new(1)),
            bit_depth_luma_minus8: tells_colours.then_some(Uint::new(0)),
            bit_depth_chroma_minus8: tells_colours.then_some(Uint::new(0)),
            sps_ext_list: Vec::new(),
        },
        unknown_boxes: Vec::new(),
    })
}

fn opus() -> SampleEntry {
    SampleEntry::Opus(OpusBox {
        audio: AudioSampleEntryFields {
            data_reference_index: AudioSampleEntryFields::DEFAULT_DATA_REFERENCE_INDEX,
            channelcount: 2,
            samplesize: AudioSampleEntryFields::DEFAULT_SAMPLESIZE,
            samplerate: FixedPointNumber::new(48_000, 0),
        },
        dops_box: DopsBox {
            output_channel_count: 2,
            pre_skip: 0,
            input_sample_rate: AUDIO_CLOCK_RATE,
            output_gain: 0,
        },
        unknown_boxes: Vec::new(),
    })
}
