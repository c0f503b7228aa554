//! Faders, their mix, and its packets.

use crate::io::{
    clock,
    streams::{Counters, Inlet, Kind, Own, Packet, Taps, Unit, UnitMedia},
};
use bytes::Bytes;
use sidetone_media::{
    AudioSender, Codec, FRAME_DURATION, Fader, FaderInput, Faders, Frame, MediaError, Meter, OpusOptions,
    SILENCE, SenderOptions,
};
use std::{
    sync::Arc,
    time::{Duration, Instant},
};

/// Of one packet.
const PTIME_MS: u32 = 20;
/// Between two tellings of the sound's clock.
const BETWEEN_CLOCKS: Duration = Duration::from_secs(1);
/// Five times a second: it is shown who speaks.
const BEATS_PER_LEVEL: u32 = 20;
/// Music and films are published too, not voices alone.
const OPUS_BITS: u32 = 64_000;

/// Where the packets go, and what is counted of them.
pub(crate) struct Outlet {
    pub(crate) inlet: Inlet,
    pub(crate) counters: Arc<Counters>,
    pub(crate) taps: Arc<Taps>,
    /// Nothing is sent.
    pub(crate) measured_only: bool,
    /// Random (RFC 3550 section 5.1).
    pub(crate) sequence: u16,
    pub(crate) timestamp: u32,
}

impl Outlet {
    /// Into a stream of ours.
    pub(crate) fn of(inlet: Inlet, own: &Own, measured_only: bool) -> Self {
        let [a, b, c, d, e, f]: [u8; 6] = clock::random().unwrap_or_default();
        Self {
            inlet,
            counters: Arc::clone(&own.counters),
            taps: Arc::clone(&own.taps),
            measured_only,
            sequence: u16::from_be_bytes([a, b]),
            timestamp: u32::from_be_bytes([c, d, e, f]),
        }
    }
}

pub(crate) struct PublishedSound {
    faders: Faders,
    sender: AudioSender,
    outlet: Outlet,
    meter: Meter,
    beats: u32,
    told: Option<Instant>,
    /// As it was told last.
    problem: Option<String>,
}

impl PublishedSound {
    /// # Errors
    /// The codec's library does not start.
    pub(crate) fn new(codec: Codec, outlet: Outlet, muted: bool) -> Result<Self, MediaError> {
        let opus = OpusOptions { bits_per_second: OPUS_BITS, ..OpusOptions::default() };
        let options = SenderOptions { ptime_ms: PTIME_MS, comfort_noise: false, opus };
        let mut faders = Faders::default();
        faders.set_muted(muted);
        Ok(Self {
            faders,
            sender: AudioSender::new(codec, options)?,
            outlet,
            meter: Meter::default(),
            beats: 0,
            told: None,
            problem: None,
        })
    }

    /// What is wrong with its inputs, where that has changed.
    pub(super) fn look(&mut self) -> Option<Option<String>> {
        if self.problem.is_none() && self.faders.faults().next().is_none() {
            return None;
        }
        let words: Vec<_> = self.faders.faults().map(|(name, fault)| format!("{name}: {fault}")).collect();
        let problem = (!words.is_empty()).then(|| words.join("; "));
        (problem != self.problem).then(|| {
            self.problem.clone_from(&problem);
            problem
        })
    }

    pub(super) fn set_faders(&mut self, faders: Vec<Fader>) {
        self.faders.set(faders);
        self.outlet.counters.set_meters(self.faders.meters().collect());
    }

    pub(super) fn set_gains(&mut self, gains: &[f32]) {
        self.faders.set_gains(gains);
    }

    pub(super) fn set_muted(&mut self, muted: bool) {
        self.faders.set_muted(muted);
    }

    pub(super) fn take_gone(&mut self) -> Option<FaderInput> {
        self.faders.take_gone()
    }

    pub(super) fn listens(&self) -> bool {
        self.faders.listens()
    }

    pub(super) fn push(&mut self, now: Instant, microphone: &Frame) {
        let mut frame = SILENCE;
        self.faders.read(microphone, &mut frame);
        self.push_frame(now, &frame);
    }

    /// Of a mix that was made elsewhere.
    pub(super) fn push_frame(&mut self, now: Instant, frame: &Frame) {
        self.measure(frame);
        if self.outlet.measured_only {
            return;
        }
        let Self { sender, outlet, told, .. } = self;
        let codec = sender.codec();
        // The packet's first sample came so long before its last.
        let began = now.checked_sub(FRAME_DURATION * (PTIME_MS / 10)).unwrap_or(now);
        sender.push(frame, &mut |packet| {
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
