//! Hold: by re-INVITE (RFC 3264 section 8.4), one at a time in a call. Whoever begins to speak in one call holds the others,
//! so that one microphone is heard by one party, or by one conference.

use super::super::{Owner, leg::Leg};
use super::Call;
use crate::{
    hooks::{Fields, Hook},
    io::media::Join,
};
use sidetone_api::{CallDirection, CallId, CallStatus, Failure, NoticeLevel, Reply, SignallingView};
use sidetone_sip::{Cause, Side};
use std::time::{Duration, Instant};

const REQUEST_PENDING: u16 = 491;
/// Until a change that met another one is asked for again.
const PAUSE: Duration = Duration::from_millis(500);

/// Our side's hold of a call.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Hold {
    /// What the user wants. What is agreed, the leg knows.
    pub(super) wanted: bool,
    /// A re-INVITE of ours is under way.
    pub(super) asking: bool,
    /// When it is asked for again.
    pub(super) again: Option<Instant>,
    /// What a Web Call Server was told last.
    pub(super) told: bool,
}

impl Call {
    /// We hold it, or shall when it is answered.
    pub(in super::super) fn is_held_here(&self) -> bool {
        self.hold.wanted
    }

    /// The far end holds it.
    pub(in super::super) fn is_held_there(&self) -> bool {
        self.leg.as_ref().is_some_and(Leg::is_held)
    }

    /// The far end knows that we hold it.
    pub(super) fn is_hold_agreed(&self) -> bool {
        self.leg.as_ref().is_some_and(Leg::holds)
    }

    /// Is held from its answer on.
    pub(super) fn hold_from_answer(&mut self, held: bool) {
        self.hold.wanted = held;
    }

    /// Another far end, reached over another hop: nothing has been asked of it, what was wrong with the last one is over, what the
    /// user wants stays.
    pub(in super::super) fn begin_again(&mut self, signalling: SignallingView) {
        self.hold = Hold { wanted: self.hold.wanted, ..Hold::default() };
        (self.joined, self.prepared, self.asked, self.successor) = (None, None, None, None);
        (self.statistics, self.problem, self.route) = (None, None, None);
        (self.due.probe, self.due.gone) = (None, None);
        self.signalling = Some(signalling);
    }

    /// May be held: it is answered, or will be by the far end.
    fn can_be_held(&self) -> bool {
        !self.hung_up
            && self.successor.is_none()
            && (self.is_established() || self.direction == CallDirection::Outgoing)
    }

    /// Waits for nothing that was asked of the far end about holding.
    pub(in super::super) fn is_hold_settled(&self) -> bool {
        !self.hold.asking && self.hold.again.is_none()
    }

    /// Whom the microphone and the speaker are for.
    pub(in super::super) fn is_active(&self) -> bool {
        self.is_established() && !self.hold.wanted && !self.hung_up && self.successor.is_none()
    }
}

impl Owner {
    /// Holds a call; one that the far end has yet to answer is held from its answer on. A conference is held as a whole.
    pub(in super::super) fn hold(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        if !call.can_be_held() {
            return Err(super::wrong_state("only a call that has been answered can be held"));
        }
        let call = id.clone();
        self.gate_call(Hook::Hold, id, Fields::new(), move |owner, _| {
            // It may have ended, or left the conference, meanwhile.
            if owner.calls.get(&call).is_some_and(Call::can_be_held) {
                for call in owner.together_with(&call) {
                    owner.want_hold(&call, true);
                }
            }
            Ok(Reply::Done)
        })
    }

    /// Goes on with a held call; the others are held.
    pub(in super::super) fn unhold(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        let (can_be, is_held) = (call.can_be_held(), call.is_held_here());
        let was_asked = self.withdraw(Hook::Hold, id.as_str());
        if !can_be || !(is_held || was_asked) {
            return Err(super::wrong_state("this call is not held here"));
        }
        self.tell_of_call(Hook::Unhold, id);
        self.go_on_with(id);
        Ok(Reply::Done)
    }

    /// Holds every other call, where the backend lets it, and goes on with this one.
    pub(in super::super) fn swap(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        if !call.can_be_held() {
            return Err(super::wrong_state("only a call that has been answered can be spoken in"));
        }
        let is_held = call.is_held_here();
        self.withdraw(Hook::Hold, id.as_str());
        let together = self.together_with(id);
        if let Some(other) = self.others(id, &together).into_iter().next() {
            let call = id.clone();
            return self.hold_for(&other, move |owner| owner.swap(&call));
        }
        if is_held {
            self.tell_of_call(Hook::Unhold, id);
        }
        self.go_on_with(id);
        Ok(Reply::Done)
    }

