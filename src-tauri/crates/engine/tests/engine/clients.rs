//! Clients of the gateway with sessions of their own, without a network to them: what is theirs, and what is not.

use crate::kit::{Phone, SOON, gateway};
use serde_json::{Map, Value, json};
use sidetone_api::{
    Command, GatewaySettings, Reply, Secret, SecretUse, SessionId, SettingsChange, StreamStatus,
};
use sidetone_engine::{ClientAsk, ClientNews, ClientOpened, ClientOpening, ClientStream, Handle};
use sidetone_peer::{Certificate, Config, Direction, Peer, Wanted};
use std::{net::SocketAddr, time::Instant};
use tokio::time::timeout;

pub(crate) fn opening(fields: &Value, auth_token: Option<&str>, keep_alive: bool) -> ClientOpening {
    let address = SocketAddr::from(([127, 0, 0, 1], 4_000));
    ClientOpening {
        fields: fields.as_object().cloned().unwrap_or_else(Map::new),
        app_key: "defaultApp".into(),
        auth_token: auth_token.map(String::from),
        keep_alive,
        remote: address,
        local: address,
        origin: None,
        trusted: false,
        is_guest: false,
    }
}

pub(crate) struct Client {
    handle: Handle,
    pub(crate) opened: ClientOpened,
}

impl Client {
    pub(crate) async fn open(phone: &Phone) -> Self {
        Self::with(phone, &json!({})).await
    }

    pub(crate) async fn with(phone: &Phone, fields: &Value) -> Self {
        let handle = phone.handle.clone();
        let opened = handle.open_client(opening(fields, None, false)).await.expect("it is let in");
        Self { handle, opened }
    }

    /// From another machine.
    pub(crate) async fn guest(phone: &Phone, fields: &Value) -> Result<Self, String> {
        let handle = phone.handle.clone();
        let opening = ClientOpening { is_guest: true, ..opening(fields, None, true) };
        let opened = handle.open_client(opening).await.map_err(|refused| refused.info)?;
        Ok(Self { handle, opened })
    }

    pub(crate) async fn ask(&self, ask: ClientAsk) {
        self.handle.ask_client(self.opened.session_id.clone(), self.opened.connected, ask).await;
    }

    pub(crate) async fn told(&mut self) -> ClientNews {
        timeout(SOON, self.opened.news.next()).await.expect("in time").expect("the session stands")
    }

    /// The next status of a stream, and why.
    pub(crate) async fn status(&mut self) -> (String, StreamStatus, String) {
        loop {
            match self.told().await {
                ClientNews::Stream(view) => return (view.media_session_id, view.status, view.info),
                ClientNews::Failed { info, .. } => return (String::new(), StreamStatus::Failed, info),
                _ => {}
            }
        }
    }
}

pub(crate) fn stream(id: &str, name: &str, direction: Direction) -> ClientStream {
    let now = Instant::now();
    let hosts = vec!["127.0.0.1:9".parse().unwrap()];
    let mut peer = Peer::new(now, Config::client(Certificate::generate().unwrap(), hosts, 7)).unwrap();
    let sdp = peer.create_offer(now, &Wanted::both(direction)).unwrap();
    ClientStream {
        id: id.into(),
        name: name.into(),
        sdp,
        provider: "WebRTC".into(),
        ..ClientStream::default()
    }
}

pub(crate) fn failed(id: &str, info: &str) -> (String, StreamStatus, String) {
    (id.into(), StreamStatus::Failed, info.into())
}

#[tokio::test]
async fn an_id_belongs_to_the_client_that_gave_it() {
    let host = Phone::start(gateway()).await;
    let (mut one, mut other) = (Client::open(&host).await, Client::open(&host).await);
    one.ask(ClientAsk::Publish(stream("m1", "cam", Direction::Send))).await;
    let ClientNews::Description { id, sdp, is_answer: true } = one.told().await else { panic!("no answer") };
    assert!(id == "m1" && sdp.contains("a=ice-lite") && sdp.contains("a=candidate:"), "{sdp}");
    let in_use = "MediaSessionId is already in use";
    other.ask(ClientAsk::Publish(stream("m1", "other", Direction::Send))).await;
    assert_eq!(other.status().await, failed("m1", in_use));
    one.ask(ClientAsk::Publish(stream("m1", "other", Direction::Send))).await;
    // The stream of this id goes on.
    assert_eq!(one.status().await, failed("", in_use));
    for ask in [
        ClientAsk::UnPublish { id: "m1".into() },
        ClientAsk::Stop { id: "m1".into() },
        ClientAsk::Pause { id: "m1".into() },
        ClientAsk::StreamEvent { id: "m1".into(), kind: "data".into(), payload: json!(1).into() },
    ] {
        other.ask(ask).await;
        assert_eq!(other.status().await, failed("", "Stream not found"));
    }
    other.ask(ClientAsk::Publish(stream("m2", "cam", Direction::Send))).await;
    assert_eq!(other.status().await, failed("m2", "Stream name is already in use"));
    one.ask(ClientAsk::UnPublish { id: "m1".into() }).await;
    assert_eq!(one.status().await, ("m1".into(), StreamStatus::Unpublished, "Stopped by user".into()));
    // Of what has just ended nothing more is told; of another's, or of none, that it is not there.
    one.ask(ClientAsk::UnPublish { id: "m1".into() }).await;
    one.ask(ClientAsk::Stop { id: "m2".into() }).await;
    assert_eq!(one.status().await, failed("", "Stream not found"));
    one.ask(ClientAsk::Available { id: "last".into(), name: "cam".into() }).await;
    assert!(matches!(one.told().await, ClientNews::Available { .. }));
    host.finish().await;
}

