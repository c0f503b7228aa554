//! STUN binding requests as keep-alives of a UDP flow: RFC 8489, RFC 5626 section 4.4.2. Nothing else of STUN is spoken here.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

const COOKIE: u32 = 0x2112_a442;
const BINDING_REQUEST: u16 = 0x0001;
const BINDING_RESPONSE: u16 = 0x0101;
const BINDING_ERROR: u16 = 0x0111;
const XOR_MAPPED_ADDRESS: u16 = 0x0020;

pub(crate) type TransactionId = [u8; 12];

pub(crate) fn binding_request(id: TransactionId) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(20);
    bytes.extend(BINDING_REQUEST.to_be_bytes());
    bytes.extend(0u16.to_be_bytes());
    bytes.extend(COOKIE.to_be_bytes());
    bytes.extend(id);
    bytes
}

/// A datagram that is STUN and not SIP, which begins with a letter.
pub(crate) fn is_stun(bytes: &[u8]) -> bool {
    bytes.len() >= 20 && bytes[0] < 4 && bytes[4..8] == COOKIE.to_be_bytes()
}

/// The transaction that a response belongs to, and our address as the server saw it; an error response has none.
pub(crate) fn binding_response(bytes: &[u8]) -> Option<(TransactionId, Option<SocketAddr>)> {
    if !is_stun(bytes) {
        return None;
    }
    let kind = u16::from_be_bytes([bytes[0], bytes[1]]);
    let length = usize::from(u16::from_be_bytes([bytes[2], bytes[3]]));
    let id: TransactionId = bytes.get(8..20)?.try_into().ok()?;
    let mut rest = bytes.get(20..20 + length)?;
    match kind {
        BINDING_RESPONSE => {}
        BINDING_ERROR => return Some((id, None)),
        _ => return None,
    }
    while let [a, b, c, d, after @ ..] = rest {
        let length = usize::from(u16::from_be_bytes([*c, *d]));
        let value = after.get(..length)?;
        if u16::from_be_bytes([*a, *b]) == XOR_MAPPED_ADDRESS {
            return Some((id, mapped(value, id)));
        }
        rest = after.get(length.next_multiple_of(4)..).unwrap_or_default();
    }
    Some((id, None))
}

fn mapped(value: &[u8], id: TransactionId) -> Option<SocketAddr> {
    let [_, family, high, low, address @ ..] = value else { return None };
    let port = u16::from_be_bytes([*high, *low]) ^ (COOKIE >> 16) as u16;
    let ip = match family {
        1 => {
            let octets: [u8; 4] = address.try_into().ok()?;
            IpAddr::V4(Ipv4Addr::from(u32::from_be_bytes(octets) ^ COOKIE))
        }
        2 => {
            let octets: [u8; 16] = address.try_into().ok()?;
            let mut mask = [0; 16];
            mask[..4].copy_from_slice(&COOKIE.to_be_bytes());
            mask[4..].copy_from_slice(&id);
            IpAddr::V6(Ipv6Addr::from(u128::from_be_bytes(octets) ^ u128::from_be_bytes(mask)))
        }
        _ => return None,
    };
    Some(SocketAddr::new(ip, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    const ID: TransactionId = [0xb7, 0xe7, 0xa7, 0x01, 0xbc, 0x34, 0xd6, 0x86, 0xfa, 0x87, 0xdf, 0xae];

    /// RFC 5769 section 2.2, cut behind the mapped address.
    #[test]
    fn the_address_of_a_response_is_read() {
        let mut bytes = vec![0x01, 0x01, 0, 28, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend(ID);
        bytes.extend([0x80, 0x22, 0, 0x0b]);
        bytes.extend(b"test vector ");
        bytes.extend([0, 0x20, 0, 8, 0, 1, 0xa1, 0x47, 0xe1, 0x12, 0xa6, 0x43]);
        assert_eq!(binding_response(&bytes), Some((ID, Some("192.0.2.1:32853".parse().unwrap()))));
        for cut in 0..bytes.len() {
            assert_eq!(binding_response(&bytes[..cut]), None, "{cut}");
        }
    }

    /// RFC 5769 section 2.3.
    #[test]
    fn an_ipv6_address_is_read() {
        let mut bytes = vec![0x01, 0x01, 0, 24, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend(ID);
        bytes.extend([0, 0x20, 0, 0x14, 0, 2, 0xa1, 0x47, 0x01, 0x13, 0xa9, 0xfa, 0xa5, 0xd3, 0xf1, 0x79]);
        bytes.extend([0xbc, 0x25, 0xf4, 0xb5, 0xbe, 0xd2, 0xb9, 0xd9]);
        let expected = "[2001:db8:1234:5678:11:2233:4455:6677]:32853".parse().unwrap();
        assert_eq!(binding_response(&bytes), Some((ID, Some(expected))));
    }

    #[test]
    fn what_is_no_response_is_none_and_a_lying_length_no_panic() {
        assert_eq!(binding_response(&binding_request(ID)), None);
        let mut bytes = vec![0x01, 0x01, 0, 4, 0x21, 0x12, 0xa4, 0x42];
        bytes.extend(ID);
        bytes.extend([0, 0x20, 0xff, 0xff]);
        assert_eq!(binding_response(&bytes), None);
        assert!(!is_stun(b"OPTIONS sip:a@b SIP/2.0\r\n\r\n"));
    }
}
