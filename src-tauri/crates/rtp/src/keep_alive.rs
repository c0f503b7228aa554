/// What keeps a NAT binding open while no media is sent (RFC 6263 section 4).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeepAlive {
    /// Nothing: media or multiplexed RTCP flows often enough.
    #[default]
    Off,
    /// A comfort noise packet at the lowest level (section 4.2).
    ComfortNoise { payload_type: u8 },
    /// An empty RTP packet of a payload type that was not negotiated; receivers ignore it (section 4.6).
    UnknownPayloadType { payload_type: u8 },
    /// A UDP datagram without bytes (section 4.1).
    EmptyDatagram,
}

impl KeepAlive {
    /// RTCP on the RTP port does the work by itself (section 4.3, the recommended way); else comfort noise where it
    /// was negotiated; else a dynamic payload type that was not.
    pub fn choose(
        rtcp_on_rtp_port: bool,
        comfort_noise: Option<u8>,
        negotiated: impl Fn(u8) -> bool,
    ) -> Self {
        if rtcp_on_rtp_port {
            return Self::Off;
        }
        if let Some(payload_type) = comfort_noise {
            return Self::ComfortNoise { payload_type };
        }
        let unknown = (96..=127).rev().find(|number| !negotiated(*number));
        unknown.map_or(Self::EmptyDatagram, |payload_type| Self::UnknownPayloadType { payload_type })
    }
}
