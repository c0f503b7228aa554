//! Reliable provisional responses: RFC 3262, with the offers and answers of RFC 6337.
//!
//! `heard` acknowledges those of the peer, `sent` sends ours and takes their PRACK.

mod heard;
mod sent;

use crate::message::{HeaderName, Headers};

pub(super) use heard::Heard;
pub(super) use sent::ReliableOut;

/// Whether provisional responses are to be reliable.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Reliable {
    /// they are neither offered nor sent
    Off,
    /// where the peer can, those with SDP
    #[default]
    Supported,
    /// the call fails with a peer that cannot (420, 421)
    Required,
}

pub(super) const TAG: &str = "100rel";

/// RSeq: 1 to 2^31 - 1 (RFC 3262 section 7.1 has 2^32 - 1, but the first one is below 2^31).
fn rseq(headers: &Headers) -> Option<u32> {
    headers.single(&HeaderName::RSEQ).ok().flatten().and_then(number).filter(|number| *number > 0)
}

/// RAck: the RSeq that is acknowledged, and the CSeq of its INVITE.
fn rack(headers: &Headers) -> Option<(u32, u32)> {
    let mut words =
        headers.single(&HeaderName::RACK).ok().flatten()?.split([' ', '\t']).filter(|word| !word.is_empty());
    let acknowledged = (number(words.next()?)?, number(words.next()?)?);
    (words.next() == Some("INVITE") && words.next().is_none()).then_some(acknowledged)
}

/// The sender insists on reliable responses.
pub(super) fn is_required(headers: &Headers) -> bool {
    headers.require().unwrap_or_default().iter().any(|tag| tag.eq_ignore_ascii_case(TAG))
}

fn number(text: &str) -> Option<u32> {
    let is_number = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if is_number { text.parse().ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rack_is_two_numbers_and_invite() {
        let read = |value: &str| {
            let mut headers = Headers::new();
            headers.push(HeaderName::RACK, value);
            rack(&headers)
        };
        assert_eq!(read("776656 1  INVITE"), Some((776_656, 1)));
        for text in
            ["", "1 1", "1 1 OPTIONS", "1 1 INVITE x", "-1 1 INVITE", "4294967296 1 INVITE", "a b INVITE"]
        {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
