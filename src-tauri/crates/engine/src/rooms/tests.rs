//! Virtual time, no streams: what each participant is told, in which order.

use super::{
    Came, Entry, LONGEST_MESSAGE, News, Output, Present, Published, Room, check_login, check_room_name,
};
use sidetone_api::{Failure, FailureCode, ParticipantId, ParticipantKind, RoomAsk, RoomSettings, Secret};
use std::time::{Duration, Instant};

fn open() -> RoomSettings {
    RoomSettings { lobby: false, ..RoomSettings::default() }
}

fn room(settings: RoomSettings) -> Room {
    Room::new("tea".into(), settings, None)
}

fn id(login: &str) -> ParticipantId {
    ParticipantId::new(format!("p-{login}"))
}

fn entry(login: &str) -> Entry {
    Entry {
        id: id(login),
        login: login.into(),
        kind: ParticipantKind::Web,
        guest: false,
        own: false,
        admitted: false,
        password: None,
        origin: format!("session-{login}"),
        at: 7,
    }
}

/// What came out since the last time: to whom, and what.
fn told(room: &mut Room) -> Vec<(String, News)> {
    let mut all = Vec::new();
    while let Some(output) = room.poll() {
        if let Output::Tell { to, news } = output {
            all.push((to.as_str().trim_start_matches("p-").to_owned(), news));
        }
    }
    all
}

fn others(room: &mut Room) -> Vec<Output> {
    let all = std::iter::from_fn(|| room.poll());
    all.filter(|output| !matches!(output, Output::Tell { .. })).collect()
}

fn ask(room: &mut Room, by: &str, ask: RoomAsk) -> Result<(), Failure> {
    room.ask(Instant::now(), &id(by), ask)
}

fn stream(name: &str) -> Published {
    Published { name: name.into(), screen: false, has_video: true, has_audio: true, video_muted: false }
}

fn with(logins: &[&str]) -> Room {
    let mut room = room(open());
    for login in logins {
        assert_eq!(room.join(entry(login)).unwrap(), Came::In);
    }
    told(&mut room);
    room
}

#[test]
fn who_comes_in_hears_who_is_there_and_the_others_hear_of_it_before_its_streams() {
    let mut room = with(&["ann"]);
    room.publish(&id("ann"), stream("tea-ann-1"));
    room.join(entry("bob")).unwrap();
    room.publish(&id("bob"), stream("tea-bob-1"));
    let present = Present { login: "ann".into(), streams: vec!["tea-ann-1".into()] };
    assert_eq!(
        told(&mut room),
        [
            ("bob".to_owned(), News::State(vec![present])),
            ("ann".into(), News::Joined { login: "bob".into() }),
            ("ann".into(), News::Published { login: "bob".into(), stream: "tea-bob-1".into() }),
        ]
    );
    room.leave(&id("bob"));
    assert_eq!(
        told(&mut room),
        [
            (
                "ann".to_owned(),
                News::Unpublished { login: "bob".into(), stream: "tea-bob-1".into(), failed: false }
            ),
            ("ann".into(), News::Left { login: "bob".into() }),
        ]
    );
}

#[test]
fn a_stream_that_was_lost_is_told_anew_and_one_that_failed_is_told_so() {
    let mut room = with(&["ann", "bob"]);
    room.publish(&id("ann"), stream("tea-ann-1"));
    room.publish(&id("ann"), stream("tea-ann-1"));
    room.unpublish(&id("ann"), "tea-ann-1", true);
    room.unpublish(&id("ann"), "tea-ann-1", true);
    let (login, name) = ("ann".to_owned(), "tea-ann-1".to_owned());
    let published = News::Published { login: login.clone(), stream: name.clone() };
    let failed = News::Unpublished { login, stream: name, failed: true };
    assert_eq!(
        told(&mut room),
        [
            ("bob".to_owned(), published.clone()),
            ("bob".into(), failed.clone()),
            ("bob".into(), published),
            ("bob".into(), failed),
        ]
    );
}

