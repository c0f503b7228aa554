//! The refresh, and what happens without one: RFC 4028 section 10.

use std::time::{Duration, Instant};

use super::super::UserAgent;
use super::super::bye::Reason;
use super::super::call::{Call, CallTimer};
use super::super::change::{Change, Way};
use super::super::event::{CallId, Side};
use super::super::outcome::Outcome;

/// Until something else that is going on has ended.
const BUSY: Duration = Duration::from_secs(2);
/// After a refresh that nobody answered. The session goes on until it expires: the network may come back.
const AGAIN: Duration = Duration::from_secs(5);

impl Call {
    /// Another change takes the place of the refresh that was under way: if it fails, the session still has to be refreshed.
    pub(in super::super) fn put_off_refresh(&mut self, now: Instant) {
        self.timers.set(CallTimer::Refresh, now + BUSY);
    }
}

impl UserAgent {
    pub(in super::super) fn on_refresh_timer(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id).filter(|call| call.is_up()) else { return };
        if !call.may_change() {
            return call.put_off_refresh(now);
        }
        let local = call.session.local_sdp.clone();
        let change = match (call.session.peer_updates, local) {
            (false, Some(sdp)) => Change::refresh(Way::Invite, Some(sdp)),
            _ => Change::refresh(Way::Update, None),
        };
        self.send_change(now, id, change);
    }

    /// A refresh failed in a way that does not end the call.
    pub(in super::super) fn on_refresh_failure(
        &mut self,
        now: Instant,
        id: CallId,
        outcome: &Outcome,
        way: Way,
    ) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        match outcome {
            // it may be the method that the peer dislikes
            Outcome::Response(_) if way == Way::Update && call.session.local_sdp.is_some() => {
                call.session.peer_updates = false;
                self.on_refresh_timer(now, id);
            }
            _ => call.timers.set(CallTimer::Refresh, now + AGAIN),
        }
    }

    pub(in super::super) fn on_session_expired(&mut self, now: Instant, id: CallId) {
        if !self.calls.get(&id).is_some_and(|call| call.is_up()) {
            return;
        }
        let text = "Session expired";
        self.tell_ended(id, 408, text, Side::Network);
        self.say_bye(now, id, Some(Reason { code: 408, text: text.to_owned() }));
    }
}
