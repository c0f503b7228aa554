use crate::video::error::VideoError;
use crate::video::picture::{FramePool, Picture, Size};

/// `picture` with its last column and row repeated up to `size`, which is not smaller. Shares the pixels where the size
/// is right.
pub(super) fn to_size(picture: &Picture, size: Size, pool: &FramePool) -> Result<Picture, VideoError> {
    let from = picture.size();
    if from == size {
        return Ok(picture.clone());
    }
    let mut canvas = pool.take(size)?;
    let planes = canvas.planes_mut();
    plane(picture.y(), from.width(), planes.y, size.width());
    plane(picture.u(), from.chroma_width(), planes.u, size.chroma_width());
    plane(picture.v(), from.chroma_width(), planes.v, size.chroma_width());
    Ok(canvas.finish(picture.captured()).with_rotation(picture.rotation()))
}

fn plane(from: &[u8], from_width: u32, to: &mut [u8], to_width: u32) {
    let (from_width, to_width) = (from_width as usize, to_width as usize);
    let mut source = from.chunks_exact(from_width);
    let mut last: &[u8] = from;
    for row in to.chunks_exact_mut(to_width) {
        last = source.next().unwrap_or(last);
        let width = from_width.min(to_width);
        let (copied, repeated) = row.split_at_mut(width);
        copied.copy_from_slice(&last[..width]);
        repeated.fill(last.get(width - 1).copied().unwrap_or_default());
    }
}
