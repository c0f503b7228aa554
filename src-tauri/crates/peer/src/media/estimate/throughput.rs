use std::collections::VecDeque;

/// In ms of the far end's clock.
const WINDOW: f64 = 250.0;
/// Packets of one window, however the far end's clock goes.
const MOST: usize = 8_192;

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
        let is_old = |first: f64| arrived - first > WINDOW;
        while self.arrived.len() > MOST || self.arrived.front().is_some_and(|(first, _)| is_old(*first)) {
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

#[cfg(test)]
mod tests {
    use super::{MOST, Throughput};

    #[test]
    fn a_far_end_whose_clock_stands_still_makes_nothing_grow() {
        let mut throughput = Throughput::default();
        for _ in 0..3 * MOST {
            throughput.add(7.0, 1_200);
        }
        assert_eq!((throughput.arrived.len(), throughput.bytes), (MOST, MOST * 1_200));
        throughput.add(1_000.0, 1_200);
        assert_eq!((throughput.arrived.len(), throughput.bytes), (1, 1_200));
    }
}
