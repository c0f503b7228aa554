//! Session timers: RFC 4028. Whoever refreshes does so by UPDATE where the peer takes it, otherwise by a re-INVITE with the SDP that
//! is in force; a session that nobody refreshes ends.

mod header;
mod refresh;

use std::time::{Duration, Instant};

use crate::message::{HeaderName, Headers, Method, Request, Response};

use super::UserAgent;
use super::call::{Call, CallTimer};
use super::event::CallId;
use super::headers;
use super::terms::Terms;
use header::{MAX, MIN, Refresher, SessionExpires, min_se};

/// How often a longer session may be asked of us before we give up.
const MAX_TOO_SMALL: u8 = 3;

/// What the two sides of a call have agreed on, and what the next request needs to know of it.
#[derive(Debug, Default)]
pub(super) struct Session {
    /// what we ask for in an INVITE
    wanted: Option<u32>,
    /// the longest Min-SE heard, where there was one
    min_se: Option<u32>,
    too_small: u8,
    pub(super) terms: Option<Terms>,
    agreed: Option<Agreed>,
    /// the peer's Allow has UPDATE
    pub(super) peer_updates: bool,
    /// the peer's Allow has INFO
    pub(super) peer_takes_info: bool,
    /// our SDP in force
    pub(super) local_sdp: Option<Vec<u8>>,
    /// the peer's SDP in force
    pub(super) remote_sdp: Option<Vec<u8>>,
}

#[derive(Debug, Clone, Copy)]
struct Agreed {
    seconds: u32,
    /// it is us who refreshes
    ours: bool,
}

impl Session {
    pub(super) fn wanting(length: Option<Duration>) -> Self {
        let seconds = |length: Duration| u32::try_from(length.as_secs()).unwrap_or(MAX).clamp(MIN, MAX);
        Self { wanted: length.map(seconds), ..Self::default() }
    }

    /// Of a call that came in.
    pub(super) fn offered(headers: &Headers, sdp: Option<Vec<u8>>) -> Self {
        let mut session = Self { remote_sdp: sdp, ..Self::default() };
        session.hear(headers);
        session
    }

    /// Takes note of what the peer says it can do.
    pub(super) fn hear(&mut self, headers: &Headers) {
        if headers.has(&HeaderName::ALLOW) {
            let methods = headers.allow().unwrap_or_default();
            let has = |wanted: Method| methods.iter().any(|method| method == wanted.as_str());
            (self.peer_updates, self.peer_takes_info) = (has(Method::Update), has(Method::Info));
        }
    }

    /// Writes what we want into an INVITE or UPDATE.
    pub(super) fn put_into(&self, request: &mut Request) {
        let wanted = match (self.agreed, self.wanted) {
            (Some(Agreed { seconds, ours }), _) => {
                let refresher = Some(if ours { Refresher::Uac } else { Refresher::Uas });
                Some(SessionExpires { seconds, refresher })
            }
            (None, Some(seconds)) => Some(SessionExpires { seconds, refresher: None }),
            (None, None) => None,
        };
        let Some(mut wanted) = wanted else { return };
        if let Some(min_se) = self.min_se {
            wanted.seconds = wanted.seconds.max(min_se);
            request.headers.set(HeaderName::MIN_SE, min_se);
        }
        request.headers.set(HeaderName::SESSION_EXPIRES, wanted);
    }

    /// A 422: whether the request may be sent again with what it asks for.
    pub(super) fn accept_min_se(&mut self, response: &Response) -> bool {
        self.too_small += 1;
        let asked = min_se(&response.headers);
        let is_more = asked > self.min_se.unwrap_or(0);
        self.min_se = Some(asked.max(self.min_se.unwrap_or(MIN)));
        is_more && self.too_small <= MAX_TOO_SMALL
    }
}

impl Call {
    fn start_session(&mut self, now: Instant, agreed: Option<Agreed>) {
        self.session.agreed = agreed;
        self.timers.stop(CallTimer::Refresh);
        self.timers.stop(CallTimer::Expired);
        let Some(Agreed { seconds, ours }) = agreed else { return };
        let length = Duration::from_secs(seconds.into());
        let margin = Duration::from_secs(32).min(length / 3);
        self.timers.set(CallTimer::Expired, now + length - margin);
        if ours {
            self.timers.set(CallTimer::Refresh, now + length / 2);
        }
    }
}

impl UserAgent {
    /// A 2xx of the peer to our INVITE or UPDATE.
    pub(super) fn hear_session(&mut self, now: Instant, id: CallId, response: &Response) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.session.hear(&response.headers);
        call.session.too_small = 0;
        let told = SessionExpires::of(&response.headers).ok().flatten();
        let agreed = told.map(|told| Agreed {
            // a peer that wants a session of seconds wants a flood
            seconds: told.seconds.max(MIN),
            ours: told.refresher != Some(Refresher::Uas),
        });
        call.start_session(now, agreed);
    }

    /// The refusal of an INVITE or UPDATE whose session is too short (422) or unreadable (400).
    pub(super) fn refuse_session(&self, request: &Request) -> Option<Response> {
        let asked = match SessionExpires::of(&request.headers) {
            Ok(asked) => asked?,
            Err(()) => return Some(Response::to(request, 400, None)),
        };
        let least = self.least_session();
        if asked.seconds >= least || !knows_timers(request) {
            return None;
        }
        let mut response = Response::to(request, 422, None);
        response.headers.push(HeaderName::MIN_SE, least);
        Some(response)
    }

    fn least_session(&self) -> u32 {
        u32::try_from(self.config.min_se.as_secs()).unwrap_or(MAX).clamp(MIN, MAX)
    }

    /// Agrees on a session in our 2xx to the peer's INVITE or UPDATE: RFC 4028 section 9.
    pub(super) fn agree_session(
        &mut self,
        now: Instant,
        id: CallId,
        request: &Request,
        response: &mut Response,
    ) {
        let least = self.least_session().max(min_se(&request.headers));
        let ours = self
            .terms_of(id)
            .session_expires
            .map(|length| u32::try_from(length.as_secs()).unwrap_or(MAX).clamp(MIN, MAX).max(least));
        let asked = SessionExpires::of(&request.headers).ok().flatten();
        let peer_knows = knows_timers(request);
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.session.hear(&request.headers);
        let wanted = match asked {
            Some(asked) => Some(ours.map_or(asked.seconds, |ours| ours.min(asked.seconds)).max(MIN)),
            None if peer_knows => call.session.agreed.map(|agreed| agreed.seconds).or(ours),
            None => None,
        };
        let asked_refresher = asked.and_then(|asked| asked.refresher);
        let refresher = match asked_refresher.filter(|_| peer_knows) {
            Some(refresher) => refresher,
            // roles stay as they are
            None if call.session.agreed.is_some_and(|agreed| agreed.ours) => Refresher::Uas,
            None if peer_knows => Refresher::Uac,
            None => Refresher::Uas,
        };
        let agreed = wanted.map(|seconds| Agreed { seconds, ours: refresher == Refresher::Uas });
        call.start_session(now, agreed);
        if let Some(Agreed { seconds, .. }) = agreed {
            let value = SessionExpires { seconds, refresher: Some(refresher) };
            response.headers.push(HeaderName::SESSION_EXPIRES, value);
            if refresher == Refresher::Uac {
                response.headers.push(HeaderName::REQUIRE, "timer");
            }
        }
    }
}

fn knows_timers(request: &Request) -> bool {
    headers::supports(&request.headers, "timer")
}
