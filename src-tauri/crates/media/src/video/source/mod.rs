//! Where pictures come from.

mod grab;
mod latest;
mod watched;

use std::time::Instant;

use super::codec::ContentHint;
use super::error::VideoError;
use super::picture::Picture;
use crate::error::DeviceFault;

pub use grab::{Grabbed, Grabber, Grabbers};
pub use latest::{Deliver, Latest, latest};
pub use watched::{OpenVideo, WatchRules, Watched};

/// What a source has to say.
#[derive(Debug)]
pub enum Polled {
    /// The newest picture. What was due before it and not fetched is gone.
    Picture(Picture),
    /// Nothing yet: ask again at this instant, or when [`VideoSource::wait`] returns.
    Wait(Instant),
    /// The end of a file that does not loop. It stays so.
    Ended,
}

/// Gives pictures to the thread that encodes or shows them. Never blocks in [`Self::poll`]; an error that it gives
/// once does not have to be its end: a camera may come back.
pub trait VideoSource: Send {
    /// For messages, such as `bars` or the name of a camera.
    fn name(&self) -> &str;

    /// The newest picture that is due at `now`.
    fn poll(&mut self, now: Instant) -> Result<Polled, VideoError>;

    /// What its pictures are like where the user leaves the hint to us.
    fn content(&self) -> ContentHint {
        ContentHint::Motion
    }

    /// A fault since the last call, told once, that it copes with by itself.
    fn fault(&mut self) -> Option<DeviceFault> {
        None
    }

    /// What is wrong with it now, in words; `None` while all is well, and for sources that tell errors instead.
    fn problem(&self) -> Option<String> {
        None
    }

    /// Blocks until `until`, or less where a picture came sooner.
    fn wait(&self, until: Instant) {
        let now = Instant::now();
        if until > now {
            std::thread::sleep(until - now);
        }
    }
}

impl<S: VideoSource + ?Sized> VideoSource for Box<S> {
    fn name(&self) -> &str {
        (**self).name()
    }
    fn poll(&mut self, now: Instant) -> Result<Polled, VideoError> {
        (**self).poll(now)
    }
    fn content(&self) -> ContentHint {
        (**self).content()
    }
    fn fault(&mut self) -> Option<DeviceFault> {
        (**self).fault()
    }
    fn problem(&self) -> Option<String> {
        (**self).problem()
    }
    fn wait(&self, until: Instant) {
        (**self).wait(until);
    }
}
