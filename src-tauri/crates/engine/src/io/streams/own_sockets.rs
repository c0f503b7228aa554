//! The UDP sockets of one stream at an endpoint. Each stream has its own: a TURN server knows a relay by the addresses between
//! which it is asked for, and two streams may go to the same endpoint.

use super::{
    Ask, Asker, Key,
    peers::{Use, bind},
};
use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
};

/// One for each of our addresses that is needed.
#[derive(Debug)]
pub(super) struct OwnSockets {
    stream: Key,
    asker: Asker,
    sockets: Vec<(SocketAddr, UdpSocket)>,
    /// The stream thread has those so far.
    are_given: bool,
}

impl OwnSockets {
    pub(super) fn new(stream: Key, asker: Asker) -> Self {
        Self { stream, asker, sockets: Vec::new(), are_given: false }
    }

    /// Our socket of this address.
    pub(super) fn at(&mut self, ip: IpAddr) -> io::Result<SocketAddr> {
        if let Some((local, _)) = self.sockets.iter().find(|(local, _)| local.ip() == ip) {
            return Ok(*local);
        }
        let (local, socket) = bind(ip)?;
        if self.are_given {
            let (of, socket) = (Use::Own(self.stream), socket.try_clone()?);
            self.asker.ask(Ask::Socket { of, local, socket });
        }
        self.sockets.push((local, socket));
        Ok(local)
    }

    /// For a peer of the stream that is adopted now, with those of before.
    pub(super) fn give(&mut self) -> io::Result<Vec<(SocketAddr, UdpSocket)>> {
        self.are_given = true;
        self.sockets.iter().map(|(local, socket)| Ok((*local, socket.try_clone()?))).collect()
    }
}
