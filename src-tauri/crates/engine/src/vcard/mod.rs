//! Contacts as vCards: reads 4.0 (RFC 6350), 3.0 (RFC 2426) and what older programs still write of 2.1; writes 4.0.
//!
//! Files come from strangers and are written by many programs, none of which follows the standards wholly. So a card that
//! makes no sense is refused with its line and the others are read. Pictures and everything else that no phone needs are
//! passed over.

mod card;
mod lines;
mod property;
mod read;
#[cfg(test)]
mod tests;
mod write;

pub(crate) use read::{Card, Reader, Refused};
pub(crate) use write::write;

/// Lines of one file.
pub(crate) const MAX_LINES: usize = 1_000_000;
