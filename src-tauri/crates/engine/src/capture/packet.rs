//! A datagram of UDP (RFC 768) in IPv4 (RFC 791) or IPv6 (RFC 8200).

use std::net::{IpAddr, SocketAddr};

const UDP: u8 = 17;
const UDP_HEADER: usize = 8;
/// As much as IPv4 carries; what is longer is cut, and the packet says how long it was.
const LONGEST: usize = 65_535 - 20 - UDP_HEADER;

/// The packet and how long it would be uncut; `None` where one address is of the other family.
pub(super) fn datagram(from: SocketAddr, to: SocketAddr, payload: &[u8]) -> Option<(Vec<u8>, usize)> {
    let cut = &payload[..payload.len().min(LONGEST)];
    let udp_length = (cut.len() + UDP_HEADER) as u16;
    let mut udp = Vec::with_capacity(cut.len() + UDP_HEADER);
    udp.extend(from.port().to_be_bytes());
    udp.extend(to.port().to_be_bytes());
    udp.extend(udp_length.to_be_bytes());
    udp.extend([0; 2]);
    udp.extend(cut);
    let (mut packet, addresses) = match (from.ip(), to.ip()) {
        (IpAddr::V4(from), IpAddr::V4(to)) => {
            let addresses = [from.octets(), to.octets()].concat();
            let mut header = vec![0x45, 0];
            header.extend((udp_length + 20).to_be_bytes());
            header.extend([0, 0, 0x40, 0, 64, UDP, 0, 0]);
            header.extend(&addresses);
            let sum = checksum(&header);
            header[10..12].copy_from_slice(&sum.to_be_bytes());
            (header, addresses)
        }
        (IpAddr::V6(from), IpAddr::V6(to)) => {
            let addresses = [from.octets(), to.octets()].concat();
            let mut header = vec![0x60, 0, 0, 0];
            header.extend(udp_length.to_be_bytes());
            header.extend([UDP, 64]);
            header.extend(&addresses);
            (header, addresses)
        }
        _ => return None,
    };
    // Over the addresses, the protocol and the length too (RFC 768); zero means that there is none.
    let pseudo = [addresses.as_slice(), &[0, UDP], &udp_length.to_be_bytes(), &udp].concat();
    let sum = match checksum(&pseudo) {
        0 => u16::MAX,
        sum => sum,
    };
    udp[6..8].copy_from_slice(&sum.to_be_bytes());
    packet.extend(&udp);
    let length = packet.len() + payload.len() - cut.len();
    Some((packet, length))
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words =
        bytes.chunks(2).map(|pair| u32::from(pair[0]) << 8 | u32::from(pair.get(1).copied().unwrap_or(0)));
    let mut sum: u32 = words.sum();
    while sum > 0xffff {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    !(sum as u16)
}

#[cfg(test)]
mod tests {
    use super::{checksum, datagram};

    #[test]
    fn checksums_are_those_of_the_rfc() {
        // RFC 1071 section 3.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        let (packet, length) =
            datagram("192.0.2.1:5060".parse().unwrap(), "192.0.2.2:5060".parse().unwrap(), b"abc").unwrap();
        assert_eq!((packet.len(), length), (31, 31));
        assert_eq!(checksum(&packet[..20]), 0);
    }
}
