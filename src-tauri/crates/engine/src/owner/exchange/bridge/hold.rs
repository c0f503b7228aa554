//! Hold goes through a bridge: who is not listened to by one side is told so at the other.

use super::super::{super::Owner, super::leg::VideoWish, Role};
use sidetone_sip::{CallId, Cause};
use std::time::{Duration, Instant};

const REQUEST_PENDING: u16 = 491;
const PAUSE: Duration = Duration::from_millis(500);

impl Owner {
    /// `call` may hold, or no longer hold, the other end of its bridge: the other end gets a re-INVITE where that is news.
    pub(in super::super) fn pass_hold(&mut self, call: CallId) {
        let Some(Role::Caller(id) | Role::Callee(id)) = self.exchange.calls.get(&call) else { return };
        let Some(bridge) = self.exchange.bridges.get_mut(id) else { return };
        let Some(end) = bridge.end(call) else { return };
        let (held, is_seen) = (end.leg.is_held(), end.leg.agreed_video().is_some());
        let Some(other) = bridge.opposite(call).filter(|other| !other.reoffering) else { return };
        if !is_seen && other.leg.agreed_video().is_some() {
            other.leg.want_video(VideoWish::Off);
        }
        if other.told_held == held && !(other.leg.agreed_video().is_some() && other.leg.is_video_due()) {
            return;
        }
        other.told_held = held;
        other.reoffering = true;
        other.leg.hold(held);
        let offer = other.leg.offer();
        if let Some(agent) = &mut self.exchange.agent {
            agent.ua.reinvite(Instant::now(), other.call, offer);
        }
    }

    pub(in super::super::super) fn pass_holds_again(&mut self, now: Instant) {
        let due = |(again, _): &mut (Instant, CallId)| *again <= now;
        for (_, call) in self.exchange.untold.extract_if(.., due).collect::<Vec<_>>() {
            self.on_hold_passed(call, None);
        }
    }

    /// The re-INVITE of ours has been answered or refused; meanwhile the other side may have changed its mind.
    pub(in super::super) fn on_hold_passed(&mut self, call: CallId, refused: Option<&Cause>) {
        let Some(Role::Caller(id) | Role::Callee(id)) = self.exchange.calls.get(&call) else { return };
        let Some(bridge) = self.exchange.bridges.get_mut(id) else { return };
        let Some(end) = bridge.end(call) else { return };
        end.reoffering = false;
        let why_not = refused.map(ToString::to_string);
        if self.answer_with_video(call, why_not.as_deref()) {
            return self.pass_back(call);
        }
        let Some(Role::Caller(id) | Role::Callee(id)) = self.exchange.calls.get(&call) else { return };
        let Some(end) = self.exchange.bridges.get_mut(id).and_then(|bridge| bridge.end(call)) else { return };
        if refused.is_some_and(|cause| cause.code == REQUEST_PENDING) {
            // An offer or answer of its own was under way.
            end.told_held = !end.told_held;
            end.leg.hold(end.told_held);
            return self.exchange.untold.push((Instant::now() + PAUSE, call));
        }
        self.pass_back(call);
    }

    /// What the other end of the bridge has meanwhile made up its mind to.
    fn pass_back(&mut self, call: CallId) {
        let Some(Role::Caller(id) | Role::Callee(id)) = self.exchange.calls.get(&call) else { return };
        let other = self.exchange.bridges.get_mut(id).and_then(|bridge| bridge.opposite(call));
        if let Some(other) = other.map(|other| other.call) {
            self.pass_hold(other);
        }
    }
}
