//! Somebody calls.

use super::{
    super::{
        Owner, hooks,
        leg::{Refused, VideoWish, every_video_codec, offers_video},
        policy::Verdict,
        text,
        view::new_id,
    },
    Call, MAX_CALLS, MAX_RINGING, MOST_OF_CLIENTS, MOST_RINGING_CLIENTS,
    placing::terms,
};
use crate::{
    hooks::{Fields, Hook, Verdict as OfBackend},
    io::clock,
};
use sidetone_api::{CallDirection, CallId, CallStatus, NoticeLevel, SessionId};
use sidetone_sip::identity;
use sidetone_sip::message::{Headers, NameAddr, Uri};
use sidetone_sip::{Hop, RegistrationId};
use std::time::{Duration, Instant};

const BAD_REQUEST: u16 = 400;
const FORBIDDEN: u16 = 403;
const NOT_FOUND: u16 = 404;
const GONE: u16 = 481;
const TEMPORARILY_UNAVAILABLE: u16 = 480;
const BUSY_HERE: u16 = 486;
const SERVICE_UNAVAILABLE: u16 = 503;
/// Of the caller's URI. It is shown, kept in the history, and called back.
const LONGEST_CALLER: usize = 1024;

/// How long after a call for help the emergency service calls back.
const CALLING_BACK: Duration = Duration::from_secs(4 * 60 * 60);

/// An INVITE to one of our accounts.
pub(in super::super) struct Arrival {
    pub(in super::super) sip: sidetone_sip::CallId,
    pub(in super::super) from: NameAddr,
    pub(in super::super) request_uri: Uri,
    pub(in super::super) offer: Option<Vec<u8>>,
    pub(in super::super) hop: Hop,
    pub(in super::super) headers: Headers,
    /// The call that it wants to replace.
    pub(in super::super) replaces: Option<sidetone_sip::CallId>,
    pub(in super::super) registration: Option<RegistrationId>,
}

/// A call that the backend has yet to decide on: the caller knows that we have its INVITE, and nobody else knows of it.
pub(in super::super) struct Arriving {
    call: Call,
    sip: sidetone_sip::CallId,
    offer: Option<Vec<u8>>,
    hop: Hop,
    answer_after: Option<Duration>,
    forward_after: Option<(Duration, Uri)>,
}

impl Owner {
    /// Rings, or refuses what cannot be taken.
    pub(in super::super) fn on_incoming(&mut self, arrival: Arrival) {
        let sip = arrival.sip;
        let replaced = arrival.replaces.and_then(|replaced| self.replaced_call(replaced));
        let too_long = arrival.from.uri.to_string().len() > LONGEST_CALLER;
        let taken = match (arrival.replaces, replaced) {
            _ if too_long => Err(Refused { status: BAD_REQUEST, text: "From is too long".into() }),
            (Some(_), None) => Err(Refused { status: GONE, text: "Call/Transaction Does Not Exist".into() }),
            (_, Some(replaced)) => self.ask_to_take_over(replaced, arrival),
            (None, None) => self.ring_here(arrival),
        };
        self.refuse_untaken(sip, taken);
    }

