//! Calls that arrive at the exchange, and what becomes of them.

use super::{
    super::{
        Owner,
        call::{read_info, write_info},
        leg::{Leg, Refused, VideoWish, every_video_codec, offers_video},
        media_control,
    },
    MAX_KNOWN, Role, SERVICE_UNAVAILABLE,
    room::PREFIX,
    transfer::Referral,
};
use crate::io::media::{Ask, Join, LegId};
use sidetone_api::CallStatus;
use sidetone_sdp::Capability;
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{CallEvent, CallId, Event, Hop};
use std::time::Instant;

const NOT_FOUND: u16 = 404;

/// An incoming INVITE, as far as the exchange needs it.
#[derive(Debug)]
pub(super) struct Arrival {
    pub(super) call: CallId,
    pub(super) from: NameAddr,
    pub(super) to: Uri,
    pub(super) offer: Option<Vec<u8>>,
    pub(super) hop: Hop,
    /// So that a contact that leads back here does not ring for ever.
    pub(super) max_forwards: u8,
}

impl Owner {
    pub(in super::super) fn on_exchange_event(&mut self, event: Event) {
        match event {
            Event::Incoming { call, from, request_uri, headers, offer, hop, replaces, .. } => {
                let max_forwards = headers.max_forwards().ok().flatten().unwrap_or(70);
                let arrival = Arrival { call, from, to: request_uri, offer, hop, max_forwards };
                self.ask_to_arrive(arrival, replaces);
            }
            Event::Call { call, event } => self.on_exchange_call(call, event),
            Event::BindingsChanged { user, bindings } => {
                self.tell_of_bindings(&user, &bindings);
                let contacts: Vec<String> =
                    bindings.iter().map(|binding| binding.contact.to_string()).collect();
                if contacts.is_empty() {
                    self.exchange.extensions.remove(&user);
                } else {
                    if self.exchange.known.len() < MAX_KNOWN {
                        self.exchange.known.insert(user.clone());
                    }
                    self.exchange.extensions.insert(user, contacts);
                }
                self.publish_gateway();
            }
            Event::MessageReceived(message) => self.ask_about_message(message),
            Event::MessageAnswered { id, status, reason } => {
                self.exchange.on_message_answered(id, status, reason);
                self.tell_of_messages();
            }
            _ => {}
        }
    }

    pub(super) fn on_arrival(&mut self, arrival: Arrival) -> Result<(), Refused> {
        match arrival.to.user_text().as_deref() {
            Some("echo") => self.serve(arrival, Join::Echo),
            Some("tone") => self.serve(arrival, Join::Tone),
            Some(user) if user.starts_with(PREFIX) => {
                self.arrive_in_room(arrival, user.strip_prefix(PREFIX).unwrap_or_default())
            }
            Some(user) => self.ask_to_ring_phones(arrival, user),
            None => Err(Refused { status: NOT_FOUND, text: "Not Found".into() }),
        }
    }

    /// A local destination answers at once and is joined to itself or to a tone.
    fn serve(&mut self, arrival: Arrival, join: Join) -> Result<(), Refused> {
        let mut leg = self.open_exchange_leg(&arrival.hop)?;
        if join == Join::Echo && arrival.offer.as_deref().is_some_and(offers_video) {
            self.add_video(&mut leg, every_video_codec());
        }
        let sdp = match &arrival.offer {
            Some(offer) => leg.answer(offer, &self.media).inspect_err(|_| leg.close(&self.media))?,
            None => leg.offer(),
        };
        leg.join(join, &self.media);
        if let Some(agent) = &mut self.exchange.agent {
            agent.ua.answer(Instant::now(), arrival.call, sdp);
        }
        self.exchange.calls.insert(arrival.call, Role::Service(leg, join));
        self.set_phone_status(arrival.call, CallStatus::Established, "200 OK");
        Ok(())
    }

