use std::fmt;

use crate::video::error::VideoError;

/// Longest side of a picture.
pub const MAX_SIDE: u32 = 4096;

/// Width and height, each between 1 and [`MAX_SIDE`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Size {
    width: u32,
    height: u32,
}

impl Size {
    pub const QCIF: Self = Self { width: 176, height: 144 };
    pub const P180: Self = Self { width: 320, height: 180 };
    pub const P360: Self = Self { width: 640, height: 360 };
    pub const P720: Self = Self { width: 1280, height: 720 };
    pub const P1080: Self = Self { width: 1920, height: 1080 };

    pub fn new(width: u32, height: u32) -> Result<Self, VideoError> {
        if (1..=MAX_SIDE).contains(&width) && (1..=MAX_SIDE).contains(&height) {
            Ok(Self { width, height })
        } else {
            Err(VideoError::Size { width, height })
        }
    }

    /// The nearest size that is allowed.
    pub fn clamped(width: u32, height: u32) -> Self {
        Self { width: width.clamp(1, MAX_SIDE), height: height.clamp(1, MAX_SIDE) }
    }

    pub fn width(self) -> u32 {
        self.width
    }

    pub fn height(self) -> u32 {
        self.height
    }

    /// Samples in a row of U or V: half the width, rounded up.
    pub fn chroma_width(self) -> u32 {
        self.width.div_ceil(2)
    }

    /// Rows of U or V: half the height, rounded up.
    pub fn chroma_height(self) -> u32 {
        self.height.div_ceil(2)
    }

    /// Bytes of the Y plane; also the number of pixels.
    pub fn luma_len(self) -> usize {
        self.width as usize * self.height as usize
    }

    /// Bytes of each chroma plane.
    pub fn chroma_len(self) -> usize {
        self.chroma_width() as usize * self.chroma_height() as usize
    }

    /// Bytes of an I420 picture.
    pub fn i420_len(self) -> usize {
        self.luma_len() + 2 * self.chroma_len()
    }

    /// Width and height changed for each other.
    #[must_use]
    pub fn turned(self) -> Self {
        Self { width: self.height, height: self.width }
    }

    /// Both sides even, rounded up: what H.264 in 4:2:0 can tell.
    #[must_use]
    pub fn even(self) -> Self {
        Self { width: self.width.next_multiple_of(2), height: self.height.next_multiple_of(2) }
    }

    /// The largest size of the same shape that is inside of `bounds`; itself if it is inside already. Sides that had
    /// to change are even where that is possible.
    #[must_use]
    pub fn within(self, bounds: Self) -> Self {
        if self.width <= bounds.width && self.height <= bounds.height {
            return self;
        }
        self.fitted(bounds)
    }

    /// The largest size of the same shape that is inside of `bounds`, also where that is larger than this one.
    #[must_use]
    pub fn fitted(self, bounds: Self) -> Self {
        let (w, h) = (u64::from(self.width), u64::from(self.height));
        let (bw, bh) = (u64::from(bounds.width), u64::from(bounds.height));
        let even = |side: u64, most: u64| match side.min(most) {
            0 | 1 => 1,
            side if side == most => most,
            side => side & !1,
        };
        let (width, height) = if w * bh >= h * bw {
            (bw, even((h * bw + w / 2) / w, bh))
        } else {
            (even((w * bh + h / 2) / h, bw), bh)
        };
        Self::clamped(width as u32, height as u32)
    }

    /// Divided by `by`, at least 1, even where possible.
    #[must_use]
    pub fn divided(self, by: u32) -> Self {
        let side = |side: u32| match side / by.max(1) {
            0 => 1,
            1 => 1,
            side => side & !1,
        };
        Self { width: side(self.width), height: side(self.height) }
    }
}

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}x{}", self.width, self.height)
    }
}

/// A part of a picture, in pixels.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Rect {
    pub left: u32,
    pub top: u32,
    pub width: u32,
    pub height: u32,
}

impl Rect {
    /// The whole of a picture of this size.
    pub fn whole(size: Size) -> Self {
        Self { left: 0, top: 0, width: size.width, height: size.height }
    }

    /// Where a picture of `inner` lies in the middle of `outer`, at even positions so that chroma fits.
    pub fn centred(inner: Size, outer: Size) -> Self {
        let (width, height) = (inner.width.min(outer.width), inner.height.min(outer.height));
        Self {
            left: ((outer.width - width) / 2) & !1,
            top: ((outer.height - height) / 2) & !1,
            width,
            height,
        }
    }

    /// The part of it that is inside of a picture of `size`; `None` if nothing is.
    pub fn inside(self, size: Size) -> Option<Self> {
        let width = self.width.min(size.width.checked_sub(self.left)?);
        let height = self.height.min(size.height.checked_sub(self.top)?);
        (width > 0 && height > 0).then_some(Self { width, height, ..self })
    }
}
