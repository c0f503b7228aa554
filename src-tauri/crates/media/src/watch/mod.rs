//! The truth about a call's sound: what is wrong with it, noticed within 3 s.
//!
//! Pure functions of frames and counters: time is passed in or is the number of frames.

mod arrival;
mod microphone;
mod reception;

use std::time::Instant;

use arrival::Arrival;
pub use arrival::FarReport;
pub use microphone::MicrophoneWatch;
use reception::Reception;

/// What is wrong, the gravest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum SoundProblem {
    /// The far end should send, and nothing comes.
    NothingReceived,
    /// The far end's reports say that nothing of ours arrives.
    NothingArrives,
    /// The microphone gives digital silence, or nothing.
    SilentMicrophone,
    /// We are muted, and speak.
    SpeakingWhileMuted,
}

/// A call's state and counters at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Observation {
    /// The microphone goes to this call: [`MicrophoneWatch::is_silent`], [`MicrophoneWatch::is_speaking`]. `None` while it
    /// does not, as on hold.
    pub microphone: Option<(bool, bool)>,
    pub muted: bool,
    /// By what was negotiated we send, and the far end does.
    pub sends: bool,
    pub receives: bool,
    /// RTP packets so far.
    pub packets_sent: u64,
    pub packets_received: u64,
    /// The last thing that came announced silence (comfort noise, discontinuous transmission), after which a far end may
    /// send nothing for long.
    pub announced_silence: bool,
    pub report: Option<FarReport>,
    /// Packets that the far end said it had sent, in its last sender report.
    pub far_sent: Option<u32>,
}

/// Watches one call. Look at it about ten times a second.
#[derive(Debug, Clone, Default)]
pub struct CallWatch {
    reception: Reception,
    arrival: Arrival,
    told: Option<SoundProblem>,
}

impl CallWatch {
    /// Looks; gives the new verdict where it has changed.
    pub fn observe(&mut self, now: Instant, seen: &Observation) -> Option<Option<SoundProblem>> {
        let lost = self.reception.observe(now, seen);
        let unheard = self.arrival.observe(now, seen);
        let speaks = seen.microphone.filter(|_| seen.sends);
        let verdict = if lost {
            Some(SoundProblem::NothingReceived)
        } else if unheard {
            Some(SoundProblem::NothingArrives)
        } else {
            match (speaks, seen.muted) {
                (Some((true, _)), false) => Some(SoundProblem::SilentMicrophone),
                (Some((_, true)), true) => Some(SoundProblem::SpeakingWhileMuted),
                _ => None,
            }
        };
        (verdict != self.told).then(|| {
            self.told = verdict;
            verdict
        })
    }

    /// The last verdict.
    pub fn problem(&self) -> Option<SoundProblem> {
        self.told
    }

    /// Media was agreed on anew: begin to wait from now on.
    pub fn restart(&mut self, now: Instant) {
        self.reception.restart(now);
        self.arrival.restart();
    }
}

#[cfg(test)]
mod tests;
