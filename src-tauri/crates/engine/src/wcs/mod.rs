//! The messages of Flashphoner's Web Call Server, as the Web SDK 2.0 sends and reads them: `{"message": NAME, "data": [...]}`.
//!
//! What a client writes is a stranger's: fields may be absent, numbers may be texts, unknown ones are passed over, and nothing in
//! here panics. What is printed always has an array as its `data`, without which the SDK throws.

mod ask;
mod fields;
mod hear;
mod read;
mod say;

pub use ask::{ServerAsk, introduction};
pub use hear::{LONGEST_OF_SERVER, SaidOfCall, ServerSaid, Unreadable, hear};
pub use read::{ClientMessage, Flood, Malformed, flood, parse};
pub use say::{ServerMessage, refusal};

/// Bytes of a message of a client.
pub const LONGEST_MESSAGE: usize = 256 * 1024;

/// Of a long message, bytes outside of its texts.
const MOST_AROUND_TEXTS: usize = 1024;

/// Nearly all of this JSON is inside its texts, so that what is read of it takes little more memory than the JSON itself.
pub fn is_mostly_text(json: &str) -> bool {
    let (mut outside, mut inside, mut escaped) = (0, false, false);
    for byte in json.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if inside => escaped = true,
            b'"' => inside = !inside,
            _ if inside => continue,
            _ => {}
        }
        outside += usize::from(!inside);
        if outside > MOST_AROUND_TEXTS {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests;
