//! Streams at WHIP and WHEP endpoints: connecting, reconnecting, and when to give up.

use super::{
    super::{Errand, Owner, text},
    check::invalid,
    place::{AtServer, Place},
    publish::encoding,
    wanted::{SOUND_KBIT, limits},
};
use crate::io::{
    clock,
    http::Schedule,
    streams::{
        self, Key, Tracks,
        dial::{self, Dialled, Told},
        peers::Role,
        receive,
        router::NOT_FOUND,
        send::{Control, MOST_LAYERS},
    },
};
use sidetone_api::{Failure, NoticeLevel, Secret, SessionId, StreamId, StreamStatus};
use sidetone_media::{Codec as AudioCodec, video::VideoCodec};
use sidetone_peer::whip::{self, Endpoint, Token};
use std::{
    net::{IpAddr, SocketAddr},
    time::{Duration, Instant},
};

/// What [`sidetone_peer::DisconnectReason::Closed`] is called.
const CLOSED_BY_ENDPOINT: &str = "Stopped by session disconnect";
/// An endpoint that ends the session again within this is not asked at once.
const LASTING: Duration = Duration::from_secs(10);

/// A stream's way to its endpoint.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) place: Place,
    pub(super) dialled: Option<Dialled>,
    pub(super) schedule: Schedule,
    /// Attempts so far: what an earlier one tells is of no interest.
    pub(super) attempt: u64,
    /// The endpoint's address, and ours towards it.
    remote: Option<SocketAddr>,
    address: Option<IpAddr>,
    control: Control,
    sink: Option<receive::Sink>,
    /// What was agreed on first; later attempts want the same.
    pub(super) tracks: Option<Tracks>,
    /// The endpoint has ended a player's session in order: what it says to the next offer tells why.
    closed: bool,
    /// When it was asked why.
    asked: Option<Instant>,
}

/// What an attempt tells.
#[derive(Debug)]
pub(in super::super) struct Dialling {
    stream: Key,
    attempt: u64,
    told: Told,
}

/// # Errors
/// Names `name` or `token`.
pub(super) fn endpoint(kind: whip::Kind, url: &str, token: Option<&Secret>) -> Result<Endpoint, Failure> {
    let token = token.map(|token| Token::new(token.expose())).transpose();
    let token = token.map_err(|error| Failure::invalid("token", error.to_string()))?;
    Endpoint::new(kind, url, token).map_err(|error| invalid("name", &error.to_string()))
}

impl Owner {
    pub(super) fn publish_url(&mut self, id: &StreamId, endpoint: Endpoint) {
        self.publish_at(id, Place::Endpoint(endpoint));
    }

    pub(super) fn play_url(&mut self, id: &StreamId, endpoint: Endpoint) {
        self.play_at(id, Place::Endpoint(endpoint));
    }

    /// Published or played at the server of this session.
    pub(super) fn begin_at_server(&mut self, id: &StreamId, session: SessionId) {
        let Some(stream) = self.streams.all.get(id) else { return };
        let place = Place::Server(AtServer { session, id: None, offer: String::new() });
        if stream.is_published() { self.publish_at(id, place) } else { self.play_at(id, place) }
    }

    fn publish_at(&mut self, id: &StreamId, place: Place) {
        let control = Control::default();
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        control.allow(stream.settings.start_kbit + SOUND_KBIT);
        let ask = streams::Ask::Own {
            stream: stream.key,
            own: stream.own.clone(),
            published: Some(control.clone()),
            sink: None,
        };
        stream.connection = Some(Box::new(Connection::new(place, control, None)));
        self.stream_door.ask(ask);
        self.connect_stream(id);
    }

    fn play_at(&mut self, id: &StreamId, place: Place) {
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let (sink, outlets) = receive::sink();
        stream.outlets = Some(outlets);
        let own = stream.own.clone();
        let ask = streams::Ask::Own { stream: stream.key, own, published: None, sink: Some(sink.clone()) };
        stream.connection = Some(Box::new(Connection::new(place, Control::default(), Some(sink))));
        self.stream_door.ask(ask);
        self.connect_stream(id);
    }

