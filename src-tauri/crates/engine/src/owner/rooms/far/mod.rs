//! Rooms at other servers, which we are in through a session there: what is asked goes as the commands of the Web SDK's room module, what is
//! told comes as its events, and where the server is a Sidetone as whole views. Streams are published and played by the same session.

mod ask;
mod link;
mod told;
mod view;

use super::{super::Owner, BY_USER, own::Stay};
use crate::{
    io::clock,
    owner::{rooms::own::LONGEST_PASSWORD, streams::check_stream_sources, text, view::new_id},
    rooms::{Mirror, check_login, check_room_name},
    wcs::ServerAsk,
};
use link::Link;
use serde_json::{Value, json};
use sidetone_api::{
    Account, AccountId, Event, Failure, FailureCode, NoticeLevel, ParticipantId, Reply, RoomId, RoomJoining,
    RoomStatus, Secret, SessionId, StreamSources, StreamStatus, WcsServer,
};
use std::{
    collections::HashMap,
    time::{Duration, Instant},
};

/// A server that takes us in or not says so within this, unless it says that a host decides.
const PATIENCE: Duration = Duration::from_secs(20);
/// One that lost us may think for a while that we are still there: so often, and so many times, it is asked again.
const AGAIN: Duration = Duration::from_secs(3);
const MOST_TRIES: u32 = 20;
/// Commands without an answer.
const MOST_ASKED: usize = 256;
/// The app of room servers.
const APP: &str = "roomApp";

/// Our side of a room at another server.
#[derive(Debug)]
pub(super) struct Far {
    pub(super) session: SessionId,
    /// The session was made for this room alone, by an invite.
    is_session_ours: bool,
    login: String,
    password: Option<Secret>,
    invite: Option<Secret>,
    pub(super) mirror: Mirror,
    /// What is sent as soon as we are in.
    sources: Option<StreamSources>,
    asked: HashMap<String, Asked>,
    next: u64,
    /// Until when the server answers that it takes us in.
    due: Option<Instant>,
    /// When it is asked again, and how many times it was.
    again: Option<Instant>,
    tries: u32,
}

/// What a command was for.
#[derive(Debug)]
enum Asked {
    Join,
    Leave,
    Said { to: Option<ParticipantId>, text: String },
    Other,
}

impl Far {
    pub(super) fn login(&self) -> &str {
        &self.login
    }

    /// Those that pass first.
    fn next_due(&self) -> Option<Instant> {
        self.due.into_iter().chain(self.again).min()
    }
}

fn in_field(field: &str, words: impl std::fmt::Display) -> Failure {
    Failure::invalid(field, format!("{field}: {words}"))
}

impl Owner {
    /// The reply comes at once; whether we are let in is told later.
    pub(in super::super) fn join_far_room(&mut self, joining: RoomJoining) -> Result<Reply, Failure> {
        let RoomJoining { name, login, sources, audio_muted, video_muted, password, .. } = joining;
        let (session_id, settings, invite, trusted_ca) =
            (joining.session_id, joining.settings, joining.invite, joining.trusted_ca);
        check_room_name(&name).map_err(|words| in_field("name", words))?;
        check_login(&login).map_err(|words| in_field("login", words))?;
        sources.as_ref().map(check_stream_sources).transpose()?;
        if settings.is_some() {
            return Err(in_field("settings", "at another server they are set by its hosts, once in"));
        }
        let password = password.filter(|password| !password.expose().is_empty());
        if password.as_ref().is_some_and(|password| password.expose().len() > LONGEST_PASSWORD) {
            return Err(in_field("password", format!("{LONGEST_PASSWORD} bytes are the most")));
        }
        let link = invite.as_ref().map(|invite| Link::parse(invite.expose())).transpose();
        let link = link.map_err(|words| in_field("invite", words))?;
        if let Some(of_link) = link.as_ref().and_then(|link| link.room.as_ref()).filter(|room| **room != name)
        {
            return Err(in_field("name", format!("this invite is for the room {of_link}")));
        }
        let is_in = |stay: &Stay| {
            stay.room == name && stay.far.as_ref().map(|far| &far.session) == session_id.as_ref()
        };
        if session_id.is_some() && self.rooms.stays.values().any(is_in) {
            return Err(Failure::new(FailureCode::WrongState, "you are in this room already"));
        }
        self.check_stays()?;
        let id = RoomId::new(new_id("r")?);
        let own = ParticipantId::new(new_id("p")?);
        let is_session_ours = session_id.is_none();
        let session = match (session_id, &link) {
            (Some(session), _) => {
                self.be_named_at_server(&session, &login)?;
                session
            }
            (None, Some(link)) => self.open_for_guest(&id, &name, &login, link, trusted_ca)?,
            (None, None) => return Err(in_field("sessionId", "the room's server is not named")),
        };
        let far = Far {
            session: session.clone(),
            is_session_ours,
            mirror: Mirror::new(id.clone(), own.clone(), &name, &login),
            login,
            password,
            invite: link.map(|link| link.token),
            sources,
            asked: HashMap::new(),
            next: 0,
            due: None,
            again: None,
            tries: 0,
        };
        let mut stay = Stay::new(id.clone(), name.clone(), own, (audio_muted, video_muted));
        (stay.status, stay.far) = (RoomStatus::Joining, Some(Box::new(far)));
        self.rooms.stays.insert(id.clone(), stay);
        self.tell_far_status(&id, RoomStatus::Joining, "");
        if self.place_of_wcs(&session).is_some() {
            self.ask_to_join(&id);
        }
        Ok(Reply::Room { room_id: id })
    }

