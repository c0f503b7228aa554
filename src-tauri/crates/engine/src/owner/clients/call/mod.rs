//! Calls of clients: one of the engine's, with the client's own leg in the place of the devices. The client's leg is described once;
//! whatever becomes of the far end, it stays as it is.

mod ring;
mod told;

use super::{Client, hooked::CallOfClient};
use crate::{
    clients::{ClientCall, ClientCallView, ClientNews},
    io::{
        media::{Join, LegId},
        names::local_address_towards,
    },
    owner::{
        Owner,
        call::Wish,
        leg::{self, Leg, Opening, Policy, Refused, every_video_codec, offers_video},
        text,
    },
};
use serde_json::Value;
use sidetone_api::{AudioSettings, CallId, CallStatus, DtmfMode, Reply, SessionId};
use std::net::{IpAddr, SocketAddr};

pub(super) const EVENT: &str = "CallStatusEvent";
const NO_CODECS: &str = "No common codecs";
const NOT_ACCEPTABLE: u16 = 488;
/// Calls of one client.
const MOST_CALLS: usize = 16;

/// A call of a client.
#[derive(Debug)]
pub(super) struct ClientCallLeg {
    /// `None` until it is placed.
    pub(super) call: Option<CallId>,
    leg: Leg,
    /// Its offer, until it is answered.
    offer: Option<Vec<u8>>,
    incoming: bool,
    status: Option<CallStatus>,
    caller: String,
    callee: String,
    visible_name: String,
    custom: Option<Value>,
}

impl ClientCallLeg {
    fn has_video(&self) -> bool {
        match self.leg.negotiated() {
            Some(_) => self.leg.agreed_video().is_some(),
            None => self.leg.video_id().is_some(),
        }
    }
}

impl Owner {
    pub(super) fn client_calls(&mut self, session: &SessionId, mut wanted: ClientCall) {
        // As they are read, and no longer than that.
        for text in [&mut wanted.callee, &mut wanted.visible_name] {
            *text = text.trim().to_owned();
        }
        let placed = self.place_for_client(session, &wanted);
        if let Err(info) = placed {
            self.refuse_client_call(session, &wanted, &info);
        }
    }

    fn place_for_client(&mut self, session: &SessionId, wanted: &ClientCall) -> Result<(), String> {
        let in_words = |refused: Refused| match refused.status {
            NOT_ACCEPTABLE => NO_CODECS.to_owned(),
            _ => refused.text,
        };
        let client = self.clients.all.get(session).ok_or("Session does not exist")?;
        let sip = client.sip.clone().ok_or("the session has no SIP account")?;
        if wanted.id.is_empty() || self.is_call_named(&wanted.id) {
            return Err("this callId is empty or in use".into());
        }
        super::check_kept(wanted.custom.as_ref())?;
        if client.calls.len() >= MOST_CALLS {
            return Err(format!("a session has {MOST_CALLS} calls at most"));
        }
        let caller = client.login.clone();
        let mut leg = self.open_client_leg(session)?;
        let offer = wanted.sdp.as_bytes().to_vec();
        if offers_video(&offer) {
            self.pass_video_on(&mut leg, every_video_codec());
        }
        self.advertise(&mut leg);
        if let Err(refused) = leg.prepare(&offer) {
            leg.close(&self.media);
            return Err(in_words(refused));
        }
        let name = wanted.visible_name.trim();
        let caller_name = (!name.is_empty() && name != caller).then(|| name.to_owned());
        let passed_video = leg.common_video_codecs();
        let wish = Wish { session: Some(sip), caller_name, passed_video, ..Wish::of(&wanted.callee) };
        let own = ClientCallLeg {
            call: None,
            leg,
            offer: Some(offer),
            incoming: false,
            status: None,
            caller,
            callee: wanted.callee.clone(),
            visible_name: wanted.visible_name.clone(),
            custom: wanted.custom.clone(),
        };
        let named = CallOfClient {
            session: session.clone(),
            id: wanted.id.clone(),
            caller: own.caller.clone(),
            callee: own.callee.clone(),
            visible_name: Some(own.visible_name.clone()),
            custom: own.custom.clone(),
            sdp: Some(wanted.sdp.clone()),
        };
        let mut kept = Some(own);
        let placed = self.place_then(wish, |owner, call| {
            if let Some(placed) = owner.calls.get_mut(call) {
                placed.client = Some(Box::new(named));
            }
            if let Some(own) = kept.take() {
                owner.keep_client_call(session, &wanted.id, call.clone(), own);
            }
            // At once: before it, a page that hangs up says nothing.
            owner.tell_client_call(session, &wanted.id, CallStatus::Trying, "");
        });
        if let Some(own) = kept {
            own.leg.close(&self.media);
        }
        placed.map(drop).map_err(|failure| failure.message)
    }

