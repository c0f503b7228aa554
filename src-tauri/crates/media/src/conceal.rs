//! Concealment of lost samples by waveform substitution.
//!
//! The method of ITU-T G.711 Appendix I (a high-quality low-complexity algorithm for packet loss concealment with
//! G.711, 1999), at any sample rate: the last pitch period is repeated, after 10 ms the last two, after 20 ms the
//! last three, so that the repetition does not buzz; from 10 ms on it fades by a fifth each 10 ms and is silent at
//! 60 ms; the first real samples are overlapped with the continued substitution. One thing differs: the Appendix
//! delays all audio by 3.75 ms to smooth the start of a gap; we add no delay and let the step at the start decay over a
//! quarter of a period instead.

/// Conceals gaps in a stream that is fed to it by [`Self::observe`]. Allocates only in [`Self::new`].
#[derive(Debug, Clone)]
pub struct Concealer {
    rate: usize,
    /// The latest samples, as they were played.
    history: Vec<f32>,
    /// A copy of `history` as it was when the gap began, its end blended for the joint of the repetition.
    template: Vec<f32>,
    /// The last samples before the gap, unblended.
    ending: Vec<f32>,
    /// The substitution continued beyond the gap, and the narrower repetition while going over to a wider one.
    tail: Vec<f32>,
    narrow: Vec<f32>,
    /// Samples concealed in this gap so far; zero outside of gaps.
    run: usize,
    period: usize,
    /// Periods in use, 1 to 3, and the place in them.
    periods: usize,
    offset: usize,
    /// What the first concealed sample is off, and the loudest sample of the template.
    step: f32,
    peak: f32,
}

/// Pitch periods considered, in 1/8000 s: 200 to 66 Hz.
const MIN_PERIOD: usize = 40;
const MAX_PERIOD: usize = 120;
/// Length compared when looking for the period: 20 ms.
const CORRELATION: usize = 160;
/// Enough for three and a quarter of the longest period.
const HISTORY: usize = 390;
/// Milliseconds until full volume begins to fade, and until silence.
const HOLD_MS: usize = 10;
const SILENT_MS: usize = 60;

impl Concealer {
    /// For a stream of `rate` samples a second, a multiple of 8000.
    pub fn new(rate: u32) -> Self {
        let rate = (rate as usize).max(8_000);
        let history = vec![0.0; HISTORY * rate / 8_000];
        let template = history.clone();
        let ending = vec![0.0; MAX_PERIOD / 4 * rate / 8_000];
        let tail = vec![0.0; rate / 100];
        let narrow = tail.clone();
        Self {
            rate,
            history,
            template,
            ending,
            tail,
            narrow,
            run: 0,
            period: 0,
            periods: 1,
            offset: 0,
            step: 0.0,
            peak: 0.0,
        }
    }

    /// True once a gap has been filled so long that only silence is left.
    pub fn is_silent(&self) -> bool {
        self.run >= self.rate * SILENT_MS / 1_000
    }

    /// Samples concealed in the gap that is open; zero if none is.
    pub fn run(&self) -> usize {
        self.run
    }

    /// Takes samples that were received, in the order of play.
    pub fn observe(&mut self, samples: &[f32]) {
        let keep = self.history.len();
        if samples.len() >= keep {
            self.history.copy_from_slice(&samples[samples.len() - keep..]);
        } else {
            self.history.copy_within(samples.len().., 0);
            self.history[keep - samples.len()..].copy_from_slice(samples);
        }
    }

    /// Fills `out` with the next samples of the gap, opening one if none is open.
    pub fn conceal(&mut self, out: &mut [f32]) {
        let block = self.rate / 100;
        for part in out.chunks_mut(block) {
            self.extend(part);
            // What follows the gap continues what was heard.
            let keep = self.history.len();
            self.history.copy_within(part.len().., 0);
            self.history[keep - part.len()..].copy_from_slice(part);
        }
    }

    /// Closes the gap: overlaps the first samples of `received` with the continued substitution, over 4 ms and 4 ms
    /// more for each 10 ms of gap, at most 10 ms. Does nothing if no gap is open.
    pub fn blend(&mut self, received: &mut [f32]) {
        if self.run == 0 {
            return;
        }
        let per_ms = self.rate / 1_000;
        let overlap = (4 * per_ms + self.run * 4 / 10).min(10 * per_ms).min(received.len());
        let mut tail = std::mem::take(&mut self.tail);
        let faded = self.is_silent();
        self.extend(&mut tail[..overlap]);
        for (n, (sample, old)) in received.iter_mut().zip(&tail[..overlap]).enumerate() {
            let weight = (n + 1) as f32 / (overlap + 1) as f32;
            // After silence the overlap is a fade-in.
            let old = if faded { 0.0 } else { *old };
            *sample = old + weight * (*sample - old);
        }
        self.tail = tail;
        self.run = 0;
    }

