//! INVITE in, up to its final response: RFC 3261 section 13.3.

use std::time::{Duration, Instant};

use crate::dialog::Dialog;
use crate::message::{HeaderName, Request, Response};
use crate::transaction::servers::ServerId;

use super::UserAgent;
use super::call::{Call, CallTimer, Offered, State};
use super::event::{CallId, Event, Side};
use super::headers::{self, Contact};
use super::hop::{Hop, Transport};
use super::session::Session;

const MINUTE: Duration = Duration::from_secs(60);

impl UserAgent {
    pub(super) fn on_invite(&mut self, now: Instant, request: Request, hop: Hop) {
        let registration = self.registration_called(&request.uri);
        let authenticated = match self.authenticate_invite(now, &request, hop, registration.is_some()) {
            Ok(user) => user,
            Err(()) => return,
        };
        if let Err(status) = Self::check_body(&request) {
            return self.respond_once(now, &request, hop, status);
        }
        if self.is_full() {
            return self.respond_full(&request, hop);
        }
        if let Some(refusal) = self.refuse_unreliable(&request).or_else(|| self.refuse_session(&request)) {
            return self.respond_with(now, &request, hop, refusal);
        }
        let replaces = match self.replaced_by(&request) {
            Ok(replaces) => replaces,
            Err(status) => return self.respond_once(now, &request, hop, status),
        };
        let local_tag = self.random.token();
        let (Ok(dialog), Ok(from), Ok(to)) =
            (Dialog::of_uas(&request, &local_tag), request.headers.from(), request.headers.to())
        else {
            return self.respond_once(now, &request, hop, 400);
        };
        let Some(server) = self.start_server(&request, hop) else { return self.respond_full(&request, hop) };
        let id = CallId(self.new_id());
        if let Some(server) = self.servers.get_mut(server) {
            server.call = Some(id);
        }
        self.send_response(now, server, Response::to(&request, 100, None));
        let sip_id = dialog.id.call_id.clone();
        self.dialogs.insert((sip_id.clone(), local_tag.clone()), id);
        let flow = self.reply_flow(&request, &dialog, hop);
        let offer = headers::sdp(&request.headers, &request.body);
        let session = Session::offered(&request.headers, offer.clone());
        let event = Event::Incoming {
            call: id,
            from,
            to,
            request_uri: request.uri.clone(),
            headers: request.headers.clone(),
            offer,
            hop,
            authenticated,
            registration,
            replaces,
        };
        let wanted =
            request.headers.expires().ok().flatten().map(|seconds| Duration::from_secs(seconds.into()));
        let expires = wanted.filter(|wanted| *wanted < self.config.ring_limit);
        let contact = self.contact_called(&request.uri, registration);
        let state = State::Offered(Offered {
            server,
            request,
            dialog,
            hop,
            expires: expires.is_some(),
            answered: false,
            last_status: 180,
        });
        let mut call =
            Call { authority: hop.authority, flow, ..Call::new(sip_id, local_tag, contact, state, session) };
        call.timers.set(CallTimer::Ring, now + expires.unwrap_or(self.config.ring_limit));
        self.calls.insert(id, call);
        self.emit(event);
        self.settle(id);
    }

    /// The way back to a caller whose Contact may lead nowhere: it came straight to us, over a connection or from behind a NAT.
    fn reply_flow(&self, request: &Request, dialog: &Dialog, hop: Hop) -> Option<Hop> {
        let is_direct = dialog.route_set.is_empty() && request.headers.via().is_ok_and(|via| via.len() == 1);
        let is_bound = self.registrar.as_ref().is_some_and(|registrar| registrar.has_flow(&hop));
        let behind_nat = dialog.remote_target.host.ip() != Some(hop.remote.ip());
        (is_direct && (is_bound || hop.transport != Transport::Udp || behind_nat)).then_some(hop)
    }

    /// Tells the caller that we ring (180).
    pub fn ring(&mut self, now: Instant, call: CallId) {
        self.progress(now, call, 180, None);
    }

