use super::{FramePool, Picture, Rotation, Size};
use crate::video::error::VideoError;

pub(super) fn upright(picture: &Picture, pool: &FramePool) -> Result<Picture, VideoError> {
    let rotation = picture.rotation();
    if rotation == Rotation::Upright {
        return Ok(picture.clone());
    }
    let from = picture.size();
    let to = if rotation.swaps_sides() { from.turned() } else { from };
    let mut canvas = pool.take(to)?;
    let planes = canvas.planes_mut();
    let chroma = Size::clamped(from.chroma_width(), from.chroma_height());
    turn_plane(picture.y(), from, planes.y, rotation);
    turn_plane(picture.u(), chroma, planes.u, rotation);
    turn_plane(picture.v(), chroma, planes.v, rotation);
    Ok(canvas.finish(picture.captured()))
}

fn turn_plane(from: &[u8], size: Size, to: &mut [u8], rotation: Rotation) {
    let (width, height) = (size.width() as usize, size.height() as usize);
    if rotation == Rotation::Half {
        for (to, from) in to.iter_mut().zip(from.iter().rev()) {
            *to = *from;
        }
        return;
    }
    let clockwise = rotation == Rotation::Clockwise90;
    for (y, row) in to.chunks_exact_mut(height).enumerate().take(width) {
        for (x, pixel) in row.iter_mut().enumerate() {
            let (from_x, from_y) = if clockwise { (y, height - 1 - x) } else { (width - 1 - y, x) };
            *pixel = from[from_y * width + from_x];
        }
    }
}
