//! Calls to clients' accounts.

use super::{super::Client, ClientCallLeg, EVENT, MOST_CALLS, NO_CODECS, NOT_ACCEPTABLE};
use crate::{
    clients::ClientNews,
    owner::{Owner, leg::Leg},
};
use sidetone_api::{CallId, CallStatus, SessionId};
use std::time::Instant;

impl Owner {
    /// Somebody calls a client's account. Where nobody is there to be told the call is declined.
    pub(in super::super) fn ring_client(&mut self, session: &SessionId, call_id: &CallId) {
        if !self.is_client_rung(session, call_id) {
            let _ = self.hang_up(call_id);
        }
    }

    fn is_client_rung(&mut self, session: &SessionId, call_id: &CallId) -> bool {
        let Some(call) = self.calls.get(call_id) else { return false };
        let codec = call.leg.as_ref().and_then(Leg::codec);
        let video = call.leg.as_ref().map(Leg::common_video_codecs).unwrap_or_default();
        let (caller, mut callee) = call.parties_shown();
        if let Some(shown) = call.shown_instead() {
            callee = shown.to_owned();
        }
        let visible_name = call.view().remote_name;
        let can_be = |client: &Client| client.news.is_some() && client.calls.len() < MOST_CALLS;
        if !self.clients.all.get(session).is_some_and(can_be) {
            return false;
        }
        let mut leg = match self.open_client_leg(session) {
            Ok(leg) => leg,
            Err(info) => {
                tracing::warn!("a client cannot be called: {info}");
                return false;
            }
        };
        leg.prefer(codec.as_slice());
        if !video.is_empty() {
            self.pass_video_on(&mut leg, video);
        }
        self.advertise(&mut leg);
        let sdp = String::from_utf8_lossy(&leg.offer()).into_owned();
        let id = call_id.as_str().to_owned();
        let visible_name = if visible_name.is_empty() { caller.clone() } else { visible_name };
        let own = ClientCallLeg {
            call: Some(call_id.clone()),
            leg,
            offer: None,
            incoming: true,
            status: None,
            caller,
            callee,
            visible_name,
            custom: None,
        };
        self.keep_client_call(session, &id, call_id.clone(), own);
        // In this order: a client that hears of the call before it has the offer cannot answer it.
        self.tell_client(session, ClientNews::Description { id: id.clone(), sdp, is_answer: false });
        if let Some(view) = self.client_call_view(session, &id, CallStatus::Ring, "") {
            self.tell_client(session, ClientNews::IncomingCall(Box::new(view)));
        }
        true
    }

    pub(in super::super) fn client_answers(&mut self, session: &SessionId, id: &str, sdp: &str) {
        let media = &self.media;
        let found = self.clients.all.get_mut(session).and_then(|client| client.calls.get_mut(id));
        let Some(own) = found.filter(|own| own.incoming && own.leg.negotiated().is_none()) else {
            return self.tell_client_failed(session, EVENT, None, "there is no such call to be answered");
        };
        let (accepted, call) = (own.leg.accept(sdp.as_bytes(), media), own.call.clone());
        let (Some(call), video) = (call, own.leg.video_codec()) else { return };
        if let Some(call) = self.calls.get_mut(&call) {
            call.answer_video_in(video.as_ref());
        }
        let answered = match accepted {
            Ok(()) => self.answer(&call).map_err(|failure| failure.message),
            Err(refused) => {
                tracing::info!(%call, "a client's answer cannot be taken: {}", refused.text);
                let info = if refused.status == NOT_ACCEPTABLE { NO_CODECS } else { "Failed by error" };
                return self.decline_for_client(&call, info);
            }
        };
        if let Err(info) = answered {
            self.tell_client_failed(session, EVENT, None, &info);
            let _ = self.hang_up(&call);
        }
    }

    /// The caller gets another chance elsewhere.
    fn decline_for_client(&mut self, call: &CallId, info: &str) {
        if let Some(sip) = self.calls.get(call).and_then(|call| call.sip) {
            self.phone.ua.reject(Instant::now(), sip, NOT_ACCEPTABLE, "Not Acceptable Here");
        }
        self.end_call(call, CallStatus::Failed, info);
    }
}
