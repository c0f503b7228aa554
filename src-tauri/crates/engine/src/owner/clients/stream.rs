//! A client's streams: asked for, paused, ended.

use super::{Client, MOST_STREAMS, hooked::object, open::RESTRICTED, status::Verdict as End};
use crate::{
    check_stream_name,
    clients::{ClientStream, Muted},
    hooks::{Fields, Hook, Verdict},
    io::{
        clock,
        streams::{Ask, Key},
    },
    owner::{Owner, hooks::changed, rooms::Whom, text},
};
use sidetone_api::{SessionId, StreamStatus};
use sidetone_peer::whip::Kind;
use std::time::{Duration, Instant};

pub(super) const EVENT: &str = "StreamStatusEvent";
/// A stream has published or played by then, or has failed. Connecting and the wait for media have limits of their own, which
/// are shorter.
const PATIENCE: Duration = Duration::from_secs(30);
/// The two ends of a stream tell of its end within this.
const JUST: Duration = Duration::from_secs(5);
const PROVIDER: &str = "WebRTC";
const NOT_FOUND: &str = "Stream not found";

/// A stream that a client publishes or plays.
#[derive(Debug)]
pub(super) struct ClientLeg {
    pub(super) key: Key,
    pub(super) kind: Kind,
    /// As the client described it, without the offer.
    pub(super) wanted: ClientStream,
    /// Where the backend leads it, and the client is not to know.
    pub(super) real_name: Option<String>,
    pub(super) status: Option<StreamStatus>,
    pub(super) audio_codec: Option<String>,
    pub(super) video_codec: Option<String>,
    pub(super) audio: Muted,
    pub(super) video: Muted,
    /// Milliseconds since 1970.
    pub(super) created: u64,
    pub(super) paused: bool,
    /// The backend lets it be, and the name is its own or played: what is told of the stream is for it, and from it.
    pub(super) stands: bool,
    /// Until then it has a status.
    pub(super) due: Option<Instant>,
}

impl ClientLeg {
    /// Of which nothing is known but what the client wants.
    pub(super) fn new(key: Key, kind: Kind, wanted: ClientStream) -> Self {
        Self {
            key,
            kind,
            wanted,
            real_name: None,
            status: None,
            audio_codec: None,
            video_codec: None,
            audio: Muted::default(),
            video: Muted::default(),
            created: clock::wallclock_ms(),
            paused: false,
            stands: false,
            due: None,
        }
    }

    pub(super) fn is_published(&self) -> bool {
        self.kind == Kind::Whip
    }

    /// Of the stream as it is known here.
    pub(super) fn name(&self) -> &str {
        self.real_name.as_deref().unwrap_or(&self.wanted.name)
    }
}

impl Owner {
    pub(super) fn client_publishes(&mut self, session: &SessionId, wanted: ClientStream) {
        self.begin_client_stream(session, Kind::Whip, wanted);
    }

