//! What clients of the gateway take from the desktop's user, and from each other: nothing that either of them needs.

use crate::{
    clients::{Client, opening},
    kit::{LOOPBACK, Phone, SOON, gateway, unregistered},
    peer::{Peer, sdp},
};
use serde_json::{Value, json};
use sidetone_api::{AccountId, CallStatus, Command, Settings};
use sidetone_engine::{ClientAsk, ClientNews, ClientOpened};
use std::net::UdpSocket;
use tokio::time::timeout;

/// With an account, which nobody needs a password for.
fn sip(login: &str) -> Value {
    json!({ "sipLogin": login, "sipDomain": "127.0.0.1:9" })
}

async fn rung(client: &mut Client) -> String {
    loop {
        if let ClientNews::IncomingCall(view) = client.told().await {
            return view.call_id;
        }
    }
}

#[tokio::test]
async fn a_page_that_takes_the_users_name_gets_none_of_his_calls() {
    let mut host = Phone::direct("bob", gateway()).await;
    let mut page = Client::with(&host, &sip("bob")).await;
    // His session is the younger one now.
    host.done(Command::Connect { account_id: AccountId::new("bob"), password: None, auth_token: None }).await;
    let mut caller = Peer::new().await;
    let call = caller.invite(
        "sip:carol@example.org",
        &format!("sip:bob@{}", host.address()),
        Some(&sdp("0", "sendrecv")),
    );
    let rings = caller.serve_while(host.ringing()).await;
    host.hang_up(&rings).await;
    caller.serve_while(host.status(&rings, CallStatus::Finish)).await;
    let _ = (call, caller.ended().await);
    // Of two pages with one name nobody knows which is meant.
    let mut dave = Client::with(&host, &sip("dave")).await;
    let callee = format!("sip:dave@{}", host.address());
    caller.invite("sip:carol@example.org", &callee, Some(&sdp("0", "sendrecv")));
    let id = caller.serve_while(rung(&mut dave)).await;
    dave.ask(ClientAsk::Hangup { id }).await;
    caller.ended().await;
    let other = Client::with(&host, &sip("dave")).await;
    caller.invite("sip:carol@example.org", &callee, Some(&sdp("0", "sendrecv")));
    assert_eq!(caller.ended().await, 404);
    drop(other);
    page.ask(ClientAsk::Available { id: "last".into(), name: "cam".into() }).await;
    let told = page.told().await;
    assert!(matches!(told, ClientNews::Available { .. }), "{told:?}");
    host.finish().await;
}

#[tokio::test]
async fn sessions_of_pages_leave_room_for_the_users_own_and_kept_ones_for_those_who_are_there() {
    const MOST: usize = 192;
    let mut settings: Settings = gateway();
    settings.accounts.push(unregistered("alice"));
    settings.accounts[0].enabled = false;
    let mut host = Phone::start(settings).await;
    let open = async |keep: bool| host.handle.open_client(opening(&sip("page"), None, keep)).await;
    let mut opened: Vec<ClientOpened> = Vec::new();
    for _ in 0..MOST {
        opened.push(open(true).await.expect("there is room"));
    }
    assert!(open(true).await.unwrap_err().info.contains("192"));
    host.done(Command::Connect { account_id: AccountId::new("alice"), password: None, auth_token: None })
        .await;
    let gone = opened.pop().unwrap();
    let token = gone.connection["authToken"].as_str().unwrap().to_owned();
    drop(gone);
    host.until("one that is kept", |state| state.gateway.clients.iter().any(|it| !it.connected)).await;
    opened.push(
        host.handle.open_client(opening(&sip("page"), None, true)).await.expect("the kept one gives way"),
    );
    let again = host.handle.open_client(opening(&json!({}), Some(&token), true)).await;
    assert_eq!(again.unwrap_err().info, "Session does not exist");
    host.finish().await;
}

#[tokio::test]
async fn messages_of_pages_that_nobody_answers_stop_neither_other_pages_nor_the_user() {
    let mut settings = gateway();
    settings.accounts.push(unregistered("alice"));
    let host = Phone::start(settings).await;
    let silent = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let to = format!("sip:nobody@{}", silent.local_addr().unwrap());
    let send = |n: usize| ClientAsk::SendData {
        operation_id: n.to_string(),
        payload: json!({ "to": to, "body": "x" }),
    };
    let mut pages = Vec::new();
    for _ in 0..12 {
        let mut page = Client::with(&host, &sip("page")).await;
        for n in 0..17 {
            page.ask(send(n)).await;
        }
        let ClientNews::DataStatus { operation_id, accepted: false, info } = page.told().await else {
            panic!("one is refused")
        };
        assert!(operation_id == "16" && info.contains("16 messages"), "{operation_id}: {info}");
        pages.push(page);
    }
    let mut late = Client::with(&host, &sip("page")).await;
    late.ask(send(0)).await;
    assert!(matches!(late.told().await, ClientNews::DataStatus { accepted: false, .. }));
    let of_user = Command::SendData { to, body: "x".into(), content_type: None, session_id: None };
    host.done(of_user).await;
    drop(pages);
    timeout(SOON, host.handle.shut_down()).await.expect("it stops");
}

#[tokio::test]
async fn a_page_that_answers_without_a_common_codec_has_failed_and_the_caller_may_look_elsewhere() {
    let host = Phone::direct("bob", gateway()).await;
    let mut page = Client::with(&host, &sip("page")).await;
    let mut caller = Peer::new().await;
    caller.invite(
        "sip:carol@example.org",
        &format!("sip:page@{}", host.address()),
        Some(&sdp("0", "sendrecv")),
    );
    let offered = async {
        loop {
            if let ClientNews::Description { id, sdp, is_answer: false } = page.told().await {
                return (id, sdp);
            }
        }
    };
    let (id, offer) = caller.serve_while(offered).await;
    let lines = offer.lines().filter(|line| !line.starts_with("a=rtpmap") && !line.starts_with("a=fmtp"));
    let answer: String = lines
        .map(|line| match line.strip_prefix("m=audio ") {
            Some(rest) => format!("m=audio {} 18\r\n", rest.split(' ').take(2).collect::<Vec<_>>().join(" ")),
            None => format!("{}\r\n", line.replace("actpass", "active")),
        })
        .collect();
    page.ask(ClientAsk::Answer { id, sdp: answer }).await;
    let view = loop {
        match page.told().await {
            ClientNews::Call(view) if view.status != CallStatus::Ring => break view,
            _ => {}
        }
    };
    assert_eq!((view.status, view.info.as_str()), (CallStatus::Failed, "No common codecs"));
    assert_eq!(caller.ended().await, 488);
    host.finish().await;
}

#[tokio::test]
async fn a_page_has_so_many_callers_at_a_time_and_no_more() {
    let host = Phone::direct("bob", gateway()).await;
    let mut page = Client::with(&host, &sip("page")).await;
    let mut caller = Peer::new().await;
    let callee = format!("sip:page@{}", host.address());
    for _ in 0..16 {
        caller.invite("sip:carol@example.org", &callee, Some(&sdp("0", "sendrecv")));
        caller.serve_while(rung(&mut page)).await;
    }
    caller.invite("sip:carol@example.org", &callee, Some(&sdp("0", "sendrecv")));
    assert!(matches!(caller.ended().await, 486 | 603));
    timeout(SOON, host.handle.shut_down()).await.expect("it stops");
}
