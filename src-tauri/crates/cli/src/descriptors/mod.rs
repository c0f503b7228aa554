//! How many files and sockets the program may have open.

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(not(unix))]
#[path = "other.rs"]
mod platform;

/// Asks the system for as many as it gives: each session is a socket, and what systems give without being asked is for 1000 of them
/// too few.
pub(crate) fn raise() {
    platform::raise();
}
