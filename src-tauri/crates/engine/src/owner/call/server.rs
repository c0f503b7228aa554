//! Calls by way of a Web Call Server: it speaks SIP, and has our leg described once. Whatever becomes of the far end, the leg stays as
//! it is.

use super::{
    super::{
        Owner, hooks,
        leg::{self, Leg, Opening, Policy},
        policy::Verdict,
        text,
        view::new_id,
        wire::sip_uri,
    },
    Call, MAX_CALLS, MAX_RINGING, wrong_state,
};
use crate::{
    ClientCall,
    hooks::{Fields, Hook, Verdict as OfBackend},
    io::clock,
    wcs::{SaidOfCall, ServerAsk},
};
use sidetone_api::{
    CallDirection, CallId, CallStatus, DtmfMode, Failure, NoticeLevel, SessionId, TransferStatus,
};
use sidetone_sip::message::{Headers, NameAddr, Uri};
use std::time::{Duration, Instant};

const UNREACHED: &str = "the session's server is not connected";
/// Whether a call is held changes within this, or does not change.
const UNANSWERED: Duration = Duration::from_secs(3);
/// Of a caller's address.
const LONGEST_CALLER: usize = 1024;

impl Owner {
    /// The leg towards the server, as browsers have it: ICE, DTLS, one port.
    fn open_server_leg(&mut self, session: &SessionId) -> Result<Leg, Failure> {
        let address = self.address_towards_wcs(session).ok_or_else(|| wrong_state(UNREACHED))?;
        let codecs = leg::capabilities(&self.settings.get().audio.codecs)?;
        let (first_port, id) = (self.settings.get().network.rtp_port, self.new_leg());
        Leg::open(Opening { id, address, first_port, codecs, policy: Policy::of_client() }, &self.media)
    }

    /// The server is asked to call.
    pub(super) fn call_at_server(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let (session, held) = (call.session_id.clone(), call.outgoing.held);
        let outgoing = std::mem::take(&mut call.outgoing);
        let (muted, far) = (call.muted, call.callee.uri.clone());
        let mut leg = match self.open_server_leg(&session) {
            Ok(leg) => leg,
            Err(failure) => return self.end_call(id, CallStatus::Failed, &failure.message),
        };
        if muted {
            self.media.ask(crate::io::media::Ask::Mute { leg: leg.id, muted });
        }
        let sdp = String::from_utf8_lossy(&leg.offer()).into_owned();
        let Some(call) = self.calls.get_mut(id) else { return };
        call.leg = Some(leg);
        call.at_server = Some(id.as_str().to_owned());
        let Some(own) = self.sessions.get(&session).map(|session| session.aor.clone()) else { return };
        let visible_name = outgoing.from.and_then(|from| from.display).or(own.display);
        let call = ClientCall {
            id: id.as_str().to_owned(),
            callee: shown_to_server(&far, &own.uri),
            sdp,
            visible_name: visible_name.unwrap_or_default(),
            custom: None,
        };
        if !self.ask_server_to_call(&session, id, call) {
            return self.end_call(id, CallStatus::Failed, UNREACHED);
        }
        if !held {
            self.hold_others(id);
        }
    }

    fn call_at(&self, session: &SessionId, at_server: &str) -> Option<CallId> {
        let is_meant =
            |call: &&Call| call.session_id == *session && call.at_server.as_deref() == Some(at_server);
        self.calls.values().find(is_meant).map(|call| call.id.clone())
    }

    /// The answer to our offer, or the offer of a call that comes.
    pub(in super::super) fn on_wcs_call_description(
        &mut self,
        session: &SessionId,
        object: String,
        sdp: String,
        is_answer: Option<bool>,
    ) {
        let Some(id) = self.call_at(session, &object) else {
            if is_answer != Some(true)
                && let Some(said) = self.keep_wcs_description(session, object, &sdp)
            {
                self.ring_for_server(session, said, sdp);
            }
            return;
        };
        let media = &self.media;
        let Some(call) = self.calls.get_mut(&id) else { return };
        let is_awaited = call.direction == CallDirection::Outgoing;
        let leg = call.leg.as_mut().filter(|leg| is_awaited && leg.negotiated().is_none());
        // There is one description: what was agreed on stands.
        let Some(leg) = leg else { return };
        if let Err(refused) = leg.accept(sdp.as_bytes(), media) {
            self.say_to_server(session, &ServerAsk::Hangup { id: object });
            let words = format!("the server's answer cannot be taken: {}", refused.text);
            return self.end_call(&id, CallStatus::Failed, &words);
        }
        self.wcs_call_answered(session, &id);
        self.hear_early(&id);
        self.sound(&id);
        self.publish_call(&id);
    }

