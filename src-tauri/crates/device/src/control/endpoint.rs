//! Which device an open source or sink should use now. Pure: time and the list of devices are passed in.

use std::time::{Duration, Instant};

use sidetone_media::{DeviceFault, DeviceInfo, Direction};

use crate::event::{DeviceEvent, EndpointId};

/// Time given to a stream to open: the first block of an idle null sink's monitor takes two seconds.
const OPEN_TIMEOUT: Duration = Duration::from_secs(5);
const SHORTEST_RETRY: Duration = Duration::from_millis(250);
const LONGEST_RETRY: Duration = Duration::from_secs(4);
/// How long a chosen device that could not be opened is passed over in favour of the default one.
const PASS_OVER: Duration = Duration::from_secs(10);
const NO_START: &str = "it does not start";
/// Frames in a callback: the first wish, and what is tried where a device cannot deliver so small a block.
const BLOCKS: [u32; 3] = [480, 1_920, 4_800];

/// What the user picked, of real devices.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Wanted {
    Default,
    Device(String),
    /// What this machine plays. As `Default`, of another list.
    System,
}

/// What is to be done to the streams.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Action {
    /// Open a stream in the background and report it under this attempt.
    Open {
        attempt: u64,
        device: DeviceInfo,
        block: u32,
    },
    /// Close the stream of this attempt.
    Close {
        attempt: u64,
    },
    Tell(DeviceEvent),
}

#[derive(Debug)]
struct Live {
    attempt: u64,
    device: DeviceInfo,
}

#[derive(Debug)]
struct Opening {
    attempt: u64,
    device: DeviceInfo,
    since: Instant,
}

/// One open source or sink.
#[derive(Debug)]
pub(crate) struct Endpoint {
    id: EndpointId,
    direction: Direction,
    wanted: Wanted,
    live: Option<Live>,
    opening: Option<Opening>,
    /// The device in use before it was lost, until another is in use.
    lost: Option<DeviceInfo>,
    /// That the user has been told of having nothing, or of using another device than the chosen one.
    told_missing: bool,
    told_fallback: bool,
    attempts: u64,
    failures: u32,
    block: usize,
    retry_at: Option<Instant>,
    passed_over: Option<Instant>,
}

impl Endpoint {
    pub(crate) fn new(id: EndpointId, direction: Direction, wanted: Wanted) -> Self {
        Self {
            id,
            direction,
            wanted,
            live: None,
            opening: None,
            lost: None,
            told_missing: false,
            told_fallback: false,
            attempts: 0,
            failures: 0,
            block: 0,
            retry_at: None,
            passed_over: None,
        }
    }

    pub(crate) fn direction(&self) -> Direction {
        self.direction
    }

    /// It wants what the machine plays, which is no device that a user knows of.
    pub(crate) fn is_of_system(&self) -> bool {
        self.wanted == Wanted::System
    }

    /// Looks at the devices that there are and decides. Call at least every second and after each change.
    pub(crate) fn step(&mut self, now: Instant, listed: &[&DeviceInfo]) -> Vec<Action> {
        let mut actions = Vec::new();
        let gone =
            self.live.as_ref().is_some_and(|live| !listed.iter().any(|info| info.id == live.device.id));
        if gone {
            self.lose(DeviceFault::Gone, &mut actions);
        }
        if self.opening.as_ref().is_some_and(|o| now.saturating_duration_since(o.since) >= OPEN_TIMEOUT) {
            self.on_open_failed(now, NO_START);
            if self.has_news_of_nothing() {
                self.told_missing = true;
                actions.push(self.missing(NO_START));
            }
        }
        let Some(target) = self.target(now, listed).cloned() else {
            if self.live.is_none() && !self.told_missing {
                self.told_missing = true;
                actions.push(self.missing("none is there"));
            }
            return actions;
        };
        let settled = self.live.as_ref().is_some_and(|live| live.device.id == target.id);
        if settled {
            self.opening = None;
            return actions;
        }
        let under_way = self.opening.as_ref().is_some_and(|opening| opening.device.id == target.id);
        if under_way || self.retry_at.is_some_and(|at| now < at) {
            return actions;
        }
        self.attempts += 1;
        let attempt = self.attempts;
        self.opening = Some(Opening { attempt, device: target.clone(), since: now });
        actions.push(Action::Open { attempt, device: target, block: BLOCKS[self.block % BLOCKS.len()] });
        actions
    }

