//! What participants ask of a room.

use super::{LONGEST_MESSAGE, News, REACTIONS, Room, check_settings};
use sidetone_api::{Failure, FailureCode, ParticipantId, ParticipantKind, RoomAsk};
use std::time::Instant;

/// Bytes of a password.
const LONGEST_PASSWORD: usize = 256;
const REMOVED: &str = "a host has sent you out";
const CLOSED: &str = "a host has ended the room";
const NOT_ADMITTED: &str = "a host has not let you in";

impl Room {
    /// # Errors
    /// What is wrong with it, or who it is for. [`FailureCode::WrongState`] also for what has nothing to do with the room itself.
    pub(crate) fn ask(&mut self, now: Instant, by: &ParticipantId, ask: RoomAsk) -> Result<(), Failure> {
        let member = self.member_mut(by).ok_or_else(|| wrong_state("you are not in this room"))?;
        let is_said =
            matches!(ask, RoomAsk::RaiseHand { .. } | RoomAsk::React { .. } | RoomAsk::SendMessage { .. });
        if is_said && !member.rate.take(now) {
            return Err(Failure::new(FailureCode::Limit, "this is too much at once"));
        }
        if !is_said && !member.host {
            return Err(wrong_state("this is for hosts"));
        }
        match ask {
            RoomAsk::RaiseHand { on } => self.raise_hand(by, on),
            RoomAsk::React { reaction } => return self.react(by, reaction),
            RoomAsk::SendMessage { text, to } => return self.send_message(by, to, &text),
            RoomAsk::ChangeSettings { settings } => {
                check_settings(&settings)?;
                let opens = self.settings.lobby && !settings.lobby;
                self.settings = settings;
                if opens {
                    self.admit_all();
                }
            }
            RoomAsk::SetPassword { password } => {
                let password = password.filter(|password| !password.expose().is_empty());
                if password.as_ref().is_some_and(|password| password.expose().len() > LONGEST_PASSWORD) {
                    let words = format!("password: {LONGEST_PASSWORD} bytes are the most");
                    return Err(Failure::invalid("password", words));
                }
                self.set_password(password);
            }
            RoomAsk::Admit { participant_id } => return self.admit(&participant_id),
            RoomAsk::Refuse { participant_id } => return self.refuse(&participant_id, NOT_ADMITTED),
            RoomAsk::Remove { participant_id } => {
                self.other(by, &participant_id)?;
                self.send_out(&participant_id, REMOVED);
            }
            RoomAsk::MuteOther { participant_id: Some(id) } => {
                self.other(by, &id)?;
                if self.member(&id).is_some_and(|member| member.kind == ParticipantKind::Stream) {
                    return Err(wrong_state("a stream that is played cannot be muted, but taken out"));
                }
                self.silence(&id);
            }
            RoomAsk::MuteOther { participant_id: None } => {
                let others = self.members().iter().filter(|member| !member.host && !member.audio_muted);
                for id in others.map(|member| member.id.clone()).collect::<Vec<_>>() {
                    self.silence(&id);
                }
            }
            RoomAsk::MakeHost { participant_id, only } => return self.make_host(by, &participant_id, only),
            RoomAsk::Close => self.close(CLOSED),
            _ => return Err(wrong_state("this cannot be asked of this room")),
        }
        self.touch();
        Ok(())
    }

    fn other(&self, by: &ParticipantId, id: &ParticipantId) -> Result<(), Failure> {
        if by == id {
            return Err(Failure::invalid("participantId", "participantId: this is yourself"));
        }
        self.member(id).map(|_| ()).ok_or_else(|| Failure::not_found("participant", id.as_str()))
    }

    fn raise_hand(&mut self, by: &ParticipantId, on: bool) {
        self.hands += 1;
        let hand = self.hands;
        let Some(member) = self.member_mut(by) else { return };
        // A hand that is up keeps its place.
        member.hand = if on { member.hand.or(Some(hand)) } else { None };
    }

    fn react(&mut self, by: &ParticipantId, reaction: String) -> Result<(), Failure> {
        if !REACTIONS.contains(&reaction.as_str()) {
            return Err(Failure::invalid("reaction", format!("reaction: one of {}", REACTIONS.join(" "))));
        }
        let news = News::Reaction { from: by.clone(), reaction };
        self.tell_others(by, &news);
        self.tell(by, news);
        Ok(())
    }

    fn send_message(
        &mut self,
        by: &ParticipantId,
        to: Option<ParticipantId>,
        text: &str,
    ) -> Result<(), Failure> {
        if text.trim().is_empty() {
            return Err(Failure::invalid("text", "text: there is none"));
        }
        if text.chars().take(LONGEST_MESSAGE + 1).count() > LONGEST_MESSAGE {
            return Err(Failure::invalid("text", format!("text: {LONGEST_MESSAGE} characters are the most")));
        }
        if let Some(to) = to.as_ref().filter(|to| *to != by) {
            self.other(by, to)?;
        }
        let text = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t')).collect();
        let login = self.member(by).map(|member| member.login.clone()).unwrap_or_default();
        let news = News::Message { from: by.clone(), login, to: to.clone(), text };
        match to {
            Some(to) if to != *by => self.tell(&to, news.clone()),
            Some(_) => {}
            None => self.tell_others(by, &news),
        }
        self.tell(by, news);
        Ok(())
    }

    fn make_host(&mut self, by: &ParticipantId, id: &ParticipantId, only: bool) -> Result<(), Failure> {
        self.other(by, id)?;
        let member = self.member_mut(id).filter(|member| member.may_host());
        member.ok_or_else(|| wrong_state("a call or a stream cannot be a host"))?.host = true;
        if only && let Some(member) = self.member_mut(by) {
            member.host = false;
        }
        Ok(())
    }

    /// Those for whom there is a place.
    fn admit_all(&mut self) {
        let waiting: Vec<_> = self.knocking().iter().map(|waiting| waiting.member.id.clone()).collect();
        for id in waiting {
            if self.admit(&id).is_err() {
                return;
            }
        }
    }
}

fn wrong_state(words: &str) -> Failure {
    Failure::new(FailureCode::WrongState, words)
}
