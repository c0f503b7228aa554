#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::net::IpAddr;

use sidetone_sdp::{
    Answered, Capability, Direction, Feedback, Fingerprint, H264Parameters, HashFunction, IceCredentials,
    LocalIce, LocalMedia, LocalSecurity, LocalVideo, Negotiated, OfferAnswer, Origin, Protection, Refusal,
    Sdes, Security, SessionDescription, SrtpKey, Suite,
};

fn audio() -> LocalMedia {
    LocalMedia::new(IpAddr::from([192, 0, 2, 1]), 4000, vec![Capability::opus(), Capability::pcmu()])
}

fn video() -> LocalVideo {
    let codecs = vec![Capability::h264(1), Capability::h264(0), Capability::vp8()];
    LocalVideo {
        bandwidth: Some(1500),
        ..LocalVideo::new(LocalMedia::new(IpAddr::from([192, 0, 2, 1]), 4010, codecs))
    }
}

fn dialog() -> OfferAnswer {
    OfferAnswer::new(Origin { username: "alice".into(), session_id: 77, version: 5 })
}

fn remote(media: &str) -> SessionDescription {
    let head = "v=0\r\no=bob 9 9 IN IP4 198.51.100.7\r\ns=-\r\nc=IN IP4 198.51.100.7\r\nt=0 0\r\n";
    format!("{head}{media}").parse().expect(media)
}

const AUDIO: &str = "m=audio 7000 RTP/AVP 0\r\n";

fn with_video(lines: &str) -> SessionDescription {
    remote(&format!("{AUDIO}m=video 7010 RTP/AVP {lines}"))
}

fn answer(lines: &str) -> Answered {
    dialog().answer_with(&with_video(lines), &audio(), Some(&video())).unwrap()
}

fn agreed(answered: &Answered) -> &Negotiated {
    answered.video.as_ref().unwrap().as_deref().unwrap()
}

fn video_of(description: &SessionDescription) -> String {
    let text = description.to_string();
    text[text.find("m=video").unwrap()..].to_owned()
}

#[test]
fn an_offer_has_the_video_after_the_audio_with_numbers_and_a_transport_of_its_own() {
    let offer = dialog().offer_with(&audio(), Some(&video()));
    assert_eq!(
        video_of(&offer),
        "m=video 4010 RTP/AVP 98 99 100\r\nb=AS:1500\r\nb=TIAS:1500000\r\n\
         a=rtpmap:98 H264/90000\r\n\
         a=fmtp:98 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1\r\n\
         a=rtpmap:99 H264/90000\r\n\
         a=fmtp:99 profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=0\r\n\
         a=rtpmap:100 VP8/90000\r\na=sendrecv\r\n\
         a=rtcp-fb:98 nack pli\r\na=rtcp-fb:98 ccm fir\r\na=rtcp-fb:99 nack pli\r\na=rtcp-fb:99 ccm fir\r\n\
         a=rtcp-fb:100 nack pli\r\na=rtcp-fb:100 ccm fir\r\n"
    );
}

#[test]
fn without_video_on_our_side_an_offered_one_is_refused_in_its_place() {
    let offer = with_video("96\r\na=rtpmap:96 VP8/90000\r\n");
    let answered = dialog().answer_with(&offer, &audio(), None).unwrap();
    assert_eq!(answered.video, Ok(None));
    assert_eq!(video_of(&answered.description), "m=video 0 RTP/AVP 96\r\n");
}

#[test]
fn the_first_common_codec_of_the_offer_is_sent_and_the_packetization_mode_counts() {
    let answered = answer(
        "97 98 99\r\na=rtpmap:97 VP9/90000\r\na=rtpmap:98 H264/90000\r\n\
         a=fmtp:98 profile-level-id=42801f;packetization-mode=0\r\na=rtpmap:99 H264/90000\r\n\
         a=fmtp:99 profile-level-id=42801f;packetization-mode=1\r\n",
    );
    let video = agreed(&answered);
    let sent: Vec<_> = video.codecs.iter().map(|codec| codec.payload_types.send).collect();
    assert_eq!(sent, [98, 99]);
    assert_eq!(video.codec.h264_parameters().unwrap().packetization_mode, 0);
    assert_eq!(video.remote.socket_addr(), Some("198.51.100.7:7010".parse().unwrap()));
    let text = video_of(&answered.description);
    assert!(text.starts_with("m=video 4010 RTP/AVP 98 99\r\n"), "{text}");
    assert!(text.contains("a=fmtp:99 profile-level-id=42801f;packetization-mode=1\r\n"), "{text}");
}

