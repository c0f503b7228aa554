//! Everything encrypted: TLS from us to the proxy, a secure WebSocket from the proxy to the browser, DTLS between the two.

use super::{CORRELATED, Phone, SECURE, SOON, address, id, needs, text, view};
use serde_json::json;
use sidetone_testkit::{
    CertificateOptions, DnsServer, JsSip, JsSipOptions, Kamailio, KamailioOptions, StunServer, TestAuthority,
    audio::{self, Wav, hear},
    room, until,
};
use std::net::{IpAddr, Ipv4Addr};

/// A domain that Kamailio serves.
const DOMAIN: &str = "sip.test";

#[test]
fn a_browser_behind_a_secure_websocket_is_called_over_tls_and_calls_back_with_all_of_it_encrypted() {
    let Some(room) = room!(needs()) else { return };
    let authority = TestAuthority::new("Example CA").unwrap();
    let certificate =
        authority.issue(&CertificateOptions { dns: &[DOMAIN], ..CertificateOptions::default() }).unwrap();
    let options =
        KamailioOptions { tls: Some(&certificate), address: address(), ..KamailioOptions::default() };
    let proxy = Kamailio::start(room.dir(), &options).unwrap();
    let (tls, IpAddr::V4(host)) = (proxy.tls().unwrap(), address()) else { panic!("an IPv4 address") };
    let dns = DnsServer::start(IpAddr::V4(Ipv4Addr::LOCALHOST)).unwrap();
    dns.host(DOMAIN, host);
    dns.srv(&format!("_sips._tcp.{DOMAIN}"), 0, 0, tls.port(), DOMAIN);

    let (our_file, their_file) = (room.dir().join("ours.wav"), room.dir().join("theirs.wav"));
    let heard = room.dir().join("heard.wav");
    let ours = audio::speak_into(&our_file, 48_000).unwrap();
    let theirs = audio::speech_like(6.0, 48_000);
    theirs.write(&their_file).unwrap();
    let file = room.dir().join("account.toml");
    // The address that it sees is told to the browser as well, and leads nowhere.
    let stun = StunServer::start(address(), Ipv4Addr::new(203, 0, 113, 7)).unwrap();
    let lines = format!(
        "aor = \"sip:alice@{DOMAIN}\"\npassword-env = \"SIDETONE_TEST_PASSWORD\"\ntransport = \"tls\"\n\
         stun = \"{}\"\ntrustedCa = '''\n{}'''\n{SECURE}\n",
        stun.address(),
        authority.pem()
    );
    std::fs::write(&file, lines).unwrap();
    let (mic, speaker) = (format!("loop:{}", text(&our_file)), format!("file:{}", text(&heard)));
    let (server, account) = (dns.address().to_string(), text(&file));
    let mut phone =
        Phone::start(&["--account", &account, "--dns", &server, "--mic", &mic, "--speaker", &speaker]);
    phone.status("RegistrationStatusEvent", "REGISTERED");

    let (uri, server) = (format!("sip:bob@{DOMAIN}"), format!("wss://{tls}/"));
    let options =
        JsSipOptions { uri: &uri, server: &server, microphone: Some(&their_file), ..JsSipOptions::default() };
    let bob = JsSip::start(room.dir(), &options).unwrap();

    for we_call in [true, false] {
        let call = if we_call {
            phone.call("bob")
        } else {
            bob.dial(&format!("sip:alice@{DOMAIN}"));
            let incoming = phone.wait("a call", SOON, |value| value["event"] == "OnCallEvent");
            let call = incoming["callId"].as_str().unwrap().to_owned();
            phone.ask(json!({"command": "answer", "callId": call}));
            call
        };
        phone.status_within("CallStatusEvent", "ESTABLISHED", SOON);
        let session = id(&bob.wait("confirmed", SOON).unwrap());
        let seen = view(&mut phone, "the protection", |call| call["suite"].is_string());
        assert_eq!(seen["encryption"], "dtls", "{seen}");
        let signalling = &seen["signalling"];
        assert_eq!(
            (&signalling["transport"], &signalling["secure"]),
            (&json!("tls"), &json!(true)),
            "{seen}"
        );
        assert_eq!(signalling["info"], "TLS 1.3, certificate of sip.test by Example CA", "{seen}");
        assert_eq!(signalling["remote"], tls.to_string(), "{seen}");
        until("our words in the browser", SOON, || {
            (hear(&ours, &bob.heard(session).ok()?).peak > CORRELATED).then_some(())
        })
        .unwrap();
        let before = Wav::read(&heard).map_or(0, |wav| wav.samples.len());
        until("the browser's words here", SOON * 2, || {
            let mut wav = Wav::read(&heard).ok()?;
            // Of the second call, what came in the first proves nothing.
            if !we_call {
                wav.samples.drain(..before.min(wav.samples.len()));
            }
            (hear(&theirs, &wav).peak > CORRELATED).then_some(())
        })
        .unwrap();
        phone.ask(json!({"command": "hangup", "callId": call}));
        phone.status("CallStatusEvent", "FINISH");
        bob.wait("ended", SOON).unwrap();
    }
    phone.finish();
}
