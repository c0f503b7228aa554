//! Two sessions, or one and hand-made packets, in virtual time.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{MS, config, packet, session, typed, wallclock};
use sidetone_rtp::rtcp::{
    Compound, Packet, ReportBlock, write_goodbye, write_receiver_report, write_sender_report,
    write_source_description,
};
use sidetone_rtp::{Config, Error, KeepAlive, PayloadClass, PayloadType, Session, WirePacket};

/// A and B with a one-way delay, sending 20 ms of PCMU each.
struct Pair {
    start: Instant,
    now: Instant,
    a: Session,
    b: Session,
    delay: Duration,
    /// (due, to B, bytes)
    air: Vec<(Instant, bool, Vec<u8>)>,
    heard: [usize; 2],
    reports: [Vec<Instant>; 2],
}

impl Pair {
    fn new(delay: Duration) -> Self {
        let now = Instant::now();
        let (a, b) = (session(0xaaaa, now), session(0xbbbb, now));
        let (air, heard, reports) = (Vec::new(), [0; 2], [Vec::new(), Vec::new()]);
        Self { start: now, now, a, b, delay, air, heard, reports }
    }

    /// Runs in steps of 1 ms; `lose` says whether the n-th RTP packet from A is lost.
    fn run(&mut self, time: Duration, sends: [bool; 2], lose: impl Fn(u64) -> bool) {
        let end = self.now + time;
        let mut out = Vec::new();
        while self.now < end {
            let elapsed = self.now - self.start;
            if elapsed.as_millis().is_multiple_of(20) {
                let frame = (elapsed.as_millis() / 20) as u32;
                for (to_b, session) in [(true, &mut self.a), (false, &mut self.b)] {
                    if sends[usize::from(!to_b)] {
                        session.write_rtp(self.now, 0, frame * 160, frame == 0, &[0; 160], &mut out);
                        if !to_b || !lose(u64::from(frame)) {
                            self.air.push((self.now + self.delay, to_b, out.clone()));
                        }
                    }
                }
            }
            for (to_b, session) in [(true, &mut self.a), (false, &mut self.b)] {
                if session.poll_rtcp(self.now, wallclock(elapsed), &mut out) {
                    self.reports[usize::from(!to_b)].push(self.now);
                    self.air.push((self.now + self.delay, to_b, out.clone()));
                }
            }
            let (due, rest) = std::mem::take(&mut self.air).into_iter().partition(|item| item.0 <= self.now);
            self.air = rest;
            let due: Vec<(Instant, bool, Vec<u8>)> = due;
            for (_, to_b, bytes) in due {
                let session = if to_b { &mut self.b } else { &mut self.a };
                if sidetone_rtp::is_rtcp(&bytes) {
                    session.handle_rtcp(self.now, &bytes).unwrap();
                } else if session.handle_rtp(self.now, &bytes).is_ok() {
                    self.heard[usize::from(to_b)] += 1;
                }
            }
            self.now += MS;
        }
    }
}

#[test]
fn both_sides_learn_loss_jitter_and_round_trip_from_reports() {
    let mut pair = Pair::new(35 * MS);
    pair.run(Duration::from_secs(30), [true, true], |frame| frame % 10 == 9);
    let (a, b) = (pair.a.stats(), pair.b.stats());
    assert_eq!(a.sent.packets, 1500);
    assert_eq!(a.sent.octets, 1500 * 160);
    assert!(b.received.lost >= 148 && b.received.lost <= 150, "{}", b.received.lost);
    assert!((0.07..0.12).contains(&b.received.fraction_lost), "{}", b.received.fraction_lost);
    let view = a.remote_view.unwrap();
    assert!((0.07..0.12).contains(&view.fraction_lost) && view.lost > 80, "{view:?}");
    assert_eq!(b.received.jitter, Duration::ZERO);
    for stats in [&a, &b] {
        let round_trip = stats.round_trip.unwrap();
        assert!(round_trip >= 69 * MS && round_trip <= 71 * MS, "{round_trip:?}");
    }
    assert_eq!(b.remote_cname.as_deref(), Some("aaaa@test"));
    assert_eq!((b.remote_ssrc, b.local_ssrc), (Some(0xaaaa), 0xbbbb));
    assert!(b.received.remote_sent.unwrap() > 1000);
    assert_eq!(pair.heard[1] as u64, b.received.packets);
}

