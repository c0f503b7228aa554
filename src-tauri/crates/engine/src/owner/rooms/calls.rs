//! Calls in rooms: each hears all the others, mixed, and is heard by them as a stream.

use super::{
    super::Owner,
    At, BY_USER, Seat,
    ears::Ears,
    sent::{Seen, Sent},
};
use crate::{
    io::{
        clock,
        media::{Ask as MediaAsk, LegId},
        streams::{Ask, Key, Tracks},
    },
    owner::view::new_id,
    rooms::{Entry, News, Published, check_login},
};
use sidetone_api::{CallId, CallStatus, Event, Failure, FailureCode, ParticipantId, ParticipantKind, RoomId};
use sidetone_media::Source;
use std::collections::HashMap;

/// The keys with which a caller mutes itself, and speaks again.
const MUTE: [&str; 2] = ["*", "6"];

#[derive(Debug, Default)]
pub(super) struct Calls {
    all: HashMap<CallId, RoomCall>,
    /// That are placed for a room, and come into it when they are answered.
    pub(super) called: HashMap<CallId, RoomId>,
    /// What became of calls that somebody waits for.
    due: Vec<(CallId, bool)>,
}

/// A call that is in a room.
struct RoomCall {
    room: String,
    participant: ParticipantId,
    /// Nothing while it becomes another stream.
    sent: Option<Sent>,
    ears: Ears,
    last_key: String,
}

impl std::fmt::Debug for RoomCall {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("RoomCall").field("room", &self.room).finish_non_exhaustive()
    }
}

impl Calls {
    pub(super) fn participant(&self, call: &CallId) -> Option<&ParticipantId> {
        self.all.get(call).map(|found| &found.participant)
    }

    pub(super) fn call_of(&self, participant: &ParticipantId) -> Option<CallId> {
        self.all.iter().find(|(_, found)| found.participant == *participant).map(|(call, _)| call.clone())
    }

    /// What it sends, where that is to be another than now.
    pub(super) fn take_sent(&mut self, call: &CallId, seen: Option<Seen>) -> Option<(ParticipantId, Sent)> {
        let found = self.all.get_mut(call)?;
        let sent = found.sent.take_if(|sent| !sent.shows(seen))?;
        Some((found.participant.clone(), sent))
    }

    pub(super) fn now_sends(&mut self, call: &CallId, sent: Sent) {
        if let Some(found) = self.all.get_mut(call) {
            found.sent = Some(sent);
        }
    }

    /// Whose stream this is.
    fn sends(&self, key: Key) -> Option<&Sent> {
        self.all.values().filter_map(|call| call.sent.as_ref()).find(|sent| sent.key == key)
    }

    fn playing(&mut self, key: Key) -> Option<&mut RoomCall> {
        self.all.values_mut().find(|call| call.ears.has(key))
    }
}

fn wrong_state(words: &str) -> Failure {
    Failure::new(FailureCode::WrongState, words)
}

impl Owner {
    pub(super) fn add_call(&mut self, id: &RoomId, call_id: &CallId) -> Result<(), Failure> {
        let room = self.hosted_room(id)?;
        let call = self.calls.get(call_id).ok_or_else(|| Failure::not_found("call", call_id.as_str()))?;
        if !call.is_established() || call.hung_up || !call.is_ours() {
            return Err(wrong_state("only calls that have been answered come into a room"));
        }
        if call.in_room || call.in_conference {
            return Err(wrong_state("this call is in a room or a conference already"));
        }
        let leg = call.leg.as_ref().map(|leg| (leg.id, Seen::of(leg)));
        let (leg, seen) = leg.ok_or_else(|| wrong_state("calls at other servers cannot come into a room"))?;
        let shown = call.far_shown();
        let login = self.name_of_caller(&room, &shown);
        let of = ParticipantId::new(new_id("p")?);
        let entry = Entry {
            id: of.clone(),
            login: login.clone(),
            kind: ParticipantKind::Phone,
            guest: false,
            own: false,
            admitted: true,
            password: None,
            origin: call_id.as_str().to_owned(),
            at: clock::wallclock_ms(),
        };
        let found = self.rooms.all.get_mut(&room).ok_or_else(|| Failure::not_found("room", id.as_str()))?;
        found.join(entry)?;
        self.rooms.seats.insert(of.clone(), Seat { room: room.clone(), at: At::Call(call_id.clone()) });
        if let Err(failure) = self.begin_room_call(room, &of, call_id, (leg, seen), &login) {
            self.leave_room(&of);
            return Err(failure);
        }
        if let Some(call) = self.calls.get_mut(call_id) {
            call.in_room = true;
        }
        self.want_hold(call_id, false);
        self.sound(call_id);
        self.on_video_agreed(call_id);
        self.publish_call(call_id);
        Ok(())
    }

