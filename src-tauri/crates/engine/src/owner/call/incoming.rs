//! Somebody calls.

use super::{
    super::{Owner, leg::Refused, view::new_id},
    Call, MAX_CALLS,
};
use sidetone_api::{CallDirection, CallId, CallStatus, Event, NoticeLevel, SessionId};
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{Hop, RegistrationId};
use std::time::Instant;

const BAD_REQUEST: u16 = 400;
const NOT_FOUND: u16 = 404;
const BUSY_HERE: u16 = 486;
const SERVICE_UNAVAILABLE: u16 = 503;
/// Of the caller's URI. It is shown, kept in the history, and called back.
const LONGEST_CALLER: usize = 1024;

/// An INVITE to one of our accounts.
pub(in super::super) struct Arrival {
    pub(in super::super) sip: sidetone_sip::CallId,
    pub(in super::super) from: NameAddr,
    pub(in super::super) request_uri: Uri,
    pub(in super::super) offer: Option<Vec<u8>>,
    pub(in super::super) hop: Hop,
    pub(in super::super) registration: Option<RegistrationId>,
}

impl Owner {
    /// Rings, or refuses what cannot be taken.
    pub(in super::super) fn on_incoming(&mut self, arrival: Arrival) {
        let sip = arrival.sip;
        if let Err(Refused { status, text }) = self.ring_here(arrival) {
            tracing::info!("incoming call refused: {status} {text}");
            self.phone.ua.reject(Instant::now(), sip, status, &text);
        }
    }

    fn ring_here(&mut self, arrival: Arrival) -> Result<(), Refused> {
        let Arrival { sip, from, request_uri, offer, hop, registration } = arrival;
        let refused = |status, text: &str| Refused { status, text: text.into() };
        if self.farewell.is_some() {
            return Err(refused(SERVICE_UNAVAILABLE, "Service Unavailable"));
        }
        if self.calls.len() >= MAX_CALLS {
            return Err(refused(BUSY_HERE, "Busy Here"));
        }
        if from.uri.to_string().len() > LONGEST_CALLER {
            return Err(refused(BAD_REQUEST, "From is too long"));
        }
        let session = self.session_called(&request_uri, registration);
        let session = session.ok_or_else(|| refused(NOT_FOUND, "Not Found"))?;
        let unavailable = |failure: sidetone_api::Failure| refused(SERVICE_UNAVAILABLE, &failure.message);
        let id = CallId::new(new_id("c").map_err(unavailable)?);
        let Some(session) = self.sessions.get(&session) else {
            return Err(refused(NOT_FOUND, "Not Found"));
        };
        let mut call = Call::new(id.clone(), session, CallDirection::Incoming, from);
        let mut leg = self.open_leg(hop.local.ip()).map_err(unavailable)?;
        match offer.map(|offer| leg.prepare(&offer)).transpose() {
            Ok(prepared) => (call.sip, call.leg, call.prepared) = (Some(sip), Some(leg), prepared),
            Err(refused) => {
                leg.close(&self.media);
                let info = format!("a call from {} could not be taken: {}", call.caller.uri, refused.text);
                self.notice(NoticeLevel::Warning, &info, None);
                return Err(refused);
            }
        }
        let on_call = Event::OnCallEvent {
            call_id: id.clone(),
            session_id: call.session_id.clone(),
            caller: call.caller.uri.to_string(),
            callee: call.callee.uri.to_string(),
            info: call.far_name(),
        };
        self.calls.insert(id.clone(), call);
        self.publish(on_call);
        self.phone.ua.ring(Instant::now(), sip);
        self.set_status(&id, CallStatus::Ring, "180 Ringing");
        self.want_devices();
        Ok(())
    }

    /// The session whose contact was called, or one whose user part it is, where the caller came without a registrar.
    fn session_called(&self, request_uri: &Uri, registration: Option<RegistrationId>) -> Option<SessionId> {
        let open = || self.sessions.values().filter(|session| !session.is_closing());
        let user = request_uri.user_text();
        let by_contact = registration.and_then(|id| open().find(|session| session.registration == Some(id)));
        let by_user = || open().find(|session| user.is_some() && session.aor.uri.user_text() == user);
        by_contact.or_else(by_user).map(|session| session.id.clone())
    }
}
