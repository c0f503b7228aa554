//! The SIP peers of the rig work with each other, so that a failure with ours is ours.
#![cfg(unix)]

use std::net::UdpSocket;
use std::time::Duration;

use sidetone_testkit::audio::{Wav, hear, speak_into, speech_like};
use sidetone_testkit::{
    Algorithm, AnswerMode, Baresip, BaresipOptions, Kamailio, KamailioOptions, Needs, PeerNet, Sipp,
    SippOptions, Transport, room,
};

const LONG: Duration = Duration::from_secs(30);

fn fields(user: &str, password: &str) -> Vec<Vec<String>> {
    vec![vec![user.to_owned(), Sipp::credentials(user, password)]]
}

#[test]
fn sipp_registers_at_kamailio_over_udp_and_tcp() {
    let Some(room) = room!(Needs::tools(&["kamailio", "sipp"])) else { return };
    let kamailio = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    for transport in [Transport::Udp, Transport::Tcp] {
        let options = SippOptions {
            scenario: "register.xml",
            target: Some(kamailio.address()),
            transport,
            fields: fields("alice", "secret"),
            ..SippOptions::default()
        };
        let outcome = Sipp::start(room.dir(), &options).unwrap().wait(LONG).unwrap();
        assert!(outcome.is_clean(1), "{transport}: {outcome:?}");
        let wrong = SippOptions { fields: fields("alice", "wrong"), ..options };
        let outcome = Sipp::start(room.dir(), &wrong).unwrap().wait(LONG).unwrap();
        assert_eq!((outcome.successful, outcome.failed), (0, 1), "{transport}: {outcome:?}");
    }
}

#[test]
fn a_registrar_asks_for_the_one_algorithm_that_it_was_given() {
    let Some(room) = room!(Needs::tools(&["kamailio"])) else { return };
    for algorithm in [Algorithm::Md5, Algorithm::Sha256] {
        let options = KamailioOptions { algorithm, ..KamailioOptions::default() };
        let kamailio = Kamailio::start(room.dir(), &options).unwrap();
        let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
        socket.set_read_timeout(Some(LONG)).unwrap();
        let port = socket.local_addr().unwrap().port();
        let aor = kamailio.aor("alice");
        let request = format!(
            "REGISTER sip:{to} SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:{port};branch=z9hG4bK1\r\nFrom: <{aor}>;tag=1\r\n\
             To: <{aor}>\r\nCall-ID: 1\r\nCSeq: 1 REGISTER\r\nMax-Forwards: 70\r\n\
             Contact: <sip:a@127.0.0.1:{port}>\r\nContent-Length: 0\r\n\r\n",
            to = kamailio.address()
        );
        socket.send_to(request.as_bytes(), kamailio.address()).unwrap();
        let mut answer = [0; 2_048];
        let length = socket.recv(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer[..length]).into_owned();
        assert!(
            answer.starts_with("SIP/2.0 401") && answer.contains(&format!("algorithm={algorithm}")),
            "{answer}"
        );
        assert_eq!(answer.matches("WWW-Authenticate").count(), 1, "{answer}");
    }
}

#[test]
fn sipp_calls_sipp_and_a_refusal_fails_the_caller() {
    let Some(room) = room!(Needs::tools(&["sipp"])) else { return };
    let call = |target, calls| SippOptions {
        scenario: "uac.xml",
        target: Some(target),
        calls: Some(calls),
        fields: vec![vec!["bob".into(), "alice".into()]],
        hold_ms: 100,
        ..SippOptions::default()
    };
    for transport in [Transport::Udp, Transport::Tcp] {
        for scenario in ["uas.xml", "uas_progress.xml"] {
            let uas =
                SippOptions { scenario, transport, calls: Some(5), hold_ms: 50, ..SippOptions::default() };
            let mut uas = Sipp::start(room.dir(), &uas).unwrap();
            let uac = SippOptions { transport, ..call(uas.address(), 5) };
            let outcome = Sipp::start(room.dir(), &uac).unwrap().wait(LONG).unwrap();
            assert!(outcome.is_clean(5), "{transport} {scenario}: {outcome:?}");
            let outcome = uas.wait(LONG).unwrap();
            assert!(outcome.is_clean(5), "{transport} {scenario}: {outcome:?}");
        }
    }
    let options = SippOptions {
        scenario: "uas_reject.xml",
        keys: vec![("status", "486".into()), ("reason", "Busy Here".into())],
        ..SippOptions::default()
    };
    let mut uas = Sipp::start(room.dir(), &options).unwrap();
    let outcome = Sipp::start(room.dir(), &call(uas.address(), 1)).unwrap().wait(LONG).unwrap();
    assert!(outcome.failed == 1 && outcome.errors.contains("486 Busy Here"), "{outcome:?}");
    uas.stop(LONG).unwrap();
}