    /// Holds a call, where the backend lets it, and then goes on.
    pub(in super::super) fn hold_for(
        &mut self,
        id: &CallId,
        then: impl FnOnce(&mut Self) -> Result<Reply, Failure> + 'static,
    ) -> Result<Reply, Failure> {
        let call = id.clone();
        self.gate_call(Hook::Hold, id, Fields::new(), move |owner, _| {
            for call in owner.together_with(&call) {
                owner.want_hold(&call, true);
            }
            then(owner)
        })
    }

    fn go_on_with(&mut self, id: &CallId) {
        self.hold_others(id);
        for call in self.together_with(id) {
            self.want_hold(&call, false);
        }
    }

    /// The call itself, and those of the conference where it is in it.
    fn together_with(&self, id: &CallId) -> Vec<CallId> {
        let in_conference = self.calls.get(id).is_some_and(|call| call.in_conference);
        let is_meant = |call: &&Call| call.id == *id || (in_conference && call.in_conference);
        self.calls.values().filter(is_meant).map(|call| call.id.clone()).collect()
    }

    /// Holds what does not belong to this call. An engine that answers many callers at once does not.
    pub(in super::super) fn hold_others(&mut self, id: &CallId) {
        let together = self.together_with(id);
        let others = self.others(id, &together);
        for other in others {
            self.want_hold(&other, true);
        }
    }

    /// Those that are spoken with now, and not when this one, with `together`, is.
    pub(in super::super) fn others(&self, id: &CallId, together: &[CallId]) -> Vec<CallId> {
        if !self.one_at_a_time || self.calls.get(id).is_some_and(|call| !call.is_ours()) {
            return Vec::new();
        }
        let is_other = |call: &&Call| {
            call.is_ours()
                && !call.in_room
                && !together.contains(&call.id)
                && call.can_be_held()
                && !call.hold.wanted
        };
        self.calls.values().filter(is_other).map(|call| call.id.clone()).collect()
    }

