//! The buffer: packets in, 10 ms of samples out.

mod fill;
mod steer;

pub use steer::MOST_EXTRA;

use std::time::{Duration, Instant};

use super::estimator::DelayEstimator;
use super::fifo::SampleFifo;
use super::store::{Inserted, PacketStore};
use super::timeline::{Place, Timeline};
use super::{JitterOptions, JitterStats, PayloadKind, Played, ReceivedPacket};
use crate::codec::{Decoder, MAX_PAYLOAD};
use crate::comfort_noise::NoiseGenerator;
use crate::conceal::Concealer;
use crate::error::MediaError;

/// A jitter buffer for one RTP stream. Memory is bounded, and once warm nothing is allocated.
pub struct JitterBuffer<D> {
    decoder: D,
    rate: i64,
    /// Samples for each RTP unit.
    unit: i64,
    options: JitterOptions,
    epoch: Option<Instant>,
    timeline: Timeline,
    estimator: DelayEstimator,
    store: PacketStore,
    fifo: SampleFifo,
    concealer: Concealer,
    noise: NoiseGenerator,
    /// The sample after the last one decoded; `None` before the first.
    next: Option<i64>,
    /// Something was played since the start, so that a stop is to be faded.
    heard: bool,
    last_sequence: i64,
    /// Samples made up since the last decoded one, and whether the decoder made them.
    gap: usize,
    gap_by_decoder: bool,
    /// In a pause that the sender announced.
    pause: Pause,
    steering: steer::Steering,
    /// Waiting that is not for the network's sake.
    extra: steer::Extra,
    /// Microseconds of a packet, the last one.
    packet: i64,
    /// Sequence number of a packet that did not fit the stream. A second one in order means that the stream jumped.
    suspect: Option<u16>,
    stats: JitterStats,
    counts: Counts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Pause {
    None,
    /// RFC 3389: noise is ours.
    ComfortNoise,
    /// Opus DTX: noise is the decoder's.
    ByDecoder,
}

/// In samples.
#[derive(Debug, Clone, Copy, Default)]
struct Counts {
    played: u64,
    concealed: u64,
    silent: u64,
    comfort: u64,
    shortened: u64,
    lengthened: u64,
}

/// A packet this much faster than all recent ones, or slower, in microseconds, belongs to another timeline.
const TOO_EARLY: i64 = 300_000;
const TOO_LATE: i64 = 2_000_000;
/// As does one this far away in sequence numbers (RFC 3550, A.1: MAX_DROPOUT).
const TOO_FAR: i64 = 3_000;

impl<D: Decoder> JitterBuffer<D> {
    /// For a stream of `clock_rate` RTP units a second, of which the decoder's sample rate is a multiple.
    pub fn new(decoder: D, clock_rate: u32, options: JitterOptions) -> Result<Self, MediaError> {
        options.validate()?;
        let rate = decoder.sample_rate();
        if clock_rate == 0 || !rate.is_multiple_of(clock_rate) || !rate.is_multiple_of(8_000) {
            let problem = format!("{clock_rate} Hz does not go with samples at {rate} Hz");
            return Err(MediaError::Option { option: "clock_rate", problem });
        }
        Ok(Self {
            decoder,
            rate: i64::from(rate),
            unit: i64::from(rate / clock_rate),
            options,
            epoch: None,
            timeline: Timeline::default(),
            estimator: DelayEstimator::default(),
            store: PacketStore::new(),
            fifo: SampleFifo::new(rate),
            concealer: Concealer::new(rate),
            noise: NoiseGenerator::default(),
            next: None,
            heard: false,
            last_sequence: 0,
            gap: 0,
            gap_by_decoder: false,
            pause: Pause::None,
            steering: steer::Steering::default(),
            extra: steer::Extra::default(),
            packet: 0,
            suspect: None,
            stats: JitterStats::default(),
            counts: Counts::default(),
        })
    }

    /// Takes a packet that arrived at `now`.
    pub fn push(&mut self, now: Instant, packet: ReceivedPacket<'_>) {
        self.stats.packets += 1;
        let arrival = self.micros(now);
        let length = match packet.kind {
            _ if packet.payload.len() > MAX_PAYLOAD => None,
            PayloadKind::Media => self.decoder.samples(packet.payload),
            PayloadKind::ComfortNoise => (!packet.payload.is_empty()).then_some(0),
        };
        let Some(length) = length else {
            self.stats.malformed += 1;
            return;
        };
        let mut place = self.timeline.locate(packet.sequence, packet.timestamp);
        if self.is_foreign(place, length, arrival) {
            if self.suspect.map(|s| s.wrapping_add(1)) != Some(packet.sequence) {
                self.suspect = Some(packet.sequence);
                self.stats.discarded += 1;
                return;
            }
            self.stats.resyncs += 1;
            self.reset();
            place = self.timeline.locate(packet.sequence, packet.timestamp);
        }
        self.suspect = None;
        if !self.timeline.note(place, packet.sequence, packet.timestamp) {
            self.stats.duplicates += 1;
            return;
        }
        let start = place.timestamp * self.unit;
        if length > 0 {
            let length = length as i64 * 1_000_000 / self.rate;
            self.packet = length;
            self.estimator.observe(arrival, arrival - self.time_of(start), length);
        }
        if self.next.is_some_and(|next| start < next && start + length as i64 <= next) {
            self.stats.late += 1;
            return;
        }
        match self.store.insert(start, length, place.sequence, packet.kind, packet.payload) {
            Inserted::Stored => {}
            Inserted::Displaced => self.stats.discarded += 1,
            Inserted::Duplicate => self.stats.duplicates += 1,
        }
    }

