//! A room at another server, as that server tells of it: in the words of the Web SDK's room module, and where it is a Sidetone as whole views.

use super::{MOST_STREAMS, News, Present, check_login};
use serde_json::Value;
use sidetone_api::{
    ParticipantId, ParticipantKind, ParticipantView, Quality, QualityView, RoomId, RoomSettings, RoomStatus,
    RoomStream, RoomView,
};

/// Who is believed to be in a room; servers of others may let in more than ours do.
const MOST_MEMBERS: usize = 100;
const MOST_KNOCKING: usize = 100;
/// Bytes of an id, of a name of a stream.
const LONGEST_ID: usize = 128;
const LONGEST_STREAM: usize = 512;
/// Characters of what is said.
const LONGEST_TEXT: usize = 16_000;

#[derive(Debug)]
pub(crate) struct Mirror {
    /// Everything but what we hear and see of it ourselves.
    pub(crate) room: RoomView,
    /// The server tells whole views, and takes what hosts ask.
    pub(crate) is_whole: bool,
    next: u64,
}

/// What came of a server's word.
#[derive(Debug, PartialEq)]
pub(crate) enum Heard {
    News(News),
    /// The view is another one.
    Changed,
    Lobby,
    /// We are out, and why.
    Removed(String),
    /// What is not known here.
    Nothing,
    /// In words.
    Unreadable(String),
}

impl Mirror {
    /// We alone.
    pub(crate) fn new(id: RoomId, own: ParticipantId, name: &str, login: &str) -> Self {
        let participants = vec![participant(own.clone(), login, ParticipantKind::App)];
        let room = RoomView {
            room_id: id,
            name: name.to_owned(),
            session_id: None,
            status: RoomStatus::Joining,
            info: String::new(),
            own,
            settings: RoomSettings { lobby: false, ..RoomSettings::default() },
            has_password: false,
            participants,
            knocking: Vec::new(),
            played: None,
            published: None,
            recording: None,
            joined_at: None,
        };
        Self { room, is_whole: false, next: 0 }
    }

    /// Nobody is known any more: we come in again.
    pub(crate) fn forget(&mut self) {
        let own = self.room.own.clone();
        self.room.participants.retain(|participant| participant.participant_id == own);
        self.room.participants.iter_mut().for_each(|own| own.streams.clear());
        self.room.knocking.clear();
        self.is_whole = false;
    }

    pub(crate) fn named(&self, login: &str) -> Option<&ParticipantView> {
        self.room.participants.iter().find(|participant| participant.login == login)
    }

    pub(crate) fn participant(&self, id: &ParticipantId) -> Option<&ParticipantView> {
        self.room.participants.iter().find(|participant| participant.participant_id == *id)
    }

    pub(crate) fn hear(&mut self, name: &str, info: &Value) -> Heard {
        let absent = |what: &str| Heard::Unreadable(format!("{name}: {what}"));
        let text = |key: &str| info.get(key).and_then(Value::as_str);
        match name {
            "ROOM" => match serde_json::from_value::<RoomView>(info.clone()) {
                Ok(view) => {
                    self.show(view);
                    Heard::Changed
                }
                Err(error) => absent(&error.to_string()),
            },
            "STATE" => match info.as_array() {
                Some(entries) => self.state(entries),
                None => absent("info is no list"),
            },
            "JOINED" | "LEFT" => match info.as_str().filter(|login| check_login(login).is_ok()) {
                Some(login) if name == "JOINED" => {
                    self.enter(login);
                    Heard::News(News::Joined { login: login.to_owned() })
                }
                Some(login) => {
                    self.leave(login);
                    Heard::News(News::Left { login: login.to_owned() })
                }
                None => absent("info is no name of a participant"),
            },
            "PUBLISHED" | "UNPUBLISHED" | "FAILED" => match (text("login"), text("name")) {
                (Some(login), Some(stream)) if check_login(login).is_ok() && is_stream(stream) => {
                    let (login, stream) = (login.to_owned(), stream.to_owned());
                    if name == "PUBLISHED" {
                        self.enter(&login);
                        self.publish(&login, &stream);
                        return Heard::News(News::Published { login, stream });
                    }
                    self.unpublish(&login, &stream);
                    Heard::News(News::Unpublished { login, stream, failed: name == "FAILED" })
                }
                _ => absent("info.login and info.name are not both there"),
            },
            "MESSAGE" => match (text("from"), text("text")) {
                (Some(login), Some(text)) if check_login(login).is_ok() => {
                    let from = self.id_of(login);
                    let is_private = info.get("private") == Some(&Value::Bool(true));
                    let to = is_private.then(|| self.room.own.clone());
                    let text = text.chars().filter(|c| !c.is_control() || matches!(c, '\n' | '\t'));
                    let text = text.take(LONGEST_TEXT).collect();
                    Heard::News(News::Message { from, login: login.to_owned(), to, text })
                }
                _ => absent("info.from and info.text are not both there"),
            },
            "REACTION" => match (text("from"), text("reaction")) {
                (Some(login), Some(reaction)) if super::REACTIONS.contains(&reaction) => {
                    Heard::News(News::Reaction { from: self.id_of(login), reaction: reaction.to_owned() })
                }
                _ => absent("info.from and info.reaction are not both there"),
            },
            "LOBBY" => Heard::Lobby,
            "REMOVED" => Heard::Removed(info.as_str().unwrap_or_default().to_owned()),
            _ => Heard::Nothing,
        }
    }

