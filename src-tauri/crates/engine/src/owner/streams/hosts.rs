//! Where the gateway's peers are reached: one port on each address of this machine by which they may see it.

use crate::io::{
    names::local_address_towards,
    streams::{Ask, Asker, peers},
};
use sidetone_api::{Failure, FailureCode};
use std::{
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr},
};

/// Each is a candidate that every client checks.
const MOST: usize = 8;

/// Opens the sockets, which the stream thread reads: at `wanted`, or at any port where that is 0.
///
/// # Errors
/// The port cannot be had.
pub(super) fn listen(asker: &Asker, wanted: u16) -> Result<Vec<SocketAddr>, Failure> {
    let (mut port, mut hosts) = (wanted, Vec::new());
    for ip in addresses() {
        let any = |error| if wanted == 0 { peers::bind_at(SocketAddr::new(ip, 0)) } else { Err(error) };
        match peers::bind_at(SocketAddr::new(ip, port)).or_else(any) {
            Ok((local, socket)) => {
                asker.ask(Ask::Socket { of: peers::Use::Gateway, local, socket });
                port = local.port();
                hosts.push(local);
            }
            Err(error) if wanted != 0 && error.kind() == ErrorKind::AddrInUse => {
                let message = format!("UDP port {wanted} of streams at {ip}: {error}");
                return Err(Failure::new(FailureCode::Network, message));
            }
            Err(error) => tracing::warn!("no socket for streams at {ip}: {error}"),
        }
    }
    Ok(hosts)
}

/// Those addresses with the ports of our sockets behind them.
pub(super) fn advertised(addresses: &[IpAddr], hosts: &[SocketAddr]) -> Vec<SocketAddr> {
    let mut advertised = Vec::new();
    for ip in addresses {
        let of_kind = |host: &&SocketAddr| host.is_ipv4() == ip.is_ipv4() && !host.ip().is_loopback();
        // Nothing but loopback: whoever changes addresses may be on this machine.
        let behind =
            hosts.iter().find(of_kind).or_else(|| hosts.iter().find(|host| host.is_ipv4() == ip.is_ipv4()));
        match behind.map(|host| SocketAddr::new(*ip, host.port())) {
            Some(address) if !advertised.contains(&address) && !hosts.contains(&address) => {
                advertised.push(address)
            }
            Some(_) => {}
            None => tracing::warn!("{ip} is not told: no address of this machine is of its kind"),
        }
    }
    advertised
}

/// Addresses of this machine, 8 at most: loopback first, then where this machine's other programs go out, as browsers may not speak to loopback; then all others.
pub fn addresses() -> Vec<IpAddr> {
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
    use super::{MOST, advertised, chosen};
    use std::net::{IpAddr, SocketAddr};

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
    fn what_is_advertised_has_the_port_of_an_address_of_its_kind() {
        let socket = |text: &str| text.parse::<SocketAddr>().unwrap();
        let hosts = ["127.0.0.1:40000", "10.0.0.5:40001", "192.168.1.5:40002"].map(socket);
        let told = advertised(&ips(&["203.0.113.7", "10.0.0.5", "203.0.113.7", "2001:db8::7"]), &hosts);
        assert_eq!(told, ["203.0.113.7:40001"].map(socket));
        let both = [socket("127.0.0.1:40000"), socket("[fd00::5]:40003")];
        let told = advertised(&ips(&["203.0.113.7", "2001:db8::7"]), &both);
        assert_eq!(told, ["203.0.113.7:40000", "[2001:db8::7]:40003"].map(socket));
    }

    #[test]
    fn a_machine_with_many_addresses_tells_some() {
        let many = (1..200).map(|n| IpAddr::from([10, 0, 0, n]));
        let chosen = chosen(many);
        assert_eq!((chosen.len(), chosen[1]), (MOST, IpAddr::from([10, 0, 0, 1])));
    }
}
