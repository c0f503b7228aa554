//! Rooms of the embedded gateway, with clients that have no network: what they hear, in which order, and what of a room is for
//! nobody else.

use crate::{
    clients::{Client, stream},
    kit::{Phone, gateway},
};
use serde_json::{Value, json};
use sidetone_api::{
    AudioInput, Command, Failure, FailureCode, ParticipantId, Reply, RoomAsk, RoomId, RoomJoining,
    RoomSettings, RoomStatus, RoomView, Secret, Snapshot, StreamSources, StreamStatus,
};
use sidetone_engine::{
    ClientAsk, ClientNews, ClientStream, RestAsk, StreamDeclined, StreamOffer, whip::Kind,
};
use sidetone_peer::Direction;

/// A page in the room API of the Web SDK.
pub(crate) struct Page {
    pub(crate) client: Client,
    login: &'static str,
    asked: u32,
}

impl Page {
    pub(crate) async fn open(host: &Phone, login: &'static str) -> Self {
        let client = Client::with(host, &json!({ "custom": { "login": login } })).await;
        Self::of(client, login)
    }

    pub(crate) fn of(client: Client, login: &'static str) -> Self {
        Self { client, login, asked: 0 }
    }

    pub(crate) async fn ask(&mut self, command: &str, options: Value) {
        self.asked += 1;
        let payload = json!({ "command": command, "options": options });
        self.client.ask(ClientAsk::SendData { operation_id: format!("o{}", self.asked), payload }).await;
    }

    /// What it is told next: the answer to what it asked last, or news of the room.
    pub(crate) async fn told(&mut self) -> Value {
        loop {
            match self.client.told().await {
                ClientNews::DataStatus { operation_id, accepted, info } => {
                    assert_eq!(operation_id, format!("o{}", self.asked));
                    return if accepted { json!("ACCEPTED") } else { json!({ "FAILED": info }) };
                }
                ClientNews::Data { payload, .. } => {
                    let payload: Value = serde_json::from_str(payload.as_str()).unwrap();
                    assert_eq!(payload["roomName"], "tea", "{} is told {payload}", self.login);
                    return json!([payload["name"], payload["info"]]);
                }
                _ => {}
            }
        }
    }

    pub(crate) async fn join(&mut self) -> Value {
        self.ask("join", json!({ "name": "tea" })).await;
        assert_eq!(self.told().await, "ACCEPTED", "{}", self.login);
        let state = self.told().await;
        assert_eq!(state[0], "STATE");
        state[1].clone()
    }

    pub(crate) async fn refused(&mut self, command: &str, options: Value) -> String {
        self.ask(command, options).await;
        let told = self.told().await;
        told["FAILED"].as_str().unwrap_or_else(|| panic!("{told}")).to_owned()
    }

    async fn said(&mut self, ask: Value) -> Value {
        self.ask("ask", json!({ "name": "tea", "room": ask })).await;
        self.told().await
    }

    /// How a stream of its own ends.
    pub(crate) async fn stopped(&mut self, wanted: &str) -> String {
        loop {
            match self.client.told().await {
                ClientNews::Stream(view) if view.media_session_id == wanted && view.status.is_end() => {
                    return view.info;
                }
                _ => {}
            }
        }
    }

    /// What becomes of a stream, in a word.
    pub(crate) async fn stream(&mut self, ask: ClientAsk) -> String {
        self.client.ask(ask).await;
        loop {
            match self.client.told().await {
                ClientNews::Description { .. } => return "described".into(),
                ClientNews::Stream(view) if view.status == StreamStatus::Failed => return view.info,
                ClientNews::Failed { info, .. } => return info,
                ClientNews::Available { available, .. } => return available.to_string(),
                ClientNews::Snapshot { png: Err(info), .. } => return info,
                _ => {}
            }
        }
    }
}

pub(crate) fn in_room(id: &str, name: &str, direction: Direction) -> ClientStream {
    ClientStream { custom: Some(json!({ "name": "tea" })), ..stream(id, name, direction) }
}

