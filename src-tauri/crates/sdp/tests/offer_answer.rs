#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::{IpAddr, SocketAddr};

use sidetone_sdp::{
    Capability, Direction, Host, LocalMedia, LocalSecurity, OfferAnswer, Origin, PayloadKind, Refusal,
    SessionDescription, accept, answer, offer,
};

fn local() -> LocalMedia {
    LocalMedia {
        address: IpAddr::from([192, 0, 2, 1]),
        rtp_port: 4000,
        rtcp_port: None,
        rtcp_mux: false,
        codecs: vec![Capability::opus(), Capability::g722(), Capability::pcmu(), Capability::pcma()],
        dtmf: true,
        comfort_noise: true,
        ptime: Some(20),
        direction: Direction::SendRecv,
        security: LocalSecurity::default(),
        ice: None,
    }
}

fn g711() -> LocalMedia {
    LocalMedia { codecs: vec![Capability::pcmu(), Capability::pcma()], ..local() }
}

fn origin() -> Origin {
    Origin { username: "alice".to_owned(), session_id: 77, version: 5 }
}

fn remote(media: &str) -> SessionDescription {
    let head = "v=0\r\no=bob 9 9 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n";
    format!("{head}{media}").parse().expect(media)
}

fn socket(text: &str) -> Option<SocketAddr> {
    Some(text.parse().unwrap())
}

#[test]
fn an_offer_lists_codecs_in_order_of_preference_with_static_and_dynamic_numbers() {
    let text = offer(&local(), &origin()).to_string();
    assert_eq!(
        text,
        "v=0\r\no=alice 77 5 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n\
         m=audio 4000 RTP/AVP 96 9 0 8 13 101 97\r\n\
         a=rtpmap:96 opus/48000/2\r\na=fmtp:96 useinbandfec=1\r\n\
         a=rtpmap:9 G722/8000\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:13 CN/8000\r\n\
         a=rtpmap:101 telephone-event/8000\r\na=fmtp:101 0-15\r\n\
         a=rtpmap:97 telephone-event/48000\r\na=fmtp:97 0-15\r\na=ptime:20\r\na=sendrecv\r\n"
    );
}

#[test]
fn without_opus_only_telephone_events_at_8000_are_offered() {
    let text = offer(&g711(), &origin()).to_string();
    assert!(text.contains("m=audio 4000 RTP/AVP 0 8 13 101\r\n"), "{text}");
    let text = offer(&LocalMedia { dtmf: false, comfort_noise: false, ..g711() }, &origin()).to_string();
    assert!(text.contains("m=audio 4000 RTP/AVP 0 8\r\n"), "{text}");
}

#[test]
fn an_ipv6_address_is_written_as_such() {
    let media = LocalMedia { address: "2001:db8::1".parse().unwrap(), ..g711() };
    assert!(offer(&media, &origin()).to_string().contains("c=IN IP6 2001:db8::1\r\n"));
}

#[test]
fn an_unusual_rtcp_port_is_written_and_the_usual_one_is_not() {
    let text = |rtcp_port| offer(&LocalMedia { rtcp_port, ..g711() }, &origin()).to_string();
    assert!(text(Some(5000)).contains("a=rtcp:5000\r\n"));
    assert!(!text(Some(4001)).contains("a=rtcp"));
}

#[test]
fn the_answer_keeps_the_offers_order_and_payload_types() {
    let offer = remote(
        "m=audio 6000 RTP/AVP 8 111 100 0\r\na=rtpmap:111 OPUS/48000/2\r\na=rtpmap:100 Telephone-Event/8000\r\n",
    );
    let (answer, negotiated) = answer(&offer, &local(), &origin()).unwrap();
    assert_eq!(answer.media[0].formats, ["8", "111", "100", "0"]);
    assert_eq!(negotiated.codec.capability, Capability::pcma());
    assert_eq!(negotiated.codec.payload_types.send, 8);
    assert_eq!(negotiated.codecs[1].payload_types.receive, [111]);
    assert_eq!(negotiated.remote.socket_addr(), socket("198.51.100.7:6000"));
    assert_eq!(negotiated.remote_rtcp.as_ref().unwrap().socket_addr(), socket("198.51.100.7:6001"));
    assert!(
        matches!(negotiated.payload_kind(111), Some(PayloadKind::Codec(codec)) if codec.capability.is_opus())
    );
    assert!(matches!(negotiated.payload_kind(100), Some(PayloadKind::TelephoneEvent(_))));
    assert_eq!(negotiated.payload_kind(13), None);
}

