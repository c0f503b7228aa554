/// What a datagram on a shared port is, by its first byte (RFC 7983 section 7).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Stun,
    Dtls,
    /// RTP or RTCP, plain or protected.
    Media,
}

pub(super) fn classify(datagram: &[u8]) -> Option<Kind> {
    match datagram.first()? {
        0..=3 => Some(Kind::Stun),
        20..=63 => Some(Kind::Dtls),
        128..=191 => Some(Kind::Media),
        _ => None,
    }
}
