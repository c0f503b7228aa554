//! A played stream's sound: jitter buffer, decoder, volume.

use crate::io::streams::{Counters, Sounding, receive::Arrived};
use sidetone_media::{
    AudioReceiver, Codec, Frame, MediaError, Meter, PayloadKind, Ramp, ReceivedPacket, ReceiverOptions,
};
use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

/// Five times a second: it is shown who speaks.
const BEATS_PER_LEVEL: u32 = 20;
/// Packets taken in one beat: a flood must not keep the thread from its beat.
const MOST_AT_ONCE: usize = 256;

pub(crate) struct PlayedSound {
    arrived: mpsc::Receiver<Arrived>,
    receiver: AudioReceiver,
    counters: Arc<Counters>,
    meter: Meter,
    beats: u32,
    volume: Ramp,
}

impl PlayedSound {
    /// # Errors
    /// The codec's library does not start.
    pub(crate) fn new(
        codec: Codec,
        arrived: mpsc::Receiver<Arrived>,
        counters: Arc<Counters>,
        volume: f32,
    ) -> Result<Self, MediaError> {
        let receiver = AudioReceiver::new(codec, ReceiverOptions::default())?;
        Ok(Self { arrived, receiver, counters, meter: Meter::default(), beats: 0, volume: Ramp::to(volume) })
    }

    /// 0.0 to 2.0.
    pub(super) fn set_volume(&mut self, volume: f32) {
        self.volume.set(volume);
    }

    /// The next ten milliseconds; false where there is nothing to be heard.
    pub(crate) fn pull(&mut self, now: Instant, frame: &mut Frame) -> bool {
        for arrived in self.arrived.try_iter().take(MOST_AT_ONCE) {
            match arrived {
                Arrived::Packet { at, sequence, timestamp, marker, payload } if !payload.is_empty() => {
                    let packet = ReceivedPacket {
                        sequence,
                        timestamp,
                        marker,
                        kind: PayloadKind::Media,
                        payload: &payload,
                    };
                    self.receiver.push(at, packet);
                }
                Arrived::Packet { .. } | Arrived::Clock { .. } | Arrived::RoundTrip(_) => {}
                Arrived::Cut => self.receiver.reset(),
            }
        }
        if let (Some(timestamp), Some(waited)) = (self.receiver.playing(), self.receiver.waiting()) {
            self.counters.heard.set(Sounding { timestamp, at: now, waited });
        }
        let delay = Duration::try_from_secs_f32(self.counters.sound_delay.get() / 1_000.0);
        self.receiver.set_extra_delay(delay.unwrap_or_default());
        let played = self.receiver.pull(now, frame);
        // As it came: what is turned down here speaks all the same.
        self.meter.measure(frame);
        self.volume.apply(frame);
        self.beats += 1;
        if self.beats >= BEATS_PER_LEVEL {
            self.beats = 0;
            let reading = self.meter.take();
            self.counters.set_level(reading.rms, reading.peak);
        }
        played != sidetone_media::Played::Silence
    }
}
