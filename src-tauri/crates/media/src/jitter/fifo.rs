//! Decoded samples that wait to be played, and a little of what was played.

use crate::stretch::{self, Period};

/// A queue of samples in one piece of memory that never grows.
#[derive(Debug)]
pub(super) struct SampleFifo {
    samples: Vec<f32>,
    head: usize,
    tail: usize,
    /// Played samples that are kept for [`Self::lengthen`].
    past: usize,
    rate: u32,
}

/// Longest packet, what time stretching looks at, a pull, and the past.
const CAPACITY_MS: usize = 300;

impl SampleFifo {
    pub(super) fn new(rate: u32) -> Self {
        let past = stretch::max_lag(rate);
        Self { samples: vec![0.0; rate as usize * CAPACITY_MS / 1_000], head: past, tail: past, past, rate }
    }

    pub(super) fn len(&self) -> usize {
        self.tail - self.head
    }

    /// Room for `length` samples, to be taken by [`Self::commit`]; `None` if there is not so much.
    pub(super) fn space(&mut self, length: usize) -> Option<&mut [f32]> {
        if self.tail + length > self.samples.len() {
            let from = self.head - self.past;
            self.samples.copy_within(from..self.tail, 0);
            self.tail -= from;
            self.head = self.past;
        }
        self.samples.get_mut(self.tail..self.tail + length)
    }

    pub(super) fn commit(&mut self, length: usize) {
        self.tail = (self.tail + length).min(self.samples.len());
    }

    /// The last `length` samples committed.
    pub(super) fn newest(&mut self, length: usize) -> &mut [f32] {
        let from = self.tail - length.min(self.len());
        &mut self.samples[from..self.tail]
    }

    /// Drops the first of the last `length` samples committed, `skip` of them.
    pub(super) fn trim(&mut self, length: usize, skip: usize) {
        let length = length.min(self.len());
        let skip = skip.min(length);
        let from = self.tail - length;
        self.samples.copy_within(from + skip..self.tail, from);
        self.tail -= skip;
    }

    /// Takes out the next samples; silence where there are none.
    pub(super) fn pop(&mut self, out: &mut [f32]) {
        let n = out.len().min(self.len());
        out[..n].copy_from_slice(&self.samples[self.head..self.head + n]);
        out[n..].fill(0.0);
        self.head += n;
    }

    /// The period at the head, for [`Self::shorten`].
    pub(super) fn period_ahead(&self) -> Option<Period> {
        stretch::find_period(&self.samples[self.head..self.tail], self.rate)
    }

    /// The period around the head, for [`Self::lengthen`].
    pub(super) fn period_around(&self) -> Option<Period> {
        let period = stretch::find_period(&self.samples[self.head - self.past..self.tail], self.rate)?;
        (period.lag <= self.len()).then_some(period)
    }

    /// Takes out one period of `lag` samples, as found by [`Self::period_ahead`].
    pub(super) fn shorten(&mut self, lag: usize) {
        stretch::shorten(&mut self.samples[self.head..self.tail], lag);
        self.head += lag;
    }

    /// Plays `lag` samples once more, as found by [`Self::period_around`].
    pub(super) fn lengthen(&mut self, lag: usize) {
        stretch::lengthen(&mut self.samples[self.head - lag..self.head + lag], lag);
        self.head -= lag;
        // The past is now older than it was; keep enough of it.
        if self.head < self.past {
            let by = self.past - self.head;
            let moved = (self.tail + by).min(self.samples.len()) - by;
            self.samples.copy_within(..moved, by);
            self.head += by;
            self.tail = moved + by;
        }
    }
}
