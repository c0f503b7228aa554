//! DTMF as the local pad sounds it, and in-band where no telephone-event is negotiated (ITU-T Q.23).

use super::call_progress::TwoTone;
use crate::device::{Flow, Source};
use crate::frame::Frame;

pub(super) const LOW: [f32; 4] = [697.0, 770.0, 852.0, 941.0];
pub(super) const HIGH: [f32; 4] = [1_209.0, 1_336.0, 1_477.0, 1_633.0];
pub(super) const PAD: [[char; 4]; 4] =
    [['1', '2', '3', 'A'], ['4', '5', '6', 'B'], ['7', '8', '9', 'C'], ['*', '0', '#', 'D']];

/// Each of the two sines; the sum peaks at -10.5 dBFS.
const AMPLITUDE: f32 = 0.15;
/// Digits that wait; more are refused.
const QUEUE: usize = 32;
/// Silence between digits, in frames (Q.24 asks for at least 40 ms).
const GAP_FRAMES: u32 = 7;

/// Sounds digits one after the other.
#[derive(Debug, Clone)]
pub struct DtmfPlayer {
    queue: [(u8, u32); QUEUE],
    first: usize,
    waiting: usize,
    voice: TwoTone,
    frames_left: u32,
    gap_left: u32,
}

impl Default for DtmfPlayer {
    fn default() -> Self {
        Self::new()
    }
}

impl DtmfPlayer {
    /// A player with nothing to say.
    pub fn new() -> Self {
        Self {
            queue: [(0, 0); QUEUE],
            first: 0,
            waiting: 0,
            voice: TwoTone::new([0.0; 2], 0.0),
            frames_left: 0,
            gap_left: 0,
        }
    }

    /// Queues `digit` (0-9, A-D, *, #) for `duration_ms`, rounded up to 10 ms and clamped to 40 ms to 5 s.
    /// False if it is no digit or 32 are waiting.
    pub fn press(&mut self, digit: char, duration_ms: u32) -> bool {
        let digit = digit.to_ascii_uppercase();
        let Some(key) = PAD.iter().flatten().position(|c| *c == digit) else { return false };
        if self.waiting == QUEUE {
            return false;
        }
        let frames = duration_ms.clamp(40, 5_000).div_ceil(10);
        self.queue[(self.first + self.waiting) % QUEUE] = (key as u8, frames);
        self.waiting += 1;
        true
    }

    /// True until the last digit and the gap after it are over.
    pub fn is_sounding(&self) -> bool {
        self.waiting > 0 || self.frames_left > 0 || self.gap_left > 0
    }

    /// Adds 10 ms to `frame`; false if there was nothing to add.
    pub fn add(&mut self, frame: &mut Frame) -> bool {
        if self.frames_left == 0 && self.gap_left > 0 {
            self.gap_left -= 1;
            return true;
        }
        if self.frames_left == 0 {
            if self.waiting == 0 {
                return false;
            }
            let (key, frames) = self.queue[self.first];
            self.first = (self.first + 1) % QUEUE;
            self.waiting -= 1;
            let (row, column) = (usize::from(key) / 4, usize::from(key) % 4);
            self.voice = TwoTone::new([LOW[row], HIGH[column]], AMPLITUDE);
            self.frames_left = frames;
        }
        self.frames_left -= 1;
        self.voice.add(frame, self.frames_left == 0);
        if self.frames_left == 0 {
            self.gap_left = GAP_FRAMES;
        }
        true
    }
}

impl Source for DtmfPlayer {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        frame.fill(0.0);
        if self.add(frame) { Flow::Live } else { Flow::Ended }
    }

    fn is_microphone(&self) -> bool {
        false
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SILENCE;

    fn power(signal: &[f32], hz: f32) -> f32 {
        let (mut re, mut im) = (0.0, 0.0);
        for (n, s) in signal.iter().enumerate() {
            let angle = std::f32::consts::TAU * hz * n as f32 / 48_000.0;
            re += s * angle.cos();
            im += s * angle.sin();
        }
        (re * re + im * im).sqrt() * 2.0 / signal.len() as f32
    }

    #[test]
    fn each_digit_has_its_two_frequencies_and_no_other() {
        for (row, keys) in PAD.iter().enumerate() {
            for (column, key) in keys.iter().enumerate() {
                let mut player = DtmfPlayer::new();
                assert!(player.press(*key, 100));
                let mut signal = Vec::new();
                let mut frame = SILENCE;
                for _ in 0..10 {
                    assert_eq!(player.read(&mut frame), Flow::Live);
                    signal.extend_from_slice(&frame);
                }
                for (n, hz) in LOW.iter().chain(&HIGH).enumerate() {
                    let expected = n == row || n == column + 4;
                    let level = power(&signal, *hz);
                    assert_eq!(level > 0.1, expected, "{key}: {hz} Hz at {level}");
                    assert!(expected || level < 0.02, "{key}: {hz} Hz at {level}");
                }
            }
        }
    }

    #[test]
    fn digits_queue_with_gaps_and_a_full_queue_refuses() {
        let mut player = DtmfPlayer::new();
        assert!(!player.press('x', 100));
        assert!(!player.press('é', 100));
        for _ in 0..QUEUE {
            assert!(player.press('5', 40));
        }
        assert!(!player.press('5', 40));
        let mut frame = SILENCE;
        let mut frames = 0;
        while player.read(&mut frame) == Flow::Live {
            frames += 1;
        }
        assert_eq!(frames, QUEUE as u32 * (4 + GAP_FRAMES));
        assert!(!player.is_sounding());
    }
}
