//! Windows and macOS: each picture is asked for.

use std::time::Instant;

use sidetone_media::DeviceError;
use xcap::{Monitor, Window};

use super::grab::{Pixels, Shot};

pub(super) enum Screenshot {
    Screen(Monitor),
    Window(Window),
}

/// There is always a display to ask; a missing permission shows when it is opened.
#[expect(clippy::unnecessary_wraps, reason = "another system has something to refuse")]
pub(super) fn look() -> Result<(), DeviceError> {
    Ok(())
}

#[expect(clippy::unnecessary_wraps, reason = "another system has something to refuse")]
pub(super) fn screen(monitor: Monitor) -> Result<Screenshot, DeviceError> {
    Ok(Screenshot::Screen(monitor))
}

#[expect(clippy::unnecessary_wraps, reason = "another system has something to refuse")]
pub(super) fn window(window: Window) -> Result<Screenshot, DeviceError> {
    Ok(Screenshot::Window(window))
}

impl Shot for Screenshot {
    fn shoot(&mut self, _until: Instant) -> Result<Option<Pixels>, String> {
        let image = match self {
            Self::Screen(monitor) => monitor.capture_image(),
            Self::Window(window) => window.capture_image(),
        };
        let image = image.map_err(|error| error.to_string())?;
        let (width, height) = image.dimensions();
        Ok(Some(Pixels { width, height, rgba: image.into_raw() }))
    }
}
