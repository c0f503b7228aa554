//! A call outlives trouble: another address of this machine, a network that was away, a far end that went without a BYE.
//!
//! The way to each far end is looked at every two seconds, and more often while there are calls: asking the routing table costs a
//! system call, sends nothing, and is there on every platform. What lives on loopback is passed over, so that an idle engine sleeps.

use super::{Owner, call::Call};
use crate::io::names::local_address_towards;
use sidetone_api::{CallId, CallProblem, CallProblemKind, NoticeLevel, SessionId};
use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

const BETWEEN_LOOKS: Duration = Duration::from_secs(2);
/// The same in a call, whose sound is away meanwhile.
const BETWEEN_LOOKS_IN_A_CALL: Duration = Duration::from_millis(500);
/// Of silence, until the far end is asked whether it is there.
pub(super) const SILENCE: Duration = Duration::from_secs(10);
/// Between two such questions.
const BETWEEN_QUESTIONS: Duration = Duration::from_secs(60);
/// How long the answer may take before the user is told.
const PATIENCE: Duration = Duration::from_secs(5);

impl Call {
    /// The far end's address for media, where a route leads to it that may change.
    fn far_address(&self) -> Option<SocketAddr> {
        let negotiated =
            self.leg.as_ref().filter(|_| self.is_established() && !self.hung_up)?.negotiated()?;
        negotiated.remote.socket_addr().filter(|remote| !remote.ip().is_loopback())
    }

    fn is_reconnecting(&self) -> bool {
        self.problem.as_ref().is_some_and(|problem| problem.kind == CallProblemKind::Reconnecting)
    }
}

impl Owner {
    /// When the routes are looked at next; `None` where there is nothing to look at.
    pub(super) fn next_look(&self) -> Option<Instant> {
        let is_bound = self.phone.bind().is_some_and(|ip| !ip.is_unspecified());
        if is_bound {
            return None;
        }
        let mut calls = self.calls.values().filter(|call| call.far_address().is_some()).peekable();
        if calls.peek().is_some() {
            // The address that a call began with is news as soon as it changes.
            let is_new = calls.any(|call| call.route.is_none() && !call.is_reconnecting());
            return Some(if is_new { self.looked } else { self.looked + BETWEEN_LOOKS_IN_A_CALL });
        }
        if !self.stream_routes().is_empty() {
            return Some(self.looked + BETWEEN_LOOKS_IN_A_CALL);
        }
        let mut open = self.sessions.values().filter(|session| session.registration.is_some());
        open.any(|session| session.server.is_some_and(|server| !server.ip().is_loopback()))
            .then_some(self.looked + BETWEEN_LOOKS)
    }

    pub(super) fn look_at_routes(&mut self, now: Instant) {
        if self.next_look().is_none_or(|next| next > now) {
            return;
        }
        self.looked = now;
        let away = self.sessions.values().filter_map(|session| {
            let server = session.server.filter(|server| !server.ip().is_loopback())?;
            Some((session.id.clone(), server))
        });
        for (id, server) in away.collect::<Vec<_>>() {
            let address = local_address_towards(server, None).ok();
            self.on_session_address(&id, address);
        }
        for (id, remote) in self.stream_routes() {
            if let Ok(address) = local_address_towards(remote, None) {
                self.on_stream_address(&id, address);
            }
        }
        let calls = self.calls.values().filter_map(|call| Some((call.id.clone(), call.far_address()?)));
        for (id, remote) in calls.collect::<Vec<_>>() {
            match local_address_towards(remote, None) {
                Ok(address) => self.on_call_address(&id, address),
                Err(error) => self.lose_way(&id, &error.to_string()),
            }
        }
    }

    /// Registers anew from another address, and when the network is there again.
    fn on_session_address(&mut self, id: &SessionId, address: Option<IpAddr>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let before = session.address.replace(address);
        if let (Some(before), Some(now_at), Some(registration)) = (before, address, session.registration)
            && before != address
        {
            self.phone.ua.reregister_from(Instant::now(), registration, now_at);
        }
    }

    /// Moves the call where it is not where it was, or did not arrive yet.
    fn on_call_address(&mut self, id: &CallId, address: IpAddr) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let (may_ask, is_moving) = (call.may_ask(), call.is_reconnecting());
        // What the SDP names may be reached from elsewhere than where the signalling goes: only a change is news.
        let has_changed = call.route.replace(address).is_some_and(|before| before != address);
        let (Some(sip), Some(leg)) = (call.sip, call.leg.as_mut()) else { return };
        if leg.address().is_loopback() || !(has_changed || (is_moving && may_ask)) {
            return;
        }
        leg.move_to(address);
        let Some(offer) = call.offer_again() else { return };
        self.phone.ua.relocate(Instant::now(), sip, offer);
        let info = format!("this machine's address has changed to {address}; the call is being moved");
        self.set_problem(id, CallProblemKind::Reconnecting, &info);
    }

    fn lose_way(&mut self, id: &CallId, reason: &str) {
        let info = format!("the network is gone ({reason}); the call goes on when it comes back");
        self.set_problem(id, CallProblemKind::Reconnecting, &info);
    }

    fn set_problem(&mut self, id: &CallId, kind: CallProblemKind, info: &str) {
        let Some(call) = self.calls.get_mut(id) else { return };
        if call.problem.as_ref().is_some_and(|problem| problem.kind == kind) {
            return;
        }
        call.problem = Some(CallProblem { kind, info: info.into() });
        self.notice(NoticeLevel::Warning, info, Some(id));
        self.publish_call(id);
    }

    /// The far end has answered: it is there, and knows where we are.
    pub(super) fn end_trouble(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.due.gone = None;
        let ended = call.problem.take_if(|problem| {
            matches!(problem.kind, CallProblemKind::Reconnecting | CallProblemKind::PeerGone)
        });
        if ended.is_some() {
            self.notice(NoticeLevel::Info, "the far end is there again", Some(id));
            self.publish_call(id);
        }
    }

    /// Nothing has been heard for long: a re-INVITE asks whether the far end is there. One that is gone does not answer, one whose
    /// BYE was lost answers 481; either ends the call.
    pub(super) fn ask_whether_there(&mut self, id: &CallId, now: Instant) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.is_established()) else { return };
        call.due.probe = Some(now + BETWEEN_QUESTIONS);
        let Some(sip) = call.sip.filter(|_| call.may_ask()) else { return };
        let Some(offer) = call.offer_again() else { return };
        call.due.gone = Some(now + PATIENCE);
        self.phone.ua.reinvite(now, sip, offer);
    }

    pub(super) fn tell_gone(&mut self, id: &CallId) {
        let info = "the far end does not answer any more: hang up and call again, or wait";
        self.set_problem(id, CallProblemKind::PeerGone, info);
    }
}
