/// Why a datagram was not taken. Every value names the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    #[error("{field}: {needed} bytes needed, {available} there")]
    TooShort { field: &'static str, needed: usize, available: usize },
    #[error("version is {0}, not 2")]
    Version(u8),
    #[error("padding length {0} does not fit")]
    Padding(u8),
    #[error("{0}")]
    Malformed(&'static str),
    #[error("payload type {0} was not negotiated")]
    UnknownPayloadType(u8),
    #[error("payload is empty")]
    EmptyPayload,
    #[error("source {0:08x} is not yet valid")]
    Probation(u32),
    #[error("sequence number {0} is too far from the last one")]
    SequenceJump(u16),
    #[error("source {0:08x} is our own")]
    OwnSource(u32),
}

/// `len` bytes from `at`, or the error that names the field.
pub(crate) fn take<'a>(
    bytes: &'a [u8],
    at: usize,
    len: usize,
    field: &'static str,
) -> Result<&'a [u8], Error> {
    let available = bytes.len().saturating_sub(at);
    let end = at.checked_add(len);
    end.and_then(|end| bytes.get(at..end)).ok_or(Error::TooShort { field, needed: len, available })
}

pub(crate) fn u16_at(bytes: &[u8], at: usize, field: &'static str) -> Result<u16, Error> {
    Ok(take(bytes, at, 2, field)?.iter().fold(0, |value, byte| value << 8 | u16::from(*byte)))
}

pub(crate) fn u32_at(bytes: &[u8], at: usize, field: &'static str) -> Result<u32, Error> {
    Ok(take(bytes, at, 4, field)?.iter().fold(0, |value, byte| value << 8 | u32::from(*byte)))
}
