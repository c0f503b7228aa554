//! Cutting messages out of a byte stream (RFC 3261 section 18.3, RFC 5626 section 3.5.1).
//!
//! Every message needs a Content-Length. Without a usable one, or beyond the [`Limits`], nobody can tell where the
//! next message begins: that is a [`FramingError`], and the stream must be closed.

use thiserror::Error;

pub use crate::message::Limits;
use crate::message::{Head, HeadEnd, Message, ParseError, Place, assemble, head_end, refuse};

/// What a stream carried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Frame {
    Message(Message),
    /// A message that is wrong but ended where it said, so the stream goes on. See [`ParseError::answerable`].
    Broken(ParseError),
    /// Two line ends between messages, to be answered with [`PONG`].
    Ping,
    /// One line end between messages: the answer to a ping, or the first half of a ping that arrived in two pieces.
    Pong,
}

/// Sent to keep a stream and its NAT binding alive.
pub const PING: &[u8] = b"\r\n\r\n";
/// Answers a ping.
pub const PONG: &[u8] = b"\r\n";

/// Where the next message starts is lost: answer if [`ParseError::answerable`] says so, then close the stream.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("the stream cannot be read on: {0}")]
pub struct FramingError(pub ParseError);

/// Collects the bytes of one stream and gives out what they contain. It never holds more than the limits allow plus
/// the bytes of one [`StreamDecoder::push`].
#[derive(Debug)]
pub struct StreamDecoder {
    limits: Limits,
    buffer: Vec<u8>,
    /// How far the search for the end of the head got.
    searched: usize,
    /// A lone line end was the last thing taken; another one completes a ping.
    half_ping: bool,
    /// The head of the message whose body is awaited, and the length of that body.
    head: Option<(Head, usize)>,
    lost: Option<FramingError>,
}

impl Default for StreamDecoder {
    fn default() -> Self {
        StreamDecoder::new(Limits::default())
    }
}

impl StreamDecoder {
    pub fn new(limits: Limits) -> StreamDecoder {
        StreamDecoder { limits, buffer: Vec::new(), searched: 0, half_ping: false, head: None, lost: None }
    }

    /// Takes what the stream delivered. Drain with [`StreamDecoder::next_frame`] before the next push.
    pub fn push(&mut self, bytes: &[u8]) {
        if self.lost.is_none() {
            self.buffer.extend_from_slice(bytes);
        }
    }

    /// Whether a message has begun and not ended; closing the stream now cuts it.
    pub fn is_mid_message(&self) -> bool {
        self.head.is_some() || !self.buffer.is_empty()
    }

    /// The line end taken last answered a ping: it is no first half of another.
    pub fn take_pong(&mut self) {
        self.half_ping = false;
    }

    /// The next frame, `None` until more bytes come. An error stays: the stream must be closed.
    pub fn next_frame(&mut self) -> Result<Option<Frame>, FramingError> {
        if let Some(lost) = &self.lost {
            return Err(lost.clone());
        }
        let result = self.read();
        if let Err(lost) = &result {
            self.lost = Some(lost.clone());
            self.buffer = Vec::new();
        }
        result
    }

    fn read(&mut self) -> Result<Option<Frame>, FramingError> {
        if self.head.is_none() {
            if let Some(frame) = self.keep_alive() {
                return Ok(Some(frame));
            }
            if !self.read_head()? {
                return Ok(None);
            }
        }
        match self.head.take() {
            Some((head, length)) if self.buffer.len() >= length => {
                let body = self.buffer.drain(..length).collect();
                Ok(Some(assemble(head, body).map_or_else(Frame::Broken, Frame::Message)))
            }
            waiting => {
                self.head = waiting;
                Ok(None)
            }
        }
    }

    /// Takes line ends off the front.
    fn keep_alive(&mut self) -> Option<Frame> {
        if self.searched > 0 {
            return None;
        }
        let (is_ping, length) = match self.buffer.as_slice() {
            [b'\r', b'\n', ..] if self.half_ping => (true, 2),
            [b'\r', b'\n', b'\r', b'\n', ..] => (true, 4),
            [b'\r', b'\n', b'\r'] => return None,
            [b'\r', b'\n', ..] => (false, 2),
            [b'\n', ..] => (false, 1),
            _ => return None,
        };
        self.buffer.drain(..length);
        self.half_ping = !is_ping;
        Some(if is_ping { Frame::Ping } else { Frame::Pong })
    }

    /// Whether the head of the next message is complete now.
    fn read_head(&mut self) -> Result<bool, FramingError> {
        if matches!(self.buffer.as_slice(), [] | [b'\r'] | [b'\r', b'\n', b'\r']) {
            return Ok(false);
        }
        let end = match head_end(&self.buffer, self.searched, &self.limits) {
            HeadEnd::At(end) if end <= self.limits.head => end,
            HeadEnd::From(searched) if self.buffer.len() <= self.limits.head => {
                self.searched = searched;
                return Ok(false);
            }
            _ => return Err(self.too_long()),
        };
        let rest = self.buffer.split_off(end);
        let bytes = std::mem::replace(&mut self.buffer, rest);
        self.searched = 0;
        self.half_ping = false;
        let head = Head::read(&bytes, &self.limits);
        if let Some(fault) = head.fault.clone().filter(|fault| fault.status == 513) {
            return Err(FramingError(refuse(&head, fault)));
        }
        let length = match head.headers.content_length() {
            Ok(Some(length)) if length <= self.limits.body => length,
            Ok(Some(_)) => return Err(head.lost(513, "more than this stream accepts")),
            Ok(None) => return Err(head.lost(400, "is missing on a stream")),
            Err(error) => return Err(head.lost(400, &error.fault.to_string())),
        };
        self.head = Some((head, length));
        Ok(true)
    }

    fn too_long(&self) -> FramingError {
        let head = Head::read(&self.buffer, &self.limits);
        head.lost_at(Place::HeaderSection, 513, "too long")
    }
}