    fn id_of(&self, login: &str) -> ParticipantId {
        self.named(login).map_or_else(|| ParticipantId::new(""), |named| named.participant_id.clone())
    }

    fn own_login(&self) -> String {
        let own = self.participant(&self.room.own);
        own.map(|own| own.login.clone()).unwrap_or_default()
    }

    fn state(&mut self, entries: &[Value]) -> Heard {
        let mut present: Vec<Present> = Vec::new();
        for entry in entries.iter().take(MOST_MEMBERS * MOST_STREAMS) {
            let login = entry.as_str().or_else(|| entry.get("login")?.as_str());
            let Some(login) = login.filter(|login| check_login(login).is_ok()) else {
                return Heard::Unreadable("STATE: an entry names nobody".into());
            };
            let stream = entry.get("name").and_then(Value::as_str).filter(|name| is_stream(name));
            self.enter(login);
            if !present.iter().any(|other| other.login == login) {
                present.push(Present { login: login.to_owned(), streams: Vec::new() });
            }
            if let (Some(stream), Some(of)) = (stream, present.iter_mut().find(|it| it.login == login)) {
                of.streams.push(stream.to_owned());
                self.publish(login, stream);
            }
        }
        Heard::News(News::State(present))
    }

    fn enter(&mut self, login: &str) {
        let is_full = self.room.participants.len() >= MOST_MEMBERS;
        if self.is_whole || is_full || self.named(login).is_some() {
            return;
        }
        self.next += 1;
        let id = ParticipantId::new(format!("{}-{}", self.room.own, self.next));
        self.room.participants.push(participant(id, login, ParticipantKind::Web));
    }

    fn leave(&mut self, login: &str) {
        let own = self.room.own.clone();
        if !self.is_whole {
            self.room.participants.retain(|it| it.login != login || it.participant_id == own);
        }
    }

    fn publish(&mut self, login: &str, name: &str) {
        let of = self.room.participants.iter_mut().find(|participant| participant.login == login);
        let Some(of) = of.filter(|of| of.streams.len() < MOST_STREAMS) else { return };
        if of.streams.iter().all(|stream| stream.name != name) {
            of.streams.push(stream(name));
        }
    }

    fn unpublish(&mut self, login: &str, name: &str) {
        if let Some(of) = self.room.participants.iter_mut().find(|participant| participant.login == login) {
            of.streams.retain(|stream| stream.name != name);
        }
    }

    /// What is ours to know is not the server's to say.
    fn show(&mut self, view: RoomView) {
        let before = &self.room;
        let (theirs, own, own_login) = (view.own, before.own.clone(), self.own_login());
        let ours = |id: ParticipantId| if id == theirs { own.clone() } else { id };
        let is_id = |id: &ParticipantId| !id.as_str().is_empty() && id.as_str().len() <= LONGEST_ID;
        let participants = view.participants.into_iter().take(MOST_MEMBERS);
        let participants =
            participants.filter(|it| is_id(&it.participant_id) && check_login(&it.login).is_ok());
        let mut participants: Vec<_> = participants
            .map(|it| {
                let mut streams = it.streams;
                streams.truncate(MOST_STREAMS);
                streams.retain(|stream| is_stream(&stream.name));
                for stream in &mut streams {
                    (stream.stream_id, stream.level, stream.info) = (None, Quality::Unknown, String::new());
                }
                let empty = participant(ours(it.participant_id), &it.login, it.kind);
                let (host, guest, audio_muted, hand) = (it.host, it.guest, it.audio_muted, it.hand);
                ParticipantView { host, guest, audio_muted, hand, streams, ..empty }
            })
            .collect();
        if !participants.iter().any(|it| it.participant_id == own) {
            participants.push(participant(own, &own_login, ParticipantKind::App));
        }
        let mut knocking = view.knocking;
        knocking.truncate(MOST_KNOCKING);
        knocking.retain(|it| is_id(&it.participant_id) && check_login(&it.login).is_ok());
        self.is_whole = true;
        self.room = RoomView {
            settings: view.settings,
            has_password: view.has_password,
            participants,
            knocking,
            played: view.played.filter(|name| is_stream(name)),
            published: view.published.filter(|name| is_stream(name)),
            recording: view.recording,
            ..self.room.clone()
        };
    }
}

fn is_stream(name: &str) -> bool {
    !name.is_empty() && name.len() <= LONGEST_STREAM && !name.chars().any(char::is_control)
}

/// The module says nothing of what is in a stream.
fn stream(name: &str) -> RoomStream {
    RoomStream {
        name: name.to_owned(),
        screen: name.ends_with("-screen"),
        has_video: true,
        has_audio: true,
        video_muted: false,
        stream_id: None,
        info: String::new(),
        level: Quality::Unknown,
    }
}

