//! Where the samples come from: packets, FEC, concealment, comfort noise.

use super::{JitterBuffer, Pause, Played};
use crate::codec::Decoder;
use crate::comfort_noise::NoiseShape;

/// Milliseconds over which a decoder's own concealment is faded out.
const FADE_MS: std::ops::Range<i64> = 60..100;
/// Milliseconds over which speech is faded in after silence or noise.
const FADE_IN_MS: i64 = 5;
/// More steps than the shortest legal packets need for 10 ms; bounds the work of one pull.
const MAX_STEPS: usize = 64;

impl<D: Decoder> JitterBuffer<D> {
    /// Brings the FIFO to `wanted` samples, if there is any way.
    pub(super) fn fill(&mut self, now: i64, wanted: usize) -> Played {
        self.steer(now, wanted);
        let mut played = Played::Normal;
        for _ in 0..MAX_STEPS {
            if self.fifo.len() >= wanted {
                break;
            }
            played = worse(played, self.step(now));
        }
        played
    }

    /// Adds up to 10 ms or one packet to the FIFO.
    fn step(&mut self, now: i64) -> Played {
        let Some(next) = self.next else {
            let Some(first) = self.store.front() else { return self.bridge(self.block()) };
            let (start, sequence) = (first.start, first.sequence);
            let wait = self.wait_for(start, now);
            if wait > 0 {
                return self.bridge(wait);
            }
            self.next = Some(start);
            self.last_sequence = sequence - 1;
            return self.play();
        };
        self.drop_past(next);
        let Some(packet) = self.store.front() else { return self.bridge(self.block()) };
        if packet.start <= next {
            return self.play();
        }
        let start = packet.start;
        // A sender that skipped time without skipping a packet paused; nothing is missing.
        let paused = packet.sequence == self.last_sequence + 1;
        if self.pause != Pause::None || self.is_faded() || paused {
            let wait = self.wait_for(start, now);
            if wait > 0 {
                return self.bridge(wait);
            }
            self.jump(start);
            return self.play();
        }
        let missing = (start - next) as usize;
        let left = missing.saturating_sub(self.gap);
        if left == 0 {
            self.jump(start);
            return self.play();
        }
        if packet.comfort_noise || !self.decoder.has_fec(&packet.payload) {
            return self.bridge(left);
        }
        let copy = packet.length;
        if left > copy { self.bridge(left - copy) } else { self.play_fec(left) }
    }

    /// Decodes the first packet of the store, which is due.
    pub(super) fn play(&mut self) -> Played {
        let (Some(packet), Some(next)) = (self.store.pop(), self.next) else { return Played::Silence };
        if packet.comfort_noise {
            if let Some(shape) = NoiseShape::parse(&packet.payload) {
                self.noise.set(&shape);
            }
            self.pause = Pause::ComfortNoise;
            self.next = Some(next.max(packet.start));
            self.account(packet.sequence);
            self.store.recycle(packet);
            return self.bridge(self.block());
        }
        let decoded = match self.fifo.space(packet.length) {
            Some(space) => self.decoder.decode(&packet.payload, space).ok().filter(|n| *n <= packet.length),
            None => None,
        };
        let Some(length) = decoded else {
            // Missing from the timeline, it is concealed like a lost packet.
            self.stats.malformed += 1;
            self.store.recycle(packet);
            return Played::Concealed;
        };
        self.fifo.commit(length);
        let skip = ((next - packet.start).max(0) as usize).min(length);
        self.fifo.trim(length, skip);
        self.join(length - skip);
        self.next = Some(next.max(packet.start + length as i64));
        self.pause = if self.decoder.is_silence(&packet.payload) { Pause::ByDecoder } else { Pause::None };
        self.account(packet.sequence);
        self.store.recycle(packet);
        self.heard = true;
        if self.pause == Pause::None { Played::Normal } else { Played::Comfort }
    }

    /// Fills the last `left` samples of a gap from the copy in the packet after it.
    fn play_fec(&mut self, left: usize) -> Played {
        let Some(packet) = self.store.front() else { return Played::Silence };
        let (length, start) = (packet.length, packet.start);
        let recovered =
            self.fifo.space(length).is_some_and(|space| self.decoder.decode_fec(&packet.payload, space));
        if !recovered {
            return self.bridge(left);
        }
        self.fifo.commit(length);
        self.fifo.trim(length, length - left);
        self.join(left);
        self.next = Some(start);
        self.stats.fec_recovered += 1;
        self.last_sequence += 1;
        Played::Normal
    }

