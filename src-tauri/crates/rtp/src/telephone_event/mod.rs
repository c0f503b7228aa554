//! Telephone events (RFC 4733): keys pressed during a call.

mod receiver;
mod sender;

pub use receiver::{EventReceiver, TelephoneEvent};
pub use sender::{EventPacket, EventSender, QueueFull, SenderOptions};

use crate::error::{Error, take};

/// An event number (RFC 4733 section 3.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct EventCode(pub u8);

/// One 4-byte report of an event (RFC 4733 section 2.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventBlock {
    pub code: EventCode,
    pub end: bool,
    /// -dBm0, 0 to 63.
    pub volume: u8,
    /// Timestamp units.
    pub duration: u16,
}

impl EventCode {
    pub const FLASH: Self = Self(16);

    /// 0-9, *, #, A-D.
    pub fn from_key(key: char) -> Option<Self> {
        let code = match key.to_ascii_uppercase() {
            digit @ '0'..='9' => digit as u8 - b'0',
            '*' => 10,
            '#' => 11,
            letter @ 'A'..='D' => letter as u8 - b'A' + 12,
            _ => return None,
        };
        Some(Self(code))
    }

    /// None for the flash and for every code that is not a key.
    pub fn key(self) -> Option<char> {
        "0123456789*#ABCD".chars().nth(usize::from(self.0))
    }
}

impl EventBlock {
    /// The blocks of a payload; more than one where several events are packed (RFC 4733 section 2.5.1.5). Bytes
    /// after the last whole block are ignored.
    pub fn parse_all(payload: &[u8]) -> Result<impl Iterator<Item = Self> + '_, Error> {
        take(payload, 0, 4, "telephone event")?;
        Ok(payload.chunks_exact(4).filter_map(|bytes| match *bytes {
            [code, flags, high, low] => Some(Self {
                code: EventCode(code),
                end: flags & 0x80 != 0,
                volume: flags & 0x3f,
                duration: u16::from_be_bytes([high, low]),
            }),
            _ => None,
        }))
    }

    pub fn to_bytes(self) -> [u8; 4] {
        let [high, low] = self.duration.to_be_bytes();
        [self.code.0, u8::from(self.end) << 7 | self.volume.min(63), high, low]
    }
}
