//! The messages of Flashphoner's Web Call Server, as the Web SDK 2.0 sends and reads them: `{"message": NAME, "data": [...]}`.
//!
//! What a client writes is a stranger's: fields may be absent, numbers may be texts, unknown ones are passed over, and nothing in
//! here panics. What is printed always has an array as its `data`, without which the SDK throws.

mod fields;
mod read;
mod say;

pub use read::{ClientMessage, Malformed, parse};
pub use say::{ServerMessage, refusal};

/// Bytes of a message of a client.
pub const LONGEST_MESSAGE: usize = 256 * 1024;

#[cfg(test)]
mod tests;
