//! Which part of this crate has the pictures of a selection.

use sidetone_media::{DeviceError, OpenedVideo, VideoInfo, VideoSelection, VideoWish, synthetic};

/// Cameras, screens and windows that are there now, and the bars.
pub(crate) fn list() -> Vec<VideoInfo> {
    let mut infos = Vec::new();
    #[cfg(feature = "camera")]
    infos.extend(crate::camera::infos());
    #[cfg(feature = "screen")]
    infos.extend(crate::screen::infos());
    infos.push(VideoInfo::bars());
    infos
}

pub(crate) fn open(selection: &VideoSelection, wish: VideoWish) -> Result<OpenedVideo, DeviceError> {
    match selection {
        #[cfg(feature = "camera")]
        VideoSelection::Default => crate::camera::open(None, wish),
        #[cfg(feature = "camera")]
        VideoSelection::Device(id) => crate::camera::open(Some(id), wish),
        #[cfg(feature = "screen")]
        VideoSelection::Screen(id) => crate::screen::open_screen(id, wish),
        #[cfg(feature = "screen")]
        VideoSelection::Window(id) => crate::screen::open_window(id, wish),
        #[cfg(not(feature = "camera"))]
        VideoSelection::Default | VideoSelection::Device(_) => Err(left_out("cameras")),
        #[cfg(not(feature = "screen"))]
        VideoSelection::Screen(_) | VideoSelection::Window(_) => Err(left_out("screens and windows")),
        VideoSelection::Image(_) | VideoSelection::File(_) | VideoSelection::Bars => {
            synthetic::open_video(selection, wish)
        }
    }
}

#[cfg(not(all(feature = "camera", feature = "screen")))]
fn left_out(what: &str) -> DeviceError {
    DeviceError::Backend { reason: format!("this build has no {what}") }
}
