//! Two sessions, or one and hand-made packets, in virtual time.
#![allow(clippy::unwrap_used)]

mod common;

use std::time::{Duration, Instant};

use common::{MS, config, feed, packet, session, typed, wallclock};
use sidetone_rtp::rtcp::{
    Compound, Packet, ReportBlock, write_goodbye, write_receiver_report, write_sender_report,
    write_source_description,
};
use sidetone_rtp::{Config, Error, KeepAlive, PayloadType, Session, WirePacket};

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
