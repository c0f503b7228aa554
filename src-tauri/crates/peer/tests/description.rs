//! Offers of others, good and bad, and what we say to them.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

mod support;

use std::time::Instant;

use sidetone_peer::*;
use support::{address, certificate};

/// As Chromium offers what it publishes: shortened to what means something.
fn offer() -> String {
    let fingerprint = ["0A"; 32].join(":");
    let transport = format!(
        "a=ice-ufrag:Abcd\na=ice-pwd:abcdefghijklmnopqrstuvwx\na=fingerprint:sha-256 {fingerprint}\na=setup:actpass"
    );
    let text = format!(
        "v=0\no=- 1 2 IN IP4 127.0.0.1\ns=-\nt=0 0\na=group:BUNDLE 0 1 2\n\
         m=audio 9 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110\nc=IN IP4 0.0.0.0\n{transport}\na=mid:0\n\
         a=extmap:1 urn:ietf:params:rtp-hdrext:ssrc-audio-level\n\
         a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n\
         a=sendrecv\na=rtcp-mux\na=rtpmap:111 opus/48000/2\na=rtcp-fb:111 transport-cc\n\
         a=fmtp:111 minptime=10;useinbandfec=1\na=rtpmap:63 red/48000/2\na=rtpmap:9 G722/8000\n\
         a=rtpmap:0 PCMU/8000\na=rtpmap:8 PCMA/8000\na=rtpmap:13 CN/8000\na=rtpmap:110 telephone-event/48000\n\
         m=video 9 UDP/TLS/RTP/SAVPF 96 97 39 40 45 46 98 99\nc=IN IP4 0.0.0.0\n{transport}\na=mid:1\n\
         a=extmap:3 http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01\n\
         a=extmap:4 urn:ietf:params:rtp-hdrext:sdes:mid\na=extmap:99 urn:x-unknown\n\
         a=sendrecv\na=rtcp-mux\na=rtcp-rsize\na=rtpmap:96 VP8/90000\na=rtcp-fb:96 goog-remb\n\
         a=rtcp-fb:96 transport-cc\na=rtcp-fb:96 ccm fir\na=rtcp-fb:96 nack\na=rtcp-fb:96 nack pli\n\
         a=rtpmap:97 rtx/90000\na=fmtp:97 apt=96\na=rtpmap:39 H264/90000\na=rtcp-fb:39 nack pli\n\
         a=fmtp:39 level-asymmetry-allowed=1;packetization-mode=1;profile-level-id=42e01f\n\
         a=rtpmap:40 rtx/90000\na=fmtp:40 apt=39\na=rtpmap:45 AV1/90000\na=rtpmap:46 rtx/90000\na=fmtp:46 apt=45\n\
         a=rtpmap:98 H264/90000\n\
         a=fmtp:98 level-asymmetry-allowed=1;packetization-mode=0;profile-level-id=42e01f\na=rtpmap:99 ulpfec/90000\n\
         m=application 9 UDP/DTLS/SCTP webrtc-datachannel\nc=IN IP4 0.0.0.0\n{transport}\na=mid:2\na=sctp-port:5000\n"
    );
    text.replace('\n', "\r\n")
}

fn gateway() -> Peer {
    let config = Config::gateway(certificate(), vec![address("192.0.2.1:5000")], 7);
    Peer::new(Instant::now(), config).unwrap()
}

fn answer(offer: &str, wanted: &Wanted) -> Result<String, PeerError> {
    gateway().accept_offer(Instant::now(), offer, wanted)
}

fn receive() -> Wanted {
    Wanted::both(Direction::Receive)
}

fn section<'a>(sdp: &'a str, medium: &str) -> &'a str {
    let begin = sdp.find(&format!("m={medium}")).unwrap();
    let rest = &sdp[begin..];
    &rest[..rest[2..].find("m=").map_or(rest.len(), |end| end + 2)]
}

#[test]
fn every_section_is_answered_in_its_place_with_its_mid() {
    let answer = answer(&offer(), &receive()).unwrap();
    let lines: Vec<&str> = answer.lines().filter(|line| line.starts_with("m=")).collect();
    assert_eq!(lines.len(), 3, "{answer}");
    assert!(lines[0].starts_with("m=audio 9") && lines[1].starts_with("m=video 9"));
    assert_eq!(lines[2], "m=application 0 UDP/DTLS/SCTP webrtc-datachannel");
    assert!(section(&answer, "application").contains("a=mid:2"));
    assert!(answer.contains("a=group:BUNDLE 0 1\r\n"), "{answer}");
}

