//! The outgoing stream: local media, forwarded packets and events in one sequence and timeline.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::Instant;

use common::{MS, packet, session, typed};
use sidetone_rtp::{PayloadClass, PayloadType, Session, WirePacket};

fn sequence_and_timestamp(bytes: &[u8]) -> (u16, u32) {
    let packet = WirePacket::parse(bytes).unwrap();
    (packet.sequence, packet.timestamp)
}

/// A far session that hears `ssrc`, for making packets to forward.
fn upstream(now: Instant, ssrc: u32, sequence: u16) -> Session {
    let mut upstream = session(0xffff, now);
    let _ = upstream.handle_rtp(now, &packet(ssrc, sequence.wrapping_sub(1), 0, b"x"));
    upstream
}

#[test]
fn forwarded_packets_keep_gaps_and_order_and_join_without_a_gap() {
    let mut now = Instant::now();
    let mut leg = session(1, now);
    let mut out = Vec::new();
    leg.write_rtp(now, 0, 0, true, b"own", &mut out);
    assert_eq!(sequence_and_timestamp(&out), (100, 1000));
    now += 20 * MS;
    let mut first = upstream(now, 5, 65_534);
    let mut sent = Vec::new();
    for (sequence, timestamp) in [(65_534u16, 90_000u32), (65_535, 90_160), (2, 90_640), (1, 90_480)] {
        let bytes = packet(5, sequence, timestamp, b"x");
        let heard = first.handle_rtp(now, &bytes).unwrap();
        assert!(leg.forward(now, 1, &heard, 0, &mut out));
        let marker = WirePacket::parse(&out).unwrap().marker;
        sent.push((sequence_and_timestamp(&out), marker));
        now += 20 * MS;
    }
    let expected = [((101, 1160), true), ((102, 1320), false), ((105, 1800), false), ((104, 1640), false)];
    assert_eq!(sent, expected);

    let mut second = upstream(now, 6, 7);
    let bytes = packet(6, 7, 4_000_000, b"y");
    let heard = second.handle_rtp(now, &bytes).unwrap();
    assert!(leg.forward(now, 2, &heard, 8, &mut out));
    let joined = WirePacket::parse(&out).unwrap();
    assert_eq!((joined.sequence, joined.payload_type, joined.marker), (106, 8, true));
    assert_eq!(joined.timestamp, 1800 + 2 * 160);
    let late = packet(6, 6, 4_000_000 - 160, b"y");
    let heard = second.handle_rtp(now, &late).unwrap();
    assert!(!leg.forward(now, 2, &heard, 8, &mut out), "a packet from before the join has no place");

    now += 20 * MS;
    leg.write_rtp(now, 0, 55_555, true, b"own", &mut out);
    assert_eq!(sequence_and_timestamp(&out), (107, 1800 + 3 * 160));
    leg.write_rtp(now, 0, 55_715, false, b"own", &mut out);
    assert_eq!(sequence_and_timestamp(&out), (108, 1800 + 4 * 160));
}

#[test]
fn an_event_between_forwarded_packets_takes_a_number_and_shifts_the_rest() {
    let mut now = Instant::now();
    let mut leg = session(1, now);
    let mut source = upstream(now, 5, 10);
    let mut out = Vec::new();
    let mut forward = |leg: &mut Session, now: Instant, sequence: u16| {
        let bytes = packet(5, sequence, u32::from(sequence) * 160, b"x");
        let heard = source.handle_rtp(now, &bytes).unwrap();
        let written = leg.forward(now, 1, &heard, 0, &mut out);
        written.then(|| sequence_and_timestamp(&out))
    };
    assert_eq!(forward(&mut leg, now, 10), Some((100, 1000)));
    assert_eq!(forward(&mut leg, now, 12), Some((102, 1320)));
    now += 20 * MS;
    let mut event = Vec::new();
    let timestamp = leg.timestamp(now);
    leg.write_between(now, 101, timestamp, true, &[1, 0, 0, 160], &mut event);
    assert_eq!(sequence_and_timestamp(&event), (103, 1480));
    assert_eq!(forward(&mut leg, now, 11), None);
    assert_eq!(forward(&mut leg, now, 13), Some((104, 1480)));
    assert_eq!(forward(&mut leg, now, 14), Some((105, 1640)));
}

#[test]
fn a_forwarded_marker_and_telephone_event_are_kept() {
    let now = Instant::now();
    let mut leg = session(1, now);
    let mut source = upstream(now, 5, 10);
    let mut out = Vec::new();
    let audio = packet(5, 10, 0, b"x");
    leg.forward(now, 1, &source.handle_rtp(now, &audio).unwrap(), 0, &mut out);
    let mut event = typed(101, 5, 11, 160, &[5, 0x8a, 1, 2]);
    event[1] |= 0x80;
    leg.forward(now, 1, &source.handle_rtp(now, &event).unwrap(), 110, &mut out);
    let sent = WirePacket::parse(&out).unwrap();
    assert_eq!((sent.payload_type, sent.marker, sent.payload), (110, true, &[5, 0x8a, 1, 2][..]));
}

#[test]
fn events_in_the_local_stream_do_not_move_its_timeline() {
    let mut now = Instant::now();
    let mut leg = session(1, now);
    let mut out = Vec::new();
    leg.write_rtp(now, 0, 0, true, b"x", &mut out);
    for _ in 0..10 {
        now += 20 * MS;
        leg.write_rtp(now, 101, 160, false, &[1, 10, 0, 0], &mut out);
        assert_eq!(WirePacket::parse(&out).unwrap().timestamp, 1160);
    }
    assert_eq!(leg.timestamp(now), 1000 + 10 * 160);
}

#[test]
fn local_media_that_begins_anew_goes_on_in_the_timeline() {
    let mut now = Instant::now();
    let mut leg = session(1, now);
    let mut out = Vec::new();
    for frame in 0..50 {
        leg.write_rtp(now, 0, frame * 160, false, b"x", &mut out);
        now += 20 * MS;
    }
    leg.write_rtp(now, 96, 0, true, b"x", &mut out);
    assert_eq!(sequence_and_timestamp(&out), (150, 1000 + 50 * 160));
    leg.write_rtp(now, 96, 960, false, b"x", &mut out);
    assert_eq!(sequence_and_timestamp(&out), (151, 1000 + 50 * 160 + 960));
}

#[test]
fn a_number_may_mean_another_format_in_each_direction() {
    let mut now = Instant::now();
    let mut leg = session(1, now);
    leg.set_send_types(&[PayloadType::audio(101, 48_000)]);
    let mut out = Vec::new();
    leg.write_rtp(now, 101, 0, true, b"x", &mut out);
    now += 20 * MS;
    assert_eq!(leg.timestamp(now), 1000 + 960);
    let _ = leg.handle_rtp(now, &typed(101, 2, 1, 0, &[1, 0, 0, 1]));
    let event = typed(101, 2, 2, 0, &[1, 0, 0, 1]);
    let heard = leg.handle_rtp(now, &event).unwrap();
    assert_eq!((heard.class, heard.clock_rate), (PayloadClass::TelephoneEvent, 8000));
}
