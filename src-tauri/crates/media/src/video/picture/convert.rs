use std::time::Instant;

use yuv::{BufferStoreMut, YuvConversionMode, YuvPlanarImageMut, YuvRange, YuvStandardMatrix};

use super::canvas::PlanesMut;
use super::{Canvas, FramePool, Picture, Size};
use crate::video::error::VideoError;

/// How pixels lie in memory, as cameras, screens and image files give them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PixelFormat {
    /// Y, then U, then V, chroma rows half as long rounded up.
    I420,
    /// Y, then U and V in turns.
    Nv12,
    /// Y0 U Y1 V: two pixels in four bytes.
    Yuyv,
    /// U Y0 V Y1.
    Uyvy,
    Rgb,
    Bgr,
    /// The last byte is not looked at.
    Rgba,
    /// The last byte is not looked at.
    Bgra,
    /// One byte a pixel, full range.
    Grey,
}

impl PixelFormat {
    /// Bytes of one row of the first plane without padding.
    pub fn row_len(self, width: u32) -> usize {
        let width = width as usize;
        match self {
            Self::I420 | Self::Nv12 | Self::Grey => width,
            Self::Yuyv | Self::Uyvy => width.div_ceil(2) * 4,
            Self::Rgb | Self::Bgr => width * 3,
            Self::Rgba | Self::Bgra => width * 4,
        }
    }

    /// Bytes that a picture takes in rows of `stride`, without the padding of its last row.
    pub(super) fn len(self, size: Size, stride: usize) -> usize {
        let (height, chroma_height) = (size.height() as usize, size.chroma_height() as usize);
        let row = self.row_len(size.width());
        match self {
            Self::I420 => {
                let chroma = stride.div_ceil(2);
                stride * height + 2 * chroma * chroma_height - (chroma - size.chroma_width() as usize)
            }
            Self::Nv12 => {
                let chroma = size.chroma_width() as usize * 2;
                stride * height + stride.max(chroma) * (chroma_height - 1) + chroma
            }
            _ => stride * (height - 1) + row,
        }
    }
}

impl Picture {
    /// Takes pixels over. `stride` is the bytes from one row to the next of the first plane, 0 for rows without
    /// padding; I420's chroma rows are half of that, rounded up. RGB becomes BT.601 in limited range.
    pub fn from_pixels(
        format: PixelFormat,
        size: Size,
        stride: usize,
        pixels: &[u8],
        captured: Instant,
        pool: &FramePool,
    ) -> Result<Self, VideoError> {
        let row = format.row_len(size.width());
        let stride = if stride == 0 { row } else { stride };
        if stride < row || stride > row.max(64) * 16 {
            return Err(VideoError::Pixels {
                field: "stride",
                problem: format!("{stride} bytes for rows of {row}"),
            });
        }
        let need = format.len(size, stride);
        if pixels.len() < need {
            return Err(VideoError::Pixels {
                field: "pixels",
                problem: format!("{} bytes, {need} are needed for {size}", pixels.len()),
            });
        }
        let mut canvas = pool.take(size)?;
        // Drivers give whole pages, of which the picture is only the first part.
        fill(&mut canvas, format, stride, &pixels[..need])?;
        Ok(canvas.finish(captured))
    }

    /// Takes I420 planes over, each with the bytes from one row to the next.
    pub fn from_planes(
        size: Size,
        [y, u, v]: [&[u8]; 3],
        [luma_stride, chroma_stride]: [usize; 2],
        captured: Instant,
        pool: &FramePool,
    ) -> Result<Self, VideoError> {
        let luma = (size.width() as usize, size.height() as usize, luma_stride);
        let chroma = (size.chroma_width() as usize, size.chroma_height() as usize, chroma_stride);
        for (field, plane, (width, height, stride)) in [("y", y, luma), ("u", u, chroma), ("v", v, chroma)] {
            let need = stride.checked_mul(height - 1).and_then(|rows| rows.checked_add(width));
            if stride < width || need.is_none_or(|need| plane.len() < need) {
                return Err(VideoError::Pixels {
                    field,
                    problem: format!("{} bytes in rows of {stride} for {width}x{height}", plane.len()),
                });
            }
        }
        let mut canvas = pool.take(size)?;
        let planes = canvas.planes_mut();
        copy_rows(planes.y, luma.0, y, luma.2);
        copy_rows(planes.u, chroma.0, u, chroma.2);
        copy_rows(planes.v, chroma.0, v, chroma.2);
        Ok(canvas.finish(captured))
    }

    /// Red, green and blue, a byte each, rows without padding.
    pub fn to_rgb(&self) -> Result<Vec<u8>, VideoError> {
        let mut rgb = vec![0; self.size().luma_len() * 3];
        let image = yuv::YuvPlanarImage {
            y_plane: self.y(),
            y_stride: self.width(),
            u_plane: self.u(),
            u_stride: self.size().chroma_width(),
            v_plane: self.v(),
            v_stride: self.size().chroma_width(),
            width: self.width(),
            height: self.height(),
        };
        let range = YuvRange::Limited;
        yuv::yuv420_to_rgb(&image, &mut rgb, self.width() * 3, range, YuvStandardMatrix::Bt601)
            .map_err(refused)?;
        Ok(rgb)
    }
}

