//! What the stream thread does with WebRTC peers.

mod media;
mod negotiation;
mod path;

pub(crate) use negotiation::Done;
pub(super) use path::path;

use super::{Worker, random_start};
use crate::io::streams::{
    News,
    packet::Clock,
    peers::Role,
    router::{Key, PUBLISHER_STOPPED, Refused},
};
use sidetone_peer::{DisconnectReason, Event};
use std::time::{Duration, Instant};

/// Of what we play from elsewhere: so long nothing may come of it.
const NO_MEDIA: Duration = Duration::from_secs(10);
const NO_ACTIVITY: &str = "Failed by RTP activity";

/// So long pictures may wait for their pace before the source leaves some out: longer than a key frame is paced.
const BACKLOG: Duration = Duration::from_millis(150);
/// The same where the path is full: it empties no sooner for those that follow, and each of them makes the wait longer.
const BACKLOG_FULL: Duration = Duration::from_millis(30);

impl Worker {
    /// Carries out what the peers have to say. True where there was anything.
    pub(super) fn drain_peers(&mut self, now: Instant) -> bool {
        let mut any = false;
        while let Some(key) = self.peers.poll_dirty() {
            any = true;
            self.hear(now, key);
            self.look_at_backlog(now, key);
            while let Some(event) =
                self.peers.sessions.get_mut(&key).and_then(|session| session.peer.poll_event())
            {
                self.on_peer_event(now, key, event);
            }
        }
        any
    }

