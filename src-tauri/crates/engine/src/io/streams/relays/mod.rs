//! Streams to TURN servers, over TCP and TLS: a connection for each server of each peer.

mod connect;
mod connection;

pub(crate) use connect::{Connector, Opened};

use super::{peers::Session, router::Key};
use bytes::Bytes;
use connection::{Connection, State};
use mio::{Interest, Registry, Token};
use sidetone_peer::{IceTransport, Transmit};
use std::{
    collections::{BTreeMap, HashMap},
    net::SocketAddr,
    time::Instant,
};

/// Far from those of UDP sockets.
const FIRST_TOKEN: usize = usize::MAX / 2;
/// Messages that wait for a connection: one asks for a relay, hardly anything comes before the answer.
const WAITING: usize = 16;
/// Bytes read of one connection before packets go out again.
const AT_ONCE: usize = 128 * 1024;
const PIECE: usize = 16 * 1024;

/// Whose connection it is, and between which addresses.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Line {
    pub(super) peer: Key,
    /// Of the peer's UDP socket, which names the connection to the peer; its own port is another.
    pub(super) local: SocketAddr,
    pub(super) remote: SocketAddr,
    pub(super) transport: IceTransport,
}

enum Stage {
    Connecting { attempt: u64, waiting: Vec<Bytes> },
    Open { token: Token, connection: Box<Connection> },
}

pub(super) struct Relays {
    connector: Option<Connector>,
    lines: HashMap<Line, Stage>,
    tokens: HashMap<Token, Line>,
    unread: Vec<Token>,
    /// Connections that have ended, with the reason in words: their peers do not know yet.
    lost: Vec<(Line, String)>,
    next_token: usize,
    next_attempt: u64,
    buffer: Box<[u8]>,
}

impl Relays {
    pub(super) fn new() -> Self {
        Self {
            connector: None,
            lines: HashMap::new(),
            tokens: HashMap::new(),
            unread: Vec::new(),
            lost: Vec::new(),
            next_token: FIRST_TOKEN,
            next_attempt: 0,
            buffer: vec![0; PIECE].into(),
        }
    }

    pub(super) fn set_connector(&mut self, connector: Connector) {
        self.connector = Some(connector);
    }

    /// Whether a token is of one of its connections; then it has bytes or room.
    pub(super) fn is_ready(&mut self, token: Token) -> bool {
        let is_own = token.0 >= FIRST_TOKEN;
        if is_own && !self.unread.contains(&token) {
            self.unread.push(token);
        }
        is_own
    }

    pub(super) fn has_work(&self) -> bool {
        !self.unread.is_empty() || !self.lost.is_empty()
    }

    /// Sends a message, over a connection that is opened where there is none. `name` is what its certificate must carry.
    pub(super) fn send(&mut self, peer: Key, transmit: &Transmit, name: Option<&str>) {
        let Transmit { local, remote, transport, ref data } = *transmit;
        let line = Line { peer, local, remote, transport };
        match self.lines.get_mut(&line) {
            Some(Stage::Open { connection, .. }) => {
                if let State::Over(reason) = connection.send(data) {
                    self.lose(line, reason);
                }
            }
            Some(Stage::Connecting { waiting, .. }) => {
                if waiting.len() < WAITING {
                    waiting.push(data.clone());
                }
            }
            None => {
                let (Some(connector), Some(name)) = (&self.connector, name) else { return };
                self.next_attempt += 1;
                connector.connect(line, self.next_attempt, name.to_owned());
                let waiting = vec![data.clone()];
                self.lines.insert(line, Stage::Connecting { attempt: self.next_attempt, waiting });
            }
        }
    }

    /// What came of an attempt to connect.
    pub(super) fn opened(
        &mut self,
        registry: &Registry,
        line: Line,
        attempt: u64,
        result: Result<Opened, String>,
    ) {
        let waiting = match self.lines.get_mut(&line) {
            Some(Stage::Connecting { attempt: own, waiting }) if *own == attempt => std::mem::take(waiting),
            // Nobody wants it any more.
            _ => return,
        };
        let opened = result.and_then(|opened| {
            let token = Token(self.next_token);
            let mut connection = Connection::new(opened);
            let interests = Interest::READABLE | Interest::WRITABLE;
            registry
                .register(connection.source(), token, interests)
                .map_err(|error| format!("the connection cannot be watched: {error}"))?;
            self.next_token += 1;
            for message in waiting {
                if let State::Over(reason) = connection.send(&message) {
                    return Err(reason);
                }
            }
            Ok((token, Box::new(connection)))
        });
        match opened {
            Ok((token, connection)) => {
                self.tokens.insert(token, line);
                // What came with the handshake.
                self.unread.push(token);
                self.lines.insert(line, Stage::Open { token, connection });
            }
            Err(reason) => self.lose(line, reason),
        }
    }

    /// Gives what has come to the peers, and tells them of connections that have ended. Gives those peers.
    pub(super) fn receive(&mut self, now: Instant, sessions: &mut BTreeMap<Key, Session>) -> Vec<Key> {
        let mut touched = Vec::new();
        for token in std::mem::take(&mut self.unread) {
            let Some(line) = self.tokens.get(&token).copied() else { continue };
            let Some(Stage::Open { connection, .. }) = self.lines.get_mut(&line) else { continue };
            let Some(session) = sessions.get_mut(&line.peer) else { continue };
            let mut taken = 0;
            let state = loop {
                match connection.read(&mut self.buffer) {
                    Ok(0) => break connection.flush(),
                    Ok(length) => {
                        let bytes = self.buffer.get(..length).unwrap_or_default();
                        session.peer.handle_stream(now, line.local, line.remote, line.transport, bytes);
                        taken += length;
                    }
                    Err(reason) => break State::Over(reason),
                }
                if taken >= AT_ONCE {
                    self.unread.push(token);
                    break State::Open;
                }
            };
            if taken > 0 {
                touched.push(line.peer);
            }
            if let State::Over(reason) = state {
                self.lose(line, reason);
            }
        }
        for (line, reason) in std::mem::take(&mut self.lost) {
            if let Some(session) = sessions.get_mut(&line.peer) {
                session.peer.lose_stream(now, line.local, line.remote, line.transport, &reason);
                touched.push(line.peer);
            }
        }
        touched
    }

    /// The peer has gone.
    pub(super) fn remove(&mut self, peer: Key) {
        let tokens = &mut self.tokens;
        self.lines.retain(|line, stage| {
            let stays = line.peer != peer;
            if let Stage::Open { token, connection } = stage
                && !stays
            {
                tokens.remove(token);
                connection.close();
            }
            stays
        });
        self.lost.retain(|(line, _)| line.peer != peer);
    }

    fn lose(&mut self, line: Line, reason: String) {
        if let Some(Stage::Open { token, .. }) = self.lines.remove(&line) {
            self.tokens.remove(&token);
        }
        self.lost.push((line, reason));
    }
}
