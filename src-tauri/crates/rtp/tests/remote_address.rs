//! Symmetric RTP with protection.
#![allow(clippy::unwrap_used, clippy::expect_used)]

mod common;

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use common::{MS, packet};
use sidetone_rtp::{Latching, RemoteAddress, Verdict};

fn at(text: &str) -> SocketAddr {
    text.parse().expect(text)
}

const SIGNALLED: &str = "192.0.2.10:4000";
const SIGNALLED_RTCP: &str = "192.0.2.10:4001";
const OTHER_PORT: &str = "192.0.2.10:61000";
const NAT: &str = "203.0.113.5:30000";
const ATTACKER: &str = "198.51.100.66:9";

struct Setup {
    remote: RemoteAddress,
    now: Instant,
}

fn setup(latching: Latching) -> Setup {
    let remote = RemoteAddress::new(latching, Some(at(SIGNALLED)), Some(at(SIGNALLED_RTCP)));
    Setup { remote, now: Instant::now() }
}

impl Setup {
    fn rtp(&mut self, from: &str, ssrc: u32, sequence: u16) -> Verdict {
        self.now += 20 * MS;
        self.remote.handle_rtp(self.now, at(from), &packet(ssrc, sequence, 0, b"x"))
    }

    fn accepted(&mut self, from: &str, ssrc: u32, sequences: std::ops::Range<u16>) -> usize {
        sequences.filter(|sequence| self.rtp(from, ssrc, *sequence) == Verdict::Accept).count()
    }

    fn target(&self) -> Option<SocketAddr> {
        self.remote.rtp()
    }
}

#[test]
fn the_signalled_address_is_heard_at_once() {
    let mut setup = setup(Latching::On);
    assert_eq!(setup.target(), Some(at(SIGNALLED)));
    assert_eq!(setup.accepted(SIGNALLED, 1, 0..5), 5);
    assert_eq!(setup.target(), Some(at(SIGNALLED)));
}

#[test]
fn a_peer_behind_a_nat_is_latched_after_four_packets_in_order() {
    let mut setup = setup(Latching::On);
    assert_eq!(setup.accepted(NAT, 1, 10..13), 0);
    assert_eq!(setup.target(), Some(at(SIGNALLED)));
    assert_eq!(setup.rtp(NAT, 1, 13), Verdict::Accept);
    assert_eq!(setup.target(), Some(at(NAT)));
    assert_eq!(setup.remote.rtcp(), Some(at("203.0.113.5:4001")));
}

#[test]
fn another_port_of_the_signalled_host_is_latched_after_two() {
    let mut setup = setup(Latching::On);
    assert_eq!(setup.accepted(OTHER_PORT, 1, 10..12), 1);
    assert_eq!(setup.target(), Some(at(OTHER_PORT)));
}

#[test]
fn packets_out_of_order_or_of_several_sources_do_not_latch() {
    let mut setup = setup(Latching::On);
    for round in 0..50u16 {
        assert_eq!(setup.rtp(ATTACKER, u32::from(round), 5), Verdict::Reject);
        assert_eq!(setup.rtp(ATTACKER, 7, round * 2), Verdict::Reject);
    }
    assert_eq!(setup.target(), Some(at(SIGNALLED)));
}

#[test]
fn once_latched_no_other_address_is_heard_while_the_stream_goes_on() {
    let mut setup = setup(Latching::On);
    setup.accepted(NAT, 1, 0..4);
    for step in 0..300 {
        assert_eq!(setup.rtp(NAT, 1, 4 + step), Verdict::Accept);
        assert_eq!(setup.rtp(ATTACKER, 1, 4 + step), Verdict::Reject);
        assert_eq!(setup.rtp(ATTACKER, 9, step), Verdict::Reject);
    }
    assert_eq!(setup.target(), Some(at(NAT)));
}

#[test]
fn the_signalled_address_takes_over_with_its_first_packet() {
    let mut setup = setup(Latching::On);
    setup.accepted(ATTACKER, 1, 0..4);
    assert_eq!(setup.target(), Some(at(ATTACKER)));
    assert_eq!(setup.rtp(SIGNALLED, 2, 0), Verdict::Accept);
    assert_eq!(setup.target(), Some(at(SIGNALLED)));
    assert_eq!(setup.rtp(ATTACKER, 1, 4), Verdict::Reject);
}

#[test]
fn a_rebound_nat_is_followed_when_the_same_stream_goes_on_after_half_a_second() {
    let mut setup = setup(Latching::On);
    setup.accepted(NAT, 1, 0..10);
    let rebound = "203.0.113.5:30001";
    setup.now += Duration::from_millis(500);
    assert_eq!(setup.accepted(rebound, 2, 40..50), 0);
    assert_eq!(setup.accepted(rebound, 1, 40_000..40_010), 0);
    assert_eq!(setup.accepted(rebound, 1, 35..39), 1);
    assert_eq!(setup.target(), Some(at(rebound)));
}