    /// Fills up to 10 ms, at most `limit` samples rounded up to 2.5 ms, with noise, concealment or silence.
    fn bridge(&mut self, limit: usize) -> Played {
        let quantum = self.rate as usize / 400;
        let length = limit.next_multiple_of(quantum).clamp(quantum, self.block());
        let faded = self.is_faded();
        let Some(space) = self.fifo.space(length) else { return Played::Silence };
        let played = match self.pause {
            Pause::ComfortNoise => {
                self.noise.fill(space);
                Played::Comfort
            }
            Pause::ByDecoder if self.decoder.conceal(space) => Played::Comfort,
            _ if !self.heard || faded => {
                space.fill(0.0);
                Played::Silence
            }
            _ => {
                self.gap_by_decoder = self.concealer.run() == 0 && self.decoder.conceal(space);
                if self.gap_by_decoder {
                    fade_out(space, self.gap as i64, self.rate);
                } else {
                    self.concealer.conceal(space);
                }
                Played::Concealed
            }
        };
        self.fifo.commit(length);
        let count = match played {
            Played::Comfort => &mut self.counts.comfort,
            Played::Concealed => &mut self.counts.concealed,
            _ => &mut self.counts.silent,
        };
        if self.heard || played == Played::Comfort {
            *count += length as u64;
        }
        if played == Played::Concealed && self.gap == 0 {
            self.stats.concealments += 1;
        }
        if self.pause == Pause::None {
            self.gap = self.gap.saturating_add(length);
        }
        if self.gap_by_decoder || self.pause != Pause::None {
            self.concealer.observe(self.fifo.newest(length));
        }
        played
    }

    /// Leads from what was made up to the `length` samples just added.
    fn join(&mut self, length: usize) {
        let faded = self.is_faded();
        let rate = self.rate;
        let new = self.fifo.newest(length);
        if faded || self.pause == Pause::ComfortNoise {
            let ramp = (rate * FADE_IN_MS / 1_000) as usize;
            for (n, sample) in new.iter_mut().take(ramp).enumerate() {
                *sample *= (n + 1) as f32 / (ramp + 1) as f32;
            }
        } else {
            self.concealer.blend(new);
        }
        self.concealer.close();
        self.concealer.observe(new);
        if self.gap > 0 {
            self.steering.forget();
        }
        self.gap = 0;
        self.gap_by_decoder = false;
    }

    /// Conceals 10 ms without counting media time, so that `join` blends over a cut in the stream.
    pub(super) fn cover_cut(&mut self) {
        let length = self.block();
        let Some(space) = self.fifo.space(length) else { return };
        self.concealer.conceal(space);
        self.fifo.commit(length);
        self.counts.concealed += length as u64;
        self.stats.concealments += 1;
        self.gap = length;
    }

    /// Goes on at `start`, after a gap or a pause.
    fn jump(&mut self, start: i64) {
        self.next = Some(start);
        self.steering.forget();
    }

    /// Counts what is missing before the packet that is played now.
    fn account(&mut self, sequence: i64) {
        let missing = sequence - self.last_sequence - 1;
        if missing > 0 {
            self.stats.lost += missing as u64;
        }
        self.last_sequence = self.last_sequence.max(sequence);
    }

    /// Throws away packets that end before `next`.
    fn drop_past(&mut self, next: i64) {
        while self.store.front().is_some_and(|p| p.start < next && p.end() <= next) {
            if let Some(packet) = self.store.pop() {
                self.stats.discarded += 1;
                self.store.recycle(packet);
            }
        }
    }

    /// Samples until the packet that begins at `start` is due, in a pause: at the target delay.
    fn wait_for(&self, start: i64, now: i64) -> usize {
        let due = self.time_of(start) + self.goal() + super::steer::AIM_US;
        let at = now + self.time_of(self.fifo.len() as i64);
        ((due - at).max(0) * self.rate / 1_000_000) as usize
    }

    pub(super) fn is_faded(&self) -> bool {
        let by_decoder = self.gap as i64 * 1_000 >= FADE_MS.end * self.rate;
        self.pause == Pause::None && (by_decoder || self.concealer.is_silent())
    }

    pub(super) fn block(&self) -> usize {
        self.rate as usize / 100
    }
}

/// Fades what is `gap` samples after the last real one.
fn fade_out(samples: &mut [f32], gap: i64, rate: i64) {
    let (from, to) = (FADE_MS.start * rate / 1_000, FADE_MS.end * rate / 1_000);
    for (n, sample) in samples.iter_mut().enumerate() {
        let at = (gap + n as i64).clamp(from, to);
        *sample *= (to - at) as f32 / (to - from) as f32;
    }
}

/// What to call a pull that was filled from both.
fn worse(a: Played, b: Played) -> Played {
    let rank = |played| match played {
        Played::Normal => 0,
        Played::Comfort => 1,
        Played::Silence => 2,
        Played::Concealed => 3,
    };
    if rank(a) >= rank(b) { a } else { b }
}
