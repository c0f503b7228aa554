//! Rooms of the embedded gateway: what [`crate::rooms`] decides goes out to those who are in them, and their streams are theirs alone.
//!
//! Who is in a room has a seat there: this program's user by a stay ([`own`]), pages by their sessions ([`client`]). What is to be told
//! waits in the room until the loop drains it, so that each hears all of a room in the order in which it happened.

mod ask;
mod calls;
mod client;
mod compose;
mod drain;
mod ears;
mod far;
mod guesses;
mod inserted;
mod invite;
mod levels;
mod looking;
mod own;
mod phones;
mod sent;
mod show;
mod streams;
mod view;

use super::Owner;
use crate::{
    io::streams::Key,
    rooms::{Invites, Room},
};
pub(super) use client::Done;
use guesses::Guesses;
use own::Stay;
pub(super) use sent::Seen;
use sidetone_api::{CallId, ParticipantId, RoomId, SessionId};
use std::{
    collections::{BTreeMap, HashMap},
    time::Instant,
};

#[derive(Debug, Default)]
pub(super) struct Rooms {
    all: BTreeMap<String, Room>,
    seats: HashMap<ParticipantId, Seat>,
    stays: BTreeMap<RoomId, Stay>,
    calls: calls::Calls,
    /// Streams that are for those in a room alone, by their names, from before they flow until they are over.
    claims: HashMap<String, Claim>,
    /// What is played into rooms, by their names.
    inserted: HashMap<String, inserted::Inserted>,
    composed: BTreeMap<RoomId, compose::Composition>,
    guesses: Guesses,
    invites: Invites,
    looking: looking::Looking,
    /// When views were told last, and are told again.
    told: Option<Instant>,
    telling: Option<Instant>,
}

/// Where a participant is reached, in which room.
#[derive(Debug)]
struct Seat {
    room: String,
    at: At,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum At {
    /// One of our calls.
    Call(CallId),
    /// This program's user.
    Own(RoomId),
    Client {
        session: SessionId,
        /// It waits in the lobby for the answer to this.
        waits: Option<String>,
        /// It wants to see the whole room at each change.
        views: bool,
    },
}

/// How streams end with their stay.
const BY_USER: &str = "Stopped by user";

/// A name that belongs to a room.
#[derive(Debug, Clone)]
struct Claim {
    room: String,
    of: ParticipantId,
    key: Key,
    screen: bool,
}

impl Rooms {
    fn seat_of_client(&self, session: &SessionId, room: &str) -> Option<&ParticipantId> {
        let is_it = |seat: &Seat| {
            seat.room == room && matches!(&seat.at, At::Client { session: other, .. } if other == session)
        };
        self.seats.iter().find(|(_, seat)| is_it(seat)).map(|(id, _)| id)
    }

    fn seats_of_client(&self, session: &SessionId) -> Vec<ParticipantId> {
        let is_it = |seat: &Seat| matches!(&seat.at, At::Client { session: other, .. } if other == session);
        self.seats.iter().filter(|(_, seat)| is_it(seat)).map(|(id, _)| id.clone()).collect()
    }

    /// In the room itself, not in front of it.
    fn is_member(&self, id: &ParticipantId) -> bool {
        let room = self.seats.get(id).and_then(|seat| self.all.get(&seat.room));
        room.is_some_and(|room| room.member(id).is_some())
    }

    fn claim_of(&self, key: Key) -> Option<(&String, &Claim)> {
        self.claims.iter().find(|(_, claim)| claim.key == key)
    }
}

/// Who wants to publish or play a name.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whom<'a> {
    /// This program's user.
    Own,
    Client(&'a SessionId),
    /// Anybody: WHIP, WHEP, programs.
    Stranger,
}

impl Owner {
    fn room_of(&mut self, id: &ParticipantId) -> Option<&mut Room> {
        self.rooms.all.get_mut(&self.rooms.seats.get(id)?.room)
    }
}
