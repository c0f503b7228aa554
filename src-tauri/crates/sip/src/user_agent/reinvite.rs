//! The 2xx to our re-INVITE, and its ACK: RFC 3261 section 14.1.

use std::time::Instant;

use crate::dialog::Dialog;
use crate::message::Response;

use super::UserAgent;
use super::attempt::AttemptId;
use super::bye::Reason;
use super::call::CallTimer;
use super::change::OfferOut;
use super::event::{CallEvent, CallId, Side};
use super::headers;
use super::reoffered::TIME_FOR_ANSWER;

impl UserAgent {
    pub(super) fn on_reinvite_success(
        &mut self,
        now: Instant,
        id: CallId,
        attempt: AttemptId,
        response: &Response,
    ) {
        let Some(attempt) = self.attempts.get(&attempt) else { return };
        let cseq = attempt.cseq();
        let Ok(mut branch) = Dialog::of_uac(&attempt.request, response) else { return };
        branch.route_set = attempt.request.headers.routes().unwrap_or_default();
        if self.repeat_ack(now, id, &branch.id.remote_tag, cseq) {
            return;
        }
        let Some(call) = self.calls.get_mut(&id) else { return };
        let Some(up) = call.up().filter(|up| up.dialog.id == branch.id) else {
            // the call ended meanwhile: the 2xx must still be acknowledged
            if call.acks.len() < self.config.max_early_dialogs {
                self.acknowledge(now, id, &branch, cseq, None);
            }
            return;
        };
        let dialog = up.dialog.clone();
        match call.services.take_sent(cseq) {
            Some(change) => {
                if let Some(up) = call.up() {
                    up.dialog.refresh_target(&response.headers);
                }
                let offer = headers::sdp(&response.headers, &response.body).filter(|_| change.sdp.is_none());
                if let Some(offer) = offer {
                    call.services.offer_out = OfferOut::Owed { cseq };
                    call.session.remote_sdp = Some(offer.clone());
                    call.timers.set(CallTimer::AckOwed, now + TIME_FOR_ANSWER);
                    self.hear_session(now, id, response);
                    return self.tell(id, CallEvent::Reoffer { offer: Some(offer) });
                }
                let dialog = call.up().map_or(dialog, |up| up.dialog.clone());
                self.acknowledge(now, id, &dialog, cseq, None);
                self.on_change_success(now, id, change, response);
            }
            // the owner still has to answer its offer
            None if matches!(call.services.offer_out, OfferOut::Owed { cseq: owed } if owed == cseq) => {}
            None => self.acknowledge(now, id, &dialog, cseq, None),
        }
    }

    /// Sends the ACK that carries our answer to the offer in a 2xx. Whether there was one to send.
    pub(super) fn answer_in_ack(&mut self, now: Instant, id: CallId, sdp: Option<Vec<u8>>) -> bool {
        let Some(call) = self.calls.get_mut(&id) else { return false };
        let OfferOut::Owed { cseq } = call.services.offer_out else { return false };
        call.services.offer_out = OfferOut::None;
        call.timers.stop(CallTimer::AckOwed);
        if sdp.is_some() {
            call.session.local_sdp.clone_from(&sdp);
        }
        let Some(dialog) = call.up().map(|up| up.dialog.clone()) else { return false };
        self.acknowledge_with(now, id, &dialog, cseq, None, sdp);
        self.send_queued(now, id);
        true
    }

    /// There is no answer to the offer in the peer's 2xx: nothing is left but to end the call (RFC 3261 section 13.2.2.4).
    pub(super) fn refuse_in_ack(&mut self, now: Instant, id: CallId, code: u16, text: &str) -> bool {
        if !self.answer_in_ack(now, id, None) {
            return false;
        }
        self.tell_ended(id, code, text, Side::Local);
        self.say_bye(now, id, Some(Reason { code, text: text.to_owned() }));
        true
    }
}