#[tokio::test]
async fn what_cannot_be_is_refused_in_the_contracts_words() {
    let host = Phone::start(gateway()).await;
    let mut client = Client::open(&host).await;
    let broken = ClientStream { sdp: "v=0\r\nnonsense".into(), ..stream("m3", "cam", Direction::Send) };
    let other = ClientStream { provider: "MSE".into(), ..stream("m4", "cam", Direction::Receive) };
    for (ask, wanted) in [
        (ClientAsk::Publish(stream("", "cam", Direction::Send)), failed("", "MediaSessionId is null")),
        (ClientAsk::Play(stream("m1", "nobody", Direction::Receive)), failed("m1", "Stream not found")),
        (
            ClientAsk::Play(stream("m2", "no name/at all", Direction::Receive)),
            failed("m2", "Stream not found"),
        ),
        (ClientAsk::Play(other), failed("m4", "No common codecs")),
    ] {
        client.ask(ask).await;
        assert_eq!(client.status().await, wanted);
    }
    client.ask(ClientAsk::Publish(broken)).await;
    let (id, status, info) = client.status().await;
    assert!(id == "m3" && status == StreamStatus::Failed && !info.is_empty(), "{info}");
    host.finish().await;
}

#[tokio::test]
async fn a_session_that_was_to_be_kept_is_had_again_by_its_token_alone() {
    let host = Phone::start(gateway()).await;
    let open = async |token: Option<&str>, keep: bool| {
        host.handle.open_client(opening(&json!({}), token, keep)).await
    };
    let first = open(None, true).await.unwrap();
    let token = first.connection["authToken"].as_str().unwrap().to_owned();
    let session: SessionId = first.session_id.clone();
    drop(first);
    let mut second = open(Some(&token), true).await.unwrap();
    assert_eq!(second.session_id, session);
    // Whoever has the token has the session: the connection before may be half open.
    let third = open(Some(&token), false).await.unwrap();
    assert_eq!(timeout(SOON, second.news.next()).await.unwrap(), None);
    assert_eq!(open(Some("guessed"), true).await.unwrap_err().info, "Session does not exist");
    drop((second, third));
    let gone = timeout(SOON, async {
        while open(Some(&token), false).await.is_ok() {
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("a session that was not to be kept goes with its connection");
    host.finish().await;
}

/// The gateway's word of a connection's end, and what was asked by it before, come by different ways.
#[tokio::test]
async fn what_a_connection_asked_is_not_carried_out_after_its_end() {
    let mut host = Phone::start(gateway()).await;
    let handle = host.handle.clone();
    let open =
        async |token: Option<&str>| handle.open_client(opening(&json!({}), token, true)).await.unwrap();
    let first = open(None).await;
    let token = first.connection["authToken"].as_str().unwrap().to_owned();
    let (session, connected) = (first.session_id.clone(), first.connected);
    let publish = || ClientAsk::Publish(stream("m1", "cam", Direction::Send));
    drop(first);
    host.until("that the client has gone", |state| state.gateway.clients.iter().any(|it| !it.connected))
        .await;
    handle.ask_client(session.clone(), connected, publish()).await;
    let Ok(Reply::Snapshot { snapshot }) = host.ask(Command::GetSnapshot).await else {
        panic!("no snapshot")
    };
    assert_eq!((snapshot.gateway.clients.len(), snapshot.gateway.clients[0].published), (1, 0));
    let opened = open(Some(&token)).await;
    handle.ask_client(session.clone(), connected, publish()).await;
    let mut again = Client { handle: handle.clone(), opened };
    again.ask(ClientAsk::Stop { id: "m1".into() }).await;
    assert_eq!(again.status().await, failed("", "Stream not found"));
    host.finish().await;
}

#[tokio::test]
async fn what_a_page_says_for_its_backend_is_kept_where_it_is_small_in_memory() {
    let host = Phone::start(gateway()).await;
    let of_maps = |maps: usize| json!(vec![json!({ "": 0 }); maps]);
    for (custom, kept) in [
        (json!({ "token": "x".repeat(16_000), "roles": ["a", "b"], "user": { "name": "n", "id": 7 } }), true),
        (of_maps(10), true),
        (of_maps(100), false),
        (json!("x".repeat(40_000)), false),
    ] {
        let opened = host.handle.open_client(opening(&json!({ "custom": custom }), None, false)).await;
        assert_eq!(opened.is_ok(), kept, "{opened:?}");
        let mut client = Client::open(&host).await;
        let wanted = stream("m1", "cam", Direction::Send);
        client.ask(ClientAsk::Publish(ClientStream { custom: Some(custom), ..wanted })).await;
        match client.told().await {
            ClientNews::Description { .. } if kept => {}
            ClientNews::Stream(view) if !kept => assert!(view.info.starts_with("custom: "), "{}", view.info),
            other => panic!("{other:?}"),
        }
        client.ask(ClientAsk::UnPublish { id: "m1".into() }).await;
        client.status().await;
    }
    host.finish().await;
}

#[tokio::test]
async fn a_token_that_streams_need_from_now_on_is_needed_by_those_who_are_there() {
    const TOKEN: &str = "a-token-of-the-gateway";
    let host = Phone::start(gateway()).await;
    let with_token = json!({ "custom": { "token": TOKEN } });
    let (mut stranger, mut friend) = (Client::open(&host).await, Client::with(&host, &with_token).await);
    let secret = Some(Secret::new(TOKEN));
    host.done(Command::SetSecret { of: SecretUse::StreamToken, secret, remember: false }).await;
    let gateway = GatewaySettings { stream_token: true, ..host.state().settings.gateway.clone() };
    let change = SettingsChange { gateway: Some(gateway), ..SettingsChange::default() };
    host.done(Command::ChangeSettings(change)).await;
    let restricted = "Restricted access";
    for ask in [
        ClientAsk::Publish(stream("m1", "cam", Direction::Send)),
        ClientAsk::Play(stream("m1", "cam", Direction::Receive)),
    ] {
        stranger.ask(ask).await;
        assert_eq!(stranger.status().await, failed("m1", restricted));
    }
    stranger.ask(ClientAsk::Snapshot { id: "m2".into(), name: "cam".into() }).await;
    let refused = ClientNews::Snapshot { id: "m2".into(), png: Err(restricted.into()) };
    assert_eq!(stranger.told().await, refused);
    stranger.ask(ClientAsk::Available { id: "m3".into(), name: "cam".into() }).await;
    let refused = ClientNews::Available { id: "m3".into(), available: false, info: restricted.into() };
    assert_eq!(stranger.told().await, refused);
    friend.ask(ClientAsk::Publish(stream("m4", "cam", Direction::Send))).await;
    assert!(matches!(friend.told().await, ClientNews::Description { .. }));
    host.finish().await;
}

#[tokio::test]
async fn data_has_so_many_bytes_and_no_more() {
    let host = Phone::start(gateway()).await;
    let (mut one, mut other) = (Client::open(&host).await, Client::open(&host).await);
    let to = other.opened.session_id.clone();
    let send = |body: String| {
        let payload = json!({ "to": to.as_str(), "body": body });
        ClientAsk::SendData { operation_id: "1".into(), payload }
    };
    let around = json!({ "to": to.as_str(), "body": "\"\"" }).to_string().len();
    for (length, fits) in [(64 * 1024 - around, true), (64 * 1024 - around + 1, false)] {
        one.ask(send(format!("\"\"{}", "x".repeat(length)))).await;
        let told = one.told().await;
        assert!(matches!(&told, ClientNews::DataStatus { accepted, .. } if *accepted == fits), "{told:?}");
    }
    assert!(matches!(other.told().await, ClientNews::Data { .. }));
    host.finish().await;
}

#[tokio::test]
async fn whoever_deletes_everything_ends_clients_too() {
    let host = Phone::start(gateway()).await;
    let mut client = Client::open(&host).await;
    client.ask(ClientAsk::Publish(stream("m1", "cam", Direction::Send))).await;
    assert!(matches!(client.told().await, ClientNews::Description { .. }));
    host.done(Command::DeleteEverything).await;
    assert_eq!(client.status().await.1, StreamStatus::Unpublished);
    assert_eq!(timeout(SOON, client.opened.news.next()).await.expect("in time"), None);
    let Ok(Reply::Snapshot { snapshot }) = host.ask(Command::GetSnapshot).await else {
        panic!("no snapshot")
    };
    assert!(snapshot.gateway.clients.is_empty());
    host.finish().await;
}

#[tokio::test]
async fn what_a_client_is_told_of_itself_has_no_password() {
    let host = Phone::start(gateway()).await;
    let fields = json!({ "sipLogin": "1001", "sipDomain": "127.0.0.1:9", "sipPassword": "hidden", "custom": { "a": 1 } });
    let opened = host.handle.open_client(opening(&fields, None, false)).await.unwrap();
    let told = Value::Object(opened.connection.clone());
    assert_eq!((&told["sipLogin"], &told["custom"]), (&json!("1001"), &json!({ "a": 1 })));
    assert!(!told.to_string().contains("hidden"), "{told}");
    let wrong = json!({ "sipLogin": "a b\r\n", "sipDomain": "x" });
    assert!(host.handle.open_client(opening(&wrong, None, false)).await.is_err());
    host.finish().await;
}
