//! This program's user in a room: coming, sending, going.

use super::{super::Owner, At, BY_USER, Seat, far::Far};
use crate::{
    io::clock,
    owner::{streams::check_stream_sources, view::new_id},
    rooms::{Came, Entry, News, Voices, check_login, check_room_name, check_settings},
};
use sidetone_api::{
    Event, Failure, FailureCode, ParticipantId, ParticipantKind, Reply, RoomId, RoomJoining, RoomStatus,
    StreamId, StreamSources,
};
use std::{collections::HashMap, time::Instant};

/// Rooms that the user is in at a time.
const MOST_STAYS: usize = 8;
/// Bytes of a password.
pub(super) const LONGEST_PASSWORD: usize = 256;

/// One stay in a room.
#[derive(Debug)]
pub(super) struct Stay {
    pub(super) id: RoomId,
    pub(super) room: String,
    pub(super) own: ParticipantId,
    pub(super) status: RoomStatus,
    pub(super) info: String,
    /// Milliseconds since 1970.
    pub(super) joined_at: u64,
    pub(super) audio_muted: bool,
    pub(super) video_muted: bool,
    /// What we send.
    pub(super) camera: Option<StreamId>,
    pub(super) screen: Option<StreamId>,
    /// Streams of others that we play, by their names.
    pub(super) played: HashMap<String, Played>,
    /// How others are heard, where it is not as they are.
    pub(super) heard: HashMap<ParticipantId, Hearing>,
    /// What the screen shows, in which size; `None`: all, as it is.
    pub(super) shown: Option<HashMap<String, (u32, u32)>>,
    pub(super) changed: bool,
    pub(super) voices: Voices,
    /// When it is looked at who speaks.
    pub(super) look: Option<Instant>,
    /// The room is at another server.
    pub(super) far: Option<Box<Far>>,
}

impl Stay {
    /// Joined now; `muted`: sound and picture.
    pub(super) fn new(id: RoomId, room: String, own: ParticipantId, muted: (bool, bool)) -> Self {
        Self {
            id,
            room,
            own,
            status: RoomStatus::Joined,
            info: String::new(),
            joined_at: 0,
            audio_muted: muted.0,
            video_muted: muted.1,
            camera: None,
            screen: None,
            played: HashMap::new(),
            heard: HashMap::new(),
            shown: None,
            changed: true,
            voices: Voices::default(),
            look: Some(Instant::now()),
            far: None,
        }
    }
}