    /// Makes an attempt.
    pub(in super::super) fn connect_stream(&mut self, id: &StreamId) {
        let place = match self
            .streams
            .all
            .get(id)
            .and_then(|stream| stream.connection.as_ref())
            .map(|it| &it.place)
        {
            Some(Place::Endpoint(endpoint)) => dial::Place::Endpoint(endpoint.clone()),
            Some(Place::Server(server)) => match self.place_of_wcs(&server.session) {
                Some(remote) => dial::Place::Server(remote),
                None => return self.wait_for_server(id, "the server is not connected"),
            },
            None => return,
        };
        // What an attempt before has left there.
        self.leave_server(id);
        let servers = self.ice_servers();
        let video = &self.settings.get().video;
        let (relay_only, trusted_ca) = (video.relay_only, video.trusted_ca.clone());
        let dialler = self.streams.dialler.clone();
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let wanted = stream.wanted();
        let (key, own, settings) = (stream.key, stream.own.clone(), &stream.settings);
        let bitrate = limits(settings);
        let (Some(connection), Some(dialler)) = (stream.connection.as_mut(), dialler) else { return };
        connection.attempt += 1;
        stream.retry_at = None;
        let role = match &connection.sink {
            Some(sink) => Role::Receiver { own, sink: sink.clone() },
            None => Role::Sender { own, control: connection.control.clone() },
        };
        let call = dial::Call { stream: key, place, wanted, bitrate, servers, relay_only, trusted_ca, role };
        let (errands, attempt) = (self.errands.clone(), connection.attempt);
        let tell = move |told| {
            let dialling = Dialling { stream: key, attempt, told };
            if errands.try_send(Errand::Dialling(Box::new(dialling))).is_err() {
                tracing::error!("the owner does not hear of a stream's connection");
            }
        };
        connection.dialled = Some(dial::dial(dialler, call, tell));
    }

    pub(in super::super) fn on_dialling(&mut self, dialling: Dialling) {
        let Dialling { stream: key, attempt, told } = dialling;
        let Some(stream) = self.streams.of_key(key) else { return };
        let id = stream.id.clone();
        let Some(connection) = stream.connection.as_mut().filter(|it| it.attempt == attempt) else { return };
        match told {
            Told::ServerFailed { url, reason } => self.on_server_failed(&url, &reason),
            Told::Reached { remote, local } => {
                (connection.remote, connection.address) = (Some(remote), Some(local));
            }
            Told::Over => {}
            Told::Offered { sdp, reply } => self.offer_to_server(&id, attempt, sdp, reply),
            Told::Agreed(tracks) => self.on_stream_agreed(&id, tracks),
            // Nobody publishes it any more.
            Told::Failed { info, .. } if std::mem::take(&mut connection.closed) && info == NOT_FOUND => {
                self.end_stream(&id, StreamStatus::Stopped, streams::PUBLISHER_STOPPED);
            }
            Told::Failed { info, may_pass, retry_after } => {
                self.lose_stream(&id, &info, may_pass, retry_after);
            }
        }
    }

    fn on_stream_agreed(&mut self, id: &StreamId, tracks: Tracks) {
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let is_published = stream.is_published();
        let Some(connection) = stream.connection.as_mut() else { return };
        let before = connection.tracks.replace(tracks.clone());
        if !is_published {
            // The stream thread tells what comes.
            return;
        }
        if before.is_some() {
            (0..MOST_LAYERS).filter_map(|layer| u8::try_from(layer).ok()).for_each(|layer| {
                connection.control.want_key_frame(layer);
            });
            return;
        }
        let control = connection.control.clone();
        let scene = stream.scene();
        let has_sound = stream.sources.as_ref().is_some_and(|sources| !sources.audio.is_empty());
        let agreed = tracks.video.as_ref().and_then(|track| track.codec.parse::<VideoCodec>().ok());
        let encoding = encoding(&stream.settings).ok();
        let pictures = scene.zip(encoding).zip(agreed).map(|((scene, mut encoding), codec)| {
            encoding.codec = codec;
            encoding.layers = tracks.video.as_ref().map_or(1, |track| track.layers);
            (scene, encoding)
        });
        let sound = tracks.audio.as_ref().filter(|_| has_sound);
        let sound = sound.and_then(|track| track.codec.parse::<AudioCodec>().ok());
        if pictures.is_none() && sound.is_none() {
            return self.end_stream(id, StreamStatus::Failed, "No common codecs");
        }
        if pictures.is_none() && stream.sources.as_ref().is_some_and(|sources| sources.video.is_some()) {
            stream.picture_problem = Some("the endpoint takes no picture of ours".into());
        }
        self.begin_sending(id, pictures, control);
        if let Some(codec) = sound {
            self.begin_sound(id, codec);
        }
        self.publish_stream_view(id);
    }

