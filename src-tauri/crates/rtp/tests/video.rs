//! Video sessions: 90 kHz, requests for key frames, clocks for the sound.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Instant;

use common::{MS, config, typed, wallclock};
use sidetone_rtp::rtcp::{Compound, Packet, PayloadFeedback, write_full_intra_request, write_picture_loss};
use sidetone_rtp::{Config, Error, KeyFrameRequest, PayloadClass, PayloadType, SenderClock, Session};

fn video(ssrc: u32, now: Instant) -> Session {
    let config = Config { payload_types: vec![PayloadType::video(96)], ..config(ssrc, 100) };
    Session::new(config, now, u64::from(ssrc))
}

/// A session that hears `ssrc`.
fn hearing(ssrc: u32, now: Instant) -> Session {
    let mut session = video(0xaaaa, now);
    session.handle_rtp(now, &typed(96, ssrc, 500, 9000, b"x")).unwrap();
    session
}

#[test]
fn the_first_packet_of_video_is_heard_and_a_stranger_does_not_displace_it() {
    let now = Instant::now();
    let mut session = video(0xaaaa, now);
    let bytes = typed(96, 7, 500, 9000, b"key");
    let packet = session.handle_rtp(now, &bytes).unwrap();
    assert_eq!((packet.class, packet.clock_rate, packet.source_changed), (PayloadClass::Video, 90_000, true));
    let stranger = typed(96, 8, 1, 1, b"x");
    assert_eq!(session.handle_rtp(now, &stranger).unwrap_err(), Error::Probation(8));
    assert_eq!(
        session.handle_rtp(now, &typed(96, 7, 501, 9000, b"x")).unwrap().extended_sequence & 0xffff,
        501
    );
}

#[test]
fn a_request_for_a_key_frame_arrives_and_is_told_once() {
    for request in [KeyFrameRequest::PictureLoss, KeyFrameRequest::FullIntra] {
        let now = Instant::now();
        let (mut a, mut b) = (hearing(0xbbbb, now), video(0xbbbb, now));
        let mut out = Vec::new();
        b.write_rtp(now, 96, 0, true, b"x", &mut out);
        assert!(a.write_key_frame_request(now, request, &mut out));
        let first = Compound::parse(&out).unwrap().packets().next();
        assert!(matches!(first, Some(Packet::ReceiverReport { .. })), "compound (RFC 4585 3.1)");
        b.handle_rtcp(now, &out).unwrap();
        assert!(b.take_key_frame_request());
        assert!(!b.take_key_frame_request());
        assert!(!a.take_key_frame_request());
    }
}

#[test]
fn requests_are_written_twice_a_second_at_most_and_only_to_a_source() {
    let now = Instant::now();
    let mut out = Vec::new();
    let mut silent = video(0xaaaa, now);
    assert!(!silent.write_key_frame_request(now, KeyFrameRequest::PictureLoss, &mut out));
    let mut a = hearing(0xbbbb, now);
    assert_eq!(a.key_frame_request_deadline(now), None);
    assert!(a.write_key_frame_request(now, KeyFrameRequest::PictureLoss, &mut out));
    assert_eq!(a.key_frame_request_deadline(now), Some(now + 500 * MS));
    assert!(!a.write_key_frame_request(now + 499 * MS, KeyFrameRequest::PictureLoss, &mut out));
    assert!(a.write_key_frame_request(now + 500 * MS, KeyFrameRequest::PictureLoss, &mut out));
}

#[test]
fn a_full_intra_request_that_is_repeated_counts_once() {
    let now = Instant::now();
    let mut session = video(0xaaaa, now);
    let mut ask = |number| {
        let mut out = Vec::new();
        write_full_intra_request(0xbbbb, 0xaaaa, number, &mut out);
        session.handle_rtcp(now, &out).unwrap();
        session.take_key_frame_request()
    };
    assert_eq!([ask(1), ask(1), ask(2), ask(2), ask(1)], [true, false, true, false, true]);
}

#[test]
fn feedback_alone_is_taken_and_our_own_coming_back_is_not() {
    let now = Instant::now();
    let mut session = video(0xaaaa, now);
    let mut out = Vec::new();
    write_picture_loss(0xaaaa, 0xaaaa, &mut out);
    session.handle_rtcp(now, &out).unwrap();
    assert!(!session.take_key_frame_request(), "an echo of our own");
    out.clear();
    write_picture_loss(0xbbbb, 0, &mut out);
    session.handle_rtcp(now, &out).unwrap();
    assert!(session.take_key_frame_request());
}

