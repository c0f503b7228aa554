//! Faders, their mix, and its packets.

use crate::io::streams::{Counters, Inlet, Kind, Packet, Taps, Unit, UnitMedia};
use bytes::Bytes;
use sidetone_media::{
    AudioSender, Codec, FRAME_DURATION, Frame, MediaError, Meter, Mixer, OpusOptions, SILENCE, SenderOptions,
    Source,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Of one packet.
const PTIME_MS: u32 = 20;
/// Between two tellings of the sound's clock.
const BETWEEN_CLOCKS: Duration = Duration::from_secs(1);
const BEATS_PER_LEVEL: u32 = 50;
/// Music and films are published too, not voices alone.
const OPUS_BITS: u32 = 64_000;

pub(crate) enum Input {
    /// What the open microphone hears, after echo cancellation and all.
    Microphone,
    Source(Box<dyn Source>),
}

pub(crate) struct Fader {
    pub(crate) input: Input,
    /// 0.0 to 2.0.
    pub(crate) gain: f32,
}

/// Where the packets go, and what is counted of them.
pub(crate) struct Outlet {
    pub(crate) inlet: Inlet,
    pub(crate) counters: Arc<Counters>,
    pub(crate) taps: Arc<Taps>,
    /// Random (RFC 3550 section 5.1).
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
}

pub(crate) struct PublishedSound {
    faders: Vec<Fader>,
    sender: AudioSender,
    outlet: Outlet,
    mixer: Mixer,
    meter: Meter,
    beats: u32,
    told: Option<Instant>,
    pub(super) muted: bool,
}

impl PublishedSound {
    /// # Errors
    /// The codec's library does not start.
    pub(crate) fn new(codec: Codec, outlet: Outlet, muted: bool) -> Result<Self, MediaError> {
        let opus = OpusOptions { bits_per_second: OPUS_BITS, ..OpusOptions::default() };
        let options = SenderOptions { ptime_ms: PTIME_MS, comfort_noise: false, opus };
        Ok(Self {
            faders: Vec::new(),
            sender: AudioSender::new(codec, options)?,
            outlet,
            mixer: Mixer::default(),
            meter: Meter::default(),
            beats: 0,
            told: None,
            muted,
        })
    }

    pub(super) fn set_faders(&mut self, faders: Vec<Fader>) -> Vec<Fader> {
        std::mem::replace(&mut self.faders, faders)
    }

    pub(super) fn set_gains(&mut self, gains: &[f32]) {
        for (fader, gain) in self.faders.iter_mut().zip(gains) {
            fader.gain = *gain;
        }
    }

    pub(super) fn listens(&self) -> bool {
        !self.muted && self.faders.iter().any(|fader| matches!(fader.input, Input::Microphone))
    }

    pub(super) fn push(&mut self, now: Instant, microphone: &Frame) {
        let mut frame = SILENCE;
        for fader in &mut self.faders {
            match &mut fader.input {
                Input::Microphone => self.mixer.add_scaled(microphone, fader.gain),
                Input::Source(source) => {
                    source.read(&mut frame);
                    self.mixer.add_scaled(&frame, fader.gain);
                }
            }
        }
        self.mixer.take(&mut frame);
        if self.muted {
            frame = SILENCE;
        }
        self.measure(&frame);
        let Self { sender, outlet, told, .. } = self;
        let codec = sender.codec();
        // The packet's first sample came so long before its last.
        let began = now.checked_sub(FRAME_DURATION * (PTIME_MS / 10)).unwrap_or(now);
        sender.push(&frame, &mut |packet| {
            let timestamp = packet.timestamp.wrapping_add(outlet.timestamp);
            if told.is_none_or(|told| now.saturating_duration_since(told) >= BETWEEN_CLOCKS) {
                *told = Some(now);
                outlet.inlet.clock(Kind::Audio, 0, timestamp, began);
            }
            let payload = Bytes::copy_from_slice(packet.payload);
            outlet.counters.audio_octets.add(payload.len() as u64);
            outlet.counters.packets.add(1);
            outlet.taps.offer(&Unit {
                media: UnitMedia::Audio { codec, timestamp, payload: payload.clone() },
                at: began,
            });
            outlet.inlet.packet(Packet {
                kind: Kind::Audio,
                layer: 0,
                sequence: outlet.sequence,
                timestamp,
                marker: packet.marker,
                key: false,
                extensions: Default::default(),
                payload,
            });
            outlet.sequence = outlet.sequence.wrapping_add(1);
        });
    }

    fn measure(&mut self, frame: &Frame) {
        self.meter.measure(frame);
        self.beats += 1;
        if self.beats >= BEATS_PER_LEVEL {
            self.beats = 0;
            let reading = self.meter.take();
            self.outlet.counters.set_level(reading.rms, reading.peak);
        }
    }
}
