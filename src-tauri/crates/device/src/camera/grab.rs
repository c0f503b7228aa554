use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use nokhwa::utils::{CameraIndex, FrameFormat, RequestedFormat, RequestedFormatType};
use nokhwa::{Buffer, NokhwaError};
use sidetone_media::video::file::decode_jpeg;
use sidetone_media::video::{FramePool, Grabbed, Grabber, Picture, PixelFormat, Size, VideoError};
use sidetone_media::{DeviceError, VideoWish};

use super::choice::{FORMATS, choose};
use super::refused;

/// A camera's stamp that is older than this is not believed: some drivers count from something else.
const OLDEST: Duration = Duration::from_millis(500);
/// JPEG is decoded, so a picture that comes in is bounded.
const LONGEST_PICTURE: usize = 64 << 20;

/// An open camera. Stays on the thread that opened it.
pub(super) struct Camera {
    camera: nokhwa::Camera,
    name: String,
    pool: FramePool,
}

impl Camera {
    pub(super) fn open(index: CameraIndex, name: String, wish: VideoWish) -> Result<Self, DeviceError> {
        let refuse = |error: NokhwaError| refused(&name, &error);
        let any = RequestedFormat::with_formats(RequestedFormatType::None, &FORMATS);
        let mut camera = nokhwa::Camera::new(index, any).map_err(refuse)?;
        let offered = camera.compatible_camera_formats().map_err(refuse)?;
        let Some(format) = choose(&offered, wish) else {
            let reason = format!("none of its {} formats can be used", offered.len());
            return Err(DeviceError::Format { device: name, reason });
        };
        if format != camera.camera_format() {
            let formats = [format.format()];
            let exact = RequestedFormat::with_formats(RequestedFormatType::Exact(format), &formats);
            camera.set_camera_requset(exact).map_err(refuse)?;
        }
        camera.open_stream().map_err(refuse)?;
        tracing::info!(camera = name, %format, "open");
        Ok(Self { camera, name, pool: FramePool::default() })
    }
}

impl Grabber for Camera {
    fn grab(&mut self) -> Result<Grabbed, VideoError> {
        let failed = |reason: String| VideoError::Source { source_name: self.name.clone(), reason };
        let buffer = self.camera.frame().map_err(|error| failed(error.to_string()))?;
        let captured = captured(&buffer, SystemTime::now(), Instant::now());
        Ok(match convert(&buffer, captured, &self.pool) {
            Ok(picture) => Grabbed::Picture(picture),
            // Whoever holds all pictures is slow; the next one finds room again.
            Err(VideoError::PoolEmpty { .. }) => Grabbed::Nothing,
            Err(error) => Grabbed::Unusable(failed(error.to_string())),
        })
    }
}

impl Drop for Camera {
    fn drop(&mut self) {
        if let Err(error) = self.camera.stop_stream() {
            tracing::debug!(camera = self.name, "did not stop: {error}");
        }
    }
}

/// When the light fell in by the driver's stamp, where that can be believed.
fn captured(buffer: &Buffer, wall: SystemTime, now: Instant) -> Instant {
    let stamp = buffer.capture_timestamp().and_then(|since| UNIX_EPOCH.checked_add(since));
    let age = stamp.and_then(|stamp| wall.duration_since(stamp).ok()).filter(|age| *age <= OLDEST);
    age.and_then(|age| now.checked_sub(age)).unwrap_or(now)
}

fn convert(buffer: &Buffer, captured: Instant, pool: &FramePool) -> Result<Picture, VideoError> {
    let (resolution, bytes) = (buffer.resolution(), buffer.buffer());
    if bytes.len() > LONGEST_PICTURE {
        return Err(VideoError::Pixels { field: "pixels", problem: format!("{} bytes", bytes.len()) });
    }
    let format = match buffer.source_frame_format() {
        FrameFormat::MJPEG => return decode_jpeg(bytes, captured, pool),
        FrameFormat::NV12 => PixelFormat::Nv12,
        FrameFormat::YUYV => PixelFormat::Yuyv,
        FrameFormat::RAWRGB => PixelFormat::Rgb,
        FrameFormat::RAWBGR => PixelFormat::Bgr,
        FrameFormat::GRAY => PixelFormat::Grey,
    };
    let size = Size::new(resolution.width(), resolution.height())?;
    // Some drivers pad their rows and do not say so; the length of the picture gives it away.
    Picture::from_pixels(format, size, stride(format, size, bytes.len()), bytes, captured, pool)
}

