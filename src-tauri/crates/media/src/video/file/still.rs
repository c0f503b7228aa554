use std::time::{Duration, Instant};

use crate::video::codec::ContentHint;
use crate::video::error::VideoError;
use crate::video::picture::Picture;
use crate::video::source::{Polled, VideoSource};

/// How often an image is given: players that join want a key frame soon, and encoders want to repair what they coded
/// badly.
const INTERVAL: Duration = Duration::from_millis(100);

/// One picture again and again. The pixels are shared.
#[derive(Debug)]
pub struct Still {
    name: String,
    picture: Picture,
    due: Instant,
}

impl Still {
    pub fn new(name: impl Into<String>, picture: Picture, now: Instant) -> Self {
        Self { name: name.into(), picture, due: now }
    }
}

impl VideoSource for Still {
    fn name(&self) -> &str {
        &self.name
    }

    fn content(&self) -> ContentHint {
        ContentHint::Detail
    }

    fn poll(&mut self, now: Instant) -> Result<Polled, VideoError> {
        if now < self.due {
            return Ok(Polled::Wait(self.due));
        }
        let next = self.due + INTERVAL;
        self.due = if next > now { next } else { now + INTERVAL };
        Ok(Polled::Picture(self.picture.clone().captured_at(now)))
    }
}