    /// What we want of a call from now on. Our own sound stops at once, whatever the far end says.
    pub(in super::super) fn want_hold(&mut self, id: &CallId, held: bool) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.hold.wanted != held {
            call.hold.wanted = held;
            call.hold.again = None;
            self.sound(id);
            self.on_video_agreed(id);
            self.ask_hold(id);
        }
        self.show_hold(id);
    }

    /// Sends the re-INVITE where the far end does not know yet what we want.
    pub(in super::super) fn ask_hold(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.is_established() && !call.hung_up) else {
            return;
        };
        if call.at_server.is_some() {
            return self.ask_server_to_hold(id);
        }
        let (Some(sip), Some(leg)) = (call.sip, call.leg.as_mut()) else { return };
        leg.hold(call.hold.wanted);
        let is_told = leg.holds() == call.hold.wanted && !leg.is_video_due();
        let is_busy = call.hold.asking || call.hold.again.is_some() || call.waiting.is_some();
        if is_busy || is_told || self.gather_for_reoffer(id) {
            return;
        }
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(leg) = call.leg.as_mut() else { return };
        call.hold.asking = true;
        let offer = leg.offer();
        self.phone.ua.reinvite(Instant::now(), sip, offer);
    }

    /// An offer or answer has been exchanged: it may have settled the hold, or left the next to do.
    pub(super) fn on_agreed(&mut self, id: &CallId, by_our_offer: bool) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.hold.asking &= !by_our_offer;
        if by_our_offer {
            self.end_trouble(id);
        }
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.is_hold_agreed() == call.hold.wanted {
            call.hold.again = None;
        }
        self.sound(id);
        self.renew_video(id);
        self.on_video_agreed(id);
        self.ask_hold(id);
        self.show_hold(id);
        self.go_on_with_transfer(id);
    }

    /// The far end refused our offer: the call is what it was, and the user is told why.
    pub(super) fn on_reoffer_failed(&mut self, id: &CallId, cause: &Cause) {
        let is_other = |other: &Call| other.id != *id && other.is_ours() && other.is_active();
        let others_speak = self.calls.values().any(is_other);
        let Some(call) = self.calls.get_mut(id) else { return };
        if !std::mem::take(&mut call.hold.asking) {
            // The far end's own: nothing is left to be answered.
            if call.waiting.take_if(|waiting| waiting.is_for_reoffer()).is_some() {
                call.due.gather = None;
                self.ask_hold(id);
            }
            return;
        }
        if cause.code == REQUEST_PENDING && cause.by == Side::Local {
            call.hold.again = Some(Instant::now() + PAUSE);
            if let Some(leg) = call.leg.as_mut() {
                leg.untell_video();
            }
            return;
        }
        let Some(leg) = call.leg.as_mut() else { return };
        let (wanted, agreed) = (call.hold.wanted, leg.holds());
        if leg.take_back_video(&cause.to_string()) {
            let info = format!("the far end refused the video: {cause}");
            self.notice(NoticeLevel::Warning, &info, Some(id));
            self.on_video_agreed(id);
        }
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(leg) = call.leg.as_mut() else { return };
        if wanted == agreed {
            // What was asked for is not wanted any more, or was only said again.
            return self.go_on_with_transfer(id);
        }
        let info = match wanted {
            // Our sound stays where it is: with somebody else.
            true if others_speak => {
                format!("the far end does not take the hold ({cause}); it hears nothing of you")
            }
            true => format!("the far end refused the hold: {cause}"),
            false => format!("the far end refused to be resumed: {cause}"),
        };
        if !(wanted && others_speak) {
            call.hold.wanted = agreed;
        }
        leg.hold(agreed);
        self.sound(id);
        self.notice(NoticeLevel::Warning, &info, Some(id));
        self.show_hold(id);
        self.go_on_with_transfer(id);
    }

    /// When a change is asked for again at the earliest.
    pub(in super::super) fn next_hold(&self) -> Option<Instant> {
        self.calls.values().filter_map(|call| call.hold.again).min()
    }

    pub(in super::super) fn ask_holds_again(&mut self, now: Instant) {
        let is_due = |call: &&mut Call| call.hold.again.is_some_and(|again| again <= now);
        let due: Vec<_> = self
            .calls
            .values_mut()
            .filter(is_due)
            .map(|call| {
                call.hold.again = None;
                call.id.clone()
            })
            .collect();
        for call in due {
            self.ask_hold(&call);
            self.go_on_with_transfer(&call);
        }
    }

    /// HOLD while either side wants no media, ESTABLISHED again when nobody holds.
    pub(in super::super) fn show_hold(&mut self, id: &CallId) {
        let Some(call) = self.calls.get(id) else { return };
        if !call.is_established() {
            return self.publish_call(id);
        }
        let (local, remote) = (call.holds_locally(), call.is_held_there());
        let info = match (local, remote) {
            (true, true) => "held by both sides",
            (true, false) => "held here",
            (false, true) => "held by the far end",
            (false, false) => "resumed",
        };
        match (local || remote, call.status) {
            (true, _) => self.set_status(id, CallStatus::Hold, info),
            (false, CallStatus::Hold) => self.set_status(id, CallStatus::Established, info),
            _ => self.publish_call(id),
        }
    }

    /// Joins the media of a call to what it is for now.
    pub(in super::super) fn sound(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let join = call.join();
        if !call.is_ours() {
            return self.sound_for_client(id, join);
        }
        let Some(leg) = &call.leg else { return };
        if call.joined != Some(join) {
            call.joined = Some(join);
            leg.join(join, &self.media);
        }
    }
}

impl Call {
    /// No offer of ours is under way.
    pub(in super::super) fn may_ask(&self) -> bool {
        !self.hold.asking && self.hold.again.is_none() && !self.hung_up
    }

    /// What we said last, to be said again.
    pub(in super::super) fn offer_again(&mut self) -> Option<Vec<u8>> {
        let leg = self.leg.as_mut()?;
        leg.hold(self.hold.wanted);
        self.hold.asking = true;
        self.hold.again = None;
        Some(leg.offer())
    }

    /// Held by us as far as anybody can tell: agreed, or kept from our sound although the far end would not have it.
    pub(super) fn holds_locally(&self) -> bool {
        self.is_hold_agreed() || (self.hold.wanted && !self.hold.asking && self.hold.again.is_none())
    }

    fn join(&self) -> Join {
        match () {
            () if self.hung_up || !self.audible => Join::Nothing,
            // Who wants us to call somebody else has left the conversation.
            () if self.successor.is_some() => Join::Nothing,
            () if self.hold.wanted || self.is_hold_agreed() => Join::Hold,
            // What one who holds us plays is not for the others.
            () if self.in_conference && self.is_held_there() => Join::Nothing,
            () if self.in_room && self.is_held_there() => Join::Nothing,
            () if self.in_room => Join::Room,
            () if self.in_conference => Join::Conference,
            () => Join::Devices,
        }
    }
}