#[test]
fn the_first_is_host_and_the_eldest_after_the_last_one() {
    let hosts = |room: &Room| {
        let hosts = room.members().iter().filter(|member| member.host);
        hosts.map(|member| member.login.clone()).collect::<Vec<_>>()
    };
    let mut room = with(&["ann", "bob", "cem"]);
    assert_eq!(hosts(&room), ["ann"]);
    room.join(Entry { kind: ParticipantKind::App, own: true, ..entry("our") }).unwrap();
    assert_eq!(hosts(&room), ["ann", "our"]);
    room.leave(&id("ann"));
    assert_eq!(hosts(&room), ["our"]);
    room.leave(&id("our"));
    assert_eq!(hosts(&room), ["bob"]);
    assert_eq!(ask(&mut room, "cem", RoomAsk::Close).unwrap_err().message, "this is for hosts");
    ask(&mut room, "bob", RoomAsk::MakeHost { participant_id: id("cem"), only: true }).unwrap();
    assert_eq!(hosts(&room), ["cem"]);
    let call = Entry { kind: ParticipantKind::Phone, admitted: true, ..entry("phone") };
    room.join(call).unwrap();
    let refused = ask(&mut room, "cem", RoomAsk::MakeHost { participant_id: id("phone"), only: true });
    assert_eq!(refused.unwrap_err().code, FailureCode::WrongState);
    assert_eq!(hosts(&room), ["cem"]);
    room.leave(&id("cem"));
    room.leave(&id("bob"));
    assert_eq!(hosts(&room), Vec::<String>::new());
    assert!(!room.is_empty(), "a call is in it");
    room.leave(&id("phone"));
    assert!(room.is_empty());
}

#[test]
fn a_name_is_there_once_and_a_room_has_an_end() {
    let mut room = room(RoomSettings { most_participants: 2, ..open() });
    room.join(entry("ann")).unwrap();
    assert_eq!(room.join(entry("ann")).unwrap_err().field.as_deref(), Some("login"));
    room.join(entry("bob")).unwrap();
    assert_eq!(room.join(entry("cem")).unwrap_err().code, FailureCode::Limit);
    room.leave(&id("ann"));
    room.join(entry("cem")).unwrap();
}

#[test]
fn a_locked_room_and_one_with_a_password_let_in_nobody_but_their_own() {
    let mut room = with(&["ann"]);
    let locked = RoomSettings { locked: true, ..open() };
    ask(&mut room, "ann", RoomAsk::ChangeSettings { settings: locked }).unwrap();
    assert_eq!(room.join(entry("bob")).unwrap_err().message, "the room is locked");
    ask(&mut room, "ann", RoomAsk::ChangeSettings { settings: open() }).unwrap();
    ask(&mut room, "ann", RoomAsk::SetPassword { password: Some(Secret::new("green")) }).unwrap();
    assert!(!format!("{room:?}").contains("green"));
    let with = |login, password: &str| Entry { password: Some(Secret::new(password)), ..entry(login) };
    assert_eq!(room.join(entry("bob")).unwrap_err().code, FailureCode::PasswordNeeded);
    let wrong = room.join(with("bob", "greed")).unwrap_err();
    assert_eq!((wrong.field.as_deref(), wrong.message.as_str()), (Some("password"), "the password is wrong"));
    room.join(with("bob", "green")).unwrap();
    room.join(Entry { own: true, kind: ParticipantKind::App, ..entry("our") }).unwrap();
    ask(&mut room, "ann", RoomAsk::SetPassword { password: None }).unwrap();
    room.join(entry("cem")).unwrap();
}

#[test]
fn who_knocks_is_told_nothing_until_a_host_decides() {
    let mut room = room(RoomSettings::default());
    assert_eq!(room.join(entry("ann")).unwrap(), Came::In, "nobody is there who could let her in");
    assert_eq!(room.join(entry("bob")).unwrap(), Came::Knocks);
    assert_eq!(room.join(entry("cem")).unwrap(), Came::Knocks);
    assert_eq!(room.join(entry("bob")).unwrap_err().field.as_deref(), Some("login"));
    told(&mut room);
    assert_eq!(room.knocking()[0].since, 7);
    let admit = |login| RoomAsk::Admit { participant_id: id(login) };
    assert_eq!(ask(&mut room, "bob", admit("bob")).unwrap_err().message, "you are not in this room");
    ask(&mut room, "ann", RoomAsk::SendMessage { text: "hello".into(), to: None }).unwrap();
    assert!(told(&mut room).iter().all(|(to, _)| to == "ann"));
    ask(&mut room, "ann", admit("bob")).unwrap();
    assert_eq!(room.poll(), Some(Output::Admitted(id("bob"))));
    let state = News::State(vec![Present { login: "ann".into(), streams: Vec::new() }]);
    assert_eq!(told(&mut room)[0], ("bob".to_owned(), state));
    ask(&mut room, "ann", RoomAsk::Refuse { participant_id: id("cem") }).unwrap();
    assert_eq!(others(&mut room), [Output::Refused(id("cem"), "a host has not let you in".into())]);
    assert_eq!(ask(&mut room, "ann", admit("cem")).unwrap_err().code, FailureCode::NotFound);
    room.join(entry("dan")).unwrap();
    ask(&mut room, "ann", RoomAsk::ChangeSettings { settings: open() }).unwrap();
    assert_eq!(others(&mut room), [Output::Admitted(id("dan"))]);
}

