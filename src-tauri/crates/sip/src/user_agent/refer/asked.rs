//! The transferee: REFER in, up to its response.

use std::time::{Duration, Instant};

use crate::message::{HeaderName, NameAddr, Request, Response, Scheme};
use crate::transaction::servers::ServerId;

use super::super::UserAgent;
use super::super::call::CallTimer;
use super::super::event::{CallEvent, CallId};
use super::super::hop::Hop;
use super::super::offered::{dialog_response, phrase};
use super::super::replaces::DialogName;
use super::report::Report;

/// A request other than INVITE has to be answered before its sender gives up (64*T1): who still thinks then gets 202 and decides by
/// NOTIFY.
const TIME_TO_THINK: Duration = Duration::from_secs(20);
/// How long reports may follow each other.
pub(super) const LIFE: Duration = Duration::from_secs(180);

/// The peer wants us to call somebody.
#[derive(Debug)]
pub(in super::super) struct ReferIn {
    /// not answered yet
    pub(super) request: Option<(ServerId, Request, Hop)>,
    pub(super) accepted: bool,
    /// the `id` of Event, where this is not the first REFER of its dialog (RFC 3515 section 2.4.6)
    pub(super) event_id: Option<u32>,
    /// the peer wants no reports (RFC 4488)
    pub(super) silent: bool,
    pub(super) in_flight: bool,
    pub(super) next: Option<Report>,
    /// what is in flight, and how often it was sent again
    pub(super) sent: Option<Report>,
    pub(super) repeats: u8,
}

impl ReferIn {
    /// The final report is on its way.
    fn is_over(&self) -> bool {
        self.sent.as_ref().is_some_and(Report::is_final)
    }
}

impl UserAgent {
    pub(in super::super) fn on_refer(&mut self, now: Instant, request: Request, hop: Hop, in_dialog: bool) {
        if !in_dialog {
            return self.respond_once(now, &request, hop, 403);
        }
        let Some(id) = self.enter_dialog(now, &request, hop) else { return };
        let Some(call) = self.calls.get(&id) else { return };
        if !call.is_up() || call.services.refer_in.as_ref().is_some_and(|asked| !asked.is_over()) {
            return self.respond_once(now, &request, hop, 491);
        }
        let (target, replaces) = match read_target(&request) {
            Ok(target) => target,
            Err(status) => return self.respond_once(now, &request, hop, status),
        };
        let by = request.headers.single(&HeaderName::REFERRED_BY).ok().flatten();
        let referred_by = by.and_then(|value| NameAddr::parse(value).ok());
        let refer_sub = request.headers.get(&HeaderName::REFER_SUB).unwrap_or_default();
        let silent = refer_sub.trim().to_ascii_lowercase().starts_with("false");
        let cseq = request.headers.cseq().map_or(0, |cseq| cseq.number);
        let Some(server) = self.start_server(&request, hop) else { return self.respond_full(&request, hop) };
        let Some(call) = self.calls.get_mut(&id) else { return };
        let is_first = !std::mem::replace(&mut call.services.was_referred, true);
        call.services.refer_in = Some(ReferIn {
            request: Some((server, request, hop)),
            accepted: false,
            event_id: (!is_first).then_some(cseq),
            silent,
            in_flight: call.services.refer_in.as_ref().is_some_and(|before| before.in_flight),
            next: None,
            sent: None,
            repeats: 0,
        });
        call.timers.set(CallTimer::ReferIn, now + TIME_TO_THINK);
        self.tell(id, CallEvent::ReferRequested { target: target.uri, replaces, referred_by });
        self.settle(id);
    }

    /// Takes the transfer on: 202, and a first report of 100. What comes of it is told by `notify_refer`. Whether there was one.
    pub fn accept_refer(&mut self, now: Instant, call: CallId) -> bool {
        let asked = self.calls.get_mut(&call).and_then(|call| call.services.refer_in.as_mut());
        let Some(asked) = asked.filter(|asked| !asked.accepted) else { return false };
        asked.accepted = true;
        self.respond_refer(now, call);
        self.report(now, call, 100, "");
        self.settle(call);
        true
    }

    /// Refuses the transfer with 300 to 699. Whether there was one to refuse.
    pub fn refuse_refer(&mut self, now: Instant, call: CallId, status: u16, reason: &str) -> bool {
        let status = if (300..700).contains(&status) { status } else { 603 };
        let Some(state) = self.calls.get_mut(&call) else { return false };
        let Some(asked) = state.services.refer_in.as_mut().filter(|asked| !asked.accepted) else {
            return false;
        };
        match asked.request.take() {
            Some((server, request, _)) => {
                state.services.refer_in = None;
                state.timers.stop(CallTimer::ReferIn);
                let mut response = Response::to(&request, status, None);
                response.reason = phrase(status, reason);
                self.send_response(now, server, response);
            }
            None => self.report(now, call, status, reason),
        }
        self.settle(call);
        true
    }

    /// The deadline of a transfer that we were asked for.
    pub(in super::super) fn on_refer_in_timer(&mut self, now: Instant, id: CallId) {
        let asked = self.calls.get(&id).and_then(|call| call.services.refer_in.as_ref());
        let Some(asked) = asked else { return };
        if asked.request.is_some() {
            self.respond_refer(now, id);
            self.report(now, id, 100, "");
        } else {
            self.report(now, id, 408, "");
        }
    }

    /// The call ends: a transfer that nobody has decided on is not.
    pub(in super::super) fn drop_refer(&mut self, now: Instant, id: CallId) {
        self.refuse_refer(now, id, 487, "");
    }

    fn respond_refer(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.timers.set(CallTimer::ReferIn, now + LIFE);
        let Some(asked) = &mut call.services.refer_in else { return };
        let Some((server, request, hop)) = asked.request.take() else { return };
        let mut response = dialog_response(&request, 202, &call.local_tag, &call.contact, &hop);
        if asked.silent {
            response.headers.push(HeaderName::REFER_SUB, "false");
        }
        self.send_response(now, server, response);
    }
}

/// Whom to call, and in place of which dialog; or the status to refuse with.
fn read_target(request: &Request) -> Result<(NameAddr, Option<DialogName>), u16> {
    let value = request.headers.single(&HeaderName::REFER_TO).map_err(|_| 400u16)?.ok_or(400u16)?;
    let mut target = NameAddr::parse(value).map_err(|_| 400u16)?;
    if matches!(target.uri.scheme, Scheme::Other(_)) {
        return Err(416);
    }
    if target.uri.params.get("method").is_some_and(|method| !method.eq_ignore_ascii_case("INVITE")) {
        return Err(403);
    }
    let replaces = DialogName::of_uri(&target.uri).map_err(|()| 400u16)?;
    target.uri.headers.clear();
    target.uri.params.remove("method");
    target.uri.password = None;
    Ok((target, replaces))
}
