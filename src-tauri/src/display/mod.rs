//! What the webview needs to know about the machine's display before it starts.

#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod platform;
#[cfg(not(target_os = "linux"))]
#[path = "other.rs"]
mod platform;

pub(crate) use platform::{check, prepare};
