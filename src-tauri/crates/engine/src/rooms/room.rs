//! A room: who comes and goes, and their streams.

use super::{
    Came, Entry, MOST_KNOCKING, MOST_STREAMS, Member, News, Output, Published, member::Knocking, rate::Rate,
};
use sidetone_api::{Failure, FailureCode, ParticipantId, ParticipantKind, RoomSettings, Secret};
use std::{
    collections::{HashSet, VecDeque},
    time::Instant,
};

/// Sessions that were sent away and do not come back.
const MOST_BANNED: usize = 1_000;
const IS_LOCKED: &str = "the room is locked";
const IS_OVER: &str = "the room has ended";

#[derive(Debug)]
pub(crate) struct Room {
    pub(crate) name: String,
    pub(crate) settings: RoomSettings,
    password: Option<Secret>,
    /// In the order in which they came.
    members: Vec<Member>,
    knocking: Vec<Knocking>,
    banned: HashSet<String>,
    pub(super) hands: u64,
    out: VecDeque<Output>,
    /// Something is not as it was shown.
    changed: bool,
}

impl Room {
    pub(crate) fn new(name: String, settings: RoomSettings, password: Option<Secret>) -> Self {
        Self {
            name,
            settings,
            password,
            members: Vec::new(),
            knocking: Vec::new(),
            banned: HashSet::new(),
            hands: 0,
            out: VecDeque::new(),
            changed: true,
        }
    }

    pub(crate) fn poll(&mut self) -> Option<Output> {
        self.out.pop_front()
    }

    /// True once after each change of what is shown.
    pub(crate) fn take_changed(&mut self) -> bool {
        std::mem::take(&mut self.changed)
    }

    /// Something has changed that was not told.
    pub(crate) fn is_changed(&self) -> bool {
        self.changed
    }

    pub(crate) fn set_password(&mut self, password: Option<Secret>) {
        self.password = password;
        self.changed = true;
    }

    pub(crate) fn has_password(&self) -> bool {
        self.password.is_some()
    }

    pub(crate) fn members(&self) -> &[Member] {
        &self.members
    }

    pub(crate) fn knocking(&self) -> &[Knocking] {
        &self.knocking
    }

    pub(crate) fn member(&self, id: &ParticipantId) -> Option<&Member> {
        self.members.iter().find(|member| member.id == *id)
    }

    pub(super) fn member_mut(&mut self, id: &ParticipantId) -> Option<&mut Member> {
        self.changed = true;
        self.members.iter_mut().find(|member| member.id == *id)
    }

    pub(crate) fn named(&self, login: &str) -> Option<&Member> {
        self.members.iter().find(|member| member.login == login)
    }

    /// Nobody is there who could speak to somebody.
    pub(crate) fn is_empty(&self) -> bool {
        self.members.iter().all(|member| member.kind == ParticipantKind::Stream)
    }

    /// The place of a raised hand, from 1.
    pub(crate) fn hand_of(&self, member: &Member) -> Option<u32> {
        let hand = member.hand?;
        let before = self.members.iter().filter_map(|other| other.hand).filter(|other| *other < hand).count();
        u32::try_from(before + 1).ok()
    }