fn fill(canvas: &mut Canvas, format: PixelFormat, stride: usize, pixels: &[u8]) -> Result<(), VideoError> {
    let size = canvas.size();
    let (width, height) = (size.width(), size.height());
    let bytes_in_row = stride as u32;
    let planes = canvas.planes_mut();
    let chroma_width = size.chroma_width() as usize;
    match format {
        PixelFormat::I420 => {
            let chroma_stride = stride.div_ceil(2);
            let (y, chroma) = pixels.split_at(stride * height as usize);
            let (u, v) = chroma.split_at(chroma_stride * size.chroma_height() as usize);
            copy_rows(planes.y, width as usize, y, stride);
            copy_rows(planes.u, chroma_width, u, chroma_stride);
            copy_rows(planes.v, chroma_width, v, chroma_stride);
            return Ok(());
        }
        PixelFormat::Grey => {
            for (row, from) in planes.y.chunks_exact_mut(width as usize).zip(pixels.chunks(stride)) {
                for (to, from) in row.iter_mut().zip(from) {
                    *to = (16 + (u32::from(*from) * 219 + 127) / 255) as u8;
                }
            }
            planes.u.fill(super::GREY_CHROMA);
            planes.v.fill(super::GREY_CHROMA);
            return Ok(());
        }
        _ => {}
    }
    if format == PixelFormat::Nv12 {
        let (y, uv) = pixels.split_at(stride * height as usize);
        let uv_stride = stride.max(chroma_width * 2);
        copy_rows(planes.y, width as usize, y, stride);
        let rows = planes.u.chunks_exact_mut(chroma_width).zip(planes.v.chunks_exact_mut(chroma_width));
        for ((u, v), pairs) in rows.zip(uv.chunks(uv_stride)) {
            for ((u, v), pair) in u.iter_mut().zip(v).zip(pairs.chunks_exact(2)) {
                (*u, *v) = (pair[0], pair[1]);
            }
        }
        return Ok(());
    }
    if let PixelFormat::Yuyv | PixelFormat::Uyvy = format {
        fill_packed(planes, size, stride, pixels, format == PixelFormat::Uyvy);
        return Ok(());
    }
    let mut image = YuvPlanarImageMut {
        y_plane: BufferStoreMut::Borrowed(planes.y),
        y_stride: width,
        u_plane: BufferStoreMut::Borrowed(planes.u),
        u_stride: size.chroma_width(),
        v_plane: BufferStoreMut::Borrowed(planes.v),
        v_stride: size.chroma_width(),
        width,
        height,
    };
    let (range, matrix, mode) = (YuvRange::Limited, YuvStandardMatrix::Bt601, YuvConversionMode::Balanced);
    match format {
        PixelFormat::Rgb => yuv::rgb_to_yuv420(&mut image, pixels, bytes_in_row, range, matrix, mode),
        PixelFormat::Bgr => yuv::bgr_to_yuv420(&mut image, pixels, bytes_in_row, range, matrix, mode),
        PixelFormat::Rgba => yuv::rgba_to_yuv420(&mut image, pixels, bytes_in_row, range, matrix, mode),
        PixelFormat::Bgra => yuv::bgra_to_yuv420(&mut image, pixels, bytes_in_row, range, matrix, mode),
        _ => Ok(()),
    }
    .map_err(refused)
}

/// Chroma is the mean of two rows.
fn fill_packed(planes: PlanesMut<'_>, size: Size, stride: usize, pixels: &[u8], chroma_first: bool) {
    let (width, row_len) = (size.width() as usize, PixelFormat::Yuyv.row_len(size.width()));
    let at = usize::from(chroma_first);
    for (to, from) in planes.y.chunks_exact_mut(width).zip(pixels.chunks(stride)) {
        for (pair, four) in to.chunks_mut(2).zip(from.as_chunks::<4>().0) {
            pair[0] = four[at];
            if let Some(second) = pair.get_mut(1) {
                *second = four[at + 2];
            }
        }
    }
    let chroma_width = size.chroma_width() as usize;
    let rows = planes.u.chunks_exact_mut(chroma_width).zip(planes.v.chunks_exact_mut(chroma_width));
    for ((u, v), two) in rows.zip(pixels.chunks(stride * 2)) {
        let upper = &two[..row_len];
        let lower = two.get(stride..stride + row_len).unwrap_or(upper);
        let fours = upper.as_chunks::<4>().0.iter().zip(lower.as_chunks::<4>().0);
        for ((u, v), (upper, lower)) in u.iter_mut().zip(v).zip(fours) {
            *u = upper[1 - at].midpoint(lower[1 - at]);
            *v = upper[3 - at].midpoint(lower[3 - at]);
        }
    }
}

fn copy_rows(to: &mut [u8], width: usize, from: &[u8], stride: usize) {
    for (to, from) in to.chunks_exact_mut(width).zip(from.chunks(stride)) {
        to.copy_from_slice(&from[..width]);
    }
}

fn refused(error: yuv::YuvError) -> VideoError {
    VideoError::Pixels { field: "pixels", problem: error.to_string() }
}
