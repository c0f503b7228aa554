use std::time::{Duration, Instant};

use rtc::rtcp::transport_feedbacks::transport_layer_cc::TransportLayerCc;
use rtc::shared::marshal::{Marshal as _, Unmarshal as _};

use super::arrivals::Arrivals;
use super::departures::Departures;
use super::log::{Arrival, Log};
use super::queue::Queue;
use super::sequence::Unwrap;

const MS: Duration = Duration::from_millis(1);

#[test]
fn numbers_are_counted_on_over_their_end_and_back() {
    let mut unwrap = Unwrap::default();
    let numbers: Vec<u64> = [65_534, 65_535, 0, 65_533, 2, 1].map(|number| unwrap.unwrap(number)).to_vec();
    assert_eq!(numbers, [131_070, 131_071, 131_072, 131_069, 131_074, 131_073]);
}

#[test]
fn what_is_missing_is_asked_for_at_the_next_tick_then_later_and_ten_times_at_most() {
    let begun = Instant::now();
    let mut log = Log::new(true);
    assert_eq!(log.record(begun, 65_535), Arrival::New);
    assert_eq!(log.record(begun, 2), Arrival::New);
    assert!(log.handle_timeout(begun + 19 * MS, None).sequences.is_empty());
    assert_eq!(log.handle_timeout(begun + 20 * MS, None).sequences, [0, 1]);
    assert_eq!(log.record(begun + 30 * MS, 0), Arrival::Late);
    assert_eq!(log.record(begun + 31 * MS, 0), Arrival::Again);
    let (mut times, mut lost) = (Vec::new(), 0);
    for at in (40..3_000).step_by(20) {
        let requests = log.handle_timeout(begun + at * MS, None);
        lost += requests.lost;
        if !requests.sequences.is_empty() {
            assert_eq!(requests.sequences, [1]);
            times.push(at);
        }
    }
    assert_eq!(times.len(), 9, "{times:?}");
    assert_eq!(times[..3], [60, 100, 180]);
    assert_eq!((lost, log.nacked, log.nacks, log.lost), (1, 2, 11, 1));
    assert_eq!(log.poll_timeout(), None);
}

#[test]
fn nothing_is_asked_for_again_before_an_answer_can_be_there() {
    let begun = Instant::now();
    let mut log = Log::new(true);
    log.record(begun, 10);
    log.record(begun, 12);
    let far = Some(200 * MS);
    assert_eq!(log.handle_timeout(begun + 20 * MS, far).sequences, [11]);
    assert!(log.handle_timeout(begun + 220 * MS, far).sequences.is_empty());
    assert_eq!(log.handle_timeout(begun + 240 * MS, far).sequences, [11]);
}

#[test]
fn what_a_full_path_would_take_too_long_to_send_again_is_given_up_once() {
    // 50 packets a second come; then 14 are missing of 20, which take 280 ms.
    let missing = |waits: Duration| {
        let begun = Instant::now();
        let mut log = Log::new(true);
        for number in 0..50 {
            log.record(begun + u32::from(number) * 20 * MS, number);
        }
        log.set_queue(waits);
        log.record(begun + 1_000 * MS, 64);
        let first = log.handle_timeout(begun + 1_020 * MS, None);
        log.record(begun + 1_040 * MS, 80);
        (first, log.handle_timeout(begun + 1_060 * MS, None), log.lost)
    };
    let (first, second, lost) = missing(500 * MS);
    assert_eq!((first.sequences.len(), first.lost), (0, 14));
    assert_eq!((second.sequences.len(), second.lost), (15, 0), "the key frame is repaired");
    assert_eq!(lost, 14);
    let (first, _, lost) = missing(100 * MS);
    assert_eq!((first.sequences.len(), first.lost, lost), (14, 0, 0), "a path with room carries both");
}

#[test]
fn nothing_is_asked_for_again_while_its_answer_waits_in_a_queue_on_the_path() {
    let begun = Instant::now();
    let mut log = Log::new(true);
    log.record(begun, 10);
    log.record(begun, 12);
    log.set_queue(480 * MS);
    assert_eq!(log.handle_timeout(begun + 20 * MS, None).sequences, [11]);
    let (mut times, mut lost) = (Vec::new(), 0);
    for at in (40..4_000).step_by(20) {
        let requests = log.handle_timeout(begun + at * MS, None);
        lost += requests.lost;
        times.extend(requests.sequences.iter().map(|_| at));
    }
    assert_eq!((times, lost), (vec![520, 1_020, 1_520], 1));
}

