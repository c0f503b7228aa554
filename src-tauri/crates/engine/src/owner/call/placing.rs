//! Calls out, from what was typed to the INVITE.

use super::{
    super::{
        Errand, Owner, hooks,
        leg::{Policy, VideoWish},
        session::Session,
        target::Target,
        transfer::Referred,
        view::new_id,
    },
    Call, MAX_CALLS,
    parameters::{self, Parameters},
    wrong_state,
};
use crate::hooks::{Fields, Hook, Verdict};
use crate::io::media::Ask;
use sidetone_api::{
    Account, CallDirection, CallId, CallStatus, ConnectionStatus, Event, Failure, FailureCode, Prack, Reply,
    SessionId, SipHeader,
};
use sidetone_sdp::Capability;
use sidetone_sip::headers::{self, MAX_CUSTOM_HEADERS};
use sidetone_sip::message::{HeaderName, NameAddr};
use sidetone_sip::{DialogName, Hop, Invite, Reliable, Terms};
use std::time::{Duration, Instant};

/// Of the name that a callee sees, characters.
const LONGEST_NAME: usize = 128;

/// A call to place.
#[derive(Debug, Default)]
pub(in super::super) struct Wish {
    /// Whom to call, as it was typed.
    pub(in super::super) callee: String,
    pub(in super::super) session: Option<SessionId>,
    pub(in super::super) headers: Vec<SipHeader>,
    pub(in super::super) caller_name: Option<String>,
    pub(in super::super) anonymous: bool,
    pub(in super::super) replaces: Option<DialogName>,
    pub(in super::super) referred_by: Option<NameAddr>,
    pub(in super::super) referred: Option<Referred>,
    /// With our picture.
    pub(in super::super) video: bool,
    /// With the picture of a client of the gateway, which is passed on in one of these.
    pub(in super::super) passed_video: Vec<Capability>,
    /// To be held from its answer on, instead of the others.
    pub(in super::super) held: bool,
    /// What an error of the callee names.
    pub(in super::super) field: &'static str,
}

impl Wish {
    pub(in super::super) fn of(callee: &str) -> Self {
        Self { callee: callee.into(), field: "callee", ..Self::default() }
    }
}

/// What the INVITE of a call says besides whom it calls.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    pub(super) from: Option<NameAddr>,
    anonymous: bool,
    headers: Vec<(HeaderName, String)>,
    /// Behind the address that is called.
    parameters: Parameters,
    replaces: Option<DialogName>,
    referred_by: Option<NameAddr>,
    video: bool,
    passed_video: Vec<Capability>,
    /// The others are not held for it.
    pub(super) held: bool,
}

impl Outgoing {
    pub(super) fn is_with_video(&self) -> bool {
        self.video || !self.passed_video.is_empty()
    }
}

impl Owner {
    /// Starts an outgoing call: its id at once, the way to the callee looked up meanwhile.
    pub(in super::super) fn place(&mut self, wish: Wish) -> Result<Reply, Failure> {
        self.place_then(wish, |_, _| {})
    }