    fn on_exchange_call(&mut self, call: CallId, event: CallEvent) {
        if let CallEvent::Ended { cause } = &event {
            self.exchange.arriving.remove(&call);
            self.on_phone_call_ended(call, cause);
            if self.leaves_before_its_successor(call) {
                return;
            }
        }
        match (self.exchange.calls.get(&call), event) {
            (None, _) => {}
            (Some(Role::Service(..)), CallEvent::Ended { .. }) => {
                if let Some(Role::Service(leg, _)) = self.exchange.calls.remove(&call) {
                    leg.close(&self.media);
                }
            }
            (Some(Role::Room(_)), CallEvent::Ended { .. }) => self.on_phone_in_room_ended(call),
            (Some(Role::Target(id)), CallEvent::Ended { cause }) => self.on_target_ended(*id, call, &cause),
            (Some(Role::Target(id)), CallEvent::Provisional { status, reason, .. }) => {
                self.on_target_provisional(*id, status, &reason);
            }
            (Some(Role::Target(id)), CallEvent::Answered { sdp, .. }) => {
                self.ask_target_to_answer(*id, call, sdp);
            }
            (Some(_), CallEvent::ReferRequested { target, replaces, referred_by }) => {
                self.on_exchange_referred(call, Referral { target, replaces, referred_by });
            }
            (Some(_), CallEvent::Info { content_type, body }) => {
                self.on_exchange_info(call, &content_type, &body)
            }
            (Some(Role::Caller(id)), CallEvent::Ended { cause }) => self.on_caller_ended(*id, call, &cause),
            (Some(Role::Callee(id)), CallEvent::Ended { cause }) => self.on_callee_ended(*id, call, cause),
            (Some(Role::Callee(id)), CallEvent::Provisional { status, reason, sdp, .. }) => {
                let id = *id;
                self.on_callee_provisional(id, call, status, sdp);
                self.tell_of_progress(id, call, status, &reason);
            }
            (Some(Role::Callee(id)), CallEvent::Answered { sdp, .. }) => self.ask_to_answer(*id, call, sdp),
            (Some(_), CallEvent::Confirmed { sdp: Some(sdp) }) => self.exchange_take_answer(call, &sdp),
            (Some(_), CallEvent::ReofferAnswered { sdp }) => {
                self.exchange_take_answer(call, &sdp);
                self.on_hold_passed(call, None);
            }
            (Some(_), CallEvent::ReofferFailed { cause }) => self.on_hold_passed(call, Some(&cause)),
            (Some(_), CallEvent::Reoffer { offer }) => self.ask_to_reoffer(call, offer),
            (Some(_), _) => {}
        }
    }

    /// A key that came by INFO goes on as the other end takes it, once the backend lets it.
    fn on_exchange_info(&mut self, call: CallId, content_type: &str, body: &[u8]) {
        if media_control::asks_for_key_frame(content_type, body) {
            let leg = self.exchange.leg_of(call).map(|leg| leg.id);
            leg.into_iter().for_each(|leg| self.media.ask(Ask::KeyFrame { leg }));
        }
        if let Some(digit) = read_info(content_type, body) {
            self.ask_to_send_key(call, digit);
        }
    }

    /// A key of one end of a bridge, to the other.
    pub(in super::super) fn send_key(&mut self, from: CallId, digit: char) {
        if let Some(Role::Room(in_room)) = self.exchange.calls.get(&from) {
            let id = in_room.id.clone();
            return self.on_phone_key(&id, digit);
        }
        let Some(Role::Caller(id) | Role::Callee(id)) = self.exchange.calls.get(&from) else { return };
        let Some(other) = self.exchange.bridges.get_mut(id).and_then(|bridge| bridge.opposite(from)) else {
            return;
        };
        let (leg, call) = (other.leg.id, other.call);
        if other.leg.negotiated().is_some_and(|negotiated| negotiated.dtmf.is_some()) {
            return self.media.ask(Ask::SendDtmf { leg, digits: digit.into() });
        }
        match &mut self.exchange.agent {
            Some(agent) if agent.ua.takes_info(call) => {
                let (content_type, body) = write_info(digit);
                agent.ua.info(Instant::now(), call, content_type, body);
            }
            _ => self.media.ask(Ask::SendTones { leg, digits: digit.into() }),
        }
    }