#[test]
fn an_answer_lists_only_what_was_offered_and_by_the_offers_numbers() {
    let answer = answer(&offer(), &receive()).unwrap();
    assert!(answer.contains("m=audio 9 UDP/TLS/RTP/SAVPF 111 0 8\r\n"), "{answer}");
    assert!(answer.contains("m=video 9 UDP/TLS/RTP/SAVPF 96 39 97 40\r\n"), "{answer}");
    for stranger in ["AV1", "red/", "G722", "VP9", "CN/", "ulpfec", "packetization-mode=0", "extmap:99"] {
        assert!(!answer.contains(stranger), "{stranger} in {answer}");
    }
    assert!(answer.contains("a=extmap:3 http://www.ietf.org/id/draft-holmer"));
    assert!(
        section(&answer, "video").contains("a=recvonly") && section(&answer, "audio").contains("a=recvonly")
    );
}

#[test]
fn feedback_stands_between_rtpmap_and_fmtp() {
    let answer = answer(&offer(), &receive()).unwrap();
    let at = |text: &str| answer.find(text).unwrap_or_else(|| panic!("{text} in {answer}"));
    assert!(at("a=rtpmap:39 H264/90000") < at("a=rtcp-fb:39 nack pli"));
    assert!(at("a=rtcp-fb:39 nack pli") < at("a=fmtp:39 "));
    assert!(!answer.contains("a=rtcp-fb:39 nack\r\n"), "it was not offered");
}

#[test]
fn sound_and_picture_belong_to_one_stream() {
    let wanted = Wanted { stream: "Küche 1".to_owned(), ..Wanted::both(Direction::Send) };
    let answer = answer(&offer(), &wanted).unwrap();
    let streams: Vec<&str> =
        answer.lines().filter_map(|line| line.strip_prefix("a=msid:")?.split(' ').next()).collect();
    assert_eq!(streams, ["Kche1", "Kche1"], "{answer}");
    assert!(section(&answer, "video").contains("a=ssrc-group:FID "));
    assert!(section(&answer, "video").contains("a=sendonly"));
}

#[test]
fn a_wanted_codec_alone_is_answered() {
    let mut wanted = receive();
    wanted.media[1].codecs = vec![Codec::H264];
    assert!(answer(&offer(), &wanted).unwrap().contains("m=video 9 UDP/TLS/RTP/SAVPF 39 40\r\n"));
    wanted.media = vec![Media { codecs: vec![Codec::Vp9], ..Media::new(Kind::Video, Direction::Receive) }];
    assert_eq!(answer(&offer(), &wanted), Err(PeerError::NoCommonCodecs));
    assert_eq!(PeerError::NoCommonCodecs.to_string(), "No common codecs");
}

#[test]
fn only_sound_declines_the_picture() {
    let wanted = Wanted { media: vec![Media::new(Kind::Audio, Direction::Receive)], stream: String::new() };
    let answer = answer(&offer(), &wanted).unwrap();
    assert!(
        answer.contains("m=video 0 UDP/TLS/RTP/SAVPF 96\r\n") && answer.contains("BUNDLE 0\r\n"),
        "{answer}"
    );
}

#[test]
fn a_gateways_answer_is_complete() {
    let answer = answer(&offer(), &receive()).unwrap();
    for line in ["a=ice-lite", "a=setup:passive", "a=end-of-candidates", "a=rtcp-mux"] {
        assert!(answer.contains(&format!("{line}\r\n")), "{line} in {answer}");
    }
    assert!(answer.contains(" 192.0.2.1 5000 typ host\r\n"));
    assert!(answer.contains("a=fingerprint:sha-256 ") && answer.lines().all(|line| line.len() < 1_000));
}

fn refused(offer: &str) -> (usize, String, String) {
    match answer(offer, &receive()) {
        Err(PeerError::Description { line, field, reason }) => (line, field, reason),
        other => panic!("{other:?}"),
    }
}

