//! The ways in which a user or the system asks us to end.

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(not(unix))]
#[path = "other.rs"]
mod platform;

/// Listens from its making on, so that no request is lost between two waits.
#[derive(Debug)]
pub(crate) struct Interrupt(platform::Signals);

impl Interrupt {
    pub(crate) fn listen() -> Self {
        Self(platform::Signals::listen())
    }

    /// Returns once for each request to end. May be dropped and called again.
    pub(crate) async fn next(&mut self) {
        self.0.next().await;
    }
}
