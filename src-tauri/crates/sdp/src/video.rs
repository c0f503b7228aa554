//! What video formats say of themselves: H.264 (RFC 6184), VP8 (RFC 7741), and requests for key frames (RFC 4585).

mod level;

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::description::Media;
use crate::fmtp::parameter;
use crate::parse::number;

pub use level::H264Limits;

/// More parameter sets than this, and longer ones, are not read.
const PARAMETER_SETS: usize = 16;
const PARAMETER_SET_BYTES: usize = 1024;
/// More `a=rtcp-fb` lines than this are not read.
const FEEDBACK_LINES: usize = 256;

/// The requests for a key frame that may be sent in RTCP.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Feedback {
    /// Picture loss indication (`nack pli`, RFC 4585 section 6.3.1).
    pub pli: bool,
    /// Full intra request (`ccm fir`, RFC 5104 section 4.3.1).
    pub fir: bool,
}

/// `a=fmtp` of H.264 (RFC 6184 section 8.1).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct H264Parameters {
    /// 0x42 baseline, 0x4d main, 0x64 high.
    pub profile_idc: u8,
    /// The constraint flags, from constraint_set0 at 0x80 down.
    pub profile_iop: u8,
    /// Ten times the level: 31 is level 3.1; 9 is 1b.
    pub level_idc: u8,
    /// 0: one NAL unit a packet; 1: fragments and aggregates too. 2 (interleaved) is not done.
    pub packetization_mode: u8,
    /// Each direction has the level of its receiver.
    pub level_asymmetry_allowed: bool,
    /// Macroblocks a second, a picture; kbit/s: beyond the level, where they are above it.
    pub max_mbps: Option<u32>,
    pub max_fs: Option<u32>,
    pub max_br: Option<u32>,
    /// NAL units to give to the decoder before the first packet.
    pub parameter_sets: Vec<Vec<u8>>,
}

/// `a=fmtp` of VP8 (RFC 7741 section 6.1): what the peer can decode.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Vp8Parameters {
    /// Pictures a second.
    pub max_fr: Option<u32>,
    /// Macroblocks of 16x16 a picture.
    pub max_fs: Option<u32>,
}

impl Feedback {
    pub const ALL: Self = Self { pli: true, fir: true };

    fn or(self, other: Self) -> Self {
        Self { pli: self.pli || other.pli, fir: self.fir || other.fir }
    }
}

impl Media {
    /// What `a=rtcp-fb` says of requests for key frames, for a payload type or for all.
    pub fn feedback(&self, payload_type: u8) -> Feedback {
        let known = |value: &str| {
            let mut words = value.split_ascii_whitespace();
            let for_it = words.next().is_some_and(|word| word == "*" || number(word) == Some(payload_type));
            let mut next = || words.next().unwrap_or_default().to_ascii_lowercase();
            let (kind, what) = (next(), next());
            Feedback {
                pli: for_it && kind == "nack" && what == "pli",
                fir: for_it && kind == "ccm" && what == "fir",
            }
        };
        self.values("rtcp-fb").take(FEEDBACK_LINES).map(known).fold(Feedback::default(), Feedback::or)
    }
}

impl H264Parameters {
    /// None where the profile or the packetization mode cannot be read. What is absent is as the RFC has it: baseline at
    /// level 1, packetization mode 0.
    pub fn parse(fmtp: &str) -> Option<Self> {
        let [profile_idc, profile_iop, level_idc] = match parameter(fmtp, "profile-level-id") {
            Some(text) if text.len() == 6 && text.bytes().all(|byte| byte.is_ascii_hexdigit()) => {
                let [_, bytes @ ..] = u32::from_str_radix(text, 16).ok()?.to_be_bytes();
                bytes
            }
            Some(_) => return None,
            None => [0x42, 0, 10],
        };
        let packetization_mode = match parameter(fmtp, "packetization-mode") {
            Some(text) => number(text)?,
            None => 0,
        };
        let bounded = |name| parameter(fmtp, name).and_then(number::<u32>);
        Some(Self {
            profile_idc,
            profile_iop,
            level_idc,
            packetization_mode,
            level_asymmetry_allowed: parameter(fmtp, "level-asymmetry-allowed") == Some("1"),
            max_mbps: bounded("max-mbps"),
            max_fs: bounded("max-fs"),
            max_br: bounded("max-br"),
            parameter_sets: parameter_sets(parameter(fmtp, "sprop-parameter-sets").unwrap_or_default()),
        })
    }

    /// The same profile and packetization mode. Baseline and constrained baseline count as one: nobody sends the slice
    /// groups and the slice order that make the difference, and phones write either for the other.
    pub fn is_same_configuration(&self, other: &Self) -> bool {
        self.packetization_mode == other.packetization_mode && self.profile() == other.profile()
    }

    /// What may be sent to one who has these parameters, by one who said `ours`.
    pub(crate) fn sent_by(mut self, ours: &Self) -> Self {
        if !(self.level_asymmetry_allowed && ours.level_asymmetry_allowed) {
            let lower = if self.level() <= ours.level() { self.level_of() } else { ours.level_of() };
            (self.level_idc, self.profile_iop) = (lower.0, self.profile_iop & !level::SET3 | lower.1);
        }
        self
    }

    /// Our answer to an offer: the profile as it was offered, the lower level where both directions must have one.
    pub(crate) fn answering(&self, offered: &Self) -> Self {
        let asymmetric = self.level_asymmetry_allowed && offered.level_asymmetry_allowed;
        let level =
            if asymmetric || self.level() <= offered.level() { self.level_of() } else { offered.level_of() };
        Self {
            profile_idc: offered.profile_idc,
            profile_iop: offered.profile_iop & !level::SET3 | level.1,
            level_idc: level.0,
            level_asymmetry_allowed: asymmetric,
            ..self.clone()
        }
    }

    fn profile(&self) -> (u8, bool) {
        let is_baseline =
            self.profile_idc == 0x42 || (self.profile_idc == 0x4d && self.profile_iop & 0x80 != 0);
        if is_baseline { (0x42, true) } else { (self.profile_idc, false) }
    }
}

/// The value of `a=fmtp`, without the payload type.
impl fmt::Display for H264Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { profile_idc, profile_iop, level_idc, packetization_mode, .. } = self;
        write!(f, "profile-level-id={profile_idc:02x}{profile_iop:02x}{level_idc:02x}")?;
        if self.level_asymmetry_allowed {
            f.write_str(";level-asymmetry-allowed=1")?;
        }
        write!(f, ";packetization-mode={packetization_mode}")
    }
}

impl Vp8Parameters {
    pub fn parse(fmtp: &str) -> Self {
        let bounded = |name| parameter(fmtp, name).and_then(number::<u32>).filter(|value| *value > 0);
        Self { max_fr: bounded("max-fr"), max_fs: bounded("max-fs") }
    }
}

fn parameter_sets(list: &str) -> Vec<Vec<u8>> {
    let sets = list.split(',').take(PARAMETER_SETS);
    let sets = sets.filter_map(|set| STANDARD.decode(set.trim()).ok());
    sets.filter(|set| (1..=PARAMETER_SET_BYTES).contains(&set.len())).collect()
}
