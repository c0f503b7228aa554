//! Guests of meetings: what an invite lets them do, and what it does not.

use crate::{
    clients::{Client, stream},
    kit::{Phone, gateway},
    rooms::{Page, ask, in_room, join, joining},
};
use serde_json::json;
use sidetone_api::{
    Command, InviteReach, ParticipantId, Reply, RoomAsk, RoomId, RoomJoining, RoomSettings, SharingView,
};
use sidetone_engine::{ClientAsk, ClientCall};
use sidetone_peer::Direction;

async fn invited(host: &Phone, room: &RoomId, admitted: bool, once: bool) -> (String, InviteReach, String) {
    let invite = RoomAsk::Invite { login: None, admitted, once };
    let Ok(Reply::Invite { invite }) = ask(host, room, invite).await else { panic!("no invite") };
    assert!(invite.qr.contains("<svg") && !invite.info.is_empty(), "{invite:?}");
    let token = invite.url.split_once("invite=").unwrap().1.to_owned();
    assert!(token.len() == 32 && invite.url.contains("#room=tea&"), "{}", invite.url);
    (token, invite.reach, invite.url)
}

async fn guest(host: &Phone, login: &'static str, token: &str) -> Result<Page, String> {
    let fields =
        json!({ "custom": { "login": login, "token": token }, "sipLogin": "x", "sipDomain": "127.0.0.1" });
    Client::guest(host, &fields).await.map(|client| Page::of(client, login))
}

async fn host_with_lobby() -> (Phone, RoomId) {
    let host = Phone::start(gateway()).await;
    host.handle.http_listening(Some("http://127.0.0.1:8088".into()), String::new()).await;
    let settings = Some(RoomSettings::default());
    let room = join(&host, RoomJoining { settings, ..joining("ada") }).await;
    (host, room)
}

async fn participant(host: &Phone, login: &str) -> ParticipantId {
    let Ok(Reply::Snapshot { snapshot }) = host.ask(Command::GetSnapshot).await else {
        panic!("no snapshot")
    };
    let room = &snapshot.rooms[0];
    let waiting = room.knocking.iter().map(|it| (&it.login, &it.participant_id));
    let here = room.participants.iter().map(|it| (&it.login, &it.participant_id));
    let found = waiting.chain(here).find(|(name, _)| *name == login);
    found.map(|(_, id)| id.clone()).unwrap_or_else(|| panic!("{login} is not there: {room:?}"))
}

#[tokio::test]
async fn a_link_names_the_way_that_is_open() {
    let (host, room) = host_with_lobby().await;
    let (_, reach, url) = invited(&host, &room, false, false).await;
    assert_eq!(reach, InviteReach::Machine);
    assert!(url.starts_with("http://127.0.0.1:8088/guest/#"), "{url}");
    let urls = vec!["https://192.0.2.7:8443".into()];
    host.handle.shared(Some(SharingView { urls, port: 8443, ..SharingView::default() })).await;
    let (_, reach, url) = invited(&host, &room, false, false).await;
    assert_eq!(reach, InviteReach::Network);
    assert!(url.starts_with("https://192.0.2.7:8443/guest/#"), "{url}");
}

