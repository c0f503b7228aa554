mod fields;

use std::borrow::Cow;
use std::net::Ipv4Addr;

use crate::attribute::check;
use crate::description::{AddressType, Host, Media, ObsoleteKey, OriginField, SessionDescription, Timing};
use crate::error::{Fault, ParseError, fault};

pub(crate) use fields::{address, number};
use fields::{attribute, bandwidth, connection, media, origin, timing};

/// What a hostile text may cost at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    pub bytes: usize,
    pub lines: usize,
    pub line_bytes: usize,
    /// Number of `m=` lines.
    pub media: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { bytes: 64 * 1024, lines: 1024, line_bytes: 8 * 1024, media: 64 }
    }
}

impl SessionDescription {
    /// Reads a description within [`Limits::default`].
    pub fn parse(text: &[u8]) -> Result<Self, ParseError> {
        Self::parse_within(text, Limits::default())
    }

    pub fn parse_within(text: &[u8], limits: Limits) -> Result<Self, ParseError> {
        if text.len() > limits.bytes {
            let reason = format!("{} bytes are more than {}", text.len(), limits.bytes);
            return Err(ParseError::new(1, "description", reason));
        }
        let mut reader = Reader::new(limits);
        let mut ended = false;
        for (index, bytes) in text.split(|byte| *byte == b'\n').enumerate() {
            let number = index + 1;
            let bytes = bytes.strip_suffix(b"\r").unwrap_or(bytes);
            if bytes.is_empty() {
                ended = true;
                continue;
            }
            if ended {
                return Err(ParseError::new(number - 1, "line", "is empty"));
            }
            if number > limits.lines {
                let reason = format!("more than {} lines", limits.lines);
                return Err(ParseError::new(number, "description", reason));
            }
            reader.line(number, bytes)?;
        }
        reader.finish()
    }
}

impl std::str::FromStr for SessionDescription {
    type Err = ParseError;

    fn from_str(text: &str) -> Result<Self, ParseError> {
        Self::parse(text.as_bytes())
    }
}

struct Reader {
    limits: Limits,
    last_line: usize,
    has_version: bool,
    origin: Option<OriginField>,
    session_name: Option<String>,
    rest: SessionDescription,
}

impl Reader {
    fn new(limits: Limits) -> Self {
        let origin = OriginField {
            username: String::new(),
            session_id: String::new(),
            version: String::new(),
            address_type: AddressType::Ip4,
            host: Host::Ip(Ipv4Addr::UNSPECIFIED.into()),
        };
        let rest = SessionDescription {
            origin,
            session_name: String::new(),
            information: None,
            uri: None,
            emails: Vec::new(),
            phones: Vec::new(),
            connection: None,
            bandwidths: Vec::new(),
            times: Vec::new(),
            time_zones: None,
            key: None,
            attributes: Vec::new(),
            media: Vec::new(),
        };
        Self { limits, last_line: 0, has_version: false, origin: None, session_name: None, rest }
    }

    fn line(&mut self, number: usize, bytes: &[u8]) -> Result<(), ParseError> {
        self.last_line = number;
        let (letter, value) = match bytes {
            [letter, b'=', value @ ..] if letter.is_ascii_lowercase() => (char::from(*letter), value),
            _ => return Err(ParseError::new(number, "line", "does not begin with a letter and \"=\"")),
        };
        let field = format!("{letter}=");
        if bytes.len() > self.limits.line_bytes {
            let reason = format!("{} bytes are more than {}", bytes.len(), self.limits.line_bytes);
            return Err(ParseError::new(number, field, reason));
        }
        if value.iter().any(|byte| matches!(byte, b'\r' | 0)) {
            return Err(ParseError::new(number, field, "has a bare CR or a NUL"));
        }
        if !self.has_version {
            if letter != 'v' {
                return Err(ParseError::new(number, field, "comes before v="));
            }
            if value != b"0" {
                return Err(ParseError::new(number, field, "is not 0"));
            }
            self.has_version = true;
            return Ok(());
        }
        let text = match std::str::from_utf8(value) {
            Ok(text) => Cow::Borrowed(text),
            Err(_) if matches!(letter, 's' | 'i' | 'e' | 'p') => String::from_utf8_lossy(value),
            Err(_) => return Err(ParseError::new(number, field, "is not UTF-8")),
        };
        let result = match self.rest.media.last_mut() {
            _ if letter == 'm' => self.media_line(&text),
            None => self.session_line(letter, &text),
            Some(media) => media_level(media, letter, &text),
        };
        result.map_err(|fault| {
            let field = if fault.field.is_empty() { field } else { fault.field.to_owned() };
            ParseError::new(number, field, fault.reason)
        })
    }

