//! What is verified of peers, under the numbers that hops carry.
//!
//! An account's authority says whom it trusts and at which WebSocket server it lives. A hop's authority adds the name that its
//! server must prove. Connections are shared only under the same authority, so none that was verified for one account serves
//! another that does not trust it.

use super::url::WebSocketUrl;
use crate::io::tls::Trust;
use sidetone_sip::{Authority, Hop, Transport};
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

/// Authorities that are remembered; the one that was not asked for longest goes.
const MAX_KNOWN: usize = 1024;
/// Servers that are remembered with what they proved.
const MAX_PROVEN: usize = 256;

/// What an account says about its connections.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Link {
    /// PEM text, checked.
    pub(crate) trusted_ca: Option<Arc<str>>,
    pub(crate) websocket: Option<WebSocketUrl>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
struct Key {
    link: Link,
    /// A name, or an address without brackets; none of an account as such.
    host: Option<String>,
}

/// What to ask of a server.
#[derive(Debug, Clone)]
pub(crate) struct Terms {
    pub(crate) link: Link,
    pub(crate) trust: Arc<Trust>,
    pub(crate) host: Option<String>,
}

#[derive(Debug, Default)]
pub(crate) struct Authorities(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    keys: BTreeMap<u32, (Key, u64)>,
    numbers: HashMap<Key, u32>,
    trusts: HashMap<Option<Arc<str>>, Arc<Trust>>,
    last: u32,
    clock: u64,
    /// By account's authority and address: the hop's authority and transport that were good there, what was proved, and when.
    proven: HashMap<(Authority, SocketAddr), (Authority, Transport, u64)>,
}

impl Authorities {
    /// The authority of an account.
    pub(crate) fn of_account(&self, link: Link) -> Authority {
        self.lock().number(Key { link, host: None })
    }

    /// The authority of a hop to `host`, for a request under `of`.
    pub(crate) fn of_server(&self, of: Authority, host: &str) -> Authority {
        let mut inner = self.lock();
        let link = inner.link(of);
        inner.number(Key { link, host: Some(host.to_ascii_lowercase()) })
    }

    pub(crate) fn link(&self, of: Authority) -> Link {
        self.lock().link(of)
    }

    /// `None` for a number that was forgotten.
    pub(crate) fn terms(&self, of: Authority) -> Option<Terms> {
        let mut inner = self.lock();
        if of == Authority::default() {
            let trust = inner.trust(&Link::default());
            return Some(Terms { link: Link::default(), trust, host: None });
        }
        let Key { link, host } = inner.key(of)?;
        let trust = inner.trust(&link);
        Some(Terms { link, trust, host })
    }

    /// A connection over `hop` stands. Plain TCP proves nothing, and anybody may open as many as he likes.
    pub(crate) fn proved(&self, hop: &Hop) {
        if hop.transport == Transport::Tcp {
            return;
        }
        let mut inner = self.lock();
        let link = inner.link(hop.authority);
        let account = inner.number(Key { link, host: None });
        inner.clock += 1;
        let now = inner.clock;
        if inner.proven.len() >= MAX_PROVEN
            && let Some(oldest) = inner.proven.iter().min_by_key(|(_, proof)| proof.2).map(|(key, _)| *key)
        {
            inner.proven.remove(&oldest);
        }
        inner.proven.insert((account, hop.remote), (hop.authority, hop.transport, now));
    }

