//! One by one.

use bytes::Bytes;
use mio::net::UdpSocket;
use std::net::SocketAddr;

#[derive(Debug, Default)]
pub(in super::super) struct Burst(Vec<Bytes>);

impl Burst {
    #[cfg(test)]
    pub(in super::super) fn one_by_one() -> Self {
        Self::default()
    }

    pub(in super::super) fn push(&mut self, datagram: Bytes) {
        self.0.push(datagram);
    }

    /// For nobody.
    pub(in super::super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Sends all and is empty then. What finds no room is lost, as on a network.
    pub(in super::super) fn send(&mut self, socket: &UdpSocket, to: SocketAddr) {
        for datagram in self.0.drain(..) {
            let _ = socket.send_to(&datagram, to);
        }
    }
}
