//! Pictures of streams for clients: the name is played for as long as one takes.

use super::{
    super::streams::next_picture,
    hooked::{object, with_status},
    open::RESTRICTED,
    rest::Answer,
};
use crate::{
    check_stream_name,
    clients::ClientNews,
    hooks::{Fields, Hook, Verdict},
    io::streams::{
        Ask, Key, Own, Tracks,
        receive::{self, Outlets, Received},
    },
    owner::{Errand, Owner, rooms::Whom, text},
    rest::RestReply,
};
use sidetone_api::{Failure, FailureCode, SessionId};
use sidetone_media::video::{FramePool, Picture, Scaler, Size, VideoCodec};
use sidetone_peer::whip::Kind;
use std::sync::Arc;

/// Pictures that are being taken, each with a decoder.
const MOST: usize = 8;
/// Of one client.
const MOST_OF_ONE: usize = 2;
/// Of a PNG: a larger picture is made smaller.
const LARGEST: usize = 2 << 20;
const NOT_FOUND: &str = "Stream not found";
const TOO_MANY: &str = "too many snapshots are being taken";

/// A picture that is being taken.
#[derive(Debug)]
pub(super) struct Taking {
    pub(super) session: SessionId,
    id: String,
    own: Own,
    outlets: Option<Outlets>,
    /// Of a program that wants it, in the place of the client.
    answer: Option<Answer>,
}

#[derive(Debug)]
pub(in super::super) struct Pictured {
    key: Key,
    result: Result<Vec<u8>, String>,
}

impl Owner {
    pub(super) fn client_takes_snapshot(&mut self, session: &SessionId, id: String, name: String) {
        let fields = self.snapshot_fields(session, &id, &name);
        let (object, session) = (object(session, &id), session.clone());
        self.gate(Hook::Snapshot, session.clone().as_str(), &object, fields, move |owner, verdict| {
            if !owner.clients.all.contains_key(&session) {
                return;
            }
            match verdict {
                Verdict::Go(_) => owner.take_client_snapshot(&session, id, name),
                Verdict::Refused { info } => {
                    owner.tell_client_pictured(&session, id, Err(text::shown(&info)))
                }
            }
        });
    }

    /// Of a stream of the client's, or of one that it has never played.
    fn snapshot_fields(&self, session: &SessionId, id: &str, name: &str) -> Fields {
        let leg = self.clients.all.get(session).and_then(|client| client.streams.get(id));
        match leg {
            Some(leg) => self.stream_fields_of_client(session, leg, None),
            None => Fields::from_iter([
                ("mediaSessionId".to_owned(), id.into()),
                ("name".to_owned(), name.into()),
                ("mediaProvider".to_owned(), "WebRTC".into()),
            ]),
        }
    }

    fn tell_client_pictured(&mut self, session: &SessionId, id: String, png: Result<Vec<u8>, String>) {
        let (status, info) = match &png {
            Ok(_) => ("SNAPSHOT_COMPLETE", ""),
            Err(info) => ("SNAPSHOT_FAILED", info.as_str()),
        };
        let fields = with_status(self.snapshot_fields(session, &id, ""), status, info);
        self.tell(Hook::StreamStatusEvent, session.as_str(), &object(session, &id), fields);
        self.tell_client(session, ClientNews::Snapshot { id, png });
    }

    fn take_client_snapshot(&mut self, session: &SessionId, id: String, mut name: String) {
        // As it is really called.
        if let Some(leg) = self.client_leg(session, &id).filter(|leg| leg.wanted.name == name) {
            name = leg.name().to_owned();
        }
        let of_one = self.clients.snapshots.values().filter(|taking| taking.session == *session).count();
        if !self.may_stream(session) {
            return self.tell_client_pictured(session, id, Err(RESTRICTED.to_owned()));
        }
        match self.check_snapshot(of_one, &name, Whom::Client(session)) {
            Ok(()) => self.begin_client_snapshot(session.clone(), id, name, None),
            Err(info) => self.tell_client_pictured(session, id, Err(info.to_owned())),
        }
    }

    /// For a program.
    pub(super) fn take_snapshot_for(&mut self, name: String, answer: Answer) {
        match self.check_snapshot(0, &name, Whom::Stranger) {
            Ok(()) => self.begin_client_snapshot(SessionId::new(""), String::new(), name, Some(answer)),
            Err(info) => drop(answer.send(Err(no_picture(info)))),
        }
    }

