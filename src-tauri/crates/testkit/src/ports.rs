//! Ports that are free now.

use std::net::{IpAddr, TcpListener, UdpSocket};

use crate::error::{Result, RigError};

/// A port of `address` that is free for UDP and TCP, chosen by the system.
///
/// It is not held: start what is to use it soon.
pub fn free_port(address: IpAddr) -> Result<u16> {
    free_port_range(address, 1)
}

/// The first of `count` free ports in a row, the first one even, as RTP wants it when `count` is over one.
pub fn free_port_range(address: IpAddr, count: u16) -> Result<u16> {
    for _ in 0..200 {
        let asked = UdpSocket::bind((address, 0))
            .and_then(|socket| socket.local_addr())
            .map_err(|error| RigError::while_doing(format_args!("no port on {address}"), error))?
            .port();
        let first = if count > 1 { asked & !1 } else { asked };
        if first.checked_add(count).is_some() && (first..first + count).all(|port| is_free(address, port)) {
            return Ok(first);
        }
    }
    Err(RigError::new(format!("{address} has no {count} free ports in a row")))
}

fn is_free(address: IpAddr, port: u16) -> bool {
    UdpSocket::bind((address, port)).is_ok() && TcpListener::bind((address, port)).is_ok()
}

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use super::*;

    #[test]
    fn a_range_starts_even_and_can_be_bound() {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let first = free_port_range(address, 10).unwrap();
        assert_eq!(first % 2, 0);
        let held: Vec<UdpSocket> =
            (first..first + 10).filter_map(|p| UdpSocket::bind((address, p)).ok()).collect();
        assert_eq!(held.len(), 10);
    }
}
