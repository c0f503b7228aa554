//! Phones that call a room: they wait in its lobby while it rings, or come in at once.

use super::{super::Owner, At, Seat};
use crate::{
    io::clock,
    owner::view::new_id,
    rooms::{Came, Entry},
};
use sidetone_api::{CallId, Failure, ParticipantId, ParticipantKind};

impl Owner {
    /// `call` is of the exchange, and no call of ours.
    ///
    /// # Errors
    /// `None`: there is no such room; else why it is not let in.
    pub(in super::super) fn phone_joins_room(
        &mut self,
        room: &str,
        call: &CallId,
        shown: &str,
    ) -> Result<(Came, ParticipantId), Option<Failure>> {
        if !self.rooms.all.contains_key(room) {
            return Err(None);
        }
        let login = self.name_of_caller(room, shown);
        let id = ParticipantId::new(new_id("p").map_err(Some)?);
        let entry = Entry {
            id: id.clone(),
            login,
            kind: ParticipantKind::Phone,
            guest: false,
            own: false,
            admitted: false,
            password: None,
            origin: call.as_str().to_owned(),
            at: clock::wallclock_ms(),
        };
        let found = self.rooms.all.get_mut(room).ok_or(None)?;
        let came = found.join(entry).map_err(Some)?;
        self.rooms.seats.insert(id.clone(), Seat { room: room.to_owned(), at: At::Call(call.clone()) });
        Ok((came, id))
    }

    /// As the others read it, and where it is.
    pub(in super::super) fn place_of_phone(&self, id: &ParticipantId) -> Option<(String, String)> {
        let room = &self.rooms.seats.get(id)?.room;
        let login = self.rooms.all.get(room)?.member(id)?.login.clone();
        Some((room.clone(), login))
    }

    /// It has hung up.
    pub(in super::super) fn phone_leaves_rooms(&mut self, call: &CallId) {
        let is_it = |seat: &Seat| matches!(&seat.at, At::Call(other) if other == call);
        let found = self.rooms.seats.iter().find(|(_, seat)| is_it(seat)).map(|(id, _)| id.clone());
        if let Some(id) = found {
            self.leave_room(&id);
        }
    }

    /// A key of a phone in a room.
    pub(in super::super) fn on_phone_key(&mut self, call: &CallId, digit: char) {
        let event = sidetone_api::Event::DtmfReceived { call_id: call.clone(), digit: digit.into() };
        self.note_call_of_room(&event);
    }
}
