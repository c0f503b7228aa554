//! Offers that nobody should make: refused in words, and the streams of others go on.

use super::{Program, SILENT, film::Film, needs, path, publish};
use sidetone_testkit::room;
use std::{
    fmt::Write as _,
    io::{Read as _, Write as _},
    net::TcpStream,
};

/// Status and body of what a POST of a description gets.
fn post(http: &str, path: &str, sdp: &str) -> (u16, String) {
    let host = http.strip_prefix("http://").unwrap();
    let mut stream = TcpStream::connect(host).unwrap();
    stream.set_read_timeout(Some(super::SOON)).unwrap();
    let length = sdp.len();
    let head = format!(
        "POST {path} HTTP/1.1\r\nHost: {host}\r\nContent-Type: application/sdp\r\nContent-Length: {length}\r\n\
         Connection: close\r\n\r\n"
    );
    stream.write_all((head + sdp).as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {answer:?}"));
    (head[9..12].parse().unwrap(), body.to_owned())
}

/// So many sections, all in one group, the first two of sound and of pictures.
fn offer(sections: usize) -> String {
    let mids: String = (0..sections).map(|mid| format!(" {mid}")).collect();
    let mut sdp = format!("v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nt=0 0\r\na=group:BUNDLE{mids}\r\n");
    let fingerprint = ["0A"; 32].join(":");
    let _ = write!(sdp, "a=fingerprint:sha-256 {fingerprint}\r\na=setup:actpass\r\n");
    sdp += "a=ice-ufrag:abcd\r\na=ice-pwd:abcdefghijklmnopqrstuvwx\r\n";
    for mid in 0..sections {
        sdp += match mid % 3 {
            0 => "m=audio 9 UDP/TLS/RTP/SAVPF 111\r\na=rtpmap:111 opus/48000/2\r\na=rtcp-mux\r\n",
            1 => "m=video 9 UDP/TLS/RTP/SAVPF 96\r\na=rtpmap:96 VP8/90000\r\na=rtcp-mux\r\n",
            _ => "m=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
        };
        let _ = write!(sdp, "a=mid:{mid}\r\n");
    }
    sdp
}

#[test]
fn an_offer_of_200_sections_is_refused_in_words_and_streams_go_on() {
    let Some(room) = room!(needs()) else { return };
    let mut gateway = Program::start(&room, &[&["gateway"][..], &SILENT].concat());
    let (_, addresses) = gateway.wait("its addresses", |line| line["http"].is_string());
    let http = addresses["http"].as_str().unwrap();
    let _publisher = publish(&room, "tv", &["--mic", "none", "--size", "320x180"]);
    let (film, film_text) = path(&room, "seen.y4m");
    let video = format!("file:{film_text}");
    let mut player =
        Program::start(&room, &["play", "tv", "--video", &video, "--speaker", "null", "--for", "5s"]);
    player.status("PLAYING");
    for round in 0..20 {
        for path in ["/whip/other", "/whep/tv"] {
            let (status, words) = post(http, path, &offer(200));
            assert_eq!(status, 400, "{path}: {words}");
            assert!(words.contains("line ") && words.contains("64 media sections"), "{path}: {words}");
            assert!(words.lines().count() == 1 && words.len() < 500, "{path}: {words}");
        }
        let (status, words) = post(http, "/whip/other", &offer(1).repeat(round + 2));
        assert_eq!(status, 400, "{words}");
    }
    // As many as may be are answered, each in its place.
    let (status, answer) = post(http, "/whep/tv", &offer(64));
    assert!(status == 201 || status == 422, "{status}: {answer}");
    let (status, answer) = post(http, "/whip/other", &offer(64));
    assert_eq!(status, 201, "{answer}");
    let lines: Vec<_> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(lines.len(), 64, "{answer}");
    assert!(lines[0].starts_with("m=audio 9 ") && lines[1].starts_with("m=video 9 "), "{answer}");
    let (code, lines) = player.end();
    assert_eq!(code, Some(0), "{lines:#?}");
    let film = Film::read(&film);
    film.assert_is_of_bars(40);
    gateway.signal("-INT");
    assert_eq!(gateway.end().0, Some(0));
}