#[test]
fn opus_without_its_two_channels_is_still_opus() {
    let offer = remote("m=audio 6000 RTP/AVP 96\r\na=rtpmap:96 opus/48000\r\n");
    let (answer, _) = answer(&offer, &local(), &origin()).unwrap();
    assert_eq!(answer.media[0].value("rtpmap"), Some("96 opus/48000/2"));
}

#[test]
fn g722_is_recognised_by_its_static_number_at_8000() {
    let (_, negotiated) = answer(&remote("m=audio 6000 RTP/AVP 9\r\n"), &local(), &origin()).unwrap();
    assert_eq!(negotiated.codec.capability, Capability::g722());
    let wrong = remote("m=audio 6000 RTP/AVP 9\r\na=rtpmap:9 G722/16000\r\n");
    assert_eq!(answer(&wrong, &local(), &origin()).unwrap_err(), Refusal::NoCommonCodec);
}

#[test]
fn telephone_events_are_sent_at_the_clock_of_the_codec() {
    let both = "a=rtpmap:96 opus/48000/2\r\na=rtpmap:101 telephone-event/8000\r\na=rtpmap:102 telephone-event/48000\r\n\
                a=fmtp:102 0-16\r\n";
    let offer = |formats: &str| remote(&format!("m=audio 6000 RTP/AVP {formats}\r\n{both}"));
    let (_, opus) = answer(&offer("96 0 101 102"), &local(), &origin()).unwrap();
    let dtmf = opus.dtmf.unwrap();
    assert_eq!((dtmf.clock_rate, dtmf.payload_types.send), (48_000, 102));
    assert!(dtmf.events.contains(16) && !dtmf.events.contains(17));
    assert_eq!(opus.events.len(), 2);
    let (_, pcmu) = answer(&offer("0 96 102 101"), &local(), &origin()).unwrap();
    assert_eq!(pcmu.dtmf.unwrap().payload_types.send, 101);
    let (_, mixed) = answer(&offer("96 101"), &local(), &origin()).unwrap();
    assert_eq!(mixed.dtmf.unwrap().clock_rate, 8000);
    let (_, none) = answer(&offer("96"), &local(), &origin()).unwrap();
    assert_eq!(none.dtmf, None);
}

#[test]
fn the_48000_hz_event_is_not_answered_when_opus_is_not_common() {
    let offer = remote("m=audio 6000 RTP/AVP 0 102\r\na=rtpmap:102 telephone-event/48000\r\n");
    let (answer, negotiated) = answer(&offer, &local(), &origin()).unwrap();
    assert_eq!(answer.media[0].formats, ["0"]);
    assert_eq!(negotiated.dtmf, None);
}

#[test]
fn comfort_noise_is_agreed_only_when_both_have_it() {
    let with = remote("m=audio 6000 RTP/AVP 0 13\r\n");
    let (_, negotiated) = answer(&with, &local(), &origin()).unwrap();
    assert_eq!(negotiated.comfort_noise.unwrap().send, 13);
    let (said, negotiated) =
        answer(&with, &LocalMedia { comfort_noise: false, ..local() }, &origin()).unwrap();
    assert_eq!((said.media[0].formats.len(), negotiated.comfort_noise), (1, None));
}

#[test]
fn comfort_noise_and_events_alone_are_no_common_codec() {
    let offer = remote("m=audio 6000 RTP/AVP 18 13 101\r\na=rtpmap:101 telephone-event/8000\r\n");
    assert_eq!(answer(&offer, &local(), &origin()).unwrap_err(), Refusal::NoCommonCodec);
}

