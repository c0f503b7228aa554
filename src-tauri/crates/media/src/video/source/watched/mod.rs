//! A source that is opened, watched, and opened again.

mod opening;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::{Polled, VideoSource};
use crate::device::{Devices, OpenedVideo, VideoSelection, VideoWish};
use crate::error::{DeviceError, DeviceFault};
use crate::video::codec::ContentHint;
use crate::video::error::VideoError;
use crate::video::picture::{Picture, Size};

use opening::Opener;

/// Without a picture for so long, a source has stalled and is opened again.
const STALL: Duration = Duration::from_secs(2);
/// A camera may take longer until its first picture.
const FIRST_PICTURE: Duration = Duration::from_secs(5);
/// What does not open in this time hangs.
const OPENING: Duration = Duration::from_secs(10);
/// Before it is opened again; doubled with each failure.
const SHORTEST_PAUSE: Duration = Duration::from_millis(500);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);
/// Pictures for so long make all earlier failures forgotten.
const WELL: Duration = Duration::from_secs(5);
/// While the source gives nothing, its last picture is given again this often.
const STAND_IN: Duration = Duration::from_millis(500);
/// Between two looks at a source that says that it has a picture.
const LEAST_WAIT: Duration = Duration::from_millis(1);
/// Between two looks at whether it has opened.
const LOOK: Duration = Duration::from_millis(10);
/// Faults kept for a reader.
const MOST_FAULTS: usize = 16;

/// Opens a source; called on a thread of its own each time, where it may block.
pub type OpenVideo = Arc<dyn Fn() -> Result<OpenedVideo, DeviceError> + Send + Sync>;

/// What is expected of a source.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WatchRules {
    /// It may give no picture for long, and be well.
    pub is_still: bool,
    /// It may end, as a file does. The end of anything else is a fault.
    pub may_end: bool,
    /// Of the black picture that stands in for it where it has never given one.
    pub size: Size,
}

/// Keeps a source of pictures going. Whatever happens to it (it cannot be opened, hangs, stalls, fails or is gone)
/// becomes a [`DeviceFault`] and a [problem in words](VideoSource::problem), and it is opened again after a pause that
/// grows from half a second to ten. Meanwhile its last picture stands, or black where there never was one.
///
/// [`VideoSource::poll`] gives no errors. The faults do not come more often than they change.
pub struct Watched {
    opener: Opener,
    rules: WatchRules,
    name: String,
    state: State,
    last: Option<Picture>,
    /// When the last picture came from the source, or it was opened.
    alive: Instant,
    /// Since when pictures have come without a fault.
    well: Option<Instant>,
    given: Option<Instant>,
    problem: Option<String>,
    faults: VecDeque<DeviceFault>,
    failures: u32,
    content: Option<ContentHint>,
}

enum State {
    Opening(opening::Pending),
    Open {
        source: Box<dyn VideoSource>,
        has_given: bool,
        /// When it says that its next picture may be there.
        due: Option<Instant>,
    },
    Ended,
    Pausing {
        until: Instant,
    },
}

impl Watched {
    /// Begins to open it. `name` is for messages until its own is known.
    pub fn new(now: Instant, name: impl Into<String>, rules: WatchRules, open: OpenVideo) -> Self {
        let mut opener = Opener::new(open);
        let state = match opener.start(now) {
            Some(pending) => State::Opening(pending),
            None => State::Pausing { until: now + SHORTEST_PAUSE },
        };
        Self {
            opener,
            rules,
            name: name.into(),
            state,
            last: None,
            alive: now,
            well: None,
            given: None,
            problem: None,
            faults: VecDeque::new(),
            failures: 0,
            content: None,
        }
    }

    /// What `devices` open for `selection`.
    pub fn of(now: Instant, devices: Arc<dyn Devices>, selection: &VideoSelection, wish: VideoWish) -> Self {
        let rules =
            WatchRules { is_still: selection.is_still(), may_end: selection.is_synthetic(), size: wish.size };
        let (name, selection) = (selection.to_string(), selection.clone());
        Self::new(now, name, rules, Arc::new(move || devices.open_video(&selection, wish)))
    }