#[tokio::test]
async fn a_guest_waits_in_the_lobby_and_has_nothing_but_the_meeting() {
    let (host, room) = host_with_lobby().await;
    for wrong in ["", "0123456789abcdef0123456789abcdef"] {
        let refused = guest(&host, "eve", wrong).await.err().expect("it is refused");
        assert!(refused.contains("invite"), "{refused}");
    }
    let (token, ..) = invited(&host, &room, false, false).await;
    let mut bob = guest(&host, "bob", &token).await.unwrap();
    let words = bob.refused("join", json!({ "name": "tea" })).await;
    assert!(words.contains("invite"), "{words}");
    assert_eq!(bob.refused("join", json!({ "name": "other", "invite": token })).await, "Restricted access");
    bob.ask("join", json!({ "name": "tea", "invite": token })).await;
    assert_eq!(bob.told().await[0], "LOBBY");
    let participant_id = participant(&host, "bob").await;
    ask(&host, &room, RoomAsk::Admit { participant_id }).await.unwrap();
    let mut told = [bob.told().await, bob.told().await];
    told.sort_by_key(|told| told.is_array());
    assert_eq!((&told[0], &told[1][0]), (&json!("ACCEPTED"), &json!("STATE")));
    // Nothing of the rest of the gateway.
    let outside = ClientAsk::Publish(stream("m1", "tv", Direction::Send));
    assert_eq!(bob.stream(outside).await, "Restricted access");
    let listen = ClientAsk::Play(stream("m2", "tv", Direction::Receive));
    assert_eq!(bob.stream(listen).await, "Restricted access");
    let call = ClientCall { id: "c1".into(), callee: "echo".into(), ..ClientCall::default() };
    assert_eq!(bob.stream(ClientAsk::Call(call)).await, "Restricted access");
    bob.ask("pay", json!({ "name": "tea" })).await;
    assert_eq!(bob.told().await, json!({ "FAILED": "Restricted access" }));
    // Its own picture in the meeting is its right.
    let own = ClientAsk::Publish(in_room("m3", "tea-bob-0001", Direction::Send));
    assert_eq!(bob.stream(own).await, "described");
}

#[tokio::test]
async fn who_is_sent_out_does_not_come_back_by_the_same_invite() {
    let (host, room) = host_with_lobby().await;
    let (token, ..) = invited(&host, &room, true, true).await;
    let mut bob = guest(&host, "bob", &token).await.unwrap();
    bob.ask("join", json!({ "name": "tea", "invite": token })).await;
    let mut told = [bob.told().await, bob.told().await];
    told.sort_by_key(|told| told.is_array());
    assert_eq!(told[0], "ACCEPTED");
    let second = guest(&host, "eve", &token).await.err().expect("the invite is for one");
    assert!(second.contains("already"), "{second}");
    let participant_id = participant(&host, "bob").await;
    ask(&host, &room, RoomAsk::Remove { participant_id }).await.unwrap();
    loop {
        match bob.told().await {
            told if told[0] == "REMOVED" => break,
            _ => {}
        }
    }
    let again = guest(&host, "bob", &token).await.err().expect("the invite is dead");
    assert!(again.contains("not good any more"), "{again}");
    // Of an empty room no guest becomes the host.
    let (other, ..) = invited(&host, &room, true, false).await;
    ask(&host, &room, RoomAsk::Leave).await.unwrap();
    let late = guest(&host, "carol", &other).await.err().expect("nobody is there");
    assert!(late.contains("not begun"), "{late}");
    // It can begin again, and the link is good; once a host has ended it for all, it is not.
    let room = join(&host, joining("ada")).await;
    guest(&host, "carol", &other).await.expect("the meeting has begun");
    ask(&host, &room, RoomAsk::Close).await.unwrap();
    join(&host, joining("ada")).await;
    let late = guest(&host, "carol", &other).await.err().expect("that meeting is over");
    assert!(late.contains("not good any more"), "{late}");
}

#[tokio::test]
async fn a_guest_plays_what_is_played_in_the_meeting_as_long_as_it_is() {
    let (mut host, room) = host_with_lobby().await;
    host.published("tv").await;
    host.until("it in the list", |state| state.gateway.streams.len() == 1).await;
    let (token, ..) = invited(&host, &room, true, false).await;
    let mut bob = guest(&host, "bob", &token).await.unwrap();
    let play = |id: &str| ClientAsk::Play(stream(id, "tv", Direction::Receive));
    let into = |name: Option<&str>| RoomAsk::PlayStream { name: name.map(String::from) };
    ask(&host, &room, into(Some("tv"))).await.unwrap();
    assert_eq!(bob.stream(play("m1")).await, "Stream not found", "he is not in yet");
    bob.ask("join", json!({ "name": "tea", "invite": token })).await;
    let mut told = [bob.told().await, bob.told().await];
    told.sort_by_key(|told| told.is_array());
    assert_eq!(told[1][1], json!(["ada", { "login": "tv", "name": "tv" }]));
    assert_eq!(bob.stream(play("m2")).await, "described");
    ask(&host, &room, into(None)).await.unwrap();
    assert_eq!(bob.stopped("m2").await, "Stopped by user");
    assert_eq!(bob.stream(play("m3")).await, "Restricted access");
}
