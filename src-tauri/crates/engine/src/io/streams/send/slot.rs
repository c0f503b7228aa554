//! One source of pictures, opened, lost and opened again.

use sidetone_media::{
    device::{Devices, VideoSelection, VideoWish},
    video::{ContentHint, Picture, Polled, VideoSource},
};
use std::{
    sync::{Arc, mpsc},
    time::{Duration, Instant},
};

/// Between two tries to open what cannot be opened, or was lost.
const BETWEEN_TRIES: Duration = Duration::from_secs(2);
/// A source that gives no picture for so long is not well.
const PATIENCE: Duration = Duration::from_secs(2);
/// What cannot be opened in this time hangs.
const OPENING: Duration = Duration::from_secs(10);
/// Between two looks at a source that says that it has a picture.
const LEAST_WAIT: Duration = Duration::from_millis(1);
/// Between two looks at whether it is open.
const LOOK: Duration = Duration::from_millis(10);

type Opened = Result<Box<dyn VideoSource>, String>;

pub(super) struct Slot {
    pub(super) selection: VideoSelection,
    wish: VideoWish,
    devices: Arc<dyn Devices>,
    state: State,
    pub(super) last: Option<Picture>,
    /// When its last picture came, or it was opened.
    alive: Instant,
    fault: Option<String>,
    /// When the source says that its next picture may be there.
    due: Option<Instant>,
}

enum State {
    Opening(mpsc::Receiver<Opened>, Instant),
    Open(Box<dyn VideoSource>),
    Ended,
    Failed(Instant),
}

impl Slot {
    pub(super) fn new(
        now: Instant,
        devices: Arc<dyn Devices>,
        selection: VideoSelection,
        wish: VideoWish,
    ) -> Self {
        let state = open(now, &devices, &selection, wish);
        Self { selection, wish, devices, state, last: None, alive: now, fault: None, due: None }
    }

    /// What its pictures are like; `None` while that is not known.
    pub(super) fn content(&self) -> Option<ContentHint> {
        match &self.state {
            State::Open(source) => Some(source.content()),
            State::Opening(..) | State::Ended | State::Failed(_) => None,
        }
    }

    /// Takes the newest picture. True where there was a new one.
    pub(super) fn poll(&mut self, now: Instant) -> bool {
        match &mut self.state {
            State::Opening(opened, since) => match opened.try_recv() {
                Ok(Ok(source)) => (self.state, self.alive) = (State::Open(source), now),
                Ok(Err(reason)) => self.fail(now, reason),
                Err(mpsc::TryRecvError::Empty) if now.saturating_duration_since(*since) < OPENING => {}
                Err(mpsc::TryRecvError::Empty) => {
                    let seconds = OPENING.as_secs();
                    self.fail(now, format!("{} does not open within {seconds} s", self.selection));
                }
                Err(mpsc::TryRecvError::Disconnected) => {
                    self.fail(now, format!("{} could not be opened", self.selection));
                }
            },
            State::Open(source) => match source.poll(now) {
                Ok(Polled::Picture(picture)) => {
                    (self.last, self.alive, self.fault, self.due) = (Some(picture), now, None, None);
                    return true;
                }
                Ok(Polled::Wait(due)) => self.due = Some(due),
                Ok(Polled::Ended) => {
                    self.fault = Some(format!("{} has ended; its last picture stays", source.name()));
                    self.state = State::Ended;
                }
                Err(error) => self.fail(now, error.to_string()),
            },
            State::Failed(again) if *again <= now => {
                self.state = open(now, &self.devices, &self.selection, self.wish);
            }
            State::Failed(_) | State::Ended => {}
        }
        false
    }

    fn fail(&mut self, now: Instant, reason: String) {
        self.fault = Some(reason);
        self.state = State::Failed(now + BETWEEN_TRIES);
    }

    /// Waits for a picture, at most until `until`.
    pub(super) fn wait(&mut self, now: Instant, until: Instant) {
        match &mut self.state {
            State::Open(source) => {
                // Not sooner than that, whatever the source says: it must not be asked all the time.
                let due = self.due.map(|due| due.max(now + LEAST_WAIT));
                source.wait(due.map_or(until, |due| due.min(until)));
            }
            State::Opening(..) => std::thread::sleep(LOOK.min(until.saturating_duration_since(now))),
            State::Ended | State::Failed(_) => std::thread::sleep(until.saturating_duration_since(now)),
        }
    }

    /// When it is to be polled again.
    pub(super) fn has_pictures(&self) -> bool {
        self.last.is_some()
    }

    /// In words, with what to do; `None` while all is well.
    pub(super) fn problem(&self, now: Instant) -> Option<String> {
        if let Some(fault) = &self.fault {
            return Some(fault.clone());
        }
        let is_silent = matches!(self.state, State::Open(_))
            && now.saturating_duration_since(self.alive) >= PATIENCE
            && !self.selection.is_still();
        is_silent.then(|| {
            let what = &self.selection;
            format!("{what} gives no pictures: look whether another program uses it, or choose another one")
        })
    }
}

/// Opening a camera takes its time, so it has a thread of its own. One that comes back late is closed there.
fn open(now: Instant, devices: &Arc<dyn Devices>, selection: &VideoSelection, wish: VideoWish) -> State {
    let (opened, receiver) = mpsc::sync_channel(1);
    let (devices, selection) = (Arc::clone(devices), selection.clone());
    let spawned = std::thread::Builder::new().name("open pictures".into()).spawn(move || {
        let result = devices.open_video(&selection, wish);
        let _ = opened.send(result.map(|opened| opened.source).map_err(|error| error.to_string()));
    });
    match spawned {
        Ok(_) => State::Opening(receiver, now),
        Err(_) => State::Failed(now + BETWEEN_TRIES),
    }
}