    fn keep_client_call(&mut self, session: &SessionId, id: &str, call: CallId, mut own: ClientCallLeg) {
        own.call = Some(call.clone());
        let Some(client) = self.clients.all.get_mut(session) else { return };
        client.calls.insert(id.to_owned(), own);
        self.clients.ids.insert(id.to_owned(), session.clone());
        self.clients.by_call.insert(call, (session.clone(), id.to_owned()));
    }

    fn refuse_client_call(&mut self, session: &SessionId, wanted: &ClientCall, info: &str) {
        let is_used = self.clients.ids.get(&wanted.id).is_some_and(|owner| owner == session);
        if wanted.id.is_empty() || is_used {
            return self.tell_client_failed(session, EVENT, None, info);
        }
        let Some(client) = self.clients.all.get(session) else { return };
        let view = ClientCallView {
            node_id: self.hooks.node_id().to_owned(),
            app_key: client.app_key.clone(),
            session_id: session.as_str().to_owned(),
            call_id: wanted.id.clone(),
            incoming: false,
            status: CallStatus::Failed,
            sip_status: None,
            info: text::shown(info),
            caller: client.login.clone(),
            callee: wanted.callee.clone(),
            visible_name: wanted.visible_name.clone(),
            has_audio: true,
            has_video: false,
            media_provider: "WebRTC",
            is_msrp: false,
            hold_for_transfer: false,
            sip_message_raw: None,
            custom: wanted.custom.clone(),
        };
        self.tell_client(session, ClientNews::Call(Box::new(view)));
    }

    /// Towards the client, as browsers have it: ICE, DTLS, one port.
    fn open_client_leg(&mut self, session: &SessionId) -> Result<Leg, String> {
        let remote = self.clients.all.get(session).map(|client| client.remote);
        let remote = remote.ok_or("Session does not exist")?;
        let address =
            reachable_from(remote).map_err(|error| format!("there is no way to the client: {error}"))?;
        let codecs =
            leg::capabilities(&AudioSettings::default().codecs).map_err(|failure| failure.message)?;
        let (first_port, id) = (self.settings.get().network.rtp_port, self.new_leg());
        let opening = Opening { id, address, first_port, codecs, policy: Policy::of_client() };
        Leg::open(opening, &self.media).map_err(|failure| failure.message)
    }

    /// Where it is reached through a NAT in front of this machine.
    fn advertise(&self, leg: &mut Leg) {
        let own = leg.address();
        let mut advertised = self.streams.place().advertise.iter();
        if let Some(ip) = advertised.find(|ip| ip.is_ipv4() == own.is_ipv4()) {
            leg.advertise(*ip);
        }
    }

    /// What a client asks of one of its calls.
    pub(super) fn on_client_call_ask(
        &mut self,
        session: &SessionId,
        id: &str,
        ask: impl FnOnce(&mut Self, &CallId) -> Result<Reply, sidetone_api::Failure>,
    ) {
        let found = self.clients.all.get(session).and_then(|client| client.calls.get(id)?.call.clone());
        let Some(call) = found else {
            return self.tell_client_failed(session, EVENT, None, "there is no such call");
        };
        if let Err(failure) = ask(self, &call) {
            self.tell_client_failed(session, EVENT, None, &failure.message);
        }
    }