    /// Somebody calls: it rings as soon as there is an offer.
    pub(in super::super) fn on_wcs_incoming(&mut self, session: &SessionId, said: SaidOfCall) {
        if self.call_at(session, &said.id).is_some() {
            return;
        }
        if let Some((said, sdp)) = self.keep_wcs_caller(session, said) {
            self.ring_for_server(session, said, sdp);
        }
    }

    fn ring_for_server(&mut self, session: &SessionId, said: SaidOfCall, sdp: String) {
        let at_server = said.id.clone();
        if let Err(words) = self.ask_to_ring_for_server(session, said, sdp) {
            tracing::info!("incoming call refused: {words}");
            self.say_to_server(session, &ServerAsk::Hangup { id: at_server });
        }
    }

    fn ask_to_ring_for_server(
        &mut self,
        session_id: &SessionId,
        said: SaidOfCall,
        sdp: String,
    ) -> Result<(), String> {
        let ringing = self.calls.values().filter(|call| call.is_ringing_here()).count();
        if self.farewell.is_some() || self.calls.len() >= MAX_CALLS || ringing >= MAX_RINGING {
            return Err("there are too many calls".into());
        }
        let session = self.sessions.get(session_id).ok_or("the session has gone")?;
        let mut from = caller(&said.caller, &session.aor.uri).ok_or("the caller's address cannot be read")?;
        let name = text::shown(&said.visible_name);
        from.display = (!name.is_empty() && name != said.caller).then_some(name);
        let id = CallId::new(new_id("c").map_err(|failure| failure.message)?);
        let verdict = self.judge(session, &from, &Headers::new());
        let mut call = Call::new(id.clone(), session, CallDirection::Incoming, from);
        call.at_server = Some(said.id.clone());
        let answer_after = match verdict {
            Verdict::Ring { answer_after, .. } => answer_after,
            Verdict::Forward(_) => None,
            Verdict::Busy(why) => {
                self.keep_unrung(call, &format!("486 {why}"));
                return Err(why.into());
            }
        };
        let now = Instant::now();
        call.due.answer = answer_after.map(|after| now + after);
        call.auto_answer_at = answer_after.map(|after| clock::wallclock_ms() + after.as_millis() as u64);
        let (session, fields) = call.fields(Fields::new());
        let (session_id, object) = (session_id.clone(), id.as_str().to_owned());
        self.expect_wcs_call(&session_id, &said.id);
        self.gate(Hook::OnCallEvent, &session, &object, fields, move |owner, verdict| {
            let at_server = said.id;
            // The caller did not wait for the backend.
            if !owner.take_expected_wcs_call(&session_id, &at_server) {
                return;
            }
            let taken = match verdict {
                OfBackend::Go(fields) => {
                    if let Some(name) = hooks::changed(&fields, "visibleName") {
                        call.caller.display = Some(text::shown(name));
                    }
                    owner.take_in_for_server(call, &sdp)
                }
                OfBackend::Refused { info } => {
                    owner.keep_unrung(call, &format!("403 {info}"));
                    Err(info)
                }
            };
            if let Err(words) = taken {
                tracing::info!("incoming call refused: {words}");
                owner.say_to_server(&session_id, &ServerAsk::Hangup { id: at_server });
            }
        });
        Ok(())
    }

    fn take_in_for_server(&mut self, mut call: Call, sdp: &str) -> Result<(), String> {
        let mut leg = self.open_server_leg(&call.session_id).map_err(|failure| failure.message)?;
        match leg.prepare(sdp.as_bytes()) {
            Ok(answer) => (call.leg, call.prepared) = (Some(leg), Some(answer)),
            Err(refused) => {
                leg.close(&self.media);
                let info = format!("a call from {} could not be taken: {}", call.caller.uri, refused.text);
                self.notice(NoticeLevel::Warning, &info, None);
                return Err(refused.text);
            }
        }
        let id = call.id.clone();
        let on_call = call.arrival();
        self.calls.insert(id.clone(), call);
        self.publish(on_call);
        self.set_status(&id, CallStatus::Ring, "180 Ringing");
        self.want_devices();
        Ok(())
    }

