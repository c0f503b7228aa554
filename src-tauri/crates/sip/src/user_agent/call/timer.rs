//! What a call waits for, and what follows when it does not come.

use std::time::Instant;

use super::super::UserAgent;
use super::super::event::{CallId, Side};
use super::State;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum CallTimer {
    /// repeat the 2xx that has no ACK yet
    Repeat,
    /// no ACK came for the 2xx
    NoAck,
    /// it has rung long enough
    Ring,
    /// repeat the provisional so that proxies do not time out (RFC 3261 section 13.3.1.1)
    Minute,
    /// try the re-INVITE or UPDATE again after 491, or send it after an ACK
    Glare,
    /// nobody answered the peer's offer
    OfferIn,
    /// nobody answered the offer in the peer's 2xx
    AckOwed,
    /// refresh the session
    Refresh,
    /// nobody refreshed the session
    Expired,
    /// our reliable provisional response has no PRACK
    Prack,
    /// our re-INVITE has no final response
    Change,
    /// the INVITE did not end after CANCEL (RFC 3261 section 9.1)
    Cancelled,
    /// our REFER waits until the ACK before it has come
    ReferSoon,
    /// no final report on our REFER
    ReferOut,
    /// the peer's REFER has no answer, or its outcome has not been told
    ReferIn,
}

impl UserAgent {
    pub(in super::super) fn on_call_timer(&mut self, now: Instant, id: CallId) {
        while let Some(timer) = self.calls.get_mut(&id).and_then(|call| call.timers.expired(now)) {
            match timer {
                CallTimer::Repeat => self.repeat_success(now, id),
                CallTimer::NoAck => self.on_no_ack(now, id),
                CallTimer::Ring => self.on_ring_limit(now, id),
                CallTimer::Minute => self.repeat_provisional(now, id),
                CallTimer::Glare => self.retry_change(now, id),
                CallTimer::OfferIn => self.on_offer_in_timer(now, id),
                CallTimer::AckOwed => {
                    self.refuse_in_ack(now, id, 504, "No answer to the peer's offer");
                }
                CallTimer::Prack => self.on_prack_timer(now, id),
                CallTimer::Change => self.give_up_change(now, id),
                CallTimer::Refresh => self.on_refresh_timer(now, id),
                CallTimer::Expired => self.on_session_expired(now, id),
                CallTimer::Cancelled => self.give_up_cancelled(id),
                CallTimer::ReferSoon => self.send_waiting_refer(now, id),
                CallTimer::ReferOut => self.on_refer_patience_over(id),
                CallTimer::ReferIn => self.on_refer_in_timer(now, id),
            }
        }
        self.settle(id);
    }

    fn on_ring_limit(&mut self, now: Instant, id: CallId) {
        match self.calls.get(&id).map(|call| &call.state) {
            Some(State::Calling(_)) => {
                self.tell_ended(id, 408, "No answer", Side::Network);
                self.cancel(now, id);
            }
            // an invitation that expires gets 487 (RFC 3261 section 13.3.1)
            Some(State::Offered(offered)) => {
                let status = if offered.expires { 487 } else { 480 };
                self.refuse_offered(now, id, status, "No answer");
                self.tell_ended(id, status, "No answer", Side::Network);
            }
            _ => {}
        }
    }
}
