//! Video that comes to a call later: its candidates are complete before they are told, and nobody waits long for a server.

use crate::{
    kit::{LOOPBACK, Phone, quiet, unregistered},
    peer::{Peer, sdp},
};
use sidetone_api::{Account, CallId, CallStatus::Established, Command, Reply};
use sidetone_testkit::StunServer;
use std::{
    net::{Ipv4Addr, UdpSocket},
    time::{Duration, Instant},
};

/// The address of a NAT that is not there.
const SEEN: Ipv4Addr = Ipv4Addr::new(203, 0, 113, 7);
/// What is not waited for longer than half a second, on a busy machine.
const AT_ONCE: Duration = Duration::from_secs(3);
const H264: &str = "a=rtpmap:97 H264/90000\r\na=fmtp:97 profile-level-id=42e01f\r\n";

/// Alice, whose account has ICE and this server.
async fn alice(stun: String) -> Phone {
    let mut settings = quiet();
    settings.video.camera = "bars".into();
    (settings.video.width, settings.video.height) = (320, 180);
    settings.network.sip_port = sidetone_testkit::free_port(LOOPBACK).unwrap();
    settings.accounts.push(Account { ice: true, stun: Some(stun), ..unregistered("alice") });
    Phone::start(settings).await
}

/// A call of hers.
async fn calling(stun: String) -> (Phone, CallId, Peer, sidetone_sip::CallId) {
    let (mut alice, mut bob) = (alice(stun).await, Peer::new().await);
    let call = alice.call(&bob.uri("bob")).await;
    let (sip, _) = bob.called().await;
    bob.answer(sip, &sdp("0", "sendrecv"));
    bob.serve_while(alice.status(&call, Established)).await;
    (alice, call, bob, sip)
}

/// Types of the candidates of the video line, by component.
fn candidates(sdp: &str) -> Vec<(&str, &str)> {
    let video = &sdp[sdp.find("m=video").unwrap_or_else(|| panic!("{sdp}"))..];
    let lines = video.lines().filter_map(|line| line.strip_prefix("a=candidate:"));
    lines.map(|line| line.split(' ').collect::<Vec<_>>()).map(|words| (words[1], words[7])).collect()
}

async fn set_video(alice: &Phone, call: &CallId, on: bool) {
    alice.done(Command::SetCallVideo { call_id: call.clone(), on }).await;
}

fn with_video(port: u16, more: &str) -> String {
    format!("{}m=video {port} RTP/AVP 97\r\n{H264}{more}", sdp("0", "sendrecv"))
}

const ICE: &str = "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n\
                   a=candidate:1 1 UDP 2130706431 127.0.0.1 40002 typ host\r\n";

const ALL: [(&str, &str); 4] = [("1", "host"), ("2", "host"), ("1", "srflx"), ("2", "srflx")];

#[tokio::test]
async fn a_call_that_begins_with_video_names_the_address_that_the_stun_server_sees_of_it() {
    let server = StunServer::start(LOOPBACK, SEEN).unwrap();
    let (mut alice, mut bob) = (alice(server.address().to_string()).await, Peer::new().await);
    let Command::Call { callee, session_id, headers, caller_name, anonymous, .. } =
        Command::call(bob.uri("bob"), None)
    else {
        unreachable!()
    };
    let command = Command::Call { callee, session_id, headers, caller_name, anonymous, video: true };
    let Ok(Reply::Call { call_id: call }) = alice.ask(command).await else { panic!("no call") };
    let (sip, offer) = bob.called().await;
    assert_eq!(candidates(&offer), ALL, "{offer}");
    bob.answer(sip, &with_video(40_002, ""));
    bob.serve_while(alice.status(&call, Established)).await;
    alice.finish().await;
}

#[tokio::test]
async fn an_offer_of_video_in_a_call_names_the_address_that_the_stun_server_sees_each_time_anew() {
    let server = StunServer::start(LOOPBACK, SEEN).unwrap();
    let (alice, call, mut bob, _) = calling(server.address().to_string()).await;
    for _ in 0..2 {
        set_video(&alice, &call, true).await;
        let (sip, offer) = bob.reoffered().await;
        assert_eq!(candidates(&offer), ALL, "{offer}");
        bob.answer(sip, &with_video(40_002, ""));
        bob.send_all().await;
        set_video(&alice, &call, false).await;
        let (sip, _) = bob.reoffered().await;
        bob.answer(sip, &with_video(0, ""));
        bob.send_all().await;
    }
    alice.finish().await;
}

#[tokio::test]
async fn an_answer_to_video_in_a_call_names_it_too() {
    let server = StunServer::start(LOOPBACK, SEEN).unwrap();
    let (alice, _, mut bob, sip) = calling(server.address().to_string()).await;
    let answer = bob.reinvite(sip, &with_video(40_002, ICE)).await;
    assert!(candidates(&answer).contains(&("1", "srflx")), "{answer}");
    alice.finish().await;
}

#[tokio::test]
async fn a_silent_server_holds_up_neither_an_offer_nor_an_answer_and_what_is_wanted_meanwhile_is_done() {
    let silent = UdpSocket::bind((LOOPBACK, 0)).unwrap();
    let (alice, call, mut bob, sip) = calling(silent.local_addr().unwrap().to_string()).await;
    let began = Instant::now();
    set_video(&alice, &call, true).await;
    let (asked, offer) = bob.reoffered().await;
    assert!(candidates(&offer).iter().all(|(_, kind)| *kind == "host"), "{offer}");
    bob.answer(asked, &with_video(40_002, ""));
    bob.send_all().await;
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    set_video(&alice, &call, false).await;
    let (asked, _) = bob.reoffered().await;
    bob.answer(asked, &with_video(0, ""));
    bob.send_all().await;
    // Held before the offer has gone out: the offer says both.
    set_video(&alice, &call, true).await;
    alice.hold(&call).await;
    let (asked, offer) = bob.reoffered().await;
    assert!(
        offer.contains("a=sendonly\r\n") && offer.contains("m=video ") && !offer.contains("m=video 0 "),
        "{offer}"
    );
    bob.answer(asked, &with_video(0, ""));
    bob.send_all().await;
    alice.unhold(&call).await;
    let (asked, _) = bob.reoffered().await;
    bob.answer(asked, &with_video(0, ""));
    bob.send_all().await;
    let began = Instant::now();
    let answer = bob.reinvite(sip, &with_video(40_002, ICE)).await;
    assert_eq!(candidates(&answer).first(), Some(&("1", "host")), "{answer}");
    assert!(began.elapsed() < AT_ONCE, "{:?}", began.elapsed());
    alice.finish().await;
}