    /// Who was at this address when the account last was: a Route that names the proxy by its address alone leads there.
    pub(crate) fn known_at(&self, of: Authority, remote: SocketAddr) -> Option<(Authority, Transport)> {
        let mut inner = self.lock();
        let link = inner.link(of);
        let account = inner.number(Key { link, host: None });
        let (authority, transport, _) = inner.proven.get(&(account, remote))?;
        Some((*authority, *transport))
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn key(&mut self, of: Authority) -> Option<Key> {
        self.clock += 1;
        let now = self.clock;
        let (key, used) = self.keys.get_mut(&of.0)?;
        *used = now;
        Some(key.clone())
    }

    fn link(&mut self, of: Authority) -> Link {
        self.key(of).map(|key| key.link).unwrap_or_default()
    }

    fn number(&mut self, key: Key) -> Authority {
        if key == Key::default() {
            return Authority::default();
        }
        if let Some(&number) = self.numbers.get(&key) {
            self.key(Authority(number));
            return Authority(number);
        }
        if self.keys.len() >= MAX_KNOWN
            && let Some(oldest) =
                self.keys.iter().min_by_key(|(_, (_, used))| *used).map(|(number, _)| *number)
            && let Some((key, _)) = self.keys.remove(&oldest)
        {
            self.numbers.remove(&key);
            let still_used =
                self.keys.values().any(|(other, _)| other.link.trusted_ca == key.link.trusted_ca);
            if !still_used {
                self.trusts.remove(&key.link.trusted_ca);
            }
        }
        self.last = self.last.wrapping_add(1).max(1);
        self.clock += 1;
        self.keys.insert(self.last, (key.clone(), self.clock));
        self.numbers.insert(key, self.last);
        Authority(self.last)
    }

    fn trust(&mut self, link: &Link) -> Arc<Trust> {
        let new = || Arc::new(Trust::new(link.trusted_ca.as_deref()));
        Arc::clone(self.trusts.entry(link.trusted_ca.clone()).or_insert_with(new))
    }
}

#[cfg(test)]
mod tests {
    use super::{Authorities, Link, MAX_KNOWN, MAX_PROVEN};
    use sidetone_sip::{Authority, Hop, Transport};

    fn link(ca: &str) -> Link {
        Link { trusted_ca: Some(ca.into()), websocket: None }
    }

    #[test]
    fn accounts_that_trust_alike_share_and_others_do_not() {
        let authorities = Authorities::default();
        let (one, same, other) = (
            authorities.of_account(link("a")),
            authorities.of_account(link("a")),
            authorities.of_account(link("b")),
        );
        assert_eq!(one, same);
        assert_ne!(one, other);
        assert_eq!(authorities.of_server(one, "PBX.example"), authorities.of_server(same, "pbx.example"));
        assert_ne!(authorities.of_server(one, "pbx.example"), authorities.of_server(other, "pbx.example"));
        assert_ne!(authorities.of_server(one, "pbx.example"), authorities.of_server(one, "sip.example"));
        assert_eq!(authorities.of_account(Link::default()), Authority::default());
    }

    #[test]
    fn what_was_proved_to_one_account_is_not_known_to_another() {
        let authorities = Authorities::default();
        let (one, other) = (authorities.of_account(link("a")), authorities.of_account(link("b")));
        let address = "192.0.2.1:5061".parse().unwrap();
        let server = authorities.of_server(one, "pbx.example");
        authorities.proved(&Hop { authority: server, ..Hop::new(Transport::Tls, address, address) });
        assert_eq!(authorities.known_at(one, address), Some((server, Transport::Tls)));
        assert_eq!(authorities.known_at(other, address), None);
    }

    #[test]
    fn a_flood_of_connections_does_not_push_out_what_was_proved() {
        let authorities = Authorities::default();
        let account = authorities.of_account(link("a"));
        let address = "192.0.2.1:5061".parse().unwrap();
        let server = authorities.of_server(account, "pbx.example");
        authorities.proved(&Hop { authority: server, ..Hop::new(Transport::Tls, address, address) });
        for port in 1..=2 * MAX_PROVEN as u16 {
            authorities.proved(&Hop::new(Transport::Tcp, address, ([192, 0, 2, 9], port).into()));
        }
        assert_eq!(authorities.known_at(account, address), Some((server, Transport::Tls)));
    }

    #[test]
    fn a_flood_of_names_pushes_out_the_oldest_alone() {
        let authorities = Authorities::default();
        let account = authorities.of_account(link("a"));
        let first = authorities.of_server(account, "first.example");
        for number in 0..2 * MAX_KNOWN {
            authorities.of_server(account, &format!("h{number}.example"));
        }
        assert!(authorities.terms(first).is_none());
        assert_eq!(authorities.of_account(link("a")), account);
        assert!(authorities.lock().keys.len() <= MAX_KNOWN && authorities.lock().trusts.len() <= 2);
    }
}
