//! `connect`: the backend lets a session go on, gives it an account, or refuses it.

use super::{
    super::{Owner, session::Session, text},
    asked::changed,
};
use crate::hooks::{Fields, Hook, Verdict};
use serde_json::Value;
use sidetone_api::{ConnectionStatus, Failure, Secret, SessionId};
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

/// Between the questions of a session that was refused because nobody answered, seconds.
const AGAIN: [u64; 4] = [5, 10, 20, 30];

/// Sessions that were refused because nobody answered.
#[derive(Debug, Default)]
pub(in super::super) struct Again(BTreeMap<SessionId, Turn>);

#[derive(Debug)]
struct Turn {
    times: usize,
    /// When it asks again; `None` while it does.
    due: Option<Instant>,
}

impl Again {
    pub(super) fn forget(&mut self, id: &SessionId) {
        self.0.remove(id);
    }

    pub(super) fn next(&self) -> Option<Instant> {
        self.0.values().filter_map(|turn| turn.due).min()
    }

    /// Nobody answered.
    pub(super) fn later(&mut self, id: &SessionId) {
        let turn = self.0.entry(id.clone()).or_insert(Turn { times: 0, due: None });
        let seconds = AGAIN.get(turn.times).or(AGAIN.last()).copied().unwrap_or_default();
        (turn.times, turn.due) = (turn.times + 1, Some(Instant::now() + Duration::from_secs(seconds)));
    }

    /// It asks. `false` where it has been decided on.
    fn ask(&mut self, id: &SessionId) -> bool {
        self.0.get_mut(id).and_then(|turn| turn.due.take()).is_some()
    }

    /// Somebody has decided, unless it is to ask again.
    fn decided(&mut self, id: &SessionId) {
        if self.0.get(id).is_some_and(|turn| turn.due.is_none()) {
            self.0.remove(id);
        }
    }

    /// Somebody answers again.
    pub(super) fn now(&mut self) {
        for turn in self.0.values_mut() {
            turn.due = turn.due.map(|due| due.min(Instant::now()));
        }
    }

    fn due(&self, now: Instant) -> Vec<SessionId> {
        let is_due = |turn: &Turn| turn.due.is_some_and(|due| due <= now);
        self.0.iter().filter(|(_, turn)| is_due(turn)).map(|(id, _)| id.clone()).collect()
    }
}

impl Owner {
    /// Nothing of the session goes out before it has asked.
    pub(in super::super) fn await_connect(&mut self, id: &SessionId) {
        if self.hooks.calls(Hook::Connect, id.as_str()) {
            self.hooks.gates.await_connect(id.as_str());
        }
        if let Some(session) = self.sessions.get_mut(id) {
            session.asking = true;
        }
    }

    /// Before anything of the session goes out.
    pub(in super::super) fn ask_to_connect(&mut self, id: &SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if session.is_of_client() {
            // The client's own session was asked about.
            return self.begin(id);
        }
        session.asking = true;
        let (fields, session) = (self.session_fields(id), id.clone());
        self.gate(Hook::Connect, id.as_str(), id.as_str(), fields.clone(), move |owner, verdict| {
            owner.on_connect_verdict(&session, &fields, verdict);
        });
        self.hooks.gates.connects(Instant::now(), id.as_str());
    }

    fn on_connect_verdict(&mut self, id: &SessionId, asked: &Fields, verdict: Verdict) {
        let Some(session) = self.sessions.get_mut(id) else {
            // What the backend said of it is for nobody.
            return self.hooks.forget_session(id);
        };
        session.asking = false;
        if session.is_closing() {
            return;
        }
        let result = match verdict {
            Verdict::Go(answer) => self.change_account(id, asked, &answer).map_err(|failure| failure.message),
            Verdict::Refused { info } => Err(info),
        };
        let is_allowed = result.is_ok();
        if let Some(session) = self.sessions.get_mut(id) {
            session.refused = !is_allowed;
        }
        if is_allowed {
            self.hooks.again.forget(id);
        } else {
            self.hooks.again.decided(id);
        }
        match result {
            Ok(()) => self.begin(id),
            Err(info) => self.set_connection(id, ConnectionStatus::Failed, &info),
        }
    }