#[test]
fn an_answer_has_the_offered_profile_and_the_lower_level_where_levels_are_symmetric() {
    for (theirs, ours, sent) in [
        ("profile-level-id=42e00c;packetization-mode=1", "profile-level-id=42e00c;packetization-mode=1", 12),
        ("profile-level-id=42c029;packetization-mode=1", "profile-level-id=42c01f;packetization-mode=1", 31),
        (
            "profile-level-id=42e00c;packetization-mode=1;level-asymmetry-allowed=1",
            "profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1",
            12,
        ),
        (
            "profile-level-id=42e029;packetization-mode=1;level-asymmetry-allowed=1",
            "profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode=1",
            41,
        ),
        // Constrained baseline is main with constraint_set0 too.
        ("profile-level-id=4d801f;packetization-mode=1", "profile-level-id=4d801f;packetization-mode=1", 31),
        // Nothing said: baseline at level 1, packetization mode 0.
        ("x-unknown=1", "profile-level-id=42000a;packetization-mode=0", 10),
        // Level 1b is below 1.1.
        ("profile-level-id=42f00b;packetization-mode=1", "profile-level-id=42f00b;packetization-mode=1", 11),
    ] {
        let answered = answer(&format!("98\r\na=rtpmap:98 H264/90000\r\na=fmtp:98 {theirs}\r\n"));
        let text = video_of(&answered.description);
        assert!(text.contains(&format!("a=fmtp:98 {ours}\r\n")), "{theirs}: {text}");
        assert_eq!(agreed(&answered).codec.h264_parameters().unwrap().level_idc, sent, "{theirs}");
    }
}

#[test]
fn what_we_cannot_encode_is_no_common_codec_and_the_audio_goes_on() {
    for fmtp in [
        "profile-level-id=64001f;packetization-mode=1",
        "profile-level-id=4d001f;packetization-mode=1",
        "profile-level-id=42e01f;packetization-mode=2",
        "profile-level-id=42e0;packetization-mode=1",
        "profile-level-id=+2e01f",
        "packetization-mode=99999999999",
    ] {
        let answered = answer(&format!("98\r\na=rtpmap:98 H264/90000\r\na=fmtp:98 {fmtp}\r\n"));
        assert_eq!(answered.video, Err(Refusal::NoCommonVideoCodec), "{fmtp}");
        assert_eq!(video_of(&answered.description), "m=video 0 RTP/AVP 98\r\n");
        assert_eq!(answered.audio.codec.capability.name, "PCMU");
    }
}

#[test]
fn a_level_limits_what_is_sent_and_may_be_exceeded_where_the_peer_says_so() {
    let limits = |fmtp: &str| H264Parameters::parse(fmtp).unwrap().limits();
    let level = limits("profile-level-id=42e01f");
    assert_eq!((level.frame_size, level.rate, level.kilobits), (3_600, 108_000, 14_000));
    let more = limits("profile-level-id=42e01f;max-fs=8192;max-mbps=10;max-br=20000");
    assert_eq!((more.frame_size, more.rate, more.kilobits), (8_192, 108_000, 20_000));
    assert_eq!(limits("profile-level-id=42f00b").kilobits, 128, "level 1b");
    assert_eq!(limits("profile-level-id=4200ff").frame_size, 36_864);
    assert_eq!(limits("profile-level-id=420000").frame_size, 99);
    assert_eq!(limits("profile-level-id=42e01e").frame_size, 1_620);
}

#[test]
fn parameter_sets_of_the_description_are_read_and_bounded() {
    let sets =
        |list: &str| H264Parameters::parse(&format!("sprop-parameter-sets={list}")).unwrap().parameter_sets;
    assert_eq!(sets("Z0IACpZTBYmI,aMljiA==").len(), 2);
    assert_eq!(sets("aMljiA==,!!!,,"), [vec![0x68, 0xc9, 0x63, 0x88]]);
    assert_eq!(sets(&["aMljiA=="; 500].join(",")).len(), 16);
}

