/// A parameter of a `name=value; name=value` list; names compare without case.
pub fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    fmtp.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then_some(value.trim())
    })
}

/// What a peer asks of the Opus stream sent to it (RFC 7587 section 6.1). Values out of range count as absent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpusParameters {
    /// Highest sampling rate in Hz that the peer plays.
    pub max_playback_rate: u32,
    /// bit/s
    pub max_average_bitrate: Option<u32>,
    pub stereo: bool,
    pub sprop_stereo: bool,
    pub constant_bitrate: bool,
    pub in_band_fec: bool,
    pub dtx: bool,
}

impl Default for OpusParameters {
    fn default() -> Self {
        Self::parse("")
    }
}

impl OpusParameters {
    pub fn parse(fmtp: &str) -> Self {
        let number = |name| parameter(fmtp, name).and_then(|value| value.parse::<u32>().ok());
        let flag = |name| parameter(fmtp, name) == Some("1");
        let within = |value: Option<u32>, low, high| value.filter(|value| (low..=high).contains(value));
        Self {
            max_playback_rate: within(number("maxplaybackrate"), 8000, 48_000).unwrap_or(48_000),
            max_average_bitrate: within(number("maxaveragebitrate"), 6000, 510_000),
            stereo: flag("stereo"),
            sprop_stereo: flag("sprop-stereo"),
            constant_bitrate: flag("cbr"),
            in_band_fec: flag("useinbandfec"),
            dtx: flag("usedtx"),
        }
    }
}

/// A set of telephone events, from the list in `a=fmtp` ("0-15,66,70"; RFC 4733 section 2.4.1).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct EventSet([u64; 4]);

impl EventSet {
    /// 0-9, *, #, A-D: what a list that is absent or unreadable means.
    pub const DIGITS: Self = Self([0xffff, 0, 0, 0]);

    pub fn parse(list: &str) -> Self {
        let mut set = Self([0; 4]);
        for part in list.split(',') {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            if let (Ok(first), Ok(last)) = (first.trim().parse::<u8>(), last.trim().parse::<u8>()) {
                (first..=last).for_each(|event| set.insert(event));
            }
        }
        if set.0 == [0; 4] { Self::DIGITS } else { set }
    }

    pub fn contains(&self, event: u8) -> bool {
        self.0[usize::from(event >> 6)] >> (event & 63) & 1 == 1
    }

    fn insert(&mut self, event: u8) {
        self.0[usize::from(event >> 6)] |= 1 << (event & 63);
    }
}

impl std::fmt::Debug for EventSet {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_set().entries((0..=255u8).filter(|event| self.contains(*event))).finish()
    }
}
