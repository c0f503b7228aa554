//! What happened in the last minutes: SIP messages without what is secret in them, statuses, figures of media. Bounded in time and in
//! bytes; a bug report is made of it.

mod events;
mod tap;

pub(crate) use tap::Tap;

use sidetone_api::{CallId, Event, ReportEvent, ReportSample};
use std::{
    collections::{HashMap, VecDeque},
    time::Duration,
};

/// How far it goes back.
const KEPT_MS: u64 = 15 * 60 * 1000;
const MOST_EVENTS: usize = 4_000;
const MOST_SAMPLES: usize = 20_000;
/// A timer that is later than this had no processor.
const LATE: Duration = Duration::from_millis(100);
/// The same of figures of media, which come every so often. What is far later was not measured, or the machine slept.
const LATE_FIGURES_MS: std::ops::Range<u64> = 150..5_000;

#[derive(Debug, Default)]
pub(crate) struct Journal {
    tap: Tap,
    events: VecDeque<ReportEvent>,
    samples: VecDeque<ReportSample>,
    /// When the last sample of each call and stream was kept.
    sampled: HashMap<String, u64>,
    /// When figures of each call and stream came last.
    measured: HashMap<String, u64>,
    /// What was wrong when it was told last, by what it is about.
    wrong: HashMap<String, String>,
}

impl Journal {
    pub(crate) fn tap(&self) -> Tap {
        self.tap.clone()
    }

    pub(crate) fn events(&self) -> impl Iterator<Item = &ReportEvent> {
        self.events.iter()
    }

    pub(crate) fn samples(&self) -> impl Iterator<Item = &ReportSample> {
        self.samples.iter()
    }

    /// Looks at everything that is told.
    pub(crate) fn note(&mut self, now: u64, event: &Event) {
        if let Some((sample, every)) = events::sample(now, event) {
            self.look_at_time(&sample, every);
            self.add_sample(sample);
        }
        if let Some(moment) = events::moment(now, event) {
            self.add(moment);
        }
        for (about, subject, wrong) in events::troubles(event) {
            self.look(now, about, &subject, wrong);
        }
        if let Event::CallStatusEvent { status, call_id, .. } = event
            && status.is_end()
        {
            self.forget(call_id);
        }
    }

    /// A timer of the engine was this late.
    pub(crate) fn late(&mut self, now: u64, by: Duration) {
        if by >= LATE {
            let by = by.as_millis();
            let info = format!("the engine's timer was {by} ms late");
            self.add(ReportEvent {
                at: now,
                kind: "Late".into(),
                subject: String::new(),
                status: String::new(),
                info,
            });
        }
    }

    pub(crate) fn clear(&mut self) {
        self.events.clear();
        self.samples.clear();
        self.tap.clear();
    }

    /// Figures come from the thread of the sound: where they are late, so was it.
    fn look_at_time(&mut self, sample: &ReportSample, every: u64) {
        let Some(last) = self.measured.insert(sample.subject.clone(), sample.at) else { return };
        let late = sample.at.saturating_sub(last).saturating_sub(every);
        if LATE_FIGURES_MS.contains(&late) {
            let info = format!("the figures of the sound were {late} ms late");
            let (kind, subject) = ("Late".into(), sample.subject.clone());
            self.add(ReportEvent { at: sample.at, kind, subject, status: String::new(), info });
        }
    }

    fn forget(&mut self, call: &CallId) {
        self.sampled.remove(call.as_str());
        self.measured.remove(call.as_str());
        self.wrong.remove(&format!("CallProblem {call}"));
    }

    /// Something is wrong, or no longer: a moment where that is news.
    fn look(&mut self, now: u64, about: &'static str, subject: &str, wrong: Option<(String, String)>) {
        let key = format!("{about} {subject}");
        let Some((status, info)) = wrong else {
            self.wrong.remove(&key);
            return;
        };
        if self.wrong.get(&key) != Some(&info) {
            self.wrong.insert(key, info.clone());
            self.add(ReportEvent { at: now, kind: about.into(), subject: subject.into(), status, info });
        }
    }

    fn add(&mut self, event: ReportEvent) {
        let since = event.at.saturating_sub(KEPT_MS);
        while self.events.front().is_some_and(|first| first.at < since) || self.events.len() >= MOST_EVENTS {
            self.events.pop_front();
        }
        self.events.push_back(event);
    }

    /// One a second of each.
    fn add_sample(&mut self, sample: ReportSample) {
        let last = self.sampled.get(&sample.subject).copied().unwrap_or_default();
        if sample.at < last.saturating_add(900) {
            return;
        }
        let since = sample.at.saturating_sub(KEPT_MS);
        self.sampled.retain(|_, at| *at >= since);
        self.measured.retain(|_, at| *at >= since);
        self.sampled.insert(sample.subject.clone(), sample.at);
        while self.samples.front().is_some_and(|first| first.at < since) || self.samples.len() >= MOST_SAMPLES
        {
            self.samples.pop_front();
        }
        self.samples.push_back(sample);
    }
}

#[cfg(test)]
mod tests {
    use super::{Journal, KEPT_MS, MOST_EVENTS};
    use sidetone_api::{Event, HooksView, NoticeLevel};
    use std::time::Duration;

    fn notice(info: &str) -> Event {
        Event::Notice { level: NoticeLevel::Info, info: info.into(), call_id: None }
    }

    #[test]
    fn it_ends_in_time_and_in_number() {
        let mut journal = Journal::default();
        journal.note(1, &notice("old"));
        journal.note(KEPT_MS + 2, &notice("new"));
        assert_eq!(journal.events().map(|event| event.info.as_str()).collect::<Vec<_>>(), ["new"]);
        for _ in 0..MOST_EVENTS + 5 {
            journal.note(KEPT_MS + 3, &notice("more"));
        }
        assert_eq!(journal.events().count(), MOST_EVENTS);
    }

    #[test]
    fn what_is_wrong_is_noted_once_until_it_is_right_again() {
        let mut journal = Journal::default();
        let hooks = |problem: Option<&str>| Event::HooksChanged {
            hooks: HooksView { problem: problem.map(String::from), ..HooksView::default() },
        };
        for problem in [Some("dead"), Some("dead"), None, Some("dead")] {
            journal.note(1, &hooks(problem));
        }
        assert_eq!(journal.events().filter(|event| event.kind == "HooksProblem").count(), 2);
        journal.late(2, Duration::from_millis(20));
        journal.late(2, Duration::from_millis(200));
        assert_eq!(journal.events().filter(|event| event.kind == "Late").count(), 1);
    }
}
