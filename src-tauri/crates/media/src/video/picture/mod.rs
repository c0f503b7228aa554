//! A picture and what is done with its pixels.

mod canvas;
mod convert;
mod pool;
mod scale;
mod size;
#[cfg(test)]
mod tests;
mod turn;

use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use crate::video::error::VideoError;

pub use canvas::{Canvas, PlanesMut};
pub use convert::PixelFormat;
pub use pool::FramePool;
pub use scale::Scaler;
pub use size::{MAX_SIDE, Rect, Size};

use pool::Buffer;

/// Luma of black, and the chroma of every grey, in limited range (BT.601).
pub const BLACK: u8 = 16;
pub const WHITE: u8 = 235;
pub const GREY_CHROMA: u8 = 128;

/// How a picture is to be turned before it is shown, as phones send it (RFC 7742, 4).
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub enum Rotation {
    #[default]
    Upright,
    Clockwise90,
    Half,
    Clockwise270,
}

impl Rotation {
    /// From degrees clockwise; anything but a quarter turn is taken as the nearest below.
    pub fn from_degrees(degrees: u32) -> Self {
        match degrees % 360 / 90 {
            1 => Self::Clockwise90,
            2 => Self::Half,
            3 => Self::Clockwise270,
            _ => Self::Upright,
        }
    }

    /// Degrees clockwise.
    pub fn degrees(self) -> u32 {
        match self {
            Self::Upright => 0,
            Self::Clockwise90 => 90,
            Self::Half => 180,
            Self::Clockwise270 => 270,
        }
    }

    /// Width and height change places.
    pub fn swaps_sides(self) -> bool {
        matches!(self, Self::Clockwise90 | Self::Clockwise270)
    }
}

/// An I420 picture: BT.601, limited range, planes without padding, chroma rounded up for odd sizes. Cloning shares
/// the pixels.
#[derive(Clone)]
pub struct Picture {
    pixels: Arc<Buffer>,
    size: Size,
    captured: Instant,
    rotation: Rotation,
}

impl Picture {
    /// All black, not of a pool.
    pub fn black(size: Size, captured: Instant) -> Self {
        Canvas::black(size).finish(captured)
    }

    pub fn size(&self) -> Size {
        self.size
    }

    pub fn width(&self) -> u32 {
        self.size.width()
    }

    pub fn height(&self) -> u32 {
        self.size.height()
    }

    /// When the light fell in, or as near to that as the source can tell.
    pub fn captured(&self) -> Instant {
        self.captured
    }

    /// How it is to be turned before it is shown.
    pub fn rotation(&self) -> Rotation {
        self.rotation
    }

    /// The same pixels with another instant.
    #[must_use]
    pub fn captured_at(mut self, captured: Instant) -> Self {
        self.captured = captured;
        self
    }

    /// The same pixels to be turned otherwise.
    #[must_use]
    pub fn with_rotation(mut self, rotation: Rotation) -> Self {
        self.rotation = rotation;
        self
    }

    /// Y, U and V after each other: [`Size::i420_len`] bytes.
    pub fn i420(&self) -> &[u8] {
        &self.pixels.data
    }

    /// Luma, one byte a pixel, rows of [`Self::width`].
    pub fn y(&self) -> &[u8] {
        &self.pixels.data[..self.size.luma_len()]
    }

    /// Blue difference, rows of [`Size::chroma_width`].
    pub fn u(&self) -> &[u8] {
        let (from, len) = (self.size.luma_len(), self.size.chroma_len());
        &self.pixels.data[from..from + len]
    }

    /// Red difference, rows of [`Size::chroma_width`].
    pub fn v(&self) -> &[u8] {
        &self.pixels.data[self.size.luma_len() + self.size.chroma_len()..]
    }

    /// Whether both are the very same pixels in memory.
    pub fn shares_pixels(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.pixels, &other.pixels)
    }

    /// Turned as [`Self::rotation`] tells, so that it needs no turning any more. Shares the pixels where it is upright.
    pub fn upright(&self, pool: &FramePool) -> Result<Self, VideoError> {
        turn::upright(self, pool)
    }
}

impl fmt::Debug for Picture {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Picture")
            .field("size", &self.size)
            .field("rotation", &self.rotation)
            .finish_non_exhaustive()
    }
}
