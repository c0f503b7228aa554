use std::net::{IpAddr, SocketAddr, UdpSocket};

/// A pair of UDP sockets for one RTP leg: RTP on an even port, RTCP on the next (RFC 3550 section 11).
#[derive(Debug)]
pub(crate) struct RtpPair {
    pub(crate) rtp: UdpSocket,
    pub(crate) rtcp: UdpSocket,
    pub(crate) port: u16,
}

const TRIES: u16 = 200;

/// Binds a pair on `address`: from `first` upwards, or anywhere where `first` is 0.
pub(crate) fn bind_pair(address: IpAddr, first: u16) -> std::io::Result<RtpPair> {
    let mut last = std::io::Error::from(std::io::ErrorKind::AddrInUse);
    for attempt in 0..TRIES {
        let wanted = if first == 0 { 0 } else { (first & !1).saturating_add(attempt * 2) };
        match try_pair(address, wanted) {
            Ok(Some(pair)) => return Ok(pair),
            Ok(None) => {}
            Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => last = error,
            Err(error) => return Err(error),
        }
    }
    Err(last)
}

fn try_pair(address: IpAddr, wanted: u16) -> std::io::Result<Option<RtpPair>> {
    let rtp = UdpSocket::bind(SocketAddr::new(address, wanted))?;
    let port = rtp.local_addr()?.port();
    if port % 2 == 1 || port == u16::MAX {
        return Ok(None);
    }
    let rtcp = match UdpSocket::bind(SocketAddr::new(address, port + 1)) {
        Ok(socket) => socket,
        Err(error) if error.kind() == std::io::ErrorKind::AddrInUse => return Ok(None),
        Err(error) => return Err(error),
    };
    rtp.set_nonblocking(true)?;
    rtcp.set_nonblocking(true)?;
    Ok(Some(RtpPair { rtp, rtcp, port }))
}

#[cfg(test)]
mod tests {
    use super::bind_pair;
    use std::net::{IpAddr, Ipv4Addr};

    #[test]
    fn a_pair_has_an_even_port_and_the_next() {
        let pair = bind_pair(IpAddr::V4(Ipv4Addr::LOCALHOST), 0).unwrap();
        assert_eq!(pair.port % 2, 0);
        assert_eq!(pair.rtcp.local_addr().unwrap().port(), pair.port + 1);
    }
}
