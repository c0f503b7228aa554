//! Streams of rooms: they are published by members, and played by members alone.
//!
//! A name belongs to a room from before its publisher is let to the router until it is over. Each door by which names are published
//! or played asks [`Owner::may_have_name`] in the same turn in which it asks the stream thread, which carries out what it is asked in
//! that order: nobody can slip in between.

use super::{super::Owner, At, Claim, Whom, own::Played};
use crate::{
    clients::{ClientNews, Json},
    io::streams::{
        Ask, Key,
        router::{IN_USE, PUBLISHER_STOPPED},
    },
    rooms::Published,
};
use serde_json::json;
use sidetone_api::{
    Failure, NoticeLevel, ParticipantId, Reply, RoomId, SessionId, StreamId, StreamSources, StreamStatus,
};
use sidetone_peer::whip::Kind;

impl Owner {
    /// Whether a name can be published or played by somebody. Who is in no room is told no more than of any other name.
    pub(in super::super) fn may_have_name(&self, kind: Kind, name: &str, whom: Whom<'_>) -> bool {
        let Some(claim) = self.rooms.claims.get(name) else {
            return self.may_have_free_name(kind, name, whom);
        };
        // Its publisher has it already.
        if kind == Kind::Whip {
            return false;
        }
        let is_it = |at: &At| match (at, whom) {
            (At::Own(_), Whom::Own) => true,
            (At::Client { session, .. }, Whom::Client(asking)) => session == asking,
            _ => false,
        };
        let mut seats = self.rooms.seats.iter().filter(|(_, seat)| seat.room == claim.room);
        seats.any(|(id, seat)| is_it(&seat.at) && self.rooms.is_member(id))
    }

    /// What belongs to no room is for all but guests, who have their meeting.
    fn may_have_free_name(&self, kind: Kind, name: &str, whom: Whom<'_>) -> bool {
        let Whom::Client(session) = whom else { return true };
        if kind == Kind::Whip || !self.is_guest(session) {
            return true;
        }
        let seats = self.rooms.seats_of_client(session).into_iter().filter(|id| self.rooms.is_member(id));
        let mut rooms = seats.filter_map(|id| Some(self.rooms.seats.get(&id)?.room.clone()));
        rooms.any(|room| self.is_inserted(&room, name))
    }

    /// A page wants to publish a name in a room. `Ok` also for what has nothing to do with rooms.
    ///
    /// # Errors
    /// In words for the page.
    pub(in super::super) fn claim_for_client(
        &mut self,
        session: &SessionId,
        room: Option<&str>,
        name: &str,
        key: Key,
    ) -> Result<(), String> {
        if !self.may_have_name(Kind::Whip, name, Whom::Client(session)) {
            return Err(IN_USE.into());
        }
        let Some(room) = room.filter(|room| self.is_room_for(session, room)) else { return Ok(()) };
        let of = self.rooms.seat_of_client(session, room).cloned();
        let of = of.filter(|of| self.rooms.is_member(of)).ok_or("you are not in this room")?;
        if !name.strip_prefix(room).is_some_and(|rest| rest.starts_with('-') && rest.len() > 1) {
            return Err(format!("a stream of the room {room} is named {room}-…"));
        }
        let claims = self.rooms.claims.values().filter(|claim| claim.of == of).count();
        let may = self.rooms.all.get(room).is_some_and(|room| room.may_publish(&of));
        if !may || claims >= crate::rooms::MOST_STREAMS {
            return Err(format!("a participant has {} streams at most", crate::rooms::MOST_STREAMS));
        }
        let screen = name.ends_with("-screen");
        self.rooms.claims.insert(name.to_owned(), Claim { room: room.to_owned(), of, key, screen });
        Ok(())
    }

    /// What a page calls a room need not be one, where its program has other names in the same place.
    fn is_room_for(&self, session: &SessionId, room: &str) -> bool {
        self.rooms.all.contains_key(room) || self.client_app_key(session.as_str()) == Some("roomApp")
    }

    /// A stream of a page flows, or has ended.
    pub(in super::super) fn on_client_room_stream(
        &mut self,
        key: Key,
        status: StreamStatus,
        media: (bool, bool),
        video_muted: bool,
    ) {
        match status {
            StreamStatus::Publishing => self.on_room_stream_flows(key, media, video_muted),
            status if status.is_end() => self.on_room_stream_over(key, status == StreamStatus::Failed),
            _ => {}
        }
    }

