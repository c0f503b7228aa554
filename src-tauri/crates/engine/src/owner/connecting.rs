//! Sessions opened and closed, registered and unregistered.

use super::{
    Errand, Owner,
    session::{LOCAL_ACCOUNT, Session, is_of_client, local_account},
    view::new_id,
};
use sidetone_api::{
    Account, AccountId, ConnectionStatus, Event, Failure, FailureCode, NoticeLevel, Reply, Secret, SessionId,
};
use std::time::{Duration, Instant};

/// Sessions of our own accounts at a time, with those that are being closed.
const MAX_SESSIONS: usize = 256;
/// Those of clients of the gateway are counted apart: no page keeps the user from his account.
const MOST_OF_CLIENTS: usize = 192;
/// The same with those that are being closed.
const MOST_OF_CLIENTS_AND_CLOSING: usize = 2 * MOST_OF_CLIENTS;
/// How long a registrar may take to answer an unregistering.
const CLOSING: Duration = Duration::from_secs(2);

impl Owner {
    pub(super) fn connect_enabled_accounts(&mut self) {
        for account in self.settings.get().accounts.clone() {
            let name = account.name.clone();
            if account.enabled
                && let Err(failure) = self.connect(account, None)
            {
                self.notice(NoticeLevel::Error, &format!("account {name:?}: {failure}"), None);
            }
        }
        if self.exchange.sip_address().is_some()
            && let Err(failure) = self.connect_local()
        {
            self.notice(NoticeLevel::Error, &failure.message, None);
        }
    }

    pub(super) fn connect_stored(
        &mut self,
        id: &AccountId,
        password: Option<Secret>,
        auth_token: Option<Secret>,
    ) -> Result<Reply, Failure> {
        if id.as_str() == LOCAL_ACCOUNT {
            return self.connect_local();
        }
        let account = self.settings.get().accounts.iter().find(|account| account.id == *id).cloned();
        let account = account.ok_or_else(|| Failure::not_found("account", id.as_str()))?;
        if auth_token.is_some() && account.wcs.is_none() {
            let message = "authToken: only a Web Call Server keeps sessions";
            return Err(Failure::invalid("authToken", message));
        }
        self.connect_with(account, password, auth_token)
    }

    /// The account "Local" exists while the embedded registrar runs.
    fn connect_local(&mut self) -> Result<Reply, Failure> {
        let gateway = self.exchange.sip_address();
        let gateway =
            gateway.ok_or_else(|| Failure::new(FailureCode::WrongState, "the gateway does not run"))?;
        self.connect(local_account(gateway), None)
    }

    /// Opens a session; one that the account already has is closed first.
    pub(super) fn connect(&mut self, account: Account, password: Option<Secret>) -> Result<Reply, Failure> {
        self.connect_with(account, password, None)
    }

    fn connect_with(
        &mut self,
        account: Account,
        password: Option<Secret>,
        auth_token: Option<Secret>,
    ) -> Result<Reply, Failure> {
        let of_client = is_of_client(&account.id);
        let (most, alike) = if of_client {
            (MOST_OF_CLIENTS_AND_CLOSING, self.sessions_of_clients().count())
        } else {
            (MAX_SESSIONS, self.sessions.values().filter(|session| !session.is_of_client()).count())
        };
        if alike >= most || of_client && self.are_clients_sessions_taken() {
            let most = if of_client { MOST_OF_CLIENTS } else { MAX_SESSIONS };
            return Err(Failure::new(FailureCode::Limit, format!("{most} sessions are the most")));
        }
        let account_id = account.id.clone();
        let id = SessionId::new(new_id("s")?);
        let mut session = Session::new(id.clone(), account)?;
        session.authority = self.phone.authority(session.link.clone());
        if let Some(wcs) = &mut session.wcs {
            wcs.auth_token = auth_token;
        }
        if let Some(password) = password {
            self.passwords.insert(account_id.clone(), password);
        }
        let password = self.passwords.get(&account_id);
        let has_password = password.map(|password| session.set_password(password)).is_some();
        self.disconnect_account(&account_id);
        session.waits_for_password =
            !has_password && !session.is_local() && self.ask_for_password(&id, &account_id);
        let (waits, view) = (session.waits_for_password, session.view());
        self.sessions.insert(id.clone(), session);
        self.publish(Event::SessionChanged { session: view });
        if waits {
            self.await_connect(&id);
        } else {
            self.ask_to_connect(&id);
        }
        Ok(Reply::Session { session_id: id })
    }

    fn sessions_of_clients(&self) -> impl Iterator<Item = &Session> {
        self.sessions.values().filter(|session| session.is_of_client())
    }

    /// No client can have one until another one's is closed.
    pub(super) fn are_clients_sessions_taken(&self) -> bool {
        self.sessions_of_clients().filter(|session| !session.is_closing()).count() >= MOST_OF_CLIENTS
    }

    /// `false` where nobody will answer.
    fn ask_for_password(&self, session: &SessionId, account: &AccountId) -> bool {
        let (errands, session) = (self.errands.clone(), session.clone());
        self.keys.get(secret_name(account), move |password| {
            let _ = errands.blocking_send(Errand::Password { session, password });
        })
    }

