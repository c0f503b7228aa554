//! What differs between operating systems: which host to use and which of its devices to show.

#[cfg(target_os = "linux")]
mod linux;
#[cfg(not(target_os = "linux"))]
mod portable;

#[cfg(target_os = "linux")]
pub(crate) use linux::{
    Connector, SYSTEM_SOUND_FORMATS, SYSTEM_SOUND_PAUSES, Shown, for_playback, system_sound,
};
#[cfg(not(target_os = "linux"))]
pub(crate) use portable::{
    Connector, SYSTEM_SOUND_FORMATS, SYSTEM_SOUND_PAUSES, Shown, for_playback, system_sound,
};

/// Why what the machine plays cannot be had here.
#[cfg(target_os = "linux")]
pub(crate) const NO_SYSTEM_SOUND: &str =
    "what this machine plays can be taken from PulseAudio or PipeWire only, and neither answers";
#[cfg(windows)]
pub(crate) const NO_SYSTEM_SOUND: &str = "there is no speaker whose sound could be taken";
#[cfg(not(any(target_os = "linux", windows)))]
pub(crate) const NO_SYSTEM_SOUND: &str = "this system gives programs nothing of what it plays; a virtual sound device \
     such as BlackHole, chosen as a microphone, does";

/// An open connection to the sound system.
pub(crate) struct Connection {
    pub(crate) host: cpal::Host,
    /// First part of the ids of its devices, such as `pulse`.
    pub(crate) prefix: &'static str,
}

#[cfg(feature = "camera")]
#[cfg_attr(target_os = "linux", path = "camera_linux.rs")]
#[cfg_attr(not(target_os = "linux"), path = "camera_portable.rs")]
mod camera;
#[cfg(feature = "camera")]
pub(crate) use camera::is_camera;
