//! From the microphone's callback to the audio thread.

use std::sync::Arc;
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};
use sidetone_media::{DriftResampler, FRAME_LEN, Flow, Frame};

use super::steer::Steer;
use super::{CAPACITY, EXCESS, Health};

/// Makes the two ends of one capture stream.
pub(crate) fn capture_ring(health: Arc<Health>) -> (CaptureWriter, CaptureReader) {
    let (producer, consumer) = RingBuffer::new(CAPACITY);
    let writer = CaptureWriter { ring: producer, health: Arc::clone(&health) };
    let reader = CaptureReader {
        ring: consumer,
        health,
        resampler: DriftResampler::new(),
        steer: Steer::new(),
        flowing: false,
    };
    (writer, reader)
}

/// The callback's end.
pub(crate) struct CaptureWriter {
    ring: Producer<f32>,
    health: Arc<Health>,
}

impl CaptureWriter {
    /// Takes mono samples at 48 kHz. What finds no room is lost: the audio thread has stopped reading.
    pub(crate) fn write(&mut self, samples: &[f32]) {
        let (_, lost) = self.ring.push_partial_slice(samples);
        if !lost.is_empty() {
            self.health.on_skip(lost.len());
        }
    }
}

/// The audio thread's end.
pub(crate) struct CaptureReader {
    ring: Consumer<f32>,
    health: Arc<Health>,
    resampler: DriftResampler,
    steer: Steer,
    /// False until the ring holds enough to begin, also again after it ran empty.
    flowing: bool,
}

impl CaptureReader {
    /// Gives one frame; silence while there is too little.
    pub(crate) fn read(&mut self, now: Instant, frame: &mut Frame) -> Flow {
        let follows = self.steer.on_beat(now);
        let level = self.steer.target() + FRAME_LEN;
        let mut available = self.ring.slots();
        if !self.flowing {
            if available < level {
                frame.fill(0.0);
                return Flow::Starved;
            }
            available = self.skip(available, level);
            self.resampler.reset();
            self.steer.restart_window();
            self.flowing = true;
        } else if available > level + EXCESS {
            available = self.skip(available, level);
            self.steer.restart_window();
        }

        self.resampler.set_ratio(self.steer.ratio());
        let needed = self.resampler.input_needed(FRAME_LEN);
        let produced = self.resample(needed.min(available), frame);
        if produced < FRAME_LEN {
            frame[produced..].fill(0.0);
            self.flowing = false;
            self.health.on_underrun();
            if follows {
                self.steer.on_underrun(now);
            }
            return Flow::Starved;
        }
        self.steer.observe(now, Some(available.saturating_sub(needed)));
        Flow::Live
    }

    fn resample(&mut self, input: usize, frame: &mut Frame) -> usize {
        let Ok(chunk) = self.ring.read_chunk(input) else { return 0 };
        let (first, second) = chunk.as_slices();
        let head = self.resampler.process(first, frame);
        let tail = self.resampler.process(second, &mut frame[head.produced..]);
        chunk.commit(head.consumed + tail.consumed);
        head.produced + tail.produced
    }

    /// Throws the oldest samples away until `keep` are left.
    fn skip(&mut self, available: usize, keep: usize) -> usize {
        let excess = available.saturating_sub(keep);
        let Ok(chunk) = self.ring.read_chunk(excess) else { return available };
        chunk.commit_all();
        self.health.on_skip(excess);
        available - excess
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn ring() -> (CaptureWriter, CaptureReader, Arc<Health>) {
        let health = Arc::new(Health::default());
        let (writer, reader) = capture_ring(Arc::clone(&health));
        (writer, reader, health)
    }

    #[test]
    fn nothing_comes_before_the_level_is_reached_and_then_the_oldest_sample_first() {
        let (mut writer, mut reader, _) = ring();
        let mut frame = [1.0; FRAME_LEN];
        let now = Instant::now();
        writer.write(&[0.5; 480]);
        assert_eq!(reader.read(now, &mut frame), Flow::Starved);
        assert!(frame.iter().all(|s| *s == 0.0));
        writer.write(&[0.5; 480]);
        assert_eq!(reader.read(now, &mut frame), Flow::Live);
        assert!((frame[100] - 0.5).abs() < 1e-3);
    }

    #[test]
    fn a_stalled_reader_comes_back_to_a_short_delay() {
        let (mut writer, mut reader, health) = ring();
        let mut frame = [0.0; FRAME_LEN];
        let mut now = Instant::now();
        for _ in 0..200 {
            writer.write(&[0.1; 480]);
        }
        assert!(health.skipped() > 0, "a full ring drops");
        reader.read(now, &mut frame);
        assert!(reader.ring.slots() <= 960, "{}", reader.ring.slots());
        for _ in 0..30 {
            writer.write(&[0.1; 480]);
        }
        now += Duration::from_millis(10);
        assert_eq!(reader.read(now, &mut frame), Flow::Live);
        assert!(reader.ring.slots() <= 960, "{}", reader.ring.slots());
    }

    #[test]
    fn an_underrun_gives_silence_refills_and_raises_the_level() {
        let (mut writer, mut reader, health) = ring();
        let mut frame = [0.0; FRAME_LEN];
        let mut now = Instant::now();
        writer.write(&[0.1; 960]);
        let flows: Vec<Flow> = (0..3)
            .map(|_| {
                now += Duration::from_millis(10);
                reader.read(now, &mut frame)
            })
            .collect();
        assert_eq!(flows[0], Flow::Live);
        assert_eq!(flows[2], Flow::Starved);
        assert_eq!(health.underruns(), 1);
        assert_eq!(reader.steer.target(), 720);
        writer.write(&[0.1; 960]);
        assert_eq!(reader.read(now, &mut frame), Flow::Starved, "still below the raised level");
        writer.write(&[0.1; 480]);
        assert_eq!(reader.read(now, &mut frame), Flow::Live);
    }

    #[test]
    fn bursts_of_40_ms_settle_without_loss() {
        let (mut writer, mut reader, _) = ring();
        let mut frame = [0.0; FRAME_LEN];
        let mut now = Instant::now();
        let mut starved_late = 0;
        for beat in 0..4_000 {
            now += Duration::from_millis(10);
            if beat % 4 == 0 {
                writer.write(&[0.1; 1_920]);
            }
            if reader.read(now, &mut frame) != Flow::Live && beat > 200 {
                starved_late += 1;
            }
        }
        assert_eq!(starved_late, 0);
        assert!(reader.ring.slots() < 3_400, "{}", reader.ring.slots());
    }
}
