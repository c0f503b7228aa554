//! A new request: whose it is (RFC 3261 sections 8.2 and 12.2.2).

use std::time::Instant;

use crate::dialog::DialogId;
use crate::message::{HeaderName, Method, Request, Response};

use super::UserAgent;
use super::call::State;
use super::event::CallId;
use super::headers;
use super::hop::Hop;

impl UserAgent {
    /// A request that is no repetition and has passed validation.
    pub(super) fn serve(&mut self, now: Instant, hop: Hop, request: Request) {
        // what ends something is served all the same, without a transaction
        let ends = matches!(request.method, Method::Bye | Method::Cancel);
        if self.servers_are_full() && !ends {
            return self.respond_full(&request, hop);
        }
        let in_dialog = request.headers.to().is_ok_and(|to| to.tag().is_some());
        if request.method == Method::Cancel {
            return self.on_cancel(now, &request, hop);
        }
        if !in_dialog && self.servers.is_merged(&request) {
            let tag = self.stateless_tag(&request.headers);
            return self.respond_stateless(hop, Response::to(&request, 482, Some(&tag)));
        }
        match &request.method {
            Method::Invite if in_dialog => self.on_reinvite(now, request, hop),
            Method::Invite => self.on_invite(now, request, hop),
            Method::Bye => self.on_bye(now, &request, hop),
            Method::Options => self.on_options(now, &request, hop, in_dialog),
            Method::Prack => self.on_prack(now, request, hop),
            Method::Update => self.on_update(now, request, hop),
            Method::Info => self.on_info(now, &request, hop),
            Method::Refer => self.on_refer(now, request, hop, in_dialog),
            Method::Notify if self.is_in_call(&request) => self.on_refer_notify(now, &request, hop),
            Method::Register if self.registrar.is_some() => self.on_register(now, &request, hop),
            Method::Notify => self.on_notify_outside(now, &request, hop),
            Method::Message => self.on_message_request(now, request, hop, in_dialog),
            Method::Extension(_) => self.respond_once(now, &request, hop, 501),
            _ => self.respond_once(now, &request, hop, 405),
        }
    }

    fn is_in_call(&mut self, request: &Request) -> bool {
        DialogId::of_request(&request.headers).is_some_and(|dialog| self.call_of(&dialog).is_some())
    }

    /// Takes the CSeq of a request in the dialog of a call; the status to refuse it with if it is not in order.
    pub(super) fn accept_in_dialog(&mut self, id: CallId, request: &Request) -> Result<(), u16> {
        let number = request.headers.cseq().map_err(|_| 400u16)?.number;
        let dialog_id = DialogId::of_request(&request.headers).ok_or(481u16)?;
        let call = self.calls.get_mut(&id).ok_or(481u16)?;
        let dialog = match &mut call.state {
            State::Up(up) => &mut up.dialog,
            State::Offered(offered) => &mut offered.dialog,
            State::Calling(calling) => {
                let early = calling.early.iter_mut().find(|early| early.dialog.id == dialog_id);
                &mut early.ok_or(481u16)?.dialog
            }
            State::Over => return Ok(()),
        };
        dialog.accept_cseq(number).map_err(|_| 500)
    }

    /// The status to refuse a body with, if it is not one that we can read: RFC 3261 section 8.2.3.
    pub(super) fn check_body(request: &Request) -> Result<(), u16> {
        if request.body.is_empty() {
            return Ok(());
        }
        let disposition = request.headers.get(&HeaderName::CONTENT_DISPOSITION).unwrap_or_default();
        if disposition.to_ascii_lowercase().replace([' ', '\t'], "").contains("handling=optional") {
            return Ok(());
        }
        if !request.headers.is_plain() {
            return Err(415);
        }
        match request.headers.content_type() {
            Ok(Some(kind)) if kind == headers::SDP => Ok(()),
            Ok(Some(_)) => Err(415),
            Ok(None) | Err(_) => Err(400),
        }
    }
}