    fn check_snapshot(&self, of_one: usize, name: &str, whom: Whom<'_>) -> Result<(), &'static str> {
        if self.clients.snapshots.len() >= MOST || of_one >= MOST_OF_ONE {
            return Err(TOO_MANY);
        }
        check_stream_name(name).map_err(|_| NOT_FOUND)?;
        if self.may_have_name(Kind::Whep, name, whom) { Ok(()) } else { Err(NOT_FOUND) }
    }

    fn begin_client_snapshot(
        &mut self,
        session: SessionId,
        id: String,
        name: String,
        answer: Option<Answer>,
    ) {
        let key = self.streams.new_key();
        let (sink, outlets) = receive::sink();
        let own = Own::default();
        let taking = Taking { session, id, own: own.clone(), outlets: Some(outlets), answer };
        self.clients.snapshots.insert(key, taking);
        self.stream_door.ask(Ask::Play { stream: key, name, own, sink });
    }

    /// What comes is known. False where no picture is taken by this key.
    pub(in super::super) fn on_client_snapshot_tracks(&mut self, key: Key, tracks: &Tracks) -> bool {
        let inlet = self.stream_door.inlet(key);
        let Some(taking) = self.clients.snapshots.get_mut(&key) else { return false };
        let Some(outlets) = taking.outlets.take() else { return true };
        let codec = tracks.video.as_ref().map(|track| track.codec.parse::<VideoCodec>());
        let started = match codec {
            None => Err("the stream has no picture".to_owned()),
            Some(Ok(codec)) if codec.info().decode => {
                let received =
                    Received { codec, sound_clock: None, repair: true, parameter_sets: Arc::default() };
                let started = receive::start(received, outlets.video, inlet, taking.own.clone());
                started.map_err(|error| format!("no thread for it: {error}"))
            }
            Some(_) => Err("this build cannot decode the stream's picture".to_owned()),
        };
        if let Err(info) = started {
            self.on_client_pictured(Pictured { key, result: Err(info) });
            return true;
        }
        let (pictures, errands) = (taking.own.pictures(), self.errands.clone());
        tokio::spawn(async move {
            let result = match next_picture(pictures).await {
                Some(picture) => {
                    let encoding = tokio::task::spawn_blocking(move || png(&picture));
                    encoding.await.unwrap_or_else(|error| Err(error.to_string()))
                }
                None => Err("the stream shows no picture".into()),
            };
            let _ = errands.send(Errand::ClientPictured(Pictured { key, result })).await;
        });
        true
    }

    /// It cannot be played, or not any more.
    pub(in super::super) fn on_client_snapshot_ended(&mut self, key: Key, info: &str) -> bool {
        let is_snapshot = self.clients.snapshots.contains_key(&key);
        if is_snapshot {
            self.on_client_pictured(Pictured { key, result: Err(info.to_owned()) });
        }
        is_snapshot
    }

    pub(in super::super) fn on_client_pictured(&mut self, pictured: Pictured) {
        let Pictured { key, result } = pictured;
        let Some(taking) = self.clients.snapshots.get_mut(&key) else { return };
        let (session, id, answer) = (taking.session.clone(), taking.id.clone(), taking.answer.take());
        self.end_client_snapshot(key);
        let png = result.map_err(|info| text::shown(&info));
        if let Some(answer) = answer {
            return drop(answer.send(png.map(RestReply::Picture).map_err(|info| no_picture(&info))));
        }
        self.tell_client_pictured(&session, id, png);
    }

    pub(super) fn end_client_snapshot(&mut self, key: Key) {
        if let Some(taking) = self.clients.snapshots.remove(&key) {
            self.stream_door.ask(Ask::End { stream: key });
            taking.own.close();
        }
    }
}

fn no_picture(info: &str) -> Failure {
    let code = match info {
        NOT_FOUND => FailureCode::NotFound,
        TOO_MANY => FailureCode::Limit,
        _ => FailureCode::WrongState,
    };
    Failure::new(code, info)
}

/// Made smaller until it is of a size that can be sent.
fn png(picture: &Picture) -> Result<Vec<u8>, String> {
    let in_words = |error: &dyn std::fmt::Display| error.to_string();
    let pool = FramePool::default();
    let mut picture = picture.upright(&pool).map_err(|error| in_words(&error))?;
    loop {
        let pixels = picture.to_rgb().map_err(|error| in_words(&error))?;
        let mut bytes = Vec::new();
        super::super::streams::encode_png(&mut bytes, picture.width(), picture.height(), &pixels)
            .map_err(|error| in_words(&error))?;
        if bytes.len() <= LARGEST {
            return Ok(bytes);
        }
        let half = Size::clamped(picture.width() / 2, picture.height() / 2);
        picture = Scaler::crisp().scale(&picture, half, &pool).map_err(|error| in_words(&error))?;
    }
}
