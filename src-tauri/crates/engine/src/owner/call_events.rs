//! Calls of the accounts: what the far end says of them.

use super::{Owner, call::Call, leg::Refused};
use crate::io::{clock, media::Join};
use sidetone_api::{CallDirection, CallId, CallStatus, Event, HistoryEntry, NoticeLevel, SessionId};
use sidetone_media::tone::CallProgress;
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{CallEvent, Cause, Event as SipEvent, Hop, RegistrationId, Side};
use std::time::Instant;

const NOT_FOUND: u16 = 404;

impl Owner {
    pub(super) fn on_phone_event(&mut self, event: SipEvent) {
        match event {
            SipEvent::Registered { id, expires, hop, .. } => self.on_registered(id, hop.to_string(), expires),
            SipEvent::RegistrationFailed { id, cause, kind, retry_in } => {
                self.on_registration_failed(id, &cause, kind, retry_in);
            }
            SipEvent::Unregistered { id, reason } => self.on_unregistered(id, &reason),
            SipEvent::OptionsAnswered { id, status, reason } => self.on_options_answered(id, status, &reason),
            SipEvent::Incoming { call, from, request_uri, offer, hop, registration, .. } => {
                let refused = self.on_incoming(call, from, &request_uri, offer, hop, registration);
                if let Err(Refused { status, text }) = refused {
                    tracing::info!("incoming call refused: {status} {text}");
                    self.phone.ua.reject(Instant::now(), call, status, &text);
                }
            }
            SipEvent::Call { call, event } => {
                let id = self.calls.values().find(|own| own.sip == Some(call)).map(|own| own.id.clone());
                if let Some(id) = id {
                    self.on_call_event(&id, call, event);
                }
            }
            SipEvent::BindingsChanged { .. } => {}
        }
    }

    fn on_incoming(
        &mut self,
        sip: sidetone_sip::CallId,
        from: NameAddr,
        request_uri: &Uri,
        offer: Option<Vec<u8>>,
        hop: Hop,
        registration: Option<RegistrationId>,
    ) -> Result<(), Refused> {
        let refused = |status, text: String| Refused { status, text };
        let session = self.session_called(request_uri, registration);
        let session = session.ok_or_else(|| refused(NOT_FOUND, "Not Found".into()))?;
        let id = super::view::new_id("c").map_err(|failure| refused(503, failure.to_string()))?;
        let id = CallId::new(id);
        let mut leg = self.open_leg(hop.local.ip()).map_err(|failure| refused(503, failure.to_string()))?;
        let prepared = match offer.map(|offer| leg.answer(&offer, &self.media)).transpose() {
            Ok(prepared) => prepared,
            Err(refused) => {
                leg.close(&self.media);
                let info = format!("a call from {} could not be taken: {}", from.uri, refused.text);
                self.notice(NoticeLevel::Warning, info, None);
                return Err(refused);
            }
        };
        let Some(session) = self.sessions.get(&session) else {
            return Err(refused(NOT_FOUND, "Not Found".into()));
        };
        let mut call = Call::new(id.clone(), session, CallDirection::Incoming, from);
        (call.sip, call.leg, call.prepared) = (Some(sip), Some(leg), prepared);
        let on_call = Event::OnCallEvent {
            call_id: id.clone(),
            session_id: call.session_id.clone(),
            caller: call.caller.uri.to_string(),
            callee: call.callee.uri.to_string(),
            info: call.far().display.clone().unwrap_or_default(),
        };
        self.calls.insert(id.clone(), call);
        self.publish(on_call);
        self.phone.ua.ring(Instant::now(), sip);
        self.set_status(&id, CallStatus::Ring, "180 Ringing");
        self.want_devices();
        Ok(())
    }

    fn session_called(&self, request_uri: &Uri, registration: Option<RegistrationId>) -> Option<SessionId> {
        let by_registration = registration.and_then(|registration| {
            let mut sessions = self.sessions.values();
            sessions
                .find(|session| session.registration == Some(registration))
                .map(|session| session.id.clone())
        });
        by_registration.or_else(|| self.callee_uri_is_ours(request_uri))
    }

