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

    /// A name fragment from before the last restart but one: no check is under way with it any more.
    pub fn forget(&mut self, ufrag: &str) {
        self.by_ufrag.remove(ufrag);
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
pub(crate) fn requested(datagram: &[u8]) -> Option<&str> {
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A binding request with a SOFTWARE of three letters before its user name.
    fn request(name: &str) -> Vec<u8> {
        let mut attributes = vec![0x80, 0x22, 0, 3, b'x', b'y', b'z', 0, 0, 6, 0, name.len() as u8];
        attributes.extend(name.as_bytes());
        attributes.resize(attributes.len().next_multiple_of(4), 0);
        let mut message = vec![0, 1, 0, attributes.len() as u8, 0x21, 0x12, 0xa4, 0x42];
        message.extend([7; 12]);
        message.extend(attributes);
        message
    }

    #[test]
    fn requests_go_by_the_user_name_and_the_rest_by_the_address() {
        let (here, there) = ("192.0.2.1:1".parse().unwrap(), "192.0.2.2:2".parse().unwrap());
        let mut demux = Demux::default();
        demux.insert("abcd", 1);
        demux.insert("efgh", 2);
        assert_eq!(demux.route(here, &request("efgh:other")), Some(2));
        assert_eq!(demux.route(here, &request("nobody:other")), None);
        assert_eq!(demux.route(here, &[0x80; 40]), None);
        demux.bind(here, 1);
        assert_eq!(demux.route(here, &[0x80; 40]), Some(1));
        assert_eq!(demux.route(here, &request("efgh:other")), Some(2), "it may have moved");
        assert_eq!(demux.route(there, &[22, 0xfe, 0xfd]), None);
        demux.forget("efgh");
        assert_eq!(demux.route(here, &request("efgh:other")), None);
        demux.remove(1);
        assert_eq!(demux.route(here, &[0x80; 40]), None);
    }

    #[test]
    fn what_is_cut_short_is_nobodys() {
        let mut demux = Demux::default();
        demux.insert("efgh", 2);
        let whole = request("efgh:other");
        for end in 0..whole.len() {
            assert_eq!(demux.route("192.0.2.1:1".parse().unwrap(), &whole[..end]), None);
        }
    }
}