    /// A session for this invite alone.
    fn open_for_guest(
        &mut self,
        id: &RoomId,
        room: &str,
        login: &str,
        link: &Link,
        trusted_ca: Option<String>,
    ) -> Result<SessionId, Failure> {
        let url = link.server.clone();
        let url = url.ok_or_else(|| in_field("invite", "without a session the whole link is needed"))?;
        let custom = Some(json!({ "login": login }).to_string());
        let mut account = Account::new(account_of(id), room, "");
        account.wcs = Some(WcsServer { url, app_key: Some(APP.into()), custom });
        (account.register, account.trusted_ca) = (false, trusted_ca);
        let reply = self.connect(account, Some(link.token.clone()));
        let reply = reply.inspect_err(|_| drop(self.passwords.remove(&account_of(id))))?;
        let Reply::Session { session_id } = reply else {
            return Err(Failure::not_found("session", ""));
        };
        self.show_server_its_own_origin(&session_id);
        Ok(session_id)
    }

    fn far(&mut self, id: &RoomId) -> Option<&mut Far> {
        self.rooms.stays.get_mut(id)?.far.as_deref_mut()
    }

    pub(in super::super) fn far_rooms_of(&self, session: &SessionId) -> Vec<RoomId> {
        let is_there = |stay: &&Stay| stay.far.as_ref().is_some_and(|far| far.session == *session);
        self.rooms.stays.values().filter(is_there).map(|stay| stay.id.clone()).collect()
    }

    fn tell_far_status(&mut self, id: &RoomId, status: RoomStatus, info: &str) {
        let Some(stay) = self.rooms.stays.get_mut(id) else { return };
        (stay.status, stay.info, stay.changed) = (status, text::shown(info), true);
        let (name, info) = (stay.room.clone(), stay.info.clone());
        self.publish(Event::RoomStatusEvent { status, room_id: id.clone(), name, info });
    }

    /// False where the server does not hear it.
    fn ask_far_server(&mut self, id: &RoomId, asked: Asked, payload: Value) -> bool {
        let Some(far) = self.far(id).filter(|far| far.asked.len() < MOST_ASKED) else { return false };
        far.next += 1;
        let (operation_id, session) = (format!("{id}-{}", far.next), far.session.clone());
        far.asked.insert(operation_id.clone(), asked);
        self.say_to_server(&session, &ServerAsk::Data { operation_id, payload })
    }

    fn ask_to_join(&mut self, id: &RoomId) {
        let Some(stay) = self.rooms.stays.get_mut(id) else { return };
        let Some(far) = stay.far.as_deref_mut() else { return };
        (far.due, far.again) = (Some(Instant::now() + PATIENCE), None);
        far.asked.clear();
        far.mirror.forget();
        let mut options = json!({ "name": stay.room, "view": true });
        for (key, secret) in [("password", &far.password), ("invite", &far.invite)] {
            if let Some(secret) = secret {
                options[key] = json!(secret.expose());
            }
        }
        self.ask_far_server(id, Asked::Join, json!({ "command": "join", "options": options }));
    }

    /// The session stands, for the first time or again.
    pub(in super::super) fn join_far_rooms_of(&mut self, session: &SessionId) {
        for id in self.far_rooms_of(session) {
            self.ask_to_join(&id);
        }
    }