#[test]
fn another_stream_is_followed_only_after_five_seconds_of_silence() {
    let mut setup = setup(Latching::On);
    setup.accepted(NAT, 1, 0..10);
    let elsewhere = "203.0.113.99:7";
    assert_eq!(setup.accepted(elsewhere, 2, 0..240), 0);
    assert_eq!(setup.accepted(elsewhere, 2, 240..260), 11);
    assert_eq!(setup.target(), Some(at(elsewhere)));
}

#[test]
fn a_new_signalled_address_is_used_at_once_and_the_old_stream_is_heard_until_then() {
    let mut setup = setup(Latching::On);
    setup.accepted(SIGNALLED, 1, 0..10);
    let moved = "192.0.2.77:5000";
    setup.remote.signal(Some(at(moved)), Some(at("192.0.2.77:5001")));
    assert_eq!(setup.target(), Some(at(moved)));
    assert_eq!(setup.remote.rtcp(), Some(at("192.0.2.77:5001")));
    assert_eq!(setup.rtp(SIGNALLED, 1, 10), Verdict::Accept);
    assert_eq!(setup.target(), Some(at(moved)));
    assert_eq!(setup.rtp(moved, 2, 0), Verdict::Accept);
    assert_eq!(setup.rtp(SIGNALLED, 1, 11), Verdict::Reject);
}

#[test]
fn a_refresh_with_the_same_address_keeps_what_is_latched() {
    let mut setup = setup(Latching::On);
    setup.accepted(NAT, 1, 0..4);
    setup.remote.signal(Some(at(SIGNALLED)), Some(at(SIGNALLED_RTCP)));
    assert_eq!(setup.target(), Some(at(NAT)));
}

#[test]
fn without_a_signalled_address_nothing_is_sent_and_nothing_latches() {
    let mut setup = setup(Latching::On);
    setup.accepted(SIGNALLED, 1, 0..4);
    setup.remote.signal(None, None);
    assert_eq!((setup.remote.rtp(), setup.remote.rtcp()), (None, None));
    assert_eq!(setup.rtp(SIGNALLED, 1, 4), Verdict::Accept);
    assert_eq!(setup.accepted(ATTACKER, 5, 0..10), 0);
}

#[test]
fn latching_off_hears_the_signalled_address_alone() {
    let mut setup = setup(Latching::Off);
    assert_eq!(setup.accepted(OTHER_PORT, 1, 0..10), 0);
    assert_eq!(setup.accepted(SIGNALLED, 1, 0..10), 10);
    assert_eq!(setup.remote.handle_rtcp(at(OTHER_PORT)), Verdict::Reject);
    assert_eq!(setup.remote.handle_rtcp(at(SIGNALLED_RTCP)), Verdict::Accept);
}

#[test]
fn what_is_no_rtp_does_not_latch() {
    let mut setup = setup(Latching::On);
    for _ in 0..10 {
        assert_eq!(setup.remote.handle_rtp(setup.now, at(NAT), b"\x00\x01stun or junk"), Verdict::Reject);
    }
}

#[test]
fn rtcp_is_heard_from_the_host_of_the_media_and_answered_to_its_port() {
    let mut setup = setup(Latching::On);
    assert_eq!(setup.remote.handle_rtcp(at(ATTACKER)), Verdict::Reject);
    assert_eq!(setup.remote.rtcp(), Some(at(SIGNALLED_RTCP)));
    setup.accepted(NAT, 1, 0..4);
    assert_eq!(setup.remote.handle_rtcp(at("203.0.113.5:31111")), Verdict::Accept);
    assert_eq!(setup.remote.rtcp(), Some(at("203.0.113.5:31111")));
}

#[test]
fn rtcp_on_the_rtp_port_follows_it() {
    let mut remote = RemoteAddress::new(Latching::On, Some(at(SIGNALLED)), Some(at(SIGNALLED)));
    let now = Instant::now();
    for sequence in 0..4 {
        remote.handle_rtp(now, at(NAT), &packet(1, sequence, 0, b"x"));
    }
    assert_eq!(remote.rtcp(), Some(at(NAT)));
}

#[test]
fn an_ipv4_address_mapped_into_ipv6_is_the_same_address() {
    let mut setup = setup(Latching::Off);
    assert_eq!(setup.rtp("[::ffff:192.0.2.10]:4000", 1, 0), Verdict::Accept);
    assert_eq!(setup.target(), Some(at(SIGNALLED)));
}