pub(crate) fn joining(login: &str) -> RoomJoining {
    RoomJoining {
        name: "tea".into(),
        login: login.into(),
        sources: None,
        audio_muted: false,
        video_muted: false,
        password: None,
        session_id: None,
        invite: None,
        trusted_ca: None,
        settings: Some(RoomSettings { lobby: false, ..RoomSettings::default() }),
    }
}

pub(crate) fn tone() -> StreamSources {
    let input = AudioInput { source: "tone".into(), gain: 1.0 };
    StreamSources { video: None, inset: None, audio: vec![input] }
}

pub(crate) async fn join(host: &Phone, joining: RoomJoining) -> RoomId {
    match host.ask(Command::JoinRoom(joining)).await {
        Ok(Reply::Room { room_id }) => room_id,
        other => panic!("not in: {other:?}"),
    }
}

pub(crate) async fn ask(host: &Phone, room_id: &RoomId, room: RoomAsk) -> Result<Reply, Failure> {
    host.ask(Command::AskRoom { room_id: room_id.clone(), room }).await
}

fn room(state: &Snapshot) -> Option<&RoomView> {
    state.rooms.first()
}

fn logins(view: &RoomView) -> Vec<&str> {
    view.participants.iter().map(|participant| participant.login.as_str()).collect()
}

fn id_of(host: &Phone, login: &str) -> ParticipantId {
    let view = room(host.state()).unwrap();
    let found = view.participants.iter().find(|participant| participant.login == login);
    found.unwrap_or_else(|| panic!("{login} is not in {view:?}")).participant_id.clone()
}