    fn ring_here(&mut self, arrival: Arrival) -> Result<(), Refused> {
        let Arrival { sip, from, request_uri, offer, hop, registration, headers, .. } = arrival;
        let refused = |status, text: &str| Refused { status, text: text.into() };
        if self.farewell.is_some() {
            return Err(refused(SERVICE_UNAVAILABLE, "Service Unavailable"));
        }
        let arriving = self.arriving.len();
        let ringing = self.calls.values().filter(|call| call.is_ringing_here()).count() + arriving;
        if self.calls.len() + arriving >= MAX_CALLS || ringing >= MAX_RINGING {
            return Err(refused(BUSY_HERE, "Busy Here"));
        }
        let session = self.session_called(&request_uri, registration);
        let session = session.ok_or_else(|| refused(NOT_FOUND, "Not Found"))?;
        let unavailable = |failure: sidetone_api::Failure| refused(SERVICE_UNAVAILABLE, &failure.message);
        let id = CallId::new(new_id("c").map_err(unavailable)?);
        let Some(session) = self.sessions.get(&session) else {
            return Err(refused(NOT_FOUND, "Not Found"));
        };
        if session.is_of_client() && (self.have_clients_enough_calls() || self.do_enough_clients_ring()) {
            return Err(refused(BUSY_HERE, "Busy Here"));
        }
        if let Err(status) = self.phone.ua.set_terms(Instant::now(), sip, terms(&session.account)) {
            tracing::info!(
                "incoming call refused: {status}, for what the account says of reliable responses"
            );
            return Ok(());
        }
        // Only our own server may vouch for the caller.
        let is_trusted = session.server.is_some_and(|server| server.ip() == hop.remote.ip());
        let asserted = identity::asserted_identity(&headers, is_trusted);
        let is_asserted = asserted.is_some();
        let from = asserted.map_or(from.clone(), |asserted| NameAddr {
            display: asserted.display.or(from.display),
            ..asserted
        });
        if from.uri.to_string().len() > LONGEST_CALLER {
            return Err(refused(BAD_REQUEST, "the caller's identity is too long"));
        }
        let calls_back = self.calls_back(&from, is_asserted);
        if session.refused && !calls_back {
            return Err(refused(FORBIDDEN, "Forbidden"));
        }
        if self.is_client_away(&session.id) {
            return Err(refused(TEMPORARILY_UNAVAILABLE, "Temporarily Unavailable"));
        }
        let verdict = self.judge(session, &from, &headers);
        let mut call = Call::new(id, session, CallDirection::Incoming, from);
        call.diverted_by = diverted_by(&headers);
        call.emergency = calls_back;
        let (answer_after, forward_after) = match verdict {
            Verdict::Ring { answer_after, forward_after } => (answer_after, forward_after),
            Verdict::Forward(to) => {
                self.phone.ua.redirect(Instant::now(), sip, std::slice::from_ref(&to));
                self.keep_unrung(call, &format!("302 forwarded to {to}"));
                return Ok(());
            }
            Verdict::Busy(why) => {
                self.keep_unrung(call, &format!("{BUSY_HERE} {why}"));
                return Err(refused(BUSY_HERE, "Busy Here"));
            }
        };
        call.client = self.call_of_client(&call.session_id, &call.id).map(|mut client| {
            (client.caller, client.callee) = call.parties_shown();
            Box::new(client)
        });
        call.has_offered_video = offer.as_deref().is_some_and(offers_video);
        let arriving = Arriving { call, sip, offer, hop, answer_after, forward_after };
        self.ask_to_ring(arriving)
    }

    /// Whether it is the emergency service that calls. Anybody may say so in From: that counts after a call for help alone.
    fn calls_back(&self, from: &NameAddr, is_asserted: bool) -> bool {
        let is_of_help =
            from.uri.user_text().is_some_and(|user| self.settings.dial_plan().is_emergency(&user));
        let has_called = self.called_for_help.is_some_and(|at| at.elapsed() < CALLING_BACK);
        is_of_help && (is_asserted || has_called)
    }

    /// Another far end calls into a call of ours: the backend has its say as of any caller.
    fn ask_to_take_over(&mut self, id: CallId, arrival: Arrival) -> Result<(), Refused> {
        let gone = || Refused { status: GONE, text: "Call/Transaction Does Not Exist".into() };
        let call = self.calls.get(&id).ok_or_else(gone)?;
        let caller = &arrival.from;
        let more = [
            ("incoming", true.into()),
            ("status", "PENDING".into()),
            ("caller", caller.uri.to_string().into()),
            ("visibleName", caller.display.clone().into()),
        ];
        let more = more.into_iter().map(|(name, value): (&str, serde_json::Value)| (name.to_owned(), value));
        let (session, fields) = call.fields(more.collect());
        if call.emergency {
            self.tell(Hook::OnCallEvent, &session, id.as_str(), fields);
            return self.take_over(&id, arrival);
        }
        if !self.must_ask(Hook::OnCallEvent, &session) {
            return self.take_over(&id, arrival);
        }
        let (sip, object) = (arrival.sip, id.as_str().to_owned());
        self.replacing.insert(sip);
        self.gate(Hook::OnCallEvent, &session, &object, fields, move |owner, verdict| {
            if !owner.replacing.remove(&sip) {
                return;
            }
            let taken = match verdict {
                OfBackend::Go(_) => owner.take_over(&id, arrival),
                OfBackend::Refused { .. } => Err(Refused { status: FORBIDDEN, text: "Forbidden".into() }),
            };
            owner.refuse_untaken(sip, taken);
        });
        Ok(())
    }