    pub(super) fn client_plays(&mut self, session: &SessionId, wanted: ClientStream) {
        if self.client_leg(session, &wanted.id).is_some_and(|leg| leg.paused) {
            return self.ask_to_resume(session, wanted.id);
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
        let id = wanted.id.clone();
        let due = Some(Instant::now() + PATIENCE);
        let leg = ClientLeg { due, ..ClientLeg::new(key, kind, wanted) };
        let fields = self.stream_fields_of_client(session, &leg, Some(&sdp));
        let Some(client) = self.clients.all.get_mut(session) else { return };
        client.streams.insert(id.clone(), leg);
        self.clients.ids.insert(id.clone(), session.clone());
        self.clients.by_key.insert(key, (session.clone(), id.clone()));
        self.publish_gateway();
        let hook = if kind == Kind::Whip { Hook::PublishStream } else { Hook::PlayStream };
        self.gate(hook, session.as_str(), &object(session, &id), fields, move |owner, verdict| {
            owner.on_client_stream_verdict(hook, key, sdp, verdict);
        });
    }

    /// Nothing of it has gone out before.
    fn on_client_stream_verdict(&mut self, hook: Hook, key: Key, sdp: String, verdict: Verdict) {
        // Stopped meanwhile.
        let Some((session, id)) = self.clients.by_key.get(&key).cloned() else { return };
        let changed = match verdict {
            Verdict::Go(fields) => self.change_client_stream(hook, &session, &id, &fields),
            Verdict::Refused { info } => Err(info),
        };
        // Told as of any other name that is in use, or that nobody publishes.
        if changed.is_ok()
            && let Err(info) = self.check_room_of_stream(&session, &id)
        {
            return self.end_client_stream(&session, &id, End::failed(&info));
        }
        match (changed, self.client_leg(&session, &id)) {
            (Ok(()), Some(leg)) => {
                leg.due = Some(Instant::now() + PATIENCE);
                let (kind, name) = (leg.kind, leg.name().to_owned());
                self.negotiate_client_stream(key, kind, name, sdp);
            }
            (Err(info), _) => self.forbid_client_stream(&session, &id, &info),
            (Ok(()), None) => {}
        }
    }

    /// Names that belong to rooms are for those who are in them.
    fn check_room_of_stream(&mut self, session: &SessionId, id: &str) -> Result<(), String> {
        let Some(leg) = self.client_leg(session, id) else { return Ok(()) };
        let (name, key) = (leg.name().to_owned(), leg.key);
        if !leg.is_published() {
            let may = self.may_have_name(Kind::Whep, &name, Whom::Client(session));
            return if may { Ok(()) } else { Err(NOT_FOUND.into()) };
        }
        let custom = leg.wanted.custom.as_ref().and_then(|custom| custom.get("name"));
        let room = custom.and_then(serde_json::Value::as_str).map(String::from);
        self.claim_for_client(session, room.as_deref(), &name, key)
    }

    /// Of what is played, the client keeps the name that it asked for: where it really comes from is the backend's affair.
    fn change_client_stream(
        &mut self,
        hook: Hook,
        session: &SessionId,
        id: &str,
        fields: &Fields,
    ) -> Result<(), String> {
        let hides = hook == Hook::PlayStream || self.hooks.hides(session.as_str(), hook, "name");
        let Some(leg) = self.client_leg(session, id) else { return Ok(()) };
        if let Some(name) = changed(fields, "name").filter(|name| *name != leg.wanted.name) {
            check_stream_name(name).map_err(|words| format!("of the backend: {words}"))?;
            if hides {
                leg.real_name = Some(name.to_owned());
            } else {
                leg.wanted.name = name.to_owned();
            }
        }
        let wanted = &mut leg.wanted;
        for (key, value) in [
            ("bitrate", &mut wanted.bitrate),
            ("minBitrate", &mut wanted.min_bitrate),
            ("maxBitrate", &mut wanted.max_bitrate),
        ] {
            let said = fields.get(key).and_then(serde_json::Value::as_u64);
            *value = said.and_then(|said| u32::try_from(said).ok()).unwrap_or(*value);
        }
        Ok(())
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
        if !self.may_stream(session) {
            return Err((id(), RESTRICTED.into()));
        }
        if !wanted.provider.is_empty() && wanted.provider != PROVIDER {
            return Err((id(), "No common codecs".into()));
        }
        super::check_kept(wanted.custom.as_ref()).map_err(|info| (id(), info))?;
        let most = self.streams.place().limits.session_kbit;
        if let Some(most) = most.filter(|most| kind == Kind::Whip && wanted.min_bitrate > *most) {
            return Err((id(), format!("Not enough bandwidth: {}/{most} kbit/s", wanted.min_bitrate)));
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

    /// The end of a pause is asked for as the beginning was.
    fn ask_to_resume(&mut self, session: &SessionId, id: String) {
        self.gate_client_stream(Hook::PlayStream, session, id, |owner, session, id| {
            let Some(leg) = owner.client_leg(session, id).filter(|leg| leg.paused) else { return };
            leg.paused = false;
            leg.due = Some(Instant::now() + PATIENCE);
            let stream = leg.key;
            owner.stream_door.ask(Ask::Pause { stream, paused: false });
        });
    }

    /// Does what was asked of a stream that stays as it is where the backend refuses.
    fn gate_client_stream(
        &mut self,
        hook: Hook,
        session: &SessionId,
        id: String,
        go: impl FnOnce(&mut Self, &SessionId, &str) + 'static,
    ) {
        let Some(leg) = self.clients.all.get(session).and_then(|client| client.streams.get(&id)) else {
            return;
        };
        let fields = self.stream_fields_of_client(session, leg, None);
        let (name, key) = (session.as_str().to_owned(), leg.key);
        let (object, session) = (object(session, &id), session.clone());
        self.gate(hook, &name, &object, fields, move |owner, verdict| {
            if owner.client_leg(&session, &id).is_none_or(|leg| leg.key != key) {
                return;
            }
            match verdict {
                Verdict::Go(_) => go(owner, &session, &id),
                // With its id it would be the stream's end.
                Verdict::Refused { info } => {
                    owner.tell_client_failed(&session, EVENT, None, &text::shown(&info))
                }
            }
        });
    }

    pub(super) fn client_pauses(&mut self, session: &SessionId, id: &str) {
        let Some(leg) = self.client_leg(session, id) else {
            return self.tell_client_failed(session, EVENT, None, "Stream not found");
        };
        if leg.status != Some(StreamStatus::Playing) || leg.paused {
            let info = "only a stream that is played can be paused";
            return self.tell_client_failed(session, EVENT, None, info);
        }
        self.gate_client_stream(Hook::PauseStream, session, id.to_owned(), |owner, session, id| {
            let Some(leg) = owner.client_leg(session, id) else { return };
            leg.paused = true;
            let stream = leg.key;
            owner.stream_door.ask(Ask::Pause { stream, paused: true });
            owner.set_client_status(session, id, StreamStatus::Paused, "");
        });
    }

    /// The client has closed its side already.
    pub(super) fn client_ends(&mut self, session: &SessionId, id: &str, published: bool) {
        let found = self.client_leg(session, id).map(|leg| leg.is_published());
        if found.is_none() && self.has_just_ended(session, id) {
            return;
        }
        if found != Some(published) {
            return self.tell_client_failed(session, EVENT, None, "Stream not found");
        }
        let hook = if published { Hook::UnPublishStream } else { Hook::StopStream };
        self.tell_of_client_stream(hook, session, id);
        self.end_client_stream(session, id, End::ended("Stopped by user"));
    }

    /// Its peer has said so first: a page that stops a stream closes its connection in the same breath.
    fn has_just_ended(&self, session: &SessionId, id: &str) -> bool {
        let ended = self.clients.all.get(session).map(|client| &client.ended);
        let found = ended.and_then(|ended| ended.iter().rev().find(|(ended, _)| ended == id));
        found.is_some_and(|(_, at)| at.elapsed() < JUST)
    }

    pub(super) fn client_leg(&mut self, session: &SessionId, id: &str) -> Option<&mut ClientLeg> {
        self.clients.all.get_mut(session)?.streams.get_mut(id)
    }

    /// Forgets a stream and gives back what it had.
    pub(super) fn forget_client_stream(&mut self, session: &SessionId, id: &str) {
        let Some(leg) = self.clients.all.get_mut(session).and_then(|client| client.streams.remove(id)) else {
            return;
        };
        if let Some(client) = self.clients.all.get_mut(session) {
            client.ended.push_back((id.to_owned(), Instant::now()));
            let most = client.ended.len().saturating_sub(MOST_STREAMS);
            client.ended.drain(..most);
        }
        self.clients.ids.remove(id);
        self.clients.by_key.remove(&leg.key);
        self.forget_looking(leg.key);
        self.on_room_stream_over(leg.key, leg.status == Some(StreamStatus::Failed));
        self.stream_door.ask(Ask::End { stream: leg.key });
        self.publish_gateway();
    }

    /// The client has gone: nobody is told.
    pub(super) fn end_client_streams(&mut self, session: &SessionId) {
        let ids = |client: &Client| client.streams.keys().cloned().collect::<Vec<_>>();
        for id in self.clients.all.get(session).map(ids).unwrap_or_default() {
            self.end_client_stream(session, &id, End::ended("Stopped by session disconnect"));
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
            self.end_client_stream(&session, &id, End::failed("Failed by RTP activity"));
        }
    }
}