    /// It has given a picture of its own at least once.
    pub fn has_pictures(&self) -> bool {
        self.last.is_some()
    }

    /// The last picture of its own.
    pub fn last(&self) -> Option<&Picture> {
        self.last.as_ref()
    }

    /// What its pictures are like; `None` until it has been open once.
    pub fn known_content(&self) -> Option<ContentHint> {
        self.content
    }

    /// Takes the newest picture of the source itself into [`Self::last`]: true where there was one. For whoever repeats
    /// pictures in a way of its own; nothing stands in here.
    pub fn advance(&mut self, now: Instant) -> bool {
        let picture = self.step(now);
        let is_new = picture.is_some();
        self.last = picture.or(self.last.take());
        is_new
    }

    /// Ends a pause before the next attempt: there is reason to hope.
    pub fn retry(&mut self, now: Instant) {
        if let State::Pausing { until } = &mut self.state {
            *until = now;
        }
    }

    /// The next picture of the source itself.
    fn step(&mut self, now: Instant) -> Option<Picture> {
        match &mut self.state {
            State::Opening(pending) => match pending.result() {
                Some(Ok(OpenedVideo { source, name })) => {
                    (self.name, self.content) = (name, Some(source.content()));
                    self.alive = now;
                    self.state = State::Open { source, has_given: false, due: None };
                    return self.step(now);
                }
                Some(Err(error)) => self.lose(now, failed(error.to_string()), None),
                None if now.saturating_duration_since(pending.since()) >= OPENING => {
                    let words = format!("{} does not open within {} s", self.name, OPENING.as_secs());
                    self.lose(now, failed(words), Some("unplug it and plug it in again, or choose another"));
                }
                None => {}
            },
            State::Open { source, has_given, due } => match source.poll(now) {
                Ok(Polled::Picture(picture)) => {
                    (*has_given, *due) = (true, None);
                    self.on_picture(now);
                    return Some(picture);
                }
                Ok(Polled::Ended) if self.rules.may_end => {
                    self.problem = Some(format!("{} has ended; its last picture stays", self.name));
                    self.state = State::Ended;
                }
                Ok(Polled::Ended) => {
                    // The words of its last error say more than that it is gone.
                    let fault = DeviceFault::Gone;
                    let known = self.problem.clone().map(failed);
                    self.lose(now, known.unwrap_or(fault), None);
                }
                Ok(Polled::Wait(next)) => {
                    *due = Some(next);
                    if !(self.rules.is_still && *has_given) {
                        let patience = if *has_given { STALL } else { FIRST_PICTURE };
                        self.check(now, patience);
                    }
                }
                Err(error) => {
                    let patience = if *has_given { STALL } else { FIRST_PICTURE };
                    self.well = None;
                    self.tell(failed(error.to_string()), None);
                    self.check(now, patience);
                }
            },
            State::Pausing { until } if *until <= now => match self.opener.start(now) {
                Some(pending) => self.state = State::Opening(pending),
                None => {
                    let words = format!("{}: its driver hangs", self.name);
                    self.lose(now, failed(words), Some("unplug it and plug it in again, or choose another"));
                }
            },
            State::Pausing { .. } | State::Ended => {}
        }
        None
    }

    fn on_picture(&mut self, now: Instant) {
        self.alive = now;
        self.problem = None;
        let since = *self.well.get_or_insert(now);
        if now.saturating_duration_since(since) >= WELL {
            self.failures = 0;
        }
    }

    /// Looks whether pictures still come.
    fn check(&mut self, now: Instant, patience: Duration) {
        if now.saturating_duration_since(self.alive) < patience {
            return;
        }
        match self.problem.clone() {
            // Pictures that cannot be used are the reason.
            Some(known) => self.lose(now, failed(known), None),
            None => {
                let advice = "look whether another program uses it, or choose another";
                self.lose(now, DeviceFault::Stalled, Some(advice));
            }
        }
    }

