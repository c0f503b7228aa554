//! A stream of the gateway that everybody in a room sees and hears.
//!
//! Its name is no name of the room: whoever publishes it does so for all. So it is not claimed, and guests may play it as long as it is
//! in the room.

use super::{super::Owner, At};
use crate::{
    check_stream_name,
    io::{clock, streams::Key},
    owner::view::new_id,
    rooms::{Entry, Published, check_login},
};
use sidetone_api::{Failure, FailureCode, GatewayStream, ParticipantId, ParticipantKind, RoomId, SessionId};

const TAKEN_OUT: &str = "Stopped by user";

/// What is played into a room.
#[derive(Debug)]
pub(super) struct Inserted {
    pub(super) name: String,
    participant: ParticipantId,
    /// Of its publisher.
    key: Key,
}

impl Owner {
    /// In place of what was played before; `None`: nothing any more.
    pub(super) fn play_into_room(&mut self, id: &RoomId, name: Option<String>) -> Result<(), Failure> {
        let room = self.hosted_room(id)?;
        let Some(name) = name else {
            self.take_out_of_room(&room);
            return Ok(());
        };
        check_stream_name(&name).map_err(|words| Failure::invalid("name", format!("name: {words}")))?;
        let is_there = self.rooms.inserted.get(&room).is_some_and(|inserted| inserted.name == name);
        if is_there {
            return Ok(());
        }
        if self.composition_view(&room, true).0.as_deref() == Some(name.as_str()) {
            return Err(Failure::new(FailureCode::WrongState, "this stream is the room itself"));
        }
        // What is in a room stays there.
        let found = self.streams.published_as(&name).filter(|_| !self.rooms.claims.contains_key(&name));
        let (key, stream) = found.ok_or_else(|| Failure::not_found("stream", &name))?;
        let stream = shown(stream);
        self.take_out_of_room(&room);
        let participant = ParticipantId::new(new_id("p")?);
        let login = self.login_of_stream(&room, &name);
        let found = self.rooms.all.get_mut(&room).ok_or_else(|| Failure::not_found("room", id.as_str()))?;
        found.join(Entry {
            id: participant.clone(),
            login,
            kind: ParticipantKind::Stream,
            guest: false,
            own: false,
            admitted: true,
            password: None,
            origin: String::new(),
            at: clock::wallclock_ms(),
        })?;
        found.publish(&participant, stream);
        self.rooms.inserted.insert(room, Inserted { name, participant, key });
        Ok(())
    }

    /// Named as it is, where that is a name for a participant and nobody else has it.
    fn login_of_stream(&self, room: &str, name: &str) -> String {
        let login = if check_login(name).is_ok() { name } else { "Stream" };
        let room = self.rooms.all.get(room);
        let is_taken = |login: &str| {
            room.is_some_and(|room| {
                let waits = room.knocking().iter().any(|waiting| waiting.member.login == login);
                waits || room.named(login).is_some()
            })
        };
        let numbered = (2..).map(|number| format!("{} {number}", login.chars().take(48).collect::<String>()));
        let mut all = std::iter::once(login.to_owned()).chain(numbered);
        all.find(|login| !is_taken(login)).unwrap_or_else(|| login.to_owned())
    }

    pub(super) fn take_out_of_room(&mut self, room: &str) {
        let Some(inserted) = self.forget_inserted(room) else { return };
        if let Some(room) = self.rooms.all.get_mut(room) {
            room.leave(&inserted.participant);
        }
    }

    /// Guests play nothing that is not in their meeting.
    fn forget_inserted(&mut self, room: &str) -> Option<Inserted> {
        let inserted = self.rooms.inserted.remove(room)?;
        let guests = self.rooms.seats.values().filter(|seat| seat.room == room);
        let guests = guests.filter_map(|seat| match &seat.at {
            At::Client { session, .. } => Some(session.clone()),
            _ => None,
        });
        for session in guests.collect::<Vec<_>>() {
            if self.is_guest(&session) {
                let names = std::slice::from_ref(&inserted.name);
                self.end_plays_of_client(&session, names, TAKEN_OUT);
            }
        }
        Some(inserted)
    }

    /// A participant is out by the will of others.
    pub(super) fn on_inserted_out(&mut self, room: &str, participant: &ParticipantId) {
        if self.rooms.inserted.get(room).is_some_and(|inserted| inserted.participant == *participant) {
            self.forget_inserted(room);
        }
    }

    /// What is published at the gateway has changed.
    pub(in super::super) fn follow_inserted_streams(&mut self) {
        let all = self.rooms.inserted.iter().map(|(room, inserted)| (room.clone(), inserted.name.clone()));
        for (room, name) in all.collect::<Vec<_>>() {
            let Some((key, stream)) = self.streams.published_as(&name) else {
                self.take_out_of_room(&room);
                continue;
            };
            let stream = shown(stream);
            let Some(inserted) = self.rooms.inserted.get_mut(&room) else { continue };
            if std::mem::replace(&mut inserted.key, key) == key {
                continue;
            }
            // Somebody else publishes it now: who played it was stopped.
            let of = inserted.participant.clone();
            if let Some(room) = self.rooms.all.get_mut(&room) {
                room.publish(&of, stream);
            }
        }
    }

    /// Rooms that are over, with all that was played in them.
    pub(super) fn forget_rooms(&mut self) {
        self.rooms.all.retain(|_, room| !room.is_empty());
        let all = &self.rooms.all;
        self.rooms.inserted.retain(|room, _| all.contains_key(room));
    }

    /// Who sends this to the room.
    pub(super) fn sender_in_room(&self, room: &str, name: &str) -> Option<ParticipantId> {
        let claimed = self.rooms.claims.get(name).map(|claim| claim.of.clone());
        let inserted = self.rooms.inserted.get(room).filter(|inserted| inserted.name == name);
        claimed.or_else(|| inserted.map(|inserted| inserted.participant.clone()))
    }

    pub(super) fn played_in(&self, room: &str) -> Option<String> {
        self.rooms.inserted.get(room).map(|inserted| inserted.name.clone())
    }

    pub(super) fn is_inserted(&self, room: &str, name: &str) -> bool {
        self.rooms.inserted.get(room).is_some_and(|inserted| inserted.name == name)
    }

    pub(super) fn is_guest(&self, session: &SessionId) -> bool {
        self.visitor(session).is_some_and(|visitor| visitor.guest_of.is_some())
    }
}

fn shown(stream: &GatewayStream) -> Published {
    Published {
        name: stream.name.clone(),
        screen: false,
        has_video: stream.video_codec.is_some(),
        has_audio: stream.audio_codec.is_some(),
        video_muted: false,
    }
}
