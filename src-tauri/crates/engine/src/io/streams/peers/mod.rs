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
pub(crate) use socket::{Use, bind, bind_at};

use super::{
    relays::{Line, Opened, Relays},
    router::Key,
};
use burst::Burst;
use mio::{Interest, Registry, Token};
use sidetone_peer::{Demux, IceTransport};
use socket::{Bound, LARGEST_DATAGRAM};
use std::{
    collections::{BTreeMap, BTreeSet},
    io,
    net::{SocketAddr, UdpSocket},
    sync::Arc,
    time::Instant,
};

/// Of the sockets; 0 wakes the thread.
const FIRST_TOKEN: usize = 1;
/// Datagrams read of one socket before packets go out again.
const AT_ONCE: usize = 64;

pub(super) struct Peers {
    registry: Arc<Registry>,
    /// Places of sockets that are gone are taken again.
    sockets: Vec<Option<Bound>>,
    pub(super) sessions: BTreeMap<Key, Session>,
    /// Sessions whose rates are told.
    watched: usize,
    /// Connections to TURN servers.
    pub(super) relays: Relays,
    gateway: Demux<Key>,
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
    pub(super) fn new(registry: Arc<Registry>) -> Self {
        Self {
            registry,
            sockets: Vec::new(),
            sessions: BTreeMap::new(),
            watched: 0,
            relays: Relays::new(),
            gateway: Demux::default(),
            dirty: Vec::new(),
            unsent: Vec::new(),
            due: BTreeSet::new(),
            unread: Vec::new(),
            burst: Burst::default(),
            buffer: vec![0; LARGEST_DATAGRAM].into(),
        }
    }

    pub(super) fn add_socket(&mut self, of: Use, local: SocketAddr, socket: UdpSocket) -> io::Result<()> {
        let mut socket = mio::net::UdpSocket::from_std(socket);
        let free = self.sockets.iter().position(Option::is_none).unwrap_or(self.sockets.len());
        self.registry.register(&mut socket, Token(FIRST_TOKEN + free), Interest::READABLE)?;
        let bound = Some(Bound { socket, local, of });
        match self.sockets.get_mut(free) {
            Some(place) => *place = bound,
            None => self.sockets.push(bound),
        }
        Ok(())
    }

    /// What came of a connection to a TURN server.
    pub(super) fn connected(&mut self, line: Line, attempt: u64, result: Result<Opened, String>) {
        self.relays.opened(&self.registry, line, attempt, result);
    }

    /// Those of one of our own streams.
    fn remove_sockets(&mut self, key: Key) {
        for place in &mut self.sockets {
            if let Some(mut bound) = place.take_if(|bound| bound.of == Use::Own(key)) {
                // Whoever dials has it still: closing this one does not end the watch.
                let _ = self.registry.deregister(&mut bound.socket);
            }
        }
    }

    /// A socket has datagrams, or a connection has bytes or room.
    pub(super) fn is_readable(&mut self, token: Token) {
        if self.relays.is_ready(token) {
            return;
        }
        let index = token.0 - FIRST_TOKEN;
        if !self.unread.contains(&index) {
            self.unread.push(index);
        }
    }

    pub(super) fn has_unread(&self) -> bool {
        !self.unread.is_empty() || self.relays.has_work()
    }

    /// Gives a part of the datagrams that wait to their peers.
    pub(super) fn receive(&mut self, now: Instant) {
        for index in std::mem::take(&mut self.unread) {
            if self.receive_from(now, index) {
                self.unread.push(index);
            }
        }
        for key in self.relays.receive(now, &mut self.sessions) {
            self.touch(key);
        }
    }

    /// True where more may wait.
    fn receive_from(&mut self, now: Instant, index: usize) -> bool {
        let Some(Some(bound)) = self.sockets.get(index) else { return false };
        let (local, of) = (bound.local, bound.of);
        for _ in 0..AT_ONCE {
            let Some(Some(bound)) = self.sockets.get(index) else { return false };
            let (length, remote) = match bound.socket.recv_from(&mut self.buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return false,
                // An ICMP error that an earlier datagram brought back.
                Err(_) => continue,
            };
            let Some(datagram) = self.buffer.get(..length) else { continue };
            let key = match of {
                Use::Gateway => self.gateway.route(remote, datagram),
                Use::Own(key) => Some(key),
            };
            let Some(key) = key else { continue };
            if let Some(session) = self.sessions.get_mut(&key) {
                session.peer.handle_input(now, local, remote, datagram);
                if !std::mem::replace(&mut session.is_dirty, true) {
                    self.dirty.push(key);
                }
            }
        }
        true
    }

    pub(super) fn adopt(&mut self, mut adopted: Adopted) {
        let (key, of) = (adopted.key, adopted.of);
        for (local, socket) in std::mem::take(&mut adopted.sockets) {
            if let Err(error) = self.add_socket(of, local, socket) {
                tracing::error!("a socket for a stream cannot be watched: {error}");
            }
        }
        let session = Session::new(adopted);
        if of == Use::Gateway {
            self.gateway.insert(&session.ufrag, key);
        }
        self.watched += usize::from(session.watched);
        self.sessions.insert(key, session);
        self.touch(key);
    }

    /// Its ICE began anew.
    pub(super) fn renew(&mut self, key: Key) {
        let Some(session) = self.sessions.get_mut(&key) else { return };
        let ufrag = session.peer.local_ufrag().to_owned();
        if session.ufrag != ufrag && session.of == Use::Gateway {
            let before = std::mem::replace(&mut session.ufrag, ufrag.clone());
            // A client may restart as often as it likes.
            let oldest = session.former_ufrag.replace(before);
            oldest.iter().for_each(|oldest| self.gateway.forget(oldest));
            self.gateway.insert(&ufrag, key);
        }
        self.touch(key);
    }

    /// Where its datagrams come from, known for sure.
    pub(super) fn bind_remote(&mut self, key: Key, remote: SocketAddr) {
        if self.sessions.get(&key).is_some_and(|session| session.of == Use::Gateway) {
            self.gateway.bind(remote, key);
        }
    }

    pub(super) fn are_watched(&self) -> bool {
        self.watched > 0
    }

    /// Octets of video of each watched session since this was asked last.
    pub(super) fn take_rates(&mut self) -> Vec<(Key, u64)> {
        let watched = self.sessions.iter_mut().filter(|(_, session)| session.watched);
        watched.map(|(key, session)| (*key, std::mem::take(&mut session.video_octets))).collect()
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
                    let name = session.peer.server_name(transmit.remote, transmit.transport);
                    self.relays.send(key, &transmit, name);
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
        self.relays.remove(key);
        let session = self.sessions.remove(&key)?;
        self.watched -= usize::from(session.watched);
        if let Some(due) = session.due {
            self.due.remove(&(due, key));
        }
        match session.of {
            Use::Gateway => self.gateway.remove(key),
            Use::Own(_) => self.remove_sockets(key),
        }
        Some(session)
    }
}

/// Sends what was put together for one address of a far end, from our socket there.
fn send(sockets: &[Option<Bound>], burst: &mut Burst, way: Option<(Use, SocketAddr, SocketAddr)>) {
    let Some((of, local, remote)) = way else { return };
    match sockets.iter().flatten().find(|it| it.of == of && it.local == local) {
        Some(bound) => burst.send(&bound.socket, remote),
        None => burst.clear(),
    }
}
