//! What differs between operating systems: which host to use and which of its devices to show.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;

#[cfg(target_os = "linux")]
pub(crate) use linux::{Connector, Shown, for_playback};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{Connector, Shown, for_playback};

/// An open connection to the sound system.
pub(crate) struct Connection {
    pub(crate) host: cpal::Host,
    /// First part of the ids of its devices, such as `pulse`.
    pub(crate) prefix: &'static str,
}
