//! What the media thread says of clients' own legs.

use super::super::{Inbound, Owner};
use crate::{
    ClientCall, ClientNews, ClientOpened, ClientOpening, Options,
    clients::ClientCallView,
    io::media::{LegId, News},
};
use serde_json::json;
use sidetone_api::{CallStatus, Settings};
use sidetone_media::Synthetic;
use sidetone_peer::{Certificate, Config, Direction, Peer, Wanted};
use std::{net::SocketAddr, sync::Arc, time::Instant};
use tokio::sync::{mpsc, oneshot};

/// A client with a call that goes to nobody.
async fn calling() -> (Owner, Inbound, ClientOpened, LegId) {
    let mut settings = Settings::default();
    (settings.gateway.enabled, settings.gateway.sip_port) = (true, 0);
    let (_, requests) = mpsc::channel(1);
    let (mut owner, inbound) =
        Owner::open(Options::in_memory(Arc::new(Synthetic), settings), requests).await.unwrap();
    let address = SocketAddr::from(([127, 0, 0, 1], 4_000));
    let fields = json!({ "sipLogin": "page", "sipDomain": "127.0.0.1:9" });
    let opening = ClientOpening {
        fields: fields.as_object().cloned().unwrap(),
        app_key: "defaultApp".into(),
        auth_token: None,
        keep_alive: false,
        remote: address,
        local: address,
        origin: None,
        trusted: false,
        is_guest: false,
    };
    let (reply, opened) = oneshot::channel();
    owner.open_client(opening, reply);
    let opened = opened.await.unwrap().expect("it is let in");
    let now = Instant::now();
    let hosts = vec!["127.0.0.1:9".parse().unwrap()];
    let mut peer = Peer::new(now, Config::client(Certificate::generate().unwrap(), hosts, 7)).unwrap();
    let sdp = peer.create_offer(now, &Wanted::both(Direction::Both)).unwrap();
    let wanted = ClientCall { id: "k1".into(), callee: "nobody".into(), sdp, ..ClientCall::default() };
    owner.client_calls(&opened.session_id, wanted);
    let leg = (1..=owner.next_leg).map(LegId).find(|leg| owner.call_of_client_leg(*leg).is_some());
    (owner, inbound, opened, leg.expect("a leg of the client"))
}

async fn last(opened: &mut ClientOpened) -> ClientCallView {
    loop {
        match opened.news.next().await.expect("the session stands") {
            ClientNews::Call(view) if view.status == CallStatus::Trying => {}
            ClientNews::Call(view) => return *view,
            _ => {}
        }
    }
}

#[tokio::test]
async fn a_page_that_has_gone_from_the_network_ends_its_call() {
    let (mut owner, _inbound, mut opened, leg) = calling().await;
    owner.on_news(News::Silent { leg: LegId(leg.0 + 100) });
    assert_eq!(owner.calls.len(), 1);
    owner.on_news(News::Silent { leg });
    let view = last(&mut opened).await;
    assert_eq!((view.status, view.info.as_str()), (CallStatus::Failed, "Failed by RTP activity"));
    assert!(owner.calls.is_empty());
}

#[tokio::test]
async fn a_page_is_told_in_the_protocols_words_why_there_is_no_media() {
    let (mut owner, _inbound, mut opened, leg) = calling().await;
    let brief = "Failed by DTLS fingerprint error";
    owner.on_news(News::NoMedia { leg, reason: "fingerprint mismatch".into(), brief });
    let view = last(&mut opened).await;
    assert_eq!((view.status, view.info.as_str()), (CallStatus::Failed, brief));
}
