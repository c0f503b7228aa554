//! What our user asks of a room at another server.

use super::{Asked, in_field};
use crate::{
    owner::Owner,
    rooms::{LONGEST_MESSAGE, REACTIONS},
};
use serde_json::{Value, json};
use sidetone_api::{Failure, FailureCode, ParticipantId, Reply, RoomAsk, RoomId, RoomStatus};

fn wrong_state(words: &str) -> Failure {
    Failure::new(FailureCode::WrongState, words)
}

impl Owner {
    /// Refusals of the server are told as notices.
    pub(in super::super) fn ask_far(&mut self, id: &RoomId, ask: RoomAsk) -> Result<Reply, Failure> {
        let stay = self.stay(id)?;
        let is_in = stay.status == RoomStatus::Joined;
        match ask {
            RoomAsk::Leave => self.leave_far(id),
            RoomAsk::Mute { audio, video } => self.mute_stay(id, audio, video),
            RoomAsk::Hear { participant_id, volume, muted } => {
                self.hear(id, &participant_id, volume, muted)?;
            }
            RoomAsk::Show { pictures } => self.show(id, pictures)?,
            RoomAsk::SetSources { sources } if !is_in => {
                sources.as_ref().map(crate::owner::streams::check_stream_sources).transpose()?;
                if let Some(far) = self.far(id) {
                    far.sources = sources;
                }
            }
            _ if !is_in => return Err(wrong_state("you are not in this room yet")),
            RoomAsk::SetSources { sources } => self.send_to_room(id, sources, false)?,
            RoomAsk::ShareScreen { sources } => self.send_to_room(id, sources, true)?,
            RoomAsk::SendMessage { text, to } => self.say_far(id, text, to)?,
            RoomAsk::Invite { .. }
            | RoomAsk::RevokeInvites
            | RoomAsk::AddCall { .. }
            | RoomAsk::RemoveCall { .. }
            | RoomAsk::CallIn { .. }
            | RoomAsk::PlayStream { .. }
            | RoomAsk::Publish { .. }
            | RoomAsk::Record { .. } => {
                return Err(wrong_state("this can be asked of rooms at the own gateway alone"));
            }
            ask => {
                check(&ask)?;
                let payload = spoken(&ask).unwrap_or_default();
                self.pass_on(id, Asked::Other, payload)?;
            }
        }
        Ok(Reply::Done)
    }

    fn pass_on(&mut self, id: &RoomId, asked: Asked, ask: Value) -> Result<(), Failure> {
        let name = self.stay(id)?.room.clone();
        if !self.far(id).is_some_and(|far| far.mirror.is_whole) {
            return Err(wrong_state("this server's rooms know nothing of this"));
        }
        let payload = json!({ "command": "ask", "options": { "name": name, "room": ask } });
        match self.ask_far_server(id, asked, payload) {
            true => Ok(()),
            false => Err(wrong_state("the server does not hear us now")),
        }
    }

    fn say_far(&mut self, id: &RoomId, text: String, to: Option<ParticipantId>) -> Result<(), Failure> {
        if text.trim().is_empty() {
            return Err(in_field("text", "there is none"));
        }
        if text.chars().take(LONGEST_MESSAGE + 1).count() > LONGEST_MESSAGE {
            return Err(in_field("text", format!("{LONGEST_MESSAGE} characters are the most")));
        }
        let name = self.stay(id)?.room.clone();
        let Some(far) = self.far(id) else { return Ok(()) };
        let own = far.mirror.room.own.clone();
        let others = far.mirror.room.participants.iter().filter(|it| it.participant_id != own);
        let to_whom = others.filter(|it| to.as_ref().is_none_or(|to| it.participant_id == *to));
        let logins: Vec<_> = to_whom.map(|it| it.login.clone()).collect();
        if let Some(to) = to.as_ref().filter(|_| logins.is_empty()) {
            return Err(Failure::not_found("participant", to.as_str()));
        }
        if far.mirror.is_whole {
            let mut ask = json!({ "ask": "sendMessage", "text": text });
            if let Some(to) = &to {
                ask["to"] = json!(to);
            }
            return self.pass_on(id, Asked::Said { to, text }, ask);
        }
        // The module speaks to one at a time.
        if logins.is_empty() {
            self.tell_own_words(id, to, text);
            return Ok(());
        }
        let mut asked = Some(Asked::Said { to, text: text.clone() });
        for login in logins {
            let options = json!({ "roomConfig": { "name": name }, "to": login, "text": text });
            let payload = json!({ "command": "sendMessage", "options": options });
            self.ask_far_server(id, asked.take().unwrap_or(Asked::Other), payload);
        }
        Ok(())
    }
}

/// # Errors
/// What the server would refuse, named here at once.
fn check(ask: &RoomAsk) -> Result<(), Failure> {
    match ask {
        RoomAsk::React { reaction } if !REACTIONS.contains(&reaction.as_str()) => {
            Err(in_field("reaction", format!("one of {}", REACTIONS.join(" "))))
        }
        RoomAsk::ChangeSettings { settings } => crate::rooms::check_settings(settings),
        _ => Ok(()),
    }
}

/// As it is spoken; `None` for what is not passed on.
fn spoken(ask: &RoomAsk) -> Option<Value> {
    let of = |ask: &str, id: &ParticipantId| json!({ "ask": ask, "participantId": id });
    Some(match ask {
        RoomAsk::RaiseHand { on } => json!({ "ask": "raiseHand", "on": on }),
        RoomAsk::React { reaction } => json!({ "ask": "react", "reaction": reaction }),
        RoomAsk::ChangeSettings { settings } => json!({ "ask": "changeSettings", "settings": settings }),
        RoomAsk::SetPassword { password } => {
            let password = password.as_ref().map(|password| password.expose());
            json!({ "ask": "setPassword", "password": password })
        }
        RoomAsk::Admit { participant_id } => of("admit", participant_id),
        RoomAsk::Refuse { participant_id } => of("refuse", participant_id),
        RoomAsk::Remove { participant_id } => of("remove", participant_id),
        RoomAsk::MuteOther { participant_id: Some(id) } => of("muteOther", id),
        RoomAsk::MuteOther { participant_id: None } => json!({ "ask": "muteOther" }),
        RoomAsk::MakeHost { participant_id, only } => {
            json!({ "ask": "makeHost", "participantId": participant_id, "only": only })
        }
        RoomAsk::Close => json!({ "ask": "close" }),
        _ => return None,
    })
}
