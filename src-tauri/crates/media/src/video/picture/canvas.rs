use std::fmt;
use std::sync::Arc;
use std::time::Instant;

use super::pool::Buffer;
use super::{BLACK, GREY_CHROMA, Picture, Rect, Rotation, Size};

/// A picture that is being made. [`Self::finish`] makes it a [`Picture`], which never changes.
pub struct Canvas {
    buffer: Buffer,
    size: Size,
}

/// The planes of a [`Canvas`], rows without padding.
pub struct PlanesMut<'a> {
    pub y: &'a mut [u8],
    pub u: &'a mut [u8],
    pub v: &'a mut [u8],
}

impl Canvas {
    /// All black, not of a pool.
    pub fn black(size: Size) -> Self {
        let mut data = vec![BLACK; size.i420_len()];
        data[size.luma_len()..].fill(GREY_CHROMA);
        Self { buffer: Buffer::unpooled(data), size }
    }

    pub(super) fn of(buffer: Buffer, size: Size) -> Self {
        Self { buffer, size }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    pub fn i420_mut(&mut self) -> &mut [u8] {
        &mut self.buffer.data
    }

    pub fn planes_mut(&mut self) -> PlanesMut<'_> {
        let (y, chroma) = self.buffer.data.split_at_mut(self.size.luma_len());
        let (u, v) = chroma.split_at_mut(self.size.chroma_len());
        PlanesMut { y, u, v }
    }

    /// Fills all of it with one colour.
    pub fn fill(&mut self, yuv: [u8; 3]) {
        let planes = self.planes_mut();
        planes.y.fill(yuv[0]);
        planes.u.fill(yuv[1]);
        planes.v.fill(yuv[2]);
    }

    /// Fills a part with one colour. Chroma is half as fine: a pixel at an odd edge gives its colour to its neighbour.
    pub fn fill_rect(&mut self, rect: Rect, yuv: [u8; 3]) {
        let size = self.size;
        let Some(rect) = rect.inside(size) else { return };
        let planes = self.planes_mut();
        fill_plane(planes.y, size.width(), rect, yuv[0]);
        let (left, top) = (rect.left / 2, rect.top / 2);
        let chroma = Rect {
            left,
            top,
            width: (rect.left + rect.width).div_ceil(2) - left,
            height: (rect.top + rect.height).div_ceil(2) - top,
        };
        fill_plane(planes.u, size.chroma_width(), chroma, yuv[1]);
        fill_plane(planes.v, size.chroma_width(), chroma, yuv[2]);
    }

    /// Copies `picture` to `left`, `top`, both rounded down to even; what lies outside is cut off.
    pub fn draw(&mut self, picture: &Picture, left: u32, top: u32) {
        let size = self.size;
        let (left, top) = (left & !1, top & !1);
        let whole = Rect { left, top, width: picture.width(), height: picture.height() };
        let Some(part) = whole.inside(size) else { return };
        let planes = self.planes_mut();
        copy_plane(planes.y, size.width(), part, picture.y(), picture.width());
        let chroma = Rect {
            left: left / 2,
            top: top / 2,
            width: part.width.div_ceil(2),
            height: part.height.div_ceil(2),
        };
        let (wide, from) = (size.chroma_width(), picture.size().chroma_width());
        copy_plane(planes.u, wide, chroma, picture.u(), from);
        copy_plane(planes.v, wide, chroma, picture.v(), from);
    }

    /// The finished picture.
    pub fn finish(self, captured: Instant) -> Picture {
        Picture { pixels: Arc::new(self.buffer), size: self.size, captured, rotation: Rotation::Upright }
    }
}

fn fill_plane(plane: &mut [u8], stride: u32, rect: Rect, value: u8) {
    let (left, width) = (rect.left as usize, rect.width as usize);
    let rows = plane.chunks_exact_mut(stride as usize).skip(rect.top as usize).take(rect.height as usize);
    for row in rows {
        row[left..left + width].fill(value);
    }
}

fn copy_plane(to: &mut [u8], stride: u32, rect: Rect, from: &[u8], from_stride: u32) {
    let (left, width) = (rect.left as usize, rect.width as usize);
    let rows = to.chunks_exact_mut(stride as usize).skip(rect.top as usize).take(rect.height as usize);
    for (row, source) in rows.zip(from.chunks_exact(from_stride as usize)) {
        row[left..left + width].copy_from_slice(&source[..width]);
    }
}

impl fmt::Debug for Canvas {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Canvas").field("size", &self.size).finish_non_exhaustive()
    }
}
