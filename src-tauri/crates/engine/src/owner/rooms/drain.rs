//! What rooms decided, on its way out; and rooms that end.

use super::{super::Owner, At, BY_USER};
use crate::rooms::{Output, Room};
use serde_json::Value;
use sidetone_api::{Event, ParticipantId, RoomStatus};
use std::time::{Duration, Instant};

/// Between two views of all rooms.
const BETWEEN_VIEWS: Duration = Duration::from_millis(50);

impl Owner {
    /// False where there was something to do.
    pub(in super::super) fn drain_rooms(&mut self) -> bool {
        let mut idle = self.drain_room_calls();
        while let Some((room, output)) = self.next_room_output() {
            idle = false;
            self.on_room_output(&room, output);
        }
        self.forget_rooms();
        idle
    }

    fn next_room_output(&mut self) -> Option<(String, Output)> {
        self.rooms.all.iter_mut().find_map(|(name, room)| Some((name.clone(), room.poll()?)))
    }

    fn on_room_output(&mut self, room: &str, output: Output) {
        match output {
            Output::Tell { to, news } => match self.seat_at(&to) {
                Some(At::Own(stay)) => self.on_own_room_news(&stay, news),
                Some(At::Client { session, .. }) => self.tell_client_news(&session, &to, room, news),
                Some(At::Call(call)) => self.on_call_room_news(&call, news),
                None => {}
            },
            Output::Admitted(id) => {
                if let Some(At::Call(call)) = self.seat_at(&id) {
                    return self.admit_phone(&call, &id);
                }
                let Some(seat) = self.rooms.seats.get_mut(&id) else { return };
                let At::Client { session, waits, .. } = &mut seat.at else { return };
                if let (session, Some(operation)) = (session.clone(), waits.take()) {
                    self.tell_client_data(&session, operation, Ok(()));
                }
            }
            Output::Refused(id, info) => {
                self.on_gone(&id, false);
                match self.rooms.seats.remove(&id).map(|seat| seat.at) {
                    Some(At::Client { session, waits: Some(operation), .. }) => {
                        self.tell_client_data(&session, operation, Err(info));
                    }
                    Some(At::Own(stay)) => self.end_stay(&stay, RoomStatus::Failed, &info),
                    Some(At::Call(call)) => self.refuse_phone(&call, &info),
                    _ => {}
                }
            }
            Output::Out(id, info) => self.on_sent_out(room, &id, &info),
            Output::Silenced(id) => self.on_silenced(&id),
            Output::Closed => self.rooms.invites.revoke(room),
        }
    }

    fn seat_at(&self, id: &ParticipantId) -> Option<At> {
        self.rooms.seats.get(id).map(|seat| seat.at.clone())
    }

    fn on_sent_out(&mut self, room: &str, id: &ParticipantId, info: &str) {
        match self.seat_at(id) {
            Some(At::Own(stay)) => self.end_stay(&stay, RoomStatus::Left, info),
            Some(At::Client { session, .. }) => {
                self.end_room_streams(id, info);
                self.tell_client_of_room(&session, room, "REMOVED", &Value::String(info.to_owned()));
            }
            Some(At::Call(call)) => {
                self.end_room_streams(id, info);
                let _ = self.hang_up(&call);
            }
            None => self.on_inserted_out(room, id),
        }
        self.rooms.seats.remove(id);
        self.on_gone(id, true);
    }

    /// Somebody else has muted it. A page cannot be kept from sending: what it sends goes no further.
    fn on_silenced(&mut self, id: &ParticipantId) {
        match self.seat_at(id) {
            Some(At::Own(stay)) => self.mute_stay(&stay, Some(true), None),
            Some(At::Client { .. }) => self.silence_streams(id, true),
            Some(At::Call(_)) => self.silence_call(id, true),
            None => {}
        }
    }

    /// By its own will, or because its connection is over.
    pub(in super::super) fn leave_room(&mut self, id: &ParticipantId) {
        self.end_room_streams(id, BY_USER);
        if let Some(room) = self.room_of(id) {
            room.leave(id);
        }
        self.on_gone(id, false);
        let Some(seat) = self.rooms.seats.remove(id) else { return };
        if let At::Client { session, waits: Some(operation), .. } = seat.at {
            self.tell_client_data(&session, operation, Err("you have left".into()));
        }
    }

    pub(in super::super) fn next_of_rooms(&self) -> Option<Instant> {
        self.rooms.telling.into_iter().chain(self.next_look_at_voices()).chain(self.next_of_far_rooms()).min()
    }

    /// Views of what has changed, not too often.
    pub(in super::super) fn tell_rooms(&mut self, now: Instant) {
        let is_changed = self.rooms.all.values().any(Room::is_changed);
        let is_stay_changed = self.rooms.stays.values().any(|stay| stay.changed);
        if !is_changed && !is_stay_changed {
            self.rooms.telling = None;
            return;
        }
        match self.rooms.told.map(|told| told + BETWEEN_VIEWS).filter(|due| *due > now) {
            Some(due) => self.rooms.telling = Some(due),
            None => self.tell_rooms_now(now),
        }
    }

    pub(in super::super) fn tell_rooms_now(&mut self, now: Instant) {
        (self.rooms.told, self.rooms.telling) = (Some(now), None);
        let changed =
            self.rooms.all.iter_mut().filter_map(|(name, room)| room.take_changed().then_some(name));
        let changed: Vec<_> = changed.cloned().collect();
        let stays = self.rooms.stays.values_mut();
        let stays: Vec<_> = stays
            .filter_map(|stay| {
                let is_due =
                    std::mem::take(&mut stay.changed) || stay.far.is_none() && changed.contains(&stay.room);
                is_due.then(|| stay.id.clone())
            })
            .collect();
        for id in stays {
            self.follow_composition(&id);
            if let Some(room) = self.room_view(&id) {
                self.publish(Event::RoomChanged { room });
            }
        }
        for name in changed {
            self.tell_clients_views(&name);
        }
    }

    fn tell_clients_views(&mut self, name: &str) {
        let wants = self.rooms.seats.iter().filter_map(|(id, seat)| match &seat.at {
            At::Client { session, views: true, waits: None } if seat.room == name => {
                Some((id.clone(), session.clone()))
            }
            _ => None,
        });
        for (id, session) in wants.collect::<Vec<_>>() {
            if let Some(view) = self.room_view_for(name, &id) {
                let view = serde_json::to_value(view).unwrap_or_default();
                self.tell_client_of_room(&session, name, "ROOM", &view);
            }
        }
    }
}