#[test]
fn requests_for_key_frames_are_answered_as_far_as_both_know_them() {
    let answered = answer(
        "96\r\na=rtpmap:96 VP8/90000\r\na=rtcp-fb:* nack pli\r\na=rtcp-fb:96 nack\r\na=rtcp-fb:97 ccm fir\r\n",
    );
    assert_eq!(agreed(&answered).feedback, Feedback { pli: true, fir: false });
    let text = video_of(&answered.description);
    assert!(text.contains("a=rtcp-fb:96 nack pli\r\n") && !text.contains("fir"), "{text}");
    let answered = answer("96\r\na=rtpmap:96 VP8/90000\r\n");
    assert_eq!(agreed(&answered).feedback, Feedback::default());
    assert!(!video_of(&answered.description).contains("rtcp-fb"));
}

#[test]
fn avpf_is_answered_with_avpf() {
    let offer = remote(&format!("{AUDIO}m=video 7010 RTP/AVPF 96\r\na=rtpmap:96 VP8/90000\r\n"));
    let answered = dialog().answer_with(&offer, &audio(), Some(&video())).unwrap();
    assert!(video_of(&answered.description).starts_with("m=video 4010 RTP/AVPF 96\r\n"));
}

#[test]
fn the_answer_to_our_offer_says_what_is_sent_and_how_much() {
    let mut dialog = dialog();
    dialog.offer_with(&audio(), Some(&video()));
    let reply = with_video(
        "98\r\nb=TIAS:300000\r\na=rtpmap:98 H264/90000\r\n\
         a=fmtp:98 profile-level-id=42e00d;packetization-mode=1\r\na=recvonly\r\na=rtcp-fb:98 ccm fir\r\n\
         a=imageattr:98 send * recv [x=320,y=240]\r\n",
    );
    let (_, video) = dialog.accept_with(&reply).unwrap();
    let video = video.unwrap().unwrap();
    assert_eq!(video.codec.payload_types.send, 98);
    assert_eq!(video.bandwidth, Some(300));
    assert_eq!(video.direction, Direction::SendOnly);
    assert!(!video.held);
    assert_eq!(video.feedback, Feedback { pli: false, fir: true });
    assert_eq!(video.codec.h264_parameters().unwrap().limits().frame_size, 396);
}

#[test]
fn a_peer_without_parameters_gets_the_packetization_mode_that_this_means() {
    let mut dialog = dialog();
    dialog.offer_with(&audio(), Some(&video()));
    let (_, video) = dialog.accept_with(&with_video("98\r\na=rtpmap:98 H264/90000\r\n")).unwrap();
    let video = video.unwrap().unwrap();
    assert_eq!(video.codec.h264_parameters().unwrap().packetization_mode, 0);
    assert_eq!(video.codec.payload_types.send, 98);
}

#[test]
fn a_refused_video_leaves_the_audio_and_says_why() {
    let refused = [
        (format!("{AUDIO}m=video 0 RTP/AVP 98\r\n"), Refusal::VideoRejected),
        (
            format!("{AUDIO}m=video 7010 TCP/RTP/AVP 98\r\n"),
            Refusal::UnsupportedVideoProtocol("TCP/RTP/AVP".into()),
        ),
        (
            format!("{AUDIO}m=video 7010 RTP/AVP 98\r\nc=IN IP4 224.0.0.1\r\n"),
            Refusal::UnusableVideoAddress(IpAddr::from([224, 0, 0, 1])),
        ),
    ];
    for (text, why) in refused {
        let mut dialog = dialog();
        dialog.offer_with(&audio(), Some(&video()));
        let (audio, video) = dialog.accept_with(&remote(&text)).unwrap();
        assert_eq!(audio.codec.capability.name, "PCMU");
        assert_eq!(video, Err(why));
    }
}

#[test]
fn video_is_added_dropped_and_added_again_in_the_same_place() {
    let mut dialog = dialog();
    let first = dialog.offer(&audio());
    assert_eq!(first.media.len(), 1);
    dialog.accept(&remote(AUDIO)).unwrap();
    let added = dialog.offer_with(&audio(), Some(&video()));
    assert_eq!(added.origin.version, "6");
    assert_eq!((added.media.len(), added.media[1].port), (2, 4010));
    dialog.accept_with(&with_video("100\r\na=rtpmap:100 VP8/90000\r\n")).unwrap().1.unwrap().unwrap();
    // A refresh keeps the line and the numbers.
    let again = dialog.offer_with(&audio(), Some(&video()));
    assert_eq!(again, added);
    let dropped = dialog.offer_with(&audio(), None);
    assert_eq!((dropped.media.len(), dropped.media[1].port), (2, 0));
    let closed = remote(&format!("{AUDIO}m=video 0 RTP/AVP 98\r\n"));
    assert_eq!(dialog.accept_with(&closed).unwrap().1, Ok(None));
    assert_eq!(dialog.offer(&audio()).media[1].port, 0, "the closed line stays");
    let mut other = video();
    other.media.rtp_port = 4020;
    let back = dialog.offer_with(&audio(), Some(&other));
    assert_eq!((back.media.len(), back.media[1].port), (2, 4020));
    assert_eq!(back.media[1].formats, added.media[1].formats);
}