    /// A publisher that gives any sign of life is there.
    fn hear(&mut self, now: Instant, key: Key) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let heard = session.peer.last_received();
        if heard != session.heard {
            session.heard = heard;
            self.router.heard(now, key);
        }
    }

    /// Where no player gets the pictures as fast as they come, some are better left out at the source.
    fn look_at_backlog(&mut self, now: Instant, key: Key) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        let most = if session.peer.is_path_full() { BACKLOG_FULL } else { BACKLOG };
        let is_behind = session.peer.backlog(now) > most;
        session.fit.behind |= is_behind;
        if std::mem::replace(&mut session.is_behind, is_behind) == is_behind {
            return;
        }
        match &session.role {
            Role::Sender { control, .. } => control.hold(is_behind),
            Role::Player { .. } => self.tell_publisher(key),
            Role::Publisher { .. } | Role::Receiver { .. } => {}
        }
    }

    /// At once: what is too much waits on the way to the player.
    pub(super) fn tell_publisher(&self, player: Key) {
        if let Some(publisher) = self.router.publisher_of(player)
            && let Some(own) = self.own.get(&publisher)
        {
            own.follow_players(publisher, &self.router, &self.peers);
        }
    }

    fn on_peer_event(&mut self, now: Instant, key: Key, event: Event) {
        let Some(session) = self.peers.sessions.get_mut(&key) else { return };
        match event {
            Event::Connected => {
                let is_first = !std::mem::replace(&mut session.connected, true);
                session.connected_at.get_or_insert(now);
                if let Role::Player { name } = &session.role
                    && is_first
                {
                    let name = name.clone();
                    if let Err(refused) = self.router.play(now, key, &name, random_start()) {
                        // Its publisher has gone meanwhile.
                        let is_gone = refused == Refused::NotFound;
                        let info = if is_gone { PUBLISHER_STOPPED } else { refused.as_str() };
                        self.end_peer(now, key, info, !is_gone);
                    }
                }
            }
            Event::Path { remote, .. } => self.peers.bind_remote(key, remote),
            Event::Track(track) => {
                let tracks = session.begin(&track);
                match session.role {
                    Role::Publisher { .. } => self.router.set_tracks(now, key, tracks),
                    Role::Player { .. } | Role::Sender { .. } | Role::Receiver { .. } => {}
                }
            }
            Event::Rtp(received) => self.on_rtp(now, key, received),
            Event::SenderClock { track, clock } => {
                let Some(incoming) = session.incoming.get(&track).copied() else { return };
                let clock = Clock { ntp: clock.ntp, timestamp: clock.timestamp };
                match &session.role {
                    Role::Publisher { .. } => {
                        self.router.set_clock(key, incoming.kind, incoming.layer, clock);
                    }
                    Role::Receiver { own, sink } => {
                        own.set_clock(now, incoming.kind, clock, session.tracks.audio.as_ref());
                        sink.clock(incoming.kind, clock);
                    }
                    Role::Player { .. } | Role::Sender { .. } => {}
                }
            }
            Event::KeyFrameRequested { track } => match &session.role {
                Role::Player { .. } => self.router.key_frame_wanted(now, key),
                Role::Sender { own, control } => {
                    own.counters.key_requests.add(1);
                    control.want_key_frame(session.layer_of(track));
                }
                Role::Publisher { .. } | Role::Receiver { .. } => {}
            },
            Event::Behind { track } => match &session.role {
                Role::Player { .. } => self.router.fell_behind(now, key),
                Role::Sender { control, .. } => control.want_key_frame(session.layer_of(track)),
                Role::Publisher { .. } | Role::Receiver { .. } => {}
            },
            Event::Estimate { bps } => {
                let kbit = u32::try_from(bps / 1_000).unwrap_or(u32::MAX);
                match &session.role {
                    Role::Player { .. } => {
                        self.router.set_bandwidth(now, key, kbit);
                        self.tell_publisher(key);
                    }
                    Role::Sender { control, .. } => control.allow(kbit),
                    Role::Publisher { .. } | Role::Receiver { .. } => {}
                }
            }
            Event::LocalCandidate { mid, candidate } if session.is_own() => {
                self.tell(News::Candidate { stream: key, mid, candidate });
            }
            Event::GatheringDone if session.is_own() => self.tell(News::GatheringDone { stream: key }),
            Event::ServerFailed { url, reason } if session.is_own() => {
                self.tell(News::ServerFailed { stream: key, url, reason });
            }
            Event::Ended { track } => {
                session.incoming.remove(&track);
                if session.incoming.is_empty() {
                    self.disconnected(now, key, &DisconnectReason::Closed.to_string(), false);
                }
            }
            Event::Disconnected(reason) => {
                let failed = reason != DisconnectReason::Closed;
                self.disconnected(now, key, &reason.to_string(), failed);
            }
            // What was lost for good shows in the numbers; the key frame has been asked for.
            _ => {}
        }
    }

    /// The far end, or the path to it, is gone.
    fn disconnected(&mut self, now: Instant, key: Key, info: &str, failed: bool) {
        let Some(session) = self.peers.remove(now, key) else { return };
        self.router.unpublish(key);
        self.router.stop(key);
        if let Role::Sender { control, .. } = &session.role {
            control.hold(false);
        }
        if session.is_own() {
            if let Some(own) = self.own.get_mut(&key) {
                own.begin_again(now);
            }
            self.tell(News::Disconnected { stream: key, info: info.to_owned() });
        } else {
            tracing::debug!(?key, "a peer of the gateway has gone: {info}");
            self.tell(News::Left { session: key, info: info.to_owned(), failed });
        }
    }

    /// There is nothing more for it.
    pub(super) fn end_peer(&mut self, now: Instant, key: Key, info: &str, failed: bool) {
        if let Some(session) = self.peers.remove(now, key) {
            self.router.unpublish(key);
            self.router.stop(key);
            if !session.is_own() {
                self.tell(News::Left { session: key, info: info.to_owned(), failed });
            }
        }
    }

    /// An endpoint that is there and sends nothing is of no use.
    pub(super) fn look_at_media(&mut self, now: Instant) {
        let silent: Vec<_> = self
            .peers
            .sessions
            .iter()
            .filter(|(key, session)| {
                let passed = |since: Instant| now.saturating_duration_since(since);
                let is_silent =
                    session.media.or(session.connected_at).is_some_and(|at| passed(at) >= NO_MEDIA);
                let is_unseen = session.connected_at.is_some_and(|at| passed(at) >= super::UNSEEN)
                    && self.own.get(key).is_some_and(|own| !own.flows);
                let is_awaited = matches!(session.role, Role::Receiver { .. }) && !session.paused;
                is_awaited && (is_silent || is_unseen)
            })
            .map(|(key, _)| *key)
            .collect();
        for key in silent {
            self.disconnected(now, key, NO_ACTIVITY, true);
        }
    }
}
