//! A call moves to another local address: RFC 3261 sections 12.2 and 14.1.

use std::time::{Duration, Instant};

use super::UserAgent;
use super::call::CallTimer;
use super::change::{Change, OfferOut, Way, Wish};
use super::event::CallId;

/// Until the ACK that is on its way has come.
const BUSY: Duration = Duration::from_millis(500);

impl UserAgent {
    /// Our address has changed: looks the peer up again and tells it by a re-INVITE where we are now, whatever was under way from the
    /// old address. [`super::CallEvent::ReofferAnswered`] or [`super::CallEvent::ReofferFailed`] follows; the call ends only if the
    /// peer says that it knows none, so that this can be tried again until the network is there.
    pub fn relocate(&mut self, now: Instant, call: CallId, sdp: Vec<u8>) {
        let Some(state) = self.calls.get_mut(&call).filter(|call| call.is_up()) else { return };
        let ways = [state.flow.take(), state.known.take().map(|(_, hop)| hop)];
        // What is sent over a connection from an address that is gone is swallowed.
        for hop in ways.into_iter().flatten().filter(|hop| hop.transport.is_reliable()) {
            self.on_flow_dead(now, hop, "our address has changed");
        }
        let Some(state) = self.calls.get_mut(&call) else { return };
        state.services.queued = None;
        state.timers.stop(CallTimer::Glare);
        self.answer_in_ack(now, call, None);
        self.refuse_reoffer(now, call, 500, "");
        let change = Change::new(Way::Invite, Wish::Relocate, Some(sdp));
        let Some(state) = self.calls.get_mut(&call) else { return };
        if std::mem::take(&mut state.services.offer_out).is_refresh() {
            state.put_off_refresh(now);
        }
        if state.may_change() {
            self.send_change(now, call, change);
        } else {
            state.services.offer_out = OfferOut::Waiting(change);
            state.timers.set(CallTimer::Glare, now + BUSY);
        }
        self.settle(call);
    }
}
