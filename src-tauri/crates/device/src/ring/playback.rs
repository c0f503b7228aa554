//! From the audio thread to the speaker's callback.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use rtrb::{Consumer, Producer, RingBuffer};
use sidetone_media::{DriftResampler, FRAME_LEN, Frame};

use super::steer::Steer;
use super::{CAPACITY, EXCESS, Health};

/// One frame at the largest stretch of the drift resampler, with room to spare.
const STRETCHED: usize = FRAME_LEN + 32;
const UNSEEN: usize = usize::MAX;

/// Makes the two ends of one playback stream.
pub(crate) fn playback_ring(health: Arc<Health>) -> (PlaybackWriter, PlaybackReader) {
    let (producer, consumer) = RingBuffer::new(CAPACITY);
    let steer = Steer::new();
    let levels =
        Arc::new(Levels { target: AtomicUsize::new(steer.target()), lowest: AtomicUsize::new(UNSEEN) });
    let reader = PlaybackReader {
        ring: consumer,
        health: Arc::clone(&health),
        levels: Arc::clone(&levels),
        flowing: false,
    };
    let writer = PlaybackWriter {
        ring: producer,
        health,
        levels,
        resampler: DriftResampler::new(),
        steer,
        stretched: [0.0; STRETCHED],
        underruns: 0,
    };
    (writer, reader)
}

/// What the two ends tell each other.
struct Levels {
    /// Wanted low-water mark, set by the writer.
    target: AtomicUsize,
    /// Lowest fill after a callback since the writer last looked.
    lowest: AtomicUsize,
}

/// The audio thread's end.
pub(crate) struct PlaybackWriter {
    ring: Producer<f32>,
    health: Arc<Health>,
    levels: Arc<Levels>,
    resampler: DriftResampler,
    steer: Steer,
    stretched: [f32; STRETCHED],
    underruns: u64,
}

impl PlaybackWriter {
    /// Takes one frame. What finds no room is lost: the device has stopped.
    pub(crate) fn write(&mut self, now: Instant, frame: &Frame) {
        let follows = self.steer.on_beat(now);
        self.resampler.set_ratio(self.steer.ratio());
        let mut rest = &frame[..];
        while !rest.is_empty() {
            let done = self.resampler.process(rest, &mut self.stretched);
            let (_, lost) = self.ring.push_partial_slice(&self.stretched[..done.produced]);
            if !lost.is_empty() {
                self.health.on_skip(lost.len());
            }
            if done.consumed == 0 && done.produced == 0 {
                break;
            }
            rest = &rest[done.consumed..];
        }

        let underruns = self.health.underruns();
        if underruns != self.underruns {
            self.underruns = underruns;
            if follows {
                self.steer.on_underrun(now);
            } else {
                self.steer.restart_window();
            }
        } else {
            let lowest = self.levels.lowest.swap(UNSEEN, Ordering::Relaxed);
            self.steer.observe(now, (lowest != UNSEEN).then_some(lowest));
        }
        self.levels.target.store(self.steer.target(), Ordering::Relaxed);
    }
}

/// The callback's end.
pub(crate) struct PlaybackReader {
    ring: Consumer<f32>,
    health: Arc<Health>,
    levels: Arc<Levels>,
    /// False until the ring holds enough to begin, also again after it ran empty.
    flowing: bool,
}

impl PlaybackReader {
    /// Fills `samples` (mono, 48 kHz) from one callback; `wanted` samples are still to come in the same callback
    /// after these, so that a callback may be served in pieces.
    pub(crate) fn read(&mut self, samples: &mut [f32], still_to_come: usize) {
        let block = samples.len() + still_to_come;
        let level = block + self.levels.target.load(Ordering::Relaxed);
        let mut available = self.ring.slots();
        if !self.flowing {
            if available < level.min(CAPACITY) {
                samples.fill(0.0);
                return;
            }
            self.flowing = true;
            available = self.skip(available, level);
        } else if available > level + EXCESS {
            available = self.skip(available, level);
        }

        let (_, missing) = self.ring.pop_partial_slice(samples);
        if missing.is_empty() {
            if still_to_come == 0 {
                self.levels.lowest.fetch_min(available - samples.len(), Ordering::Relaxed);
            }
        } else {
            missing.fill(0.0);
            self.flowing = false;
            self.health.on_underrun();
        }
    }

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

    fn ring() -> (PlaybackWriter, PlaybackReader, Arc<Health>) {
        let health = Arc::new(Health::default());
        let (writer, reader) = playback_ring(Arc::clone(&health));
        (writer, reader, health)
    }

    #[test]
    fn a_callback_gets_silence_until_the_level_is_reached() {
        let (mut writer, mut reader, health) = ring();
        let mut block = [1.0; 480];
        let now = Instant::now();
        writer.write(now, &[0.5; FRAME_LEN]);
        reader.read(&mut block, 0);
        assert!(block.iter().all(|s| *s == 0.0));
        writer.write(now, &[0.5; FRAME_LEN]);
        writer.write(now, &[0.5; FRAME_LEN]);
        reader.read(&mut block, 0);
        assert!((block[400] - 0.5).abs() < 1e-3);
        assert_eq!(health.underruns(), 0);
    }

    #[test]
    fn a_device_that_stalls_for_two_seconds_adds_no_lasting_delay() {
        let (mut writer, mut reader, _) = ring();
        let mut now = Instant::now();
        for _ in 0..200 {
            now += Duration::from_millis(10);
            writer.write(now, &[0.1; FRAME_LEN]);
        }
        let mut block = [0.0; 480];
        reader.read(&mut block, 0);
        assert!(reader.ring.slots() <= 480, "{}", reader.ring.slots());
        now += Duration::from_millis(10);
        writer.write(now, &[0.1; FRAME_LEN]);
        assert!(reader.ring.slots() <= 960, "{}", reader.ring.slots());
    }

    #[test]
    fn bursts_and_drift_settle_without_underruns_at_a_bounded_delay() {
        for drift in [-200e-6, 200e-6] {
            let (mut writer, mut reader, health) = ring();
            let mut now = Instant::now();
            let mut owed = 0.0;
            let mut block = [0.0; 480];
            for beat in 0..12_000 {
                now += Duration::from_millis(10);
                writer.write(now, &[0.1; FRAME_LEN]);
                owed += 480.0 * (1.0 + drift);
                if beat % 3 == 0 {
                    while owed >= 480.0 {
                        reader.read(&mut block, 0);
                        owed -= 480.0;
                    }
                }
                if beat == 1_000 {
                    assert!(health.underruns() < 10);
                }
            }
            assert!(health.underruns() < 10, "drift {drift}: {}", health.underruns());
            assert!(reader.ring.slots() < 2_600, "drift {drift}: {}", reader.ring.slots());
        }
    }

    #[test]
    fn one_callback_may_be_served_in_pieces() {
        let (mut writer, mut reader, health) = ring();
        let mut now = Instant::now();
        let mut piece = [0.0; 480];
        for beat in 0..1_000 {
            now += Duration::from_millis(10);
            writer.write(now, &[0.1; FRAME_LEN]);
            if beat % 10 == 9 {
                for left in (0..10).rev() {
                    reader.read(&mut piece, left * 480);
                }
            }
        }
        assert!(health.underruns() <= 1, "{}", health.underruns());
    }
}