    /// # Errors
    /// Why it is not let in, in words that it may read.
    pub(crate) fn join(&mut self, entry: Entry) -> Result<Came, Failure> {
        let refused = |code, words: &str| Err(Failure::new(code, words));
        let waits = |login: &str| self.knocking.iter().any(|other| other.member.login == login);
        if self.banned.contains(&entry.origin) && !entry.own {
            return refused(FailureCode::WrongState, "you were sent out of this room");
        }
        if self.named(&entry.login).is_some() || waits(&entry.login) {
            let words = format!("somebody in this room is named {} already", entry.login);
            return Err(Failure::invalid("login", words));
        }
        if self.settings.locked && !entry.own && !entry.admitted {
            return refused(FailureCode::WrongState, IS_LOCKED);
        }
        if let Some(password) = self.password.as_ref().filter(|_| !entry.own && !entry.admitted) {
            match &entry.password {
                None => {
                    let words = "this room has a password";
                    return Err(Failure {
                        field: Some("password".into()),
                        ..Failure::new(FailureCode::PasswordNeeded, words)
                    });
                }
                Some(shown) if shown == password => {}
                Some(_) => return Err(Failure::invalid("password", "the password is wrong")),
            }
        }
        if self.members.len() >= self.most() {
            let words = format!("{} participants are in this room, which is the most", self.most());
            return Err(Failure::new(FailureCode::Limit, words));
        }
        let knocks = self.settings.lobby && !entry.own && !entry.admitted && !self.members.is_empty();
        if knocks && self.knocking.len() >= MOST_KNOCKING {
            return refused(FailureCode::Limit, "too many wait to be let in");
        }
        let at = entry.at;
        let member = Member {
            id: entry.id,
            login: entry.login,
            kind: entry.kind,
            host: entry.own,
            guest: entry.guest,
            streams: Vec::new(),
            audio_muted: false,
            silenced: false,
            hand: None,
            origin: entry.origin,
            rate: Rate::default(),
        };
        self.changed = true;
        if knocks {
            self.knocking.push(Knocking { member, since: at });
            return Ok(Came::Knocks);
        }
        self.enter(member);
        Ok(Came::In)
    }

    pub(super) fn most(&self) -> usize {
        usize::try_from(self.settings.most_participants).unwrap_or(usize::MAX)
    }

    /// It hears who is there; the others hear of it.
    fn enter(&mut self, mut member: Member) {
        let present = self.members.iter().map(Member::present).collect();
        self.tell(&member.id, News::State(present));
        self.tell_others(&member.id, &News::Joined { login: member.login.clone() });
        member.host |= member.may_host() && !self.members.iter().any(|other| other.host);
        let mute = self.settings.muted_on_entry && !member.host;
        let id = member.id.clone();
        self.members.push(member);
        self.changed = true;
        if mute {
            self.silence(&id);
        }
    }

    /// A member goes, or one who waited.
    pub(crate) fn leave(&mut self, id: &ParticipantId) {
        self.changed = true;
        self.knocking.retain(|waiting| waiting.member.id != *id);
        let Some(place) = self.members.iter().position(|member| member.id == *id) else { return };
        for stream in std::mem::take(&mut self.members[place].streams) {
            let login = self.members[place].login.clone();
            let over = News::Unpublished { login, stream: stream.name, failed: false };
            self.tell_others(id, &over);
        }
        let left = self.members.remove(place);
        self.tell_others(id, &News::Left { login: left.login });
        self.have_a_host();
        if self.is_empty() {
            for waiting in std::mem::take(&mut self.knocking) {
                self.out.push_back(Output::Refused(waiting.member.id, IS_OVER.into()));
            }
        }
    }

    /// The eldest becomes one where there is none.
    pub(super) fn have_a_host(&mut self) {
        if !self.members.iter().any(|member| member.host)
            && let Some(eldest) = self.members.iter_mut().find(|member| member.may_host())
        {
            eldest.host = true;
        }
    }

    /// # Errors
    /// In words.
    pub(super) fn admit(&mut self, id: &ParticipantId) -> Result<(), Failure> {
        if self.members.len() >= self.most() {
            let words = format!("{} participants are in this room, which is the most", self.most());
            return Err(Failure::new(FailureCode::Limit, words));
        }
        let waiting = self.take_knocking(id)?;
        self.out.push_back(Output::Admitted(waiting.member.id.clone()));
        self.enter(waiting.member);
        Ok(())
    }

    /// # Errors
    /// Nobody of this id waits.
    pub(super) fn refuse(&mut self, id: &ParticipantId, info: &str) -> Result<(), Failure> {
        let waiting = self.take_knocking(id)?;
        self.out.push_back(Output::Refused(waiting.member.id, info.into()));
        Ok(())
    }

    fn take_knocking(&mut self, id: &ParticipantId) -> Result<Knocking, Failure> {
        let place = self.knocking.iter().position(|waiting| waiting.member.id == *id);
        let place = place.ok_or_else(|| Failure::not_found("participant waiting", id.as_str()))?;
        self.changed = true;
        Ok(self.knocking.remove(place))
    }

