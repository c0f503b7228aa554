//! The target: a call comes in that takes the place of one of ours (RFC 3891). What the user has stays, the far end is another.

use super::super::{
    Owner,
    call::Arrival,
    leg::{Refused, VideoWish, offers_video},
};
use sidetone_api::{CallDirection, CallId};
use std::time::Instant;

const REPLACED: &str = "replaced";

impl Owner {
    /// The call that an arriving one wants to replace.
    pub(in super::super) fn replaced_call(&self, sip: sidetone_sip::CallId) -> Option<CallId> {
        let found = self.calls.values().find(|call| call.sip == Some(sip) && !call.hung_up);
        found.map(|call| call.id.clone())
    }

    /// Answers the arrival in the place of `id`, and ends the dialog that it replaces.
    pub(in super::super) fn take_over(&mut self, id: &CallId, arrival: Arrival) -> Result<(), Refused> {
        let unavailable = |failure: sidetone_api::Failure| Refused { status: 503, text: failure.message };
        let gone = || Refused { status: 481, text: "the call is gone".into() };
        let session =
            self.calls.get(id).and_then(|call| self.sessions.get(&call.session_id)).ok_or_else(gone)?;
        let account = session.account.clone();
        let mut leg = self.open_leg(&arrival.hop, &account).map_err(unavailable)?;
        // Another far end: it is seen, and sees nobody before the user says so.
        let video = match &arrival.offer {
            Some(offer) if offers_video(offer) => self.video_of_leg(&mut leg, VideoWish::See),
            _ => None,
        };
        let Some(call) = self.calls.get_mut(id) else {
            leg.close(&self.media);
            return Err(gone());
        };
        leg.hold(call.is_held_here());
        let answer = match &arrival.offer {
            Some(offer) => leg.answer(offer, &self.media).inspect_err(|_| leg.close(&self.media))?,
            None => leg.offer(),
        };
        let now = Instant::now();
        self.phone.ua.answer(now, arrival.sip, answer);
        let leg_id = leg.id;
        let (sip, old) = (call.sip.replace(arrival.sip), call.leg.replace(leg));
        match call.direction {
            CallDirection::Outgoing => call.callee = arrival.from,
            CallDirection::Incoming => call.caller = arrival.from,
        }
        call.begin_again(self.phone.signalling(&arrival.hop));
        call.replace_video(video);
        let (muted, is_new) = (call.muted, !call.is_established());
        if let Some(old) = old {
            old.close(&self.media);
        }
        if let Some(sip) = sip {
            self.phone.ua.hang_up(now, sip, Some(REPLACED));
        }
        self.end_transfer(id);
        self.media.ask(crate::io::media::Ask::Mute { leg: leg_id, muted });
        if is_new {
            self.hold_others(id);
            self.establish(id, "200 OK");
        } else {
            self.sound(id);
            self.show_hold(id);
        }
        Ok(())
    }
}
