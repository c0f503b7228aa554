//! Sessions: one for each account that is connected.

use super::Owner;
use sidetone_api::{
    Account, AccountId, ConnectionStatus, Event, Failure, FailureCode, NoticeLevel, RegistrationStatus,
    Reply, Secret, SessionId, SessionView, Transport as AccountTransport,
};
use sidetone_sip::digest::Credentials;
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{OptionsId, Registration, RegistrationId, Transport};
use std::{net::SocketAddr, time::Duration, time::Instant};

/// The account that lives at the embedded gateway.
pub(super) const LOCAL_ACCOUNT: &str = "local";
const LOCAL_EXTENSION: &str = "local";

pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) account: Account,
    pub(super) aor: NameAddr,
    pub(super) registrar: Uri,
    pub(super) outbound_proxy: Option<Uri>,
    pub(super) credentials: Option<Credentials>,
    pub(super) registration: Option<RegistrationId>,
    /// Asks whether the link answers, where there is no registration to tell.
    pub(super) probe: Option<OptionsId>,
    pub(super) connection: Option<ConnectionStatus>,
    pub(super) connection_info: String,
    pub(super) registered: Option<RegistrationStatus>,
    pub(super) registered_info: String,
    pub(super) password_needed: bool,
    pub(super) local: bool,
    /// Unregistering; the session goes when that is done.
    pub(super) closing: bool,
}

impl Session {
    /// # Errors
    /// Names the field of the account that is wrong.
    fn new(id: SessionId, account: Account, password: Option<&Secret>, local: bool) -> Result<Self, Failure> {
        let mut aor = NameAddr::new(sip_uri("aor", &account.aor)?);
        if aor.uri.user.is_none() {
            return Err(Failure::invalid(
                "aor",
                format!("{:?} has no user part: sip:user@domain", account.aor),
            ));
        }
        aor.display.clone_from(&account.display_name);
        let registrar = match &account.registrar {
            Some(registrar) => sip_uri("registrar", registrar)?,
            None => Uri::sip(None, aor.uri.host.clone(), aor.uri.port),
        };
        let outbound_proxy = account
            .outbound_proxy
            .as_deref()
            .map(|proxy| {
                let mut proxy = sip_uri("outboundProxy", proxy)?;
                proxy.params.set_flag("lr");
                Ok(proxy)
            })
            .transpose()?;
        if account.expires == 0 {
            return Err(Failure::invalid("expires", "a registration lives for at least one second"));
        }
        let user = account.user.clone().or_else(|| aor.uri.user_text()).unwrap_or_default();
        let credentials = password.map(|password| Credentials::new(user, password.expose()));
        Ok(Self {
            id,
            aor,
            registrar,
            outbound_proxy,
            credentials,
            account,
            registration: None,
            probe: None,
            connection: None,
            connection_info: String::new(),
            registered: None,
            registered_info: String::new(),
            password_needed: false,
            local,
            closing: false,
        })
    }

    pub(super) fn transport(&self) -> Option<Transport> {
        self.account.transport.map(|transport| match transport {
            AccountTransport::Udp => Transport::Udp,
            AccountTransport::Tcp => Transport::Tcp,
        })
    }

    /// Where requests of this session go first: the outbound proxy, or a registrar that the address alone does not lead to.
    pub(super) fn route(&self) -> Vec<Uri> {
        let registrar = || {
            let mut uri = self.registrar.clone();
            uri.user = None;
            uri.params.set_flag("lr");
            uri
        };
        match &self.outbound_proxy {
            Some(proxy) => vec![proxy.clone()],
            None if self.account.registrar.is_some() => vec![registrar()],
            None => Vec::new(),
        }
    }

    pub(super) fn view(&self) -> SessionView {
        SessionView {
            session_id: self.id.clone(),
            account_id: self.account.id.clone(),
            name: self.account.name.clone(),
            aor: self.aor.uri.to_string(),
            registrar: self.registrar.to_string(),
            connection: self.connection,
            connection_info: self.connection_info.clone(),
            registration: self.registered,
            registration_info: self.registered_info.clone(),
            password_needed: self.password_needed,
            local: self.local,
        }
    }
}

/// # Errors
/// Names `field` where the text is no `sip:` URI.
pub(super) fn sip_uri(field: &str, text: &str) -> Result<Uri, Failure> {
    let text = text.trim();
    let lower = text.to_ascii_lowercase();
    let full = if lower.starts_with("sip:") { text.to_owned() } else { format!("sip:{text}") };
    if lower.starts_with("sips:") {
        return Err(Failure::invalid(field, "sips: needs TLS, which this version does not speak yet"));
    }
    let uri = Uri::parse(&full).map_err(|error| Failure::invalid(field, format!("{text:?}: {error}")))?;
    match uri.transport().and_then(Transport::from_token) {
        Some(Transport::Tls | Transport::Ws | Transport::Wss) => {
            Err(Failure::invalid(field, "only transport=udp and transport=tcp are spoken yet"))
        }
        _ => Ok(uri),
    }
}

/// Checks everything that a session needs of an account.
///
/// # Errors
/// Names the field that is wrong.
pub(super) fn check(account: &Account) -> Result<(), Failure> {
    if account.id.as_str().is_empty() || account.id.as_str() == LOCAL_ACCOUNT {
        return Err(Failure::invalid("id", format!("{:?} cannot be an account's id", account.id.as_str())));
    }
    Session::new(SessionId::new("check"), account.clone(), None, false).map(|_| ())
}

