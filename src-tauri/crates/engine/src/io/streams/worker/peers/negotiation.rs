//! Peers come, and agree on what flows and where.

use crate::io::streams::{
    News,
    peers::{Adopted, Role, Side, expected},
    router::{Key, Refused, Tracks},
    worker::Worker,
};
use sidetone_peer::{IceServer, PeerError};
use std::time::Instant;
use tokio::sync::oneshot;

/// Why something about a peer was not done.
pub(crate) type Done<T> = oneshot::Sender<Result<T, PeerError>>;

impl Worker {
    pub(in super::super) fn adopt(&mut self, now: Instant, mut adopted: Adopted) {
        let key = adopted.key;
        let no_room = self.check_bandwidth(&adopted);
        let taken = match &adopted.role {
            _ if no_room.is_err() => no_room,
            Role::Publisher { name, tracks, .. } => self.router.publish(now, key, name, tracks.clone()),
            Role::Player { name } => self.router.tracks(name).map(drop).ok_or(Refused::NotFound),
            Role::Sender { .. } | Role::Receiver { .. } => Ok(()),
        };
        let told = match adopted.taken.take() {
            Some(tell) => tell.send(taken).is_ok(),
            None => true,
        };
        if taken.is_ok() && told {
            if matches!(adopted.role, Role::Receiver { .. }) && adopted.tracks != Tracks::default() {
                self.tell(News::Playing { stream: key, tracks: adopted.tracks.clone() });
            }
            // Of an attempt before.
            self.peers.remove(now, key);
            match &adopted.role {
                Role::Receiver { sink, .. } => sink.cut(),
                Role::Sender { control, .. } => control.hold(false),
                Role::Publisher { .. } | Role::Player { .. } => {}
            }
            self.peers.adopt(adopted);
        } else if taken.is_ok() {
            // Whoever asked has gone.
            self.router.unpublish(key);
        }
    }

    /// The far end's answer to an offer of ours.
    pub(in super::super) fn answered(&mut self, now: Instant, key: Key, sdp: &str, done: Done<Tracks>) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let side = match session.role {
            Role::Receiver { .. } => Side::Answerer,
            Role::Publisher { .. } | Role::Player { .. } | Role::Sender { .. } => Side::Offerer,
        };
        let tracks = session.peer.accept_answer(now, sdp).map(|()| expected(sdp, side).0);
        if let Ok(tracks) = &tracks {
            session.tracks = tracks.clone();
            if matches!(session.role, Role::Receiver { .. }) {
                self.tell(News::Playing { stream: key, tracks: tracks.clone() });
            }
        }
        let _ = done.send(tracks);
        self.peers.touch(key);
    }

    /// The far end's next offer, such as an ICE restart.
    pub(in super::super) fn offered(&mut self, now: Instant, key: Key, sdp: &str, done: Done<String>) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let wanted = session.wanted();
        let _ = done.send(session.peer.accept_offer(now, sdp, &wanted));
        self.peers.renew(key);
    }

    pub(in super::super) fn restart(
        &mut self,
        now: Instant,
        key: Key,
        hosts: Vec<std::net::SocketAddr>,
        done: Done<String>,
    ) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let _ = done.send(session.peer.restart_ice(now, hosts));
        self.peers.renew(key);
    }

    /// Servers that came with the far end's answer.
    pub(in super::super) fn add_servers(&mut self, now: Instant, key: Key, servers: Vec<IceServer>) {
        if let Some(session) = self.peers.sessions.get_mut(&key) {
            session.peer.add_ice_servers(now, servers);
            self.peers.touch(key);
        }
    }

    /// Candidates of the far end; those that cannot be used are passed over.
    pub(in super::super) fn trickle(&mut self, now: Instant, key: Key, candidates: &[String]) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        for candidate in candidates {
            if let Err(error) = session.peer.add_remote_candidate(now, candidate) {
                tracing::debug!("a candidate is passed over: {error}");
            }
        }
        self.peers.touch(key);
    }
}
