//! What servers say of rooms that we are in there.

use super::{AGAIN, Asked, MOST_TRIES, now_ms};
use crate::{
    owner::Owner,
    rooms::{Heard, News},
};
use serde_json::Value;
use sidetone_api::{Event, NoticeLevel, RoomId, RoomStatus, SessionId, StreamStatus};
use std::time::Instant;

const NO_REASON: &str = "the server gives no reason";

impl Owner {
    /// The answer to a command. False where it was none of ours.
    pub(in super::super::super) fn on_far_answer(
        &mut self,
        session: &SessionId,
        operation: &str,
        accepted: bool,
        info: &str,
    ) -> bool {
        let mut asked = None;
        for id in self.far_rooms_of(session) {
            let found = self.far(&id).and_then(|far| far.asked.remove(operation));
            asked = asked.or(found.map(|found| (id, found)));
        }
        let Some((id, asked)) = asked else { return false };
        let info = if info.is_empty() { NO_REASON } else { info };
        match (asked, accepted) {
            (Asked::Join, true) => self.on_far_joined(&id),
            (Asked::Join, false) => self.on_far_refused(&id, info),
            (Asked::Said { to, text }, true) => self.tell_own_words(&id, to, text),
            (Asked::Leave, _) | (Asked::Other, true) => {}
            (Asked::Said { .. } | Asked::Other, false) => self.notice(NoticeLevel::Warning, info, None),
        }
        true
    }

    fn on_far_joined(&mut self, id: &RoomId) {
        let Some(far) = self.far(id) else { return };
        (far.due, far.again, far.tries) = (None, None, 0);
        if let Some(stay) = self.rooms.stays.get_mut(id) {
            stay.joined_at = now_ms();
        }
        self.tell_far_status(id, RoomStatus::Joined, "");
        let stay = self.rooms.stays.get(id);
        let sent = stay.map(|stay| [stay.camera.clone(), stay.screen.clone()]).into_iter().flatten();
        for stream in sent.flatten().collect::<Vec<_>>() {
            self.reconnect_at_server(&stream);
        }
        self.send_to_far(id);
    }

    /// Who was in before may be thought to be there still.
    fn on_far_refused(&mut self, id: &RoomId, info: &str) {
        let was_in = self.rooms.stays.get(id).is_some_and(|stay| stay.joined_at > 0);
        let Some(far) = self.far(id) else { return };
        far.due = None;
        if was_in && far.tries < MOST_TRIES {
            far.tries += 1;
            far.again = Some(Instant::now() + AGAIN);
            return self.tell_far_status(id, RoomStatus::Joining, info);
        }
        self.end_stay(id, RoomStatus::Failed, info);
    }

    /// False where it is about no room of ours.
    pub(in super::super::super) fn on_far_told(&mut self, session: &SessionId, payload: &Value) -> bool {
        let text = |key: &str| payload.get(key).and_then(Value::as_str);
        let (Some(room), Some(name)) = (text("roomName"), text("name")) else { return false };
        let found = self.far_rooms_of(session).into_iter();
        let id = found.into_iter().find(|id| self.rooms.stays.get(id).is_some_and(|stay| stay.room == room));
        let Some(id) = id else { return false };
        let Some(far) = self.far(&id) else { return false };
        match far.mirror.hear(name, payload.get("info").unwrap_or(&Value::Null)) {
            Heard::News(news) => self.on_far_news(&id, news),
            Heard::Lobby => {
                far.due = None;
                self.tell_far_status(&id, RoomStatus::Lobby, "a host decides whether you come in");
            }
            Heard::Removed(info) => self.end_stay(&id, RoomStatus::Left, &info),
            Heard::Unreadable(words) => self.complain(session, &words),
            Heard::Changed | Heard::Nothing => {}
        }
        if let Some(stay) = self.rooms.stays.get_mut(&id) {
            stay.changed = true;
        }
        true
    }

    fn on_far_news(&mut self, id: &RoomId, news: News) {
        match news {
            News::State(present) => {
                let names: Vec<_> = present.iter().flat_map(|present| present.streams.clone()).collect();
                self.stop_all_but(id, &names);
                for present in &present {
                    present.streams.iter().for_each(|name| self.play_far_stream(id, &present.login, name));
                }
            }
            News::Published { login, stream } => self.play_far_stream(id, &login, &stream),
            News::Unpublished { stream, .. } => self.stop_room_stream(id, &stream),
            News::Joined { .. } => {}
            News::Left { .. } => {
                let Some(stay) = self.rooms.stays.get_mut(id) else { return };
                let Some(far) = &stay.far else { return };
                stay.heard.retain(|participant, _| far.mirror.participant(participant).is_some());
            }
            news @ (News::Message { .. } | News::Reaction { .. }) => self.on_own_room_news(id, news),
        }
    }

    /// After a loss: of what was played before.
    fn stop_all_but(&mut self, id: &RoomId, names: &[String]) {
        let Some(stay) = self.rooms.stays.get_mut(id) else { return };
        let over = stay.played.extract_if(|name, played| played.stream.is_none() || !names.contains(name));
        for stream in over.filter_map(|(_, played)| played.stream).collect::<Vec<_>>() {
            self.end_stream(&stream, StreamStatus::Stopped, "");
        }
    }

    fn play_far_stream(&mut self, id: &RoomId, login: &str, name: &str) {
        let Some(stay) = self.rooms.stays.get(id) else { return };
        let Some(far) = &stay.far else { return };
        if let Some(played) = stay.played.get(name) {
            if let Some(stream) = played.stream.clone() {
                self.reconnect_at_server(&stream);
            }
            return;
        }
        // Somebody is told of what is its own where it came in anew.
        if login == far.login {
            return;
        }
        let hearing = far.mirror.named(login).and_then(|named| stay.heard.get(&named.participant_id));
        let gain = hearing.copied().unwrap_or_default().gain();
        let session = Some(far.session.clone());
        self.play_in_stay(id, name, session, gain);
    }

    pub(in super::super::super) fn name_of_room(&self, id: &RoomId) -> Option<String> {
        self.rooms.stays.get(id).map(|stay| stay.room.clone())
    }

    /// The server passes nothing of our sound any more, by the will of a host.
    pub(in super::super::super) fn on_muted_by_far(&mut self, stream: &sidetone_api::StreamId) {
        let room = self.streams.get(stream).and_then(|stream| stream.room().cloned());
        let Some(room) = room else { return };
        let is_ours = |stay: &&super::Stay| stay.camera.as_ref() == Some(stream);
        if self.rooms.stays.get(&room).filter(is_ours).is_some() {
            self.mute_stay(&room, Some(true), None);
        }
    }

    pub(super) fn tell_own_words(
        &mut self,
        id: &RoomId,
        to: Option<sidetone_api::ParticipantId>,
        text: String,
    ) {
        let Some(stay) = self.rooms.stays.get(id) else { return };
        let (from, login) = (stay.own.clone(), stay.far.as_ref().map(|far| far.login.clone()));
        let login = login.unwrap_or_default();
        self.publish(Event::RoomMessage { room_id: id.clone(), from, login, to, text });
    }
}
