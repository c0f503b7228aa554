//! Which pictures pages show, and which ones their paths have no room for.

use super::{
    super::Owner,
    client::NOT_IN_IT,
    show::{check_pictures, layers_below},
};
use crate::io::streams::{Ask, Key};
use sidetone_api::{ParticipantId, SessionId, ShownPicture};
use std::{
    collections::{HashMap, HashSet},
    time::Instant,
};

pub(super) const TOO_NARROW: &str = "paused: the connection is too slow for this picture";

#[derive(Debug, Default)]
pub(super) struct Looking {
    /// What a page shows of its room, in which size; one that never said shows all.
    shown: HashMap<ParticipantId, HashMap<String, (u32, u32)>>,
    /// Streams that pages play without their pictures, as these do not fit.
    narrow: HashSet<Key>,
}

impl Owner {
    /// # Errors
    /// In words for the page.
    pub(super) fn client_shows(
        &mut self,
        session: &SessionId,
        room: &str,
        pictures: Vec<ShownPicture>,
    ) -> Result<(), String> {
        check_pictures(&pictures).map_err(|failure| failure.message)?;
        let of = self.rooms.seat_of_client(session, room).ok_or(NOT_IN_IT)?.clone();
        let may = self.rooms.all.get_mut(room).ok_or(NOT_IN_IT)?.may_say(Instant::now(), &of);
        may.map_err(|failure| failure.message)?;
        let claims = &self.rooms.claims;
        let is_of_room = |name: &String| claims.get(name).is_some_and(|claim| claim.room == room);
        let shown = pictures.into_iter().map(|picture| (picture.name, (picture.width, picture.height)));
        let shown = shown.filter(|(name, _)| is_of_room(name)).collect();
        let seats = &self.rooms.seats;
        self.rooms.looking.shown.retain(|of, _| seats.contains_key(of));
        self.rooms.looking.shown.insert(of, shown);
        for (key, name) in self.plays_of_client(session) {
            self.show_client(session, key, &name);
        }
        Ok(())
    }

    /// As the page wants this stream of its room now.
    pub(in super::super) fn show_client(&mut self, session: &SessionId, key: Key, name: &str) {
        let Some(claim) = self.rooms.claims.get(name) else { return };
        let shown = self.rooms.seat_of_client(session, &claim.room);
        let Some(shown) = shown.and_then(|of| self.rooms.looking.shown.get(of)) else { return };
        let tile = shown.get(name).copied();
        let size = self.streams.id_of(claim.key).and_then(|id| self.streams.get(&id)?.largest_picture());
        let picture = tile.map(|tile| layers_below(size, tile));
        self.stream_door.ask(Ask::Watch { stream: key, picture });
    }

    /// A picture does not fit the path to a page, or it does again.
    pub(in super::super) fn on_client_fits(&mut self, key: Key, fits: bool, kbit: u32, most: u32) {
        let narrow = &mut self.rooms.looking.narrow;
        if fits {
            narrow.remove(&key);
        } else {
            narrow.insert(key);
            self.on_client_narrow(key, kbit, most);
        }
        let name = self.name_of_client_play(key);
        let room = name.and_then(|name| self.rooms.claims.get(&name).map(|claim| claim.room.clone()));
        if let Some(room) = room.and_then(|room| self.rooms.all.get_mut(&room)) {
            room.touch();
        }
    }

    pub(in super::super) fn forget_looking(&mut self, key: Key) {
        self.rooms.looking.narrow.remove(&key);
    }

    /// Why a page is not sent the picture of this stream; empty where it is.
    pub(super) fn why_unseen_by(&self, session: &SessionId, name: &str) -> &'static str {
        let narrow = &self.rooms.looking.narrow;
        let is_narrow = !narrow.is_empty()
            && self.plays_of_client(session).iter().any(|(key, of)| of == name && narrow.contains(key));
        if is_narrow { TOO_NARROW } else { "" }
    }
}