fn local_account(gateway: SocketAddr) -> Account {
    Account {
        id: AccountId::new(LOCAL_ACCOUNT),
        name: "Local".into(),
        aor: format!("sip:{LOCAL_EXTENSION}@{gateway}"),
        display_name: None,
        user: None,
        registrar: None,
        outbound_proxy: None,
        transport: None,
        register: true,
        expires: 600,
        enabled: true,
    }
}

impl Owner {
    pub(super) fn connect_enabled_accounts(&mut self) {
        for account in self.settings.get().accounts.clone() {
            if account.enabled
                && let Err(failure) = self.connect(account, None)
            {
                self.notice(NoticeLevel::Error, failure.to_string(), None);
            }
        }
        self.connect_local();
    }

    /// The account "Local" exists while the embedded registrar runs.
    pub(super) fn connect_local(&mut self) {
        if let Some(address) = self.exchange.sip_address()
            && let Err(failure) = self.connect(local_account(address), None)
        {
            self.notice(NoticeLevel::Error, failure.to_string(), None);
        }
    }

    /// Opens a session; one that the account already has is closed first.
    pub(super) fn connect(&mut self, account: Account, password: Option<Secret>) -> Result<Reply, Failure> {
        if let Some(password) = password {
            self.passwords.insert(account.id.clone(), password);
        }
        let secret =
            self.passwords.get(&account.id).cloned().or_else(|| self.secrets.get(&secret_name(&account.id)));
        let id = SessionId::new(super::view::new_id("s")?);
        let local = account.id.as_str() == LOCAL_ACCOUNT;
        let mut session = Session::new(id.clone(), account, secret.as_ref(), local)?;
        let previous =
            self.sessions.values().find(|other| other.account.id == session.account.id && !other.closing);
        if let Some(previous) = previous.map(|session| session.id.clone()) {
            self.disconnect(&previous)?;
        }
        let now = Instant::now();
        if session.account.register {
            session.registration = Some(self.phone.ua.register(now, registration_of(&session)));
        } else {
            session.probe = Some(self.phone.ua.options(now, probe_of(&session)));
        }
        let view = session.view();
        self.sessions.insert(id.clone(), session);
        self.publish(Event::SessionChanged { session: view });
        Ok(Reply::Session { session_id: id })
    }

    /// Hangs up the session's calls, unregisters, and closes it when that is answered.
    pub(super) fn disconnect(&mut self, id: &SessionId) -> Result<Reply, Failure> {
        let calls: Vec<_> =
            self.calls.values().filter(|call| call.session_id == *id).map(|call| call.id.clone()).collect();
        for call in calls {
            let _ = self.hang_up(&call);
        }
        let session = self.sessions.get_mut(id).ok_or_else(|| Failure::not_found("session", id.as_str()))?;
        session.closing = true;
        match session.registration {
            Some(registration) => self.phone.ua.unregister(Instant::now(), registration),
            None => self.close_session(id),
        }
        Ok(Reply::Done)
    }

    pub(super) fn register(&mut self, id: &SessionId) -> Result<Reply, Failure> {
        let session = self.open_session(id)?;
        let now = Instant::now();
        match session.registration {
            Some(registration) => self.phone.ua.refresh(now, registration),
            None => {
                let registration = registration_of(session);
                let registration = self.phone.ua.register(now, registration);
                if let Some(session) = self.sessions.get_mut(id) {
                    session.registration = Some(registration);
                }
            }
        }
        Ok(Reply::Done)
    }

    pub(super) fn unregister(&mut self, id: &SessionId) -> Result<Reply, Failure> {
        match self.open_session(id)?.registration {
            Some(registration) => {
                self.phone.ua.unregister(Instant::now(), registration);
                Ok(Reply::Done)
            }
            None => Err(Failure::new(FailureCode::WrongState, "this session is not registered")),
        }
    }

    pub(super) fn open_session(&self, id: &SessionId) -> Result<&Session, Failure> {
        let session = self.sessions.get(id).filter(|session| !session.closing);
        session.ok_or_else(|| Failure::not_found("session", id.as_str()))
    }

    /// The end of a session, after its unregistering or without one.
    pub(super) fn close_session(&mut self, id: &SessionId) {
        let Some(session) = self.sessions.remove(id) else { return };
        if session.connection == Some(ConnectionStatus::Established) {
            self.publish(Event::ConnectionStatusEvent {
                status: ConnectionStatus::Disconnected,
                session_id: id.clone(),
                info: "closed".into(),
            });
        }
        self.publish(Event::SessionClosed { session_id: id.clone() });
    }
}

/// The entry of an account's password in the key store.
pub(super) fn secret_name(account: &AccountId) -> String {
    format!("account:{account}")
}

fn registration_of(session: &Session) -> Registration {
    Registration {
        aor: session.aor.clone(),
        registrar: session.registrar.clone(),
        outbound_proxy: session.outbound_proxy.clone(),
        transport: session.transport(),
        credentials: session.credentials.clone(),
        expires: Duration::from_secs(session.account.expires.into()),
    }
}

fn probe_of(session: &Session) -> sidetone_sip::Options {
    sidetone_sip::Options {
        route: session.route(),
        transport: session.transport(),
        credentials: session.credentials.clone(),
        ..sidetone_sip::Options::new(session.aor.clone(), session.registrar.clone())
    }
}
