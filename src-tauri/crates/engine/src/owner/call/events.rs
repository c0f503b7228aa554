//! What the far end says of a call.

use super::super::{
    Owner,
    leg::{Refused, offers_video},
    text,
};
use sidetone_api::{CallDirection, CallId, CallStatus};
use sidetone_sip::{CallEvent, Cause, Side};
use std::time::Instant;

/// How the user agent words the end of a session that nobody has refreshed.
const SESSION_EXPIRED: &str = "Session expired";
const NO_ANSWER: &str = "no answer to our offer";

impl Owner {
    pub(in super::super) fn on_call_event(&mut self, sip: sidetone_sip::CallId, event: CallEvent) {
        let call = self.calls.values().find(|call| call.sip == Some(sip));
        let Some(id) = &call.map(|call| call.id.clone()) else {
            if let CallEvent::Ended { cause } = &event {
                self.on_arriving_ended(sip, &cause.to_string());
            }
            return;
        };
        match event {
            CallEvent::Trying => self.set_status(id, CallStatus::Trying, "100 Trying"),
            CallEvent::Provisional { status, reason, sdp, early_dialog } => {
                self.on_early_sdp(id, status, sdp.as_deref(), early_dialog);
                self.on_provisional(id, status, &reason);
            }
            CallEvent::Answered { sdp, hop } => {
                let signalling = self.phone.signalling(&hop);
                if let Some(call) = self.calls.get_mut(id) {
                    call.signalling = Some(signalling);
                }
                self.on_answered(id, sip, &sdp);
            }
            CallEvent::Confirmed { sdp: Some(sdp) } => self.on_later_answer(id, sip, &sdp, false),
            CallEvent::Confirmed { sdp: None } => self.on_confirmed(id, sip),
            CallEvent::Reoffer { offer } => self.on_reoffer(id, sip, offer),
            CallEvent::ReofferAnswered { sdp } => self.on_later_answer(id, sip, &sdp, true),
            CallEvent::ReofferFailed { cause } => self.on_reoffer_failed(id, &cause),
            CallEvent::Ended { cause } => self.on_ended(id, &cause),
            CallEvent::ReferAccepted { status } => self.on_refer_accepted(id, status),
            CallEvent::ReferRefused { cause } => self.on_refer_refused(id, &cause),
            CallEvent::ReferProgress { status, reason } => self.on_refer_progress(id, status, &reason),
            CallEvent::ReferFinal { status, reason } => self.on_refer_final(id, status, &reason),
            CallEvent::ReferRequested { target, replaces, referred_by } => {
                self.on_refer_requested(id, target, replaces, referred_by);
            }
            CallEvent::Info { content_type, body } => self.on_info(id, &content_type, &body),
            CallEvent::InfoAnswered { status, reason } => self.on_info_answered(id, status, &reason),
        }
    }

    fn on_provisional(&mut self, id: &CallId, code: u16, reason: &str) {
        self.report_transfer(id, code, reason);
        let info = format!("{code} {reason}");
        match code {
            180 => self.set_status(id, CallStatus::Ring, &info),
            183 => self.set_status(id, CallStatus::SessionProgress, &info),
            _ => {
                if let Some(call) = self.calls.get_mut(id) {
                    call.info = text::shown(&info);
                }
                self.publish_call(id);
            }
        }
    }

    fn on_answered(&mut self, id: &CallId, sip: sidetone_sip::CallId, sdp: &[u8]) {
        // What an early UPDATE has agreed on is no answer to the offer of the INVITE.
        let leg = self.calls.get(id).and_then(|call| call.leg.as_ref());
        if leg.is_some_and(|leg| leg.is_in_force(sdp)) || self.take_answer(id, sip, sdp) {
            self.establish(id, "200 OK");
        }
    }

    /// Ends the call where the answer is none.
    fn take_answer(&mut self, id: &CallId, sip: sidetone_sip::CallId, sdp: &[u8]) -> bool {
        let Some(leg) = self.calls.get_mut(id).and_then(|call| call.leg.as_mut()) else { return false };
        let Err(Refused { status, text }) = leg.accept(sdp, &self.media) else { return true };
        self.phone.ua.hang_up(Instant::now(), sip, Some(&text));
        self.end_call(id, CallStatus::Failed, &format!("{status} {text}"));
        false
    }

    /// An ACK without an answer: where it owed one, there is nothing to speak.
    fn on_confirmed(&mut self, id: &CallId, sip: sidetone_sip::CallId) {
        let leg = self.calls.get(id).and_then(|call| call.leg.as_ref());
        if leg.is_some_and(|leg| leg.negotiated().is_none()) {
            self.phone.ua.hang_up(Instant::now(), sip, Some(NO_ANSWER));
            self.end_call(id, CallStatus::Failed, &format!("488 {NO_ANSWER}"));
        }
    }

    /// To an offer of ours inside the call.
    fn on_later_answer(&mut self, id: &CallId, sip: sidetone_sip::CallId, sdp: &[u8], ours: bool) {
        if self.take_answer(id, sip, sdp) {
            self.on_agreed(id, ours);
        }
    }

    fn on_reoffer(&mut self, id: &CallId, sip: sidetone_sip::CallId, offer: Option<Vec<u8>>) {
        if let Some(offer) = offer.as_deref().filter(|offer| offers_video(offer)) {
            self.expect_video(id);
            if self.gather_for_reanswer(id, sip, offer) {
                return;
            }
        }
        self.answer_reoffer_of(id, sip, offer.as_deref());
    }

    pub(super) fn answer_reoffer_of(&mut self, id: &CallId, sip: sidetone_sip::CallId, offer: Option<&[u8]>) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(leg) = call.leg.as_mut() else { return };
        let now = Instant::now();
        match offer.map(|offer| leg.answer(offer, &self.media)).transpose() {
            Ok(Some(answer)) => self.phone.ua.answer(now, sip, answer),
            Ok(None) => {
                let offer = leg.offer();
                self.phone.ua.answer(now, sip, offer);
            }
            Err(refused) => return self.phone.ua.reject(now, sip, refused.status, &refused.text),
        }
        self.hear_early(id);
        self.on_agreed(id, false);
    }

    fn on_ended(&mut self, id: &CallId, cause: &Cause) {
        self.report_transfer(id, if cause.code < 300 { 487 } else { cause.code }, &cause.text);
        let Some(call) = self.calls.get_mut(id) else { return };
        call.ended_by.clone_from(&cause.message);
        call.taken_elsewhere = cause.by == Side::Remote && matches!(cause.code, 200..=299 | 600..=699);
        let outgoing = call.direction == CallDirection::Outgoing;
        let status = match (cause.code, cause.by) {
            _ if call.hung_up => CallStatus::Finish,
            (_, Side::Remote) if call.is_established() => CallStatus::Finish,
            (486 | 600, Side::Remote) if outgoing => CallStatus::Busy,
            // The caller gave up, or another phone answered.
            (_, Side::Remote) if !outgoing => CallStatus::Finish,
            _ => CallStatus::Failed,
        };
        let info = match (cause.code, cause.by) {
            (408, Side::Network) if call.is_established() && cause.text == SESSION_EXPIRED => {
                format!("{cause}: nothing was heard of the far end in time")
            }
            _ => cause.to_string(),
        };
        self.end_call(id, status, &info);
    }
}