    /// Gives the next samples, 10 ms at the decoder's rate (at most 20), at the time `now`.
    pub fn pull(&mut self, now: Instant, out: &mut [f32]) -> Played {
        let now = self.micros(now);
        self.extra.advance();
        let played = self.fill(now, out.len());
        self.fifo.pop(out);
        self.counts.played += out.len() as u64;
        played
    }

    /// The RTP timestamp of the sample that the next pull begins with; `None` while nothing is played.
    pub fn playing(&self) -> Option<u32> {
        let sample = self.next? - self.fifo.len() as i64;
        self.timeline.raw(sample.div_euclid(self.unit))
    }

    /// Plays so much later than the network asks for, such as to wait for pictures; at most [`MOST_EXTRA`], and less where
    /// packets are short. Moves there a tenth of a second each second, by repeating and leaving out pitch periods.
    pub fn set_extra_delay(&mut self, extra: Duration) {
        self.extra.set(extra);
    }

    /// How much later it plays now than the network asks for; `None` while nothing is played.
    pub fn waiting(&self) -> Option<Duration> {
        let over = self.steering.point()? - self.network_goal();
        Some(Duration::from_micros(u64::try_from(over).unwrap_or(0)))
    }

    /// Counters and state.
    pub fn stats(&self) -> JitterStats {
        let ms = |samples: u64| samples as f64 * 1_000.0 / self.rate as f64;
        let fastest = self.estimator.fastest();
        let held = self.fifo.len() as i64 + self.stored();
        JitterStats {
            played_ms: ms(self.counts.played),
            concealed_ms: ms(self.counts.concealed),
            silent_ms: ms(self.counts.silent),
            comfort_ms: ms(self.counts.comfort),
            shortened_ms: ms(self.counts.shortened),
            lengthened_ms: ms(self.counts.lengthened),
            depth_ms: self.steering.point().map_or(0.0, |p| ((p - fastest) as f32 / 1_000.0).max(0.0)),
            target_ms: if self.estimator.count() == 0 {
                self.options.initial_ms as f32
            } else {
                (self.goal() - fastest) as f32 / 1_000.0
            },
            buffered_ms: held as f32 * 1_000.0 / self.rate as f32,
            ..self.stats
        }
    }

    /// Begins anew, as for a new SSRC. Counters stay; what was heard last is faded out.
    pub fn reset(&mut self) {
        self.timeline.reset();
        self.estimator = DelayEstimator::default();
        self.store.clear();
        self.decoder.reset();
        self.next = None;
        self.pause = Pause::None;
        self.steering = steer::Steering::default();
        self.suspect = None;
    }

    fn is_foreign(&self, place: Place, length: usize, arrival: i64) -> bool {
        if self.estimator.count() == 0 {
            return false;
        }
        let start = place.timestamp * self.unit;
        let transit = arrival - self.time_of(start);
        let fastest = self.estimator.fastest();
        // In order and yet before what was played: the timestamps went back.
        let back =
            self.next.is_some_and(|next| place.ahead > 0 && start < next && start + length as i64 <= next);
        place.ahead.abs() > TOO_FAR
            || transit < fastest - TOO_EARLY
            || transit > self.estimator.quantile().max(fastest) + TOO_LATE
            || back
    }

    /// Samples in the store, gaps included.
    fn stored(&self) -> i64 {
        let from = self.next.or_else(|| self.store.front().map(|p| p.start));
        from.zip(self.store.end()).map_or(0, |(from, end)| (end - from).max(0))
    }

    /// Microseconds since the first call.
    fn micros(&mut self, now: Instant) -> i64 {
        let epoch = *self.epoch.get_or_insert(now);
        match now.checked_duration_since(epoch) {
            Some(after) => after.as_micros() as i64,
            None => -(epoch.duration_since(now).as_micros() as i64),
        }
    }

    /// Microseconds of media before a sample.
    fn time_of(&self, sample: i64) -> i64 {
        sample * 1_000_000 / self.rate
    }
}

#[cfg(test)]
mod tests;
