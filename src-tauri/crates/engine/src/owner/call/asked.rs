//! What clients ask of calls.

use super::{
    super::{
        Owner, leg,
        leg::{Leg, Opening, Policy},
        target::Target,
    },
    Call, wrong_state,
};
use crate::{
    hooks::{Fields, Hook},
    io::media::Ask,
};
use sidetone_api::{Account, AudioSettings, CallId, CallStatus, Failure, Reply};
use sidetone_sdp::Capability;
use sidetone_sip::{Hop, message::Uri};
use std::time::Instant;

const BUSY_HERE: u16 = 486;
const NOT_RINGING: &str = "only a ringing incoming call can be answered";

impl Owner {
    /// The same, with our picture or without.
    pub(in super::super) fn answer_with(&mut self, id: &CallId, video: bool) -> Result<Reply, Failure> {
        if self.calls.get(id).is_some_and(Call::is_ringing_here) {
            self.decide_on_video(id, video);
        }
        self.answer(id)
    }

    pub(in super::super) fn answer(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        let has_far_end = call.sip.is_some() || call.at_server.is_some();
        if !call.is_ringing_here() || !has_far_end || call.leg.is_none() {
            return Err(wrong_state(NOT_RINGING));
        }
        let call = id.clone();
        self.gate_call(Hook::Answer, id, Fields::new(), move |owner, _| owner.answer_now(&call))
    }

    fn answer_now(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        let rings = call.is_ringing_here();
        if rings && call.at_server.is_some() {
            self.answer_at_server(id);
            return Ok(Reply::Done);
        }
        let (Some(sip), Some(leg), true) = (call.sip, call.leg.as_mut(), rings) else {
            return Err(wrong_state(NOT_RINGING));
        };
        if let Some(waiting) = &mut call.waiting {
            waiting.answer();
            call.due.stop_ringing();
            return Ok(Reply::Done);
        }
        let sdp = match call.prepared.take() {
            Some(answer) => {
                leg.start(&self.media);
                answer
            }
            None => leg.offer(),
        };
        self.phone.ua.answer(Instant::now(), sip, sdp);
        call.due.stop_ringing();
        self.hold_others(id);
        self.establish(id, "200 OK");
        Ok(Reply::Done)
    }

    /// Sends a ringing call elsewhere.
    pub(in super::super) fn redirect(&mut self, id: &CallId, target: &str) -> Result<Reply, Failure> {
        let call = self.calls.get(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        if !call.is_ringing_here() {
            return Err(wrong_state("only a ringing incoming call can be sent elsewhere"));
        }
        if call.at_server.is_some() {
            return Err(wrong_state("a Web Call Server sends no call elsewhere"));
        }
        let session = self.open_session(&call.session_id)?;
        let account = session.account.id.clone();
        let target = Target::read(target, Some(&account), self.settings.dial_plan(), "target")?;
        let to = target.uri(&session.aor.uri, "target")?;
        self.redirect_to(id, &to);
        Ok(Reply::Done)
    }

    pub(in super::super) fn redirect_to(&mut self, id: &CallId, to: &Uri) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.is_ringing_here()) else { return };
        let Some(sip) = call.sip else { return };
        call.hung_up = true;
        self.phone.ua.redirect(Instant::now(), sip, std::slice::from_ref(to));
    }

    /// The same, and the backend hears of it.
    pub(in super::super) fn hang_up_for_client(&mut self, id: &CallId) -> Result<Reply, Failure> {
        if self.calls.get(id).is_some_and(|call| !call.hung_up) {
            self.tell_of_call(Hook::Hangup, id);
        }
        self.hang_up(id)
    }

    /// Cancels, declines or ends.
    pub(in super::super) fn hang_up(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        if call.hung_up {
            return Ok(Reply::Done);
        }
        if call.at_server.is_some() {
            self.hang_up_at_server(id);
            return Ok(Reply::Done);
        }
        let ringing_here = call.is_ringing_here();
        call.hung_up = true;
        let now = Instant::now();
        match call.sip {
            None => self.end_call(id, CallStatus::Finish, "cancelled"),
            Some(sip) if ringing_here => self.phone.ua.reject(now, sip, BUSY_HERE, "Busy Here"),
            Some(sip) => {
                self.phone.ua.hang_up(now, sip, None);
                // Silence at once, whatever the network says to the BYE.
                self.sound(id);
            }
        }
        self.update_tone();
        Ok(Reply::Done)
    }

    pub(in super::super) fn mute(&mut self, id: &CallId, muted: bool) -> Result<Reply, Failure> {
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        call.muted = muted;
        if let Some(leg) = &call.leg {
            self.media.ask(Ask::Mute { leg: leg.id, muted });
        }
        self.publish_call(id);
        Ok(Reply::Done)
    }

    pub(in super::super) fn open_leg(&mut self, hop: &Hop, account: &Account) -> Result<Leg, Failure> {
        let codecs = leg::capabilities(&self.settings.get().audio.codecs)?;
        self.open_leg_with(hop, codecs, Policy::of(account, hop.transport))
    }

    /// The exchange takes whatever its extensions speak.
    pub(in super::super) fn open_leg_of_every_codec(&mut self, hop: &Hop) -> Result<Leg, Failure> {
        let codecs = leg::capabilities(&AudioSettings::default().codecs)?;
        self.open_leg_with(hop, codecs, Policy::of_gateway(hop.transport))
    }

    fn open_leg_with(&mut self, hop: &Hop, codecs: Vec<Capability>, policy: Policy) -> Result<Leg, Failure> {
        let first_port = self.settings.get().network.rtp_port;
        let id = self.new_leg();
        let opening = Opening { id, address: hop.local.ip(), first_port, codecs, policy };
        Leg::open(opening, &self.media)
    }
}