    /// The key store has answered.
    pub(super) fn on_password(&mut self, id: &SessionId, password: Option<&Secret>) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        if !std::mem::take(&mut session.waits_for_password) || session.is_closing() {
            return;
        }
        if let Some(password) = password {
            session.set_password(password);
        }
        self.ask_to_connect(id);
    }

    /// Registers, or asks whether the link is there.
    pub(super) fn begin(&mut self, id: &SessionId) {
        let Some(session) = self.sessions.get_mut(id) else { return };
        let now = Instant::now();
        if session.wcs.is_some() {
            self.open_wcs(id);
        } else if session.account.register {
            let wanted = session.registration_wanted(self.instance.of(&session.account.id));
            session.registration = Some(self.phone.ua.register(now, wanted));
        } else {
            self.probe(id, now);
        }
    }

    /// Hangs up the session's calls, unregisters, and closes it when that is answered.
    pub(super) fn disconnect(&mut self, id: &SessionId) -> Result<Reply, Failure> {
        let session = self.sessions.get_mut(id).ok_or_else(|| Failure::not_found("session", id.as_str()))?;
        if session.is_closing() {
            return Ok(Reply::Done);
        }
        let now = Instant::now();
        session.closing = Some(now + CLOSING);
        let (registration, is_wcs) = (session.registration, session.wcs.is_some());
        let calls: Vec<_> =
            self.calls.values().filter(|call| call.session_id == *id).map(|call| call.id.clone()).collect();
        for call in calls {
            let _ = self.hang_up(&call);
        }
        self.stop_services(id);
        if is_wcs {
            self.close_wcs(id);
        }
        if let Some(registration) = registration {
            self.phone.ua.unregister(now, registration);
        }
        self.close_when_left(id);
        Ok(Reply::Done)
    }

    pub(super) fn disconnect_account(&mut self, id: &AccountId) {
        let open = self.sessions.values().find(|session| session.account.id == *id && !session.is_closing());
        if let Some(session) = open.map(|session| session.id.clone()) {
            let _ = self.disconnect(&session);
        }
    }

    pub(super) fn register(&mut self, id: &SessionId) -> Result<Reply, Failure> {
        if self.connect_now(id) {
            return Ok(Reply::Done);
        }
        self.check_allowed(id)?;
        let session = self.open_session(id)?;
        let now = Instant::now();
        if session.wcs.is_some() {
            if !session.waits_for_password && !session.asking {
                self.connect_wcs_now(id);
            }
        } else if let Some(registration) = session.registration {
            self.phone.ua.refresh(now, registration);
        } else if !session.waits_for_password
            && !session.asking
            && let Some(session) = self.sessions.get_mut(id)
        {
            let wanted = session.registration_wanted(self.instance.of(&session.account.id));
            session.registration = Some(self.phone.ua.register(now, wanted));
        }
        Ok(Reply::Done)
    }

    pub(super) fn unregister(&mut self, id: &SessionId) -> Result<Reply, Failure> {
        match self.open_session(id)?.registration {
            Some(registration) => {
                self.stop_services(id);
                self.phone.ua.unregister(Instant::now(), registration);
                Ok(Reply::Done)
            }
            None => Err(Failure::new(FailureCode::WrongState, "this session is not registered")),
        }
    }

    pub(super) fn open_session(&self, id: &SessionId) -> Result<&Session, Failure> {
        let session = self.sessions.get(id).filter(|session| !session.is_closing());
        session.ok_or_else(|| Failure::not_found("session", id.as_str()))
    }

    /// # Errors
    /// `wrongState` with the backend's reason, where it has refused the session.
    pub(super) fn check_allowed(&self, id: &SessionId) -> Result<(), Failure> {
        match self.refusal_of(id) {
            Some(reason) => Err(Failure::new(FailureCode::WrongState, reason)),
            None => Ok(()),
        }
    }

    /// When the sessions that are being closed are closed at the latest.
    pub(super) fn next_closing(&self) -> Option<Instant> {
        self.sessions.values().filter_map(|session| session.closing).min()
    }

    /// Closes those whose registrar does not answer.
    pub(super) fn close_overdue(&mut self, now: Instant) {
        let is_overdue = |session: &&Session| session.closing.is_some_and(|deadline| deadline <= now);
        let overdue: Vec<_> =
            self.sessions.values().filter(is_overdue).map(|session| session.id.clone()).collect();
        for id in overdue {
            self.close_session(&id);
        }
    }

    /// The end of a session that is being closed, once its calls and its registration have ended.
    pub(super) fn close_when_left(&mut self, id: &SessionId) {
        let left = |session: &Session| {
            let is_open = session.wcs.as_ref().is_some_and(|wcs| wcs.is_open);
            session.is_closing() && session.registration.is_none() && !is_open
        };
        if self.sessions.get(id).is_some_and(left) && !self.calls.values().any(|call| call.session_id == *id)
        {
            self.close_session(id);
        }
    }

    fn close_session(&mut self, id: &SessionId) {
        let Some(session) = self.sessions.get(id) else { return };
        if session.connection == Some(ConnectionStatus::Established) {
            self.publish(Event::ConnectionStatusEvent {
                status: ConnectionStatus::Disconnected,
                session_id: id.clone(),
                info: "closed".into(),
            });
        }
        self.sessions.remove(id);
        self.hooks.forget_session(id);
        self.publish(Event::SessionClosed { session_id: id.clone() });
    }
}

/// The entry of an account's password in the key store.
pub(super) fn secret_name(account: &AccountId) -> String {
    format!("account:{account}")
}