#[test]
fn reports_come_about_every_five_seconds_and_at_the_announced_time() {
    let mut pair = Pair::new(5 * MS);
    pair.run(Duration::from_secs(120), [true, true], |_| false);
    for reports in &pair.reports {
        assert!((18..=32).contains(&reports.len()), "{}", reports.len());
        assert!(reports[0] - pair.start < 4 * Duration::from_secs(1));
        for pair in reports.windows(2) {
            let gap = pair[1] - pair[0];
            assert!(gap >= 2000 * MS && gap <= 7000 * MS, "{gap:?}");
        }
    }
}

#[test]
fn poll_timeout_says_when_there_is_something_to_do() {
    let now = Instant::now();
    let mut session = session(1, now);
    let mut out = Vec::new();
    let mut due = session.poll_timeout().unwrap();
    assert!(due > now);
    assert!(!session.poll_rtcp(due - MS, wallclock(Duration::ZERO), &mut out));
    // Reconsideration may put the report off, and then says until when.
    while !session.poll_rtcp(due, wallclock(Duration::ZERO), &mut out) {
        let next = session.poll_timeout().unwrap();
        assert!(next > due);
        due = next;
    }
    assert!(session.poll_timeout().unwrap() > due);
}

#[test]
fn who_sends_media_writes_sender_reports_and_who_does_not_writes_receiver_reports() {
    let mut pair = Pair::new(5 * MS);
    pair.run(Duration::from_secs(30), [true, false], |_| false);
    let mut out = Vec::new();
    assert!(pair.a.goodbye(pair.now, wallclock(Duration::ZERO), None, &mut out));
    let first = Compound::parse(&out).unwrap().packets().next().unwrap();
    assert!(matches!(first, Packet::SenderReport { info, .. } if info.packets == 1500));
    assert!(pair.b.goodbye(pair.now, wallclock(Duration::ZERO), None, &mut out));
    let first = Compound::parse(&out).unwrap().packets().next().unwrap();
    assert!(matches!(first, Packet::ReceiverReport { blocks, .. } if blocks.len() == 1));
}

#[test]
fn a_sender_that_stopped_for_two_intervals_writes_receiver_reports_again() {
    let mut pair = Pair::new(5 * MS);
    pair.run(Duration::from_secs(10), [true, true], |_| false);
    pair.run(Duration::from_secs(25), [false, true], |_| false);
    let mut out = Vec::new();
    assert!(pair.a.goodbye(pair.now, wallclock(Duration::ZERO), None, &mut out));
    let first = Compound::parse(&out).unwrap().packets().next().unwrap();
    assert!(matches!(first, Packet::ReceiverReport { .. }), "{first:?}");
}

#[test]
fn the_timestamp_of_a_sender_report_belongs_to_its_wallclock() {
    let now = Instant::now();
    let mut session = session(1, now);
    let mut out = Vec::new();
    session.write_rtp(now, 0, 1600, false, b"x", &mut out);
    let sent = WirePacket::parse(&out).unwrap().timestamp;
    assert!(session.poll_rtcp(now + 5000 * MS, wallclock(5000 * MS), &mut out));
    let first = Compound::parse(&out).unwrap().packets().next().unwrap();
    let Packet::SenderReport { info, .. } = first else { panic!("{first:?}") };
    assert_eq!(info.rtp_timestamp, sent + 40_000);
    assert_eq!(info.ntp.0 >> 32, 1_700_000_000 + 2_208_988_800 + 5);
}

#[test]
fn goodbye_ends_the_session_once_and_the_peer_knows() {
    let mut pair = Pair::new(5 * MS);
    pair.run(Duration::from_secs(3), [true, true], |_| false);
    let mut out = Vec::new();
    assert!(pair.a.goodbye(pair.now, wallclock(Duration::ZERO), Some("hung up"), &mut out));
    pair.b.handle_rtcp(pair.now, &out).unwrap();
    assert!(pair.b.stats().remote_left);
    assert!(!pair.a.goodbye(pair.now, wallclock(Duration::ZERO), None, &mut out));
    let later = pair.now + Duration::from_secs(60);
    assert!(!pair.a.poll_rtcp(later, wallclock(Duration::ZERO), &mut out));
    assert_eq!(pair.a.poll_timeout(), None);
}

