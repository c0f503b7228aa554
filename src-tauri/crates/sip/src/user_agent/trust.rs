//! Who may have an answer to a digest challenge.
//!
//! An attacker who calls us can challenge our BYE and crack the password offline from the answer. So inside a dialog a challenge is
//! answered, and credentials are sent along, only towards an address where the same realm has accepted them before: our registrar or
//! proxy. Outside a dialog the target must be a server of our own domain, behind our own outbound proxy,
//! or such an address; in each case the port counts.

use std::collections::VecDeque;
use std::net::SocketAddr;

use crate::digest::Credentials;
use crate::identity;
use crate::message::{HeaderName, Host, NameAddr, Uri};

use super::UserAgent;
use super::attempt::{Attempt, Purpose};
use super::hop::Hop;

const MAX_ENTRIES: usize = 64;

#[derive(Debug)]
struct Entry {
    realm: String,
    server: SocketAddr,
    user: Option<String>,
    domain: Host,
    credentials: Credentials,
}

/// Servers that accepted our credentials.
#[derive(Debug, Default)]
pub(super) struct Trusted {
    entries: VecDeque<Entry>,
}

impl Trusted {
    pub(super) fn learn(&mut self, realm: &str, server: SocketAddr, own: &Uri, credentials: &Credentials) {
        let same = |entry: &Entry| {
            entry.realm == realm
                && entry.server == server
                && entry.user == own.user
                && entry.domain == own.host
        };
        self.entries.retain(|entry| !same(entry));
        if self.entries.len() >= MAX_ENTRIES {
            self.entries.pop_front();
        }
        self.entries.push_back(Entry {
            realm: realm.to_owned(),
            server,
            user: own.user.clone(),
            domain: own.host.clone(),
            credentials: credentials.clone(),
        });
    }

    /// The account is gone.
    pub(super) fn forget(&mut self, own: &Uri) {
        self.entries.retain(|entry| entry.user != own.user || entry.domain != own.host);
    }

    fn knows(&self, server: SocketAddr) -> bool {
        self.entries.iter().any(|entry| entry.server == server)
    }

    pub(super) fn knows_realm(&self, realm: &str, server: SocketAddr) -> bool {
        self.entries.iter().any(|entry| entry.realm == realm && entry.server == server)
    }

    /// The credentials of `own`, or if a proxy wrote our address in another way, the only ones for that realm and server.
    pub(super) fn credentials(&self, realm: &str, server: SocketAddr, own: &Uri) -> Option<&Credentials> {
        let mut candidates =
            self.entries.iter().filter(|entry| entry.realm == realm && entry.server == server);
        let exact = candidates.clone().find(|entry| entry.user == own.user);
        let only = candidates.next().filter(|_| candidates.next().is_none());
        exact.or(only).map(|entry| &entry.credentials)
    }
}

/// Puts the address of somebody who hides in place of `from`, and gives back who it is.
pub(super) fn disguise(from: &mut NameAddr, anonymous: bool) -> Option<NameAddr> {
    anonymous.then(|| std::mem::replace(from, identity::anonymous(from)))
}

impl UserAgent {
    /// Whether credentials may go to this hop at all.
    pub(super) fn may_authenticate(&self, attempt: &Attempt, hop: &Hop) -> bool {
        if matches!(attempt.purpose, Purpose::Register(_)) || self.trusted.knows(hop.remote) {
            return true;
        }
        !attempt.in_dialog() && !attempt.pinned && self.is_home(attempt)
    }

    /// A request whose From is anonymous: our own servers, and nobody else, are told who we are.
    pub(super) fn hide_identity(&self, attempt: &mut Attempt, own: Option<NameAddr>) {
        let Some(own) = own else { return };
        attempt.own = Some(own.uri.clone());
        attempt.request.headers.set(HeaderName::PRIVACY, "id");
        if !attempt.pinned && self.is_home(attempt) {
            attempt.request.headers.set(HeaderName::P_PREFERRED_IDENTITY, identity::preferred(&own));
        }
    }

    /// The request goes somewhere else than before: if that is not to a server of ours, who hides is not named there.
    pub(super) fn hide_identity_abroad(&self, attempt: &mut Attempt) {
        if attempt.own.is_some() && !self.is_home(attempt) {
            attempt.request.headers.remove(&HeaderName::P_PREFERRED_IDENTITY);
        }
    }

    /// The first stop of this request is our outbound proxy or of our own domain.
    fn is_home(&self, attempt: &Attempt) -> bool {
        if attempt.own_route {
            return true;
        }
        let Some(own) = attempt.own() else { return false };
        let first_stop = &attempt.next;
        is_same_server(first_stop, &own)
            || self.registrations.values().any(|registration| {
                let settings = registration.settings();
                is_same_user(&settings.aor.uri, &own)
                    && settings.servers().any(|uri| is_same_server(uri, first_stop))
            })
    }
}

/// Another port of the same host may be somebody else. Without one, it is the port of SIP.
fn is_same_server(one: &Uri, two: &Uri) -> bool {
    let is_usual = |port: u16| matches!(port, 5060 | 5061);
    one.host == two.host
        && match (one.port, two.port) {
            (None, None) => true,
            (Some(one), Some(two)) => one == two,
            (Some(port), None) | (None, Some(port)) => is_usual(port),
        }
}

fn is_same_user(one: &Uri, two: &Uri) -> bool {
    one.user == two.user && one.host == two.host
}