#[test]
fn malformed_feedback_asks_for_nothing() {
    for body in [&[][..], &[0; 4], &[0; 7]] {
        assert!(PayloadFeedback::parse(206, 1, body).is_err());
    }
    for body in [&[0; 8][..], &[0; 12], &[0; 15], &[0; 20]] {
        assert!(PayloadFeedback::parse(206, 4, body).is_err());
    }
    assert_eq!(PayloadFeedback::parse(206, 15, &[]), Ok(None), "REMB and others are passed over");
    assert_eq!(PayloadFeedback::parse(205, 1, &[]), Ok(None));
    let now = Instant::now();
    let mut session = video(0xaaaa, now);
    // FIR without entries.
    session.handle_rtcp(now, &[0x84, 206, 0, 2, 0, 0, 0, 1, 0, 0, 0, 0]).unwrap();
    assert!(!session.take_key_frame_request());
    assert_eq!(session.stats().received.rejected_rtcp, 1);
}

#[test]
fn a_sender_report_tells_the_clock_that_sound_and_picture_meet_by() {
    let now = Instant::now();
    let (mut a, mut b) = (video(0xaaaa, now), video(0xbbbb, now));
    let mut out = Vec::new();
    a.write_rtp(now, 96, 0, true, b"x", &mut out);
    b.handle_rtp(now, &out).unwrap();
    assert_eq!(b.remote_clock(), None);
    let later = now + 5000 * MS;
    a.write_rtp(later, 96, 450_000, true, b"x", &mut out);
    assert!(a.poll_rtcp(later + 2000 * MS, wallclock(7000 * MS), &mut out));
    b.handle_rtcp(later, &out).unwrap();
    let SenderClock { rtp_timestamp, .. } = b.remote_clock().unwrap();
    assert_eq!(rtp_timestamp, 1000 + 450_000 + 180_000);
}

#[test]
fn the_clock_is_of_when_a_picture_was_taken_where_that_is_known_and_not_of_when_it_was_sent() {
    let now = Instant::now();
    let (mut a, mut b) = (video(0xaaaa, now), video(0xbbbb, now));
    let mut out = Vec::new();
    a.write_rtp(now, 96, 0, true, b"x", &mut out);
    b.handle_rtp(now, &out).unwrap();
    let later = now + 5000 * MS;
    a.set_captured(450_000, later - 300 * MS);
    a.write_rtp(later, 96, 450_000, true, b"x", &mut out);
    assert!(a.poll_rtcp(later + 2000 * MS, wallclock(7000 * MS), &mut out));
    b.handle_rtcp(later, &out).unwrap();
    let SenderClock { rtp_timestamp, .. } = b.remote_clock().unwrap();
    assert_eq!(rtp_timestamp, 1000 + 450_000 + 207_000);
    // What is passed on has a clock that is not ours to tell.
    b.write_rtp(now, 96, 0, true, b"x", &mut out);
    let packet = a.handle_rtp(later, &out).unwrap();
    let mut on = video(0xcccc, now);
    on.set_captured(7, now);
    let mut passed = Vec::new();
    assert!(on.forward(later, 1, &packet, 96, &mut passed));
    let sent = sidetone_rtp::WirePacket::parse(&passed).unwrap().timestamp;
    assert!(on.poll_rtcp(later + 2000 * MS, wallclock(7000 * MS), &mut out));
    let Some(Packet::SenderReport { info, .. }) = Compound::parse(&out).unwrap().packets().next() else {
        panic!("no report")
    };
    assert_eq!(info.rtp_timestamp, sent.wrapping_add(180_000));
}

#[test]
fn forwarded_video_keeps_its_markers_where_the_source_changes() {
    let now = Instant::now();
    let (mut from, mut to) = (video(0xaaaa, now), video(0xbbbb, now));
    let mut out = Vec::new();
    let mut markers = Vec::new();
    for (ssrc, sequence) in [(7, 500), (7, 501)] {
        let bytes = typed(96, ssrc, sequence, 9000, b"x");
        let packet = from.handle_rtp(now, &bytes).unwrap();
        assert!(to.forward(now, u64::from(sequence), &packet, 97, &mut out));
        markers.push(out[1] & 0x80 != 0);
    }
    assert_eq!(markers, [false, false]);
}
