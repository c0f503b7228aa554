//! What the stream thread is asked to do.

use super::{
    Worker,
    own::{OwnStream, Role},
    random_start,
};
use crate::io::streams::{Ask, News, Tracks, peers::Use};
use std::time::Instant;

impl Worker {
    pub(super) fn take_asks(&mut self) {
        while let Some(ask) = self.inbox.ask() {
            self.on_ask(ask);
        }
    }

    pub(super) fn on_ask(&mut self, ask: Ask) {
        let now = Instant::now();
        match ask {
            Ask::Publish { stream, name, tracks, own, control } => {
                match self.router.publish(now, stream, &name, tracks) {
                    Ok(()) => self.insert(now, stream, own, Role::Published { control }),
                    Err(refused) => self.tell_end(stream, refused.as_str(), true),
                }
            }
            Ask::Play { stream, name, own, sink } => {
                let start = random_start();
                match self.router.play(now, stream, &name, start) {
                    Ok(tracks) => {
                        self.tell(News::Playing { stream, tracks: tracks.clone() });
                        self.insert(now, stream, own, Role::Played { sink, tracks, sound: false });
                    }
                    Err(refused) => self.tell_end(stream, refused.as_str(), true),
                }
            }
            Ask::Own { stream, own, published, sink } => {
                let role = match (published, sink) {
                    (Some(control), _) => Role::Published { control },
                    (None, Some(sink)) => Role::Played { sink, tracks: Tracks::default(), sound: false },
                    (None, None) => return,
                };
                self.insert(now, stream, own, role);
            }
            Ask::Adopt(adopted) => self.adopt(now, *adopted),
            Ask::Connector(connector) => self.peers.relays.set_connector(connector),
            Ask::Connected { line, attempt, result } => {
                self.peers.connected(line, attempt, result);
            }
            Ask::Servers { peer, servers } => self.add_servers(now, peer, servers),
            // Its peer has gone meanwhile.
            Ask::Socket { of: Use::Own(key), .. } if !self.peers.sessions.contains_key(&key) => {}
            Ask::Socket { of, local, socket } => {
                if let Err(error) = self.peers.add_socket(of, local, socket) {
                    tracing::error!("a socket for streams cannot be watched: {error}");
                }
            }
            Ask::Limits(limits) => self.set_limits(limits),
            Ask::Look { name, done } => drop(done.send(self.router.tracks(&name).cloned())),
            Ask::Answered { peer, sdp, done } => self.answered(now, peer, &sdp, done),
            Ask::Offered { peer, sdp, done } => self.offered(now, peer, &sdp, done),
            Ask::Restart { peer, hosts, done } => self.restart(now, peer, hosts, done),
            Ask::Trickle { peer, candidates } => self.trickle(now, peer, &candidates),
            Ask::Disconnect { stream } => {
                self.peers.remove(now, stream);
                if let Some(own) = self.own.get_mut(&stream) {
                    own.begin_again(now);
                }
            }
            Ask::End { stream } => {
                self.peers.remove(now, stream);
                self.router.unpublish(stream);
                self.router.stop(stream);
                self.forget(stream);
            }
            Ask::Pause { stream, paused } => {
                self.router.pause(now, stream, paused);
                if let Some(session) = self.peers.sessions.get_mut(&stream) {
                    session.pause(now, paused);
                }
                if let Some(found) = self.own.get_mut(&stream) {
                    found.begin_again(now);
                    if let Role::Played { sink, .. } = &found.role {
                        sink.cut();
                    }
                }
            }
            Ask::Watch { stream, picture } => {
                self.router.watch(now, stream, picture);
                self.tell_publisher(stream);
                if let Some(OwnStream { role: Role::Played { sink, .. }, flows, since, .. }) =
                    self.own.get_mut(&stream)
                {
                    if !*flows {
                        *since = now;
                    }
                    sink.cut_video();
                }
            }
            Ask::Silence { stream, on } => self.router.silence(stream, on),
            Ask::Mute { stream, audio, video } => self.router.mute(stream, audio, video),
        }
    }
}
