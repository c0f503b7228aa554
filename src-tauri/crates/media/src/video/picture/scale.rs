use fast_image_resize::images::{Image, ImageRef};
use fast_image_resize::{FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer};

use super::{BLACK, FramePool, GREY_CHROMA, Picture, Rect, Size};
use crate::video::error::VideoError;

/// Changes the size of pictures. Keeps its tables and scratch memory between pictures, so keep one for each thread.
pub struct Scaler {
    resizer: Resizer,
    filter: FilterType,
}

impl Scaler {
    /// For live pictures.
    pub fn new() -> Self {
        Self { resizer: Resizer::new(), filter: FilterType::Bilinear }
    }

    /// For live pictures of text and lines, which stay sharp.
    pub fn crisp() -> Self {
        Self { resizer: Resizer::new(), filter: FilterType::CatmullRom }
    }

    /// For a single picture, where quality matters more than time.
    pub fn fine() -> Self {
        Self { resizer: Resizer::new(), filter: FilterType::Lanczos3 }
    }

    /// Scaled to exactly `size`, whatever that does to its shape. Shares the pixels where the size is right.
    pub fn scale(&mut self, picture: &Picture, size: Size, pool: &FramePool) -> Result<Picture, VideoError> {
        if picture.size() == size {
            return Ok(picture.clone());
        }
        let from = picture.size();
        let mut canvas = pool.take(size)?;
        let planes = canvas.planes_mut();
        let chroma = (from.chroma_width(), from.chroma_height());
        let chroma_to = (size.chroma_width(), size.chroma_height());
        let luma = (from.width(), from.height());
        self.plane(picture.y(), luma, planes.y, (size.width(), size.height()))?;
        self.plane(picture.u(), chroma, planes.u, chroma_to)?;
        self.plane(picture.v(), chroma, planes.v, chroma_to)?;
        Ok(canvas.finish(picture.captured()).with_rotation(picture.rotation()))
    }

    /// Scaled down to fit in `bounds` with its shape kept; never larger than it was.
    pub fn within(
        &mut self,
        picture: &Picture,
        bounds: Size,
        pool: &FramePool,
    ) -> Result<Picture, VideoError> {
        self.scale(picture, picture.size().within(bounds), pool)
    }

    /// Scaled to fit in the middle of a picture of `size`, with black beside it or above and below.
    pub fn letterbox(
        &mut self,
        picture: &Picture,
        size: Size,
        pool: &FramePool,
    ) -> Result<Picture, VideoError> {
        let inner = picture.size().fitted(size);
        if inner == size {
            return self.scale(picture, size, pool);
        }
        let scaled = self.scale(picture, inner, pool)?;
        let mut canvas = pool.take(size)?;
        canvas.fill([BLACK, GREY_CHROMA, GREY_CHROMA]);
        let place = Rect::centred(inner, size);
        canvas.draw(&scaled, place.left, place.top);
        Ok(canvas.finish(picture.captured()).with_rotation(picture.rotation()))
    }

    fn plane(
        &mut self,
        from: &[u8],
        (width, height): (u32, u32),
        to: &mut [u8],
        (to_width, to_height): (u32, u32),
    ) -> Result<(), VideoError> {
        let failed = |problem: String| VideoError::Pixels { field: "scale", problem };
        let source = ImageRef::new(width, height, from, PixelType::U8).map_err(|e| failed(e.to_string()))?;
        let mut target = Image::from_slice_u8(to_width, to_height, to, PixelType::U8)
            .map_err(|e| failed(e.to_string()))?;
        let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(self.filter));
        self.resizer.resize(&source, &mut target, &options).map_err(|e| failed(e.to_string()))
    }
}

impl Default for Scaler {
    fn default() -> Self {
        Self::new()
    }
}

impl std::fmt::Debug for Scaler {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Scaler").field("filter", &self.filter).finish_non_exhaustive()
    }
}
