//! The registrar: RFC 3261 section 10.3. All domains it serves are names of one and the same set of users, so bindings are kept by
//! user.

mod bindings;
mod policy;
mod register;

use std::time::{Duration, Instant};

use crate::digest::{Algorithm, Authenticator, Credentials, Kind};
use crate::message::{Host, Uri};
use crate::user_agent::Hop;

use bindings::Bindings;

pub use bindings::Binding;
pub(crate) use policy::Caller;

const LONGEST: Duration = Duration::from_secs(30 * 24 * 3600);

#[derive(Debug, Clone)]
pub struct RegistrarConfig {
    pub domains: Domains,
    pub users: Users,
    /// of the challenges
    pub realm: String,
    /// offered in this order
    pub algorithms: Vec<Algorithm>,
    /// a shorter registration is refused with 423, unless it is an hour or longer
    pub min_expires: Duration,
    /// a longer one is cut
    pub max_expires: Duration,
    /// where the request names none
    pub default_expires: Duration,
    pub max_users: usize,
    pub max_bindings_per_user: usize,
}

/// Whose addresses are ours: others get 404.
#[derive(Debug, Clone)]
pub enum Domains {
    Any,
    List(Vec<Host>),
}

/// Who may register and call.
#[derive(Debug, Clone)]
pub enum Users {
    /// anybody, as whoever they say
    Open,
    /// these, with digest authentication
    List(Vec<Credentials>),
}

impl Default for RegistrarConfig {
    fn default() -> Self {
        Self {
            domains: Domains::Any,
            users: Users::Open,
            realm: "sidetone".to_owned(),
            algorithms: vec![Algorithm::Sha256, Algorithm::Md5],
            min_expires: Duration::from_secs(60),
            max_expires: Duration::from_secs(3600),
            default_expires: Duration::from_secs(3600),
            max_users: 1024,
            max_bindings_per_user: 10,
        }
    }
}

#[derive(Debug)]
pub(crate) struct Registrar {
    config: RegistrarConfig,
    bindings: Bindings,
    /// for REGISTER (401) and for INVITE (407)
    registering: Authenticator,
    calling: Authenticator,
}

impl Registrar {
    /// `key` signs the nonces.
    pub(crate) fn new(mut config: RegistrarConfig, key: [u8; 32]) -> Self {
        config.max_expires = config.max_expires.min(LONGEST);
        let authenticator = |kind| Authenticator::new(kind, config.realm.clone(), &config.algorithms, key);
        Self {
            registering: authenticator(Kind::Server),
            calling: authenticator(Kind::Proxy),
            bindings: Bindings::default(),
            config,
        }
    }

    fn serves(&self, uri: &Uri) -> bool {
        match &self.config.domains {
            Domains::Any => uri.is_sip(),
            Domains::List(hosts) => uri.is_sip() && hosts.contains(&uri.host),
        }
    }

    /// Those that can be called: a Contact may be of any scheme (RFC 3261 section 10.2.1), and others are only kept and listed.
    pub(crate) fn bindings(&self, user: &str) -> Vec<Binding> {
        let mut bindings = self.bindings.of(user);
        bindings.retain(|binding| binding.contact.is_sip());
        bindings
    }

    /// Some binding came over this connection or from this address.
    pub(crate) fn has_flow(&self, hop: &Hop) -> bool {
        self.bindings.iter().any(|binding| binding.flow.is_some_and(|flow| flow.same_flow(hop)))
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.bindings.iter().map(|binding| binding.expires_at).min()
    }

    /// Removes what has expired; the users whose bindings changed.
    pub(crate) fn on_timer(&mut self, now: Instant) -> Vec<String> {
        self.bindings.expire(now)
    }

    /// The connection is gone; the users whose bindings changed.
    pub(crate) fn on_flow_closed(&mut self, hop: &Hop) -> Vec<String> {
        self.bindings.close_flow(hop)
    }
}
