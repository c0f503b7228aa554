//! All WebRTC peers of the stream thread, and their sockets: one for each address of ours and each [`Use`].

mod burst;
mod description;
mod key;
mod session;
mod socket;

pub(crate) use description::{Side, expected};
pub(super) use key::begins_key_frame;
pub(super) use session::Session;
pub(crate) use session::{Adopted, Role};
pub(crate) use socket::{Use, bind};

use super::router::Key;
use burst::Burst;
use mio::{Interest, Registry, Token};
use sidetone_peer::{Demux, IceTransport};
use socket::{Bound, LARGEST_DATAGRAM};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{SocketAddr, UdpSocket},
    time::Instant,
};

/// Of the sockets; 0 wakes the thread.
const FIRST_TOKEN: usize = 1;
/// Datagrams read of one socket before packets go out again.
const AT_ONCE: usize = 64;

pub(super) struct Peers {
    sockets: Vec<Bound>,
    pub(super) sessions: BTreeMap<Key, Session>,
    gateway: Demux<Key>,
    own: Demux<Key>,
    /// Sessions that something came to, and those that may have something to send.
    dirty: Vec<Key>,
    unsent: Vec<Key>,
    /// When sessions want to be called, in order: the thread wakes often, and most of them have nothing to do then.
    due: BTreeSet<(Instant, Key)>,
    /// Sockets that were not read until they were empty.
    unread: Vec<usize>,
    burst: Burst,
    buffer: Box<[u8]>,
}

impl Peers {
    pub(super) fn new() -> Self {
        Self {
            sockets: Vec::new(),
            sessions: BTreeMap::new(),
            gateway: Demux::default(),
            own: Demux::default(),
            dirty: Vec::new(),
            unsent: Vec::new(),
            due: BTreeSet::new(),
            unread: Vec::new(),
            burst: Burst::default(),
            buffer: vec![0; LARGEST_DATAGRAM].into(),
        }
    }

    pub(super) fn add_socket(
        &mut self,
        registry: &Registry,
        of: Use,
        local: SocketAddr,
        socket: UdpSocket,
    ) -> io::Result<()> {
        let mut socket = mio::net::UdpSocket::from_std(socket);
        let token = Token(FIRST_TOKEN + self.sockets.len());
        registry.register(&mut socket, token, Interest::READABLE)?;
        self.sockets.push(Bound { socket, local, of });
        Ok(())
    }

    fn demux(&mut self, of: Use) -> &mut Demux<Key> {
        match of {
            Use::Gateway => &mut self.gateway,
            Use::Own => &mut self.own,
        }
    }

