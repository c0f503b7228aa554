//! The UDP sockets of WebRTC peers.

use super::super::router::Key;
use socket2::{Domain, Protocol, Socket, Type};
use std::{
    io,
    net::{IpAddr, SocketAddr, UdpSocket},
};

/// What the system keeps while the thread is busy: a second of 16 Mbit/s.
const BUFFER: usize = 2 << 20;
pub(super) const LARGEST_DATAGRAM: usize = 2_048;

/// Whose peers use a socket: all of the gateway one, told apart by name fragments that it chooses; each of our own streams
/// others, as the far ends choose for themselves what they say to them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    Gateway,
    /// The peer of one of our own streams.
    Own(Key),
}

/// A socket of this address, on any port.
pub(crate) fn bind(ip: IpAddr) -> io::Result<(SocketAddr, UdpSocket)> {
    bind_at(SocketAddr::new(ip, 0))
}

/// A socket exactly there; port 0: any.
pub(crate) fn bind_at(address: SocketAddr) -> io::Result<(SocketAddr, UdpSocket)> {
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(Protocol::UDP))?;
    // The system may give less.
    let _ = socket.set_recv_buffer_size(BUFFER);
    let _ = socket.set_send_buffer_size(BUFFER);
    socket.bind(&address.into())?;
    socket.set_nonblocking(true)?;
    let socket = UdpSocket::from(socket);
    Ok((socket.local_addr()?, socket))
}

#[derive(Debug)]
pub(super) struct Bound {
    pub(super) socket: mio::net::UdpSocket,
    pub(super) local: SocketAddr,
    pub(super) of: Use,
}
