//! Systems with one sound system: Windows (WASAPI) and macOS (CoreAudio).

use std::time::Instant;

use sidetone_media::{DeviceInfo, Direction};

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

/// WASAPI gives what a speaker plays to whoever opens it for recording, in the speaker's format (loopback recording).
pub(crate) const SYSTEM_SOUND_FORMATS: Direction = Direction::Output;
/// It gives nothing while nothing is played.
pub(crate) const SYSTEM_SOUND_PAUSES: bool = true;

/// Which of these gives what the machine plays: on Windows the default speaker itself.
pub(crate) fn system_sound(infos: &[&DeviceInfo]) -> Option<usize> {
    let is_speaker = |info: &&DeviceInfo| info.direction == Direction::Output && info.is_default;
    if cfg!(windows) { infos.iter().position(is_speaker) } else { None }
}
