use std::time::{Duration, Instant};

use super::{Compositor, Inset};
use crate::error::DeviceFault;
use crate::video::bars::MAX_FRAME_RATE;
use crate::video::codec::ContentHint;
use crate::video::error::VideoError;
use crate::video::picture::{Picture, Size};
use crate::video::source::{Polled, VideoSource};

/// A picture this much too early is not too early: sources are not exact.
const SLACK: Duration = Duration::from_millis(4);
/// Between two looks at sources that cannot both be waited for.
const LOOK: Duration = Duration::from_millis(5);

/// The second source and its place.
pub type InsetSource = (Box<dyn VideoSource>, Inset);

/// Two sources as one, at one size and at most at one rate. Sources can be changed while it runs: what is shown stays
/// until the new one has a picture.
pub struct Composition {
    compositor: Compositor,
    interval: Duration,
    due: Option<Instant>,
    main: Input,
    inset: Option<(Input, Inset)>,
    is_new: bool,
}

/// A source with its last picture, and the one that is to take its place.
struct Input {
    source: Box<dyn VideoSource>,
    next: Option<Box<dyn VideoSource>>,
    last: Option<Picture>,
    ended: bool,
}

impl Input {
    fn new(source: Box<dyn VideoSource>) -> Self {
        Self { source, next: None, last: None, ended: false }
    }

    /// Takes the newest picture; true where there was one.
    fn poll(&mut self, now: Instant) -> Result<bool, VideoError> {
        if let Some(mut next) = self.next.take() {
            match next.poll(now) {
                Ok(Polled::Picture(picture)) => {
                    *self = Self { last: Some(picture), ..Self::new(next) };
                    return Ok(true);
                }
                Ok(_) => self.next = Some(next),
                Err(error) => {
                    self.next = Some(next);
                    return Err(error);
                }
            }
        }
        match self.source.poll(now)? {
            Polled::Picture(picture) => {
                self.last = Some(picture);
                return Ok(true);
            }
            Polled::Wait(_) => {}
            Polled::Ended => self.ended = true,
        }
        Ok(false)
    }

    fn faults(&mut self) -> Option<DeviceFault> {
        self.next.as_mut().and_then(|next| next.fault()).or_else(|| self.source.fault())
    }

    fn problem(&self) -> Option<String> {
        self.next.as_ref().and_then(|next| next.problem()).or_else(|| self.source.problem())
    }
}

impl Composition {
    pub fn new(
        main: Box<dyn VideoSource>,
        inset: Option<InsetSource>,
        size: Size,
        frames_per_second: u32,
    ) -> Self {
        Self {
            compositor: Compositor::new(size),
            interval: Duration::from_secs(1) / frames_per_second.clamp(1, MAX_FRAME_RATE),
            due: None,
            main: Input::new(main),
            inset: inset.map(|(source, place)| (Input::new(source), place)),
            is_new: false,
        }
    }

    /// Shows `main` in place of the one before as soon as it gives its first picture.
    pub fn set_main(&mut self, main: Box<dyn VideoSource>) {
        self.main.next = Some(main);
    }

    /// Shows another second source as soon as it gives its first picture, or none from now on.
    pub fn set_inset(&mut self, inset: Option<InsetSource>) {
        self.is_new = true;
        self.inset = match (self.inset.take(), inset) {
            (Some((mut input, _)), Some((source, place))) => {
                input.next = Some(source);
                Some((input, place))
            }
            (None, Some((source, place))) => Some((Input::new(source), place)),
            (_, None) => None,
        };
    }

    /// Moves the second source, which goes on.
    pub fn move_inset(&mut self, place: Inset) {
        if let Some((_, its)) = &mut self.inset {
            *its = place;
            self.is_new = true;
        }
    }

    /// From the next picture on.
    pub fn set_output(&mut self, size: Size, frames_per_second: u32) {
        self.compositor.set_size(size);
        self.interval = Duration::from_secs(1) / frames_per_second.clamp(1, MAX_FRAME_RATE);
    }
}

impl VideoSource for Composition {
    fn name(&self) -> &str {
        self.main.source.name()
    }

    fn content(&self) -> ContentHint {
        self.main.source.content()
    }

    fn poll(&mut self, now: Instant) -> Result<Polled, VideoError> {
        let polled = self.main.poll(now);
        let inset = self.inset.as_mut().map_or(Ok(false), |(inset, _)| inset.poll(now));
        self.is_new |=
            polled.as_ref().is_ok_and(|is_new| *is_new) | inset.as_ref().is_ok_and(|is_new| *is_new);
        polled.and(inset)?;
        if self.main.ended && self.main.next.is_none() && !self.is_new {
            return Ok(Polled::Ended);
        }
        let due = self.due.unwrap_or(now);
        let Some(main) = &self.main.last else { return Ok(Polled::Wait(now + LOOK)) };
        if !self.is_new || now + SLACK < due {
            return Ok(Polled::Wait(due.max(now + LOOK)));
        }
        self.is_new = false;
        // What was missed is not made up for.
        self.due = Some(if due + self.interval > now { due + self.interval } else { now + self.interval });
        let inset = self.inset.as_ref().and_then(|(inset, place)| Some((inset.last.as_ref()?, *place)));
        let captured = inset.map_or(main.captured(), |(inset, _)| main.captured().max(inset.captured()));
        self.compositor.compose(Some(main), inset, captured).map(Polled::Picture)
    }

    fn fault(&mut self) -> Option<DeviceFault> {
        self.main.faults().or_else(|| self.inset.as_mut().and_then(|(inset, _)| inset.faults()))
    }

    fn problem(&self) -> Option<String> {
        self.main.problem().or_else(|| self.inset.as_ref().and_then(|(inset, _)| inset.problem()))
    }

    fn wait(&self, until: Instant) {
        let now = Instant::now();
        match self.due {
            Some(due) if due > now + SLACK => {
                std::thread::sleep(due.min(until).saturating_duration_since(now))
            }
            _ if self.inset.is_some() || self.main.next.is_some() => {
                self.main.source.wait(until.min(now + LOOK))
            }
            _ => self.main.source.wait(until),
        }
    }
}

impl std::fmt::Debug for Composition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Composition").field("main", &self.name()).finish_non_exhaustive()
    }
}