    /// The same; `begun` hears of the call before anybody is asked about it.
    pub(in super::super) fn place_then(
        &mut self,
        wish: Wish,
        begun: impl FnOnce(&mut Self, &CallId),
    ) -> Result<Reply, Failure> {
        let chosen = wish.session.as_ref().map(|id| self.open_session(id)).transpose()?;
        let chosen_account = chosen.map(|session| session.account.id.clone());
        let target =
            Target::read(&wish.callee, chosen_account.as_ref(), self.settings.dial_plan(), wish.field)?;
        if let Some(session) = &wish.session
            && !target.emergency
        {
            self.check_allowed(session)?;
        }
        if self.calls.len() >= MAX_CALLS && !target.emergency {
            return Err(Failure::new(
                FailureCode::Limit,
                format!("{MAX_CALLS} calls at a time are the most"),
            ));
        }
        let session = match (chosen, &target.account) {
            (Some(session), _) => session,
            (None, Some(account)) => self.session_of_account(account, target.emergency)?,
            (None, None) if target.emergency => self.session_for_help()?,
            (None, None) => self.session_for_calls()?,
        };
        if session.is_of_client() && self.have_clients_enough_calls() {
            return Err(Failure::new(FailureCode::Limit, "too many calls of clients"));
        }
        let callee = target.uri(&session.aor.uri, wish.field)?;
        if wish.video && session.wcs.is_some() {
            return Err(Failure::invalid("video", "video: calls at a Web Call Server have sound alone"));
        }
        let mut outgoing = Outgoing {
            from: caller_name(session, wish.caller_name.as_deref())?,
            // Who calls for help must be found.
            anonymous: (wish.anonymous || session.account.anonymous) && !target.emergency,
            headers: custom_headers("headers", &session.account.headers)?,
            parameters: Parameters::new(),
            replaces: wish.replaces,
            referred_by: wish.referred_by,
            video: wish.video,
            passed_video: wish.passed_video,
            held: wish.held,
        };
        for (name, value) in custom_headers("headers", &wish.headers)? {
            // A header of the call stands in for the account's of that name.
            outgoing.headers.retain(|(other, _)| *other != name);
            outgoing.headers.push((name, value));
        }
        let id = CallId::new(new_id("c")?);
        let far = NameAddr::new(callee);
        let mut call = Call::new(id.clone(), session, CallDirection::Outgoing, far);
        call.outgoing = outgoing;
        call.emergency = target.emergency;
        call.due.post_dial = target.post_dial.into();
        let by = wish.referred.as_ref().map(|referred| referred.by.clone());
        call.referred = wish.referred;
        call.hold_from_answer(wish.held);
        self.publish(Event::CallChanged { call: call.view() });
        self.calls.insert(id.clone(), call);
        // Who asked for it is not held: it leaves.
        if let Some(call) = by.and_then(|by| self.calls.get_mut(&by)) {
            call.successor = Some(id.clone());
        }
        begun(self, &id);
        self.ask_to_call(&id);
        self.want_devices();
        Ok(Reply::Call { call_id: id })
    }

    /// Before anything of it goes out. Who calls for help waits for nobody.
    fn ask_to_call(&mut self, id: &CallId) {
        let mut more = Fields::from_iter([("inviteParameters".to_owned(), serde_json::json!({}))]);
        if let Some(sdp) = self.calls.get_mut(id).and_then(|call| call.client.as_mut()?.sdp.take()) {
            more.insert("sdp".into(), sdp.into());
        }
        let Some((session, fields)) = self.call_fields(id, more) else { return };
        let call = id.clone();
        if self.calls.get(id).is_some_and(|call| call.emergency) {
            self.tell_of_call(Hook::Call, id);
            return self.set_out(id);
        }
        if self.must_ask(Hook::Call, &session) {
            if let Some(call) = self.calls.get_mut(id) {
                call.info = hooks::ASKING.into();
            }
            self.publish_call(id);
        }
        let asked = fields.clone();
        self.gate(Hook::Call, &session, id.as_str(), fields, move |owner, verdict| {
            let Some(session) = owner.calls.get(&call).map(|call| call.session_id.clone()) else { return };
            let refused = match (verdict, owner.refusal_of(&session)) {
                (Verdict::Refused { info }, _) | (_, Some(info)) => Some(info),
                (Verdict::Go(mut fields), None) => {
                    fields.retain(|name, value| asked.get(name) != Some(value));
                    owner.change_call(&call, &fields).err().map(|it| it.message)
                }
            };
            match refused {
                Some(info) => {
                    owner.tell_error_to_client(&call, &info);
                    owner.end_call(&call, CallStatus::Failed, &info);
                }
                None => owner.set_out(&call),
            }
        });
    }