#[test]
fn a_line_that_we_refused_is_where_our_video_comes_later_and_others_keep_their_place() {
    let offer = remote(&format!(
        "m=application 9 UDP/BFCP *\r\nm=video 7010 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n{AUDIO}"
    ));
    let mut dialog = dialog();
    let answered = dialog.answer_with(&offer, &audio(), None).unwrap();
    assert_eq!(answered.description.media.iter().map(|media| media.port).collect::<Vec<_>>(), [0, 0, 4000]);
    let added = dialog.offer_with(&audio(), Some(&video()));
    let lines: Vec<_> = added.media.iter().map(|media| (media.kind.as_str(), media.port)).collect();
    assert_eq!(lines, [("application", 0), ("video", 4010), ("audio", 4000)]);
}

#[test]
fn the_peer_adds_holds_and_drops_video() {
    let mut dialog = dialog();
    dialog.answer(&remote(AUDIO), &audio()).unwrap();
    let mut local = video();
    // Not yet wanted here: seen, not sent.
    local.media.direction = Direction::RecvOnly;
    let offer = with_video("96\r\na=rtpmap:96 VP8/90000\r\n");
    let answered = dialog.answer_with(&offer, &audio(), Some(&local)).unwrap();
    assert_eq!(agreed(&answered).direction, Direction::RecvOnly);
    assert!(video_of(&answered.description).contains("a=recvonly\r\n"));
    local.media.direction = Direction::SendRecv;
    let held = with_video("96\r\na=rtpmap:96 VP8/90000\r\na=sendonly\r\n");
    let answered = dialog.answer_with(&held, &audio(), Some(&local)).unwrap();
    assert!(agreed(&answered).held && !answered.audio.held, "each line has its own direction");
    let dropped = remote(&format!("{AUDIO}m=video 0 RTP/AVP 96\r\n"));
    let answered = dialog.answer_with(&dropped, &audio(), Some(&local)).unwrap();
    assert_eq!(answered.video, Ok(None));
    assert_eq!(answered.description.media[1].port, 0);
}

/// With keys and ICE.
fn protected(seed: u8, mut media: LocalMedia) -> LocalMedia {
    let key = SrtpKey::from_random(Suite::AesCm128HmacSha1_80, &[seed; 46]);
    media.security =
        LocalSecurity { offer: Protection::Sdes, sdes: Sdes::Keys(vec![key]), ..LocalSecurity::default() };
    let credentials = |byte: u8| IceCredentials::from_random(&[byte; 32]);
    let (credentials, next) = (credentials(seed), credentials(seed + 1));
    media.ice = Some(LocalIce { offer: true, credentials, next, candidates: Vec::new() });
    media
}

#[test]
fn each_line_has_keys_and_candidates_of_its_own() {
    let audio = protected(1, audio());
    let video = LocalVideo::new(protected(9, video().media));
    let (mut alice, mut bob) = (dialog(), dialog());
    let offer = alice.offer_with(&audio, Some(&video));
    assert_eq!(offer.media[1].protocol, "RTP/SAVP");
    assert_ne!(offer.media[0].value("crypto"), offer.media[1].value("crypto"));
    assert_ne!(offer.media[0].value("ice-ufrag"), offer.media[1].value("ice-ufrag"));
    let answered = bob.answer_with(&offer, &audio, Some(&video)).unwrap();
    let (of_audio, of_video) = alice.accept_with(&answered.description).unwrap();
    let of_video = of_video.unwrap().unwrap();
    assert!(matches!(of_video.security, Security::Sdes { .. }));
    assert_ne!(of_audio.security, of_video.security);
    assert_ne!(of_audio.ice, of_video.ice);
}

