use std::fmt;

use crate::description::{AddressType, Attribute, Host, Media, SessionDescription};
use crate::error::{Fault, fault};
use crate::parse::{address, number};

/// Direction of a stream from the point of view of the one who says it (RFC 8866 section 6.7).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Direction {
    #[default]
    SendRecv,
    SendOnly,
    RecvOnly,
    Inactive,
}

/// `a=rtpmap` (RFC 8866 section 6.6).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtpMap {
    pub payload_type: u8,
    pub name: String,
    /// Hz
    pub clock_rate: u32,
    /// 1 where none is given.
    pub channels: u8,
}

/// `a=rtcp` (RFC 3605).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RtcpAttribute {
    pub port: u16,
    pub address: Option<(AddressType, Host)>,
}

impl Direction {
    pub fn from_flags(sends: bool, receives: bool) -> Self {
        match (sends, receives) {
            (true, true) => Self::SendRecv,
            (true, false) => Self::SendOnly,
            (false, true) => Self::RecvOnly,
            (false, false) => Self::Inactive,
        }
    }

    pub fn sends(self) -> bool {
        matches!(self, Self::SendRecv | Self::SendOnly)
    }

    pub fn receives(self) -> bool {
        matches!(self, Self::SendRecv | Self::RecvOnly)
    }

    /// The same stream seen from the other end.
    pub fn reversed(self) -> Self {
        Self::from_flags(self.receives(), self.sends())
    }

    /// What both allow.
    pub fn and(self, other: Self) -> Self {
        Self::from_flags(self.sends() && other.sends(), self.receives() && other.receives())
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Self::SendRecv => "sendrecv",
            Self::SendOnly => "sendonly",
            Self::RecvOnly => "recvonly",
            Self::Inactive => "inactive",
        }
    }

    fn from_name(name: &str) -> Option<Self> {
        [Self::SendRecv, Self::SendOnly, Self::RecvOnly, Self::Inactive]
            .into_iter()
            .find(|direction| direction.as_str().eq_ignore_ascii_case(name))
    }
}

impl fmt::Display for Direction {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl SessionDescription {
    /// The direction that holds for a media section: its own, else the session's, else sendrecv.
    pub fn direction_of(&self, media: &Media) -> Direction {
        find_direction(&media.attributes).or_else(|| find_direction(&self.attributes)).unwrap_or_default()
    }
}

impl Media {
    pub fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|attribute| attribute.name.eq_ignore_ascii_case(name))
    }

    pub fn value(&self, name: &str) -> Option<&str> {
        self.attribute(name)?.value.as_deref()
    }

    /// The payload types of the media line that are RTP numbers (0 to 127), in order, each once.
    pub fn payload_types(&self) -> Vec<u8> {
        let mut known = [false; 128];
        let numbers = self.formats.iter().filter_map(|format| number::<u8>(format));
        numbers
            .filter(|number| {
                known.get_mut(usize::from(*number)).is_some_and(|seen| !std::mem::replace(seen, true))
            })
            .collect()
    }

    /// What a payload type means: its `a=rtpmap`, else the static assignment of RFC 3551.
    pub fn rtp_map(&self, payload_type: u8) -> Option<RtpMap> {
        self.values("rtpmap")
            .filter_map(|value| RtpMap::parse(value).ok())
            .find(|map| map.payload_type == payload_type)
            .or_else(|| static_rtp_map(payload_type))
    }

    pub fn fmtp(&self, payload_type: u8) -> Option<&str> {
        self.values("fmtp").find_map(|value| {
            let (format, parameters) = value.split_once(' ')?;
            (number(format) == Some(payload_type)).then_some(parameters.trim())
        })
    }

    /// Milliseconds; None where absent or not above 0.
    pub fn ptime(&self) -> Option<f32> {
        self.value("ptime").and_then(|value| milliseconds(value).ok()).filter(|ms| *ms > 0.0)
    }

    /// Milliseconds; None where absent or not above 0.
    pub fn max_ptime(&self) -> Option<f32> {
        self.value("maxptime").and_then(|value| milliseconds(value).ok()).filter(|ms| *ms > 0.0)
    }

    pub fn rtcp(&self) -> Option<RtcpAttribute> {
        RtcpAttribute::parse(self.value("rtcp")?).ok()
    }

    pub fn rtcp_mux(&self) -> bool {
        self.attribute("rtcp-mux").is_some()
    }

    pub(crate) fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.attributes
            .iter()
            .filter(move |attribute| attribute.name.eq_ignore_ascii_case(name))
            .filter_map(|attribute| attribute.value.as_deref())
    }
}