    /// As the backend wants it: whom it calls, and as whom.
    fn change_call(&mut self, id: &CallId, fields: &Fields) -> Result<(), Failure> {
        let Some(call) = self.calls.get(id) else { return Ok(()) };
        let session = self.open_session(&call.session_id)?;
        let (session_id, aor) = (self.hook_session(session.id.as_str()), session.aor.clone());
        if let Some(callee) = hooks::changed(fields, "callee").filter(|to| *to != call.callee.uri.to_string())
        {
            let account = session.account.id.clone();
            let target = Target::read(callee, Some(&account), self.settings.dial_plan(), "callee")?;
            let uri = target.uri(&aor.uri, "callee")?;
            let hides = self.hooks.hides(&session_id, Hook::Call, "callee");
            if let Some(call) = self.calls.get_mut(id) {
                call.shown_callee = hides.then(|| call.callee.uri.to_string());
                call.callee = NameAddr::new(uri);
                if let Some(client) = &mut call.client {
                    callee.clone_into(&mut client.callee);
                }
                // Who calls for help must be found, and what was to be typed there was for the other one.
                call.emergency = target.emergency;
                call.outgoing.anonymous &= !target.emergency;
                call.due.post_dial = target.post_dial.into();
            }
        }
        let given = fields.get("inviteParameters").filter(|given| !given.is_null());
        let given = given.map(parameters::read).transpose()?;
        let name = hooks::changed(fields, "visibleName").map(str::to_owned);
        let caller = hooks::changed(fields, "caller").map(str::to_owned);
        let Some(call) = self.calls.get_mut(id) else { return Ok(()) };
        call.outgoing.parameters = given.unwrap_or_default();
        let mut from = call.outgoing.from.clone().unwrap_or_else(|| aor.clone());
        if let Some(caller) = caller.filter(|caller| *caller != call.caller.uri.to_string()) {
            from.uri = match super::super::wire::sip_uri("caller", &caller) {
                Ok(uri) => uri,
                // As a login.
                Err(_) => super::super::wire::sip_uri("caller", &format!("sip:{caller}@{}", aor.uri.host))?,
            };
            if let Some(client) = &mut call.client {
                client.caller = caller;
            }
        }
        if let Some(name) = name {
            check_name("visibleName", &name)?;
            if let Some(client) = &mut call.client {
                client.visible_name = Some(name.clone());
            }
            from.display = Some(name);
        }
        if from != aor {
            call.outgoing.from = Some(from);
        }
        self.on_client_call_changed(id);
        self.publish_call(id);
        Ok(())
    }

    /// The way to the callee is looked up, and the others are held.
    fn set_out(&mut self, id: &CallId) {
        let Some(call) = self.calls.get(id) else { return };
        let Some(session) = self.sessions.get(&call.session_id) else { return };
        if session.wcs.is_some() {
            return self.call_at_server(id);
        }
        let (callee, held) = (call.callee.uri.clone(), call.outgoing.held);
        if call.emergency {
            self.called_for_help = Some(Instant::now());
        }
        let first = self.service_route_of(session).into_iter().next().unwrap_or(callee);
        let (transport, authority, finder) = (session.transport(), session.authority, self.phone.finder());
        let (errands, call_id) = (self.errands.clone(), id.clone());
        tokio::spawn(async move {
            let result = finder.find(&first, transport, authority).await;
            let _ = errands.send(Errand::Route { call: call_id, result }).await;
        });
        if !held {
            self.hold_others(id);
        }
    }

    /// Calls whom we called last.
    pub(in super::super) fn redial(&mut self) -> Result<Reply, Failure> {
        let last = self.last_called().ok_or_else(|| wrong_state("nobody has been called yet"))?;
        let session = self.session_of_account(&last.account_id, false).ok().map(|session| session.id.clone());
        self.place(Wish { session, ..Wish::of(&last.remote.clone()) })
    }