    fn refuse_untaken(&mut self, sip: sidetone_sip::CallId, taken: Result<(), Refused>) {
        if let Err(Refused { status, text }) = taken {
            tracing::info!("incoming call refused: {status} {text}");
            self.phone.ua.reject(Instant::now(), sip, status, &text);
        }
    }

    /// Before anybody is told. Who calls back after a call for help waits for nobody.
    fn ask_to_ring(&mut self, arriving: Arriving) -> Result<(), Refused> {
        let (call, sip) = (&arriving.call, arriving.sip);
        let calls_back = call.emergency;
        let sdp = arriving.offer.as_ref().map(|offer| String::from_utf8_lossy(offer).into_owned());
        let more = sdp.map(|sdp| ("sdp".to_owned(), sdp.into()));
        let (session, fields) = call.fields(more.into_iter().collect());
        let id = call.id.as_str().to_owned();
        if calls_back || !self.must_ask(Hook::OnCallEvent, &session) {
            if calls_back {
                self.tell(Hook::OnCallEvent, &session, &id, fields);
            }
            return self.take_in(arriving);
        }
        self.arriving.insert(sip, arriving);
        let of_session = session.clone();
        self.gate(Hook::OnCallEvent, &session, &id, fields, move |owner, verdict| {
            let Some(mut arriving) = owner.arriving.remove(&sip) else { return };
            let taken = match verdict {
                OfBackend::Go(mut fields) => {
                    fields.retain(|field, _| !owner.hooks.hides(&of_session, Hook::OnCallEvent, field));
                    arriving.call.change_arriving(&fields);
                    owner.take_in(arriving)
                }
                OfBackend::Refused { info } => {
                    if arriving.call.client.is_some() {
                        owner.tell_client_of_call(&of_session, &info);
                    }
                    owner.keep_unrung(arriving.call, &format!("{FORBIDDEN} {info}"));
                    Err(Refused { status: FORBIDDEN, text: "Forbidden".into() })
                }
            };
            owner.refuse_untaken(sip, taken);
        });
        Ok(())
    }

    /// The caller did not wait for the backend.
    pub(super) fn on_arriving_ended(&mut self, sip: sidetone_sip::CallId, info: &str) {
        self.replacing.remove(&sip);
        let Some(Arriving { mut call, .. }) = self.arriving.remove(&sip) else { return };
        call.status = CallStatus::Finish;
        call.info = text::shown(info);
        self.add_history(call.entry());
    }

    /// At the end of the engine.
    pub(in super::super) fn refuse_arriving(&mut self) {
        let arriving = std::mem::take(&mut self.arriving).into_keys();
        for sip in arriving.chain(std::mem::take(&mut self.replacing)) {
            self.phone.ua.reject(Instant::now(), sip, SERVICE_UNAVAILABLE, "Service Unavailable");
        }
    }

