//! What is counted, for whoever watches this program from outside. No name of anybody is in it.

use sidetone_api::{CallStatus, Event, StreamStatus};
use std::{
    collections::{BTreeMap, HashMap},
    time::{Duration, Instant},
};

/// As of now, and since the program began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Metrics {
    pub version: &'static str,
    pub uptime: Duration,
    pub sessions: u64,
    /// Of the sessions.
    pub registered: u64,
    /// Phones that are registered here.
    pub extensions: u64,
    /// Pages with the Web SDK.
    pub clients: u64,
    pub calls: u64,
    pub published: u64,
    pub played: u64,
    pub rooms: u64,
    pub participants: u64,
    pub hooks_waiting: u64,
    pub hooks_failed: u64,
    /// Of the event that waits longest.
    pub hooks_oldest: Duration,
    pub counted: Counted,
}

/// Since the program began.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Counted {
    /// Ends of calls by their status: `FINISH`, `BUSY`, `FAILED`.
    pub calls: BTreeMap<&'static str, u64>,
    /// The same of streams: `UNPUBLISHED`, `STOPPED`, `FAILED`.
    pub streams: BTreeMap<&'static str, u64>,
    pub reports: u64,
    /// Packets of the sound of calls.
    pub sent: u64,
    pub received: u64,
    pub lost: u64,
}

/// Counts.
#[derive(Debug)]
pub(crate) struct Tally {
    began: Instant,
    counted: Counted,
    /// Sent, received, lost so far of each call.
    calls: HashMap<String, [u64; 3]>,
}

impl Default for Tally {
    fn default() -> Self {
        Self { began: Instant::now(), counted: Counted::default(), calls: HashMap::new() }
    }
}

impl Tally {
    pub(crate) fn note(&mut self, event: &Event) {
        match event {
            Event::CallStatusEvent { status, call_id, .. } if status.is_end() => {
                *self.counted.calls.entry(status.as_str()).or_default() += 1;
                self.calls.remove(call_id.as_str());
            }
            Event::StreamStatusEvent { status, .. } if status.is_end() => {
                *self.counted.streams.entry(status.as_str()).or_default() += 1;
            }
            Event::BugReportStatusEvent { status, .. } if status != "FAILED" => self.counted.reports += 1,
            Event::CallMeasured { call_id, statistics } => {
                let now = [statistics.packets_sent, statistics.packets_received, statistics.packets_lost];
                let before = self.calls.insert(call_id.as_str().to_owned(), now).unwrap_or_default();
                // What was lost may yet come: then there are fewer, and a counter stays.
                let more = |which: usize| now[which].saturating_sub(before[which]);
                self.counted.sent += more(0);
                self.counted.received += more(1);
                self.counted.lost += more(2);
            }
            _ => {}
        }
    }

    /// With every outcome that there is, also where none was so far.
    pub(crate) fn counted(&self) -> (Duration, Counted) {
        let mut counted = self.counted.clone();
        for status in [CallStatus::Finish, CallStatus::Busy, CallStatus::Failed] {
            counted.calls.entry(status.as_str()).or_default();
        }
        for status in [StreamStatus::Unpublished, StreamStatus::Stopped, StreamStatus::Failed] {
            counted.streams.entry(status.as_str()).or_default();
        }
        (self.began.elapsed(), counted)
    }
}

#[cfg(test)]
mod tests {
    use super::Tally;
    use sidetone_api::{CallId, CallStatistics, CallStatus, Event, SessionId};

    #[test]
    fn packets_of_all_calls_are_added_up_and_never_go_back() {
        let mut tally = Tally::default();
        let measured = |call: &str, sent, lost| Event::CallMeasured {
            call_id: CallId::new(call),
            statistics: CallStatistics {
                packets_sent: sent,
                packets_lost: lost,
                ..CallStatistics::default()
            },
        };
        for event in [measured("a", 50, 3), measured("b", 20, 0), measured("a", 100, 1)] {
            tally.note(&event);
        }
        tally.note(&Event::CallStatusEvent {
            status: CallStatus::Busy,
            call_id: CallId::new("a"),
            session_id: SessionId::new("s"),
            info: String::new(),
        });
        let (_, counted) = tally.counted();
        assert_eq!((counted.sent, counted.lost), (120, 3));
        assert_eq!((counted.calls["BUSY"], counted.calls["FAILED"]), (1, 0));
        assert!(tally.calls.len() == 1);
    }
}