    /// One that is in hears the others from now on, and is heard by them.
    pub(in super::super) fn begin_room_call(
        &mut self,
        room: String,
        of: &ParticipantId,
        call_id: &CallId,
        (leg, seen): (LegId, Option<Seen>),
        login: &str,
    ) -> Result<(), Failure> {
        let sent = self.begin_sent(&room, of, login, leg, seen)?;
        let (ears, source) = Ears::new();
        self.media.ask(MediaAsk::Inject { leg, source: Some(Box::new(source) as Box<dyn Source>) });
        let participant = of.clone();
        let in_room = RoomCall { room, participant, sent: Some(sent), ears, last_key: String::new() };
        self.rooms.calls.all.insert(call_id.clone(), in_room);
        Ok(())
    }

    /// As far as it can be known who it is; two are never named the same.
    pub(in super::super) fn name_of_caller(&self, room: &str, shown: &str) -> String {
        let mut name: String = crate::owner::text::shown(shown).chars().take(48).collect();
        name = name.trim().to_owned();
        if check_login(&name).is_err() {
            name = "Phone".into();
        }
        let room = self.rooms.all.get(room);
        let is_taken = |name: &str| {
            room.is_some_and(|room| {
                room.named(name).is_some() || room.knocking().iter().any(|it| it.member.login == name)
            })
        };
        let numbered = (2..).map(|number| format!("{name} {number}"));
        std::iter::once(name.clone()).chain(numbered).find(|name| !is_taken(name)).unwrap_or(name)
    }

    /// What the room tells a call is what there is to be heard.
    pub(super) fn on_call_room_news(&mut self, call: &CallId, news: News) {
        match news {
            News::State(present) => {
                for name in present.into_iter().flat_map(|present| present.streams) {
                    self.let_call_hear(call, name);
                }
            }
            News::Published { stream, .. } => self.let_call_hear(call, stream),
            News::Unpublished { stream, .. } => {
                if let Some(found) = self.rooms.calls.all.get_mut(call) {
                    found.ears.end_others(|name| name != stream, &self.stream_door);
                }
            }
            _ => {}
        }
    }

    fn let_call_hear(&mut self, call: &CallId, name: String) {
        let key = self.streams.new_key();
        if let Some(found) = self.rooms.calls.all.get_mut(call) {
            found.ears.begin(key, name, &self.stream_door);
        }
    }

    /// What comes is known. False where neither a call in a room hears it nor a room that is one stream.
    pub(in super::super) fn on_room_call_tracks(&mut self, key: Key, tracks: &Tracks) -> bool {
        let Some(call) = self.rooms.calls.playing(key) else {
            return self.on_composition_tracks(key, tracks);
        };
        call.ears.on_tracks(key, tracks);
        true
    }

    /// A stream of a call in a room, or one that it or a room that is one stream hears, is over. False where it is none.
    pub(in super::super) fn on_room_call_stream_ended(&mut self, key: Key, failed: bool) -> bool {
        if let Some(call) = self.rooms.calls.playing(key) {
            call.ears.end(key, &self.stream_door);
            return true;
        }
        if self.on_composition_stream_ended(key) {
            return true;
        }
        let is_own = self.rooms.calls.sends(key).is_some();
        if is_own {
            self.on_room_stream_over(key, failed);
        }
        is_own
    }

    /// False where it is no call's stream.
    pub(in super::super) fn on_room_call_flows(&mut self, key: Key) -> bool {
        if self.rooms.calls.playing(key).is_some() || self.ears_of_composition(key).is_some() {
            return true;
        }
        let Some(has_video) = self.rooms.calls.sends(key).map(Sent::has_video) else { return false };
        if let Some((name, claim)) = self.rooms.claim_of(key) {
            let (name, of) = (name.clone(), claim.of.clone());
            if let Some(room) = self.room_of(&of) {
                room.publish(
                    &of,
                    Published { name, screen: false, has_video, has_audio: true, video_muted: false },
                );
            }
        }
        true
    }