fn participant(id: ParticipantId, login: &str, kind: ParticipantKind) -> ParticipantView {
    ParticipantView {
        participant_id: id,
        login: login.to_owned(),
        kind,
        host: false,
        guest: false,
        call_id: None,
        streams: Vec::new(),
        audio_muted: false,
        hand: None,
        speaking: false,
        active: false,
        heard: None,
        quality: QualityView::default(),
        volume: 1.0,
        muted_here: false,
    }
}

#[cfg(test)]
mod tests {
    use super::{Heard, Mirror};
    use crate::rooms::{News, Present};
    use serde_json::{Value, json};
    use sidetone_api::{ParticipantId, RoomId};

    fn mirror() -> Mirror {
        Mirror::new(RoomId::new("r"), ParticipantId::new("p"), "tea", "ada")
    }

    fn logins(mirror: &Mirror) -> Vec<&str> {
        mirror.room.participants.iter().map(|it| it.login.as_str()).collect()
    }

    #[test]
    fn the_modules_words_make_a_view() {
        let mut mirror = mirror();
        let state = json!(["bob", { "login": "eve", "name": "tea-eve-1" }, { "login": "eve", "name": "tea-eve-2-screen" }]);
        let present = |login: &str, streams: &[&str]| Present {
            login: login.into(),
            streams: streams.iter().map(|name| (*name).to_owned()).collect(),
        };
        let told = vec![present("bob", &[]), present("eve", &["tea-eve-1", "tea-eve-2-screen"])];
        assert_eq!(mirror.hear("STATE", &state), Heard::News(News::State(told)));
        assert_eq!(logins(&mirror), ["ada", "bob", "eve"]);
        assert!(mirror.named("eve").unwrap().streams[1].screen);
        mirror.hear("LEFT", &json!("eve"));
        mirror.hear("JOINED", &json!("joe"));
        mirror.hear("JOINED", &json!("joe"));
        mirror.hear("PUBLISHED", &json!({ "login": "joe", "name": "tea-joe-1" }));
        assert_eq!(logins(&mirror), ["ada", "bob", "joe"]);
        assert_eq!(mirror.named("joe").unwrap().streams.len(), 1);
        mirror.hear("FAILED", &json!({ "login": "joe", "name": "tea-joe-1" }));
        assert!(mirror.named("joe").unwrap().streams.is_empty());
        let said = mirror.hear("MESSAGE", &json!({ "from": "bob", "text": "a\u{7}b" }));
        let from = mirror.named("bob").unwrap().participant_id.clone();
        assert_eq!(
            said,
            Heard::News(News::Message { from, login: "bob".into(), to: None, text: "ab".into() })
        );
        mirror.hear("LEFT", &json!("ada"));
        assert_eq!(logins(&mirror), ["ada", "bob", "joe"], "a server cannot take us out of our own view");
    }

    #[test]
    fn a_whole_view_is_taken_but_for_what_is_ours_to_know() {
        let mut server = mirror().room;
        server.own = ParticipantId::new("theirs");
        server.participants[0].participant_id = ParticipantId::new("theirs");
        server.participants[0].host = true;
        let mut other = server.participants[0].clone();
        (other.participant_id, other.login, other.volume) = (ParticipantId::new("x"), "bob".into(), 0.1);
        other.streams = vec![super::stream("tea-bob-1")];
        other.streams[0].stream_id = Some(sidetone_api::StreamId::new("of-ours"));
        let mut nameless = other.clone();
        nameless.login = " ".into();
        server.participants.extend([other, nameless]);
        let mut mirror = mirror();
        assert_eq!(mirror.hear("ROOM", &serde_json::to_value(&server).unwrap()), Heard::Changed);
        assert_eq!(logins(&mirror), ["ada", "bob"]);
        assert!(mirror.is_whole && mirror.participant(&ParticipantId::new("p")).unwrap().host);
        let bob = mirror.named("bob").unwrap();
        assert_eq!((bob.volume, &bob.streams[0].stream_id), (1.0, &None));
        mirror.hear("JOINED", &json!("joe"));
        assert_eq!(logins(&mirror), ["ada", "bob"], "the next view says it");
    }

    #[test]
    fn what_cannot_be_read_is_said_and_changes_nothing() {
        let mut mirror = mirror();
        let nonsense = [
            json!(null),
            json!(7),
            json!("\u{202e}"),
            json!({}),
            json!([{}]),
            json!({ "login": "a\nb", "name": "" }),
        ];
        for name in ["ROOM", "STATE", "JOINED", "LEFT", "PUBLISHED", "FAILED", "MESSAGE", "REACTION"] {
            for info in &nonsense {
                assert!(matches!(mirror.hear(name, info), Heard::Unreadable(_)), "{name} {info}");
            }
        }
        assert_eq!(mirror.hear("CAKE", &Value::Null), Heard::Nothing);
        assert_eq!(logins(&mirror), ["ada"]);
    }
}