    /// The way is known: open the media towards it and send the INVITE.
    pub(in super::super) fn on_route(&mut self, id: &CallId, result: Result<Vec<Hop>, String>) {
        let Some(call) = self.calls.get_mut(id) else { return };
        let Some(session) = self.sessions.get(&call.session_id) else { return };
        let outgoing = std::mem::take(&mut call.outgoing);
        let from = outgoing.from.unwrap_or_else(|| session.aor.clone());
        let Terms { prack, session_expires } = terms(&session.account);
        let (mut to, muted) = (call.callee.uri.clone(), call.muted);
        parameters::put(&outgoing.parameters, &mut to);
        let account = session.account.clone();
        let way = self.way_of(session);
        let hop = match result.and_then(|hops| hops.first().copied().ok_or_else(|| "no address".into())) {
            Ok(hop) => hop,
            Err(reason) => return self.end_call(id, CallStatus::Failed, &reason),
        };
        let opened =
            Policy::of(&account, hop.transport).check_offer().and_then(|()| self.open_leg(&hop, &account));
        let mut leg = match opened {
            Ok(leg) => leg,
            Err(failure) => return self.end_call(id, CallStatus::Failed, &failure.message),
        };
        if muted {
            self.media.ask(Ask::Mute { leg: leg.id, muted });
        }
        let invite = Invite {
            way,
            anonymous: outgoing.anonymous,
            headers: outgoing.headers,
            replaces: outgoing.replaces,
            referred_by: outgoing.referred_by,
            session_expires,
            prack,
            ..Invite::new(from, to, Vec::new())
        };
        if !outgoing.passed_video.is_empty() {
            self.pass_video_on(&mut leg, outgoing.passed_video);
        }
        let video = if outgoing.video { self.video_of_leg(&mut leg, VideoWish::On) } else { None };
        if let Some(call) = self.calls.get_mut(id) {
            call.video = video;
            call.leg = Some(leg);
        }
        self.invite_when_gathered(id, invite);
    }

    /// A session that the backend refused calls for help alone.
    fn session_of_account(
        &self,
        account: &sidetone_api::AccountId,
        emergency: bool,
    ) -> Result<&Session, Failure> {
        let open = self.sessions.values().filter(|session| !session.is_closing());
        let mut fit = open.filter(|session| emergency || !session.refused);
        fit.find(|session| session.account.id == *account).ok_or_else(|| {
            wrong_state(&format!("the account {account} that this is called by is not connected"))
        })
    }

    /// The first session whose link is not known to be dead; configured accounts come before "Local".
    pub(in super::super) fn session_for_calls(&self) -> Result<&Session, Failure> {
        self.session_where(|session| !session.refused)
    }

    /// The same, and one that the backend refused rather than none, or our own gateway: who calls for help needs nobody's leave.
    fn session_for_help(&self) -> Result<&Session, Failure> {
        let allowed = self.session_for_calls();
        match &allowed {
            Ok(session) if !session.is_local() => allowed,
            _ => self.session_where(|session| !session.is_local()).or(allowed),
        }
    }

    fn session_where(&self, fits: impl Fn(&Session) -> bool) -> Result<&Session, Failure> {
        let open = self.sessions.values();
        let open = open.filter(|it| !it.is_closing() && !it.is_of_client() && fits(it));
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

/// What counts for the calls of an account, in both directions. No session timer is asked for where it has 0.
pub(super) fn terms(account: &Account) -> Terms {
    let prack = match account.prack {
        Prack::Supported => Reliable::Supported,
        Prack::Required => Reliable::Required,
        Prack::Off => Reliable::Off,
    };
    let seconds = Duration::from_secs(account.session_expires.into());
    Terms { prack, session_expires: (account.session_expires > 0).then_some(seconds) }
}

/// The account's address under the name that the callee shall see.
fn caller_name(session: &Session, name: Option<&str>) -> Result<Option<NameAddr>, Failure> {
    let Some(name) = name.map(str::trim).filter(|name| !name.is_empty()) else { return Ok(None) };
    check_name("callerName", name)?;
    Ok(Some(NameAddr { display: Some(name.into()), ..session.aor.clone() }))
}

fn check_name(field: &str, name: &str) -> Result<(), Failure> {
    if name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control) {
        let message = format!("a name is one line of at most {LONGEST_NAME} characters");
        return Err(Failure::invalid(field, message));
    }
    Ok(())
}

/// # Errors
/// Names `field` and the header that cannot be added.
pub(in super::super) fn custom_headers(
    field: &str,
    wanted: &[SipHeader],
) -> Result<Vec<(HeaderName, String)>, Failure> {
    if wanted.len() > MAX_CUSTOM_HEADERS {
        return Err(Failure::invalid(field, format!("{MAX_CUSTOM_HEADERS} headers are the most")));
    }
    let custom = |(index, header): (usize, &SipHeader)| {
        headers::custom(&header.name, &header.value)
            .map_err(|error| Failure::invalid(format!("{field}[{index}]"), error.to_string()))
    };
    wanted.iter().enumerate().map(custom).collect()
}
