//! What phones at the exchange ask for, once the backend lets it. A phone is refused with 403.

use super::{
    super::{
        Owner,
        leg::{Refused, offers_hold},
        text,
    },
    FORBIDDEN, MAX_CALLS, SERVICE_UNAVAILABLE,
    bridge::BridgeId,
    guests::Called,
    incoming::Arrival,
    transfer::{Referral, TransferId},
};
use crate::{
    hooks::{Fields, Hook, Verdict},
    owner::{hooks::changed, target, wire},
};
use serde_json::Value;
use sidetone_api::CallStatus;
use sidetone_sip::{CallId, Cause, Side, message::Uri};
use std::time::Instant;

fn field(name: &str, value: &str) -> Fields {
    Fields::from_iter([(name.to_owned(), Value::String(text::shown(value)))])
}

fn with_sdp(offer: Option<&[u8]>) -> Fields {
    let sdp = offer.map(|offer| String::from_utf8_lossy(offer).into_owned());
    sdp.map(|sdp| Fields::from_iter([("sdp".to_owned(), sdp.into())])).unwrap_or_default()
}

/// For a phone: what the backend says.
fn forbidden(info: &str) -> Refused {
    Refused { status: FORBIDDEN, text: text::shown(info) }
}

/// A URI, or an extension.
fn destination(text: &str, like: &Uri) -> Result<Uri, String> {
    if text.contains(':') {
        return wire::sip_uri("callee", text).map_err(|failure| failure.message);
    }
    let mut uri = like.clone();
    uri.set_user_text(text);
    Ok(uri)
}

impl Owner {
    /// A call is asked about before it goes anywhere, calls for help are not.
    pub(super) fn ask_to_arrive(&mut self, mut arrival: Arrival, replaces: Option<CallId>) {
        let call = arrival.call;
        if self.farewell.is_some() || self.exchange.calls.len() + self.exchange.arriving.len() >= MAX_CALLS {
            let refused = Refused { status: SERVICE_UNAVAILABLE, text: "Service Unavailable".into() };
            return self.exchange_reject(call, &refused);
        }
        self.exchange.arriving.insert(call);
        if self.is_own_phone(arrival.hop.remote) {
            return self.arrive(arrival, replaces);
        }
        if let Some(phone) = self.phone_calls(&arrival) {
            self.exchange.phone_calls.add(phone, [call]);
        }
        let sdp = with_sdp(arrival.offer.as_deref());
        self.gate_phone(Hook::Call, call, sdp, move |owner, verdict| {
            let allowed = match verdict {
                Verdict::Go(fields) => owner.change_arrival(&mut arrival, &fields),
                Verdict::Refused { info } => Err(info),
            };
            match allowed {
                _ if !owner.exchange.arriving.contains(&call) => {}
                Ok(()) => {
                    owner.set_phone_status(call, CallStatus::Trying, "100 Trying");
                    owner.arrive(arrival, replaces);
                }
                Err(info) => owner.turn_away(call, &forbidden(&info)),
            }
        });
    }

    fn arrive(&mut self, arrival: Arrival, replaces: Option<CallId>) {
        let call = arrival.call;
        self.exchange.arriving.remove(&call);
        let taken = match replaces {
            Some(replaced) => self.replace_end(&arrival, replaced),
            None => self.on_arrival(arrival),
        };
        if let Err(refused) = taken {
            self.turn_away(call, &refused);
        }
    }

    fn turn_away(&mut self, call: CallId, refused: &Refused) {
        self.exchange.arriving.remove(&call);
        self.exchange_reject(call, refused);
    }

    /// As the backend wants it: whom it calls, and as whom.
    fn change_arrival(&mut self, arrival: &mut Arrival, fields: &Fields) -> Result<(), String> {
        let in_words = |words| format!("of the backend: {words}");
        if let Some(callee) = changed(fields, "callee").filter(|callee| *callee != arrival.to.to_string()) {
            arrival.to = destination(callee, &arrival.to).map_err(in_words)?;
        }
        if let Some(caller) = changed(fields, "caller").filter(|it| *it != arrival.from.uri.to_string()) {
            arrival.from.uri = destination(caller, &arrival.from.uri).map_err(in_words)?;
        }
        if let Some(name) = changed(fields, "visibleName") {
            arrival.from.display = Some(text::shown(name));
        }
        Ok(())
    }

    /// Those who are called at the exchange are asked about before they ring. Our own accounts ask when the call is theirs.
    pub(super) fn ask_to_ring_phones(&mut self, mut arrival: Arrival, user: &str) -> Result<(), Refused> {
        let bindings = self.exchange.agent.as_ref().map(|agent| agent.ua.bindings(user)).unwrap_or_default();
        let has_phones = bindings.iter().any(|binding| !self.is_own_binding(binding));
        let phone = has_phones.then(|| self.phone_is_called(user, &arrival)).flatten();
        let Some(phone) = phone else { return self.connect_extension(arrival, user, Called::All) };
        let (call, user) = (arrival.call, user.to_owned());
        self.exchange.arriving.insert(call);
        let sdp = with_sdp(arrival.offer.as_deref());
        self.gate_call_of_phone(Hook::OnCallEvent, &phone.clone(), sdp, move |owner, verdict| {
            if !owner.exchange.arriving.remove(&call) {
                return;
            }
            let called = match verdict {
                Verdict::Go(fields) => {
                    if let Some(name) = changed(&fields, "visibleName") {
                        arrival.from.display = Some(text::shown(name));
                    }
                    Called::Phone(Box::new(phone))
                }
                Verdict::Refused { .. } => Called::OwnAlone,
            };
            if let Err(refused) = owner.connect_extension(arrival, &user, called) {
                owner.turn_away(call, &refused);
            }
        });
        Ok(())
    }

