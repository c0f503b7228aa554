//! Linux: X11 is asked for each picture; under Wayland the desktop's portal asks the user which screen to show, and then
//! sends pictures of it by PipeWire.

use std::env;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::Instant;

use sidetone_media::DeviceError;
use xcap::{Frame, Monitor, VideoRecorder, Window};

use super::grab::{Pixels, Shot};
use super::list::failed;

pub(super) enum Screenshot {
    Screen(Monitor),
    Window(Window),
    /// Pictures come by themselves, when something has changed.
    Portal(VideoRecorder, Receiver<Frame>),
}

/// Says why there can be no screen.
pub(super) fn look() -> Result<(), DeviceError> {
    let is_set = |name: &str| env::var_os(name).is_some_and(|value| !value.is_empty());
    if is_set("DISPLAY") {
        return Ok(());
    }
    let reason = if is_set("WAYLAND_DISPLAY") {
        "screen: this Wayland session has no Xwayland, by which its screens are listed"
    } else {
        "screen: there is no display (DISPLAY is not set)"
    };
    Err(DeviceError::Backend { reason: reason.into() })
}

/// As xcap decides which way to go.
fn is_wayland() -> bool {
    let has = |name: &str, text: &str| env::var(name).is_ok_and(|value| value.to_lowercase().contains(text));
    has("XDG_SESSION_TYPE", "wayland") || has("WAYLAND_DISPLAY", "wayland")
}

pub(super) fn screen(monitor: Monitor) -> Result<Screenshot, DeviceError> {
    if !is_wayland() {
        return Ok(Screenshot::Screen(monitor));
    }
    let (recorder, frames) = monitor.video_recorder().map_err(|error| failed(&error))?;
    recorder.start().map_err(|error| failed(&error))?;
    Ok(Screenshot::Portal(recorder, frames))
}

pub(super) fn window(window: Window) -> Result<Screenshot, DeviceError> {
    if is_wayland() {
        let reason = "window: a Wayland desktop shows programs no windows but their own; choose a screen";
        return Err(DeviceError::Backend { reason: reason.into() });
    }
    Ok(Screenshot::Window(window))
}

impl Shot for Screenshot {
    fn shoot(&mut self, until: Instant) -> Result<Option<Pixels>, String> {
        let image = match self {
            Self::Screen(monitor) => monitor.capture_image(),
            Self::Window(window) => window.capture_image(),
            Self::Portal(_, frames) => return newest(frames, until),
        };
        let image = image.map_err(|error| error.to_string())?;
        let (width, height) = image.dimensions();
        Ok(Some(Pixels { width, height, rgba: image.into_raw() }))
    }

    fn waits(&self) -> bool {
        matches!(self, Self::Portal(..))
    }
}

/// The newest of what has come; older ones are dropped, so that the queue stays short.
fn newest(frames: &Receiver<Frame>, until: Instant) -> Result<Option<Pixels>, String> {
    let patience = until.saturating_duration_since(Instant::now());
    let mut frame = match frames.recv_timeout(patience) {
        Ok(frame) => frame,
        Err(RecvTimeoutError::Timeout) => return Ok(None),
        Err(RecvTimeoutError::Disconnected) => {
            return Err("the desktop ended the sharing of its screen".into());
        }
    };
    while let Ok(newer) = frames.try_recv() {
        frame = newer;
    }
    Ok(Some(Pixels { width: frame.width, height: frame.height, rgba: frame.raw }))
}

impl Drop for Screenshot {
    fn drop(&mut self) {
        if let Self::Portal(recorder, _) = self
            && let Err(error) = recorder.stop()
        {
            tracing::debug!("the screen's recorder did not stop: {error}");
        }
    }
}