    fn on_room_stream_flows(&mut self, key: Key, (has_audio, has_video): (bool, bool), video_muted: bool) {
        let Some((name, claim)) = self.rooms.claim_of(key) else { return };
        let (name, of, screen) = (name.clone(), claim.of.clone(), claim.screen);
        if let Some(room) = self.room_of(&of) {
            room.publish(&of, Published { name, screen, has_video, has_audio, video_muted });
        }
    }

    pub(in super::super) fn on_room_stream_over(&mut self, key: Key, failed: bool) {
        let Some((name, of)) = self.rooms.claim_of(key).map(|(name, claim)| (name.clone(), claim.of.clone()))
        else {
            return;
        };
        self.rooms.claims.remove(&name);
        if let Some(room) = self.room_of(&of) {
            room.unpublish(&of, &name, failed);
        }
        for stay in self.rooms.stays.values_mut().filter(|stay| stay.own == of) {
            for slot in [&mut stay.camera, &mut stay.screen] {
                // Of the stream that has just gone.
                if slot
                    .as_ref()
                    .is_some_and(|id| self.streams.get(id).is_none_or(|stream| stream.key() == key))
                {
                    *slot = None;
                }
            }
            stay.changed = true;
        }
    }

    /// A page has muted its own, or speaks again.
    pub(in super::super) fn on_room_stream_muted(&mut self, key: Key, audio: bool, video: bool) {
        let Some((name, claim)) = self.rooms.claim_of(key) else { return };
        let (name, of, screen) = (name.clone(), claim.of.clone(), claim.screen);
        let Some(room) = self.room_of(&of) else { return };
        let was_silenced = room.member(&of).is_some_and(|member| member.silenced);
        room.set_video_muted(&of, &name, video);
        if !screen {
            room.set_muted(&of, audio);
        }
        if was_silenced && !audio && !screen {
            self.silence_streams(&of, false);
        }
    }

    /// The page has its answer: before anything of it comes.
    pub(in super::super) fn silence_new_stream(&mut self, key: Key) {
        let Some((_, claim)) = self.rooms.claim_of(key) else { return };
        let of = claim.of.clone();
        let member = self.room_of(&of).and_then(|room| room.member(&of));
        if member.is_some_and(|member| member.silenced) {
            self.silence_streams(&of, true);
        }
    }

    /// The room passes nothing of a page's sound, and says so to it and to those who play it; or it does again.
    pub(super) fn silence_streams(&mut self, of: &ParticipantId, on: bool) {
        let Some(At::Client { session, .. }) = self.rooms.seats.get(of).map(|seat| seat.at.clone()) else {
            return;
        };
        let keys = self.rooms.claims.values().filter(|claim| claim.of == *of).map(|claim| claim.key);
        for key in keys.collect::<Vec<_>>() {
            self.stream_door.ask(Ask::Silence { stream: key, on });
            let Some((id, name, muted)) = self.mute_client_leg(key, on) else { continue };
            self.stream_door.ask(Ask::Mute { stream: key, audio: on, video: muted });
            if on {
                let payload = Json::from(json!({ "streamName": name }));
                let news = ClientNews::StreamEvent { id, kind: "audioMuted".into(), payload };
                self.tell_client(&session, news);
            }
        }
    }

    /// What a participant sends to its room, and plays of it.
    pub(super) fn end_room_streams(&mut self, of: &ParticipantId, info: &str) {
        let Some(seat) = self.rooms.seats.get(of) else { return };
        let (room, at) = (seat.room.clone(), seat.at.clone());
        let own = self.rooms.claims.iter().filter(|(_, claim)| claim.of == *of);
        let own: Vec<_> = own.map(|(name, claim)| (name.clone(), claim.key)).collect();
        let of_room = self.rooms.claims.iter().filter(|(_, claim)| claim.room == room && claim.of != *of);
        let mut of_room: Vec<_> = of_room.map(|(name, _)| name.clone()).collect();
        match at {
            At::Call(call) => self.end_room_call(&call),
            At::Client { session, .. } => {
                for (_, key) in own {
                    self.end_client_leg(key, info);
                    // It may be between two states.
                    self.on_room_stream_over(key, false);
                }
                if self.is_guest(&session) {
                    of_room.extend(self.played_in(&room));
                }
                self.end_plays_of_client(&session, &of_room, info);
            }
            At::Own(stay) => {
                let Some(stay) = self.rooms.stays.get_mut(&stay) else { return };
                let sent = [stay.camera.take(), stay.screen.take()];
                let played = std::mem::take(&mut stay.played);
                for id in sent.into_iter().flatten() {
                    self.end_stream(&id, StreamStatus::Unpublished, info);
                }
                for id in played.into_values().filter_map(|played| played.stream) {
                    self.end_stream(&id, StreamStatus::Stopped, info);
                }
            }
        }
    }

