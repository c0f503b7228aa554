//! A client's streams: asked for, paused, ended.

use super::{Client, MOST_STREAMS, status::Verdict};
use crate::{
    check_stream_name,
    clients::{ClientStream, Muted},
    io::{
        clock,
        streams::{Ask, Key},
    },
    owner::Owner,
};
use sidetone_api::{SessionId, StreamStatus};
use sidetone_peer::whip::Kind;
use std::time::{Duration, Instant};

pub(super) const EVENT: &str = "StreamStatusEvent";
/// A stream has published or played by then, or has failed. Connecting and the wait for media have limits of their own, which
/// are shorter.
const PATIENCE: Duration = Duration::from_secs(30);
const PROVIDER: &str = "WebRTC";

/// A stream that a client publishes or plays.
#[derive(Debug)]
pub(super) struct ClientLeg {
    pub(super) key: Key,
    pub(super) kind: Kind,
    /// As the client described it, without the offer.
    pub(super) wanted: ClientStream,
    pub(super) status: Option<StreamStatus>,
    pub(super) audio_codec: Option<String>,
    pub(super) video_codec: Option<String>,
    pub(super) audio: Muted,
    pub(super) video: Muted,
    /// Milliseconds since 1970.
    pub(super) created: u64,
    pub(super) paused: bool,
    /// Until then it has a status.
    pub(super) due: Option<Instant>,
}

impl ClientLeg {
    pub(super) fn is_published(&self) -> bool {
        self.kind == Kind::Whip
    }
}

impl Owner {
    pub(super) fn client_publishes(&mut self, session: &SessionId, wanted: ClientStream) {
        self.begin_client_stream(session, Kind::Whip, wanted);
    }

    pub(super) fn client_plays(&mut self, session: &SessionId, wanted: ClientStream) {
        if self.resume_client_stream(session, &wanted.id) {
            return;
        }
        self.begin_client_stream(session, Kind::Whep, wanted);
    }

    fn begin_client_stream(&mut self, session: &SessionId, kind: Kind, mut wanted: ClientStream) {
        if let Err((id, info)) = self.check_client_stream(session, kind, &wanted) {
            return match id {
                // Nothing of that id is the client's: what it asked for is over with this.
                Some(_) => self.refuse_client_stream(session, kind, wanted, &info),
                None => self.tell_client_failed(session, EVENT, None, &info),
            };
        }
        let sdp = std::mem::take(&mut wanted.sdp);
        let key = self.streams.new_key();
        let (id, name) = (wanted.id.clone(), wanted.name.clone());
        let leg = ClientLeg {
            key,
            kind,
            wanted,
            status: None,
            audio_codec: None,
            video_codec: None,
            audio: Muted::default(),
            video: Muted::default(),
            created: clock::wallclock_ms(),
            paused: false,
            due: Some(Instant::now() + PATIENCE),
        };
        let Some(client) = self.clients.all.get_mut(session) else { return };
        client.streams.insert(id.clone(), leg);
        self.clients.ids.insert(id.clone(), session.clone());
        self.clients.by_key.insert(key, (session.clone(), id));
        self.publish_gateway();
        self.negotiate_client_stream(key, kind, name, sdp);
    }

    /// Why it cannot be, with its id where that can be told as the end of a stream.
    fn check_client_stream(
        &self,
        session: &SessionId,
        kind: Kind,
        wanted: &ClientStream,
    ) -> Result<(), (Option<String>, String)> {
        let id = || Some(wanted.id.clone());
        if wanted.id.is_empty() {
            return Err((None, "MediaSessionId is null".into()));
        }
        match self.clients.ids.get(&wanted.id) {
            // The stream of this id goes on.
            Some(owner) if owner == session => return Err((None, "MediaSessionId is already in use".into())),
            Some(_) => return Err((id(), "MediaSessionId is already in use".into())),
            None => {}
        }
        if !wanted.provider.is_empty() && wanted.provider != PROVIDER {
            return Err((id(), "No common codecs".into()));
        }
        let streams = self.clients.all.get(session).map_or(0, |client| client.streams.len());
        if streams >= MOST_STREAMS {
            return Err((id(), format!("a session has {MOST_STREAMS} streams at most")));
        }
        check_stream_name(&wanted.name).map_err(|words| match kind {
            Kind::Whip => (id(), words),
            // Nothing can be published by it.
            Kind::Whep => (id(), "Stream not found".into()),
        })
    }