    pub(super) fn answer_at_server(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let (Some(at_server), Some(sdp)) = (call.at_server.clone(), call.prepared.take()) else { return };
        let session = call.session_id.clone();
        let callee = call.callee.uri.user_text().unwrap_or_default();
        if let Some(leg) = &call.leg {
            leg.start(&self.media);
        }
        call.due.stop_ringing();
        let sdp = String::from_utf8_lossy(&sdp).into_owned();
        self.say_to_server(&session, &ServerAsk::Answer { id: at_server, callee, sdp });
        self.hold_others(id);
        self.establish(id, "200 OK");
    }

    pub(in super::super) fn on_wcs_call(&mut self, session: &SessionId, said: SaidOfCall) {
        let Some(status) = said.status else { return };
        let Some(id) = self.call_at(session, &said.id) else {
            if status.is_end() {
                self.forget_wcs_caller(session, &said.id);
            }
            return;
        };
        let Some(call) = self.calls.get(&id) else { return };
        let is_outgoing = call.direction == CallDirection::Outgoing;
        let is_established = call.is_established();
        let announced = call.announced;
        let is_described = call.leg.as_ref().is_some_and(|leg| leg.negotiated().is_some());
        if is_described || !(is_established || status == CallStatus::Established) {
            self.wcs_call_answered(session, &id);
        } else {
            self.await_wcs_description(session, &id);
        }
        let info = |usual: &str| if said.info.is_empty() { usual.to_owned() } else { said.info.clone() };
        match status {
            CallStatus::Trying if is_outgoing && !announced => {
                self.set_status(&id, status, &info("100 Trying"));
            }
            CallStatus::Ring if is_outgoing && !is_established => {
                self.set_status(&id, status, &info("180 Ringing"));
            }
            CallStatus::SessionProgress if is_outgoing && !is_established => {
                self.set_status(&id, status, &info("183 Session Progress"));
            }
            CallStatus::Established if is_outgoing && !is_established => self.establish(&id, &info("200 OK")),
            CallStatus::Established | CallStatus::Hold if is_established => {
                self.on_server_hold(&id, status == CallStatus::Hold);
            }
            CallStatus::Busy | CallStatus::Failed => self.end_call(&id, status, &info(status.as_str())),
            CallStatus::Finish => self.end_call(&id, status, &info("Normal call clearing")),
            _ => {}
        }
    }

    /// Tells the server what we want of a call: one thing after the other, so that it is known what it answers.
    pub(super) fn ask_server_to_hold(&mut self, id: &CallId) {
        let Some(call) = self.calls.get_mut(id).filter(|call| call.is_established() && !call.hung_up) else {
            return;
        };
        if call.hold.asking && call.hold.again.is_some() {
            return;
        }
        if std::mem::take(&mut call.hold.asking) {
            if let Some(leg) = &mut call.leg {
                // Where the far end holds, too, nothing changes, and nothing is said.
                leg.told_of_hold(call.hold.told, leg.is_held());
            }
            self.show_hold(id);
        }
        let Some(call) = self.calls.get_mut(id) else { return };
        let (Some(at_server), wanted) = (call.at_server.clone(), call.hold.wanted) else { return };
        if call.hold.told == wanted {
            return;
        }
        (call.hold.told, call.hold.asking) = (wanted, true);
        call.hold.again = Some(Instant::now() + UNANSWERED);
        let session = call.session_id.clone();
        let ask =
            if wanted { ServerAsk::Hold { id: at_server } } else { ServerAsk::Unhold { id: at_server } };
        self.say_to_server(&session, &ask);
    }