    fn media_line(&mut self, text: &str) -> Result<(), Fault> {
        if self.rest.media.len() >= self.limits.media {
            return fault("m=", "one media line too many");
        }
        self.rest.media.push(media(text)?);
        Ok(())
    }

    fn session_line(&mut self, letter: char, text: &str) -> Result<(), Fault> {
        let rest = &mut self.rest;
        match letter {
            'o' => once(&mut self.origin, origin(text)?),
            's' => once(&mut self.session_name, text.to_owned()),
            'i' => once(&mut rest.information, text.to_owned()),
            'u' => once(&mut rest.uri, text.to_owned()),
            'e' => push(&mut rest.emails, text.to_owned()),
            'p' => push(&mut rest.phones, text.to_owned()),
            'c' => once(&mut rest.connection, connection(text)?),
            'b' => push(&mut rest.bandwidths, bandwidth(text)?),
            't' => push(&mut rest.times, timing(text)?),
            'r' => match rest.times.last_mut() {
                Some(time) => push(&mut time.repeats, text.to_owned()),
                None => fault("r=", "has no t= before it"),
            },
            'z' => once(&mut rest.time_zones, text.to_owned()),
            'k' => once(&mut rest.key, ObsoleteKey(text.to_owned())),
            'a' => push(&mut rest.attributes, attribute(text)?),
            'v' => fault("v=", "is there twice"),
            _ => fault("", "is no type of RFC 8866"),
        }
    }

    fn finish(self) -> Result<SessionDescription, ParseError> {
        let missing = |field: &str| ParseError::new(self.last_line + 1, field, "is missing");
        if !self.has_version {
            return Err(missing("v="));
        }
        let Some(origin) = self.origin else { return Err(missing("o=")) };
        let Some(session_name) = self.session_name else { return Err(missing("s=")) };
        let mut description = SessionDescription { origin, session_name, ..self.rest };
        if description.times.is_empty() {
            description.times.push(Timing { start: 0, stop: 0, repeats: Vec::new() });
        }
        Ok(description)
    }
}

fn media_level(media: &mut Media, letter: char, text: &str) -> Result<(), Fault> {
    match letter {
        'i' => once(&mut media.information, text.to_owned()),
        'c' => push(&mut media.connections, connection(text)?),
        'b' => push(&mut media.bandwidths, bandwidth(text)?),
        'k' => once(&mut media.key, ObsoleteKey(text.to_owned())),
        'a' => {
            let attribute = attribute(text)?;
            if media.kind.eq_ignore_ascii_case("audio") && media.is_rtp() {
                check(&attribute)?;
            }
            push(&mut media.attributes, attribute)
        }
        'v' | 'o' | 's' | 'u' | 'e' | 'p' | 't' | 'r' | 'z' => fault("", "is not allowed below m="),
        _ => fault("", "is no type of RFC 8866"),
    }
}

fn once<T>(slot: &mut Option<T>, value: T) -> Result<(), Fault> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => fault("", "is there twice"),
    }
}

fn push<T>(list: &mut Vec<T>, value: T) -> Result<(), Fault> {
    list.push(value);
    Ok(())
}
