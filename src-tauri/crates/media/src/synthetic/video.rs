//! Pictures that need no hardware.

use std::path::Path;
use std::time::{Instant, SystemTime, UNIX_EPOCH};

use crate::device::{OpenedVideo, VideoSelection, VideoWish};
use crate::error::DeviceError;
use crate::video::file::{Still, VideoFile, open_image};
use crate::video::{Bars, VideoError};

/// Opens what [`VideoSelection::is_synthetic`] holds for.
pub fn open_video(selection: &VideoSelection, wish: VideoWish) -> Result<OpenedVideo, DeviceError> {
    let refused = |reason: &str| {
        let error = VideoError::Source { source_name: selection.to_string(), reason: reason.into() };
        Err(DeviceError::Video(error))
    };
    match selection {
        VideoSelection::Bars => {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            let milliseconds = u64::try_from(since.as_millis()).unwrap_or(u64::MAX);
            let bars = Bars::new(wish.size, wish.frames_per_second, Instant::now(), milliseconds)?;
            Ok(OpenedVideo { source: Box::new(bars), name: "bars".into() })
        }
        VideoSelection::Image(path) => {
            let now = Instant::now();
            let still = Still::new(name_of(path), open_image(path, wish.size, now)?, now);
            Ok(OpenedVideo { name: name_of(path), source: Box::new(still) })
        }
        VideoSelection::File(path) => {
            let file = VideoFile::open(path, true, Instant::now())?;
            Ok(OpenedVideo { name: name_of(path), source: Box::new(file) })
        }
        VideoSelection::Default => refused("there is no camera; choose bars to try without one"),
        VideoSelection::Device(_) => refused("there is no such camera"),
        VideoSelection::Screen(_) | VideoSelection::Window(_) => refused("there is no such screen or window"),
    }
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::video::file::save_png;
    use crate::video::{Picture, Polled, Size};

    const WISH: VideoWish = VideoWish { size: Size::P180, frames_per_second: 25 };

    #[test]
    fn images_and_films_are_opened_and_what_cannot_be_read_is_told() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("slide.png");
        save_png(&Picture::black(Size::P360, Instant::now()), &path).unwrap();
        let mut image = open_video(&VideoSelection::Image(path.clone()), WISH).unwrap();
        assert_eq!(image.name, "slide.png");
        let Ok(Polled::Picture(picture)) = image.source.poll(Instant::now()) else { panic!("no picture") };
        assert_eq!(picture.size(), Size::P180, "scaled down to what is wished for");
        let error = open_video(&VideoSelection::File(path), WISH).unwrap_err().to_string();
        assert!(error.contains("not a usable video file"), "{error}");
        for missing in ["image:/nowhere/a.png", "file:/nowhere/a.webm"] {
            let error = open_video(&missing.parse().unwrap(), WISH).unwrap_err().to_string();
            assert!(error.contains("nowhere"), "{error}");
        }
    }
}
