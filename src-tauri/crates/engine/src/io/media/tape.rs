//! What the held hear.

use super::HoldMusic;
use sidetone_media::tone::HoldTune;
use sidetone_media::{Frame, SILENCE, Source};

/// One tape for all of them, which runs while anybody is held.
pub(super) struct Tape {
    source: Option<Box<dyn Source>>,
    frame: Box<Frame>,
}

impl Default for Tape {
    fn default() -> Self {
        Self { source: Some(Box::new(HoldTune::default())), frame: Box::new(SILENCE) }
    }
}

impl Tape {
    /// Gives back what played before: closing a file may block.
    pub(super) fn insert(&mut self, music: HoldMusic) -> Option<Box<dyn Source>> {
        let source: Option<Box<dyn Source>> = match music {
            HoldMusic::Tune => Some(Box::new(HoldTune::default())),
            HoldMusic::Silence => None,
            HoldMusic::Source(source) => Some(source),
        };
        std::mem::replace(&mut self.source, source)
    }

    /// The next 10 ms.
    pub(super) fn play(&mut self) -> &Frame {
        match &mut self.source {
            Some(source) => {
                source.read(&mut self.frame);
            }
            None => self.frame.fill(0.0),
        }
        &self.frame
    }
}
