//! Early media: what the far end plays before it answers (RFC 3960).

use super::{super::Owner, Call};
use sidetone_api::{CallDirection, CallId, CallStatistics};

/// 199: this branch of a forked call has ended (RFC 6228).
const EARLY_DIALOG_TERMINATED: u16 = 199;
/// Measurements without a packet until what should be heard counts as silent.
const PATIENCE: u8 = 2;

#[derive(Debug, Default)]
pub(super) struct Early {
    /// The branch of the call whose media is played.
    branch: Option<usize>,
    /// Measurements since it is played, up to the first packet.
    silent: Option<u8>,
}

impl Call {
    /// Rings with sound of the far end, so that no tone of ours is needed.
    pub(super) fn is_heard_early(&self) -> bool {
        self.audible && self.early.silent.is_none_or(|measured| measured < PATIENCE)
    }

    fn is_early(&self) -> bool {
        self.direction == CallDirection::Outgoing && self.established_at.is_none() && !self.hung_up
    }
}

impl Owner {
    /// The branch that began to play last is heard: one before it that repeats itself does not take the sound back.
    pub(super) fn on_early_sdp(&mut self, id: &CallId, status: u16, sdp: Option<&[u8]>, branch: usize) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.is_early()) else { return };
        if status == EARLY_DIALOG_TERMINATED {
            if call.early.branch == Some(branch) {
                call.early = Early::default();
                call.audible = false;
                self.sound(id);
                self.update_tone();
            }
            return;
        }
        let is_newest = call.early.branch.is_none_or(|heard| branch >= heard);
        let (Some(sdp), Some(leg), true) = (sdp, call.leg.as_mut(), is_newest) else { return };
        if call.early.branch == Some(branch) && leg.is_in_force(sdp) {
            return;
        }
        match leg.accept(sdp, &self.media) {
            Ok(()) => {
                call.early = Early { branch: Some(branch), silent: Some(0) };
                self.hear_early(id);
            }
            // The final answer decides; early media that cannot be played is only missing.
            Err(refused) => tracing::debug!("early media: {}", refused.text),
        }
    }

    /// Plays what was agreed before the answer, where the far end sends anything.
    pub(super) fn hear_early(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.is_early()) else { return };
        call.audible = call.leg.as_ref().is_some_and(super::Leg::hears);
        self.sound(id);
        self.update_tone();
    }

    /// Some announce early media and send none: then the user hears that it rings.
    pub(in super::super) fn on_early_measured(&mut self, id: &CallId, statistics: &CallStatistics) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.is_early()) else { return };
        let Some(measured) = call.early.silent.filter(|_| call.audible) else { return };
        call.early.silent =
            if statistics.packets_received > 0 { None } else { Some(measured.saturating_add(1)) };
        self.update_tone();
    }
}
