use std::net::SocketAddr;

use bytes::Bytes;

use crate::TrackId;

/// What came to `local` from `remote`.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram<'a> {
    pub(crate) local: SocketAddr,
    pub(crate) remote: SocketAddr,
    pub(crate) bytes: &'a [u8],
}

/// An RTP packet as it is forwarded: the header's fields that mean something beyond one connection, and the payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpPacket {
    pub payload_type: u8,
    pub sequence: u16,
    /// In units of the codec's clock.
    pub timestamp: u32,
    pub marker: bool,
    pub extensions: Extensions,
    pub payload: Bytes,
}

/// Header extensions (RFC 8285) that are worth forwarding. What a leg did not negotiate is left out when it is sent.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Extensions {
    /// RFC 6464: the level in -dBov, with the voice flag as the highest bit.
    pub audio_level: Option<u8>,
    /// 3GPP TS 26.114 section 7.4.5: camera, flip and rotation.
    pub orientation: Option<u8>,
    /// The `playout-delay` of libwebrtc: two times 12 bits, units of 10 ms.
    pub playout_delay: Option<[u8; 3]>,
}

/// A packet that arrived, in whatever order it did, and never twice.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Received {
    pub track: TrackId,
    pub packet: RtpPacket,
    /// It came as a retransmission.
    pub repaired: bool,
    /// The codec has changed if this is not the codec of the track's last packet.
    pub codec: crate::Codec,
}
