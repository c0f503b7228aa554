//! Calls of the accounts: what clients ask of them.

use super::{Errand, Owner, leg, leg::Leg, session::Session, target};
use crate::io::{clock, media::Ask, names};
use sidetone_api::{
    CallDirection, CallId, CallStatistics, CallStatus, CallView, Encryption, Event, Failure, FailureCode,
    Reply, SessionId,
};
use sidetone_sdp::Capability;
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{Hop, Invite};
use std::time::Instant;

/// Calls at a time, in both directions.
const MAX_CALLS: usize = 64;
const BUSY_HERE: u16 = 486;
const LONGEST_DTMF: usize = 64;

pub(super) struct Call {
    pub(super) id: CallId,
    pub(super) session_id: SessionId,
    pub(super) direction: CallDirection,
    /// `None` while the way to the callee is looked up.
    pub(super) sip: Option<sidetone_sip::CallId>,
    pub(super) leg: Option<Leg>,
    pub(super) caller: NameAddr,
    pub(super) callee: NameAddr,
    pub(super) status: CallStatus,
    pub(super) info: String,
    pub(super) started_at: u64,
    pub(super) established_at: Option<u64>,
    /// Our answer to the caller's offer, kept until the user answers; `None` where the caller made no offer.
    pub(super) prepared: Option<Vec<u8>>,
    pub(super) muted: bool,
    pub(super) dtmf: String,
    pub(super) statistics: Option<CallStatistics>,
    /// A status event has been sent: the first one is owed to a message of the far end.
    pub(super) announced: bool,
    /// Media of the far end is played: early, or since the answer.
    pub(super) audible: bool,
    /// The user ended it.
    pub(super) hung_up: bool,
}

impl Call {
    pub(super) fn new(id: CallId, session: &Session, direction: CallDirection, far: NameAddr) -> Self {
        let near = session.aor.clone();
        let (caller, callee) = match direction {
            CallDirection::Outgoing => (near, far),
            CallDirection::Incoming => (far, near),
        };
        Self {
            id,
            session_id: session.id.clone(),
            direction,
            sip: None,
            leg: None,
            caller,
            callee,
            status: CallStatus::Trying,
            info: String::new(),
            started_at: clock::wallclock_ms(),
            established_at: None,
            prepared: None,
            muted: false,
            dtmf: String::new(),
            statistics: None,
            announced: false,
            audible: false,
            hung_up: false,
        }
    }

    pub(super) fn far(&self) -> &NameAddr {
        match self.direction {
            CallDirection::Outgoing => &self.callee,
            CallDirection::Incoming => &self.caller,
        }
    }

    /// Waits for the user to answer.
    pub(super) fn is_ringing_here(&self) -> bool {
        self.direction == CallDirection::Incoming && self.status == CallStatus::Ring && !self.hung_up
    }

    pub(super) fn is_established(&self) -> bool {
        matches!(self.status, CallStatus::Established | CallStatus::Hold)
    }

    pub(super) fn view(&self) -> CallView {
        CallView {
            call_id: self.id.clone(),
            session_id: self.session_id.clone(),
            direction: self.direction,
            caller: self.caller.uri.to_string(),
            callee: self.callee.uri.to_string(),
            remote_name: self.far().display.clone().unwrap_or_default(),
            status: self.status,
            info: self.info.clone(),
            started_at: self.started_at,
            established_at: self.established_at,
            muted: self.muted,
            codec: self.leg.as_ref().and_then(Leg::codec_view),
            encryption: self.leg.as_ref().map_or(Encryption::None, Leg::encryption),
            dtmf: self.dtmf.clone(),
            statistics: self.statistics,
        }
    }
}

impl Owner {
    /// Starts an outgoing call: its id at once, the way to the callee looked up meanwhile.
    pub(super) fn place(&mut self, typed: &str, session: Option<SessionId>) -> Result<Reply, Failure> {
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
        let id = CallId::new(super::view::new_id("c")?);
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
        self.want_devices();
        Ok(Reply::Call { call_id: id })
    }

    /// The way is known: open the media towards it and send the INVITE.
    pub(super) fn on_route(&mut self, id: &CallId, result: Result<Vec<Hop>, String>) {
        let Some(call) = self.calls.get(id) else { return };
        let Some(session) = self.sessions.get(&call.session_id) else { return };
        let (to, from) = (call.callee.uri.clone(), session.aor.clone());
        let (route, transport, credentials) =
            (session.route(), session.transport(), session.credentials.clone());
        let hop = match result.and_then(|hops| hops.first().copied().ok_or_else(|| "no address".into())) {
            Ok(hop) => hop,
            Err(reason) => return self.end_call(id, CallStatus::Failed, reason),
        };
        let mut leg = match self.open_leg(hop.local.ip()) {
            Ok(leg) => leg,
            Err(failure) => return self.end_call(id, CallStatus::Failed, failure.to_string()),
        };
        let offer = leg.offer();
        let invite = Invite { route, transport, credentials, ..Invite::new(from, to, offer) };
        let sip = self.phone.ua.invite(Instant::now(), invite);
        if let Some(call) = self.calls.get_mut(id) {
            call.sip = Some(sip);
            call.leg = Some(leg);
        }
    }

