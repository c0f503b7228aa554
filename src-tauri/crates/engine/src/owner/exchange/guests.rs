//! What the backend is asked and told of phones that are registered at the exchange, or call there: each is a client as ours is.
//! What our own accounts do there is asked and told where they do it.

use super::{super::Owner, Exchange, Role, bridge::BridgeId, incoming::Arrival};
use crate::{
    hooks::{Fields, Hook, Verdict},
    owner::{hooks::with_status, text, view::new_id},
};
use serde_json::{Value, json};
use sidetone_api::{CallStatus, RegistrationStatus, TransferStatus};
use sidetone_sip::{Binding, CallId, Cause, Side, message::NameAddr};
use std::{
    collections::{BTreeSet, HashMap, HashSet},
    net::SocketAddr,
};

/// Statuses of a caller's call by what the callee's phone says.
fn of_progress(status: u16) -> Option<CallStatus> {
    match status {
        180 => Some(CallStatus::Ring),
        183 => Some(CallStatus::SessionProgress),
        _ => None,
    }
}

/// Who is to ring of an extension's contacts.
pub(super) enum Called {
    /// Only our own accounts are there.
    All,
    /// Our own accounts alone: the backend refuses the phones.
    OwnAlone,
    Phone(Box<PhoneCall>),
}

/// A phone's call as hooks tell of it. One who is called at several contacts has one.
#[derive(Debug, Clone)]
pub(super) struct PhoneCall {
    pub(super) id: String,
    pub(super) session: String,
    incoming: bool,
    caller: String,
    callee: String,
    visible_name: Option<String>,
    has_video: bool,
    /// That this one came of.
    parent: Option<String>,
    status: Option<CallStatus>,
    was_answered: bool,
    /// Of a call for help: nobody is asked.
    emergency: bool,
    /// Its calls at the exchange.
    legs: BTreeSet<CallId>,
}

impl PhoneCall {
    pub(super) fn fields(&self) -> Fields {
        let mut all = json!({
            "callId": self.id,
            "incoming": self.incoming,
            "status": self.status.map_or("PENDING", |status| status.as_str()),
            "caller": self.caller,
            "callee": self.callee,
            "visibleName": self.visible_name,
            "hasAudio": true,
            "hasVideo": self.has_video,
            "mediaProvider": "SIP",
            "isMsrp": false,
            "holdForTransfer": false,
        });
        if let (Some(parent), Some(all)) = (&self.parent, all.as_object_mut()) {
            all.insert("parentCallId".into(), parent.as_str().into());
        }
        match all {
            Value::Object(fields) => fields,
            _ => Fields::new(),
        }
    }
}

/// Calls of phones, by the exchange's calls that they consist of.
#[derive(Debug, Default)]
pub(super) struct PhoneCalls {
    all: HashMap<String, PhoneCall>,
    by_leg: HashMap<CallId, String>,
    /// Transfers that were asked for, by whom: session, id and target.
    transfers: HashMap<CallId, (String, String, String)>,
    /// Names that phones are registered by.
    registered: HashSet<String>,
}

impl PhoneCalls {
    pub(super) fn of(&self, leg: CallId) -> Option<&PhoneCall> {
        self.all.get(self.by_leg.get(&leg)?)
    }

    fn of_mut(&mut self, leg: CallId) -> Option<&mut PhoneCall> {
        self.all.get_mut(self.by_leg.get(&leg)?)
    }

    pub(super) fn add(&mut self, mut call: PhoneCall, legs: impl IntoIterator<Item = CallId>) {
        call.legs = legs.into_iter().collect();
        self.by_leg.extend(call.legs.iter().map(|leg| (*leg, call.id.clone())));
        self.all.insert(call.id.clone(), call);
    }

    /// The call, where this was the last leg of it.
    fn take_leg(&mut self, leg: CallId) -> Option<PhoneCall> {
        let id = self.by_leg.remove(&leg)?;
        let call = self.all.get_mut(&id)?;
        call.legs.remove(&leg);
        if call.legs.is_empty() { self.all.remove(&id) } else { None }
    }
}

impl Exchange {
    /// Who a phone is to the backend.
    pub(super) fn session_of(&self, user: &str) -> String {
        let host = self.sip_address().map(|address| address.to_string()).unwrap_or_default();
        text::shown(&format!("sip:{user}@{host}"))
    }