    fn on_call_event(&mut self, id: &CallId, sip: sidetone_sip::CallId, event: CallEvent) {
        match event {
            CallEvent::Trying => self.set_status(id, CallStatus::Trying, "100 Trying"),
            CallEvent::Provisional { status, reason, sdp, .. } => {
                self.on_provisional(id, status, &reason, sdp)
            }
            CallEvent::Answered { sdp, .. } => self.on_answered(id, sip, &sdp),
            CallEvent::Confirmed { sdp } => {
                if let Some(sdp) = sdp {
                    self.take_answer(id, sip, &sdp);
                }
            }
            CallEvent::Reoffer { offer } => self.on_reoffer(id, sip, offer),
            CallEvent::ReofferAnswered { sdp } => self.take_answer(id, sip, &sdp),
            CallEvent::ReofferFailed { cause } => {
                self.notice(
                    NoticeLevel::Warning,
                    format!("the far end refused a change: {cause}"),
                    Some(id.clone()),
                );
            }
            CallEvent::Ended { cause } => self.on_ended(id, &cause),
        }
    }

    fn on_provisional(&mut self, id: &CallId, code: u16, reason: &str, sdp: Option<Vec<u8>>) {
        if let Some(sdp) = sdp {
            self.play_early_media(id, &sdp);
        }
        let info = format!("{code} {reason}");
        match code {
            180 => self.set_status(id, CallStatus::Ring, &info),
            183 => self.set_status(id, CallStatus::SessionProgress, &info),
            _ => {
                if let Some(call) = self.calls.get_mut(id) {
                    call.info = info;
                }
                self.publish_call(id);
            }
        }
    }