    /// The callee has picked up.
    pub(super) fn ask_to_answer(&mut self, id: BridgeId, callee: CallId, sdp: Vec<u8>) {
        self.gate_phone(Hook::Answer, callee, Fields::new(), move |owner, verdict| match verdict {
            Verdict::Go(_) => owner.on_callee_answered(id, callee, &sdp),
            Verdict::Refused { info } => {
                let info = text::shown(&info);
                if let Some(agent) = &mut owner.exchange.agent {
                    agent.ua.hang_up(Instant::now(), callee, Some(&info));
                }
                owner.on_callee_ended(id, callee, Cause::new(FORBIDDEN, info, Side::Remote));
            }
        });
    }

    /// So has the one whom somebody is transferred to.
    pub(super) fn ask_target_to_answer(&mut self, id: TransferId, target: CallId, sdp: Vec<u8>) {
        self.gate_phone(Hook::Answer, target, Fields::new(), move |owner, verdict| match verdict {
            Verdict::Go(_) => owner.on_target_answered(id, target, &sdp),
            Verdict::Refused { info } => {
                let info = text::shown(&info);
                if let Some(agent) = &mut owner.exchange.agent {
                    agent.ua.hang_up(Instant::now(), target, Some(&info));
                }
                owner.on_target_ended(id, target, &Cause::new(FORBIDDEN, info, Side::Remote));
            }
        });
    }

    /// A re-INVITE may hold the far end.
    pub(super) fn ask_to_reoffer(&mut self, call: CallId, offer: Option<Vec<u8>>) {
        let holds = offer.as_deref().is_some_and(offers_hold);
        let held = self.exchange.leg_of(call).is_some_and(|leg| leg.is_held());
        let Some(phone) = self.exchange.phone_calls.of(call).filter(|_| holds != held && offer.is_some())
        else {
            return self.exchange_reoffer(call, offer);
        };
        if !holds {
            let phone = phone.clone();
            self.tell(Hook::Unhold, &phone.session, &phone.id, phone.fields());
            return self.exchange_reoffer(call, offer);
        }
        self.gate_phone(Hook::Hold, call, Fields::new(), move |owner, verdict| match verdict {
            Verdict::Go(_) => owner.exchange_reoffer(call, offer),
            Verdict::Refused { info } => owner.exchange_reject(call, &forbidden(&info)),
        });
    }

    /// Keys that come by INFO; those in the sound are not looked at.
    pub(super) fn ask_to_send_key(&mut self, call: CallId, digit: char) {
        let more = [("dtmf", digit.to_string()), ("type", "INFO".to_owned())];
        let more = more.into_iter().map(|(name, value)| (name.to_owned(), Value::String(value))).collect();
        self.gate_phone(Hook::SendDtmf, call, more, move |owner, verdict| {
            if let Verdict::Go(fields) = verdict {
                let digit = changed(&fields, "dtmf").and_then(|text| text.chars().next()).unwrap_or(digit);
                owner.send_key(call, digit);
            }
        });
    }

    pub(super) fn on_exchange_referred(&mut self, by: CallId, mut referral: Referral) {
        let target = target::of_refer(&referral.target);
        self.begin_to_tell_of_transfer(by, &target);
        self.gate_phone(Hook::Transfer, by, field("target", &target), move |owner, verdict| {
            let changed = match &verdict {
                Verdict::Go(fields) => match changed(fields, "target").filter(|other| *other != target) {
                    Some(other) => destination(other, &referral.target).map(Some),
                    None => Ok(None),
                },
                Verdict::Refused { info } => Err(info.clone()),
            };
            match changed {
                Ok(other) => {
                    if let Some(other) = other {
                        // Another target is not the far end of another call.
                        (referral.target, referral.replaces) = (other, None);
                    }
                    owner.ask_about_target(by, referral);
                }
                Err(info) => owner.refuse_transfer_there(by, &forbidden(&info)),
            }
        });
    }

    /// Who is called for a transfer is asked about as one who is called.
    fn ask_about_target(&mut self, by: CallId, referral: Referral) {
        let user = referral.target.user_text().filter(|_| referral.replaces.is_none());
        let called = user.and_then(|user| self.target_of_transfer(by, &user));
        let Some(phone) = called else { return self.transfer_there(by, referral, None) };
        self.gate_call_of_phone(Hook::OnCallEvent, &phone.clone(), Fields::new(), move |owner, verdict| {
            match verdict {
                Verdict::Go(_) => owner.transfer_there(by, referral, Some(phone)),
                Verdict::Refused { .. } => owner.refuse_transfer_there(by, &forbidden("Forbidden")),
            }
        });
    }
}