    fn take_in(&mut self, arriving: Arriving) -> Result<(), Refused> {
        let Arriving { mut call, sip, offer, hop, answer_after, forward_after } = arriving;
        let refused = |status, text: &str| Refused { status, text: text.into() };
        let unavailable = |failure: sidetone_api::Failure| refused(SERVICE_UNAVAILABLE, &failure.message);
        let id = call.id.clone();
        let session = self.sessions.get(&call.session_id).filter(|session| !session.is_closing());
        let session = session.ok_or_else(|| refused(NOT_FOUND, "Not Found"))?;
        if session.refused && !call.emergency {
            return Err(refused(FORBIDDEN, "Forbidden"));
        }
        let account = session.account.clone();
        call.signalling = Some(self.phone.signalling(&hop));
        let mut leg = self.open_leg(&hop, &account).map_err(unavailable)?;
        if offer.as_deref().is_some_and(offers_video) && !call.is_ours() {
            self.pass_video_on(&mut leg, every_video_codec());
        } else if offer.as_deref().is_some_and(offers_video) {
            call.video = self.video_of_leg(&mut leg, VideoWish::See);
        }
        match offer.map(|offer| leg.prepare(&offer)).transpose() {
            Ok(prepared) => (call.sip, call.leg, call.prepared) = (Some(sip), Some(leg), prepared),
            Err(refused) => {
                leg.close(&self.media);
                let info = format!("a call from {} could not be taken: {}", call.caller.uri, refused.text);
                self.notice(NoticeLevel::Warning, &info, None);
                return Err(refused);
            }
        }
        let on_call = call.arrival();
        let now = Instant::now();
        call.due.answer = answer_after.map(|after| now + after);
        call.auto_answer_at = answer_after.map(|after| clock::wallclock_ms() + after.as_millis() as u64);
        call.due.forward = forward_after.map(|(after, to)| (now + after, to));
        self.calls.insert(id.clone(), call);
        self.gather_for_answer(&id);
        self.publish(on_call);
        self.phone.ua.ring(Instant::now(), sip);
        self.set_status(&id, CallStatus::Ring, "180 Ringing");
        self.want_devices();
        Ok(())
    }

    fn do_enough_clients_ring(&self) -> bool {
        let ringing = self.calls.values().filter(|call| call.for_client && call.is_ringing_here()).count();
        ringing + self.clients_arriving() >= MOST_RINGING_CLIENTS
    }

    fn clients_arriving(&self) -> usize {
        self.arriving.values().filter(|arriving| arriving.call.for_client).count()
    }

    /// They leave the rest to the user.
    pub(super) fn have_clients_enough_calls(&self) -> bool {
        let calls = self.calls.values().filter(|call| call.for_client).count();
        calls + self.clients_arriving() >= MOST_OF_CLIENTS
    }

    /// A call that a rule has dealt with: nobody was disturbed, and it is in the history.
    pub(super) fn keep_unrung(&mut self, mut call: Call, info: &str) {
        call.status = CallStatus::Finish;
        call.info = text::shown(info);
        call.hung_up = true;
        self.add_history(call.entry());
    }

    /// The session whose contact was called, or one whose user part it is, where the caller came without a registrar. Any page may
    /// take a name for its client: one of ours goes first, and of clients only one that nobody else can be mistaken for.
    pub(in super::super) fn session_called(
        &self,
        request_uri: &Uri,
        registration: Option<RegistrationId>,
    ) -> Option<SessionId> {
        let open = || self.sessions.values().filter(|session| !session.is_closing());
        let user = request_uri.user_text();
        let by_contact = registration.and_then(|id| open().find(|session| session.registration == Some(id)));
        let of_user = || open().filter(|session| user.is_some() && session.aor.uri.user_text() == user);
        let by_user = || {
            let mut clients = of_user().filter(|session| session.is_of_client());
            let only = clients.next().filter(|_| clients.next().is_none());
            let ours = of_user().filter(|session| !session.is_of_client());
            ours.min_by_key(|session| session.refused).or(only)
        };
        by_contact.or_else(by_user).map(|session| session.id.clone())
    }
}

impl Call {
    /// As the backend wants the called one to see it.
    fn change_arriving(&mut self, fields: &Fields) {
        if let Some(name) = hooks::changed(fields, "visibleName") {
            self.caller.display = Some(text::shown(name));
        }
        if let Some(callee) = hooks::changed(fields, "callee") {
            self.shown_callee = Some(text::shown(callee));
        }
    }
}

/// Who sent the call here, as it may be shown.
fn diverted_by(headers: &Headers) -> String {
    identity::diverted_by(headers).map(|by| text::shown(&by.uri.to_string())).unwrap_or_default()
}
