use std::collections::VecDeque;

/// In ms of the far end's clock.
const WINDOW: f64 = 250.0;

/// What arrives, in bits per second.
#[derive(Debug, Default)]
pub(crate) struct Throughput {
    arrived: VecDeque<(f64, usize)>,
    bytes: usize,
}

impl Throughput {
    pub(crate) fn add(&mut self, arrived: f64, size: usize) {
        self.arrived.push_back((arrived, size));
        self.bytes += size;
        while self.arrived.front().is_some_and(|(first, _)| arrived - first > WINDOW) {
            if let Some((_, size)) = self.arrived.pop_front() {
                self.bytes -= size;
            }
        }
    }

    /// None before there is enough to tell.
    pub(crate) fn bps(&self) -> Option<f64> {
        let (first, last) = (self.arrived.front()?.0, self.arrived.back()?.0);
        let spread = last - first;
        (spread >= WINDOW / 4.0 && self.arrived.len() >= 5)
            .then(|| self.bytes as f64 * 8_000.0 / spread.max(WINDOW / 2.0))
    }
}
