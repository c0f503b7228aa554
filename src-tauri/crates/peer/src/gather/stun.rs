//! STUN messages (RFC 8489) as far as servers are asked with them, and channel data (RFC 8656 section 12.4).

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use bytes::Bytes;
use rtc::crypto::{HashAlgorithm, HmacAlgorithm};

use crate::transport::Provider;

const COOKIE: [u8; 4] = [0x21, 0x12, 0xa4, 0x42];
const HEADER: usize = 20;
const INTEGRITY: usize = 20;

/// Of a transaction.
pub(super) type Id = [u8; 12];

/// Methods and classes, together as on the wire.
pub(super) mod kind {
    pub(in super::super) const BINDING: u16 = 0x0001;
    pub(in super::super) const ALLOCATE: u16 = 0x0003;
    pub(in super::super) const REFRESH: u16 = 0x0004;
    pub(in super::super) const CREATE_PERMISSION: u16 = 0x0008;
    pub(in super::super) const CHANNEL_BIND: u16 = 0x0009;
    pub(in super::super) const SEND: u16 = 0x0016;
    pub(in super::super) const DATA: u16 = 0x0017;
    pub(in super::super) const SUCCESS: u16 = 0x0100;
    pub(in super::super) const ERROR: u16 = 0x0110;
}

pub(super) mod attribute {
    pub(in super::super) const USERNAME: u16 = 0x0006;
    pub(super) const MESSAGE_INTEGRITY: u16 = 0x0008;
    pub(super) const ERROR_CODE: u16 = 0x0009;
    pub(in super::super) const CHANNEL_NUMBER: u16 = 0x000c;
    pub(in super::super) const LIFETIME: u16 = 0x000d;
    pub(in super::super) const XOR_PEER_ADDRESS: u16 = 0x0012;
    pub(in super::super) const DATA: u16 = 0x0013;
    pub(in super::super) const REALM: u16 = 0x0014;
    pub(in super::super) const NONCE: u16 = 0x0015;
    pub(in super::super) const XOR_RELAYED_ADDRESS: u16 = 0x0016;
    pub(in super::super) const REQUESTED_TRANSPORT: u16 = 0x0019;
    pub(in super::super) const XOR_MAPPED_ADDRESS: u16 = 0x0020;
}

/// The key of long-term credentials (RFC 8489 section 9.2.2), for MESSAGE-INTEGRITY.
pub(super) fn long_term_key(provider: &Provider, user: &str, realm: &str, password: &str) -> Option<Vec<u8>> {
    let credentials = format!("{user}:{realm}:{password}");
    provider.crypto().hash(HashAlgorithm::Md5, credentials.as_bytes()).ok()
}

/// A message that is being written.
pub(super) struct Writer(Vec<u8>);

impl Writer {
    pub(super) fn new(kind: u16, id: &Id) -> Self {
        let mut bytes = Vec::with_capacity(128);
        bytes.extend_from_slice(&kind.to_be_bytes());
        bytes.extend_from_slice(&[0, 0]);
        bytes.extend_from_slice(&COOKIE);
        bytes.extend_from_slice(id);
        Self(bytes)
    }

    /// `value` is shorter than 64 kB.
    pub(super) fn add(mut self, attribute: u16, value: &[u8]) -> Self {
        self.0.extend_from_slice(&attribute.to_be_bytes());
        self.0.extend_from_slice(&u16::try_from(value.len()).unwrap_or(u16::MAX).to_be_bytes());
        self.0.extend_from_slice(value);
        self.0.resize(self.0.len().next_multiple_of(4), 0);
        let length = self.0.len() - HEADER;
        self.set_length(length);
        self
    }

    pub(super) fn add_address(self, attribute: u16, address: SocketAddr) -> Self {
        let mut value = match address {
            SocketAddr::V4(_) => vec![0, 1],
            SocketAddr::V6(_) => vec![0, 2],
        };
        value.extend_from_slice(&(address.port() ^ 0x2112).to_be_bytes());
        match address.ip() {
            IpAddr::V4(ip) => value.extend_from_slice(&ip.octets()),
            IpAddr::V6(ip) => value.extend_from_slice(&ip.octets()),
        }
        let mask: Vec<u8> = COOKIE.iter().chain(self.0.iter().skip(8).take(12)).copied().collect();
        for (byte, mask) in value.iter_mut().skip(4).zip(mask) {
            *byte ^= mask;
        }
        self.add(attribute, &value)
    }

    /// Adds MESSAGE-INTEGRITY. `None` where the provider has no HMAC-SHA1.
    pub(super) fn sign(mut self, provider: &Provider, key: &[u8]) -> Option<Self> {
        self.set_length(self.0.len() - HEADER + 4 + INTEGRITY);
        let mut value = [0; INTEGRITY];
        let mut mac = provider.crypto().new_hmac(HmacAlgorithm::Sha1, key).ok()?;
        mac.sign(&[&self.0], &mut value).ok()?;
        Some(self.add(attribute::MESSAGE_INTEGRITY, &value))
    }

    pub(super) fn done(self) -> Bytes {
        self.0.into()
    }

