//! Which remote source is heard, and collisions with our own.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{MS, feed, packet, session, typed, wallclock};
use sidetone_rtp::rtcp::{Compound, Packet, write_goodbye, write_receiver_report};
use sidetone_rtp::{Error, PayloadClass, WirePacket};

#[test]
fn a_source_is_heard_from_its_second_packet_in_order_on() {
    let now = Instant::now();
    let mut session = session(1, now);
    assert_eq!(session.handle_rtp(now, &packet(2, 10, 0, b"a")), Err(Error::Probation(2)));
    let second = packet(2, 11, 160, b"b");
    let heard = session.handle_rtp(now, &second).unwrap();
    assert_eq!((heard.sequence, heard.payload, heard.source_changed), (11, &b"b"[..], true));
    assert_eq!((heard.class, heard.clock_rate), (PayloadClass::Audio, 8000));
    let third = packet(2, 12, 320, b"c");
    let next = session.handle_rtp(now, &third).unwrap();
    assert!(!next.source_changed);
    assert_eq!(next.extended_sequence, heard.extended_sequence + 1);
}

#[test]
fn a_peer_that_begins_again_under_another_source_is_heard_within_three_packets() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    assert_eq!(feed(&mut session, &mut now, 2, 0, 50), 49);
    assert!(feed(&mut session, &mut now, 3, 500, 50) >= 48);
    let stats = session.stats();
    assert_eq!((stats.remote_ssrc, stats.received.sources, stats.received.lost), (Some(3), 2, 0));
    assert_eq!(stats.received.packets, stats.received.expected);
}

#[test]
fn a_second_source_beside_a_living_one_is_not_heard() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    feed(&mut session, &mut now, 2, 0, 10);
    for index in 0..100u16 {
        let own = packet(2, 10 + index, 0, b"x");
        assert!(session.handle_rtp(now, &own).is_ok());
        for other in 0..3 {
            let intruder = packet(9, index * 3 + other, 0, b"y");
            assert_eq!(session.handle_rtp(now, &intruder), Err(Error::Probation(9)));
        }
        now += 20 * MS;
    }
    assert_eq!(session.stats().remote_ssrc, Some(2));
}

#[test]
fn an_announced_change_is_taken_at_once() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    feed(&mut session, &mut now, 2, 0, 10);
    now -= 19 * MS;
    session.expect_new_source(now);
    assert!(session.handle_rtp(now, &packet(3, 7, 0, b"x")).is_err());
    assert!(session.handle_rtp(now, &packet(3, 8, 160, b"x")).is_ok());
}

#[test]
fn after_a_bye_another_source_is_taken_at_once() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    feed(&mut session, &mut now, 2, 0, 10);
    let mut out = Vec::new();
    write_receiver_report(2, &[], &mut out);
    write_goodbye(&[2], None, &mut out);
    session.handle_rtcp(now, &out).unwrap();
    assert!(session.stats().remote_left);
    assert!(session.handle_rtp(now, &packet(3, 7, 0, b"x")).is_err());
    assert!(session.handle_rtp(now, &packet(3, 8, 160, b"x")).is_ok());
    assert!(!session.stats().remote_left);
}

#[test]
fn a_bye_of_a_stranger_changes_nothing() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    feed(&mut session, &mut now, 2, 0, 10);
    let mut out = Vec::new();
    write_receiver_report(5, &[], &mut out);
    write_goodbye(&[5, 1], None, &mut out);
    session.handle_rtcp(now, &out).unwrap();
    assert!(!session.stats().remote_left);
}

#[test]
fn a_source_that_restarts_its_sequence_is_told_as_changed() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    feed(&mut session, &mut now, 2, 0, 10);
    assert_eq!(session.handle_rtp(now, &packet(2, 30_000, 0, b"x")), Err(Error::SequenceJump(30_000)));
    let bytes = packet(2, 30_001, 0, b"x");
    assert!(session.handle_rtp(now, &bytes).unwrap().source_changed);
    assert_eq!(session.stats().received.packets, 10);
    assert_eq!(session.stats().received.lost, 0);
}

#[test]
fn unknown_payload_types_and_empty_payloads_are_not_heard_and_not_lost() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    feed(&mut session, &mut now, 2, 0, 10);
    assert_eq!(session.handle_rtp(now, &typed(77, 2, 10, 0, b"x")), Err(Error::UnknownPayloadType(77)));
    assert_eq!(session.handle_rtp(now, &typed(0, 2, 11, 0, b"")), Err(Error::EmptyPayload));
    assert!(session.handle_rtp(now, &typed(13, 2, 12, 0, b"x")).is_ok());
    assert_eq!(session.stats().received.lost, 0);
    assert_eq!(session.handle_rtp(now, &typed(77, 9, 10, 0, b"x")), Err(Error::UnknownPayloadType(77)));
}

#[test]
fn telephone_events_do_not_count_as_jitter() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    feed(&mut session, &mut now, 2, 0, 10);
    for index in 0..20u16 {
        session.handle_rtp(now, &typed(101, 2, 10 + index, 1600, &[1, 0, 0, 1])).unwrap();
        now += 20 * MS;
    }
    let bytes = packet(2, 30, 30 * 160, b"x");
    session.handle_rtp(now, &bytes).unwrap();
    assert_eq!(session.stats().received.jitter, Duration::ZERO);
}

#[test]
fn a_collision_makes_us_take_another_source_and_say_goodbye_to_the_old_one() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    let mut out = Vec::new();
    session.write_rtp(now, 0, 0, false, b"x", &mut out);
    assert_eq!(session.handle_rtp(now, &packet(1, 500, 0, b"x")), Err(Error::OwnSource(1)));
    let ssrc = session.stats().local_ssrc;
    assert_ne!(ssrc, 1);
    assert!(session.poll_timeout().unwrap() <= now);
    assert!(session.poll_rtcp(now, wallclock(Duration::ZERO), &mut out));
    let left: Vec<u32> = Compound::parse(&out)
        .unwrap()
        .packets()
        .find_map(|packet| match packet {
            Packet::Goodbye(goodbye) => Some(goodbye.sources().collect()),
            _ => None,
        })
        .unwrap();
    assert_eq!(left, [1]);
    assert!(!session.poll_rtcp(now, wallclock(Duration::ZERO), &mut out));
    now += 20 * MS;
    session.write_rtp(now, 0, 160, false, b"x", &mut out);
    assert_eq!(WirePacket::parse(&out).unwrap().ssrc, ssrc);
    assert_eq!(session.stats().sent.packets, 2);
}

#[test]
fn a_reflector_that_returns_our_packets_is_heard() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    let mut heard = 0;
    let mut out = Vec::new();
    for frame in 0..50u32 {
        session.write_rtp(now, 0, frame * 160, false, b"x", &mut out);
        heard += usize::from(session.handle_rtp(now + 5 * MS, &out).is_ok());
        now += 20 * MS;
    }
    assert!(heard >= 47, "{heard}");
    let stats = session.stats();
    assert!(stats.reflected);
    assert_eq!(stats.remote_ssrc, Some(stats.local_ssrc));
}

#[test]
fn reflected_reports_say_nothing_about_the_peer() {
    let now = Instant::now();
    let mut session = session(1, now);
    let mut out = Vec::new();
    session.write_rtp(now, 0, 0, false, b"x", &mut out);
    assert!(session.poll_rtcp(now + 5000 * MS, wallclock(Duration::ZERO), &mut out));
    session.handle_rtcp(now + 5010 * MS, &out).unwrap();
    assert_eq!(session.stats().remote_view, None);
    assert_eq!(session.stats().remote_cname, None);
}
