//! Two browser phones talk through Kamailio: what the rig says of them is true.
#![cfg(unix)]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use sidetone_testkit::audio::{hear, speak_into, speech_like};
use sidetone_testkit::{JsSip, JsSipOptions, Kamailio, KamailioOptions, Needs, room, until};
use std::time::Duration;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn two_browsers_hear_each_other_and_read_each_others_messages() {
    let Some(room) = room!(JsSip::needs(&["kamailio"]).within(Duration::from_secs(120))) else { return };
    let address = "10.77.0.1".parse().unwrap();
    let proxy =
        Kamailio::start(room.dir(), &KamailioOptions { address, ..KamailioOptions::default() }).unwrap();
    let (alice_says, bob_says) = (room.dir().join("alice.wav"), room.dir().join("bob.wav"));
    let alices = speak_into(&alice_says, 48_000).unwrap();
    let bobs = speech_like(6.0, 48_000);
    bobs.write(&bob_says).unwrap();
    let server = proxy.websocket();
    let (alice_aor, bob_aor) = (proxy.aor("alice"), proxy.aor("bob"));
    let of = |uri, microphone| JsSipOptions { uri, server: &server, microphone, ..JsSipOptions::default() };
    let alice = JsSip::start(room.dir(), &of(&alice_aor, Some(&alice_says))).unwrap();
    let bob = JsSip::start(room.dir(), &of(&bob_aor, Some(&bob_says))).unwrap();

    let call = alice.dial(&bob_aor);
    alice.wait("confirmed", SOON).unwrap();
    let answered = bob.wait("confirmed", SOON).unwrap()["id"].as_u64().unwrap();
    let both = || {
        let at_bob = hear(&alices, &bob.heard(answered).ok()?);
        let at_alice = hear(&bobs, &alice.heard(call).ok()?);
        (at_bob.peak > 0.8 && at_alice.peak > 0.8).then_some(())
    };
    until("both voices", SOON, both).unwrap();
    alice.send_dtmf(call, "5", "INFO");
    assert_eq!(bob.wait("dtmf", SOON).unwrap()["tone"], "5");
    alice.send_message(&bob_aor, "hello");
    assert_eq!(bob.wait("message", SOON).unwrap()["body"], "hello");
    alice.hang_up(call);
    assert_eq!(bob.wait("ended", SOON).unwrap()["originator"], "remote");
}

#[test]
fn a_presence_server_takes_subscriptions() {
    let Some(room) = room!(Needs::tools(&["kamailio", "sqlite3"])) else { return };
    let options = KamailioOptions { presence: true, ..KamailioOptions::default() };
    let kamailio = Kamailio::start(room.dir(), &options).unwrap();
    let socket = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(SOON)).unwrap();
    let port = socket.local_addr().unwrap().port();
    let to = kamailio.aor("bob");
    // Nobody of its own domain, so nobody asks for a password.
    let request = format!(
        "SUBSCRIBE {to} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\n\
         From: <sip:watcher@elsewhere.test>;tag=1\r\nTo: <{to}>\r\nCall-ID: 1\r\nCSeq: 1 SUBSCRIBE\r\n\
         Max-Forwards: 70\r\nContact: <sip:watcher@127.0.0.1:{port}>\r\nEvent: dialog\r\n\
         Accept: application/dialog-info+xml\r\nExpires: 60\r\nContent-Length: 0\r\n\r\n"
    );
    socket.send_to(request.as_bytes(), kamailio.address()).unwrap();
    let mut told = Vec::new();
    while told.len() < 2 {
        let mut message = [0; 4_096];
        let length = socket.recv(&mut message).unwrap_or_else(|_| panic!("{told:?}\n{}", kamailio.log()));
        let message = String::from_utf8_lossy(&message[..length]).into_owned();
        told.push(message.lines().next().unwrap_or_default().to_owned());
    }
    told.sort();
    assert!(told[0].starts_with("NOTIFY ") && told[1].starts_with("SIP/2.0 20"), "{told:?}");
}