    /// Its connection is lost, or does not come about; it is tried again.
    pub(in super::super) fn lose_far_rooms_of(&mut self, session: &SessionId, info: &str) {
        for id in self.far_rooms_of(session) {
            if let Some(far) = self.far(&id) {
                far.asked.clear();
                (far.due, far.again, far.tries) = (None, None, 0);
            }
            self.tell_far_status(&id, RoomStatus::Joining, info);
        }
    }

    /// It is over.
    pub(in super::super) fn end_far_rooms_of(&mut self, session: &SessionId, status: RoomStatus, info: &str) {
        for id in self.far_rooms_of(session) {
            self.end_stay(&id, status, info);
        }
    }

    /// What we send there and play of it.
    pub(super) fn end_far_streams(&mut self, id: &RoomId, info: &str) {
        let Some(stay) = self.rooms.stays.get_mut(id).filter(|stay| stay.far.is_some()) else { return };
        let sent = [stay.camera.take(), stay.screen.take()];
        let played = std::mem::take(&mut stay.played);
        for stream in sent.into_iter().flatten() {
            self.end_stream(&stream, StreamStatus::Unpublished, info);
        }
        for stream in played.into_values().filter_map(|played| played.stream) {
            self.end_stream(&stream, StreamStatus::Stopped, info);
        }
    }

    /// By our own will. The server hears it after the end of our streams.
    pub(super) fn leave_far(&mut self, id: &RoomId) {
        self.end_far_streams(id, BY_USER);
        let name = self.rooms.stays.get(id).map(|stay| stay.room.clone());
        let leave = json!({ "command": "leave", "options": { "name": name } });
        self.ask_far_server(id, Asked::Leave, leave);
        self.end_stay(id, RoomStatus::Left, "");
    }

    /// A stay has ended: a session that was for it alone does, too.
    pub(super) fn close_far(&mut self, stay: &Stay) {
        let Some(far) = stay.far.as_ref().filter(|far| far.is_session_ours) else { return };
        self.passwords.remove(&account_of(&stay.id));
        let _ = self.disconnect(&far.session);
    }

    pub(super) fn next_of_far_rooms(&self) -> Option<Instant> {
        self.rooms.stays.values().filter_map(|stay| stay.far.as_ref()?.next_due()).min()
    }

    pub(in super::super) fn do_due_of_far_rooms(&mut self, now: Instant) {
        let is_due = |stay: &&Stay| {
            let due = stay.far.as_ref().and_then(|far| far.next_due());
            due.is_some_and(|due| due <= now)
        };
        for id in self.rooms.stays.values().filter(is_due).map(|stay| stay.id.clone()).collect::<Vec<_>>() {
            let Some(far) = self.far(&id) else { continue };
            if far.again.take_if(|again| *again <= now).is_some() {
                self.ask_to_join(&id);
            } else {
                far.due = None;
                let words = format!("the server did not answer within {} s", PATIENCE.as_secs());
                self.end_stay(&id, RoomStatus::Failed, &words);
            }
        }
    }

    /// A stream of ours at another server has a status.
    pub(super) fn on_far_stream(
        &mut self,
        id: &RoomId,
        stream: &sidetone_api::StreamId,
        status: StreamStatus,
    ) {
        let Some(stay) = self.rooms.stays.get_mut(id).filter(|stay| stay.far.is_some()) else { return };
        let is_sent = [&stay.camera, &stay.screen].into_iter().any(|slot| slot.as_ref() == Some(stream));
        if !is_sent {
            return;
        }
        if status.is_end() {
            for slot in [&mut stay.camera, &mut stay.screen] {
                slot.take_if(|id| id == stream);
            }
        }
        if status == StreamStatus::Publishing && stay.camera.as_ref() == Some(stream) {
            let (audio, video) = (stay.audio_muted.then_some(true), stay.video_muted.then_some(true));
            self.tell_server_of_mute(stream, audio, video);
        }
    }

    /// What was to be sent once we are in.
    fn send_to_far(&mut self, id: &RoomId) {
        let Some(sources) = self.far(id).and_then(|far| far.sources.take()) else { return };
        if let Err(failure) = self.send_to_room(id, Some(sources), false) {
            self.notice(NoticeLevel::Warning, &failure.message, None);
        }
    }
}

fn account_of(room: &RoomId) -> AccountId {
    AccountId::new(format!("meeting-{room}"))
}

fn now_ms() -> u64 {
    clock::wallclock_ms()
}
