//! Rooms on the wire: commands of pages as the Web SDK's room module sends them in `sendData`, and what it hears of.
//!
//! `{"command": "join", "options": {"name": …}}` and so on; answered by the status of the data, told by data of its own:
//! `{"roomName", "name", "info"}`. Beside the module's commands there is `ask`, with which a page asks for whatever the window can ask
//! of a room: `{"command": "ask", "options": {"name": …, "room": {"ask": "raiseHand", "on": true}}}`. One that joins with `view: true`
//! is told the whole room at each change, as `ROOM`.

use super::{super::Owner, At, Seat, invite::NOT_BEGUN};
use crate::{
    clients::ClientNews,
    owner::{clients::Visitor, view::new_id},
    rooms::{Came, Entry, MOST_ROOMS, News, Room, check_login, check_room_name},
};
use serde_json::{Value, json};
use sidetone_api::{
    Failure, FailureCode, ParticipantId, ParticipantKind, RoomAsk, RoomSettings, Secret, SessionId,
};
use std::time::Instant;

/// Rooms of one session.
const MOST_OF_ONE: usize = 8;
pub(super) const NOT_IN_IT: &str = "you are not in this room";

/// When a command of a room is answered.
pub(in super::super) enum Done {
    Now,
    /// A host decides first.
    Later,
}

impl Owner {
    /// What a payload asks of a room; `None` where it is none of a room's.
    pub(in super::super) fn on_room_command(
        &mut self,
        session: &SessionId,
        operation: &str,
        payload: &Value,
    ) -> Option<Result<Done, String>> {
        let options = payload.get("options").filter(|options| options.is_object())?;
        let text = |key: &str| options.get(key).and_then(Value::as_str);
        let done = match payload.get("command").and_then(Value::as_str)? {
            "join" => return Some(self.client_joins(session, operation, text("name")?, options)),
            "leave" => self.client_leaves(session, text("name")?),
            "sendMessage" => {
                let room = options.get("roomConfig")?.get("name")?.as_str()?;
                self.client_says(session, room, text("to"), text("text").unwrap_or_default())
            }
            "ask" => self.client_asks_room(session, text("name")?, options.get("room")?),
            _ => return None,
        };
        Some(done.map(|()| Done::Now))
    }

    fn client_joins(
        &mut self,
        session: &SessionId,
        operation: &str,
        name: &str,
        options: &Value,
    ) -> Result<Done, String> {
        check_room_name(name)?;
        let Visitor { login, remote, token, guest_of, is_app } =
            self.visitor(session).ok_or("Session does not exist")?;
        let now = Instant::now();
        if !self.rooms.guesses.may(now, remote.ip()) {
            return Err("too many wrong passwords: try again in a minute".into());
        }
        let shown = options.get("invite").and_then(Value::as_str).filter(|shown| !shown.is_empty());
        let invite = match shown.map(|shown| self.rooms.invites.find(now, shown).cloned()) {
            Some(Ok(invite)) if invite.room == name => Some(invite),
            Some(found) => {
                self.rooms.guesses.wrong(now, remote.ip());
                return Err(found.err().unwrap_or("this invite is for another meeting").into());
            }
            None if guest_of.is_some() => return Err("an invite is needed".into()),
            None => None,
        };
        if invite.is_some() && !self.rooms.all.contains_key(name) {
            return Err(NOT_BEGUN.into());
        }
        let login = invite.as_ref().and_then(|invite| invite.login.clone()).or(login);
        let login = login.ok_or("a participant's name is missing: custom.login of the connection")?;
        check_login(&login)?;
        if !self.may_stream(session) {
            return Err("Restricted access".into());
        }
        if self.rooms.seat_of_client(session, name).is_some() {
            return Err("you are in this room already".into());
        }
        if self.rooms.seats_of_client(session).len() >= MOST_OF_ONE {
            return Err(format!("a session is in {MOST_OF_ONE} rooms at most"));
        }
        let id = ParticipantId::new(new_id("p").map_err(|failure| failure.message)?);
        let password = options.get("password").and_then(Value::as_str).map(Secret::new);
        // What an invited page shows when it connects is its invite.
        let password = password.or(token.filter(|_| invite.is_none()));
        let entry = Entry {
            id: id.clone(),
            login,
            kind: if is_app { ParticipantKind::App } else { ParticipantKind::Web },
            guest: invite.is_some(),
            own: false,
            admitted: invite.as_ref().is_some_and(|invite| invite.admitted),
            password,
            origin: session.as_str().to_owned(),
            at: crate::io::clock::wallclock_ms(),
        };
        // A page has no way to let others in.
        let settings = RoomSettings { lobby: false, ..RoomSettings::default() };
        let came = self.enter_room(name, settings, None, entry);
        if came.as_ref().is_err_and(|failure| failure.field.as_deref() == Some("password"))
            && came.as_ref().is_err_and(|failure| failure.code == FailureCode::Invalid)
        {
            self.rooms.guesses.wrong(now, remote.ip());
        }
        let came = came.map_err(|failure| failure.message)?;
        if let Some(shown) = shown {
            self.rooms.invites.take(shown, &id);
        }
        let waits = (came == Came::Knocks).then(|| operation.to_owned());
        let views = options.get("view") == Some(&Value::Bool(true));
        let at = At::Client { session: session.clone(), waits, views };
        self.rooms.seats.insert(id, Seat { room: name.to_owned(), at });
        match came {
            Came::In => Ok(Done::Now),
            Came::Knocks => {
                self.tell_client_of_room(session, name, "LOBBY", &Value::Null);
                Ok(Done::Later)
            }
        }
    }