#[test]
fn two_phones_hear_each_other_through_kamailio() {
    let Some(room) = room!(Needs::tools(&["kamailio", "baresip"]).network()) else { return };
    let kamailio = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let (said_a, said_b) = (room.dir().join("a.wav"), room.dir().join("b.wav"));
    let speech_a = speak_into(&said_a, 8_000).unwrap();
    let speech_b = speech_like(3.0, 8_000);
    speech_b.write(&said_b).unwrap();
    for (transport, codec) in [(Transport::Udp, "pcmu"), (Transport::Tcp, "g722"), (Transport::Udp, "opus")] {
        let codecs = [codec];
        let phone = |user, source| BaresipOptions {
            user,
            registrar: Some(kamailio.address()),
            transport,
            codecs: &codecs,
            source: Some(source),
            ..BaresipOptions::default()
        };
        let mut alice = Baresip::start(room.dir(), &phone("alice", &said_a)).unwrap();
        let mut bob = Baresip::start(room.dir(), &phone("bob", &said_b)).unwrap();
        alice.dial(&kamailio.aor("bob")).unwrap();
        alice.wait_event("CALL_ESTABLISHED", LONG).unwrap();
        bob.wait_event("CALL_RTPESTAB", LONG).unwrap();
        bob.wait_heard(speech_a.seconds() + 0.5, LONG).unwrap();
        alice.wait_heard(speech_b.seconds() + 0.5, LONG).unwrap();
        bob.hang_up().unwrap();
        alice.wait_event("CALL_CLOSED", LONG).unwrap();
        let check = |said: &Wav, phone: &Baresip| {
            let (_, heard) = phone.recordings().unwrap();
            let heard = hear(said, &heard);
            assert!(heard.peak > 0.8, "{transport} {codec}: {heard:?}");
        };
        check(&speech_a, &bob);
        check(&speech_b, &alice);
    }
}

#[test]
fn a_phone_rings_until_told_to_answer_and_a_caller_hears_of_a_refusal() {
    let Some(room) = room!(Needs::tools(&["kamailio", "baresip"]).network()) else { return };
    let kamailio = Kamailio::start(room.dir(), &KamailioOptions::default()).unwrap();
    let base = BaresipOptions { registrar: Some(kamailio.address()), ..BaresipOptions::default() };
    let mut alice = Baresip::start(room.dir(), &BaresipOptions { user: "alice", ..base.clone() }).unwrap();
    let manual = BaresipOptions { answer: AnswerMode::Manual, ..base };
    let mut bob = Baresip::start(room.dir(), &manual).unwrap();
    alice.dial(&kamailio.aor("bob")).unwrap();
    bob.wait_event("CALL_INCOMING", LONG).unwrap();
    alice.wait_event("CALL_RINGING", LONG).unwrap();
    bob.answer().unwrap();
    alice.wait_event("CALL_ESTABLISHED", LONG).unwrap();
    alice.hang_up().unwrap();
    alice.wait_event("CALL_CLOSED", LONG).unwrap();
    bob.wait_event("CALL_CLOSED", LONG).unwrap();
    alice.dial(&kamailio.aor("status-486")).unwrap();
    let closed = alice.wait_event("CALL_CLOSED", LONG).unwrap();
    assert!(closed.text("param").contains("486"), "{closed:?}");
}

#[test]
fn a_peer_network_can_be_unplugged() {
    let Some(room) = room!(Needs::tools(&["kamailio", "sipp", "nsenter"]).network()) else { return };
    let net = PeerNet::new(room.dir()).unwrap();
    let options = KamailioOptions { net: Some(&net), ..KamailioOptions::default() };
    let kamailio = Kamailio::start(room.dir(), &options).unwrap();
    assert_eq!(kamailio.address().ip(), net.address());
    let register = SippOptions {
        scenario: "register.xml",
        target: Some(kamailio.address()),
        address: net.our_address(),
        fields: fields("alice", "secret"),
        ..SippOptions::default()
    };
    net.plug(false).unwrap();
    let mut cut_off = Sipp::start(room.dir(), &register).unwrap();
    assert!(cut_off.wait(Duration::from_secs(1)).map_or(true, |outcome| outcome.successful == 0));
    drop(cut_off);
    net.plug(true).unwrap();
    let outcome = Sipp::start(room.dir(), &register).unwrap().wait(LONG).unwrap();
    assert!(outcome.is_clean(1), "{outcome:?}");
}