    /// A stream has opened. Its use is wanted only if the result says nothing to close it.
    pub(crate) fn on_opened(&mut self, attempt: u64) -> Vec<Action> {
        let Some(opening) = self.opening.take_if(|opening| opening.attempt == attempt) else {
            return vec![Action::Close { attempt }];
        };
        let device = opening.device;
        let mut actions = Vec::new();
        let previous = self.live.replace(Live { attempt, device: device.clone() });
        let lost = self.lost.take();
        self.failures = 0;
        self.retry_at = None;
        let was_told = std::mem::take(&mut self.told_missing) | std::mem::take(&mut self.told_fallback);
        let before = previous.as_ref().map(|live| &live.device).or(lost.as_ref());
        let is_chosen = match &self.wanted {
            Wanted::Default | Wanted::System => true,
            Wanted::Device(id) => *id == device.id,
        };
        let endpoint = self.id;
        if let (Wanted::Device(wanted), false) = (&self.wanted, is_chosen) {
            self.told_fallback = true;
            actions.push(Action::Tell(DeviceEvent::Fallback { endpoint, wanted: wanted.clone(), device }));
        } else if before.is_some_and(|before| before.id != device.id) && is_chosen_by_system(&self.wanted) {
            actions.push(Action::Tell(DeviceEvent::DefaultChanged { endpoint, device }));
        } else if lost.is_some() || was_told {
            actions.push(Action::Tell(DeviceEvent::Recovered { endpoint, device }));
        }
        if let Some(previous) = previous {
            actions.push(Action::Close { attempt: previous.attempt });
        }
        actions
    }

    /// A stream could not be opened; tried again after a while that grows.
    pub(crate) fn on_failed(&mut self, now: Instant, attempt: u64, reason: &str) -> Vec<Action> {
        if self.opening.as_ref().is_none_or(|opening| opening.attempt != attempt) {
            return Vec::new();
        }
        self.on_open_failed(now, reason);
        if !self.has_news_of_nothing() {
            return Vec::new();
        }
        self.told_missing = true;
        vec![self.missing(reason)]
    }

    /// The stream of `attempt` ended by itself or its callbacks stopped.
    pub(crate) fn on_fault(&mut self, attempt: u64, fault: DeviceFault) -> Vec<Action> {
        let mut actions = Vec::new();
        if self.live.as_ref().is_some_and(|live| live.attempt == attempt) {
            self.lose(fault, &mut actions);
        }
        actions
    }

    /// True when there is nothing in use and the user knows of no reason for it.
    fn has_news_of_nothing(&self) -> bool {
        self.live.is_none() && self.lost.is_none() && !self.told_missing && self.passed_over.is_none()
    }

    fn lose(&mut self, fault: DeviceFault, actions: &mut Vec<Action>) {
        let Some(live) = self.live.take() else { return };
        actions.push(Action::Close { attempt: live.attempt });
        let device = live.device;
        self.lost = Some(device.clone());
        actions.push(Action::Tell(DeviceEvent::Lost { endpoint: self.id, device, fault }));
    }

    fn on_open_failed(&mut self, now: Instant, reason: &str) {
        let Some(opening) = self.opening.take() else { return };
        tracing::debug!(endpoint = %self.id, device = opening.device.id, reason, "stream did not open");
        self.failures = self.failures.saturating_add(1);
        self.block += 1;
        let wait = SHORTEST_RETRY * 2u32.saturating_pow(self.failures.min(8) - 1);
        self.retry_at = Some(now + wait.min(LONGEST_RETRY));
        if matches!(&self.wanted, Wanted::Device(id) if *id == opening.device.id) {
            self.passed_over = Some(now + PASS_OVER);
            self.retry_at = Some(now);
        }
    }

    fn target<'a>(&mut self, now: Instant, listed: &[&'a DeviceInfo]) -> Option<&'a DeviceInfo> {
        let mine = || listed.iter().copied().filter(|info| info.direction == self.direction);
        let default = mine().find(|info| info.is_default).or_else(|| mine().next());
        let Wanted::Device(wanted) = &self.wanted else { return default };
        let chosen = mine().find(|info| info.id == *wanted);
        if self.passed_over.is_some_and(|until| now >= until) {
            self.passed_over = None;
        }
        match (chosen, default) {
            (Some(chosen), Some(default)) if default.id != chosen.id && self.passed_over.is_some() => {
                Some(default)
            }
            (Some(chosen), _) => Some(chosen),
            (None, default) => default,
        }
    }

    fn missing(&self, reason: &str) -> Action {
        Action::Tell(DeviceEvent::Missing {
            endpoint: self.id,
            direction: self.direction,
            reason: reason.to_owned(),
        })
    }
}

fn is_chosen_by_system(wanted: &Wanted) -> bool {
    matches!(wanted, Wanted::Default | Wanted::System)
}

#[cfg(test)]
mod tests;