    fn play_early_media(&mut self, id: &CallId, sdp: &[u8]) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(leg) = call.leg.as_mut().filter(|_| !call.hung_up) else { return };
        match leg.accept(sdp, &self.media) {
            Ok(()) => {
                leg.join(Join::Devices, &self.media);
                call.audible = true;
                self.update_tone();
            }
            // The final answer decides; early media that cannot be played is only missing.
            Err(refused) => tracing::debug!("early media: {}", refused.text),
        }
    }

    fn on_answered(&mut self, id: &CallId, sip: sidetone_sip::CallId, sdp: &[u8]) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(leg) = call.leg.as_mut() else { return };
        if let Err(refused) = leg.accept(sdp, &self.media) {
            call.hung_up = true;
            self.phone.ua.hang_up(Instant::now(), sip, Some(&refused.text));
            return self.end_call(id, CallStatus::Failed, format!("{} {}", refused.status, refused.text));
        }
        self.establish(id, "200 OK");
    }

    fn take_answer(&mut self, id: &CallId, sip: sidetone_sip::CallId, sdp: &[u8]) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(leg) = call.leg.as_mut() else { return };
        if let Err(refused) = leg.accept(sdp, &self.media) {
            call.hung_up = true;
            self.phone.ua.hang_up(Instant::now(), sip, Some(&refused.text));
            return self.end_call(id, CallStatus::Failed, format!("{} {}", refused.status, refused.text));
        }
        self.show_hold(id);
    }

    fn on_reoffer(&mut self, id: &CallId, sip: sidetone_sip::CallId, offer: Option<Vec<u8>>) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(leg) = call.leg.as_mut() else { return };
        let now = Instant::now();
        match offer.map(|offer| leg.answer(&offer, &self.media)).transpose() {
            Ok(Some(answer)) => self.phone.ua.answer(now, sip, answer),
            Ok(None) => {
                let offer = leg.offer();
                self.phone.ua.answer(now, sip, offer);
            }
            Err(refused) => return self.phone.ua.reject(now, sip, refused.status, &refused.text),
        }
        self.show_hold(id);
    }

    fn on_ended(&mut self, id: &CallId, cause: &Cause) {
        let Some(call) = self.calls.get(id) else { return };
        let status = match (cause.code, cause.by) {
            (486 | 600, Side::Remote) if call.direction == CallDirection::Outgoing => CallStatus::Busy,
            _ if call.hung_up => CallStatus::Finish,
            (_, Side::Remote) if call.is_established() => CallStatus::Finish,
            // The caller gave up, or another phone answered.
            (_, Side::Remote) if call.direction == CallDirection::Incoming => CallStatus::Finish,
            _ => CallStatus::Failed,
        };
        self.end_call(id, status, cause.to_string());
    }

    /// 200 sent or received: media runs both ways.
    pub(super) fn establish(&mut self, id: &CallId, info: &str) {
        let Some(call) = self.calls.get_mut(id) else { return };
        call.established_at = Some(clock::wallclock_ms());
        call.audible = true;
        if let Some(leg) = &call.leg {
            leg.join(Join::Devices, &self.media);
        }
        self.set_status(id, CallStatus::Established, info);
        self.want_devices();
        self.show_hold(id);
    }

    /// HOLD while the far end wants nothing from us, ESTABLISHED again afterwards.
    fn show_hold(&mut self, id: &CallId) {
        let Some(call) = self.calls.get(id).filter(|call| call.is_established()) else { return };
        let held =
            call.leg.as_ref().and_then(|leg| leg.negotiated()).is_some_and(|negotiated| negotiated.held);
        match (held, call.status) {
            (true, CallStatus::Established) => self.set_status(id, CallStatus::Hold, "held by the far end"),
            (false, CallStatus::Hold) => {
                self.set_status(id, CallStatus::Established, "resumed by the far end")
            }
            _ => self.publish_call(id),
        }
    }

    pub(super) fn set_status(&mut self, id: &CallId, status: CallStatus, info: &str) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let news = call.status != status || !call.announced;
        call.announced = true;
        call.status = status;
        info.clone_into(&mut call.info);
        let event = Event::CallStatusEvent {
            status,
            call_id: id.clone(),
            session_id: call.session_id.clone(),
            info: info.to_owned(),
        };
        if news {
            self.publish(event);
        }
        self.publish_call(id);
        self.update_tone();
    }

    /// The one place where calls end.
    pub(super) fn end_call(&mut self, id: &CallId, status: CallStatus, info: String) {
        self.set_status(id, status, &info);
        let Some(call) = self.calls.remove(id) else { return };
        if let Some(leg) = &call.leg {
            leg.close(&self.media);
        }
        let account = self.sessions.get(&call.session_id).map(|session| session.account.id.clone());
        let seconds = |since: u64| {
            u32::try_from(clock::wallclock_ms().saturating_sub(since) / 1000).unwrap_or(u32::MAX)
        };
        let entry = HistoryEntry {
            call_id: call.id.clone(),
            account_id: account.unwrap_or_else(|| sidetone_api::AccountId::new("")),
            direction: call.direction,
            remote: call.far().uri.to_string(),
            remote_name: call.far().display.clone().unwrap_or_default(),
            status,
            info,
            started_at: call.started_at,
            seconds: call.established_at.map(seconds),
        };
        self.history.push_front(entry.clone());
        self.history.truncate(super::HISTORY);
        self.publish(Event::HistoryAdded { entry });
        self.update_tone();
        self.want_devices();
    }

    /// What the user should hear besides voices: ringback, ringing.
    pub(super) fn update_tone(&mut self) {
        if !self.tones {
            return;
        }
        let mut tone = None;
        for call in self.calls.values().filter(|call| !call.hung_up) {
            match (call.direction, call.status) {
                (CallDirection::Incoming, CallStatus::Ring) => tone = Some(CallProgress::Ring),
                (CallDirection::Outgoing, CallStatus::Ring) if !call.audible => {
                    tone = tone.or(Some(CallProgress::Ringback));
                }
                _ => {}
            }
        }
        if tone == Some(CallProgress::Ring) && self.calls.values().any(Call::is_established) {
            tone = Some(CallProgress::CallWaiting);
        }
        self.desk.progress(tone, &self.media);
    }
}
