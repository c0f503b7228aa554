//! The thread's loop.

use super::{Change, Plan, Scene, encode::Encoders, slot::Slot};
use crate::io::streams::News;
use sidetone_api::Corner;
use sidetone_media::{
    device::VideoWish,
    video::{Canvas, FramePool, Picture, Scaler, Size, VideoError},
};
use std::{
    sync::mpsc::{Receiver, TryRecvError},
    time::{Duration, Instant},
};

/// A picture that stands still is sent again after this, so that players see that the stream is there.
const REPEAT: Duration = Duration::from_millis(500);
/// Between two looks at what was asked.
const LOOK: Duration = Duration::from_millis(15);
/// Between a picture that comes too early and its place in the frame rate.
const SLACK: Duration = Duration::from_millis(4);
/// Of the corner's picture from the edge, of the picture's width.
const MARGIN: f32 = 0.02;
/// How often the bits are shared out anew.
const BETWEEN_ADAPTING: Duration = Duration::from_millis(250);

pub(super) struct Thread {
    plan: Plan,
    changes: Receiver<Change>,
    main: Slot,
    inset: Option<Slot>,
    /// What is to be shown in place of `main` and `inset` as soon as it gives pictures.
    next: Option<(Slot, Option<Slot>)>,
    encoders: Encoders,
    scaler: Scaler,
    pool: FramePool,
    black: Option<Picture>,
    sent: Option<Instant>,
    due: Instant,
    adapted: Instant,
    problem: Option<String>,
    failure: Option<VideoError>,
}

impl Thread {
    pub(super) fn new(plan: Plan, changes: Receiver<Change>) -> Self {
        let now = Instant::now();
        let (main, inset) = open(&plan, &plan.scene, now);
        let encoders = Encoders::new(now, plan.encoding.clone());
        Self {
            plan,
            changes,
            main,
            inset,
            next: None,
            encoders,
            scaler: Scaler::new(),
            pool: FramePool::default(),
            black: None,
            sent: None,
            due: now,
            adapted: now,
            problem: None,
            failure: None,
        }
    }

    pub(super) fn run(mut self) {
        while self.take_changes() {
            let now = Instant::now();
            if now.saturating_duration_since(self.adapted) >= BETWEEN_ADAPTING {
                self.adapted = now;
                self.encoders.adapt(now, &self.plan.control, self.main.content());
                self.plan.own.counters.target_kbit.set(self.encoders.kbit() as f32);
                self.tell_problem(now);
            }
            self.poll_next(now);
            let is_new = self.main.poll(now);
            if let Some(inset) = &mut self.inset {
                inset.poll(now);
            }
            let since = self.sent.map_or(REPEAT, |sent| now.saturating_duration_since(sent));
            let is_due = now + SLACK >= self.due;
            if (is_new && is_due) || since >= REPEAT || (is_due && self.plan.control.wants_key()) {
                self.send(now, is_new);
            } else {
                self.main.wait(now, now + LOOK);
            }
        }
    }

    /// False where nobody wants the stream any more.
    fn take_changes(&mut self) -> bool {
        loop {
            match self.changes.try_recv() {
                Ok(Change::Scene(scene)) => {
                    self.next = Some(open(&self.plan, &scene, Instant::now()));
                    self.plan.scene = scene;
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

    fn poll_next(&mut self, now: Instant) {
        let Some((main, inset)) = &mut self.next else { return };
        main.poll(now);
        if let Some(inset) = inset {
            inset.poll(now);
        }
        // One that cannot be opened is not waited for: its problem is to be seen.
        if (main.has_pictures() || main.problem(now).is_some())
            && let Some((main, inset)) = self.next.take()
        {
            (self.main, self.inset) = (main, inset);
            self.sent = None;
        }
    }

    fn send(&mut self, now: Instant, is_new: bool) {
        if !self.main.has_pictures() && self.main.problem(now).is_none() {
            // It is being opened: nobody wants to begin with black.
            self.sent = Some(now);
            return self.plan.inlet.alive();
        }
        let interval = self.encoders.interval();
        self.due = if self.due + interval > now { self.due + interval } else { now + interval };
        self.sent = Some(now);
        let picture = match self.compose(now) {
            Ok(picture) => picture,
            Err(error) => return self.failure = Some(error),
        };
        let picture = if is_new { picture } else { picture.captured_at(now) };
        if self.main.has_pictures() {
            self.plan.own.show(picture.clone());
        }
        let picture = if self.plan.muted { self.black(picture.size(), now) } else { picture };
        let Plan { inlet, own, control, .. } = &self.plan;
        self.failure = self.encoders.send(now, &picture, inlet, own, control).err();
        if self.failure.is_some() {
            inlet.alive();
        }
    }

    /// The main picture, and the other one in its corner; black before there is any.
    fn compose(&mut self, now: Instant) -> Result<Picture, VideoError> {
        let Some(main) = self.main.last.clone() else {
            let size = Size::clamped(self.plan.encoding.width, self.plan.encoding.height);
            return Ok(self.black(size, now));
        };
        let (Some(wanted), Some(inset)) = (&self.plan.scene.inset, &self.inset) else { return Ok(main) };
        let Some(small) = &inset.last else { return Ok(main) };
        let main = main.upright(&self.pool)?;
        let size = main.size();
        let side = |part: f32| (size.width() as f32 * part) as u32;
        let bounds = Size::clamped(side(wanted.size).max(2), size.height().max(2));
        let small = small.upright(&self.pool)?;
        let small = self.scaler.scale(&small, small.size().fitted(bounds), &self.pool)?;
        let mut canvas: Canvas = self.pool.take(size)?;
        canvas.i420_mut().copy_from_slice(main.i420());
        let margin = side(MARGIN) & !1;
        let right = size.width().saturating_sub(small.width() + margin) & !1;
        let bottom = size.height().saturating_sub(small.height() + margin) & !1;
        let (left, top) = match wanted.corner {
            Corner::TopLeft => (margin, margin),
            Corner::TopRight => (right, margin),
            Corner::BottomLeft => (margin, bottom),
            Corner::BottomRight => (right, bottom),
        };
        canvas.draw(&small, left, top);
        Ok(canvas.finish(main.captured()))
    }

    fn black(&mut self, size: Size, now: Instant) -> Picture {
        let black = match self.black.take() {
            Some(black) if black.size() == size => black,
            _ => Picture::black(size, now),
        };
        self.black = Some(black.clone());
        black.captured_at(now)
    }

    fn tell_problem(&mut self, now: Instant) {
        let of_next = self.next.as_ref().and_then(|(main, _)| main.problem(now));
        let of_inset = || self.inset.as_ref().and_then(|inset| inset.problem(now));
        let failure = || self.failure.as_ref().map(ToString::to_string);
        let problem = of_next.or_else(|| self.main.problem(now)).or_else(of_inset).or_else(failure);
        if problem != self.problem {
            self.problem.clone_from(&problem);
            let _ = self.plan.news.try_send(News::Problem { stream: self.plan.stream, problem });
        }
    }
}

fn open(plan: &Plan, scene: &Scene, now: Instant) -> (Slot, Option<Slot>) {
    let encoding = &plan.encoding;
    let wish = VideoWish {
        size: Size::clamped(encoding.width, encoding.height),
        frames_per_second: encoding.frames_per_second,
    };
    let slot = |selection: &_| {
        Slot::new(
            now,
            std::sync::Arc::clone(&plan.devices),
            sidetone_media::device::VideoSelection::clone(selection),
            wish,
        )
    };
    (slot(&scene.main), scene.inset.as_ref().map(|inset| slot(&inset.source)))
}