    /// The call goes on with us alone, or is over.
    pub(super) fn end_room_call(&mut self, call_id: &CallId) {
        let Some(found) = self.rooms.calls.all.remove(call_id) else { return };
        if let Some(sent) = &found.sent {
            self.end_sent(sent);
        }
        found.ears.close(&self.stream_door);
        let Some(call) = self.calls.get_mut(call_id) else { return self.hang_up_phone(call_id) };
        call.in_room = false;
        if let Some(leg) = call.leg.as_ref().map(|leg| leg.id) {
            self.media.ask(MediaAsk::Inject { leg, source: None });
        }
        self.sound(call_id);
        self.on_video_agreed(call_id);
        self.publish_call(call_id);
    }

    pub(super) fn remove_call(&mut self, id: &RoomId, call: &CallId) -> Result<(), Failure> {
        let room = self.hosted_room(id)?;
        let found = self.rooms.calls.all.get(call).filter(|found| found.room == room);
        let of = found.map(|found| found.participant.clone());
        let of = of.ok_or_else(|| wrong_state("this call is not in the room"))?;
        self.leave_room(&of);
        Ok(())
    }

    /// Where our user is a host.
    pub(super) fn hosted_room(&mut self, id: &RoomId) -> Result<String, Failure> {
        let stay = self.stay(id)?;
        let (room, own) = (stay.room.clone(), stay.own.clone());
        let is_host = self.room_of(&own).and_then(|room| room.member(&own)).is_some_and(|member| member.host);
        if is_host { Ok(room) } else { Err(wrong_state("this is for hosts")) }
    }

    /// Calls that began, ended, or pressed keys: dealt with when the loop has carried out what led to it.
    pub(in super::super) fn note_call_of_room(&mut self, event: &Event) {
        use CallStatus::{Busy, Established, Failed, Finish};
        let calls = &mut self.rooms.calls;
        match event {
            Event::CallStatusEvent { status: Finish | Busy | Failed, call_id, .. }
                if calls.all.contains_key(call_id) || calls.called.contains_key(call_id) =>
            {
                calls.due.push((call_id.clone(), false));
            }
            Event::CallStatusEvent { status: Established, call_id, .. }
                if calls.called.contains_key(call_id) =>
            {
                calls.due.push((call_id.clone(), true));
            }
            Event::DtmfReceived { call_id, digit } => {
                let Some(call) = calls.all.get_mut(call_id) else { return };
                let before = std::mem::replace(&mut call.last_key, digit.clone());
                let of = call.participant.clone();
                if [before.as_str(), digit.as_str()] == MUTE {
                    self.toggle_call(&of);
                }
            }
            _ => {}
        }
    }

    fn toggle_call(&mut self, of: &ParticipantId) {
        let Some(room) = self.room_of(of) else { return };
        let Some(muted) = room.member(of).map(|member| !member.audio_muted) else { return };
        room.set_muted(of, muted);
        self.silence_call(of, muted);
    }

    pub(super) fn silence_call(&mut self, of: &ParticipantId, on: bool) {
        let keys = self.rooms.claims.values().filter(|claim| claim.of == *of).map(|claim| claim.key);
        for stream in keys.collect::<Vec<_>>() {
            self.stream_door.ask(Ask::Silence { stream, on });
            self.stream_door.ask(Ask::Mute { stream, audio: on, video: false });
        }
    }

    /// False where there was something to do.
    pub(super) fn drain_room_calls(&mut self) -> bool {
        let due = std::mem::take(&mut self.rooms.calls.due);
        let idle = due.is_empty();
        for (call, answered) in due {
            let called = self.rooms.calls.called.remove(&call);
            match (answered, called) {
                (true, Some(room)) => {
                    if let Err(failure) = self.add_call(&room, &call) {
                        self.notice(sidetone_api::NoticeLevel::Warning, &failure.message, Some(&call));
                    }
                }
                (true, None) => {}
                (false, _) => {
                    if let Some(of) = self.rooms.calls.participant(&call).cloned() {
                        self.end_room_streams(&of, BY_USER);
                        self.leave_room(&of);
                    }
                }
            }
        }
        idle
    }
}
