//! Sessions: one for each account that is connected.

use super::call::StunServer;
use super::wcs;
use super::wire::{self, sip_uri};
use crate::io::transport::Link;
use sidetone_api::{
    Account, AccountId, ConnectionStatus, Failure, RegistrationStatus, Secret, SessionId, SessionView,
    SignallingView,
};
use sidetone_sip::digest::Credentials;
use sidetone_sip::message::{NameAddr, Uri};
use sidetone_sip::{Authority, OptionsId, Registration, RegistrationId, Transport, Way};
use std::{net::IpAddr, net::SocketAddr, time::Duration, time::Instant};

/// The account that lives at the embedded gateway.
pub(super) const LOCAL_ACCOUNT: &str = "local";
const LOCAL_EXTENSION: &str = "local";
/// What the ids of clients' accounts begin with.
pub(super) const CLIENT: &str = "client:";

pub(super) struct Session {
    pub(super) id: SessionId,
    pub(super) account: Account,
    pub(super) aor: NameAddr,
    pub(super) registrar: Uri,
    pub(super) outbound_proxy: Option<Uri>,
    pub(super) stun: Option<StunServer>,
    transport: Option<Transport>,
    pub(super) link: Link,
    /// What its servers must prove.
    pub(super) authority: Authority,
    /// How the link was reached when it answered.
    pub(super) signalling: Option<SignallingView>,
    pub(super) credentials: Option<Credentials>,
    /// The key store has not answered yet.
    pub(super) waits_for_password: bool,
    /// The backend decides whether it goes on.
    pub(super) asking: bool,
    /// It has decided against it.
    pub(super) refused: bool,
    pub(super) registration: Option<RegistrationId>,
    /// Asks whether the link answers, where there is no registration to tell.
    pub(super) probe: Option<OptionsId>,
    /// The registrar, as it answered last.
    pub(super) server: Option<SocketAddr>,
    /// Our side of the connection to it, where there is one.
    pub(super) near: Option<SocketAddr>,
    /// When to ask again.
    pub(super) next_probe: Option<Instant>,
    /// Ours towards it, when it was looked at last; none without a route.
    pub(super) address: Option<Option<IpAddr>>,
    pub(super) connection: Option<ConnectionStatus>,
    pub(super) connection_info: String,
    pub(super) registered: Option<RegistrationStatus>,
    pub(super) registered_info: String,
    pub(super) password_needed: bool,
    local: bool,
    /// It is at a Web Call Server.
    pub(super) wcs: Option<Box<wcs::Connection>>,
    /// Unregistering; the session goes when that is done, or at this time.
    pub(super) closing: Option<Instant>,
}

