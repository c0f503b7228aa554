//! Whether a microphone gives anything, and whether somebody speaks into it.

use crate::device::Flow;
use crate::frame::{FRAME_LEN, Frame};

/// From the lowest to the highest sample of a frame: less is nobody's noise, -90 dBFS.
const DEAD: f32 = 3.2e-5;
/// Frames of digital silence until it is told: 2.8 s, so that it is told within 3 s.
const PATIENCE: u32 = 280;
/// Some headsets give digital silence in each pause; once that was seen twice, 20 s of it are needed.
const GATED_PATIENCE: u32 = 2_000;
/// Digital silence that counts as such a pause: 200 ms to 2.5 s.
const GATED_PAUSE: std::ops::Range<u32> = 20..250;
const GATED_PAUSES: u32 = 2;
/// Frames of sound until it counts as alive again.
const RETURN: u32 = 5;

/// Looked back at for speech: 1.5 s.
const WINDOW: usize = 150;
/// Loud and soft frames of it that make it speech: a fan has no soft ones, a door or a keyboard few loud ones.
const LOUD: usize = 40;
const SOFT: usize = 15;
/// A loud frame is this far above the noise, and above this at all; a soft one so far below the loudest.
const ABOVE_NOISE_DB: f32 = 12.0;
const LOUD_DBFS: f32 = -50.0;
const BELOW_LOUDEST_DB: f32 = 12.0;
/// The noise is the lowest level seen, forgotten by so much a frame: 2 dB a second.
const NOISE_RISE_DB: f32 = 0.02;
/// Who has spoken is taken to speak for so long after it, in frames: 4 s.
const SPEAKING_HOLD: u32 = 400;

/// Watches one microphone, fed once a beat.
#[derive(Debug, Clone)]
pub struct MicrophoneWatch {
    dead: u32,
    alive: u32,
    pauses: u32,
    silent: bool,
    levels: [f32; WINDOW],
    next: usize,
    noise: f32,
    held: u32,
}

impl Default for MicrophoneWatch {
    fn default() -> Self {
        Self {
            dead: 0,
            alive: 0,
            pauses: 0,
            silent: false,
            levels: [-100.0; WINDOW],
            next: 0,
            noise: -40.0,
            held: 0,
        }
    }
}

impl MicrophoneWatch {
    /// One beat: what the microphone gave, and the same after processing, where its own loudspeaker is not heard.
    pub fn observe(&mut self, flow: Flow, raw: &Frame, processed: &Frame) {
        self.listen_for_life(flow, raw);
        self.listen_for_speech(processed);
    }

    /// It gives digital silence or nothing.
    pub fn is_silent(&self) -> bool {
        self.silent
    }

    /// Somebody speaks into it, or did within the last seconds.
    pub fn is_speaking(&self) -> bool {
        self.held > 0
    }

    fn listen_for_life(&mut self, flow: Flow, frame: &Frame) {
        let (low, high) =
            frame.iter().fold((f32::MAX, f32::MIN), |(low, high), s| (low.min(*s), high.max(*s)));
        // Not a number counts as dead.
        let lives = flow == Flow::Live && high - low > DEAD;
        if !lives {
            self.alive = 0;
            self.dead = self.dead.saturating_add(1);
            let patience = if self.pauses >= GATED_PAUSES { GATED_PATIENCE } else { PATIENCE };
            self.silent |= self.dead >= patience;
            return;
        }
        self.alive = self.alive.saturating_add(1);
        if self.alive == RETURN {
            self.pauses += u32::from(GATED_PAUSE.contains(&self.dead) && !self.silent);
            (self.dead, self.silent) = (0, false);
        }
    }

    fn listen_for_speech(&mut self, frame: &Frame) {
        let energy: f32 = frame.iter().map(|s| s * s).sum();
        let level = 10.0 * (energy / FRAME_LEN as f32).max(1e-10).log10();
        let level = if level.is_finite() { level } else { -100.0 };
        self.noise = (self.noise + NOISE_RISE_DB).min(level.max(-80.0));
        self.levels[self.next] = level;
        self.next = (self.next + 1) % WINDOW;
        self.held = self.held.saturating_sub(1);
        // Five times a second is often enough for a verdict.
        if !self.next.is_multiple_of(20) {
            return;
        }
        let threshold = (self.noise + ABOVE_NOISE_DB).max(LOUD_DBFS);
        let loudest = self.levels.iter().copied().fold(-100.0, f32::max);
        let loud = self.levels.iter().filter(|level| **level > threshold).count();
        let soft = self.levels.iter().filter(|level| **level < loudest - BELOW_LOUDEST_DB).count();
        if loud >= LOUD && soft >= SOFT {
            self.held = SPEAKING_HOLD;
        }
    }
}
