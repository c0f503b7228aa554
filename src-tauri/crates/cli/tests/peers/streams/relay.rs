//! Streams by a TURN server in another network, and a gateway that wants a token.

use super::{Program, film::Film, last_info, path};
use sidetone_testkit::{CertificateOptions, Coturn, CoturnOptions, Needs, PeerNet, TestAuthority, room};
use std::{
    io::{Read as _, Write as _},
    net::TcpStream,
    process::Command,
    time::Duration,
};

const TOKEN: &str = "a-token-of-this-test";
const BARS: [&str; 6] = ["publish", "tv", "--camera", "bars", "--mic", "none"];

fn needs() -> Needs {
    Needs::tools(&["ffmpeg", "ffprobe", Coturn::TOOL]).network().within(Duration::from_secs(150))
}

fn set_out(net: &PeerNet) {
    let gateway = net.address().to_string();
    let status = Command::new("ip").args(["route", "add", "default", "via", &gateway]).status().unwrap();
    assert!(status.success(), "no default route");
    // A relay without a way to one of the gateway's addresses (this machine has others) ends its client's allocation.
    let here = net.our_address().to_string();
    let status = net.command("ip").args(["route", "add", "default", "via", &here]).status().unwrap();
    assert!(status.success(), "no default route there");
}

#[test]
fn streams_go_by_a_relay_in_another_network_over_udp_tcp_and_tls() {
    let Some(room) = room!(needs()) else { return };
    let net = PeerNet::new(room.dir()).unwrap();
    // The gateway is where its own programs go out, which the relay reaches.
    set_out(&net);
    let authority = TestAuthority::new("Relay CA").unwrap();
    let certificate = CertificateOptions { addresses: &[net.address()], ..CertificateOptions::default() };
    let certificate = authority.issue(&certificate).unwrap();
    let options = CoturnOptions {
        address: net.address(),
        net: Some(&net),
        tls: Some(&certificate),
        ..CoturnOptions::default()
    };
    let coturn = Coturn::start(room.dir(), &options).unwrap();
    let (ca, ca_text) = path(&room, "ca.pem");
    std::fs::write(&ca, authority.pem()).unwrap();
    let _gateway = super::gateway(&room);
    let tls = format!("turns:{}", coturn.tls().unwrap());
    for (place, url) in [coturn.url("udp"), coturn.url("tcp"), tls].iter().enumerate() {
        let name = format!("tv{place}");
        let ways = [
            "--ice-server",
            url,
            "--turn-user",
            "mara",
            "--turn-password-env",
            "TURN_PASSWORD",
            "--relay-only",
            "--ca",
            &ca_text,
        ];
        let secrets = [("TURN_PASSWORD", "secret")];
        let publish = ["publish", &name, "--camera", "bars", "--mic", "none", "--size", "320x180"];
        let mut publisher = Program::start_with(&room, &[&publish[..], &ways].concat(), &secrets);
        publisher.status("PUBLISHING");
        let (film, film_text) = path(&room, &format!("{name}.y4m"));
        let video = format!("file:{film_text}");
        let play = ["play", &name, "--speaker", "null", "--video", &video, "--for", "3s"];
        let mut player = Program::start_with(&room, &[&play[..], &ways].concat(), &secrets);
        player.status("PLAYING");
        let (code, lines) = player.end();
        assert_eq!(code, Some(0), "{url}: {lines:#?}");
        Film::read(&film).assert_is_of_bars(30);
        publisher.signal("-INT");
        assert_eq!(publisher.end().0, Some(130), "{url}");
    }
    let log = coturn.log();
    let allocations = log.matches("ALLOCATE processed, success").count();
    assert_eq!(allocations, 6, "{log}");
}

#[test]
fn a_wrong_password_at_the_relay_is_told_and_the_stream_fails_by_ice() {
    let Some(room) = room!(needs()) else { return };
    let coturn = Coturn::start(room.dir(), &CoturnOptions::default()).unwrap();
    let _gateway = super::gateway(&room);
    let url = coturn.url("udp");
    let turn =
        ["--relay-only", "--ice-server", &url, "--turn-user", "mara", "--turn-password-env", "TURN_PASSWORD"];
    let mut publisher =
        Program::start_with(&room, &[&BARS[..], &turn].concat(), &[("TURN_PASSWORD", "hunter2")]);
    let told = |line: &serde_json::Value| {
        line["event"] == "Notice"
            && line["info"].as_str().is_some_and(|info| info.contains("user name and password"))
    };
    publisher.wait("why", told);
    let (code, lines) = publisher.end();
    assert_eq!((code, last_info(&lines).0.as_str()), (Some(5), "FAILED"), "{lines:#?}");
    assert!(last_info(&lines).1.starts_with("Failed by ICE"), "{lines:#?}");
    assert!(!format!("{lines:?}").contains("hunter2"));
}

/// The status line and the headers of what the gateway answers to an offer.
fn offered(http: &str, kind: &str, authorization: &str) -> String {
    let address = http.trim_start_matches("http://");
    let mut stream = TcpStream::connect(address).unwrap();
    let body = "v=0\r\n";
    write!(
        stream,
        "POST /{kind}/tv HTTP/1.1\r\nHost: {address}\r\nContent-Type: application/sdp\r\n{authorization}Content-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn a_gateway_with_a_token_lets_in_who_shows_it() {
    let Some(room) = room!(needs()) else { return };
    let arguments =
        ["gateway", "--stream-token-env", "STREAM_TOKEN", "--mic", "silence", "--speaker", "null"];
    let mut gateway = Program::start_with(&room, &arguments, &[("STREAM_TOKEN", TOKEN)]);
    let (_, addresses) = gateway.wait("its addresses", |line| line["http"].is_string());
    let http = addresses["http"].as_str().unwrap();
    for kind in ["whip", "whep"] {
        let none = offered(http, kind, "");
        assert!(none.starts_with("HTTP/1.1 401 "), "{none}");
        assert!(none.to_ascii_lowercase().contains("\r\nwww-authenticate: bearer\r\n"), "{none}");
        for wrong in ["a-token-of-this-tesu", "a-token-of-this-test2", "a-token"] {
            let refused = offered(http, kind, &format!("Authorization: Bearer {wrong}\r\n"));
            assert!(refused.starts_with("HTTP/1.1 401 "), "{refused}");
            assert!(refused.contains("invalid_token"), "{refused}");
        }
        let heard = offered(http, kind, &format!("Authorization: Bearer {TOKEN}\r\n"));
        assert!(!heard.starts_with("HTTP/1.1 401 "), "{heard}");
    }
    let refused = Program::start(&room, &BARS);
    let (code, lines) = refused.end();
    assert_eq!((code, last_info(&lines).0.as_str()), (Some(5), "FAILED"), "{lines:#?}");
    let publish = [&BARS[..], &["--size", "320x180", "--token-env", "STREAM_TOKEN"]].concat();
    let mut publisher = Program::start_with(&room, &publish, &[("STREAM_TOKEN", TOKEN)]);
    publisher.status("PUBLISHING");
    let play = ["play", "tv", "--speaker", "null", "--for", "1s", "--token-env", "STREAM_TOKEN"];
    let mut player = Program::start_with(&room, &play, &[("STREAM_TOKEN", TOKEN)]);
    player.status("PLAYING");
    assert_eq!(player.end().0, Some(0));
    publisher.signal("-INT");
    let (code, lines) = publisher.end();
    assert_eq!(code, Some(130));
    assert!(!format!("{lines:?}").contains(TOKEN));
}