    /// What the server says without having been asked is the far end's wish.
    fn on_server_hold(&mut self, id: &CallId, held: bool) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let was_asked = std::mem::take(&mut call.hold.asking);
        if was_asked {
            call.hold.again = None;
        }
        let told = call.hold.told;
        if let Some(leg) = &mut call.leg {
            let by_peer = held && (!was_asked || !told || leg.is_held());
            leg.told_of_hold(held && told, by_peer);
        }
        self.sound(id);
        self.ask_server_to_hold(id);
        self.show_hold(id);
    }

    /// Where a call goes by a server. It is over for us at once, whatever the server says to it.
    pub(super) fn hang_up_at_server(&mut self, id: &CallId) -> bool {
        let Some(call) = self.calls.get_mut(id) else { return false };
        let Some(at_server) = call.at_server.clone() else { return false };
        let (session, rings) = (call.session_id.clone(), call.is_ringing_here());
        call.hung_up = true;
        self.say_to_server(&session, &ServerAsk::Hangup { id: at_server });
        let info = if rings { "declined" } else { "Normal call clearing" };
        self.end_call(id, CallStatus::Finish, info);
        true
    }

    /// The kind by which the server is to send digits; `None` where they go as tones, or by no server.
    pub(super) fn kind_of_server_dtmf(&self, id: &CallId, mode: DtmfMode) -> Option<&'static str> {
        self.calls.get(id)?.at_server.as_ref()?;
        match mode {
            DtmfMode::Automatic | DtmfMode::Rfc4733 => Some("RFC2833"),
            DtmfMode::Info => Some("INFO_RELAY"),
            DtmfMode::InBand => None,
        }
    }

    pub(super) fn send_dtmf_at_server(&mut self, id: &CallId, kind: &'static str, digits: &str) {
        let Some(call) = self.calls.get(id) else { return };
        let (Some(at_server), session) = (call.at_server.clone(), call.session_id.clone()) else { return };
        // One at a time, as the keys of a page do.
        for digit in digits.chars() {
            let ask = ServerAsk::Dtmf { id: at_server.clone(), kind, dtmf: digit.into() };
            self.say_to_server(&session, &ask);
        }
    }

    /// The server is asked instead of the far end.
    pub(in super::super) fn transfer_at_server(&mut self, id: &CallId, to: &Uri) -> bool {
        let Some(call) = self.calls.get(id) else { return false };
        let (Some(at_server), session) = (call.at_server.clone(), call.session_id.clone()) else {
            return false;
        };
        let Some(own) = self.sessions.get(&session).map(|session| session.aor.uri.clone()) else {
            return true;
        };
        let target = shown_to_server(to, &own);
        self.say_to_server(&session, &ServerAsk::Transfer { id: at_server, target });
        true
    }

    pub(in super::super) fn on_wcs_transfer(
        &mut self,
        session: &SessionId,
        object: &str,
        status: &str,
        target: &str,
        info: &str,
    ) {
        // Of one that we asked for: nothing else of it is the server's to end.
        let Some(id) = self.call_at(session, object).filter(|id| self.is_transferring(id)) else { return };
        let all = [
            TransferStatus::Accepted,
            TransferStatus::Trying,
            TransferStatus::Completed,
            TransferStatus::Failed,
        ];
        match all.into_iter().find(|known| known.as_str() == status) {
            Some(TransferStatus::Completed) => self.on_refer_final(&id, 200, "OK"),
            Some(TransferStatus::Failed) => {
                self.fail_transfer(&id, if info.is_empty() { "the server refused it" } else { info });
            }
            Some(status) => self.set_transfer(&id, status, info),
            None => tracing::debug!("a transfer to {} is {status:?}", text::shown(target)),
        }
    }

    pub(in super::super) fn fail_wcs_call(&mut self, session: &SessionId, object: &str, info: &str) {
        match self.call_at(session, object) {
            Some(id) => self.end_call(&id, CallStatus::Failed, info),
            None => self.complain(session, info),
        }
    }

    pub(in super::super) fn end_wcs_calls(&mut self, session: &SessionId, status: CallStatus, info: &str) {
        let is_there = |call: &&Call| call.session_id == *session && call.at_server.is_some();
        let calls: Vec<_> = self.calls.values().filter(is_there).map(|call| call.id.clone()).collect();
        for id in calls {
            self.end_call(&id, status, info);
        }
    }
}

/// The user alone, where it is at the server's own place.
fn shown_to_server(uri: &Uri, own: &Uri) -> String {
    match uri.user_text() {
        Some(user) if uri.host == own.host && uri.port == own.port => user,
        _ => uri.to_string(),
    }
}

/// A user or an address.
fn caller(text: &str, own: &Uri) -> Option<NameAddr> {
    let text = text.trim();
    if text.len() > LONGEST_CALLER {
        return None;
    }
    if text.contains('@') || text.to_ascii_lowercase().starts_with("sip") && text.contains(':') {
        return sip_uri("caller", text).ok().map(NameAddr::new);
    }
    let mut uri = Uri::sip(None, own.host.clone(), own.port);
    uri.set_user_text(if text.is_empty() { "anonymous" } else { text });
    Some(NameAddr::new(uri))
}
