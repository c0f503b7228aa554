//! Where the gateway's peers are reached: one port on each address of this machine by which they may see it.

use crate::io::{
    names::local_address_towards,
    streams::{Ask, Asker, peers},
};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// Each is a candidate that every client checks.
const MOST: usize = 8;

/// Opens the sockets, which the stream thread reads.
pub(super) fn listen(asker: &Asker) -> Vec<SocketAddr> {
    let (mut port, mut hosts) = (0, Vec::new());
    for ip in addresses() {
        let bound =
            peers::bind_at(SocketAddr::new(ip, port)).or_else(|_| peers::bind_at(SocketAddr::new(ip, 0)));
        match bound {
            Ok((local, socket)) => {
                asker.ask(Ask::Socket { of: peers::Use::Gateway, local, socket });
                port = local.port();
                hosts.push(local);
            }
            Err(error) => tracing::warn!("no socket for streams at {ip}: {error}"),
        }
    }
    hosts
}

/// Loopback first, then where this machine's other programs go out, as browsers may not speak to loopback; then all others.
fn addresses() -> Vec<IpAddr> {
    let outside: [SocketAddr; 2] =
        [SocketAddr::from(([192, 0, 2, 1], 9)), SocketAddr::from(([0x2001, 0xdb8, 0, 0, 0, 0, 0, 1], 9))];
    let routed = outside.into_iter().filter_map(|remote| local_address_towards(remote, None).ok());
    let interfaces = if_addrs::get_if_addrs().unwrap_or_else(|error| {
        tracing::warn!(%error, "the system does not tell its addresses");
        Vec::new()
    });
    chosen(routed.chain(interfaces.into_iter().map(|interface| interface.ip())))
}

/// Each once, and none that means another machine elsewhere.
fn chosen(known: impl Iterator<Item = IpAddr>) -> Vec<IpAddr> {
    let mut chosen = vec![IpAddr::V4(Ipv4Addr::LOCALHOST)];
    for ip in known.filter(is_reachable) {
        if !chosen.contains(&ip) && chosen.len() < MOST {
            chosen.push(ip);
        }
    }
    chosen
}

/// Link-local addresses want an interface beside them, which a candidate has no room for.
fn is_reachable(ip: &IpAddr) -> bool {
    let is_link_local = match ip {
        IpAddr::V4(ip) => ip.is_link_local(),
        IpAddr::V6(ip) => ip.is_unicast_link_local(),
    };
    !(ip.is_loopback() || ip.is_unspecified() || ip.is_multicast() || is_link_local)
}

#[cfg(test)]
mod tests {
    use super::{MOST, chosen};
    use std::net::IpAddr;

    fn ips(texts: &[&str]) -> Vec<IpAddr> {
        texts.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn addresses_of_both_families_are_told_once_and_those_of_no_use_are_not() {
        let known = [
            "192.168.1.5",
            "2001:db8::5",
            "127.0.0.1",
            "::1",
            "192.168.1.5",
            "169.254.7.7",
            "fe80::1",
            "10.0.0.5",
            "0.0.0.0",
            "224.0.0.1",
        ];
        let wanted = ["127.0.0.1", "192.168.1.5", "2001:db8::5", "10.0.0.5"];
        assert_eq!(chosen(ips(&known).into_iter()), ips(&wanted));
    }

    #[test]
    fn a_machine_with_many_addresses_tells_some() {
        let many = (1..200).map(|n| IpAddr::from([10, 0, 0, n]));
        let chosen = chosen(many);
        assert_eq!((chosen.len(), chosen[1]), (MOST, IpAddr::from([10, 0, 0, 1])));
    }
}