/// The number of the first line that begins with `start`.
fn line_of(text: &str, start: &str) -> usize {
    text.lines().position(|line| line.starts_with(start)).unwrap() + 1
}

#[test]
fn what_is_wrong_is_named_with_its_line() {
    let good = offer();
    let cases: [(&str, &str, &str, &str); 9] = [
        ("a=mid:1\r\n", "", "m=video", "a=mid"),
        ("a=rtcp-mux\r\na=rtcp-rsize", "a=rtcp-rsize", "m=video", "a=rtcp-mux"),
        ("a=ice-pwd:abcdefghijklmnopqrstuvwx", "a=ice-pwd:short", "a=ice-pwd", "a=ice-pwd"),
        ("a=ice-ufrag:Abcd\r\n", "", "m=audio", "a=ice-ufrag"),
        ("a=fingerprint:sha-256 0A:", "a=fingerprint:sha-256 ZZ:", "a=fingerprint", "a=fingerprint"),
        ("a=fingerprint:sha-256 ", "a=fingerprint:sha-1 ", "a=fingerprint", "a=fingerprint"),
        ("a=setup:actpass", "a=setup:holdconn", "a=setup", "a=setup:holdconn"),
        ("m=audio 9", "m=audio 99999", "m=audio", "m=audio 99999 UDP/TLS/RTP/SAVPF 111 63 9 0 8 13 110"),
        ("s=-", "nonsense", "nonsense", "nonsense"),
    ];
    for (from, to, place, field) in cases {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        let (line, named, reason) = refused(&bad);
        assert_eq!((line, named.as_str()), (line_of(&bad, place), field), "{reason}");
        assert!(!reason.is_empty());
    }
    let (_, field, _) = refused(&good.replace("a=group:BUNDLE 0 1 2\r\n", ""));
    assert_eq!(field, "a=group");
    let twice = good.replace("a=mid:1", "a=mid:0");
    assert_eq!(refused(&twice).1, "a=mid:0");
}

#[test]
fn a_hundred_sections_too_many_are_refused_in_words() {
    let mut many = offer();
    for index in 3..203 {
        many.push_str(&format!("m=audio 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:{index}\r\na=rtcp-mux\r\n"));
    }
    let (line, field, reason) = refused(&many);
    assert!(line > 50 && field == "m=" && reason.contains("64 media sections"), "{line} {field} {reason}");
}

#[test]
fn sixty_four_kilobytes_are_read_and_no_more() {
    let mut long = offer();
    while long.len() < 64 * 1_024 - 40 {
        long.push_str("a=x-nothing:0123456789012345\r\n");
    }
    assert!(answer(&long, &receive()).is_ok());
    long.push_str(&"a=x-nothing:0123456789012345\r\n".repeat(3));
    assert_eq!(refused(&long).1, "length");
}

#[test]
fn no_piece_of_an_offer_makes_it_panic() {
    let good = offer();
    let now = Instant::now();
    let mut random = 1_u64;
    for round in 0..3_000 {
        let mut bytes = good.clone().into_bytes();
        for _ in 0..=round % 5 {
            random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let (at, what) = ((random >> 33) as usize % bytes.len().max(1), (random >> 20) as u8);
            if bytes.is_empty() {
                break;
            }
            match what % 4 {
                0 => bytes[at] = what,
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, what),
                _ => bytes.drain(at..(at + usize::from(what)).min(bytes.len())).for_each(drop),
            }
        }
        let text = String::from_utf8_lossy(&bytes);
        // Making the peer is what costs: one for all that are refused.
        thread_local!(static PEER: std::cell::RefCell<Option<Peer>> = const { std::cell::RefCell::new(None) });
        PEER.with_borrow_mut(|peer| {
            let answered = peer.get_or_insert_with(gateway).accept_offer(now, &text, &receive());
            if answered.is_ok() {
                *peer = None;
            }
        });
    }
}

#[test]
fn layers_that_are_offered_are_taken() {
    let layered = offer().replace(
        "a=rtcp-rsize",
        "a=rtcp-rsize\r\na=rid:q send\r\na=rid:h send\r\na=rid:f send\r\na=simulcast:send q;~h;f,g",
    );
    let answer = answer(&layered, &receive()).unwrap();
    assert!(answer.contains("a=simulcast:recv q;h;f\r\n") && answer.contains("a=rid:h recv\r\n"), "{answer}");
}

