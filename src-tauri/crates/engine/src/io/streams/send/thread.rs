//! The thread's loop.

use super::{Change, Plan, Scene, encode::Encoders, slot::Slot};
use crate::io::streams::News;
use sidetone_media::{
    device::{VideoSelection, VideoWish},
    video::{Compositor, Picture, Size, VideoError},
};
use std::{
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError},
    },
    time::{Duration, Instant},
};

/// A picture that stands still is sent again after this, so that players see that the stream is there.
const REPEAT: Duration = Duration::from_millis(500);
/// Between two looks at what was asked.
const LOOK: Duration = Duration::from_millis(15);
/// Between a picture that comes too early and its place in the frame rate.
const SLACK: Duration = Duration::from_millis(4);
/// Two pictures have two timestamps.
const LEAST_APART: Duration = Duration::from_millis(1);
/// How often the bits are shared out anew.
const BETWEEN_ADAPTING: Duration = Duration::from_millis(250);

pub(super) struct Thread {
    plan: Plan,
    changes: Receiver<Change>,
    /// Of what is shown, and of what is to be shown as soon as it gives pictures.
    slots: Vec<Slot>,
    /// What is shown now; `plan.scene` is what was asked for.
    scene: Scene,
    encoders: Encoders,
    compositor: Compositor,
    black: Option<Picture>,
    /// Of what is shown, something has come that was not sent.
    is_fresh: bool,
    sent: Option<Instant>,
    /// Of the picture that was sent last: none may come before it.
    captured: Option<Instant>,
    due: Instant,
    adapted: Instant,
    problem: Option<String>,
    failure: Option<VideoError>,
}

impl Thread {
    pub(super) fn new(plan: Plan, changes: Receiver<Change>) -> Self {
        let now = Instant::now();
        let encoders = Encoders::new(plan.clock, plan.encoding.clone());
        let mut thread = Self {
            scene: plan.scene.clone(),
            changes,
            slots: Vec::new(),
            encoders,
            compositor: Compositor::new(Size::clamped(plan.encoding.width, plan.encoding.height)),
            black: None,
            is_fresh: false,
            sent: None,
            captured: None,
            due: now,
            adapted: now,
            problem: None,
            failure: None,
            plan,
        };
        thread.open(now);
        thread
    }

    pub(super) fn run(mut self) {
        while self.take_changes() {
            let now = Instant::now();
            let is_time = now.saturating_duration_since(self.adapted) >= BETWEEN_ADAPTING;
            // What is too much for the path waits there, and all that follows waits behind it.
            if is_time || self.encoders.are_above(&self.plan.control) {
                self.adapted = now;
                let content = self.main().and_then(Slot::content);
                self.encoders.adapt(now, &self.plan.control, content);
                self.plan.own.counters.target_kbit.set(self.encoders.kbit() as f32);
                self.tell_problem();
            }
            for slot in &mut self.slots {
                self.is_fresh |= slot.poll(now) && self.scene.has(&slot.selection);
            }
            self.switch();
            let since = self.sent.map_or(REPEAT, |sent| now.saturating_duration_since(sent));
            let is_held = self.plan.control.is_held();
            let is_due = now + SLACK >= self.due && !is_held;
            // What is held back shows by itself that the stream is there.
            let is_repeated = since >= REPEAT && !is_held;
            if (self.is_fresh && is_due) || is_repeated || (is_due && self.plan.control.wants_key()) {
                self.send(now);
            } else {
                let look = now + LOOK;
                self.wait(now, if self.is_fresh && !is_held { look.min(self.due) } else { look });
            }
        }
        // Before the last reader of its pictures hears that they have ended.
        self.slots.clear();
    }

    /// False where nobody wants the stream any more.
    fn take_changes(&mut self) -> bool {
        loop {
            match self.changes.try_recv() {
                Ok(Change::Scene(scene)) => {
                    self.plan.scene = scene;
                    self.open(Instant::now());
                }
                Ok(Change::Mute(muted)) => {
                    self.plan.muted = muted;
                    self.due = Instant::now();
                    self.sent = None;
                }
                Err(TryRecvError::Empty) => return true,
                Err(TryRecvError::Disconnected) => return false,
            }
        }
    }

    fn slot(&self, selection: &VideoSelection) -> Option<&Slot> {
        self.slots.iter().find(|slot| slot.selection == *selection)
    }

    fn main(&self) -> Option<&Slot> {
        self.slot(&self.scene.main)
    }

