//! Ports that are free now.

use std::collections::BTreeSet;
use std::net::{IpAddr, TcpListener, UdpSocket};
use std::sync::{Mutex, PoisonError};

use crate::error::{Result, RigError};

/// What was given out here and may not be bound yet: nobody else gets it.
static GIVEN: Mutex<BTreeSet<u16>> = Mutex::new(BTreeSet::new());
const TRIES: usize = 200;

/// A port of `address` that is free for UDP and TCP, chosen by the system.
///
/// It is not held: start what is to use it soon. This process gives it to nobody else.
pub fn free_port(address: IpAddr) -> Result<u16> {
    free_port_range(address, 1)
}

/// The first of `count` free ports in a row, the first one even, as RTP wants it when `count` is over one.
pub fn free_port_range(address: IpAddr, count: u16) -> Result<u16> {
    let mut given = GIVEN.lock().unwrap_or_else(PoisonError::into_inner);
    for attempt in 0..2 * TRIES {
        if attempt == TRIES {
            // All that is free was given out before, long ago.
            given.clear();
        }
        let asked = UdpSocket::bind((address, 0))
            .and_then(|socket| socket.local_addr())
            .map_err(|error| RigError::while_doing(format_args!("no port on {address}"), error))?
            .port();
        let first = if count > 1 { asked & !1 } else { asked };
        let Some(end) = first.checked_add(count) else { continue };
        if given.range(first..end).next().is_none() && (first..end).all(|port| is_free(address, port)) {
            given.extend(first..end);
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

    #[test]
    fn what_was_given_out_is_given_to_nobody_else() {
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let mut all: Vec<u16> = Vec::new();
        // So many that some would be the same by chance.
        for _ in 0..300 {
            all.push(free_port(address).unwrap());
            let first = free_port_range(address, 4).unwrap();
            all.extend(first..first + 4);
        }
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    }
}