#[test]
fn who_waits_when_the_room_ends_is_told() {
    let mut room = room(RoomSettings::default());
    room.join(entry("ann")).unwrap();
    room.join(entry("bob")).unwrap();
    room.leave(&id("ann"));
    assert_eq!(others(&mut room), [Output::Refused(id("bob"), "the room has ended".into())]);
    assert!(room.is_empty());
}

#[test]
fn a_message_goes_to_one_or_to_all_and_back_to_its_writer() {
    let mut room = with(&["ann", "bob", "cem"]);
    let say = |text: &str, to: Option<&str>| RoomAsk::SendMessage { text: text.into(), to: to.map(id) };
    ask(&mut room, "ann", say("hi\u{7} all", None)).unwrap();
    let to = |told: Vec<(String, News)>| told.into_iter().map(|(to, _)| to).collect::<Vec<_>>();
    let all = told(&mut room);
    assert!(matches!(&all[0].1, News::Message { text, login, .. } if text == "hi all" && login == "ann"));
    assert_eq!(to(all), ["bob", "cem", "ann"]);
    ask(&mut room, "ann", say("you", Some("cem"))).unwrap();
    assert_eq!(to(told(&mut room)), ["cem", "ann"]);
    ask(&mut room, "ann", say("myself", Some("ann"))).unwrap();
    assert_eq!(to(told(&mut room)), ["ann"]);
    let long = "x".repeat(LONGEST_MESSAGE + 1);
    for (wrong, field) in [(say(" \n", None), "text"), (say(&long, None), "text")] {
        assert_eq!(ask(&mut room, "ann", wrong).unwrap_err().field.as_deref(), Some(field));
    }
    assert_eq!(ask(&mut room, "ann", say("x", Some("eve"))).unwrap_err().code, FailureCode::NotFound);
    assert_eq!(ask(&mut room, "eve", say("x", None)).unwrap_err().code, FailureCode::WrongState);
}

#[test]
fn a_participant_that_says_too_much_is_stopped_and_may_speak_again() {
    let mut room = with(&["ann", "bob"]);
    let begin = Instant::now();
    let say = || RoomAsk::SendMessage { text: "x".into(), to: None };
    let mut at = |millis| room.ask(begin + Duration::from_millis(millis), &id("ann"), say());
    for _ in 0..128 {
        at(0).unwrap();
    }
    assert_eq!(at(0).unwrap_err().code, FailureCode::Limit);
    at(32).unwrap();
    assert_eq!(at(32).unwrap_err().code, FailureCode::Limit);
    for _ in 0..32 {
        at(1_032).unwrap();
    }
    assert_eq!(at(1_032).unwrap_err().code, FailureCode::Limit);
}

#[test]
fn hands_have_the_order_in_which_they_went_up() {
    let mut room = with(&["ann", "bob", "cem"]);
    for (by, on) in [("cem", true), ("ann", true), ("cem", true), ("bob", true), ("ann", false)] {
        ask(&mut room, by, RoomAsk::RaiseHand { on }).unwrap();
    }
    let places: Vec<_> = room.members().iter().map(|member| room.hand_of(member)).collect();
    assert_eq!(places, [None, Some(2), Some(1)]);
}