    /// Those that were refused because nobody answered ask once more.
    pub(super) fn connect_undecided(&mut self, now: Instant) {
        for id in self.hooks.again.due(now) {
            self.connect_now(&id);
        }
    }

    /// The user does not want to wait. `false` where nothing would come of it.
    pub(in super::super) fn connect_now(&mut self, id: &SessionId) -> bool {
        let may_ask = self.sessions.get(id).is_some_and(|it| it.refused && !it.asking && !it.is_closing());
        let asks = self.hooks.again.ask(id) && may_ask;
        if asks {
            self.ask_to_connect(id);
        }
        asks
    }

    /// What the answer says otherwise than the question is what counts.
    fn change_account(&mut self, id: &SessionId, asked: &Fields, answer: &Fields) -> Result<(), Failure> {
        let Some(old) = self.sessions.get(id).filter(|session| !session.is_local()) else { return Ok(()) };
        let is_news =
            |name: &str| answer.get(name).filter(|value| !value.is_null() && asked.get(name) != Some(value));
        let text = |name: &str| is_news(name).and_then(|_| changed(answer, name)).map(str::to_owned);
        let mut account = old.account.clone();
        let port = is_news("sipPort").and_then(number);
        let (login, domain) = (text("sipLogin"), text("sipDomain"));
        let login_stays = login.is_none();
        let is_elsewhere = domain.is_some() || port.is_some();
        if login.is_some() || is_elsewhere {
            let aor = &old.aor.uri;
            let login = login.or_else(|| aor.user_text()).unwrap_or_default();
            let port = port.or(if domain.is_some() { None } else { aor.port });
            let host = domain.unwrap_or_else(|| aor.host.to_string());
            let scheme =
                if account.aor.trim().to_ascii_lowercase().starts_with("sips:") { "sips" } else { "sip" };
            let port = port.map(|port| format!(":{port}")).unwrap_or_default();
            account.aor = format!("{scheme}:{login}@{host}{port}");
            if is_elsewhere {
                account.registrar = None;
            }
        }
        account.user = text("sipAuthenticationName").or(account.user);
        account.outbound_proxy =
            text("sipOutboundProxy").or_else(|| text("sipProxy")).or(account.outbound_proxy);
        account.register =
            is_news("sipRegisterRequired").and_then(Value::as_bool).unwrap_or(account.register);
        let password = text("sipPassword").map(Secret::new);
        if account == old.account && password.is_none() {
            return Ok(());
        }
        // Our own password is for the user and the place that it was given for.
        let is_same = !is_elsewhere && login_stays && account.user == old.account.user;
        let credentials = old.credentials.clone().filter(|_| is_same);
        let mut session = Session::new(id.clone(), account)
            .map_err(|failure| Failure { message: format!("of the backend: {failure}"), ..failure })?;
        session.authority = self.phone.authority(session.link.clone());
        session.credentials = credentials;
        if let (Some(new), Some(old)) = (&mut session.wcs, &old.wcs) {
            new.auth_token.clone_from(&old.auth_token);
            new.password = old.password.clone().filter(|_| is_same);
        }
        if let Some(password) = password {
            session.set_password(&password);
        }
        self.sessions.insert(id.clone(), session);
        self.publish_session(id);
        Ok(())
    }

    /// Why nothing can be done with a session that the backend refused, or has yet to decide on.
    pub(in super::super) fn refusal_of(&self, id: &SessionId) -> Option<String> {
        let session = self.sessions.get(id).filter(|session| session.refused)?;
        Some(text::shown(&session.connection_info))
    }
}

/// A port as JSON has it, or as text.
fn number(value: &Value) -> Option<u16> {
    let text = value.as_str().map(str::trim);
    match text {
        Some(text) => text.parse().ok(),
        None => value.as_u64().and_then(|port| u16::try_from(port).ok()),
    }
    .filter(|port| *port > 0)
}