#[test]
fn who_adds_video_keeps_the_role_that_it_has_in_the_session() {
    let (alice, bob) = (protected(1, audio()), protected(11, audio()));
    let of = |seed| LocalVideo::new(protected(seed, video().media));
    let (mut a, mut b) = (dialog(), dialog());
    let sound = b.answer_with(&a.offer(&alice), &bob, None).unwrap();
    a.accept(&sound.description).unwrap();
    let controls = |agreed: &Negotiated| agreed.ice.as_ref().unwrap().controlling;
    assert!(!controls(&sound.audio));
    // Bob has answered the call, and offers the video.
    let answered = a.answer_with(&b.offer_with(&bob, Some(&of(21))), &alice, Some(&of(31))).unwrap();
    assert!(controls(agreed(&answered)));
    let (_, video) = b.accept_with(&answered.description).unwrap();
    assert!(!controls(&video.unwrap().unwrap()));
}

#[test]
fn video_without_keys_is_not_taken_where_they_are_required() {
    let mut local = video();
    local.media.security.required = true;
    let offer = with_video("96\r\na=rtpmap:96 VP8/90000\r\n");
    let answered = dialog().answer_with(&offer, &audio(), Some(&local)).unwrap();
    assert_eq!(answered.video, Err(Refusal::Unprotected("offer")));
    assert_eq!(answered.description.media[1].port, 0);
}

#[test]
fn a_browsers_bundle_is_answered_with_two_transports() {
    let fingerprint = Fingerprint { hash: HashFunction::Sha256, bytes: vec![7; 32] };
    let security = LocalSecurity {
        offer: Protection::Dtls,
        fingerprints: vec![fingerprint.clone()],
        ..LocalSecurity::default()
    };
    let (mut audio, mut video) = (audio(), video());
    (audio.security, video.media.security) = (security.clone(), security);
    let line = |kind: &str, port: u16, mid: u8, map: &str| {
        format!(
            "m={kind} {port} UDP/TLS/RTP/SAVPF 96\r\na=mid:{mid}\r\na=rtcp-mux\r\na=setup:actpass\r\n\
             a=fingerprint:{fingerprint}\r\na=rtpmap:96 {map}\r\na=rtcp-fb:96 nack pli\r\n"
        )
    };
    let (first, second) = (line("audio", 7000, 0, "opus/48000/2"), line("video", 7010, 1, "VP8/90000"));
    let offer = remote(&format!("a=group:BUNDLE 0 1\r\n{first}{second}"));
    let mut dialog = dialog();
    let answered = dialog.answer_with(&offer, &audio, Some(&video)).unwrap();
    let text = answered.description.to_string();
    assert!(text.contains("a=group:BUNDLE 0\r\n"), "{text}");
    assert_eq!(answered.description.media[1].mid(), Some("1"));
    assert!(agreed(&answered).rtcp_mux);
    assert_eq!(answered.description.media[1].protocol, "UDP/TLS/RTP/SAVPF");
    let again = dialog.offer_with(&audio, Some(&video));
    assert_eq!((again.media[0].mid(), again.media[1].mid()), (Some("0"), Some("1")));
}

#[test]
fn our_video_gets_a_name_where_the_peers_lines_have_names() {
    let mut dialog = dialog();
    dialog.answer(&remote("m=audio 7000 RTP/AVP 0\r\na=mid:video\r\n"), &audio()).unwrap();
    let offer = dialog.offer_with(&audio(), Some(&video()));
    assert_eq!(offer.media[1].mid(), Some("video2"));
}

#[test]
fn a_second_video_line_is_taken_where_the_first_is_of_no_use() {
    let offer = remote(&format!(
        "{AUDIO}m=video 7010 RTP/AVP 31\r\nm=video 7020 RTP/AVP 96\r\na=rtpmap:96 VP8/90000\r\n"
    ));
    let answered = dialog().answer_with(&offer, &audio(), Some(&video())).unwrap();
    assert_eq!(agreed(&answered).media_index, 2);
    assert_eq!(answered.description.media.iter().map(|m| m.port).collect::<Vec<_>>(), [4000, 0, 4010]);
}

#[test]
fn the_limits_of_vp8_are_read() {
    let answered = answer("96\r\na=rtpmap:96 VP8/90000\r\na=fmtp:96 max-fr=30; max-fs=8160\r\n");
    let limits = agreed(&answered).codec.vp8_parameters();
    assert_eq!((limits.max_fr, limits.max_fs), (Some(30), Some(8160)));
    assert!(agreed(&answered).codec.h264_parameters().is_none());
}
