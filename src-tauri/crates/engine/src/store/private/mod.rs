//! The folder of history and contacts: of its owner alone, where the system knows such folders.

#[cfg(not(unix))]
mod other;
#[cfg(unix)]
mod unix;

#[cfg(not(unix))]
pub(crate) use other::create_folder;
#[cfg(unix)]
pub(crate) use unix::create_folder;