impl Session {
    /// # Errors
    /// Names the field of the account that is wrong.
    pub(super) fn new(id: SessionId, account: Account) -> Result<Self, Failure> {
        let wcs = wcs::Connection::of(&account)?.map(Box::new);
        // Without an address we are nobody in particular at the server.
        let aor = match &wcs {
            Some(connection) if !connection.has_address => connection.guest(),
            _ => account.aor.clone(),
        };
        let mut aor = NameAddr::new(sip_uri("aor", &aor)?);
        if aor.uri.user.is_none() {
            return Err(Failure::invalid(
                "aor",
                format!("{:?} has no user part: sip:user@domain", account.aor),
            ));
        }
        aor.display.clone_from(&account.display_name);
        let registrar = match &account.registrar {
            Some(registrar) => sip_uri("registrar", registrar)?,
            None => {
                Uri { scheme: aor.uri.scheme.clone(), ..Uri::sip(None, aor.uri.host.clone(), aor.uri.port) }
            }
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
        let stun = account.stun.as_deref().map(stun_server).transpose()?;
        if account.expires == 0 {
            return Err(Failure::invalid("expires", "a registration lives for at least one second"));
        }
        let local = account.id.as_str() == LOCAL_ACCOUNT;
        let link = wire::link(&account)?;
        let first = outbound_proxy.as_ref().unwrap_or(&registrar);
        let transport = wire::transport(&account, &link, first, &aor.uri)?;
        // It says how to reach the registrar, and is no part of who we are (RFC 3261 section 19.1.1).
        aor.uri.params.remove("transport");
        Ok(Self {
            id,
            aor,
            registrar,
            outbound_proxy,
            stun,
            transport,
            link,
            authority: Authority::default(),
            signalling: None,
            credentials: None,
            waits_for_password: false,
            asking: false,
            refused: false,
            account,
            registration: None,
            probe: None,
            server: None,
            near: None,
            next_probe: None,
            address: None,
            connection: None,
            connection_info: String::new(),
            registered: None,
            registered_info: String::new(),
            password_needed: false,
            local,
            wcs,
            closing: None,
        })
    }

    pub(super) fn set_password(&mut self, password: &Secret) {
        if let Some(wcs) = &mut self.wcs {
            wcs.password = Some(password.clone());
        }
        let user = self.account.user.clone().or_else(|| self.aor.uri.user_text()).unwrap_or_default();
        self.credentials = Some(Credentials::new(user, password.expose()));
    }

    /// Lives at the embedded gateway, where no password is asked for.
    pub(super) fn is_local(&self) -> bool {
        self.local
    }

    /// Of a client of the gateway, which has its calls to itself.
    pub(super) fn is_of_client(&self) -> bool {
        is_of_client(&self.account.id)
    }

    pub(super) fn is_closing(&self) -> bool {
        self.closing.is_some()
    }

    pub(super) fn transport(&self) -> Option<Transport> {
        self.transport
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
            signalling: self.signalling.clone(),
            messages_waiting: None,
            server: self.account.wcs.as_ref().map(|server| server.url.clone()),
            retry_at: self.wcs.as_ref().and_then(|wcs| wcs.retry_at),
        }
    }

    /// `instance`: the name of this device for this account.
    pub(super) fn registration_wanted(&self, instance: String) -> Registration {
        let outbound = self.account.outbound && !self.local;
        Registration {
            aor: self.aor.clone(),
            registrar: self.registrar.clone(),
            outbound_proxy: self.outbound_proxy.clone(),
            transport: self.transport(),
            authority: self.authority,
            credentials: self.credentials.clone(),
            expires: Duration::from_secs(self.account.expires.into()),
            instance: outbound.then_some(instance),
            outbound,
            keep_alive: outbound,
        }
    }

    /// By which way its requests leave where no registrar has named another.
    pub(super) fn way(&self) -> Way {
        Way {
            route: self.route(),
            transport: self.transport(),
            authority: self.authority,
            flow: None,
            credentials: self.credentials.clone(),
        }
    }

    /// Asks a link without registration whether it is there.
    pub(super) fn probe_wanted(&self) -> sidetone_sip::Options {
        sidetone_sip::Options {
            way: self.way(),
            ..sidetone_sip::Options::new(self.aor.clone(), self.registrar.clone())
        }
    }
}

/// The account of a client of the gateway.
pub(super) fn is_of_client(account: &AccountId) -> bool {
    account.as_str().starts_with(CLIENT)
}

/// What "Local" is while the embedded registrar runs there.
pub(super) fn local_account(gateway: SocketAddr) -> Account {
    Account::new(AccountId::new(LOCAL_ACCOUNT), "Local", format!("sip:{LOCAL_EXTENSION}@{gateway}"))
}

/// `host:port` or `host`, as a user writes it.
fn stun_server(text: &str) -> Result<StunServer, Failure> {
    const PORT: u16 = 3478;
    let wrong = || Failure::invalid("stun", format!("{text:?} is no STUN server: host:port"));
    let uri = Uri::parse(&format!("sip:{}", text.trim())).map_err(|_| wrong())?;
    let plain = match uri.port {
        Some(port) => format!("sip:{}:{port}", uri.host),
        None => format!("sip:{}", uri.host),
    };
    if uri.port == Some(0) || !uri.to_string().eq_ignore_ascii_case(&plain) {
        return Err(wrong());
    }
    Ok(StunServer { host: uri.host, port: uri.port.unwrap_or(PORT) })
}