    /// Our own.
    pub(super) fn publish_room_stream(
        &mut self,
        name: String,
        sources: StreamSources,
        id: &RoomId,
    ) -> Result<StreamId, Failure> {
        let session = self.stay(id)?.far.as_ref().map(|far| far.session.clone());
        match self.publish_stream_in(name, None, sources, None, session, Some(id.clone()))? {
            Reply::Stream { stream_id } => Ok(stream_id),
            _ => Err(Failure::not_found("stream", "")),
        }
    }

    /// Before our own stream goes to the router under this name. False where the name is somebody else's.
    pub(in super::super) fn claim_for_stay(&mut self, room: Option<&RoomId>, name: &str, key: Key) -> bool {
        if !self.may_have_name(Kind::Whip, name, Whom::Own) {
            return false;
        }
        if let Some(stay) = room.and_then(|id| self.rooms.stays.get(id)) {
            let screen = name.ends_with("-screen");
            let claim = Claim { room: stay.room.clone(), of: stay.own.clone(), key, screen };
            self.rooms.claims.insert(name.to_owned(), claim);
        }
        true
    }

    pub(super) fn play_room_stream(&mut self, id: &RoomId, name: &str) {
        let Some(stay) = self.rooms.stays.get(id).filter(|stay| !stay.played.contains_key(name)) else {
            return;
        };
        let Some(of) = self.sender_in_room(&stay.room, name) else { return };
        let gain = stay.heard.get(&of).copied().unwrap_or_default().gain();
        self.play_in_stay(id, name, None, gain);
        self.show_picture(id, name);
    }

    /// From here, or from the server of a session. Why it cannot be is kept in its place.
    pub(super) fn play_in_stay(&mut self, id: &RoomId, name: &str, session: Option<SessionId>, gain: f32) {
        let played = match self.play_stream_in(name.to_owned(), None, session, Some((id.clone(), gain))) {
            Ok(Reply::Stream { stream_id }) => {
                Played { stream: Some(stream_id), info: String::new(), hidden: false }
            }
            Ok(_) => return,
            Err(failure) => {
                self.notice(NoticeLevel::Warning, &failure.message, None);
                Played { stream: None, info: failure.message, hidden: false }
            }
        };
        if let Some(stay) = self.rooms.stays.get_mut(id) {
            stay.played.insert(name.to_owned(), played);
            stay.changed = true;
        }
    }

    pub(super) fn stop_room_stream(&mut self, id: &RoomId, name: &str) {
        let played = self.rooms.stays.get_mut(id).and_then(|stay| stay.played.remove(name));
        if let Some(stream) = played.and_then(|played| played.stream) {
            self.end_stream(&stream, StreamStatus::Stopped, PUBLISHER_STOPPED);
        }
    }

    /// A stream of ours has a status, or what is shown of it has changed.
    pub(in super::super) fn on_own_room_stream(&mut self, stream: &StreamId, status: Option<StreamStatus>) {
        let Some(found) = self.streams.get(stream) else { return };
        let Some(room) = found.room().cloned() else { return };
        let (key, is_published, info) = (found.key(), found.is_published(), found.info().to_owned());
        let (media, name, video_muted) = (found.media(), found.real_name(), found.is_video_muted());
        if let Some(stay) = self.rooms.stays.get_mut(&room) {
            stay.changed = true;
        }
        if let Some(status) = status {
            self.on_far_stream(&room, stream, status);
        }
        match status {
            Some(StreamStatus::Publishing) => self.on_room_stream_flows(key, media, video_muted),
            // The size is known now.
            Some(StreamStatus::Playing) => self.show_picture(&room, &name),
            Some(status) if status.is_end() && is_published => {
                self.on_room_stream_over(key, status == StreamStatus::Failed);
            }
            Some(status) if status.is_end() => {
                let stay = self.rooms.stays.get_mut(&room);
                if let Some(played) = stay.and_then(|stay| stay.played.get_mut(&name))
                    && played.stream.as_ref() == Some(stream)
                {
                    (played.stream, played.info) = (None, info);
                }
            }
            _ => {}
        }
    }
}