    /// Gives up what is open, or was to be opened, for some time.
    fn lose(&mut self, now: Instant, fault: DeviceFault, advice: Option<&str>) {
        let pause = SHORTEST_PAUSE * 2u32.saturating_pow(self.failures.min(8));
        self.failures = self.failures.saturating_add(1);
        self.well = None;
        let next = State::Pausing { until: now + pause.min(LONGEST_PAUSE) };
        if let State::Opening(pending) = std::mem::replace(&mut self.state, next) {
            self.opener.leave(pending);
        }
        self.tell(fault, advice);
    }

    fn tell(&mut self, fault: DeviceFault, advice: Option<&str>) {
        let mut words = match &fault {
            DeviceFault::Failed { reason } => reason.clone(),
            DeviceFault::Stalled => format!("{} gives no pictures", self.name),
            DeviceFault::Gone => format!("{} is gone", self.name),
        };
        if let Some(advice) = advice {
            words = format!("{words}: {advice}");
        }
        if self.problem.as_ref() == Some(&words) {
            return;
        }
        self.problem = Some(words);
        if self.faults.len() == MOST_FAULTS {
            self.faults.pop_front();
        }
        self.faults.push_back(fault);
    }

    /// The last picture again, or black, where one is due and something is wrong.
    fn stand_in(&mut self, now: Instant) -> Option<Picture> {
        self.problem.as_ref()?;
        let is_due = self.given.is_none_or(|given| now.saturating_duration_since(given) >= STAND_IN);
        is_due.then(|| match &self.last {
            Some(last) => last.clone().captured_at(now),
            None => Picture::black(self.rules.size, now),
        })
    }
}

impl VideoSource for Watched {
    fn name(&self) -> &str {
        &self.name
    }

    fn content(&self) -> ContentHint {
        self.content.unwrap_or(ContentHint::Motion)
    }

    fn poll(&mut self, now: Instant) -> Result<Polled, VideoError> {
        if let Some(picture) = self.step(now) {
            (self.last, self.given) = (Some(picture.clone()), Some(now));
            return Ok(Polled::Picture(picture));
        }
        if let Some(picture) = self.stand_in(now) {
            self.given = Some(now);
            return Ok(Polled::Picture(picture));
        }
        Ok(match &self.state {
            State::Ended if self.last.is_none() => Polled::Ended,
            State::Opening(_) => Polled::Wait(now + LOOK),
            State::Open { .. } => Polled::Wait(now + STAND_IN),
            State::Pausing { until } => Polled::Wait((*until).min(now + STAND_IN)),
            State::Ended => Polled::Wait(now + STAND_IN),
        })
    }

    fn fault(&mut self) -> Option<DeviceFault> {
        self.faults.pop_front()
    }

    fn problem(&self) -> Option<String> {
        self.problem.clone()
    }

    fn wait(&self, until: Instant) {
        let now = Instant::now();
        match &self.state {
            State::Open { source, due, .. } => {
                // Not sooner than that, whatever the source says: it must not be asked all the time.
                let due = due.map_or(until, |due| due.max(now + LEAST_WAIT).min(until));
                source.wait(due.min(now + STAND_IN));
            }
            State::Opening(_) => std::thread::sleep(LOOK.min(until.saturating_duration_since(now))),
            State::Pausing { .. } | State::Ended => {
                std::thread::sleep(STAND_IN.min(until.saturating_duration_since(now)));
            }
        }
    }
}

fn failed(reason: String) -> DeviceFault {
    DeviceFault::Failed { reason }
}

impl std::fmt::Debug for Watched {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Watched")
            .field("name", &self.name)
            .field("problem", &self.problem)
            .finish_non_exhaustive()
    }
}