    /// A peer that takes no RTCP feedback is asked for a key frame by INFO (RFC 5168).
    pub(in super::super) fn on_key_frame_wanted(&mut self, video: LegId) {
        let calls: Vec<CallId> = self.exchange.calls.keys().copied().collect();
        let is_it = |leg: &mut Leg| leg.video_id() == Some(video);
        let found = calls.into_iter().find(|call| self.exchange.leg_of(*call).is_some_and(is_it));
        if let (Some(call), Some(agent)) = (found, &mut self.exchange.agent)
            && agent.ua.takes_info(call)
        {
            let (content_type, body) = media_control::key_frame();
            agent.ua.info(Instant::now(), call, content_type, body);
        }
    }

    /// Gives a leg video; where there is no port for it, it goes on without.
    pub(super) fn add_video(&mut self, leg: &mut Leg, codecs: Vec<Capability>) {
        let first_port = self.settings.get().network.rtp_port;
        let id = self.new_leg();
        if let Err(failure) = leg.open_video(id, first_port, codecs, &self.media) {
            tracing::warn!("a call goes on without video: {failure}");
        }
    }

    /// A re-INVITE changes the leg that it came on: address, codec or direction. A hold is passed on, and so is video.
    pub(super) fn exchange_reoffer(&mut self, call: CallId, offer: Option<Vec<u8>>) {
        let adds_video = offer.as_deref().is_some_and(offers_video);
        if adds_video && let Some(Role::Service(_, Join::Echo)) = self.exchange.calls.get(&call) {
            self.give_video(call);
        }
        if adds_video && let Some(Role::Room(_)) = self.exchange.calls.get(&call) {
            self.give_video(call);
            self.exchange.leg_of(call).into_iter().for_each(|leg| leg.want_video(VideoWish::See));
        }
        if !offer.as_deref().is_some_and(|offer| self.pass_video(call, offer)) {
            self.answer_reoffer(call, offer);
        }
    }

    pub(super) fn answer_reoffer(&mut self, call: CallId, offer: Option<Vec<u8>>) {
        let codec = self.exchange.codec_opposite(call);
        let Some(leg) = self.exchange.leg_of(call) else { return };
        let result = match offer {
            Some(offer) => leg.answer_in(codec.as_ref(), &offer, &self.media),
            None => Ok(leg.offer()),
        };
        let Some(agent) = &mut self.exchange.agent else { return };
        match result {
            Ok(sdp) => agent.ua.answer(Instant::now(), call, sdp),
            Err(refused) => agent.ua.reject(Instant::now(), call, refused.status, &refused.text),
        }
        self.rejoin_room(call);
        self.pass_hold(call);
        self.tell_of_holds(call);
    }

    fn exchange_take_answer(&mut self, call: CallId, sdp: &[u8]) {
        let Some(leg) = self.exchange.leg_of(call) else { return };
        if let Err(refused) = leg.accept(sdp, &self.media)
            && let Some(agent) = &mut self.exchange.agent
        {
            agent.ua.hang_up(Instant::now(), call, Some(&refused.text));
        }
        self.pass_hold(call);
        self.tell_of_holds(call);
    }

    pub(super) fn open_exchange_leg(&mut self, hop: &Hop) -> Result<Leg, Refused> {
        let refused = |text: String| Refused { status: SERVICE_UNAVAILABLE, text };
        self.open_leg_of_every_codec(hop).map_err(|failure| refused(failure.to_string()))
    }

    pub(super) fn exchange_reject(&mut self, call: CallId, refused: &Refused) {
        if let Some(agent) = &mut self.exchange.agent {
            agent.ua.reject(Instant::now(), call, refused.status, &refused.text);
        }
    }
}