    /// Sends 180 or 183 (or another of 101 to 199), with SDP where there is early media: reliably where the caller wants or can do
    /// that (RFC 3262). What has been answered or offered so is not repeated in the 2xx: the SDP given to `answer` is then not sent.
    pub fn progress(&mut self, now: Instant, call: CallId, status: u16, sdp: Option<Vec<u8>>) {
        let Some(state) = self.calls.get_mut(&call) else { return };
        let State::Offered(offered) = &mut state.state else { return };
        if !(101..200).contains(&status) {
            return;
        }
        state.timers.set(CallTimer::Minute, now + MINUTE);
        offered.last_status = status;
        let Err(sdp) = self.progress_reliably(now, call, status, sdp) else { return self.settle(call) };
        let Some(state) = self.calls.get_mut(&call) else { return };
        let State::Offered(offered) = &state.state else { return };
        let mut response =
            dialog_response(&offered.request, status, &state.local_tag, &state.contact, &offered.hop);
        if let Some(sdp) = sdp {
            state.session.local_sdp = Some(sdp.clone());
            response.set_body(headers::SDP, sdp);
        }
        let server = offered.server;
        self.send_response(now, server, response);
        self.settle(call);
    }

    pub(super) fn repeat_provisional(&mut self, now: Instant, id: CallId) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Offered(offered) = &call.state else { return };
        if call.services.reliable.is_some() {
            // one with a number of its own (RFC 3262 section 3)
            let status = offered.last_status;
            return self.progress(now, id, status, None);
        }
        call.timers.set(CallTimer::Minute, now + MINUTE);
        let Some(server) = self.servers.get(offered.server) else { return };
        let (hop, bytes) = (server.hop, server.last_response().to_vec());
        self.transmit(hop, bytes);
    }

    /// Refuses the pending INVITE or re-INVITE with a final response of 300 to 699.
    pub fn reject(&mut self, now: Instant, call: CallId, status: u16, reason: &str) {
        let status = if (300..700).contains(&status) { status } else { 480 };
        if self.refuse_in_ack(now, call, status, &phrase(status, reason)) {
            return self.settle(call);
        }
        if self.refuse_reoffer(now, call, status, reason) {
            self.after_prack(now, call);
            return self.settle(call);
        }
        if let Some(State::Offered(_)) = self.calls.get(&call).map(|call| &call.state) {
            self.refuse_offered(now, call, status, reason);
            self.tell_ended(call, status, phrase(status, reason), Side::Local);
        }
        self.settle(call);
    }

    /// Sends the final non-2xx to the peer's INVITE; the call is then over.
    pub(super) fn refuse_offered(&mut self, now: Instant, id: CallId, status: u16, reason: &str) {
        self.refuse_offered_with(now, id, status, reason, &[]);
    }

    pub(super) fn refuse_offered_with(
        &mut self,
        now: Instant,
        id: CallId,
        status: u16,
        reason: &str,
        fields: &[(HeaderName, String)],
    ) {
        self.refuse_reoffer(now, id, 487, "");
        let Some(call) = self.calls.get_mut(&id) else { return };
        let State::Offered(offered) = &call.state else { return };
        let mut response = Response::to(&offered.request, status, Some(&call.local_tag));
        response.reason = phrase(status, reason);
        for (name, value) in fields {
            response.headers.push(name, value);
        }
        let server = offered.server;
        call.state = State::Over;
        call.timers.clear();
        self.detach(server);
        self.send_response(now, server, response);
    }

    pub(super) fn detach(&mut self, server: ServerId) {
        if let Some(server) = self.servers.get_mut(server) {
            server.call = None;
        }
    }
}

pub(super) fn phrase(status: u16, reason: &str) -> String {
    if reason.is_empty() { crate::message::reason_phrase(status).to_owned() } else { reason.to_owned() }
}

/// A response that makes or keeps a dialog: RFC 3261 section 12.1.1.
pub(super) fn dialog_response(
    request: &Request,
    status: u16,
    local_tag: &str,
    contact: &Contact,
    hop: &Hop,
) -> Response {
    let mut response = Response::to(request, status, Some(local_tag));
    for route in request.headers.get_all(&HeaderName::RECORD_ROUTE) {
        response.headers.push(HeaderName::RECORD_ROUTE, route);
    }
    response.headers.push(HeaderName::CONTACT, contact.address(hop, &request.uri));
    response
}