    /// True where this was the end of a pause.
    fn resume_client_stream(&mut self, session: &SessionId, id: &str) -> bool {
        let Some(leg) = self.client_leg(session, id).filter(|leg| leg.paused) else { return false };
        leg.paused = false;
        leg.due = Some(Instant::now() + PATIENCE);
        let stream = leg.key;
        self.stream_door.ask(Ask::Pause { stream, paused: false });
        true
    }

    pub(super) fn client_pauses(&mut self, session: &SessionId, id: &str) {
        let Some(leg) = self.client_leg(session, id) else {
            return self.tell_client_failed(session, EVENT, None, "Stream not found");
        };
        if leg.status != Some(StreamStatus::Playing) || leg.paused {
            let info = "only a stream that is played can be paused";
            return self.tell_client_failed(session, EVENT, None, info);
        }
        leg.paused = true;
        let stream = leg.key;
        self.stream_door.ask(Ask::Pause { stream, paused: true });
        self.set_client_status(session, id, StreamStatus::Paused, "");
    }

    /// The client has closed its side already.
    pub(super) fn client_ends(&mut self, session: &SessionId, id: &str, published: bool) {
        let found = self.client_leg(session, id).map(|leg| leg.is_published());
        if found != Some(published) {
            return self.tell_client_failed(session, EVENT, None, "Stream not found");
        }
        self.end_client_stream(session, id, Verdict::ended("Stopped by user"));
    }

    pub(super) fn client_leg(&mut self, session: &SessionId, id: &str) -> Option<&mut ClientLeg> {
        self.clients.all.get_mut(session)?.streams.get_mut(id)
    }

    /// Forgets a stream and gives back what it had.
    pub(super) fn forget_client_stream(&mut self, session: &SessionId, id: &str) {
        let Some(leg) = self.clients.all.get_mut(session).and_then(|client| client.streams.remove(id)) else {
            return;
        };
        self.clients.ids.remove(id);
        self.clients.by_key.remove(&leg.key);
        self.stream_door.ask(Ask::End { stream: leg.key });
        self.publish_gateway();
    }

    /// The client has gone: nobody is told.
    pub(super) fn end_client_streams(&mut self, session: &SessionId) {
        let ids = |client: &Client| client.streams.keys().cloned().collect::<Vec<_>>();
        for id in self.clients.all.get(session).map(ids).unwrap_or_default() {
            self.end_client_stream(session, &id, Verdict::ended("Stopped by session disconnect"));
        }
        let of_session = self.clients.snapshots.iter().filter(|(_, taking)| taking.session == *session);
        for key in of_session.map(|(key, _)| *key).collect::<Vec<_>>() {
            self.end_client_snapshot(key);
        }
    }

    pub(super) fn next_client_verdict(&self) -> Option<Instant> {
        let legs = self.clients.by_key.values().filter_map(|(session, id)| {
            self.clients.all.get(session).and_then(|client| client.streams.get(id))
        });
        legs.filter_map(|leg| leg.due).min()
    }

    /// A client polls for its stream's first status and does nothing else meanwhile.
    pub(super) fn give_overdue_verdicts(&mut self, now: Instant) {
        let late = |id: &SessionId, client: &Client| {
            let late = client.streams.iter().filter(|(_, leg)| leg.due.is_some_and(|due| due <= now));
            late.map(|(stream, _)| (id.clone(), stream.clone())).collect::<Vec<_>>()
        };
        let late: Vec<_> = self.clients.all.iter().flat_map(|(id, client)| late(id, client)).collect();
        for (session, id) in late {
            self.end_client_stream(&session, &id, Verdict::failed("Failed by RTP activity"));
        }
    }
}
