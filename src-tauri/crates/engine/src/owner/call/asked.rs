//! What clients ask of calls.

use super::{
    super::{Errand, Owner, leg, leg::Leg, session::Session, target, view::new_id},
    Call, MAX_CALLS, wrong_state,
};
use crate::io::{media::Ask, names};
use sidetone_api::{
    AudioSettings, CallDirection, CallId, CallStatus, ConnectionStatus, Event, Failure, FailureCode, Reply,
    SessionId,
};
use sidetone_sdp::Capability;
use sidetone_sip::message::NameAddr;
use sidetone_sip::{Hop, Invite};
use std::{net::IpAddr, time::Instant};

const BUSY_HERE: u16 = 486;
/// Digits of one command.
const LONGEST_DTMF: usize = 64;
/// Digits that are shown.
const SHOWN_DTMF: usize = 256;

impl Owner {
    /// Starts an outgoing call: its id at once, the way to the callee looked up meanwhile.
    pub(in super::super) fn place(
        &mut self,
        typed: &str,
        session: Option<SessionId>,
    ) -> Result<Reply, Failure> {
        if self.calls.len() >= MAX_CALLS {
            return Err(Failure::new(
                FailureCode::Limit,
                format!("{MAX_CALLS} calls at a time are the most"),
            ));
        }
        let session = match session {
            Some(id) => self.open_session(&id)?,
            None => self.session_for_calls()?,
        };
        let callee = target::callee(typed, &session.aor.uri)?;
        let id = CallId::new(new_id("c")?);
        let call = Call::new(id.clone(), session, CallDirection::Outgoing, NameAddr::new(callee.clone()));
        let first = session.route().into_iter().next().unwrap_or(callee);
        let (transport, port, bind) = (session.transport(), self.phone.port(), self.phone.bind());
        let (errands, call_id) = (self.errands.clone(), id.clone());
        tokio::spawn(async move {
            let result = names::resolve(&first, transport, port, bind).await;
            let _ = errands.send(Errand::Route { call: call_id, result }).await;
        });
        self.publish(Event::CallChanged { call: call.view() });
        self.calls.insert(id.clone(), call);
        self.hold_others(&id);
        self.want_devices();
        Ok(Reply::Call { call_id: id })
    }

    /// The way is known: open the media towards it and send the INVITE.
    pub(in super::super) fn on_route(&mut self, id: &CallId, result: Result<Vec<Hop>, String>) {
        let Some(call) = self.calls.get(id) else { return };
        let Some(session) = self.sessions.get(&call.session_id) else { return };
        let (to, from, muted) = (call.callee.uri.clone(), session.aor.clone(), call.muted);
        let (route, transport, credentials) =
            (session.route(), session.transport(), session.credentials.clone());
        let hop = match result.and_then(|hops| hops.first().copied().ok_or_else(|| "no address".into())) {
            Ok(hop) => hop,
            Err(reason) => return self.end_call(id, CallStatus::Failed, &reason),
        };
        let mut leg = match self.open_leg(hop.local.ip()) {
            Ok(leg) => leg,
            Err(failure) => return self.end_call(id, CallStatus::Failed, &failure.message),
        };
        if muted {
            self.media.ask(Ask::Mute { leg: leg.id, muted });
        }
        let offer = leg.offer();
        let invite = Invite { route, transport, credentials, ..Invite::new(from, to, offer) };
        let sip = self.phone.ua.invite(Instant::now(), invite);
        if let Some(call) = self.calls.get_mut(id) {
            call.sip = Some(sip);
            call.leg = Some(leg);
        }
    }

    pub(in super::super) fn answer(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        let rings = call.is_ringing_here();
        let (Some(sip), Some(leg), true) = (call.sip, call.leg.as_mut(), rings) else {
            return Err(wrong_state("only a ringing incoming call can be answered"));
        };
        let sdp = match call.prepared.take() {
            Some(answer) => {
                leg.start(&self.media);
                answer
            }
            None => leg.offer(),
        };
        self.phone.ua.answer(Instant::now(), sip, sdp);
        self.hold_others(id);
        self.establish(id, "200 OK");
        Ok(Reply::Done)
    }

    /// Cancels, declines or ends.
    pub(in super::super) fn hang_up(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        if call.hung_up {
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

    pub(in super::super) fn send_dtmf(&mut self, id: &CallId, dtmf: &str) -> Result<Reply, Failure> {
        let digits = dtmf.to_ascii_uppercase();
        let known = |digit: char| matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D');
        if digits.is_empty() || digits.len() > LONGEST_DTMF || !digits.chars().all(known) {
            return Err(Failure::invalid("dtmf", format!("1 to {LONGEST_DTMF} of 0-9 * # A-D are sent")));
        }
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        let leg = call.leg.as_ref().filter(|_| call.audible && !call.hung_up);
        let Some((leg, negotiated)) = leg.and_then(|leg| Some((leg, leg.negotiated()?))) else {
            return Err(wrong_state("this call has no media yet"));
        };
        if !negotiated.direction.sends() {
            return Err(wrong_state("the far end holds this call and takes no digits"));
        }
        if negotiated.dtmf.is_none() {
            return Err(wrong_state("the far end takes no telephone events (RFC 4733)"));
        }
        self.media.ask(Ask::SendDtmf { leg: leg.id, digits: digits.clone() });
        call.dtmf.push_str(&digits);
        let excess = call.dtmf.len().saturating_sub(SHOWN_DTMF);
        call.dtmf.drain(..excess);
        self.publish_call(id);
        Ok(Reply::Done)
    }

    pub(in super::super) fn open_leg(&mut self, address: IpAddr) -> Result<Leg, Failure> {
        let codecs = leg::capabilities(&self.settings.get().audio.codecs)?;
        self.open_leg_with(address, codecs)
    }

    /// The exchange takes whatever its extensions speak.
    pub(in super::super) fn open_leg_of_every_codec(&mut self, address: IpAddr) -> Result<Leg, Failure> {
        let codecs = leg::capabilities(&AudioSettings::default().codecs)?;
        self.open_leg_with(address, codecs)
    }

    fn open_leg_with(&mut self, address: IpAddr, codecs: Vec<Capability>) -> Result<Leg, Failure> {
        let first_port = self.settings.get().network.rtp_port;
        let id = self.new_leg();
        Leg::open(id, address, first_port, codecs, &self.media)
    }

    /// The first session whose link is not known to be dead; configured accounts come before "Local".
    fn session_for_calls(&self) -> Result<&Session, Failure> {
        let open = self.sessions.values().filter(|session| !session.is_closing());
        let order = &self.settings.get().accounts;
        let rank = |session: &&Session| {
            let place =
                order.iter().position(|account| account.id == session.account.id).unwrap_or(usize::MAX);
            (session.connection != Some(ConnectionStatus::Established), place)
        };
        open.min_by_key(rank)
            .ok_or_else(|| wrong_state("there is no account to call with: add one, or switch the gateway on"))
    }
}