    /// Makes the room where there is none.
    pub(super) fn enter_room(
        &mut self,
        name: &str,
        settings: RoomSettings,
        password: Option<Secret>,
        entry: Entry,
    ) -> Result<Came, Failure> {
        if let Some(room) = self.rooms.all.get_mut(name) {
            return room.join(entry);
        }
        if self.rooms.all.len() >= MOST_ROOMS {
            return Err(Failure::new(FailureCode::Limit, format!("{MOST_ROOMS} rooms are the most")));
        }
        let mut room = Room::new(name.to_owned(), settings, None);
        let came = room.join(entry)?;
        room.set_password(password);
        self.rooms.all.insert(name.to_owned(), room);
        Ok(came)
    }

    fn client_leaves(&mut self, session: &SessionId, name: &str) -> Result<(), String> {
        let id = self.rooms.seat_of_client(session, name).ok_or(NOT_IN_IT)?.clone();
        self.leave_room(&id);
        Ok(())
    }

    fn client_says(
        &mut self,
        session: &SessionId,
        name: &str,
        to: Option<&str>,
        text: &str,
    ) -> Result<(), String> {
        let by = self.rooms.seat_of_client(session, name).ok_or(NOT_IN_IT)?.clone();
        let room = self.rooms.all.get_mut(name).ok_or(NOT_IN_IT)?;
        let to = match to {
            Some(to) => {
                let nobody = || format!("nobody in this room is named {:?}", crate::owner::text::shown(to));
                Some(room.named(to).ok_or_else(nobody)?.id.clone())
            }
            None => None,
        };
        let ask = RoomAsk::SendMessage { text: text.to_owned(), to };
        room.ask(Instant::now(), &by, ask).map_err(|failure| failure.message)
    }

    fn client_asks_room(&mut self, session: &SessionId, name: &str, ask: &Value) -> Result<(), String> {
        let by = self.rooms.seat_of_client(session, name).ok_or(NOT_IN_IT)?.clone();
        let ask: RoomAsk = serde_json::from_value(ask.clone())
            .map_err(|error| crate::owner::text::shown(&error.to_string()))?;
        if let RoomAsk::Show { pictures } = ask {
            return self.client_shows(session, name, pictures);
        }
        let room = self.rooms.all.get_mut(name).ok_or(NOT_IN_IT)?;
        room.ask(Instant::now(), &by, ask).map_err(|failure| failure.message)
    }

    /// Its connection is over, or its session.
    pub(in super::super) fn leave_rooms_of_client(&mut self, session: &SessionId) {
        for id in self.rooms.seats_of_client(session) {
            self.leave_room(&id);
        }
    }

    /// In the words of the SDK's room module.
    pub(super) fn tell_client_news(
        &mut self,
        session: &SessionId,
        own: &ParticipantId,
        room: &str,
        news: News,
    ) {
        let (name, info) = match news {
            News::State(present) => {
                let entries = present.into_iter().flat_map(|present| {
                    let login = present.login;
                    let streams: Vec<_> = present
                        .streams
                        .into_iter()
                        .map(|name| json!({ "login": login, "name": name }))
                        .collect();
                    if streams.is_empty() { vec![json!(login)] } else { streams }
                });
                ("STATE", entries.collect())
            }
            News::Joined { login } => ("JOINED", json!(login)),
            News::Left { login } => ("LEFT", json!(login)),
            News::Published { login, stream } => ("PUBLISHED", json!({ "login": login, "name": stream })),
            News::Unpublished { login, stream, failed } => {
                (if failed { "FAILED" } else { "UNPUBLISHED" }, json!({ "login": login, "name": stream }))
            }
            // It knows what it has said.
            News::Message { from, .. } if from == *own => return,
            News::Message { login, text, to: None, .. } => {
                ("MESSAGE", json!({ "from": login, "text": text }))
            }
            // The SDK's module knows no messages to all, and does not read this.
            News::Message { login, text, .. } => {
                ("MESSAGE", json!({ "from": login, "text": text, "private": true }))
            }
            News::Reaction { from, reaction } => {
                let room = self.rooms.all.get(room);
                let login = room.and_then(|room| room.member(&from)).map(|member| member.login.clone());
                ("REACTION", json!({ "from": login, "reaction": reaction }))
            }
        };
        self.tell_client_of_room(session, room, name, &info);
    }

    pub(super) fn tell_client_of_room(&mut self, session: &SessionId, room: &str, name: &str, info: &Value) {
        let Ok(operation_id) = new_id("d") else { return };
        let payload = json!({ "roomName": room, "name": name, "info": info }).into();
        self.tell_client(session, ClientNews::Data { operation_id, payload });
    }
}