#[test]
fn who_never_sent_anything_says_no_goodbye() {
    let now = Instant::now();
    let mut out = Vec::new();
    assert!(!session(1, now).goodbye(now, wallclock(Duration::ZERO), None, &mut out));
}

#[test]
fn without_rtcp_nothing_is_reported_but_reports_are_read() {
    let now = Instant::now();
    let mut session = Session::new(Config { rtcp: None, ..config(1, 0) }, now, 1);
    let mut out = Vec::new();
    assert_eq!(session.poll_timeout(), None);
    assert!(!session.poll_rtcp(now + Duration::from_secs(99), wallclock(Duration::ZERO), &mut out));
    let block = ReportBlock {
        ssrc: 1,
        fraction_lost: 128,
        cumulative_lost: 7,
        highest_sequence: 0,
        jitter: 80,
        last_sr: 0,
        delay: 0,
    };
    write_receiver_report(2, &[block], &mut out);
    session.handle_rtcp(now, &out).unwrap();
    let view = session.stats().remote_view.unwrap();
    assert_eq!((view.fraction_lost, view.lost, view.jitter), (0.5, 7, 10 * MS));
    assert_eq!(session.stats().round_trip, None);
}

#[test]
fn an_invented_last_report_time_gives_no_round_trip() {
    let now = Instant::now();
    let mut session = session(1, now);
    let mut out = Vec::new();
    session.write_rtp(now, 0, 0, false, b"x", &mut out);
    assert!(session.poll_rtcp(now + 5000 * MS, wallclock(5000 * MS), &mut out));
    let Some(Packet::SenderReport { info, .. }) = Compound::parse(&out).unwrap().packets().next() else {
        panic!("no sender report")
    };
    let mut report = |last_sr: u32, delay: u32| {
        let block = ReportBlock {
            ssrc: 1,
            fraction_lost: 0,
            cumulative_lost: 0,
            highest_sequence: 0,
            jitter: u32::MAX,
            last_sr,
            delay,
        };
        let mut out = Vec::new();
        write_receiver_report(2, &[block], &mut out);
        session.handle_rtcp(now + 5100 * MS, &out).unwrap();
        session.stats().round_trip
    };
    assert_eq!(report(info.ntp.middle() ^ 1, 0), None);
    assert_eq!(report(info.ntp.middle(), 65_536), None);
    let measured = report(info.ntp.middle(), 65_536 / 20).unwrap();
    assert!(measured >= 50 * MS && measured < 51 * MS, "{measured:?}");
}

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

/// Feeds `count` packets 20 ms apart; how many were heard.
fn feed(session: &mut Session, now: &mut Instant, ssrc: u32, first: u16, count: u16) -> usize {
    let mut heard = 0;
    for index in 0..count {
        let bytes = packet(ssrc, first.wrapping_add(index), u32::from(index) * 160, b"x");
        heard += usize::from(session.handle_rtp(*now, &bytes).is_ok());
        *now += 20 * MS;
    }
    heard
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

#[test]
fn a_malformed_compound_is_counted_and_changes_nothing() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    feed(&mut session, &mut now, 2, 0, 10);
    let mut out = Vec::new();
    write_receiver_report(2, &[], &mut out);
    write_source_description(2, "name", &mut out);
    write_goodbye(&[2], None, &mut out);
    out.pop();
    assert!(session.handle_rtcp(now, &out).is_err());
    let stats = session.stats();
    assert_eq!((stats.received.rejected_rtcp, stats.remote_left, stats.remote_cname), (1, false, None));
}

