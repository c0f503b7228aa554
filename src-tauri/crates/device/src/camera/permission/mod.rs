//! Where the user is asked before a program sees anything.

#[cfg(target_os = "macos")]
mod macos;
#[cfg(not(target_os = "macos"))]
mod unasked;

#[cfg(target_os = "macos")]
pub(super) use macos::ask;
#[cfg(not(target_os = "macos"))]
pub(super) use unasked::ask;