    /// The connection is gone, or did not come about.
    pub(super) fn on_stream_disconnected(&mut self, key: Key, info: &str) {
        let Some(stream) = self.streams.of_key(key) else { return };
        let (id, is_played) = (stream.id.clone(), !stream.is_published() && stream.live_at.is_some());
        // Nothing is awaited of a connection that was given up: of a paused stream, or between two attempts.
        let Some(connection) = stream.connection.as_mut().filter(|it| it.dialled.is_some()) else { return };
        if is_played && info == CLOSED_BY_ENDPOINT {
            // Its publisher has stopped, or the endpoint begins again: WHEP tells neither, but what it says to another offer does.
            connection.closed = true;
            let now = Instant::now();
            let before = connection.asked.filter(|asked| now.saturating_duration_since(*asked) < LASTING);
            if before.is_none() {
                connection.asked = Some(now);
                return self.connect_stream(&id);
            }
        }
        self.lose_stream(&id, info, true, None);
    }

    /// What never was live has failed; what was, is tried again.
    pub(in super::super) fn lose_stream(
        &mut self,
        id: &StreamId,
        info: &str,
        may_pass: bool,
        retry_after: Option<Duration>,
    ) {
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let was_live = stream.live_at.is_some();
        let Some(connection) = stream.connection.as_mut().filter(|_| was_live && may_pass) else {
            return self.end_stream(id, StreamStatus::Failed, info);
        };
        // What the old attempt may still tell is of no interest.
        connection.attempt += 1;
        connection.dialled = None;
        self.leave_server(id);
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let Some(connection) = stream.connection.as_mut() else { return };
        let random = clock::random().map(u32::from_be_bytes).unwrap_or(u32::MAX / 2);
        let now = Instant::now();
        let due = connection.schedule.failed(now, retry_after, random);
        let wait = u64::try_from(due.saturating_duration_since(now).as_millis()).unwrap_or(u64::MAX);
        stream.retry_at = Some(clock::wallclock_ms().saturating_add(wait));
        stream.status = None;
        stream.info = text::shown(info);
        let key = stream.key;
        self.stream_door.ask(streams::Ask::Disconnect { stream: key });
        let name = self.streams.all.get(id).map(|stream| stream.name.clone()).unwrap_or_default();
        self.notice(NoticeLevel::Warning, &format!("{name} is connected again soon: {info}"), None);
        self.publish_stream_view(id);
    }

    /// Now, whatever the schedule says.
    pub(super) fn connect_again(&mut self, id: &StreamId) {
        let Some(connection) = self.streams.all.get_mut(id).and_then(|stream| stream.connection.as_mut())
        else {
            return;
        };
        if let Place::Server(server) = &connection.place {
            let session = server.session.clone();
            if self.place_of_wcs(&session).is_none() {
                return self.connect_wcs_now(&session);
            }
            return self.connect_stream(id);
        }
        connection.schedule.retry_now(Instant::now());
        self.connect_due_streams(Instant::now());
    }

    pub(in super::super) fn next_connecting(&self) -> Option<Instant> {
        let connections = self.streams.all.values().filter_map(|stream| stream.connection.as_ref());
        connections.filter_map(|connection| connection.schedule.due()).min()
    }

    pub(in super::super) fn connect_due_streams(&mut self, now: Instant) {
        let due: Vec<_> = self
            .streams
            .all
            .values_mut()
            .filter_map(|stream| stream.connection.as_mut()?.schedule.take(now).then(|| stream.id.clone()))
            .collect();
        for id in due {
            self.connect_stream(&id);
            self.publish_stream_view(&id);
        }
    }

