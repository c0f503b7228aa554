//! Which of a camera's formats to take.

use nokhwa::utils::{CameraFormat, FrameFormat};
use sidetone_media::VideoWish;
use sidetone_media::video::Size;

/// All that we can convert.
pub(super) const FORMATS: [FrameFormat; 6] = [
    FrameFormat::NV12,
    FrameFormat::YUYV,
    FrameFormat::MJPEG,
    FrameFormat::RAWRGB,
    FrameFormat::RAWBGR,
    FrameFormat::GRAY,
];

/// The format that costs least of those that give the wished picture, else the nearest to it.
///
/// Too slow is worse than too small, too small is worse than too large: what is too large is scaled down. Among equals,
/// raw pixels come before JPEG, which has to be decoded, and colours before grey.
pub(super) fn choose(offered: &[CameraFormat], wish: VideoWish) -> Option<CameraFormat> {
    let usable = |format: &&CameraFormat| {
        let size = format.resolution();
        FORMATS.contains(&format.format()) && Size::new(size.width(), size.height()).is_ok()
    };
    offered.iter().filter(usable).min_by_key(|format| cost(format, wish)).copied()
}

fn cost(format: &CameraFormat, wish: VideoWish) -> (u64, u64, u32, u32) {
    let share = |have: u64, want: u64| want.saturating_sub(have) * 1_000 / want.max(1);
    let slow = share(u64::from(format.frame_rate()), u64::from(wish.frames_per_second));
    // 25 for 30 is near enough.
    let slow = if slow <= 200 { 0 } else { slow };
    let size = format.resolution();
    let (width, height) = (u64::from(size.width()), u64::from(size.height()));
    let small = share(width, u64::from(wish.size.width())).max(share(height, u64::from(wish.size.height())));
    let large = (width * height).saturating_sub(u64::from(wish.size.width()) * u64::from(wish.size.height()));
    let fast = format.frame_rate().saturating_sub(wish.frames_per_second);
    let kind = match format.format() {
        FrameFormat::NV12 => 0,
        FrameFormat::YUYV => 1,
        FrameFormat::RAWRGB | FrameFormat::RAWBGR => 2,
        FrameFormat::MJPEG => 3,
        FrameFormat::GRAY => 1_000,
    };
    (slow + 2 * small, large, kind, fast)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wish(width: u32, height: u32, frames_per_second: u32) -> VideoWish {
        VideoWish { size: Size::new(width, height).unwrap(), frames_per_second }
    }

    fn format(width: u32, height: u32, kind: FrameFormat, rate: u32) -> CameraFormat {
        CameraFormat::new_from(width, height, kind, rate)
    }

    /// What a common USB camera offers.
    fn webcam() -> Vec<CameraFormat> {
        let mut formats = Vec::new();
        for (width, height, raw_rate) in [(320, 240, 30), (640, 480, 30), (1280, 720, 10), (1920, 1080, 5)] {
            formats.push(format(width, height, FrameFormat::YUYV, raw_rate));
            formats.push(format(width, height, FrameFormat::MJPEG, 30));
        }
        formats
    }

    #[test]
    fn raw_is_taken_where_it_is_fast_enough_and_jpeg_where_not() {
        assert_eq!(choose(&webcam(), wish(640, 480, 30)), Some(format(640, 480, FrameFormat::YUYV, 30)));
        assert_eq!(choose(&webcam(), wish(1280, 720, 30)), Some(format(1280, 720, FrameFormat::MJPEG, 30)));
        assert_eq!(choose(&webcam(), wish(1280, 720, 10)), Some(format(1280, 720, FrameFormat::YUYV, 10)));
    }

    #[test]
    fn a_size_that_is_not_there_gives_the_next_larger_else_the_largest() {
        assert_eq!(choose(&webcam(), wish(960, 540, 30)).unwrap().width(), 1280);
        assert_eq!(choose(&webcam(), wish(4096, 2160, 30)).unwrap().width(), 1920);
        assert_eq!(choose(&webcam(), wish(2, 2, 15)).unwrap().width(), 320);
    }

    #[test]
    fn what_cannot_be_used_is_passed_over() {
        assert_eq!(choose(&[], wish(640, 480, 30)), None);
        assert_eq!(choose(&[format(7680, 4320, FrameFormat::NV12, 30)], wish(640, 480, 30)), None);
        assert_eq!(choose(&[format(0, 0, FrameFormat::NV12, 30)], wish(640, 480, 30)), None);
        let grey = format(640, 480, FrameFormat::GRAY, 30);
        assert_eq!(choose(&[grey], wish(640, 480, 30)), Some(grey));
        assert_eq!(
            choose(&[grey, format(640, 480, FrameFormat::MJPEG, 30)], wish(640, 480, 30)).unwrap().format(),
            FrameFormat::MJPEG
        );
    }
}