    /// Closes the gap without blending, for a decoder that did it by itself.
    pub fn close(&mut self) {
        self.run = 0;
    }

    /// Forgets everything.
    pub fn reset(&mut self) {
        self.history.fill(0.0);
        self.run = 0;
    }

    fn extend(&mut self, out: &mut [f32]) {
        if self.run == 0 {
            self.open();
        }
        if self.is_silent() {
            out.fill(0.0);
            self.run = self.run.saturating_add(out.len());
            return;
        }
        let block = self.rate / 100;
        let wanted = (self.run / block + 1).min(3);
        if wanted > self.periods {
            self.widen(out);
        } else {
            self.copy(out);
        }
        let decay = (self.period / 4).max(1);
        let hold = self.rate * HOLD_MS / 1_000;
        let fade = (self.rate * (SILENT_MS - HOLD_MS) / 1_000) as f32;
        for (n, sample) in out.iter_mut().enumerate() {
            let at = self.run + n;
            if at < decay {
                *sample += self.step * (1.0 - at as f32 / decay as f32);
                *sample = sample.clamp(-self.peak, self.peak);
            }
            if at > hold {
                *sample *= (1.0 - (at - hold) as f32 / fade).max(0.0);
            }
        }
        self.run += out.len();
    }

    /// Finds the pitch and prepares the first period.
    fn open(&mut self) {
        self.template.copy_from_slice(&self.history);
        let last = self.history.len() - self.ending.len();
        self.ending.copy_from_slice(&self.history[last..]);
        self.period = self.find_period();
        self.periods = 1;
        self.offset = 0;
        let end = self.template.len();
        self.peak = self.template.iter().fold(0.0, |peak, s| s.abs().max(peak));
        self.step = self.template[end - 1] - self.template[end - 1 - self.period];
        self.smooth_joint();
    }

    /// Goes over to one more period, overlapping old and new for a quarter of a period.
    fn widen(&mut self, out: &mut [f32]) {
        let overlap = (self.period / 4).min(out.len());
        let mut old = std::mem::take(&mut self.narrow);
        let offset = self.offset;
        self.copy(&mut old[..overlap]);
        // The same phase, in the oldest of the periods.
        self.offset = offset % self.period;
        self.periods += 1;
        self.smooth_joint();
        self.copy(out);
        for (n, (sample, old)) in out.iter_mut().zip(&old[..overlap]).enumerate() {
            let weight = (n + 1) as f32 / (overlap + 1) as f32;
            *sample = old + weight * (*sample - old);
        }
        self.narrow = old;
    }

    fn copy(&mut self, out: &mut [f32]) {
        let length = self.period * self.periods;
        let start = self.template.len() - length;
        for sample in out {
            *sample = self.template[start + self.offset];
            self.offset = (self.offset + 1) % length;
        }
    }

    /// Makes the end of the periods in use lead into their start.
    fn smooth_joint(&mut self) {
        let end = self.template.len();
        let start = end - self.period * self.periods;
        let overlap = self.period / 4;
        for n in 0..overlap {
            let weight = (n + 1) as f32 / (overlap + 1) as f32;
            let old = self.ending[self.ending.len() - overlap + n];
            self.template[end - overlap + n] = old + weight * (self.template[start - overlap + n] - old);
        }
    }

    /// The lag at which the last 20 ms look most like the samples before: first coarsely, then to the sample.
    fn find_period(&self) -> usize {
        let scale = self.rate / 8_000;
        let coarse = 2 * scale;
        let (min, max) = (MIN_PERIOD * scale, MAX_PERIOD * scale);
        let first = best_lag(&self.template, CORRELATION * scale, (min..=max).step_by(coarse), coarse);
        let near = first.saturating_sub(coarse - 1).max(min)..=(first + coarse - 1).min(max);
        best_lag(&self.template, CORRELATION * scale, near, scale)
    }
}

/// The lag of the highest normalised correlation between the end of `signal` and the samples `lag` before it, looking at
/// each `stride`th sample.
fn best_lag(signal: &[f32], length: usize, lags: impl Iterator<Item = usize>, stride: usize) -> usize {
    let end = signal.len();
    let recent = &signal[end - length..];
    let mut best = (f32::MIN, 0);
    for lag in lags {
        let earlier = &signal[end - length - lag..end - lag];
        let (mut product, mut energy) = (0.0f32, 1e-6f32);
        for (a, b) in recent.iter().step_by(stride).zip(earlier.iter().step_by(stride)) {
            product += a * b;
            energy += b * b;
        }
        let score = product / energy.sqrt();
        if score > best.0 {
            best = (score, lag);
        }
    }
    best.1
}

#[cfg(test)]
mod tests;