    /// Takes a member out.
    pub(super) fn send_out(&mut self, id: &ParticipantId, info: &str) {
        if let Some(member) = self.member(id).filter(|_| self.banned.len() < MOST_BANNED)
            && member.may_host()
            && !member.origin.is_empty()
        {
            let origin = member.origin.clone();
            self.banned.insert(origin);
        }
        self.out.push_back(Output::Out(id.clone(), info.into()));
        self.leave(id);
    }

    /// Everybody goes, those who wait too.
    pub(crate) fn close(&mut self, info: &str) {
        for waiting in std::mem::take(&mut self.knocking) {
            self.out.push_back(Output::Refused(waiting.member.id, info.into()));
        }
        for member in std::mem::take(&mut self.members) {
            self.out.push_back(Output::Out(member.id, info.into()));
        }
        self.out.push_back(Output::Closed);
        self.changed = true;
    }

    pub(super) fn silence(&mut self, id: &ParticipantId) {
        let Some(member) = self.member_mut(id).filter(|member| member.kind != ParticipantKind::Stream) else {
            return;
        };
        (member.silenced, member.audio_muted) = (true, true);
        self.out.push_back(Output::Silenced(id.clone()));
    }

    /// What a member says of itself. One that speaks again is heard again.
    pub(crate) fn set_muted(&mut self, id: &ParticipantId, audio: bool) {
        let Some(member) = self.member_mut(id) else { return };
        member.audio_muted = audio;
        member.silenced &= audio;
    }

    pub(crate) fn set_video_muted(&mut self, id: &ParticipantId, stream: &str, muted: bool) {
        let Some(member) = self.member_mut(id) else { return };
        if let Some(stream) = member.streams.iter_mut().find(|known| known.name == stream) {
            stream.video_muted = muted;
        }
    }

    /// A stream of a member flows.
    pub(crate) fn publish(&mut self, id: &ParticipantId, stream: Published) {
        let Some(member) = self.member_mut(id) else { return };
        match member.streams.iter_mut().find(|known| known.name == stream.name) {
            // It was lost and flows again: who played it was stopped.
            Some(known) => {
                let (login, name) = (member.login.clone(), stream.name.clone());
                *known = stream;
                let over = News::Unpublished { login: login.clone(), stream: name.clone(), failed: true };
                self.tell_others(id, &over);
                self.tell_others(id, &News::Published { login, stream: name });
            }
            None => {
                let news = News::Published { login: member.login.clone(), stream: stream.name.clone() };
                member.streams.push(stream);
                self.tell_others(id, &news);
            }
        }
    }

    /// One more stream may begin.
    pub(crate) fn may_publish(&self, id: &ParticipantId) -> bool {
        self.member(id).is_some_and(|member| member.streams.len() < MOST_STREAMS)
    }

    pub(crate) fn unpublish(&mut self, id: &ParticipantId, stream: &str, failed: bool) {
        let Some(member) = self.member_mut(id) else { return };
        let Some(place) = member.streams.iter().position(|known| known.name == stream) else { return };
        let stream = member.streams.remove(place).name;
        let news = News::Unpublished { login: member.login.clone(), stream, failed };
        self.tell_others(id, &news);
    }

    pub(super) fn tell(&mut self, to: &ParticipantId, news: News) {
        self.out.push_back(Output::Tell { to: to.clone(), news });
    }

    pub(super) fn tell_others(&mut self, id: &ParticipantId, news: &News) {
        for member in self.members.iter().filter(|member| member.id != *id) {
            self.out.push_back(Output::Tell { to: member.id.clone(), news: news.clone() });
        }
    }

    /// Whether a participant has not said too much already, with this.
    ///
    /// # Errors
    /// Why not.
    pub(crate) fn may_say(&mut self, now: Instant, by: &ParticipantId) -> Result<(), Failure> {
        let member = self.members.iter_mut().find(|member| member.id == *by);
        let missing = || Failure::new(FailureCode::WrongState, "you are not in this room");
        let member = member.ok_or_else(missing)?;
        if member.rate.take(now) {
            Ok(())
        } else {
            Err(Failure::new(FailureCode::Limit, "this is too much at once"))
        }
    }

    /// It is shown otherwise.
    pub(crate) fn touch(&mut self) {
        self.changed = true;
    }
}
