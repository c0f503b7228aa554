//! What is known of connections besides their bytes: our end of them, and what is told about them.

use super::{Flow, flow, open};
use sidetone_sip::{Hop, Transport};
use socket2::Socket;
use std::{
    collections::HashMap,
    net::{IpAddr, SocketAddr},
    sync::{Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

const MAX_RESERVED: usize = 64;
/// How long a port waits for the first message that names it.
const RESERVED: Duration = Duration::from_secs(30);
/// Connections, also closed ones, whose description is kept.
const MAX_TOLD: usize = 1024;

#[derive(Debug, Default)]
pub(crate) struct Flows(Mutex<Inner>);

#[derive(Debug, Default)]
struct Inner {
    open: HashMap<Flow, SocketAddr>,
    reserved: HashMap<Flow, (Socket, SocketAddr, Instant)>,
    told: HashMap<Flow, (String, Instant)>,
}

impl Flows {
    /// Our end of the connection to `remote`: of the one that stands, or of the one that will.
    pub(crate) fn local(&self, of: Flow, ip: IpAddr) -> std::io::Result<SocketAddr> {
        let mut inner = self.lock();
        let known = inner.open.get(&of).copied();
        if let Some(local) = known.or_else(|| inner.reserved.get(&of).map(|(_, local, _)| *local)) {
            return Ok(local);
        }
        let now = Instant::now();
        inner.reserved.retain(|_, (_, _, since)| now.duration_since(*since) < RESERVED);
        let (socket, local) = open::bound(ip)?;
        if inner.reserved.len() < MAX_RESERVED {
            inner.reserved.insert(of, (socket, local, now));
        }
        Ok(local)
    }

    pub(super) fn take_reserved(&self, of: &Flow) -> Option<Socket> {
        self.lock().reserved.remove(of).map(|(socket, _, _)| socket)
    }

    pub(super) fn opened(&self, hop: &Hop, local: SocketAddr, info: String) {
        let mut inner = self.lock();
        inner.open.insert(flow(hop), local);
        // There is nothing to tell of plain TCP, of which others open as many as they like.
        if hop.transport == Transport::Tcp {
            return;
        }
        if inner.told.len() >= MAX_TOLD
            && let Some(oldest) = inner.told.iter().min_by_key(|(_, told)| told.1).map(|(flow, _)| *flow)
        {
            inner.told.remove(&oldest);
        }
        inner.told.insert(flow(hop), (info, Instant::now()));
    }

    pub(super) fn closed(&self, hop: &Hop) {
        self.lock().open.remove(&flow(hop));
    }

    /// What is told of a connection that stands or stood; `None` over plain TCP.
    pub(crate) fn info(&self, hop: &Hop) -> Option<String> {
        self.lock().told.get(&flow(hop)).map(|(info, _)| info.clone())
    }

    fn lock(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::{Flows, MAX_TOLD};
    use sidetone_sip::{Hop, Transport};

    #[test]
    fn a_flood_of_connections_does_not_push_out_what_is_told_of_a_standing_one() {
        let flows = Flows::default();
        let address = "192.0.2.1:5061".parse().unwrap();
        let server = Hop::new(Transport::Tls, address, address);
        flows.opened(&server, address, "TLS 1.3".into());
        for port in 1..=2 * MAX_TOLD as u16 {
            let hop = Hop::new(Transport::Tcp, address, ([192, 0, 2, 9], port).into());
            flows.opened(&hop, address, "not encrypted".into());
        }
        assert_eq!(flows.info(&server).as_deref(), Some("TLS 1.3"));
    }
}
