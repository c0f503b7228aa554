use crate::attribute::RtpMap;
use crate::video::H264Parameters;

/// One codec that the caller can send and receive. Names compare without case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Capability {
    /// Encoding name as in `a=rtpmap`.
    pub name: String,
    /// RTP clock in Hz (8000 for G.722, RFC 3551 section 4.5.2).
    pub clock_rate: u32,
    pub channels: u8,
    /// The payload type of RFC 3551, where the codec has one.
    pub static_pt: Option<u8>,
    /// What we say in `a=fmtp`, without the payload type.
    pub fmtp: Option<String>,
}

impl Capability {
    pub fn pcmu() -> Self {
        Self::fixed("PCMU", 0)
    }

    pub fn pcma() -> Self {
        Self::fixed("PCMA", 8)
    }

    pub fn g722() -> Self {
        Self::fixed("G722", 9)
    }

    /// Opus with in-band FEC asked for (RFC 7587).
    pub fn opus() -> Self {
        Self {
            name: "opus".to_owned(),
            clock_rate: 48_000,
            channels: 2,
            static_pt: None,
            fmtp: Some("useinbandfec=1".to_owned()),
        }
    }

    /// H.264 in its constrained baseline profile, level 3.1 (1280x720 at 30), packetization mode 0 or 1 (RFC 6184).
    pub fn h264(packetization_mode: u8) -> Self {
        let mode = packetization_mode.min(1);
        let fmtp = format!("profile-level-id=42e01f;level-asymmetry-allowed=1;packetization-mode={mode}");
        Self { fmtp: Some(fmtp), ..Self::video("H264") }
    }

    /// RFC 7741.
    pub fn vp8() -> Self {
        Self::video("VP8")
    }

    fn video(name: &str) -> Self {
        Self { name: name.to_owned(), clock_rate: 90_000, channels: 1, static_pt: None, fmtp: None }
    }

    pub(crate) fn telephone_event(clock_rate: u32) -> Self {
        Self {
            name: "telephone-event".to_owned(),
            clock_rate,
            channels: 1,
            static_pt: None,
            fmtp: Some("0-15".to_owned()),
        }
    }

    pub(crate) fn comfort_noise() -> Self {
        Self::fixed("CN", 13)
    }

    pub fn is_opus(&self) -> bool {
        self.name.eq_ignore_ascii_case("opus")
    }

    /// Whether an `a=rtpmap` speaks of this codec.
    pub fn matches(&self, map: &RtpMap) -> bool {
        self.name.eq_ignore_ascii_case(&map.name)
            && self.clock_rate == map.clock_rate
            && (self.channels == map.channels || self.is_opus())
    }

    pub fn is_h264(&self) -> bool {
        self.name.eq_ignore_ascii_case("H264")
    }

    /// Whether a format is this codec in the same configuration: for H.264 with the same profile and packetization mode
    /// too, which nobody can change in an answer (RFC 6184 section 8.2.2).
    pub fn matches_format(&self, map: &RtpMap, fmtp: Option<&str>) -> bool {
        if !self.matches(map) || !self.is_h264() {
            return self.matches(map);
        }
        let ours = H264Parameters::parse(self.fmtp.as_deref().unwrap_or_default());
        let theirs = H264Parameters::parse(fmtp.unwrap_or_default());
        ours.zip(theirs).is_some_and(|(ours, theirs)| ours.is_same_configuration(&theirs))
    }

    /// What our answer says of a format that the offer has.
    pub(crate) fn answering(mut self, offered: Option<&str>) -> Self {
        if self.is_h264()
            && let Some(ours) = H264Parameters::parse(self.fmtp.as_deref().unwrap_or_default())
            && let Some(theirs) = H264Parameters::parse(offered.unwrap_or_default())
        {
            self.fmtp = Some(ours.answering(&theirs).to_string());
        }
        self
    }

    /// The value of our `a=rtpmap`, without the payload type.
    pub(crate) fn encoding(&self) -> String {
        let Self { name, clock_rate, channels, .. } = self;
        if *channels > 1 { format!("{name}/{clock_rate}/{channels}") } else { format!("{name}/{clock_rate}") }
    }

    fn fixed(name: &str, payload_type: u8) -> Self {
        Self {
            name: name.to_owned(),
            clock_rate: 8000,
            channels: 1,
            static_pt: Some(payload_type),
            fmtp: None,
        }
    }
}