#[test]
fn an_answer_that_says_what_was_not_offered_is_refused() {
    let now = Instant::now();
    let client = || {
        let mut peer =
            Peer::new(now, Config::client(certificate(), vec![address("192.0.2.9:4000")], 3)).unwrap();
        let offer = peer.create_offer(now, &Wanted::both(Direction::Send)).unwrap();
        (peer, offer)
    };
    let (mut peer, offered) = client();
    let good = gateway().accept_offer(now, &offered, &receive()).unwrap();
    assert!(peer.accept_answer(now, &good).is_ok());
    assert!(peer.accept_answer(now, &good).is_err(), "it was answered before");
    let codec = good.lines().find_map(|line| line.strip_prefix("a=rtpmap:")?.split_once(" VP8/")).unwrap().0;
    for (from, to, field) in [
        (
            format!("a=rtpmap:{codec} VP8/90000"),
            format!("a=rtpmap:{codec} VP9/90000"),
            format!("a=rtpmap:{codec}"),
        ),
        ("a=mid:1".to_owned(), "a=mid:7".to_owned(), "a=mid".to_owned()),
    ] {
        let (mut peer, offered) = client();
        let answer = gateway().accept_offer(now, &offered, &receive()).unwrap();
        let bad = answer.replace(&from, &to).replace("BUNDLE 0 1", "BUNDLE 0 1 7");
        match peer.accept_answer(now, &bad) {
            Err(PeerError::Description { field: named, line, .. }) => {
                assert_eq!(named, field);
                assert!(line > 5);
            }
            other => panic!("{other:?}"),
        }
    }
    let (mut peer, offered) = client();
    let answer = gateway().accept_offer(now, &offered, &receive()).unwrap();
    let fewer = &answer[..answer.find("m=video").unwrap()];
    assert!(peer.accept_answer(now, fewer).is_err());
}

#[test]
fn candidates_are_taken_as_lines_fragments_or_not_at_all() {
    let mut peer = Peer::new(Instant::now(), Config::client(certificate(), Vec::new(), 3)).unwrap();
    let now = Instant::now();
    assert!(matches!(
        peer.add_remote_candidate(now, "candidate:1 1 udp 1 192.0.2.1 9 typ host"),
        Err(PeerError::State(_))
    ));
    let offered = peer.create_offer(now, &Wanted::both(Direction::Send)).unwrap();
    let answer = gateway().accept_offer(now, &offered, &receive()).unwrap();
    peer.accept_answer(now, &answer).unwrap();
    for good in [
        "candidate:1 1 udp 2122260223 192.0.2.1 54321 typ host generation 0 ufrag abcd",
        "a=candidate:2 1 UDP 2122260223 2001:db8::1 54321 typ srflx raddr 0.0.0.0 rport 0",
        "a=mid:0\r\na=candidate:3 1 tcp 1518280447 192.0.2.1 9 typ host tcptype active\r\na=end-of-candidates",
        "candidate:4 1 udp 1 4a1b2c3d.local 5 typ host",
        "",
    ] {
        assert_eq!(peer.add_remote_candidate(now, good), Ok(()), "{good}");
    }
    for bad in [
        "candidate:1 1 udp x 192.0.2.1 9 typ host",
        "candidate:1",
        "candidate:1 1 udp 1 192.0.2.1 70000 typ host",
    ] {
        assert!(matches!(peer.add_remote_candidate(now, bad), Err(PeerError::Candidate { .. })), "{bad}");
    }
}

#[test]
fn numbers_mean_the_same_in_every_section_of_an_offer() {
    let mut peer = Peer::new(Instant::now(), Config::client(certificate(), Vec::new(), 3)).unwrap();
    let offer = peer.create_offer(Instant::now(), &Wanted::both(Direction::Both)).unwrap();
    for start in ["a=extmap:", "a=rtpmap:"] {
        let mut known = std::collections::HashMap::new();
        for line in offer.lines().filter_map(|line| line.strip_prefix(start)) {
            let (number, meaning) = line.split_once(' ').unwrap();
            assert_eq!(*known.entry(number).or_insert(meaning), meaning, "{start}{number} in {offer}");
        }
        assert!(known.len() > 4);
    }
}
