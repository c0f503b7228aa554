use std::collections::HashMap;
use std::hash::Hash;
use std::net::SocketAddr;

/// Tells the peers of one UDP socket apart: STUN requests by our user name fragment, the rest by the remote address.
#[derive(Debug, Clone)]
pub struct Demux<K> {
    by_ufrag: HashMap<String, K>,
    by_address: HashMap<SocketAddr, K>,
}

impl<K> Default for Demux<K> {
    fn default() -> Self {
        Self { by_ufrag: HashMap::new(), by_address: HashMap::new() }
    }
}

impl<K: Copy + Eq + Hash> Demux<K> {
    /// Call it after every answer and restart: [`Peer::local_ufrag`](crate::Peer::local_ufrag).
    pub fn insert(&mut self, ufrag: &str, peer: K) {
        self.by_ufrag.insert(ufrag.to_owned(), peer);
    }

    /// Call it at [`Event::Path`](crate::Event::Path), where the address has proved that it is the peer's, and for the
    /// addresses of a client's STUN and TURN servers.
    pub fn bind(&mut self, remote: SocketAddr, peer: K) {
        self.by_address.insert(remote, peer);
    }

    pub fn remove(&mut self, peer: K) {
        self.by_ufrag.retain(|_, other| *other != peer);
        self.by_address.retain(|_, other| *other != peer);
    }

    /// Whose datagram it is. `None`: nobody's, drop it.
    pub fn route(&self, remote: SocketAddr, datagram: &[u8]) -> Option<K> {
        if let Some(ufrag) = requested(datagram) {
            return self.by_ufrag.get(ufrag).copied();
        }
        self.by_address.get(&remote).copied()
    }
}

/// The first part of the USERNAME of a STUN binding request (RFC 8445 section 7.2.2).
fn requested(datagram: &[u8]) -> Option<&str> {
    let (header, mut rest) = datagram.split_at_checked(20)?;
    let [0, 1, high, low, 0x21, 0x12, 0xa4, 0x42, ..] = header else { return None };
    if usize::from(u16::from_be_bytes([*high, *low])) != rest.len() {
        return None;
    }
    while let Some((attribute, behind)) = rest.split_at_checked(4) {
        let [kind, other, high, low] = attribute else { return None };
        let length = usize::from(u16::from_be_bytes([*high, *low]));
        let value = behind.get(..length)?;
        if (*kind, *other) == (0, 6) {
            return std::str::from_utf8(value).ok()?.split(':').next();
        }
        rest = behind.get(length.next_multiple_of(4)..)?;
    }
    None
}