#[derive(Debug)]
pub(super) struct Played {
    /// `None`: it could not be played.
    pub(super) stream: Option<StreamId>,
    pub(super) info: String,
    pub(super) hidden: bool,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Hearing {
    pub(super) volume: f32,
    pub(super) muted: bool,
}

impl Default for Hearing {
    fn default() -> Self {
        Self { volume: 1.0, muted: false }
    }
}

impl Hearing {
    pub(super) fn gain(self) -> f32 {
        if self.muted { 0.0 } else { self.volume }
    }
}

impl Owner {
    pub(in super::super) fn join_room(&mut self, joining: RoomJoining) -> Result<Reply, Failure> {
        if joining.session_id.is_some() || joining.invite.is_some() {
            return self.join_far_room(joining);
        }
        let RoomJoining { name, login, sources, audio_muted, video_muted, password, settings, .. } = joining;
        let in_field = |field: &str, words: String| Failure::invalid(field, format!("{field}: {words}"));
        check_room_name(&name).map_err(|words| in_field("name", words))?;
        check_login(&login).map_err(|words| in_field("login", words))?;
        if !self.settings.get().gateway.enabled {
            return Err(Failure::new(FailureCode::WrongState, "the gateway is switched off"));
        }
        sources.as_ref().map(check_stream_sources).transpose()?;
        let settings = settings.unwrap_or_default();
        check_settings(&settings)?;
        let password = password.filter(|password| !password.expose().is_empty());
        if password.as_ref().is_some_and(|password| password.expose().len() > LONGEST_PASSWORD) {
            return Err(in_field("password", format!("{LONGEST_PASSWORD} bytes are the most")));
        }
        if self.rooms.stays.values().any(|stay| stay.room == name && stay.far.is_none()) {
            return Err(Failure::new(FailureCode::WrongState, "you are in this room already"));
        }
        self.check_stays()?;
        let id = RoomId::new(new_id("r")?);
        let own = ParticipantId::new(new_id("p")?);
        let entry = Entry {
            id: own.clone(),
            login,
            kind: ParticipantKind::App,
            guest: false,
            own: true,
            admitted: true,
            password: None,
            origin: String::new(),
            at: clock::wallclock_ms(),
        };
        if self.enter_room(&name, settings, password, entry)? == Came::Knocks {
            // Nobody keeps the gateway's own user waiting.
            return Err(Failure::new(FailureCode::WrongState, "the room does not let you in"));
        }
        self.rooms.seats.insert(own.clone(), Seat { room: name.clone(), at: At::Own(id.clone()) });
        let mut stay = Stay::new(id.clone(), name.clone(), own.clone(), (audio_muted, video_muted));
        stay.joined_at = clock::wallclock_ms();
        self.rooms.stays.insert(id.clone(), stay);
        if let Some(room) = self.rooms.all.get_mut(&name) {
            room.set_muted(&own, audio_muted);
        }
        let joined = RoomStatus::Joined;
        self.publish(Event::RoomStatusEvent {
            status: joined,
            room_id: id.clone(),
            name,
            info: String::new(),
        });
        if let Some(sources) = sources
            && let Err(failure) = self.send_to_room(&id, Some(sources), false)
        {
            self.notice(sidetone_api::NoticeLevel::Warning, &failure.message, None);
        }
        Ok(Reply::Room { room_id: id })
    }

    /// # Errors
    /// One more is too many.
    pub(super) fn check_stays(&self) -> Result<(), Failure> {
        if self.rooms.stays.len() < MOST_STAYS {
            return Ok(());
        }
        Err(Failure::new(FailureCode::Limit, format!("{MOST_STAYS} rooms at a time are the most")))
    }

    /// Begins, changes or ends what we send: our picture and sound, or what we share.
    pub(super) fn send_to_room(
        &mut self,
        id: &RoomId,
        sources: Option<StreamSources>,
        screen: bool,
    ) -> Result<(), Failure> {
        let stay = self.stay(id)?;
        let slot = if screen { &mut stay.screen } else { &mut stay.camera };
        let before = slot.clone();
        let Some(sources) = sources else {
            if let Some(before) = slot.take() {
                self.unpublish_stream(&before)?;
            }
            return Ok(());
        };
        check_stream_sources(&sources)?;
        if let Some(before) = before {
            match self.change_stream(&before, Some(sources.clone()), None, None, None) {
                Ok(_) => return Ok(()),
                // It began without what is wanted now: another one takes its place.
                Err(failure) if failure.code == FailureCode::WrongState => {
                    self.unpublish_stream(&before)?;
                }
                Err(failure) => return Err(failure),
            }
        }
        let stay = self.stay(id)?;
        let (room, own) = (stay.room.clone(), stay.own.clone());
        let login = match self.rooms.stays.get(id).and_then(|stay| stay.far.as_ref()) {
            Some(far) => Some(far.login().to_owned()),
            None => self.room_of(&own).and_then(|room| room.member(&own)).map(|member| member.login.clone()),
        };
        let name = self.name_of_stream(&room, &login.unwrap_or_default(), screen)?;
        let stay = self.stay(id)?;
        let (audio, video) = (stay.audio_muted && !screen, stay.video_muted && !screen);
        let stream = self.publish_room_stream(name, sources, id)?;
        let stay = self.stay(id)?;
        *(if screen { &mut stay.screen } else { &mut stay.camera }) = Some(stream.clone());
        stay.changed = true;
        if audio || video {
            self.change_stream(&stream, None, Some(audio), Some(video), None)?;
        }
        Ok(())
    }

