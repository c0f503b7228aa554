/// How much of a message is read before it is refused, in bytes where not said otherwise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// The start line, or one header field with its continuation lines.
    pub line: usize,
    /// Number of header fields.
    pub headers: usize,
    /// Start line and header section together.
    pub head: usize,
    pub body: usize,
}

impl Default for Limits {
    /// A datagram never holds more than 64 KiB, so `body` matters on streams and WebSockets.
    fn default() -> Self {
        Limits { line: 16 * 1024, headers: 256, head: 64 * 1024, body: 1024 * 1024 }
    }
}
