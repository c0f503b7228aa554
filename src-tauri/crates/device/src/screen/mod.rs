//! Screens and windows, by xcap.

mod grab;
#[cfg(target_os = "linux")]
mod linux;
mod list;
#[cfg(not(target_os = "linux"))]
mod portable;

use std::sync::LazyLock;

use sidetone_media::video::{ContentHint, Grabbers};
use sidetone_media::{DeviceError, OpenedVideo, VideoInfo, VideoWish};

#[cfg(target_os = "linux")]
use linux as system;
#[cfg(not(target_os = "linux"))]
use portable as system;

static GRABBERS: LazyLock<Grabbers> = LazyLock::new(Grabbers::default);

/// Opens the screen of this id, the main one where it is empty.
pub(crate) fn open_screen(id: &str, wish: VideoWish) -> Result<OpenedVideo, DeviceError> {
    system::look()?;
    let entry = list::screen(id)?;
    open(entry.name, wish, move || system::screen(entry.monitor))
}

/// Opens the window of this id.
pub(crate) fn open_window(id: &str, wish: VideoWish) -> Result<OpenedVideo, DeviceError> {
    system::look()?;
    let (window, name) = list::window(id)?;
    open(name, wish, move || system::window(window))
}

fn open<S: grab::Shot + 'static>(
    name: String,
    wish: VideoWish,
    shot: impl FnOnce() -> Result<S, DeviceError> + Send + 'static,
) -> Result<OpenedVideo, DeviceError> {
    let shown = name.clone();
    let source =
        GRABBERS.open(&name, ContentHint::Detail, move || Ok(grab::Screen::new(shown, shot()?, wish)))?;
    Ok(OpenedVideo { source: Box::new(source), name })
}

/// Screens and windows for a list; none where there is no display.
pub(crate) fn infos() -> Vec<VideoInfo> {
    let listed = system::look().and_then(|()| list::list());
    listed.unwrap_or_else(|error| {
        tracing::debug!("screens could not be listed: {error}");
        Vec::new()
    })
}
