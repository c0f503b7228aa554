use std::time::{Duration, Instant};

use super::*;

const LIMITS: BitrateLimits = BitrateLimits { min: 50_000, start: 1_000_000, max: 4_000_000 };

/// Sends at `bps` in packets of 1200 bytes through a bottleneck, and reports every 50 ms.
struct Path {
    now: Instant,
    free: f64,
    bps: f64,
    begun: Instant,
}

impl Path {
    fn new(begun: Instant, bps: f64) -> Self {
        Self { now: begun, free: 0.0, bps, begun }
    }

    fn run(&mut self, estimate: &mut Estimate, time: Duration, send: impl Fn(&Estimate) -> f64, loss: u32) {
        let end = self.now + time;
        let mut count = 0;
        while self.now < end {
            let step = Duration::from_millis(50);
            let packets = (send(estimate) * step.as_secs_f64() / 9_600.0).round().max(1.0);
            let mut results = Vec::new();
            for index in 0..packets as u32 {
                let sent = self.now + step.mul_f64(f64::from(index) / packets);
                let at = (sent - self.begun).as_secs_f64();
                self.free = self.free.max(at) + 9_600.0 / self.bps;
                count += 1;
                let arrived = (loss == 0 || count % loss != 0).then_some((self.free * 1e6) as i64 + 20_000);
                results.push(PacketResult { sent, arrived, size: 1_200, probe: None });
            }
            self.now += step;
            estimate.handle(self.now, &results);
        }
    }
}

#[test]
fn a_queue_that_builds_up_lowers_it_below_what_arrives() {
    let begun = Instant::now();
    let mut estimate = Estimate::new(begun, LIMITS);
    let mut path = Path::new(begun, 600_000.0);
    path.run(&mut estimate, Duration::from_secs(3), Estimate::bps, 0);
    assert!((250_000.0..620_000.0).contains(&estimate.bps()), "{}", estimate.bps());
}

#[test]
fn what_is_not_sent_does_not_raise_it() {
    let begun = Instant::now();
    let mut estimate = Estimate::new(begun, LIMITS);
    let mut path = Path::new(begun, 10_000_000.0);
    path.run(&mut estimate, Duration::from_secs(30), |_| 300_000.0, 0);
    assert!(estimate.bps() <= 1_010_000.0, "{}", estimate.bps());
}

#[test]
fn heavy_loss_lowers_it_and_light_loss_does_not() {
    let begun = Instant::now();
    let mut estimate = Estimate::new(begun, LIMITS);
    Path::new(begun, 10_000_000.0).run(&mut estimate, Duration::from_secs(5), |_| 900_000.0, 20);
    assert!(estimate.bps() >= 900_000.0, "{}", estimate.bps());
    let mut estimate = Estimate::new(begun, LIMITS);
    Path::new(begun, 10_000_000.0).run(&mut estimate, Duration::from_secs(5), |_| 900_000.0, 4);
    assert!(estimate.bps() < 600_000.0, "{}", estimate.bps());
}

#[test]
fn it_stays_within_its_limits() {
    let begun = Instant::now();
    let mut estimate = Estimate::new(begun, LIMITS);
    Path::new(begun, 1_000.0).run(&mut estimate, Duration::from_secs(20), Estimate::bps, 2);
    assert!((estimate.bps() - 50_000.0).abs() < 1.0, "{}", estimate.bps());
    Path::new(begun, 1e9).run(&mut estimate, Duration::from_secs(120), Estimate::bps, 0);
    assert!(estimate.bps() <= 4_000_000.0);
}

#[test]
fn the_far_ends_own_estimate_holds_while_it_is_renewed() {
    let begun = Instant::now();
    let mut estimate = Estimate::new(begun, LIMITS);
    estimate.handle_remb(begun, 300_000.0);
    assert!((estimate.bps() - 300_000.0).abs() < 1.0);
    assert_eq!(estimate.poll(), Some(300_000));
    assert_eq!(estimate.poll(), None);
    estimate.handle_timeout(begun + Duration::from_secs(11));
    assert!((estimate.bps() - 1_000_000.0).abs() < 1.0);
}

#[test]
fn without_times_it_grows_with_what_is_sent_and_falls_with_loss() {
    let begun = Instant::now();
    let mut estimate = Estimate::new(begun, LIMITS);
    for second in 0..60 {
        estimate.handle_loss(begun + Duration::from_secs(second), 0.0, 400_000.0);
    }
    assert!((estimate.bps() - 1_000_000.0).abs() < 1.0, "{}", estimate.bps());
    for second in 60..90 {
        estimate.handle_loss(begun + Duration::from_secs(second), 0.0, 0.9 * estimate.bps());
    }
    assert!(estimate.bps() > 3_000_000.0, "{}", estimate.bps());
    for second in 90..95 {
        estimate.handle_loss(begun + Duration::from_secs(second), 0.4, 0.9 * estimate.bps());
    }
    assert!(estimate.bps() < 1_600_000.0, "{}", estimate.bps());
}
