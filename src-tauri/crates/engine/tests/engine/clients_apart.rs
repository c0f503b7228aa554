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
    host.done(Command::Connect { account_id: AccountId::new("bob"), password: None }).await;
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