    /// The exchange's calls of a bridge besides one.
    fn others_of(&self, call: CallId) -> Vec<CallId> {
        let Some(Role::Caller(id) | Role::Callee(id)) = self.calls.get(&call) else { return Vec::new() };
        let Some(bridge) = self.bridges.get(id) else { return Vec::new() };
        let all = std::iter::once(&bridge.caller).chain(&bridge.callees).map(|end| end.call);
        all.filter(|other| *other != call).collect()
    }
}

impl Owner {
    /// Whether this is one of our own accounts: their hooks are called where they are asked.
    pub(super) fn is_own_phone(&self, address: SocketAddr) -> bool {
        let over_udp = address.ip().is_loopback() && address.port() == self.phone.port();
        over_udp || self.sessions.values().any(|session| session.near == Some(address))
    }

    pub(super) fn is_own_binding(&self, binding: &Binding) -> bool {
        binding.flow.as_ref().is_some_and(|flow| self.is_own_phone(flow.remote))
    }

    /// The call of one who calls.
    pub(super) fn phone_calls(&self, arrival: &Arrival) -> Option<PhoneCall> {
        let user = arrival.from.uri.user_text().unwrap_or_default();
        Some(PhoneCall {
            id: new_id("x").ok()?,
            session: self.exchange.session_of(&user),
            incoming: false,
            caller: text::shown(&arrival.from.uri.to_string()),
            callee: text::shown(&arrival.to.to_string()),
            visible_name: arrival.from.display.as_deref().map(text::shown),
            has_video: arrival.offer.as_deref().is_some_and(crate::owner::leg::offers_video),
            parent: None,
            status: None,
            was_answered: false,
            emergency: arrival
                .to
                .user_text()
                .is_some_and(|user| self.settings.dial_plan().is_emergency(&user)),
            legs: BTreeSet::new(),
        })
    }

    /// The call of one who is called.
    pub(super) fn phone_is_called(&self, user: &str, arrival: &Arrival) -> Option<PhoneCall> {
        let video = arrival.offer.as_deref().is_some_and(crate::owner::leg::offers_video);
        self.called_phone(user, &arrival.from, video, arrival.call)
    }

    /// The call of one whom somebody is transferred to.
    pub(super) fn target_of_transfer(&self, by: CallId, user: &str) -> Option<PhoneCall> {
        let bindings = self.exchange.agent.as_ref()?.ua.bindings(user);
        let has_phones = bindings.iter().any(|binding| !self.is_own_binding(binding));
        let other = self.exchange.others_of(by).into_iter().next().filter(|_| has_phones)?;
        self.called_phone(user, &self.exchange.peer_of(other), false, other)
    }

    fn called_phone(&self, user: &str, from: &NameAddr, has_video: bool, by: CallId) -> Option<PhoneCall> {
        let session = self.exchange.session_of(user);
        Some(PhoneCall {
            id: new_id("x").ok()?,
            incoming: true,
            caller: text::shown(&from.uri.to_string()),
            callee: session.clone(),
            visible_name: from.display.as_deref().map(text::shown),
            has_video,
            parent: self.exchange.phone_calls.of(by).map(|call| call.id.clone()),
            status: None,
            was_answered: false,
            emergency: self.settings.dial_plan().is_emergency(user),
            legs: BTreeSet::new(),
            session,
        })
    }

    /// Asks the backend of a phone's call, where it is one; emergency calls wait for nobody.
    pub(super) fn gate_phone(
        &mut self,
        hook: Hook,
        call: CallId,
        more: Fields,
        then: impl FnOnce(&mut Self, Verdict) + 'static,
    ) {
        match self.exchange.phone_calls.of(call).cloned() {
            Some(own) => self.gate_call_of_phone(hook, &own, more, then),
            None => then(self, Verdict::Go(Fields::new())),
        }
    }

    pub(super) fn gate_call_of_phone(
        &mut self,
        hook: Hook,
        call: &PhoneCall,
        more: Fields,
        then: impl FnOnce(&mut Self, Verdict) + 'static,
    ) {
        let mut fields = call.fields();
        fields.extend(more);
        if call.emergency {
            self.tell(hook, &call.session, &call.id, fields);
            return then(self, Verdict::Go(Fields::new()));
        }
        self.gate(hook, &call.session, &call.id, fields, then);
    }

    pub(super) fn begin_to_tell_of_transfer(&mut self, by: CallId, target: &str) {
        if let Some(call) = self.exchange.phone_calls.of(by) {
            let told = (call.session.clone(), call.id.clone(), text::shown(target));
            self.exchange.phone_calls.transfers.insert(by, told);
        }
    }

