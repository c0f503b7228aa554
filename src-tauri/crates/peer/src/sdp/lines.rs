//! The text's lines, numbered, before they mean anything (RFC 8866).

use super::{LONGEST, SECTIONS};
use crate::PeerError;

pub(super) struct Attribute<'a> {
    pub(super) line: usize,
    pub(super) name: &'a str,
    pub(super) value: &'a str,
}

pub(super) struct Section<'a> {
    pub(super) line: usize,
    pub(super) media: &'a str,
    pub(super) port: u16,
    pub(super) protocol: &'a str,
    pub(super) formats: Vec<&'a str>,
    pub(super) attributes: Vec<Attribute<'a>>,
}

pub(super) struct Lines<'a> {
    pub(super) session: Vec<Attribute<'a>>,
    pub(super) sections: Vec<Section<'a>>,
}

pub(super) fn read(sdp: &str) -> Result<Lines<'_>, PeerError> {
    if sdp.len() > LONGEST {
        let reason = format!("it has {} bytes, at most {LONGEST} are read", sdp.len());
        return Err(PeerError::description(0, "length", reason));
    }
    let mut lines = Lines { session: Vec::new(), sections: Vec::new() };
    for (index, text) in sdp.lines().enumerate() {
        let line = index + 1;
        let text = text.trim_end_matches('\r');
        if text.is_empty() {
            continue;
        }
        let (field, value) = match text.split_once('=') {
            Some((field, value)) if field.len() == 1 => (field, value),
            _ => return Err(PeerError::description(line, shown(text), "it is not of the form x=value")),
        };
        if line == 1 && text != "v=0" {
            return Err(PeerError::description(line, shown(text), "a description begins with v=0"));
        }
        match field {
            "m" => {
                if lines.sections.len() == SECTIONS {
                    let reason = format!("at most {SECTIONS} media sections are read");
                    return Err(PeerError::description(line, "m=", reason));
                }
                lines.sections.push(section(line, value)?);
            }
            "a" => {
                let (name, value) = value.split_once(':').unwrap_or((value, ""));
                let attribute = Attribute { line, name, value: value.trim() };
                match lines.sections.last_mut() {
                    Some(section) => section.attributes.push(attribute),
                    None => lines.session.push(attribute),
                }
            }
            _ => {}
        }
    }
    if lines.sections.is_empty() {
        return Err(PeerError::description(0, "m=", "it has no media section"));
    }
    Ok(lines)
}

fn section(line: usize, value: &str) -> Result<Section<'_>, PeerError> {
    let wrong = |reason: &str| PeerError::description(line, format!("m={}", shown(value)), reason);
    let mut words = value.split_ascii_whitespace();
    let (Some(media), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else {
        return Err(wrong("it lacks a medium, a port or a protocol"));
    };
    let port = port.split('/').next().and_then(|port| port.parse().ok());
    let port = port.ok_or_else(|| wrong("its port is not a number below 65536"))?;
    let formats: Vec<&str> = words.collect();
    if formats.is_empty() {
        return Err(wrong("it lists no format"));
    }
    Ok(Section { line, media, port, protocol, formats, attributes: Vec::new() })
}

/// A piece short enough for a message.
pub(super) fn shown(text: &str) -> String {
    text.chars().filter(|c| !c.is_control()).take(60).collect()
}

impl<'a> Section<'a> {
    pub(super) fn all<'s>(&'s self, name: &'s str) -> impl Iterator<Item = &'s Attribute<'a>> {
        self.attributes.iter().filter(move |attribute| attribute.name == name)
    }

    pub(super) fn first<'s>(&'s self, name: &'s str) -> Option<&'s Attribute<'a>> {
        self.all(name).next()
    }
}