#[test]
fn other_media_is_refused_in_its_place() {
    let offer = remote(
        "m=video 7000 RTP/AVP 96 97\r\na=rtpmap:96 VP8/90000\r\nm=audio 7002 RTP/SAVP 0\r\nm=audio 6000 RTP/AVP 0\r\n\
         m=audio 6002 RTP/AVP 8\r\nm=application 9 UDP/DTLS/SCTP webrtc-datachannel\r\n",
    );
    let (answer, negotiated) = answer(&offer, &g711(), &origin()).unwrap();
    let lines: Vec<_> = answer.media.iter().map(|line| (line.kind.as_str(), line.port)).collect();
    assert_eq!(lines, [("video", 0), ("audio", 0), ("audio", 4000), ("audio", 0), ("application", 0)]);
    assert_eq!(answer.media[1].protocol, "RTP/SAVP");
    assert_eq!(answer.media[4].formats, ["webrtc-datachannel"]);
    assert_eq!(negotiated.media_index, 2);
}

#[test]
fn a_refusal_says_why() {
    let refuse = |media: &str| answer(&remote(media), &g711(), &origin()).unwrap_err();
    assert_eq!(refuse(""), Refusal::NoAudio);
    assert_eq!(refuse("m=video 5 RTP/AVP 99\r\n"), Refusal::NoAudio);
    assert_eq!(refuse("m=audio 0 RTP/AVP 0\r\n"), Refusal::NoAudio);
    assert_eq!(refuse("m=audio 5 RTP/AVP 18\r\n"), Refusal::NoCommonCodec);
    assert_eq!(refuse("m=audio 5 RTP/SAVP 0\r\n"), Refusal::NoKeys("RTP/SAVP".to_owned()));
    assert!(matches!(refuse("m=audio 5 RTP/AVP 0\r\nc=IN IP4 224.0.0.1/1\r\n"), Refusal::UnusableAddress(_)));
    assert!(matches!(
        refuse("m=audio 5 RTP/AVP 0\r\nc=IN IP4 255.255.255.255\r\n"),
        Refusal::UnusableAddress(_)
    ));
    let text = "v=0\r\no=- 1 1 IN IP4 192.0.2.9\r\ns=-\r\nt=0 0\r\nm=audio 5 RTP/AVP 0\r\n";
    assert_eq!(answer(&text.parse().unwrap(), &g711(), &origin()).unwrap_err(), Refusal::NoAddress);
}

#[test]
fn the_direction_of_the_answer_mirrors_the_offer() {
    let cases = [
        ("sendrecv", Direction::SendRecv, false),
        ("sendonly", Direction::RecvOnly, true),
        ("recvonly", Direction::SendOnly, false),
        ("inactive", Direction::Inactive, true),
    ];
    for (said, expected, held) in cases {
        let offer = remote(&format!("m=audio 5 RTP/AVP 0\r\na={said}\r\n"));
        let (text, negotiated) = answer(&offer, &g711(), &origin()).unwrap();
        assert_eq!((negotiated.direction, negotiated.held), (expected, held), "{said}");
        assert!(text.media[0].attribute(expected.as_str()).is_some(), "{said}");
    }
    let both = LocalMedia { direction: Direction::SendOnly, ..g711() };
    let (_, negotiated) = answer(&remote("m=audio 5 RTP/AVP 0\r\na=sendonly\r\n"), &both, &origin()).unwrap();
    assert_eq!((negotiated.direction, negotiated.held), (Direction::Inactive, true));
}

#[test]
fn the_null_address_is_a_hold() {
    for null in ["c=IN IP4 0.0.0.0", "c=IN IP6 ::"] {
        let offer = remote(&format!("m=audio 5 RTP/AVP 0\r\n{null}\r\n"));
        let (text, negotiated) = answer(&offer, &g711(), &origin()).unwrap();
        assert!(negotiated.held);
        assert_eq!(negotiated.direction, Direction::RecvOnly);
        assert_eq!(negotiated.remote.socket_addr(), None);
        assert!(text.media[0].attribute("recvonly").is_some());
    }
}

#[test]
fn packet_time_is_the_peers_wish_within_its_maximum() {
    let ptime = |lines: &str| {
        let offer = remote(&format!("m=audio 5 RTP/AVP 0\r\n{lines}"));
        answer(&offer, &g711(), &origin()).unwrap().1.ptime
    };
    assert_eq!(ptime(""), 20);
    assert_eq!(ptime("a=ptime:30\r\n"), 30);
    assert_eq!(ptime("a=ptime:35\r\n"), 30);
    assert_eq!(ptime("a=ptime:0\r\n"), 20);
    assert_eq!(ptime("a=ptime:40\r\na=maxptime:20\r\n"), 20);
    assert_eq!(ptime("a=ptime:999999\r\n"), 120);
    assert_eq!(ptime("a=maxptime:2.5\r\n"), 10);
}