    pub(super) fn client_sends_dtmf(&mut self, session: &SessionId, id: &str, kind: &str, dtmf: &str) {
        let mode = match kind {
            "INFO_RELAY" => DtmfMode::Info,
            "INFO" => {
                return self.on_client_call_ask(session, id, |owner, call| {
                    owner.gate_dtmf(call, dtmf, "INFO", |owner, call, keys| owner.send_plain_info(call, keys))
                });
            }
            _ => DtmfMode::Rfc4733,
        };
        let name = if mode == DtmfMode::Info { "INFO_RELAY" } else { "RFC2833" };
        self.on_client_call_ask(session, id, |owner, call| {
            owner.gate_dtmf(call, dtmf, name, move |owner, call, keys| owner.send_dtmf_by(call, keys, mode))
        });
    }

    /// Joins a client's call to its leg as the devices would be.
    pub(in super::super) fn sound_for_client(&mut self, call_id: &CallId, join: Join) {
        let Some((session, id)) = self.clients.by_call.get(call_id).cloned() else {
            return self.sound_for_rest(call_id, join);
        };
        if matches!(join, Join::Devices | Join::Conference) {
            self.answer_client_leg(&session, &id, call_id);
        }
        let own = self.clients.all.get(&session).and_then(|client| client.calls.get(&id));
        let (Some(own), Some(call)) = (own, self.calls.get_mut(call_id)) else { return };
        let Some(leg) = call.leg.as_ref().map(|leg| leg.id) else { return };
        let (far, near) = match join {
            Join::Devices | Join::Conference => (Join::Leg(own.leg.id), Join::Leg(leg)),
            other => (other, Join::Nothing),
        };
        if call.is_joined_anew(far) {
            call.leg.iter().for_each(|leg| leg.join(far, &self.media));
            own.leg.join(near, &self.media);
        }
    }

    /// Once, when it is known what the far end speaks: in that, where the client speaks it too.
    fn answer_client_leg(&mut self, session: &SessionId, id: &str, call_id: &CallId) {
        let far = self.calls.get(call_id).and_then(|call| call.leg.as_ref());
        let (codec, video) = (far.and_then(Leg::codec), far.and_then(Leg::video_codec));
        let media = &self.media;
        let found = self.clients.all.get_mut(session).and_then(|client| client.calls.get_mut(id));
        let Some(own) = found else { return };
        let Some(offer) = own.offer.take() else { return };
        own.leg.answer_video_in(video.as_ref());
        match own.leg.answer_in(codec.as_ref(), &offer, media) {
            Ok(sdp) => {
                let sdp = String::from_utf8_lossy(&sdp).into_owned();
                self.tell_client(
                    session,
                    ClientNews::Description { id: id.to_owned(), sdp, is_answer: true },
                );
            }
            Err(refused) => {
                tracing::warn!("a client's call has no common codec: {}", refused.text);
                self.fail_call(call_id, NO_CODECS);
            }
        }
    }

    /// Whose client this leg is.
    pub(in super::super) fn call_of_client_leg(&self, leg: LegId) -> Option<CallId> {
        let mut all = self.clients.all.values().flat_map(|client| client.calls.values());
        all.find(|own| own.leg.id == leg)?.call.clone()
    }

    /// The engine's call has ended, or the client has gone.
    pub(super) fn forget_client_call(&mut self, session: &SessionId, id: &str) {
        let found = self.clients.all.get_mut(session).and_then(|client| client.calls.remove(id));
        let Some(own) = found else { return };
        self.clients.ids.remove(id);
        if let Some(call) = &own.call {
            self.clients.by_call.remove(call);
        }
        own.leg.close(&self.media);
    }

    pub(super) fn end_client_calls(&mut self, session: &SessionId) {
        let calls = |client: &Client| {
            client.calls.iter().map(|(id, own)| (id.clone(), own.call.clone())).collect::<Vec<_>>()
        };
        for (id, call) in self.clients.all.get(session).map(calls).unwrap_or_default() {
            if let Some(call) = call {
                let _ = self.hang_up(&call);
            }
            self.forget_client_call(session, &id);
        }
    }
}

/// Of ours, as a client sees us: not by loopback where there is another way, as browsers may not speak to loopback.
fn reachable_from(remote: SocketAddr) -> std::io::Result<IpAddr> {
    let outside = SocketAddr::from(([192, 0, 2, 1], 9));
    let towards = if remote.ip().is_loopback() { outside } else { remote };
    local_address_towards(towards, None)
        .ok()
        .filter(|ip| !ip.is_unspecified())
        .map_or_else(|| local_address_towards(remote, None), Ok)
}