    /// WHEP knows no pause: so that nothing is sent, the session ends, and there is another one later.
    pub(super) fn pause_connection(&mut self, id: &StreamId, paused: bool) {
        let Some(stream) = self.streams.all.get_mut(id) else { return };
        let Some(connection) = stream.connection.as_mut() else { return };
        if let Place::Server(server) = &connection.place
            && server.id.is_some()
        {
            return self.pause_at_server(id, paused);
        }
        if !paused {
            return self.connect_stream(id);
        }
        connection.attempt += 1;
        connection.dialled = None;
        connection.schedule = Schedule::default();
        stream.retry_at = None;
        let key = stream.key;
        self.stream_door.ask(streams::Ask::Disconnect { stream: key });
    }

    /// The stream ends: so does its session at the endpoint.
    pub(super) fn disconnect_stream(&mut self, id: &StreamId) {
        self.leave_server(id);
        if let Some(stream) = self.streams.all.get_mut(id) {
            stream.connection = None;
        }
    }

    pub(super) fn on_stream_live(&mut self, id: &StreamId) {
        if let Some(connection) = self.streams.all.get_mut(id).and_then(|stream| stream.connection.as_mut()) {
            connection.schedule.live(Instant::now());
            connection.closed = false;
        }
    }

    pub(super) fn on_stream_candidate(&mut self, key: Key, mid: String, candidate: String) {
        if let Some(dialled) = self.dialled(key) {
            dialled.candidate(mid, candidate);
        }
    }

    pub(super) fn on_stream_gathered(&mut self, key: Key) {
        if let Some(dialled) = self.dialled(key) {
            dialled.gathering_done();
        }
    }

    /// A STUN or TURN server is of no use: the stream goes on with what else there is.
    pub(super) fn on_server_failed(&mut self, url: &str, reason: &str) {
        self.notice(NoticeLevel::Warning, &format!("{url} is left out: {reason}"), None);
    }

    fn dialled(&mut self, key: Key) -> Option<&Dialled> {
        self.streams.of_key(key)?.connection.as_ref()?.dialled.as_ref()
    }

    /// Streams that go over a network whose routes may change, by their endpoints' addresses.
    pub(in super::super) fn stream_routes(&self) -> Vec<(StreamId, SocketAddr)> {
        let routes = self.streams.all.values().filter_map(|stream| {
            let remote = stream.connection.as_ref()?.remote?;
            (!remote.ip().is_loopback()).then(|| (stream.id.clone(), remote))
        });
        routes.collect()
    }

    /// Tells the endpoint where we are now.
    pub(in super::super) fn on_stream_address(&mut self, id: &StreamId, address: IpAddr) {
        let Some(connection) = self.streams.all.get_mut(id).and_then(|stream| stream.connection.as_mut())
        else {
            return;
        };
        let has_changed = connection.address.replace(address).is_some_and(|before| before != address);
        if let Some(dialled) = connection.dialled.as_ref().filter(|_| has_changed) {
            dialled.move_on();
        }
    }

    /// Those of the settings. A TURN server lets nobody in without a password.
    fn ice_servers(&mut self) -> Vec<whip::IceServer> {
        let mut silent = Vec::new();
        let mut usable = Vec::new();
        for server in &self.settings.get().video.ice_servers {
            let Some(mut read) = whip::IceServer::parse(&server.url) else { continue };
            if matches!(read.scheme, whip::Scheme::Turn | whip::Scheme::Turns) {
                let password = self.ice_password(&server.url, &server.user);
                let Some(password) = password.and_then(|password| Token::password(password.expose())) else {
                    silent.push(server.url.clone());
                    continue;
                };
                read.username = Some(server.user.clone());
                read.credential = Some(password);
            }
            usable.push(read);
        }
        for url in silent {
            let words = format!("{url} is left out: its password is not known");
            self.notice(NoticeLevel::Warning, &words, None);
        }
        usable
    }
}

impl Connection {
    fn new(place: Place, control: Control, sink: Option<receive::Sink>) -> Self {
        Self {
            place,
            dialled: None,
            schedule: Schedule::default(),
            attempt: 0,
            remote: None,
            address: None,
            control,
            sink,
            tracks: None,
            closed: false,
            asked: None,
        }
    }
}