#[test]
fn rtcp_goes_where_the_peer_says() {
    let rtcp = |lines: &str| {
        let media = LocalMedia { rtcp_mux: true, ..g711() };
        answer(&remote(&format!("m=audio 65535 RTP/AVP 0\r\n{lines}")), &media, &origin()).unwrap().1
    };
    assert_eq!(rtcp("").remote_rtcp, None);
    assert_eq!(rtcp("a=rtcp:7\r\n").remote_rtcp.unwrap().socket_addr(), socket("198.51.100.7:7"));
    let elsewhere = rtcp("a=rtcp:7 IN IP4 198.51.100.8\r\n").remote_rtcp.unwrap();
    assert_eq!(elsewhere.socket_addr(), socket("198.51.100.8:7"));
    let shared = rtcp("a=rtcp:7\r\na=rtcp-mux\r\n");
    assert!(shared.rtcp_mux);
    assert_eq!(shared.remote_rtcp, Some(shared.remote));
    assert!(rtcp("b=RS:0\r\nb=RR:0\r\n").rtcp_disabled);
    assert!(!rtcp("b=RS:0\r\nb=RR:600\r\n").rtcp_disabled);
    assert_eq!(rtcp("b=AS:40\r\n").bandwidth, Some(40));
    assert_eq!(rtcp("b=AS:40\r\nb=TIAS:32500\r\n").bandwidth, Some(33));
}

#[test]
fn a_shared_port_is_declined_where_a_payload_type_looks_like_rtcp() {
    let offer = remote("m=audio 5 RTP/AVP 72\r\na=rtpmap:72 PCMU/8000\r\na=rtcp-mux\r\n");
    let (text, negotiated) = answer(&offer, &LocalMedia { rtcp_mux: true, ..g711() }, &origin()).unwrap();
    assert!(!negotiated.rtcp_mux && !text.media[0].rtcp_mux());
}

#[test]
fn a_host_name_is_reported_and_resolved_by_the_caller() {
    let offer = remote("m=audio 5004 RTP/AVP 0\r\nc=IN IP4 media.example.com\r\n");
    let (_, mut negotiated) = answer(&offer, &g711(), &origin()).unwrap();
    assert_eq!(negotiated.unresolved(), Some("media.example.com"));
    assert_eq!(negotiated.remote.host, Host::Name("media.example.com".to_owned()));
    negotiated.resolve("media.example.com", IpAddr::from([198, 51, 100, 20]));
    assert_eq!(negotiated.unresolved(), None);
    assert_eq!(negotiated.remote.socket_addr(), socket("198.51.100.20:5004"));
    assert_eq!(negotiated.remote_rtcp.unwrap().socket_addr(), socket("198.51.100.20:5005"));
}

#[test]
fn payload_types_may_differ_per_direction() {
    let ours = offer(&local(), &origin());
    let theirs = remote(
        "m=audio 6000 RTP/AVP 120 110 0\r\na=rtpmap:120 opus/48000/2\r\na=fmtp:120 usedtx=1;maxaveragebitrate=16000\r\n\
         a=rtpmap:110 telephone-event/48000\r\n",
    );
    let negotiated = accept(&ours, &theirs).unwrap();
    assert_eq!(negotiated.codec.payload_types.send, 120);
    assert_eq!(negotiated.codec.payload_types.receive, [96, 120]);
    let opus = negotiated.codec.opus_parameters();
    assert!(opus.dtx);
    assert_eq!(opus.max_average_bitrate, Some(16_000));
    let dtmf = negotiated.dtmf.unwrap();
    assert_eq!((dtmf.payload_types.send, dtmf.payload_types.receive), (110, vec![97, 110]));
    assert_eq!(negotiated.codecs.len(), 2);
}

#[test]
fn the_number_of_the_peer_is_not_taken_for_receiving_where_we_use_it_otherwise() {
    let theirs = remote("m=audio 6000 RTP/AVP 101 0\r\na=rtpmap:101 opus/48000/2\r\n");
    let negotiated = accept(&offer(&local(), &origin()), &theirs).unwrap();
    assert_eq!(negotiated.codec.payload_types.send, 101);
    assert_eq!(negotiated.codec.payload_types.receive, [96]);
}

