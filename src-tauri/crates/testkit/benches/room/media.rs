//! What the headless peers send: pictures and sound that were encoded before, so that a peer costs what its packets cost.

use std::fs;
use std::path::Path;
use std::time::Instant;

use bytes::Bytes;
use sidetone_media::video::{
    Bars, Canvas, EncoderOptions, MAX_PAYLOAD, MediaClock, PacketizationMode, Packetizer, Payload, Size,
    VideoCodec,
};
use sidetone_media::{Codec, OpusOptions};
use sidetone_testkit::{Result, RigError};

pub(crate) const WIDTH: u32 = 640;
pub(crate) const HEIGHT: u32 = 360;
pub(crate) const FPS: u32 = 25;
/// Of the pictures.
pub(crate) const KBIT: u32 = 500;
/// A loop that begins with its only key frame.
const PICTURES: u32 = 4 * FPS;
/// Of the camera's noise, in steps of 255.
const GRAIN: u8 = 3;
/// As of somebody who speaks.
pub(crate) const SOUND_BPS: u32 = 24_000;
const SOUNDS: usize = 50;
const SAMPLES: usize = 960;

/// The payloads of one picture.
pub(crate) type Picture = Vec<Bytes>;

#[derive(Debug, Default)]
pub(crate) struct Media {
    pub(crate) pictures: Vec<Picture>,
    pub(crate) sounds: Vec<Bytes>,
}

fn failed(what: &'static str) -> impl Fn(&dyn std::fmt::Display) -> RigError {
    move |error| RigError::new(format!("{what}: {error}"))
}

impl Media {
    pub(crate) fn encode() -> Result<Self> {
        let no_picture = failed("the pictures");
        let size = Size::new(WIDTH, HEIGHT).map_err(|error| no_picture(&error))?;
        let now = Instant::now();
        let options = EncoderOptions {
            frames_per_second: FPS,
            ..EncoderOptions::new(size, KBIT * 1_000, MediaClock::new(now, 0))
        };
        let mut encoder = VideoCodec::H264.encoder(&options).map_err(|error| no_picture(&error))?;
        let mode = PacketizationMode::NonInterleaved;
        let packetizer = Packetizer::new(VideoCodec::H264, mode, MAX_PAYLOAD, 0);
        let mut packetizer = packetizer.map_err(|error| no_picture(&error))?;
        let bars = Bars::new(size, FPS, now, 0).map_err(|error| no_picture(&error))?;
        let mut random = fastrand::Rng::with_seed(1);
        let mut pictures = Vec::new();
        for number in 0..u64::from(PICTURES) {
            let milliseconds = number * 1_000 / u64::from(FPS);
            let captured = now + std::time::Duration::from_millis(milliseconds);
            let drawn = bars.draw(milliseconds, captured).map_err(|error| no_picture(&error))?;
            let mut canvas = Canvas::black(size);
            canvas.i420_mut().copy_from_slice(drawn.i420());
            for point in canvas.i420_mut().iter_mut().take(size.luma_len()) {
                *point = point.saturating_sub(GRAIN).saturating_add(random.u8(..=2 * GRAIN));
            }
            let picture = canvas.finish(captured);
            let encoded = encoder.encode(&picture, number == 0).map_err(|error| no_picture(&error))?;
            // One that the rate control leaves out is no packet.
            let payloads = encoded.map(|encoded| packetizer.packetize(&encoded)).transpose();
            let payloads = payloads.map_err(|error| no_picture(&error))?.unwrap_or_default();
            pictures.push(payloads.into_iter().map(|Payload { data, .. }| data).collect());
        }
        Ok(Self { pictures, sounds: sounds()? })
    }

    /// For the processes of the peers.
    pub(crate) fn write(&self, file: &Path) -> Result<()> {
        let mut bytes = Vec::new();
        let mut group = |payloads: &[Bytes]| {
            bytes.extend((payloads.len() as u32).to_be_bytes());
            for payload in payloads {
                bytes.extend((payload.len() as u32).to_be_bytes());
                bytes.extend(payload);
            }
        };
        group(&self.sounds);
        self.pictures.iter().for_each(|picture| group(picture));
        fs::write(file, bytes).map_err(|error| RigError::while_doing(file.display(), error))
    }

    pub(crate) fn read(file: &Path) -> Result<Self> {
        let bytes = fs::read(file).map_err(|error| RigError::while_doing(file.display(), error))?;
        let mut bytes = Bytes::from(bytes);
        let mut groups = Vec::new();
        while let Some(group) = take_group(&mut bytes) {
            groups.push(group);
        }
        let mut groups = groups.into_iter();
        let sounds = groups.next().unwrap_or_default();
        let media = Self { sounds, pictures: groups.collect() };
        let is_whole = !media.sounds.is_empty() && !media.pictures.is_empty();
        if is_whole { Ok(media) } else { Err(RigError::new(format!("nothing in {}", file.display()))) }
    }

    /// Of the pictures, as they are on average.
    pub(crate) fn kbit(&self) -> f64 {
        let octets: usize = self.pictures.iter().flatten().map(Bytes::len).sum();
        octets as f64 * 8.0 / 1_000.0 / (self.pictures.len() as f64 / f64::from(FPS))
    }
}

fn take_group(bytes: &mut Bytes) -> Option<Vec<Bytes>> {
    let number = |bytes: &mut Bytes| -> Option<usize> {
        if bytes.len() < 4 {
            return None;
        }
        let four = bytes.split_to(4);
        Some(u32::from_be_bytes(four[..].try_into().ok()?) as usize)
    };
    let count = number(bytes)?;
    (0..count)
        .map(|_| {
            let length = number(bytes)?;
            (bytes.len() >= length).then(|| bytes.split_to(length))
        })
        .collect()
}

/// A second of a tone.
fn sounds() -> Result<Vec<Bytes>> {
    let no_sound = failed("the sound");
    let options = OpusOptions { bits_per_second: SOUND_BPS, cbr: true, ..OpusOptions::default() };
    let mut encoder = Codec::Opus.encoder(&options).map_err(|error| no_sound(&error))?;
    let mut payload = [0; 1_500];
    let mut sounds = Vec::new();
    for packet in 0..SOUNDS {
        let at = |sample: usize| (packet * SAMPLES + sample) as f32 / 48_000.0;
        let samples: Vec<f32> =
            (0..SAMPLES).map(|sample| 0.1 * (at(sample) * 440.0 * std::f32::consts::TAU).sin()).collect();
        let length = encoder.encode(&samples, &mut payload).map_err(|error| no_sound(&error))?;
        sounds.push(Bytes::copy_from_slice(&payload[..length]));
    }
    Ok(sounds)
}