#[test]
fn a_silent_member_is_no_longer_reported() {
    let mut pair = Pair::new(5 * MS);
    pair.run(Duration::from_secs(10), [true, true], |_| false);
    let mut out = Vec::new();
    let mut now = pair.now;
    let mut blocks = 1;
    while now < pair.now + Duration::from_secs(40) {
        now = pair.a.poll_timeout().unwrap();
        if pair.a.poll_rtcp(now, wallclock(Duration::ZERO), &mut out) {
            let first = Compound::parse(&out).unwrap().packets().next().unwrap();
            blocks = match first {
                Packet::SenderReport { blocks, .. } | Packet::ReceiverReport { blocks, .. } => blocks.len(),
                _ => panic!("{first:?}"),
            };
        }
    }
    assert_eq!(blocks, 0);
}

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
fn the_keep_alive_is_sent_only_after_silence() {
    let now = Instant::now();
    let make = |keep_alive| Session::new(Config { keep_alive, rtcp: None, ..config(1, 100) }, now, 1);
    let mut out = vec![1];
    let mut silent = make(KeepAlive::ComfortNoise { payload_type: 13 });
    silent.write_rtp(now, 0, 0, true, b"x", &mut out);
    let due = now + Duration::from_secs(15);
    assert_eq!(silent.poll_timeout(), Some(due));
    assert!(!silent.poll_keep_alive(due - MS, &mut out));
    assert!(silent.poll_keep_alive(due, &mut out));
    let sent = WirePacket::parse(&out).unwrap();
    assert_eq!((sent.payload_type, sent.sequence, sent.payload), (13, 101, &[127][..]));
    assert_eq!(sent.timestamp, 1000 + 15 * 8000);
    assert!(!silent.poll_keep_alive(due, &mut out));

    let mut empty = make(KeepAlive::EmptyDatagram);
    assert!(empty.poll_keep_alive(due, &mut out));
    assert!(out.is_empty());
    let mut unknown = make(KeepAlive::UnknownPayloadType { payload_type: 127 });
    assert!(unknown.poll_keep_alive(due, &mut out));
    assert_eq!(WirePacket::parse(&out).unwrap().payload, b"");
    assert!(!make(KeepAlive::Off).poll_keep_alive(due, &mut out));
}

#[test]
fn new_payload_types_hold_after_a_new_agreement() {
    let now = Instant::now();
    let mut leg = session(1, now);
    let _ = leg.handle_rtp(now, &packet(2, 1, 0, b"x"));
    leg.set_payload_types(&[PayloadType::audio(111, 48_000)]);
    assert_eq!(leg.handle_rtp(now, &packet(2, 2, 0, b"x")), Err(Error::UnknownPayloadType(0)));
    let _ = leg.handle_rtp(now, &typed(111, 2, 3, 0, b"x"));
    let bytes = typed(111, 2, 4, 0, b"x");
    assert_eq!(leg.handle_rtp(now, &bytes).unwrap().clock_rate, 48_000);
}

#[test]
fn a_sender_report_is_answered_with_its_time_and_our_delay() {
    let mut now = Instant::now();
    let mut session = session(1, now);
    feed(&mut session, &mut now, 2, 0, 10);
    let info = sidetone_rtp::rtcp::SenderInfo {
        ntp: sidetone_rtp::NtpTime(0x0000_1234_5678_0000),
        rtp_timestamp: 0,
        packets: 10,
        octets: 10,
    };
    let mut out = Vec::new();
    write_sender_report(2, &info, &[], &mut out);
    session.handle_rtcp(now, &out).unwrap();
    now += 1500 * MS;
    feed(&mut session, &mut now, 2, 10, 1);
    let due = session.poll_timeout().unwrap().max(now);
    let held = due - (now - 1520 * MS);
    let mut report = due;
    while !session.poll_rtcp(report, wallclock(Duration::ZERO), &mut out) {
        report = session.poll_timeout().unwrap();
    }
    let held = held + (report - due);
    let first = Compound::parse(&out).unwrap().packets().next().unwrap();
    let Packet::ReceiverReport { blocks, .. } = first else { panic!("{first:?}") };
    let block = blocks.iter().next().unwrap();
    assert_eq!((block.ssrc, block.last_sr), (2, 0x1234_5678));
    assert_eq!(block.delay, (held.as_nanos() * 65_536 / 1_000_000_000) as u32);
}
