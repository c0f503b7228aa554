//! With `UDP_SEGMENT` (udp(7)): one message that the kernel, or the network card, cuts into datagrams of one length.

use bytes::Bytes;
use mio::net::UdpSocket;
use nix::{
    errno::Errno,
    sys::socket::{ControlMessage, MsgFlags, SockaddrStorage, sendmsg},
};
use std::{io::IoSlice, net::SocketAddr, os::fd::AsRawFd};

/// Datagrams of one message, and what they are in all: `UDP_MAX_SEGMENTS` of the kernel, and IPv4's longest packet.
const MOST: usize = 64;
const LONGEST: usize = 65_000;

#[derive(Debug, Default)]
pub(in super::super) struct Burst {
    datagrams: Vec<Bytes>,
    /// This kernel, or the card, does not cut messages.
    alone: bool,
}

impl Burst {
    #[cfg(test)]
    pub(in super::super) fn one_by_one() -> Self {
        Self { alone: true, ..Self::default() }
    }

    pub(in super::super) fn push(&mut self, datagram: Bytes) {
        self.datagrams.push(datagram);
    }

    /// For nobody.
    pub(in super::super) fn clear(&mut self) {
        self.datagrams.clear();
    }

    /// Sends all and is empty then. What finds no room is lost, as on a network.
    pub(in super::super) fn send(&mut self, socket: &UdpSocket, to: SocketAddr) {
        let mut rest = &self.datagrams[..];
        while let Some(first) = rest.first() {
            let (run, behind) = rest.split_at(if self.alone { 1 } else { run(rest, first.len()) });
            rest = behind;
            if run.len() > 1 && !together(socket, to, run, first.len()) {
                self.alone = true;
                run.iter().for_each(|datagram| alone(socket, to, datagram));
            } else if run.len() == 1 {
                alone(socket, to, first);
            }
        }
        self.datagrams.clear();
    }
}

/// How many of them go together: all are as long as the first, but for the last, which may be shorter.
fn run(datagrams: &[Bytes], length: usize) -> usize {
    let most = MOST.min(LONGEST / length.max(1)).max(1);
    let alike = datagrams.iter().take(most).take_while(|datagram| datagram.len() == length).count();
    let shorter = datagrams.get(alike).is_some_and(|next| (1..length).contains(&next.len()));
    if shorter && alike < most { alike + 1 } else { alike }
}

fn alone(socket: &UdpSocket, to: SocketAddr, datagram: &Bytes) {
    let _ = socket.send_to(datagram, to);
}

/// False where they have to go one by one.
fn together(socket: &UdpSocket, to: SocketAddr, run: &[Bytes], length: usize) -> bool {
    let Ok(length) = u16::try_from(length) else { return false };
    let parts: Vec<IoSlice<'_>> = run.iter().map(|datagram| IoSlice::new(datagram)).collect();
    let control = [ControlMessage::UdpGsoSegments(&length)];
    let to = SockaddrStorage::from(to);
    match sendmsg(socket.as_raw_fd(), &parts, &control, MsgFlags::empty(), Some(&to)) {
        // The card computes no checksums, or the kernel is older than 4.18; or a part is longer than the way carries.
        Err(Errno::EIO | Errno::EINVAL | Errno::ENOPROTOOPT | Errno::EOPNOTSUPP | Errno::EMSGSIZE) => false,
        _ => true,
    }
}