#[test]
fn codecs_that_were_not_offered_are_ignored_in_an_answer() {
    let ours = offer(&g711(), &origin());
    let theirs = remote("m=audio 6000 RTP/AVP 18 9 8\r\n");
    let negotiated = accept(&ours, &theirs).unwrap();
    assert_eq!(negotiated.codec.capability.name, "PCMA");
    assert_eq!(accept(&ours, &remote("m=audio 6000 RTP/AVP 18\r\n")).unwrap_err(), Refusal::NoCommonCodec);
}

#[test]
fn a_dynamic_number_without_rtpmap_in_an_answer_means_what_we_offered() {
    let negotiated = accept(&offer(&local(), &origin()), &remote("m=audio 6000 RTP/AVP 96\r\n")).unwrap();
    assert!(negotiated.codec.capability.is_opus());
}

#[test]
fn a_bad_answer_is_refused() {
    let ours = offer(&g711(), &origin());
    let refuse = |media: &str| accept(&ours, &remote(media)).unwrap_err();
    assert_eq!(refuse("m=audio 0 RTP/AVP 0\r\n"), Refusal::Rejected);
    assert_eq!(refuse("m=video 6000 RTP/AVP 0\r\n"), Refusal::MediaLineKind(0));
    assert_eq!(refuse(""), Refusal::MediaLineCount { offered: 1, answered: 0 });
    let two = "m=audio 6000 RTP/AVP 0\r\nm=audio 6000 RTP/AVP 0\r\n";
    assert_eq!(refuse(two), Refusal::MediaLineCount { offered: 1, answered: 2 });
}

#[test]
fn the_peers_answer_to_our_hold_is_no_hold_of_its_own() {
    let ours = offer(&LocalMedia { direction: Direction::SendOnly, ..g711() }, &origin());
    let negotiated = accept(&ours, &remote("m=audio 6000 RTP/AVP 0\r\na=recvonly\r\n")).unwrap();
    assert_eq!((negotiated.direction, negotiated.held), (Direction::SendOnly, false));
    let negotiated = accept(&ours, &remote("m=audio 6000 RTP/AVP 0\r\na=inactive\r\n")).unwrap();
    assert_eq!((negotiated.direction, negotiated.held), (Direction::Inactive, true));
    let ours = offer(&LocalMedia { direction: Direction::Inactive, ..g711() }, &origin());
    let negotiated = accept(&ours, &remote("m=audio 6000 RTP/AVP 0\r\na=inactive\r\n")).unwrap();
    assert!(!negotiated.held);
}

#[test]
fn the_version_grows_only_when_the_description_changes() {
    let mut exchange = OfferAnswer::new(origin());
    let first = exchange.offer(&g711());
    assert_eq!((first.origin.session_id.as_str(), first.origin.version.as_str()), ("77", "5"));
    exchange.accept(&remote("m=audio 6000 RTP/AVP 0\r\n")).unwrap();
    assert_eq!(exchange.offer(&g711()).origin.version, "5");
    let held = exchange.offer(&LocalMedia { direction: Direction::SendOnly, ..g711() });
    assert_eq!((held.origin.session_id.as_str(), held.origin.version.as_str()), ("77", "6"));
    assert_eq!(exchange.offer(&g711()).origin.version, "7");
}

#[test]
fn a_session_refresh_of_the_peer_gets_the_same_answer_with_the_same_version() {
    let mut exchange = OfferAnswer::new(origin());
    let theirs = remote("m=audio 6000 RTP/AVP 0\r\n");
    let (first, _) = exchange.answer(&theirs, &g711()).unwrap();
    let (second, _) = exchange.answer(&theirs, &g711()).unwrap();
    assert_eq!(first, second);
    let (third, _) = exchange.answer(&remote("m=audio 6000 RTP/AVP 0\r\na=sendonly\r\n"), &g711()).unwrap();
    assert_eq!(third.origin.version, "6");
}