    pub(super) fn tell_of_transfer(&mut self, by: CallId, status: TransferStatus, info: &str) {
        let Some((session, id, target)) = self.exchange.phone_calls.transfers.get(&by).cloned() else {
            return;
        };
        if matches!(status, TransferStatus::Completed | TransferStatus::Failed) {
            self.exchange.phone_calls.transfers.remove(&by);
        }
        let mut fields = with_status(Fields::new(), status.as_str(), &text::shown(info));
        fields.insert("callId".into(), id.as_str().into());
        fields.insert("target".into(), target.into());
        self.tell(Hook::TransferStatusEvent, &session, &id, fields);
    }

    /// The one place where statuses of phones' calls are told.
    pub(super) fn set_phone_status(&mut self, leg: CallId, status: CallStatus, info: &str) {
        let Some(call) = self.exchange.phone_calls.of_mut(leg) else { return };
        call.was_answered |= status == CallStatus::Established;
        if call.status.replace(status) == Some(status) {
            return;
        }
        let call = call.clone();
        self.tell_of_phone(&call, status, info);
    }

    fn tell_of_phone(&mut self, call: &PhoneCall, status: CallStatus, info: &str) {
        let mut fields = with_status(call.fields(), status.as_str(), &text::shown(info));
        if let Some(code) = crate::owner::hooks::sip_status(info) {
            fields.insert("sipStatus".into(), code.into());
        }
        self.tell(Hook::CallStatusEvent, &call.session, &call.id, fields);
    }

    /// What a callee's phone says is known to its own user, and to the caller.
    pub(super) fn tell_of_progress(&mut self, id: BridgeId, callee: CallId, status: u16, reason: &str) {
        let info = format!("{status} {reason}");
        if status >= 180 {
            self.set_phone_status(callee, CallStatus::Ring, &info);
        }
        let caller = self.exchange.bridges.get(&id).map(|bridge| bridge.caller.call);
        if let (Some(caller), Some(status)) = (caller, of_progress(status)) {
            self.set_phone_status(caller, status, &info);
        }
    }

    /// Both ends of a bridge know whether one of them holds.
    pub(super) fn tell_of_holds(&mut self, call: CallId) {
        let mut ends = self.exchange.others_of(call);
        ends.push(call);
        let is_held = |leg: &mut crate::owner::leg::Leg| leg.is_held();
        let held = ends.iter().any(|end| self.exchange.leg_of(*end).is_some_and(is_held));
        let status = if held { CallStatus::Hold } else { CallStatus::Established };
        for end in ends {
            if self.exchange.phone_calls.of(end).is_some_and(|call| call.was_answered) {
                self.set_phone_status(end, status, "");
            }
        }
    }

    /// A call of the exchange has ended.
    pub(super) fn on_phone_call_ended(&mut self, leg: CallId, cause: &Cause) {
        let by_phone = cause.by == Side::Remote;
        let Some(call) = self.exchange.phone_calls.take_leg(leg) else { return };
        let gave_up = by_phone && (call.was_answered || !call.incoming);
        if gave_up {
            self.tell(Hook::Hangup, &call.session, &call.id, call.fields());
        }
        let status = match cause.code {
            // Declined by its own user, where it was called.
            _ if call.was_answered || gave_up || (call.incoming && by_phone) => CallStatus::Finish,
            486 | 600 => CallStatus::Busy,
            // Given up, or answered elsewhere.
            ..=299 | 487 => CallStatus::Finish,
            _ => CallStatus::Failed,
        };
        self.tell_of_phone(&call, status, &cause.to_string());
    }

    /// Phones come and go; our own accounts tell of themselves.
    pub(super) fn tell_of_bindings(&mut self, user: &str, bindings: &[Binding]) {
        let is = bindings.iter().any(|binding| !self.is_own_binding(binding));
        let phones = &mut self.exchange.phone_calls.registered;
        let was = if is { !phones.insert(user.to_owned()) } else { phones.remove(user) };
        let status = match (was, is) {
            (false, true) => RegistrationStatus::Registered,
            (true, false) => RegistrationStatus::Unregistered,
            _ => return,
        };
        let session = self.exchange.session_of(user);
        let host = self.exchange.sip_address();
        let all = json!({
            "sipLogin": text::shown(user),
            "sipDomain": host.map(|address| address.ip().to_string()),
            "sipPort": host.map(|address| address.port()),
            "sipRegisterRequired": true,
        });
        let fields = with_status(all.as_object().cloned().unwrap_or_default(), status.as_str(), "");
        self.tell(Hook::RegistrationStatusEvent, &session, &session, fields);
    }
}