#[test]
fn reactions_are_those_of_the_list() {
    let mut room = with(&["ann", "bob"]);
    ask(&mut room, "bob", RoomAsk::React { reaction: "👍".into() }).unwrap();
    assert_eq!(told(&mut room).len(), 2);
    let other = ask(&mut room, "bob", RoomAsk::React { reaction: "<b>".into() });
    assert_eq!(other.unwrap_err().field.as_deref(), Some("reaction"));
}

#[test]
fn a_host_mutes_one_or_all_others_and_they_speak_again_by_themselves() {
    let mut room = with(&["ann", "bob", "cem"]);
    room.set_muted(&id("cem"), true);
    let mute = |participant_id| RoomAsk::MuteOther { participant_id };
    ask(&mut room, "ann", mute(None)).unwrap();
    assert_eq!(others(&mut room), [Output::Silenced(id("bob"))], "who is mute is left alone");
    assert!(room.member(&id("bob")).unwrap().silenced);
    room.set_muted(&id("bob"), false);
    assert!(!room.member(&id("bob")).unwrap().silenced);
    ask(&mut room, "ann", mute(Some(id("bob")))).unwrap();
    assert_eq!(others(&mut room), [Output::Silenced(id("bob"))]);
    assert_eq!(ask(&mut room, "ann", mute(Some(id("ann")))).unwrap_err().code, FailureCode::Invalid);
    ask(
        &mut room,
        "ann",
        RoomAsk::ChangeSettings { settings: RoomSettings { muted_on_entry: true, ..open() } },
    )
    .unwrap();
    room.join(entry("dan")).unwrap();
    assert_eq!(others(&mut room), [Output::Silenced(id("dan"))]);
}

#[test]
fn who_is_sent_out_does_not_come_back_by_its_session() {
    let mut room = with(&["ann", "bob", "cem"]);
    room.publish(&id("bob"), stream("tea-bob-1"));
    told(&mut room);
    ask(&mut room, "ann", RoomAsk::Remove { participant_id: id("bob") }).unwrap();
    let mut all: Vec<_> = std::iter::from_fn(|| room.poll()).collect();
    assert_eq!(all.remove(0), Output::Out(id("bob"), "a host has sent you out".into()));
    assert_eq!(all.len(), 4, "both others hear of its stream and of itself: {all:?}");
    let again = Entry { login: "other".into(), id: id("other"), ..entry("bob") };
    assert_eq!(room.join(again).unwrap_err().message, "you were sent out of this room");
    assert_eq!(
        ask(&mut room, "ann", RoomAsk::Remove { participant_id: id("ann") }).unwrap_err().code,
        FailureCode::Invalid
    );
    ask(&mut room, "ann", RoomAsk::Close).unwrap();
    let ended = |login| Output::Out(id(login), "a host has ended the room".into());
    assert_eq!(others(&mut room), [ended("ann"), ended("cem"), Output::Closed]);
    assert!(room.is_empty());
}

#[test]
fn settings_have_limits() {
    let mut room = with(&["ann"]);
    for most in [0, 1, 33, u32::MAX] {
        let settings = RoomSettings { most_participants: most, ..open() };
        let refused = ask(&mut room, "ann", RoomAsk::ChangeSettings { settings }).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("settings.mostParticipants"));
    }
    let long = Some(Secret::new("x".repeat(257)));
    let refused = ask(&mut room, "ann", RoomAsk::SetPassword { password: long }).unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("password"));
    ask(&mut room, "ann", RoomAsk::SetPassword { password: Some(Secret::new("")) }).unwrap();
    assert!(!room.has_password());
}

#[test]
fn names_show_what_they_are() {
    for good in ["tea", "Büro-2", "a.b_c", &"x".repeat(64)] {
        assert_eq!(check_room_name(good), Ok(()), "{good}");
    }
    for bad in ["", "..", "a b", "a/b", "__proto__", "a\u{202e}", "toString", &"x".repeat(65)] {
        assert!(check_room_name(bad).is_err(), "{bad}");
    }
    for good in ["Ann", "Zoë van Dijk", "李", "bob@example.org", &"ä".repeat(64)] {
        assert_eq!(check_login(good), Ok(()), "{good}");
    }
    for bad in
        ["", " ", " Ann", "Ann\u{200b}", "a\nb", "a\u{202e}b", "__proto__", "constructor", &"x".repeat(65)]
    {
        assert!(check_login(bad).is_err(), "{bad}");
    }
}