    pub(super) fn answer(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        let (Some(sip), true) = (call.sip, call.is_ringing_here()) else {
            return Err(Failure::new(
                FailureCode::WrongState,
                "only a ringing incoming call can be answered",
            ));
        };
        let Some(leg) = call.leg.as_mut() else {
            return Err(Failure::new(FailureCode::WrongState, "this call has no media yet"));
        };
        let sdp = call.prepared.take().unwrap_or_else(|| leg.offer());
        self.phone.ua.answer(Instant::now(), sip, sdp);
        self.establish(id, "200 OK");
        Ok(Reply::Done)
    }

    /// Cancels, declines or ends. The call's end comes with the far end's word, or its silence.
    pub(super) fn hang_up(&mut self, id: &CallId) -> Result<Reply, Failure> {
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        if call.hung_up {
            return Ok(Reply::Done);
        }
        let ringing_here = call.is_ringing_here();
        call.hung_up = true;
        let now = Instant::now();
        match call.sip {
            None => self.end_call(id, CallStatus::Finish, "cancelled".into()),
            Some(sip) if ringing_here => self.phone.ua.reject(now, sip, BUSY_HERE, "Busy Here"),
            Some(sip) => {
                if let Some(leg) = &call.leg {
                    // Silence at once, whatever the network says to the BYE.
                    leg.join(crate::io::media::Join::Nothing, &self.media);
                }
                self.phone.ua.hang_up(now, sip, None);
            }
        }
        self.update_tone();
        Ok(Reply::Done)
    }

    pub(super) fn mute(&mut self, id: &CallId, muted: bool) -> Result<Reply, Failure> {
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        call.muted = muted;
        if let Some(leg) = &call.leg {
            self.media.ask(Ask::Mute { leg: leg.id, muted });
        }
        self.publish_call(id);
        Ok(Reply::Done)
    }

    pub(super) fn send_dtmf(&mut self, id: &CallId, dtmf: &str) -> Result<Reply, Failure> {
        let digits: String = dtmf.chars().map(|digit| digit.to_ascii_uppercase()).collect();
        let known = |digit: char| matches!(digit, '0'..='9' | '*' | '#' | 'A'..='D');
        if digits.is_empty() || digits.len() > LONGEST_DTMF || !digits.chars().all(known) {
            let message = format!("1 to {LONGEST_DTMF} of 0-9 * # A-D are digits, {dtmf:?} is not");
            return Err(Failure::invalid("dtmf", message));
        }
        let call = self.calls.get_mut(id).ok_or_else(|| Failure::not_found("call", id.as_str()))?;
        let wrong_state = |message: &str| Failure::new(FailureCode::WrongState, message);
        let leg = call.leg.as_ref().filter(|leg| leg.negotiated().is_some());
        let leg = leg.ok_or_else(|| wrong_state("this call has no media yet"))?;
        if leg.negotiated().is_some_and(|negotiated| negotiated.dtmf.is_none()) {
            return Err(wrong_state("the far end takes no telephone events (RFC 4733)"));
        }
        self.media.ask(Ask::SendDtmf { leg: leg.id, digits: digits.clone() });
        call.dtmf.push_str(&digits);
        self.publish_call(id);
        Ok(Reply::Done)
    }

    pub(super) fn open_leg(&mut self, address: std::net::IpAddr) -> Result<Leg, Failure> {
        let codecs = leg::capabilities(&self.settings.get().audio.codecs)?;
        self.open_leg_with(address, codecs)
    }

    /// The exchange takes whatever its extensions speak.
    pub(super) fn open_leg_of_every_codec(&mut self, address: std::net::IpAddr) -> Result<Leg, Failure> {
        let codecs = leg::capabilities(&sidetone_api::AudioSettings::default().codecs)?;
        self.open_leg_with(address, codecs)
    }

    fn open_leg_with(&mut self, address: std::net::IpAddr, codecs: Vec<Capability>) -> Result<Leg, Failure> {
        let first_port = self.settings.get().network.rtp_port;
        let id = self.new_leg();
        Leg::open(id, address, first_port, codecs, &self.media)
    }

    pub(super) fn publish_call(&mut self, id: &CallId) {
        if let Some(call) = self.calls.get(id).map(Call::view) {
            self.publish(Event::CallChanged { call });
        }
    }

    /// The first session whose link is not known to be dead; configured accounts come before "Local".
    fn session_for_calls(&self) -> Result<&Session, Failure> {
        use sidetone_api::ConnectionStatus::Established;
        let open = || self.sessions.values().filter(|session| !session.closing);
        let order = &self.settings.get().accounts;
        let rank = |session: &&Session| {
            let place =
                order.iter().position(|account| account.id == session.account.id).unwrap_or(usize::MAX);
            (session.connection != Some(Established), place)
        };
        open().min_by_key(rank).ok_or_else(|| {
            Failure::new(
                FailureCode::WrongState,
                "there is no account to call with: add one, or switch the gateway on",
            )
        })
    }

    pub(super) fn callee_uri_is_ours(&self, uri: &Uri) -> Option<SessionId> {
        let user = uri.user_text()?;
        let mut sessions = self.sessions.values().filter(|session| !session.closing);
        sessions
            .find(|session| session.aor.uri.user_text().as_ref() == Some(&user))
            .map(|session| session.id.clone())
    }
}
