//! A picture becomes as large as a page shows it.

use super::header;
use sidetone_media::video::{FramePool, Picture, Scaler, Size};

/// Makes pictures as small as the page shows them.
pub(super) struct Shrink {
    scaler: Scaler,
    pool: FramePool,
}

impl Default for Shrink {
    fn default() -> Self {
        Self { scaler: Scaler::new(), pool: FramePool::new(2) }
    }
}

impl Shrink {
    pub(super) fn frame(
        &mut self,
        channel: u32,
        picture: &Picture,
        room: Size,
        number: u64,
    ) -> Option<Vec<u8>> {
        let room = if picture.rotation().swaps_sides() { room.turned() } else { room };
        match self.scaler.within(picture, room, &self.pool) {
            Ok(scaled) => Some(header::frame(channel, &scaled, picture.size(), number)),
            Err(error) => {
                tracing::warn!(%error, "a picture was not scaled");
                None
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{Shrink, Size, header};
    use sidetone_media::video::{Picture, Rotation};
    use std::time::Instant;

    #[test]
    fn a_picture_that_lies_on_its_side_is_fitted_as_it_is_shown() {
        let picture = Picture::black(Size::clamped(1280, 720), Instant::now());
        let picture = picture.with_rotation(Rotation::Clockwise90);
        let frame = Shrink::default().frame(7, &picture, Size::clamped(90, 160), 0).unwrap();
        let word = |at: usize| u32::from_le_bytes(frame[at..at + 4].try_into().unwrap());
        assert_eq!((frame[5], word(8), word(12), word(16), word(20)), (1, 160, 90, 1280, 720));
        assert_eq!(frame.len(), header::LEN + 160 * 90 * 3 / 2);
    }
}