    /// `<room>-<login>-<4 hex>`, as those of pages.
    pub(super) fn name_of_stream(&self, room: &str, login: &str, screen: bool) -> Result<String, Failure> {
        let login: String = login
            .chars()
            .map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' })
            .take(40)
            .collect();
        let random: [u8; 2] = clock::random()
            .map_err(|error| Failure::new(FailureCode::Limit, format!("no randomness: {error}")))?;
        let suffix = if screen { "-screen" } else { "" };
        Ok(format!("{room}-{login}-{:04x}{suffix}", u16::from_be_bytes(random)))
    }

    pub(super) fn stay(&mut self, id: &RoomId) -> Result<&mut Stay, Failure> {
        self.rooms.stays.get_mut(id).ok_or_else(|| Failure::not_found("room", id.as_str()))
    }

    pub(super) fn mute_stay(&mut self, id: &RoomId, audio: Option<bool>, video: Option<bool>) {
        let Some(stay) = self.rooms.stays.get_mut(id) else { return };
        stay.audio_muted = audio.unwrap_or(stay.audio_muted);
        stay.video_muted = video.unwrap_or(stay.video_muted);
        stay.changed = true;
        let (own, muted, camera) = (stay.own.clone(), stay.audio_muted, stay.camera.clone());
        if let (Some(room), Some(_)) = (self.room_of(&own), audio) {
            room.set_muted(&own, muted);
        }
        if let Some(camera) = camera {
            let _ = self.change_stream(&camera, None, audio, video, None);
        }
    }

    /// What the room tells our user.
    pub(super) fn on_own_room_news(&mut self, id: &RoomId, news: News) {
        match news {
            News::State(present) => {
                for stream in present.into_iter().flat_map(|present| present.streams) {
                    self.play_room_stream(id, &stream);
                }
            }
            News::Published { stream, .. } => self.play_room_stream(id, &stream),
            News::Unpublished { stream, .. } => self.stop_room_stream(id, &stream),
            News::Message { from, login, to, text } => {
                self.publish(Event::RoomMessage { room_id: id.clone(), from, login, to, text });
            }
            News::Reaction { from, reaction } => {
                self.publish(Event::RoomReaction { room_id: id.clone(), from, reaction });
            }
            News::Joined { .. } => {}
            News::Left { .. } => self.forget_left(id),
        }
    }

    fn forget_left(&mut self, id: &RoomId) {
        let Some(stay) = self.rooms.stays.get_mut(id) else { return };
        let Some(room) = self.rooms.all.get(&stay.room) else { return };
        stay.heard.retain(|participant, _| room.member(participant).is_some());
    }

    /// By our own will.
    pub(super) fn leave_stay(&mut self, id: &RoomId) {
        let Some(own) = self.rooms.stays.get(id).map(|stay| stay.own.clone()) else { return };
        if self.rooms.stays.get(id).is_some_and(|stay| stay.far.is_some()) {
            return self.leave_far(id);
        }
        self.end_composition(id);
        self.end_room_streams(&own, BY_USER);
        if let Some(room) = self.room_of(&own) {
            room.leave(&own);
        }
        self.end_stay(id, RoomStatus::Left, "");
        self.rooms.seats.remove(&own);
    }

    /// The one place where stays end. The room knows it already.
    pub(super) fn end_stay(&mut self, id: &RoomId, status: RoomStatus, info: &str) {
        let Some(own) = self.rooms.stays.get(id).map(|stay| stay.own.clone()) else { return };
        self.end_composition(id);
        self.end_far_streams(id, info);
        self.end_room_streams(&own, info);
        let Some(mut view) = self.room_view(id) else { return };
        let Some(stay) = self.rooms.stays.remove(id) else { return };
        (view.status, view.info) = (status, info.to_owned());
        for participant in &mut view.participants {
            participant.streams.clear();
        }
        let name = view.name.clone();
        self.publish(Event::RoomStatusEvent { status, room_id: id.clone(), name, info: info.to_owned() });
        self.publish(Event::RoomChanged { room: view });
        self.close_far(&stay);
    }

    /// At the end of the engine, and where everything is deleted.
    pub(in super::super) fn end_rooms(&mut self) {
        for id in self.rooms.stays.keys().cloned().collect::<Vec<_>>() {
            self.leave_stay(&id);
        }
    }
}