#[test]
fn a_later_offer_keeps_the_media_lines_and_the_numbers_of_the_dialog() {
    let mut exchange = OfferAnswer::new(origin());
    let theirs = remote(
        "m=video 7000 RTP/AVP 101\r\na=rtpmap:101 VP8/90000\r\nm=audio 6000 RTP/AVPF 101 96 0\r\n\
         a=rtpmap:101 opus/48000/2\r\na=rtpmap:96 telephone-event/8000\r\n",
    );
    exchange.answer(&theirs, &local()).unwrap();
    let again = exchange.offer(&local());
    let lines: Vec<_> =
        again.media.iter().map(|line| (line.kind.as_str(), line.port, line.protocol.as_str())).collect();
    assert_eq!(lines, [("video", 0, "RTP/AVP"), ("audio", 4000, "RTP/AVPF")]);
    let audio = &again.media[1];
    assert_eq!(audio.rtp_map(101).unwrap().name, "opus");
    assert_eq!(audio.rtp_map(96).unwrap().name, "telephone-event");
    assert_eq!(audio.formats, ["101", "9", "0", "8", "13", "96", "97"]);
    let theirs =
        remote("m=video 0 RTP/AVP 101\r\nm=audio 6000 RTP/AVPF 101\r\na=rtpmap:101 opus/48000/2\r\n");
    assert_eq!(exchange.accept(&theirs).unwrap().media_index, 1);
}

#[test]
fn a_number_of_the_peer_is_never_given_to_another_codec() {
    let mut exchange = OfferAnswer::new(origin());
    exchange.offer(&g711());
    exchange.accept(&remote("m=audio 6000 RTP/AVP 0 96\r\na=rtpmap:96 telephone-event/8000\r\n")).unwrap();
    let again = exchange.offer(&local());
    assert_eq!(again.media[0].rtp_map(97).unwrap().name, "opus");
    assert!(!again.media[0].formats.contains(&"96".to_owned()));
}

#[test]
fn a_refused_offer_leaves_the_agreed_state() {
    let mut exchange = OfferAnswer::new(origin());
    exchange.answer(&remote("m=video 5 RTP/AVP 99\r\nm=audio 6000 RTP/AVP 0\r\n"), &g711()).unwrap();
    let error = exchange.answer(&remote("m=audio 6000 RTP/AVP 18\r\n"), &g711()).unwrap_err();
    assert_eq!(error, Refusal::NoCommonCodec);
    assert_eq!(exchange.offer(&g711()).media.len(), 2);
}

#[test]
fn an_invite_without_offer_is_answered_with_one_and_its_answer_comes_in_the_ack() {
    let mut ours = OfferAnswer::new(origin());
    let mut theirs = OfferAnswer::new(Origin { username: String::new(), session_id: 1, version: 1 });
    let in_200 = ours.offer(&local());
    let media = LocalMedia { rtp_port: 9000, address: IpAddr::from([198, 51, 100, 1]), ..g711() };
    let (in_ack, far) = theirs.answer(&in_200, &media).unwrap();
    let near = ours.accept(&in_ack).unwrap();
    assert_eq!(near.codec.capability.name, "PCMU");
    assert_eq!(near.codec.payload_types, far.codec.payload_types);
    assert_eq!(near.remote.socket_addr(), socket("198.51.100.1:9000"));
    assert_eq!(far.remote.socket_addr(), socket("192.0.2.1:4000"));
}

#[test]
fn each_fork_may_answer_the_same_offer() {
    let mut exchange = OfferAnswer::new(origin());
    exchange.offer(&g711());
    let early = exchange.accept(&remote("m=audio 6000 RTP/AVP 0\r\n")).unwrap();
    let last = exchange.accept(&remote("m=audio 7000 RTP/AVP 8\r\n")).unwrap();
    assert_ne!(early.remote, last.remote);
    let mut other = OfferAnswer::new(origin());
    assert_eq!(other.accept(&remote("m=audio 7000 RTP/AVP 8\r\n")).unwrap_err(), Refusal::NoOffer);
}

#[test]
fn a_user_name_of_ours_cannot_break_the_origin_line() {
    let origin = Origin { username: "a b\r\nm=x".to_owned(), ..origin() };
    let text = offer(&g711(), &origin).to_string();
    assert!(text.contains("o=a-b--m=x 77 5 IN IP4"), "{text}");
}