    fn set_length(&mut self, length: usize) {
        let length = u16::try_from(length).unwrap_or(u16::MAX).to_be_bytes();
        if let Some(place) = self.0.get_mut(2..4) {
            place.copy_from_slice(&length);
        }
    }
}

/// A message that came, well-formed as a whole.
pub(super) struct Message<'a> {
    pub(super) kind: u16,
    pub(super) id: Id,
    bytes: &'a [u8],
    attributes: Vec<(u16, &'a [u8])>,
    /// Where MESSAGE-INTEGRITY begins: what follows it is not protected, and not read.
    integrity: Option<(usize, &'a [u8])>,
}

impl<'a> Message<'a> {
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let (header, mut rest) = bytes.split_at_checked(HEADER)?;
        let [k0, k1, l0, l1, c0, c1, c2, c3, id @ ..] = header else { return None };
        let length = usize::from(u16::from_be_bytes([*l0, *l1]));
        if k0 & 0xc0 != 0 || [*c0, *c1, *c2, *c3] != COOKIE || length != rest.len() || length % 4 != 0 {
            return None;
        }
        let (mut attributes, mut integrity) = (Vec::new(), None);
        while let [t0, t1, l0, l1, after @ ..] = rest {
            let (kind, length) =
                (u16::from_be_bytes([*t0, *t1]), usize::from(u16::from_be_bytes([*l0, *l1])));
            let value = after.get(..length)?;
            if kind == attribute::MESSAGE_INTEGRITY {
                integrity = Some((bytes.len() - rest.len(), value));
                break;
            }
            attributes.push((kind, value));
            rest = after.get(length.next_multiple_of(4)..)?;
        }
        let id = id.try_into().ok()?;
        Some(Self { kind: u16::from_be_bytes([*k0, *k1]), id, bytes, attributes, integrity })
    }

    pub(super) fn get(&self, attribute: u16) -> Option<&'a [u8]> {
        self.attributes.iter().find(|(kind, _)| *kind == attribute).map(|(_, value)| *value)
    }

    pub(super) fn text(&self, attribute: u16) -> Option<&'a str> {
        std::str::from_utf8(self.get(attribute)?).ok()
    }

    pub(super) fn number(&self, attribute: u16) -> Option<u32> {
        Some(u32::from_be_bytes(self.get(attribute)?.try_into().ok()?))
    }

    /// An address that was combined with the header by XOR.
    pub(super) fn address(&self, attribute: u16) -> Option<SocketAddr> {
        let [_, family, p0, p1, address @ ..] = self.get(attribute)? else { return None };
        let mask: Vec<u8> = COOKIE.iter().chain(&self.id).copied().collect();
        let plain: Vec<u8> = address.iter().zip(mask).map(|(byte, mask)| byte ^ mask).collect();
        let ip = match (family, address.len()) {
            (1, 4) => IpAddr::from(Ipv4Addr::from(<[u8; 4]>::try_from(plain).ok()?)),
            (2, 16) => IpAddr::from(Ipv6Addr::from(<[u8; 16]>::try_from(plain).ok()?)),
            _ => return None,
        };
        Some(SocketAddr::new(ip, u16::from_be_bytes([*p0, *p1]) ^ 0x2112))
    }

    /// The code and the reason of an error.
    pub(super) fn error(&self) -> Option<(u16, String)> {
        let [_, _, class, number, reason @ ..] = self.get(attribute::ERROR_CODE)? else { return None };
        let code = u16::from(class & 7) * 100 + u16::from(*number);
        Some((code, String::from_utf8_lossy(reason).into_owned()))
    }

    /// Whether it was signed with this key.
    pub(super) fn is_signed(&self, provider: &Provider, key: &[u8]) -> bool {
        let Some((at, value)) = self.integrity else { return false };
        let Some((header, attributes)) = self.bytes.get(..at).and_then(|it| it.split_at_checked(HEADER))
        else {
            return false;
        };
        let Ok(length) = u16::try_from(attributes.len() + 4 + INTEGRITY) else { return false };
        let mut header = header.to_vec();
        if let Some(place) = header.get_mut(2..4) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        let mac = provider.crypto().new_hmac(HmacAlgorithm::Sha1, key);
        value.len() == INTEGRITY && mac.is_ok_and(|mut mac| mac.verify(&[&header, attributes], value).is_ok())
    }
}

/// Channel data as it is sent; over a stream, padded to four bytes.
pub(super) fn channel_data(number: u16, data: &[u8], padded: bool) -> Bytes {
    let mut bytes = Vec::with_capacity(data.len() + 8);
    bytes.extend_from_slice(&number.to_be_bytes());
    bytes.extend_from_slice(&u16::try_from(data.len()).unwrap_or(u16::MAX).to_be_bytes());
    bytes.extend_from_slice(data);
    if padded {
        bytes.resize(bytes.len().next_multiple_of(4), 0);
    }
    bytes.into()
}

/// The number and the data.
pub(super) fn read_channel_data(bytes: &[u8]) -> Option<(u16, &[u8])> {
    let [n0, n1, l0, l1, rest @ ..] = bytes else { return None };
    let number = u16::from_be_bytes([*n0, *n1]);
    let data = rest.get(..usize::from(u16::from_be_bytes([*l0, *l1])))?;
    (0x4000..=0x7fff).contains(&number).then_some((number, data))
}