    /// Opens what was asked for and is not open; what is open already goes on untouched.
    fn open(&mut self, now: Instant) {
        let Plan { encoding, scene, devices, .. } = &self.plan;
        let wish = VideoWish {
            size: Size::clamped(encoding.width, encoding.height),
            frames_per_second: encoding.frames_per_second,
        };
        for selection in scene.selections() {
            if !self.slots.iter().any(|slot| slot.selection == *selection) {
                self.slots.push(Slot::new(now, Arc::clone(devices), selection.clone(), wish));
            }
        }
        // What an earlier change asked for is of no use any more.
        let (shown, scene) = (&self.scene, &self.plan.scene);
        self.slots.retain(|slot| shown.has(&slot.selection) || scene.has(&slot.selection));
    }

    /// Shows what was asked for as soon as it gives pictures. One that cannot be opened is not waited for: its problem is to
    /// be seen.
    fn switch(&mut self) {
        if self.scene == self.plan.scene {
            return;
        }
        let next = self.slot(&self.plan.scene.main);
        if next.is_none_or(|slot| slot.has_pictures() || slot.problem().is_some()) {
            self.scene = self.plan.scene.clone();
            self.sent = None;
            let scene = &self.scene;
            self.slots.retain(|slot| scene.has(&slot.selection));
        }
    }

    fn wait(&mut self, now: Instant, until: Instant) {
        let main = &self.scene.main;
        match self.slots.iter_mut().find(|slot| slot.selection == *main) {
            Some(slot) => slot.wait(until),
            None => std::thread::sleep(until.saturating_duration_since(now)),
        }
    }

    fn send(&mut self, now: Instant) {
        let has_pictures = self.main().is_some_and(Slot::has_pictures);
        if !has_pictures && self.main().is_some_and(|main| main.problem().is_none()) {
            // It is being opened: nobody wants to begin with black.
            self.sent = Some(now);
            return self.plan.inlet.alive();
        }
        let interval = self.encoders.interval();
        self.due = if self.due + interval > now { self.due + interval } else { now + interval };
        self.sent = Some(now);
        let is_fresh = std::mem::take(&mut self.is_fresh);
        let picture = match self.compose(now) {
            Ok(picture) => picture,
            Err(error) => return self.failure = Some(error),
        };
        let captured = if is_fresh { picture.captured() } else { now };
        let captured = self.captured.map_or(captured, |before| captured.max(before + LEAST_APART));
        self.captured = Some(captured);
        let picture = picture.captured_at(captured);
        if has_pictures {
            self.plan.own.show(picture.clone());
        }
        if self.plan.shown_only {
            return;
        }
        if self.plan.own.is_unseen() {
            return self.plan.inlet.alive();
        }
        let picture = if self.plan.muted { self.black(picture.size(), captured) } else { picture };
        let Plan { inlet, own, control, .. } = &self.plan;
        self.failure = self.encoders.send(now, &picture, inlet, own, control).err();
        if self.failure.is_some() {
            inlet.alive();
        }
    }

    /// The main picture, and the other one in its corner; black before there is any.
    fn compose(&mut self, now: Instant) -> Result<Picture, VideoError> {
        let bounds = Size::clamped(self.plan.encoding.width, self.plan.encoding.height);
        let Some(main) = self.main().and_then(Slot::last).cloned() else {
            return Ok(self.black(bounds, now));
        };
        let Some(wanted) = &self.scene.inset else { return Ok(main) };
        let Some(inset) = self.slot(&wanted.source).and_then(Slot::last).cloned() else {
            return Ok(main);
        };
        let size = if main.rotation().swaps_sides() { main.size().turned() } else { main.size() };
        let bounds = if size.height() > size.width() { bounds.turned() } else { bounds };
        self.compositor.set_size(size.within(bounds).even());
        let captured = main.captured().max(inset.captured());
        self.compositor.compose(Some(&main), Some((&inset, wanted.place)), captured)
    }

    fn black(&mut self, size: Size, now: Instant) -> Picture {
        let black = match self.black.take() {
            Some(black) if black.size() == size => black,
            _ => Picture::black(size, now),
        };
        self.black = Some(black.clone());
        black.captured_at(now)
    }

    fn tell_problem(&mut self) {
        let failure = || self.failure.as_ref().map(ToString::to_string);
        let problem = self.slots.iter().rev().find_map(Slot::problem).or_else(failure);
        if problem != self.problem {
            self.problem.clone_from(&problem);
            let _ = self.plan.news.try_send(News::Problem { stream: self.plan.stream, problem });
        }
    }
}