/// Bytes from one row to the next, 0 where the rows have no padding.
fn stride(format: PixelFormat, size: Size, len: usize) -> usize {
    let rows = match format {
        PixelFormat::Nv12 => size.height() as usize + size.chroma_height() as usize,
        _ => size.height() as usize,
    };
    let (stride, row) = (len / rows, format.row_len(size.width()));
    let is_padded = stride > row && stride < row + 4_096 && len.is_multiple_of(rows);
    if is_padded && stride.is_multiple_of(16) { stride } else { 0 }
}

#[cfg(test)]
mod tests {
    use nokhwa::utils::Resolution;

    use super::*;

    fn buffer(width: u32, height: u32, format: FrameFormat, bytes: &[u8]) -> Buffer {
        Buffer::new(Resolution::new(width, height), bytes, format)
    }

    fn converted(width: u32, height: u32, format: FrameFormat, bytes: &[u8]) -> Result<Picture, VideoError> {
        convert(&buffer(width, height, format, bytes), Instant::now(), &FramePool::default())
    }

    #[test]
    fn every_format_of_a_camera_becomes_a_picture() {
        let grey = |picture: Picture| picture.y().iter().all(|y| y.abs_diff(126) <= 2);
        assert!(grey(converted(6, 4, FrameFormat::NV12, &[126; 36]).unwrap()));
        assert!(grey(converted(6, 4, FrameFormat::YUYV, &[126; 48]).unwrap()));
        assert!(grey(converted(6, 4, FrameFormat::RAWRGB, &[128; 72]).unwrap()));
        assert!(grey(converted(6, 4, FrameFormat::RAWBGR, &[128; 72]).unwrap()));
        assert!(grey(converted(6, 4, FrameFormat::GRAY, &[128; 24]).unwrap()));
    }

    #[test]
    fn padded_rows_are_noticed_by_the_length() {
        let (mut bytes, row) = (Vec::new(), [100u8; 24]);
        for _ in 0..8 {
            bytes.extend_from_slice(&row);
            bytes.extend_from_slice(&[255; 8]);
        }
        let picture = converted(12, 8, FrameFormat::YUYV, &bytes).unwrap();
        assert!(picture.y().iter().all(|y| *y == 100), "{:?}", picture.y());
    }

    #[test]
    fn damaged_pictures_are_refused_in_words() {
        for (width, height, format, bytes) in [
            (640, 480, FrameFormat::NV12, &[0u8; 100][..]),
            (0, 0, FrameFormat::YUYV, &[]),
            (9_000, 9_000, FrameFormat::GRAY, &[]),
            (640, 480, FrameFormat::MJPEG, &[0xFF, 0xD8, 0xFF, 0xE0, 0, 1, 2]),
            (640, 480, FrameFormat::MJPEG, &[]),
        ] {
            let error = converted(width, height, format, bytes).unwrap_err().to_string();
            assert!(error.contains(':'), "{format:?}: {error}");
        }
    }

    #[test]
    fn a_stamp_is_believed_where_it_is_of_just_now() {
        let (wall, now) = (UNIX_EPOCH + Duration::from_secs(1_000), Instant::now());
        let stamped = |since: Duration| {
            let (size, format) = (Resolution::new(1, 1), FrameFormat::GRAY);
            captured(&Buffer::with_timestamp(size, &[0], format, Some(since)), wall, now)
        };
        assert_eq!(stamped(Duration::from_millis(999_970)), now - Duration::from_millis(30));
        assert_eq!(stamped(Duration::from_secs(990)), now, "too old");
        assert_eq!(stamped(Duration::from_secs(1_001)), now, "of the future");
    }
}
