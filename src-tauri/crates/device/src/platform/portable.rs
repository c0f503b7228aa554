//! Systems with one sound system: Windows (WASAPI) and macOS (CoreAudio).

use std::time::Instant;

use super::Connection;

/// Connects to the system's own host.
#[derive(Debug, Default)]
pub(crate) struct Connector;

impl Connector {
    /// Connects, or says why not.
    pub(crate) fn connect(&mut self, _now: Instant) -> Result<Connection, String> {
        let id = *cpal::available_hosts().first().ok_or("this system has no sound system that is known")?;
        let host = cpal::host_from_id(id).map_err(|error| error.to_string())?;
        Ok(Connection { host, prefix: if cfg!(windows) { "wasapi" } else { "coreaudio" } })
    }

    /// True when a better host than `current` has come up.
    pub(crate) fn prefers_another(&mut self, _current: &Connection, _now: Instant) -> bool {
        false
    }
}

/// The device as a playback stream is to be opened on it: itself.
pub(crate) fn for_playback(device: &cpal::Device) -> Result<cpal::Device, cpal::Error> {
    Ok(device.clone())
}

/// Which devices of a list to show: all.
#[derive(Debug, Default)]
pub(crate) struct Shown;

impl Shown {
    pub(crate) fn new(_prefix: &str, _ids: &[String]) -> Self {
        Self
    }

    pub(crate) fn contains(&self, _id: &str) -> bool {
        true
    }
}
