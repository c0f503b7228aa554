use std::collections::VecDeque;

/// Sent within this of the first one of a group, in ms.
const BURST: f64 = 5.0;
const WINDOW: usize = 12;
const SMOOTHING: f64 = 0.9;
const GAIN: f64 = 4.0;
const MOST_DELTAS: f64 = 60.0;
/// Of the adaptive threshold (section 5.4 of the draft), in ms.
const THRESHOLD: (f64, f64, f64) = (12.5, 6.0, 600.0);
const UP: f64 = 0.0087;
const DOWN: f64 = 0.039;
/// How long it must last, in ms.
const OVERUSE: f64 = 10.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) enum Usage {
    #[default]
    Normal,
    Over,
    Under,
}

/// The delay gradient and what it says of the path: draft-ietf-rmcat-gcc-02 section 5, with a line through the last
/// delays instead of a Kalman filter.
#[derive(Debug)]
pub(crate) struct Trend {
    group: Option<Group>,
    before: Option<Group>,
    accumulated: f64,
    smoothed: f64,
    deltas: f64,
    points: VecDeque<(f64, f64)>,
    threshold: f64,
    updated: Option<f64>,
    over: Option<(f64, u32)>,
    last: f64,
    usage: Usage,
    origin: Option<f64>,
}

/// Packets that were sent together; times in ms.
#[derive(Debug, Clone, Copy)]
struct Group {
    first_sent: f64,
    sent: f64,
    arrived: f64,
}

impl Default for Trend {
    fn default() -> Self {
        Self {
            group: None,
            before: None,
            accumulated: 0.0,
            smoothed: 0.0,
            deltas: 0.0,
            points: VecDeque::new(),
            threshold: THRESHOLD.0,
            updated: None,
            over: None,
            last: 0.0,
            usage: Usage::Normal,
            origin: None,
        }
    }
}

impl Trend {
    pub(crate) fn usage(&self) -> Usage {
        self.usage
    }

    /// In the order of arrival.
    pub(crate) fn add(&mut self, sent: f64, arrived: f64) {
        let Some(group) = &mut self.group else {
            self.group = Some(Group { first_sent: sent, sent, arrived });
            return;
        };
        if sent < group.first_sent {
            return;
        }
        // Packets that a queue let go together tell of the link as little as those that were sent together.
        let together = arrived - group.arrived <= BURST && arrived - group.arrived < sent - group.sent;
        if sent - group.first_sent <= BURST || (together && arrived - group.arrived >= 0.0) {
            group.sent = group.sent.max(sent);
            group.arrived = group.arrived.max(arrived);
            return;
        }
        let complete = *group;
        *group = Group { first_sent: sent, sent, arrived };
        if let Some(before) = self.before.replace(complete) {
            self.gradient(complete.sent - before.sent, complete.arrived - before.arrived, complete.arrived);
        }
    }

    fn gradient(&mut self, sent: f64, arrived: f64, now: f64) {
        // A jump of a clock or of the route.
        if !(-100.0..=3_000.0).contains(&arrived) || sent > 3_000.0 {
            self.points.clear();
            return;
        }
        self.deltas = (self.deltas + 1.0).min(1_000.0);
        self.accumulated += arrived - sent;
        self.smoothed = SMOOTHING * self.smoothed + (1.0 - SMOOTHING) * self.accumulated;
        let origin = *self.origin.get_or_insert(now);
        self.points.push_back((now - origin, self.smoothed));
        if self.points.len() > WINDOW {
            self.points.pop_front();
        }
        let slope = if self.points.len() == WINDOW { self.slope() } else { self.last };
        self.detect(slope, sent, now);
    }

    /// Least squares.
    fn slope(&self) -> f64 {
        let count = self.points.len() as f64;
        let (x, y) = self.points.iter().fold((0.0, 0.0), |(x, y), point| (x + point.0, y + point.1));
        let (x, y) = (x / count, y / count);
        let above: f64 = self.points.iter().map(|point| (point.0 - x) * (point.1 - y)).sum();
        let below: f64 = self.points.iter().map(|point| (point.0 - x).powi(2)).sum();
        if below > 0.0 { above / below } else { self.last }
    }

    fn detect(&mut self, slope: f64, sent: f64, now: f64) {
        let modified = slope * self.deltas.min(MOST_DELTAS) * GAIN;
        if modified > self.threshold {
            let (time, count) = self.over.unwrap_or((0.0, 0));
            let (time, count) = (time + sent, count + 1);
            self.over = Some((time, count));
            if time > OVERUSE && count > 1 && slope >= self.last {
                self.over = Some((0.0, 0));
                self.usage = Usage::Over;
            }
        } else {
            self.over = None;
            self.usage = if modified < -self.threshold { Usage::Under } else { Usage::Normal };
        }
        self.last = slope;
        self.adapt(modified, now);
    }

    fn adapt(&mut self, modified: f64, now: f64) {
        let since = (now - self.updated.replace(now).unwrap_or(now)).clamp(0.0, 100.0);
        if modified.abs() > self.threshold + 15.0 {
            return;
        }
        let pull = if modified.abs() < self.threshold { DOWN } else { UP };
        self.threshold += pull * (modified.abs() - self.threshold) * since;
        self.threshold = self.threshold.clamp(THRESHOLD.1, THRESHOLD.2);
    }
}