    /// A socket has datagrams.
    pub(super) fn is_readable(&mut self, token: Token) {
        let index = token.0 - FIRST_TOKEN;
        if !self.unread.contains(&index) {
            self.unread.push(index);
        }
    }

    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty()
    }

    /// Gives a part of the datagrams that wait to their peers.
    pub(super) fn receive(&mut self, now: Instant) {
        for index in std::mem::take(&mut self.unread) {
            if self.receive_from(now, index) {
                self.unread.push(index);
            }
        }
    }

    /// True where more may wait.
    fn receive_from(&mut self, now: Instant, index: usize) -> bool {
        let Some(bound) = self.sockets.get(index) else { return false };
        let (local, of) = (bound.local, bound.of);
        for _ in 0..AT_ONCE {
            let Some(bound) = self.sockets.get(index) else { return false };
            let (length, remote) = match bound.socket.recv_from(&mut self.buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // An ICMP error that an earlier datagram brought back.
                Err(_) => continue,
            };
            let Some(datagram) = self.buffer.get(..length) else { continue };
            let demux = match of {
                Use::Gateway => &self.gateway,
                Use::Own => &self.own,
            };
            let Some(key) = demux.route(remote, datagram) else { continue };
            if let Some(session) = self.sessions.get_mut(&key) {
                session.peer.handle_input(now, local, remote, datagram);
                if !std::mem::replace(&mut session.is_dirty, true) {
                    self.dirty.push(key);
                }
            }
        }
        true
    }

    pub(super) fn adopt(&mut self, adopted: Adopted) {
        let (key, of) = (adopted.key, adopted.of);
        let session = Session::new(adopted);
        let ufrag = session.ufrag.clone();
        self.demux(of).insert(&ufrag, key);
        self.sessions.insert(key, session);
        self.touch(key);
    }

    /// Its ICE began anew.
    pub(super) fn renew(&mut self, key: Key) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let (of, ufrag) = (session.of, session.peer.local_ufrag().to_owned());
        if session.ufrag != ufrag {
            let before = std::mem::replace(&mut session.ufrag, ufrag.clone());
            // A client may restart as often as it likes.
            let oldest = session.former_ufrag.replace(before);
            let demux = self.demux(of);
            oldest.iter().for_each(|oldest| demux.forget(oldest));
            demux.insert(&ufrag, key);
        }
        self.touch(key);
    }

    /// Where its datagrams come from, known for sure.
    pub(super) fn bind_remote(&mut self, key: Key, remote: SocketAddr) {
        if let Some(of) = self.sessions.get(&key).map(|session| session.of) {
            self.demux(of).bind(remote, key);
        }
    }

    /// It may have events and datagrams now.
    pub(super) fn touch(&mut self, key: Key) {
        if let Some(session) = self.sessions.get_mut(&key)
            && !std::mem::replace(&mut session.is_dirty, true)
        {
            self.dirty.push(key);
        }
    }

    /// The next session that has events. It is flushed later.
    pub(super) fn poll_dirty(&mut self) -> Option<Key> {
        loop {
            let key = self.dirty.pop()?;
            if let Some(session) = self.sessions.get_mut(&key) {
                session.is_dirty = false;
                self.unsent.push(key);
                return Some(key);
            }
        }
    }

    /// Sends all that is to be sent, once for each peer: that is what costs.
    pub(super) fn flush(&mut self) {
        for key in std::mem::take(&mut self.unsent) {
            let Some(session) = self.sessions.get_mut(&key) else { continue };
            let mut way = None;
            while let Some(transmit) = session.peer.poll_transmit() {
                if transmit.transport != IceTransport::Udp {
                    continue;
                }
                let next = (session.of, transmit.local, transmit.remote);
                if way.is_some_and(|way| way != next) {
                    send(&self.sockets, &mut self.burst, way);
                }
                way = Some(next);
                self.burst.push(transmit.data);
            }
            send(&self.sockets, &mut self.burst, way);
            let due = session.peer.poll_timeout();
            if session.due != due {
                if let Some(before) = std::mem::replace(&mut session.due, due) {
                    self.due.remove(&(before, key));
                }
                self.due.extend(due.map(|due| (due, key)));
            }
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.due.first().map(|(due, _)| *due)
    }

    pub(super) fn handle_timeouts(&mut self, now: Instant) {
        while self.due.first().is_some_and(|(due, _)| *due <= now) {
            let Some((_, key)) = self.due.pop_first() else { return };
            let Some(session) = self.sessions.get_mut(&key) else { continue };
            session.due = None;
            session.peer.handle_timeout(now);
            if !std::mem::replace(&mut session.is_dirty, true) {
                self.dirty.push(key);
            }
        }
    }

    /// Says goodbye where that is still of use.
    pub(super) fn remove(&mut self, now: Instant, key: Key) -> Option<Session> {
        let session = self.sessions.get_mut(&key)?;
        session.peer.close(now);
        self.unsent.push(key);
        self.flush();
        let session = self.sessions.remove(&key)?;
        if let Some(due) = session.due {
            self.due.remove(&(due, key));
        }
        self.demux(session.of).remove(key);
        Some(session)
    }
}

/// Sends what was put together for one address of a far end, from our socket there.
fn send(sockets: &[Bound], burst: &mut Burst, way: Option<(Use, SocketAddr, SocketAddr)>) {
    let Some((of, local, remote)) = way else { return };
    match sockets.iter().find(|it| it.of == of && it.local == local) {
        Some(bound) => burst.send(&bound.socket, remote),
        None => burst.clear(),
    }
}