#[test]
fn a_queue_is_as_long_as_pictures_are_later_than_before() {
    let begun = Instant::now();
    let mut queue = Queue::default();
    let picture = |queue: &mut Queue, number: u32, late: u32| {
        let at = begun + (40 * number + late) * MS;
        // The timestamps come round, and a picture's later packets say nothing.
        let timestamp = (u32::MAX - 36_000).wrapping_add(3_600 * number);
        queue.arrived(at, timestamp, 90_000);
        queue.arrived(at + 30 * MS, timestamp, 90_000);
        queue.wait().as_millis()
    };
    let near = |wait: u128, wanted: u128| assert!(wait.abs_diff(wanted) < 5, "{wait} ms, not {wanted}");
    for number in 0..600 {
        near(picture(&mut queue, number, number % 5), (number % 5).into());
    }
    for number in 600..700 {
        near(picture(&mut queue, number, 5 * (number - 600)), (5 * (number - 600)).into());
    }
    near(picture(&mut queue, 700, 0), 0);
    // A path that has become longer is no queue after a while.
    for number in 701..1_400 {
        picture(&mut queue, number, 300);
    }
    near(picture(&mut queue, 1_400, 300), 0);
    // Another clock.
    queue.arrived(begun + 60_000 * MS, 5, 90_000);
    assert_eq!(queue.wait(), Duration::ZERO);
}

/// A far end that answers after `takes`, on a path that keeps order: how often each of 40 lost packets is asked for.
fn requests_where_answers_take(takes: Duration, is_lost: impl Fn(u64) -> bool) -> Vec<u64> {
    let begun = Instant::now();
    let mut log = Log::new(true);
    let (mut answers, mut sent) = (Vec::new(), 0_u64);
    let mut counts = Vec::new();
    for ms in 0..16_000_u64 {
        let now = begun + Duration::from_millis(ms);
        // A packet every 20 ms, of which one in 20 is lost.
        if ms % 20 == 0 {
            let number = ms / 20;
            if number % 20 == 7 {
                counts.push(0);
            } else {
                log.record(now, number as u16);
            }
        }
        for number in log.handle_timeout(now, None).sequences {
            counts[usize::from(number) / 20] += 1;
            sent += 1;
            if !is_lost(sent) {
                answers.push((now + takes, number));
            }
        }
        while answers.first().is_some_and(|(at, _)| *at <= now) {
            log.record_repair(now, answers.remove(0).1);
        }
    }
    counts
}

#[test]
fn a_far_end_that_answers_slowly_is_soon_asked_once_for_each() {
    for takes in [5, 45, 70, 120] {
        let counts = requests_where_answers_take(takes * MS, |_| false);
        assert_eq!(counts.len(), 40);
        assert!(counts[4..].iter().all(|count| *count == 1), "answers after {takes} ms: {counts:?}");
    }
}

#[test]
fn an_answer_that_is_lost_costs_one_more_request_and_no_freeze() {
    let counts = requests_where_answers_take(5 * MS, |sent| sent % 20 == 0);
    let asked: u64 = counts.iter().sum();
    assert!((41..=43).contains(&asked), "{counts:?}");
}

#[test]
fn a_jump_is_a_new_beginning_and_asks_for_nothing() {
    let begun = Instant::now();
    let mut log = Log::new(true);
    log.record(begun, 10);
    assert_eq!(log.record(begun, 30_000), Arrival::Restart);
    assert!(log.handle_timeout(begun + 100 * MS, None).sequences.is_empty());
    assert_eq!(log.record(begun, 30_001), Arrival::New);
}

/// Reports of what arrived go over the wire and come back as what arrived.
#[test]
fn arrivals_are_told_and_understood() {
    let begun = Instant::now();
    let (mut arrivals, mut departures) = (Arrivals::new(begun), Departures::default());
    let mut expected = Vec::new();
    let mut results = Vec::new();
    for number in 0..900_u64 {
        let sent = begun + Duration::from_millis(number * 5);
        let sequence = departures.next();
        departures.record(sent, 1_000, None);
        // Lost in pairs and in a long row; delays that need large deltas.
        let is_lost = number % 17 < 2 || (300..360).contains(&number);
        if !is_lost {
            let arrived = sent + Duration::from_millis(30 + if number % 50 == 0 { 100 } else { number % 7 });
            expected.push((sent, arrived));
            arrivals.record(arrived, sequence);
        }
        for report in arrivals.handle_timeout(sent + 120 * MS, 1, 2) {
            let bytes = report.marshal().unwrap();
            let read = TransportLayerCc::unmarshal(&mut &bytes[..]).unwrap();
            results.extend(departures.results(&read));
        }
    }
    for report in arrivals.handle_timeout(begun + Duration::from_secs(10), 1, 2) {
        results.extend(departures.results(&report));
    }
    let told: Vec<_> = results.iter().filter_map(|result| Some((result.sent, result.arrived?))).collect();
    assert_eq!(told.len(), expected.len());
    let offset = told[0].1 - (expected[0].1 - begun).as_micros() as i64;
    let mut told = told;
    told.sort();
    expected.sort();
    for ((sent, arrived), (real_sent, real_arrived)) in told.iter().zip(&expected) {
        assert_eq!(sent, real_sent);
        let real = (*real_arrived - begun).as_micros() as i64;
        assert!((arrived - offset - real).abs() <= 500, "{} instead of {real}", arrived - offset);
    }
}
