//! Where pictures come from.

mod latest;

use std::time::Instant;

use super::codec::ContentHint;
use super::error::VideoError;
use super::picture::Picture;

pub use latest::{Deliver, Latest, latest};

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
    fn wait(&self, until: Instant) {
        (**self).wait(until);
    }
}
