//! What a leg says, for a stream.

use sidetone_media::{Flow, Frame, SILENCE, Source};
use std::{
    fmt,
    sync::{Arc, Mutex, PoisonError},
};

/// Ten milliseconds at a time, on the media thread's beat: first the leg gives, then the stream takes. Both are the same thread, so
/// that nobody ever waits.
#[derive(Clone)]
pub(crate) struct FarSound(Arc<Mutex<Said>>);

struct Said {
    frame: Frame,
    /// It was not taken yet.
    is_new: bool,
}

impl Default for FarSound {
    fn default() -> Self {
        Self(Arc::new(Mutex::new(Said { frame: SILENCE, is_new: false })))
    }
}

impl FarSound {
    pub(in super::super) fn give(&self, frame: &Frame) {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        (said.frame, said.is_new) = (*frame, true);
    }
}

impl Source for FarSound {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        let mut said = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if std::mem::take(&mut said.is_new) {
            *frame = said.frame;
            return Flow::Live;
        }
        *frame = SILENCE;
        Flow::Starved
    }

    fn is_microphone(&self) -> bool {
        false
    }
}

impl fmt::Debug for FarSound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FarSound")
    }
}

#[cfg(test)]
mod tests {
    use super::FarSound;
    use sidetone_media::{FRAME_LEN, Flow, SILENCE, Source as _};

    #[test]
    fn what_was_said_is_heard_once_and_silence_where_nothing_was() {
        let leg = FarSound::default();
        let (mut stream, mut heard) = (leg.clone(), [1.0; FRAME_LEN]);
        assert_eq!((stream.read(&mut heard), heard), (Flow::Starved, SILENCE));
        leg.give(&[0.5; FRAME_LEN]);
        assert_eq!((stream.read(&mut heard), heard), (Flow::Live, [0.5; FRAME_LEN]));
        assert_eq!((stream.read(&mut heard), heard), (Flow::Starved, SILENCE));
    }
}
