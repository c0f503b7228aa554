//! Vectors for the algorithms of RFC 3550 appendix A.

use std::time::{Duration, Instant};

use super::interval::{Interval, Members};
use super::jitter::Jitter;
use super::sequence::{Sequence, Step};
use fastrand::Rng;

fn valid(first: u16) -> Sequence {
    let mut sequence = Sequence::new(first.wrapping_sub(1));
    assert!(matches!(sequence.update(first), Step::Started(_)));
    sequence
}

#[test]
fn a_source_is_valid_after_two_packets_in_order() {
    let mut sequence = Sequence::new(100);
    assert_eq!(sequence.update(102), Step::Probation);
    assert_eq!(sequence.update(104), Step::Probation);
    assert_eq!(sequence.update(105), Step::Started(65_536 + 105));
    assert_eq!((sequence.received(), sequence.expected(), sequence.lost()), (1, 1, 0));
}

#[test]
fn loss_is_counted_over_the_wrap() {
    let mut sequence = valid(65_530);
    let missing = [65_533, 65_535, 2];
    for step in 1..=16u16 {
        let number = 65_530u16.wrapping_add(step);
        if !missing.contains(&number) {
            assert!(matches!(sequence.update(number), Step::Valid(_)));
        }
    }
    assert_eq!((sequence.expected(), sequence.received(), sequence.lost()), (17, 14, 3));
    assert_eq!(sequence.highest_reported(), 65_536 + 10);
    assert_eq!(sequence.take_fraction(), (3 * 256 / 17) as u8);
    assert_eq!(sequence.take_fraction(), 0);
    for number in [11, 13, 15, 17] {
        sequence.update(number);
    }
    assert_eq!(sequence.take_fraction(), (3 * 256 / 7) as u8);
}

#[test]
fn reordered_packets_keep_their_extended_numbers_over_the_wrap() {
    let mut sequence = valid(65_534);
    assert_eq!(sequence.update(1), Step::Valid(2 * 65_536 + 1));
    assert_eq!(sequence.update(65_535), Step::Valid(65_536 + 65_535));
    assert_eq!(sequence.update(0), Step::Valid(2 * 65_536));
    assert_eq!(sequence.update(2), Step::Valid(2 * 65_536 + 2));
    assert_eq!(sequence.lost(), 0);
}

#[test]
fn a_packet_from_before_the_first_has_a_number_too() {
    let mut sequence = valid(0);
    assert_eq!(sequence.update(65_535), Step::Valid(65_535));
    assert_eq!(sequence.lost(), -1);
}

#[test]
fn duplicates_make_the_loss_negative_and_the_fraction_zero() {
    let mut sequence = valid(10);
    for _ in 0..3 {
        sequence.update(10);
    }
    assert_eq!(sequence.lost(), -3);
    assert_eq!(sequence.take_fraction(), 0);
}

#[test]
fn a_far_number_counts_only_when_the_next_one_follows() {
    let mut sequence = valid(10);
    assert_eq!(sequence.update(10 + 2999), Step::Valid(65_536 + 3009));
    assert_eq!(sequence.update(3009 + 3000), Step::Jump);
    assert_eq!(sequence.update(40_000), Step::Jump);
    assert_eq!(sequence.update(40_002), Step::Jump);
    assert_eq!(sequence.update(3010), Step::Valid(65_536 + 3010));
    assert_eq!(sequence.update(50_000), Step::Jump);
    assert_eq!(sequence.update(50_001), Step::Started(65_536 + 50_001));
    assert_eq!(sequence.lost(), 0);
}

/// |D| is 0, 40, 40, 0, 240, 80 units; sixteen times J, by hand: 0, 40, 77, 72, 307, 368.
#[test]
fn jitter_follows_appendix_a_8() {
    let start = Instant::now();
    let mut jitter = Jitter::default();
    let vector = [(0u64, 0), (20, 0), (45, 2), (60, 4), (80, 4), (130, 19), (140, 23)];
    for (index, (arrival, expected)) in vector.into_iter().enumerate() {
        jitter.update(start + Duration::from_millis(arrival), 160 * index as u32, 8000);
        assert_eq!(jitter.units(), expected, "packet {index}");
    }
    assert_eq!(jitter.duration(), Duration::from_micros(2875));
}

#[test]
fn jitter_stands_at_zero_for_a_steady_stream_over_the_timestamp_wrap() {
    let start = Instant::now();
    let mut jitter = Jitter::default();
    for index in 0..200u32 {
        let timestamp = (u32::MAX - 5000).wrapping_add(960 * index);
        jitter.update(start + Duration::from_millis(20) * index, timestamp, 48_000);
    }
    assert_eq!(jitter.units(), 0);
}

#[test]
fn a_leap_of_the_timestamp_is_no_jitter() {
    let start = Instant::now();
    let mut jitter = Jitter::default();
    jitter.update(start, 0, 8000);
    jitter.update(start, 0x7000_0000, 8000);
    jitter.update(start, 0, 8000);
    assert_eq!(jitter.units(), 0);
}

fn interval(seed: u64) -> (Interval, Instant) {
    let now = Instant::now();
    (Interval::new(now, 400.0, Duration::from_secs(5), Rng::with_seed(seed)), now)
}

const BOTH: Members = Members { members: 2, senders: 2, we_sent: true };

#[test]
fn the_first_report_comes_after_half_the_interval_spread_by_a_half() {
    for seed in 0..200 {
        let (interval, now) = interval(seed);
        let wait = interval.next() - now;
        let computed = Duration::from_millis(2500).div_f64(std::f64::consts::E - 1.5);
        assert!(wait >= computed.mul_f64(0.5) && wait <= computed.mul_f64(1.5), "{wait:?}");
    }
}

#[test]
fn report_times_average_the_interval_under_reconsideration() {
    let (mut interval, mut now) = interval(7);
    let start = now;
    let mut reports = 0;
    while reports < 400 {
        now = interval.next();
        if interval.expire(now, BOTH) {
            interval.sent(now, 80, BOTH);
            reports += 1;
        }
    }
    let mean = (now - start).as_secs_f64() / f64::from(reports);
    assert!((4.5..5.5).contains(&mean), "{mean}");
}

#[test]
fn little_bandwidth_stretches_the_interval() {
    let now = Instant::now();
    let interval = Interval::new(now, 10.0, Duration::from_secs(5), Rng::with_seed(1));
    // 128 bytes on average, two members, 10 bytes per second.
    assert_eq!(interval.deterministic(BOTH), Duration::from_secs_f64(25.6));
    let listeners = Members { members: 9, senders: 1, we_sent: false };
    assert_eq!(interval.deterministic(listeners), Duration::from_secs_f64(128.0 * 8.0 / 7.5));
}

#[test]
fn a_member_that_leaves_brings_the_next_report_nearer() {
    let (mut interval, now) = interval(3);
    assert!(!interval.expire(now, BOTH));
    interval.sent(now, 80, BOTH);
    let wait = interval.next() - now;
    interval.left(now, 1);
    assert_eq!(interval.next() - now, wait / 2);
}
