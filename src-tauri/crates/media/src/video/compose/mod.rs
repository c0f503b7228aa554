//! One picture out of two: the main one, and another over a corner of it, such as the camera over a screen; or out of many, side by
//! side ([`Mosaic`]).

mod label;
mod layout;
mod mosaic;
#[cfg(test)]
mod tests;

pub use layout::{Places, places};
pub use mosaic::{Mosaic, Tile};

use std::time::Instant;

use super::error::VideoError;
use super::picture::{BLACK, FramePool, GREY_CHROMA, Picture, Rect, Scaler, Size};

/// Between the inset and the edges, of the picture's width.
const MARGIN: f32 = 0.02;
/// Least and most of the picture's width that an inset takes.
pub const INSET_SIZES: std::ops::RangeInclusive<f32> = 0.1..=0.5;

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Corner {
    TopLeft,
    TopRight,
    BottomLeft,
    #[default]
    BottomRight,
}

/// Where the second picture goes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Inset {
    pub corner: Corner,
    /// Of the picture's width; brought into [`INSET_SIZES`].
    pub size: f32,
}

impl Inset {
    /// The place of a picture of `inner` in one of `outer`: inside of the margins, at even positions.
    pub fn place(self, inner: Size, outer: Size) -> Rect {
        let part = |part: f32| (outer.width() as f32 * part) as u32;
        // NaN becomes the least.
        let share = self.size.max(*INSET_SIZES.start()).min(*INSET_SIZES.end());
        let margin = part(MARGIN) & !1;
        let room = |side: u32| side.saturating_sub(2 * margin).max(1);
        let bounds = Size::clamped(part(share).clamp(1, room(outer.width())), room(outer.height()));
        let size = inner.fitted(bounds);
        let far = |outer: u32, inner: u32| outer.saturating_sub(inner + margin) & !1;
        let (right, bottom) = (far(outer.width(), size.width()), far(outer.height(), size.height()));
        let (left, top) = match self.corner {
            Corner::TopLeft => (margin.min(right), margin.min(bottom)),
            Corner::TopRight => (right, margin.min(bottom)),
            Corner::BottomLeft => (margin.min(right), bottom),
            Corner::BottomRight => (right, bottom),
        };
        Rect { left, top, width: size.width(), height: size.height() }
    }
}

/// Puts pictures together at one size. Keeps what it has scaled, so a picture that stands still costs nothing again.
pub struct Compositor {
    size: Size,
    scaler: Scaler,
    pool: FramePool,
    main: Kept,
    inset: Kept,
}

/// A picture and what it was scaled to.
#[derive(Default)]
struct Kept(Option<(Picture, Picture)>);

impl Compositor {
    /// Every picture that it gives is of `size`.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            scaler: Scaler::crisp(),
            pool: FramePool::default(),
            main: Kept::default(),
            inset: Kept::default(),
        }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    pub fn set_size(&mut self, size: Size) {
        self.size = size;
    }

    /// `main` in the middle, in its own shape, with black beside it where that is another; `inset` over its corner.
    /// Both are turned upright. Without `main` the ground is black. A picture that fits already is given as it is.
    pub fn compose(
        &mut self,
        main: Option<&Picture>,
        inset: Option<(&Picture, Inset)>,
        captured: Instant,
    ) -> Result<Picture, VideoError> {
        let (scaler, pool, size) = (&mut self.scaler, &self.pool, self.size);
        let main = match main {
            Some(main) => Some(self.main.scaled(main, main_size(main, size), scaler, pool)?),
            None => None,
        };
        let Some((inset, place)) = inset else {
            return match main {
                Some(main) if main.size() == size => Ok(main.captured_at(captured)),
                main => Ok(self.ground(main)?.finish(captured)),
            };
        };
        let upright = inset.rotation().swaps_sides();
        let inner = if upright { inset.size().turned() } else { inset.size() };
        let place = place.place(inner, size);
        let to = Size::clamped(place.width, place.height);
        let small = self.inset.scaled(inset, to, scaler, pool)?;
        let mut canvas = self.ground(main)?;
        canvas.draw(&small, place.left, place.top);
        Ok(canvas.finish(captured))
    }

    /// A canvas with the main picture in its middle.
    fn ground(&self, main: Option<Picture>) -> Result<super::picture::Canvas, VideoError> {
        let mut canvas = self.pool.take(self.size)?;
        match main {
            Some(main) if main.size() == self.size => canvas.i420_mut().copy_from_slice(main.i420()),
            Some(main) => {
                canvas.fill([BLACK, GREY_CHROMA, GREY_CHROMA]);
                let place = Rect::centred(main.size(), self.size);
                canvas.draw(&main, place.left, place.top);
            }
            None => canvas.fill([BLACK, GREY_CHROMA, GREY_CHROMA]),
        }
        Ok(canvas)
    }
}

/// The size of `main` in a picture of `size`.
fn main_size(main: &Picture, size: Size) -> Size {
    let upright = if main.rotation().swaps_sides() { main.size().turned() } else { main.size() };
    upright.fitted(size)
}

impl Kept {
    /// `picture` upright and in size `to`.
    fn scaled(
        &mut self,
        picture: &Picture,
        to: Size,
        scaler: &mut Scaler,
        pool: &FramePool,
    ) -> Result<Picture, VideoError> {
        if let Some((from, scaled)) = &self.0
            && from.shares_pixels(picture)
            && from.rotation() == picture.rotation()
            && scaled.size() == to
        {
            return Ok(scaled.clone());
        }
        // Room for the next one, before it is made.
        self.0 = None;
        let scaled = scaler.scale(&picture.upright(pool)?, to, pool)?;
        self.0 = Some((picture.clone(), scaled.clone()));
        Ok(scaled)
    }
}

impl std::fmt::Debug for Compositor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Compositor").field("size", &self.size).finish_non_exhaustive()
    }
}