#[tokio::test]
async fn pages_hear_of_each_other_in_the_order_that_their_sdk_wants() {
    let host = Phone::start(gateway()).await;
    let (mut ann, mut bob) = (Page::open(&host, "ann").await, Page::open(&host, "bob").await);
    assert_eq!(ann.join().await, json!([]));
    assert_eq!(bob.join().await, json!(["ann"]));
    assert_eq!(ann.told().await, json!(["JOINED", "bob"]));
    let hello = json!({ "roomConfig": { "name": "tea" }, "to": "ann", "text": "hello" });
    bob.ask("sendMessage", hello).await;
    assert_eq!(bob.told().await, "ACCEPTED");
    assert_eq!(ann.told().await, json!(["MESSAGE", { "from": "bob", "text": "hello", "private": true }]));
    bob.ask("leave", json!({ "name": "tea" })).await;
    assert_eq!(bob.told().await, "ACCEPTED");
    assert_eq!(ann.told().await, json!(["LEFT", "bob"]));
    let mut cem = Page::open(&host, "cem").await;
    assert_eq!(cem.join().await, json!(["ann"]));
    assert_eq!(ann.told().await, json!(["JOINED", "cem"]));
    // Its connection is gone without a word.
    drop(cem);
    assert_eq!(ann.told().await, json!(["LEFT", "cem"]));
    host.finish().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_words() {
    let host = Phone::start(gateway()).await;
    let mut ann = Page::open(&host, "ann").await;
    let mut other = Page::open(&host, "ann").await;
    let mut nameless = Page { client: Client::with(&host, &json!({})).await, login: "", asked: 0 };
    let mut hostile = Page::open(&host, "__proto__").await;
    let named = |name: &str| json!({ "name": name });
    let tea = || named("tea");
    assert!(nameless.refused("join", tea()).await.contains("custom.login"));
    assert_eq!(hostile.refused("join", tea()).await, "a participant cannot be named so");
    assert!(ann.refused("join", named("a b")).await.contains("cannot be in a room's name"));
    assert!(ann.refused("join", named(&"x".repeat(65))).await.contains("64 characters"));
    assert_eq!(ann.refused("leave", tea()).await, "you are not in this room");
    ann.join().await;
    assert_eq!(ann.refused("join", tea()).await, "you are in this room already");
    assert_eq!(other.refused("join", tea()).await, "somebody in this room is named ann already");
    let text = |to: &str, text: &str| json!({ "roomConfig": { "name": "tea" }, "to": to, "text": text });
    assert!(ann.refused("sendMessage", text("bob", "x")).await.contains("nobody in this room"));
    assert_eq!(other.refused("sendMessage", text("ann", "x")).await, "you are not in this room");
    assert_eq!(
        other.refused("ask", json!({ "name": "tea", "room": { "ask": "close" } })).await,
        "you are not in this room"
    );
    assert!(
        ann.refused("ask", json!({ "name": "tea", "room": { "ask": "nonsense" } }))
            .await
            .contains("unknown variant")
    );
    assert_eq!(
        ann.refused("ask", json!({ "name": "tea", "room": { "ask": "leave" } })).await,
        "this cannot be asked of this room"
    );
    for name in 1..8 {
        ann.ask("join", named(&format!("r{name}"))).await;
        let ClientNews::DataStatus { accepted: true, .. } = ann.client.told().await else {
            panic!("refused")
        };
        ann.client.told().await;
    }
    assert_eq!(ann.refused("join", named("r9")).await, "a session is in 8 rooms at most");
    // What is none of a room's is the backend's affair.
    for payload in [json!({ "command": "join" }), json!({ "command": "dance", "options": {} }), json!("join")]
    {
        ann.asked += 1;
        ann.client.ask(ClientAsk::SendData { operation_id: format!("o{}", ann.asked), payload }).await;
        assert_eq!(ann.told().await, "ACCEPTED");
    }
    host.finish().await;
}

#[tokio::test]
async fn our_user_is_in_a_room_with_pages() {
    let mut host = Phone::start(gateway()).await;
    let mut ann = Page::open(&host, "ann").await;
    ann.join().await;
    let id = join(&host, joining("Our user")).await;
    assert_eq!(ann.told().await, json!(["JOINED", "Our user"]));
    host.until("both", |state| room(state).is_some_and(|view| logins(view) == ["ann", "Our user"])).await;
    let view = room(host.state()).unwrap();
    assert_eq!((view.status, &view.own), (RoomStatus::Joined, &view.participants[1].participant_id));
    assert!(
        view.participants.iter().all(|participant| participant.host),
        "who came first, and who has the gateway"
    );
    ask(&host, &id, RoomAsk::SetSources { sources: Some(tone()) }).await.unwrap();
    let published = ann.told().await;
    let name = published[1]["name"].as_str().unwrap().to_owned();
    assert_eq!(published, json!(["PUBLISHED", { "login": "Our user", "name": name }]));
    assert!(name.starts_with("tea-Our_user-") && name.len() == "tea-Our_user-".len() + 4, "{name}");
    let mut bob = Page::open(&host, "bob").await;
    assert_eq!(bob.join().await, json!(["ann", { "login": "Our user", "name": name }]));
    assert_eq!(ann.told().await, json!(["JOINED", "bob"]));
    let say = |text: &str, to| RoomAsk::SendMessage { text: text.into(), to };
    ask(&host, &id, say("to all", None)).await.unwrap();
    for page in [&mut ann, &mut bob] {
        assert_eq!(page.told().await, json!(["MESSAGE", { "from": "Our user", "text": "to all" }]));
    }
    host.until("bob", |state| room(state).is_some_and(|view| logins(view).contains(&"bob"))).await;
    let to = id_of(&host, "bob");
    ask(&host, &id, say("to bob", Some(to))).await.unwrap();
    assert_eq!(
        bob.told().await,
        json!(["MESSAGE", { "from": "Our user", "text": "to bob", "private": true }])
    );
    assert_eq!(bob.said(json!({ "ask": "raiseHand", "on": true })).await, "ACCEPTED");
    assert_eq!(ann.said(json!({ "ask": "raiseHand", "on": true })).await, "ACCEPTED");
    host.until("hands", |state| {
        let hands = |view: &RoomView| view.participants.iter().map(|it| it.hand).collect::<Vec<_>>();
        room(state).is_some_and(|view| hands(view) == [Some(2), None, Some(1)])
    })
    .await;
    ask(&host, &id, RoomAsk::Leave).await.unwrap();
    for page in [&mut ann, &mut bob] {
        assert_eq!(page.told().await, json!(["UNPUBLISHED", { "login": "Our user", "name": name }]));
        assert_eq!(page.told().await, json!(["LEFT", "Our user"]));
    }
    host.until("the end", |state| state.rooms.is_empty() && state.streams.is_empty()).await;
    assert_eq!(ask(&host, &id, RoomAsk::Leave).await.unwrap_err().code, FailureCode::NotFound);
    host.finish().await;
}

#[tokio::test]
async fn a_stream_of_a_room_is_for_those_who_are_in_it() {
    let host = Phone::start(gateway()).await;
    let mut ann = Page::open(&host, "ann").await;
    let mut eve = Page::open(&host, "eve").await;
    ann.join().await;
    let id = join(&host, RoomJoining { sources: Some(tone()), ..joining("our") }).await;
    ann.told().await;
    let name = ann.told().await[1]["name"].as_str().unwrap().to_owned();
    let name = name.as_str();
    let not_found = "Stream not found";
    assert_eq!(eve.stream(ClientAsk::Play(stream("m1", name, Direction::Receive))).await, not_found);
    assert_eq!(eve.stream(ClientAsk::Play(in_room("m2", name, Direction::Receive))).await, not_found);
    assert_eq!(eve.stream(ClientAsk::Available { id: "m3".into(), name: name.into() }).await, "false");
    assert_eq!(eve.stream(ClientAsk::Snapshot { id: "m4".into(), name: name.into() }).await, not_found);
    let in_use = "Stream name is already in use";
    assert_eq!(eve.stream(ClientAsk::Publish(stream("m5", name, Direction::Send))).await, in_use);
    let own = in_room("m6", "tea-eve-1", Direction::Send);
    assert_eq!(eve.stream(ClientAsk::Publish(own)).await, "you are not in this room");
    let offer = |kind, direction| {
        let sdp = stream("x", "x", direction).sdp;
        StreamOffer { kind, name: name.into(), sdp, token: None }
    };
    let played = host.handle.offer_stream(offer(Kind::Whep, Direction::Receive)).await;
    assert_eq!(played.unwrap_err(), StreamDeclined::StreamNotFound);
    assert_eq!(
        host.handle.offer_stream(offer(Kind::Whip, Direction::Send)).await.unwrap_err(),
        StreamDeclined::NameInUse
    );
    let pictured = host.handle.rest(RestAsk::Snapshot { name: name.into() }).await;
    assert_eq!(pictured.unwrap_err().code, FailureCode::NotFound);
    assert_eq!(ann.stream(ClientAsk::Play(in_room("m7", name, Direction::Receive))).await, "described");
    assert_eq!(ann.stream(ClientAsk::Available { id: "m8".into(), name: name.into() }).await, "true");
    let other = in_room("m9", "other", Direction::Send);
    assert_eq!(ann.stream(ClientAsk::Publish(other)).await, "a stream of the room tea is named tea-…");
    // Who is out hears and sees nothing any more.
    let mut host = host;
    host.until("ann", |state| room(state).is_some_and(|view| view.participants.len() == 2)).await;
    let out = id_of(&host, "ann");
    ask(&host, &id, RoomAsk::Remove { participant_id: out }).await.unwrap();
    loop {
        match ann.client.told().await {
            ClientNews::Stream(view) => {
                let told = (view.media_session_id.as_str(), view.status, view.info.as_str());
                assert_eq!(told, ("m7", StreamStatus::Stopped, "a host has sent you out"));
            }
            ClientNews::Data { payload, .. } => {
                assert!(payload.as_str().contains(r#""name":"REMOVED""#), "{payload:?}");
                break;
            }
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(ann.stream(ClientAsk::Play(in_room("m10", name, Direction::Receive))).await, not_found);
    assert_eq!(ann.refused("join", json!({ "name": "tea" })).await, "you were sent out of this room");
    let name = name.to_owned();
    ask(&host, &id, RoomAsk::Leave).await.unwrap();
    let Ok(Reply::Stream { stream_id }) =
        host.ask(Command::PlayStream { name, token: None, session_id: None }).await
    else {
        panic!("no stream")
    };
    host.until("its end", |state| state.streams.iter().all(|stream| stream.stream_id != stream_id)).await;
    host.finish().await;
}

#[tokio::test]
async fn a_lobby_keeps_pages_waiting_until_a_host_decides() {
    let mut host = Phone::start(gateway()).await;
    let lobby = RoomSettings { lobby: true, ..RoomSettings::default() };
    let id = join(&host, RoomJoining { settings: Some(lobby), ..joining("our") }).await;
    let mut pages = [Page::open(&host, "ann").await, Page::open(&host, "bob").await];
    for page in &mut pages {
        page.ask("join", json!({ "name": "tea" })).await;
        assert_eq!(page.told().await, json!(["LOBBY", null]));
    }
    host.until("both", |state| room(state).is_some_and(|view| view.knocking.len() == 2)).await;
    let knocking: Vec<_> =
        room(host.state()).unwrap().knocking.iter().map(|it| it.participant_id.clone()).collect();
    let [ann, bob] = &mut pages;
    ask(&host, &id, RoomAsk::Refuse { participant_id: knocking[1].clone() }).await.unwrap();
    assert_eq!(bob.told().await, json!({ "FAILED": "a host has not let you in" }));
    let own = in_room("m1", "tea-ann-1", Direction::Send);
    assert_eq!(ann.stream(ClientAsk::Publish(own)).await, "you are not in this room");
    ask(&host, &id, RoomAsk::Admit { participant_id: knocking[0].clone() }).await.unwrap();
    assert_eq!(ann.told().await, "ACCEPTED");
    assert_eq!(ann.told().await, json!(["STATE", ["our"]]));
    bob.ask("join", json!({ "name": "tea" })).await;
    assert_eq!(bob.told().await, json!(["LOBBY", null]));
    bob.ask("leave", json!({ "name": "tea" })).await;
    bob.asked -= 1;
    assert_eq!(bob.told().await, json!({ "FAILED": "you have left" }));
    bob.asked += 1;
    assert_eq!(bob.told().await, "ACCEPTED");
    host.until("nobody", |state| room(state).is_some_and(|view| view.knocking.is_empty())).await;
    ask(&host, &id, RoomAsk::Close).await.unwrap();
    assert_eq!(ann.told().await, json!(["REMOVED", "a host has ended the room"]));
    host.until("the end", |state| state.rooms.is_empty()).await;
    // It was another room then.
    assert_eq!(ann.join().await, json!([]));
    host.finish().await;
}

#[tokio::test]
async fn a_password_is_asked_for_and_not_guessed_for_ever() {
    let mut host = Phone::start(gateway()).await;
    let id = join(&host, RoomJoining { password: Some(Secret::new("green tea")), ..joining("our") }).await;
    assert!(room(host.state()).is_none_or(|view| view.has_password));
    let mut ann = Page::open(&host, "ann").await;
    let join = |password: &str| json!({ "name": "tea", "password": password });
    assert_eq!(ann.refused("join", json!({ "name": "tea" })).await, "this room has a password");
    for _ in 0..10 {
        assert_eq!(ann.refused("join", join("black tea")).await, "the password is wrong");
    }
    let wait = "too many wrong passwords: try again in a minute";
    assert_eq!(ann.refused("join", join("green tea")).await, wait);
    ask(&host, &id, RoomAsk::SetPassword { password: None }).await.unwrap();
    host.until("no password", |state| room(state).is_some_and(|view| !view.has_password)).await;
    assert_eq!(ann.refused("join", join("green tea")).await, wait);
    host.finish().await;
}

#[tokio::test]
async fn a_right_password_opens() {
    let host = Phone::start(gateway()).await;
    join(&host, RoomJoining { password: Some(Secret::new("green tea")), ..joining("our") }).await;
    let mut ann = Page::open(&host, "ann").await;
    ann.ask("join", json!({ "name": "tea", "password": "green tea", "view": true })).await;
    assert_eq!(ann.told().await, "ACCEPTED");
    assert_eq!(ann.told().await, json!(["STATE", ["our"]]));
    let view = ann.told().await;
    assert_eq!((&view[0], &view[1]["hasPassword"]), (&json!("ROOM"), &json!(true)));
    assert!(!view.to_string().contains("green"));
    host.finish().await;
}

#[tokio::test]
async fn what_is_wrong_with_joining_is_named() {
    let host = Phone::start(gateway()).await;
    let most = |most_participants| Some(RoomSettings { most_participants, ..RoomSettings::default() });
    let elsewhere =
        |invite| RoomJoining { invite: Some(Secret::new(invite)), settings: None, ..joining("our") };
    let cases = [
        (RoomJoining { name: "a b".into(), ..joining("our") }, "name"),
        (RoomJoining { login: String::new(), ..joining("our") }, "login"),
        (RoomJoining { settings: most(1), ..joining("our") }, "settings.mostParticipants"),
        (RoomJoining { sources: Some(StreamSources::default()), ..joining("our") }, "sources"),
        (RoomJoining { password: Some(Secret::new("x".repeat(257))), ..joining("our") }, "password"),
        (elsewhere("https://127.0.0.1:9/guest/#room=tea"), "invite"),
        (elsewhere("0a1b"), "invite"),
        (elsewhere("https://127.0.0.1:9/guest/#room=coffee&invite=0a1b"), "name"),
        (RoomJoining { invite: Some(Secret::new("0a1b")), ..joining("our") }, "settings"),
    ];
    for (joining, field) in cases {
        let failure = host.ask(Command::JoinRoom(joining)).await.unwrap_err();
        assert_eq!(failure.field.as_deref(), Some(field), "{failure}");
    }
    join(&host, joining("our")).await;
    let again = host.ask(Command::JoinRoom(joining("our"))).await.unwrap_err();
    assert_eq!(again.code, FailureCode::WrongState);
    host.finish().await;
}

#[tokio::test]
async fn a_page_that_a_host_mutes_is_told_so_and_speaks_again_by_itself() {
    let mut host = Phone::start(gateway()).await;
    let id = join(&host, joining("our")).await;
    let mut bob = Page::open(&host, "bob").await;
    bob.join().await;
    let own = in_room("m1", "tea-bob-1", Direction::Send);
    assert_eq!(bob.stream(ClientAsk::Publish(own)).await, "described");
    host.until("bob", |state| room(state).is_some_and(|view| view.participants.len() == 2)).await;
    assert_eq!(bob.said(json!({ "ask": "muteOther" })).await, json!({ "FAILED": "this is for hosts" }));
    ask(&host, &id, RoomAsk::MuteOther { participant_id: None }).await.unwrap();
    let ClientNews::StreamEvent { id: of, kind, payload } = bob.client.told().await else {
        panic!("no event")
    };
    assert_eq!((of.as_str(), kind.as_str()), ("m1", "audioMuted"));
    assert!(payload.as_str().contains("tea-bob-1"));
    let is_muted = |muted| {
        move |state: &Snapshot| room(state).is_some_and(|view| view.participants[1].audio_muted == muted)
    };
    host.until("that it is mute", is_muted(true)).await;
    let speaks =
        ClientAsk::StreamEvent { id: "m1".into(), kind: "audioUnmuted".into(), payload: json!({}).into() };
    bob.client.ask(speaks).await;
    host.until("that it speaks again", is_muted(false)).await;
    host.finish().await;
}