impl RtpMap {
    pub(crate) fn parse(value: &str) -> Result<Self, Fault> {
        let mut words = value.split_ascii_whitespace();
        let (Some(format), Some(encoding)) = (words.next(), words.next()) else {
            return fault("a=rtpmap", "needs a payload type and an encoding");
        };
        let payload_type = payload_type("a=rtpmap payload type", format)?;
        let mut parts = encoding.split('/');
        let name = parts.next().unwrap_or_default();
        if name.is_empty() {
            return fault("a=rtpmap encoding name", "is empty");
        }
        let clock_rate = match parts.next().map(number) {
            Some(Some(rate)) if rate > 0 => rate,
            _ => return fault("a=rtpmap clock rate", "is not a number above 0"),
        };
        let channels = match parts.next().map(number) {
            None => 1,
            Some(Some(channels)) if channels > 0 => channels,
            Some(_) => return fault("a=rtpmap channels", "is not a number from 1 to 255"),
        };
        Ok(Self { payload_type, name: name.to_owned(), clock_rate, channels })
    }
}

impl RtcpAttribute {
    pub(crate) fn parse(value: &str) -> Result<Self, Fault> {
        let words: Vec<&str> = value.split_ascii_whitespace().collect();
        let (port, rest) = match words.split_first() {
            Some((port, rest)) => (port, rest),
            None => return fault("a=rtcp port", "is missing"),
        };
        let Some(port) = number(port) else {
            return fault("a=rtcp port", "is not a number from 0 to 65535");
        };
        let address = match rest {
            [] => None,
            [network, kind, host] => Some(address("a=rtcp address", network, kind, host)?),
            _ => return fault("a=rtcp address", "is not nettype, addrtype and address"),
        };
        Ok(Self { port, address })
    }
}

/// Checks the attributes that this crate understands; all others pass.
pub(crate) fn check(attribute: &Attribute) -> Result<(), Fault> {
    let value = attribute.value.as_deref().unwrap_or_default();
    match attribute.name.to_ascii_lowercase().as_str() {
        "rtpmap" => RtpMap::parse(value).map(drop),
        "fmtp" => payload_type("a=fmtp payload type", value.split(' ').next().unwrap_or_default()).map(drop),
        "ptime" => milliseconds(value).map(drop).or_else(|_| fault("a=ptime", "is not a number")),
        "maxptime" => milliseconds(value).map(drop).or_else(|_| fault("a=maxptime", "is not a number")),
        "rtcp" => RtcpAttribute::parse(value).map(drop),
        _ => Ok(()),
    }
}

fn payload_type(field: &'static str, text: &str) -> Result<u8, Fault> {
    match number::<u8>(text) {
        Some(number) if number < 128 => Ok(number),
        _ => fault(field, "is not a number from 0 to 127"),
    }
}

/// Digits with an optional fraction (RFC 8866: non-zero-int-or-real).
fn milliseconds(text: &str) -> Result<f32, ()> {
    let text = text.trim();
    let plain = !text.is_empty() && text.len() <= 16 && text.bytes().all(|b| b.is_ascii_digit() || b == b'.');
    if plain { text.parse().map_err(drop) } else { Err(()) }
}

fn find_direction(attributes: &[Attribute]) -> Option<Direction> {
    attributes.iter().find_map(|attribute| Direction::from_name(&attribute.name))
}

/// The static audio payload types of RFC 3551 section 6.
pub fn static_rtp_map(payload_type: u8) -> Option<RtpMap> {
    let (name, clock_rate, channels) = match payload_type {
        0 => ("PCMU", 8000, 1),
        3 => ("GSM", 8000, 1),
        4 => ("G723", 8000, 1),
        5 => ("DVI4", 8000, 1),
        6 => ("DVI4", 16_000, 1),
        7 => ("LPC", 8000, 1),
        8 => ("PCMA", 8000, 1),
        9 => ("G722", 8000, 1),
        10 => ("L16", 44_100, 2),
        11 => ("L16", 44_100, 1),
        12 => ("QCELP", 8000, 1),
        13 => ("CN", 8000, 1),
        14 => ("MPA", 90_000, 1),
        15 => ("G728", 8000, 1),
        16 => ("DVI4", 11_025, 1),
        17 => ("DVI4", 22_050, 1),
        18 => ("G729", 8000, 1),
        _ => return None,
    };
    Some(RtpMap { payload_type, name: name.to_owned(), clock_rate, channels })
}
