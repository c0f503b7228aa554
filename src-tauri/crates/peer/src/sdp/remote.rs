//! What a far end's description says, checked.

use std::collections::HashSet;

use super::formats::codecs;
use super::lines::{Attribute, Lines, Section, read, shown};
use super::{CANDIDATES, Candidate, Extension, MediaSection};
use crate::{Direction, Kind, PeerError};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Setup {
    Actpass,
    Active,
    Passive,
}

/// How the far end is reached and who it is: of its first section that is not declined.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct RemoteTransport {
    pub(crate) ufrag: String,
    pub(crate) pwd: String,
    /// SHA-256, lower case, with colons.
    pub(crate) fingerprint: String,
    pub(crate) setup: Setup,
    pub(crate) lite: bool,
    pub(crate) candidates: Vec<Candidate>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Remote {
    pub(crate) transport: RemoteTransport,
    pub(crate) sections: Vec<MediaSection>,
}

impl Remote {
    /// # Errors
    /// [`PeerError::Description`] with the line.
    pub(crate) fn parse(sdp: &str) -> Result<Self, PeerError> {
        let lines = read(sdp)?;
        let mut mids = HashSet::new();
        let mut sections = Vec::with_capacity(lines.sections.len());
        for section in &lines.sections {
            let section = remote_section(&lines, section)?;
            if !mids.insert(section.mid.clone()) {
                let field = format!("a=mid:{}", section.mid);
                return Err(PeerError::description(section.line, field, "two sections have this mid"));
            }
            sections.push(section);
        }
        bundle(&lines, &mut sections)?;
        let first = sections.iter().position(|section| !section.declined && section.kind.is_some());
        let Some(first) = first.and_then(|first| lines.sections.get(first)) else {
            return Err(PeerError::NoCommonCodecs);
        };
        Ok(Self { transport: transport(&lines, first)?, sections })
    }
}

/// Everything goes over the transport of the first section: what is not in its group cannot be had.
fn bundle(lines: &Lines<'_>, sections: &mut [MediaSection]) -> Result<(), PeerError> {
    let active = sections.iter().filter(|section| !section.declined).count();
    let group = lines.session.iter().find_map(|attribute| {
        let mut words = attribute.value.split_ascii_whitespace();
        (attribute.name == "group" && words.next() == Some("BUNDLE")).then(|| words.collect::<Vec<_>>())
    });
    let Some(group) = group else {
        if active > 1 {
            let reason = "several media sections need a=group:BUNDLE, for there is one transport";
            return Err(PeerError::description(0, "a=group", reason));
        }
        return Ok(());
    };
    for section in sections {
        section.declined |= !group.contains(&section.mid.as_str());
    }
    Ok(())
}

fn transport(lines: &Lines<'_>, section: &Section<'_>) -> Result<RemoteTransport, PeerError> {
    let find = |name| section.first(name).or_else(|| lines.session.iter().find(|a| a.name == name));
    let needed = |name: &'static str| {
        find(name).ok_or_else(|| PeerError::description(section.line, format!("a={name}"), "it is missing"))
    };
    let secret = |name, least: usize| {
        let attribute = needed(name)?;
        let fits = |c: char| c.is_ascii_alphanumeric() || "+/-_=#".contains(c);
        if !(least..=256).contains(&attribute.value.len()) || !attribute.value.chars().all(fits) {
            let reason = format!("it must be {least} to 256 letters, digits, + and /");
            return Err(PeerError::description(attribute.line, format!("a={name}"), reason));
        }
        Ok(attribute.value.to_owned())
    };
    let setup = match find("setup") {
        None => Setup::Actpass,
        Some(attribute) => match attribute.value {
            "actpass" => Setup::Actpass,
            "active" => Setup::Active,
            "passive" => Setup::Passive,
            other => {
                let field = format!("a=setup:{}", shown(other));
                return Err(PeerError::description(attribute.line, field, "it is no known role"));
            }
        },
    };
    let own = section.attributes.iter().any(|attribute| attribute.name == "fingerprint");
    let place = if own { &section.attributes } else { &lines.session };
    let mut candidates = Vec::new();
    for attribute in section.all("candidate").take(CANDIDATES) {
        // A malformed one costs nothing but itself.
        candidates.extend(Candidate::parse(attribute.value).ok().flatten());
    }
    Ok(RemoteTransport {
        ufrag: secret("ice-ufrag", 4)?,
        pwd: secret("ice-pwd", 22)?,
        fingerprint: fingerprint(section.line, place)?,
        setup,
        lite: lines.session.iter().any(|attribute| attribute.name == "ice-lite"),
        candidates,
    })
}

fn fingerprint(line: usize, attributes: &[Attribute<'_>]) -> Result<String, PeerError> {
    let mut seen = None;
    for attribute in attributes.iter().filter(|attribute| attribute.name == "fingerprint") {
        let (hash, value) = attribute.value.split_once(' ').unwrap_or((attribute.value, ""));
        seen = Some(attribute.line);
        if !hash.eq_ignore_ascii_case("sha-256") {
            continue;
        }
        let value = value.trim().to_ascii_lowercase();
        let is_byte = |byte: &str| byte.len() == 2 && byte.chars().all(|c| c.is_ascii_hexdigit());
        if value.split(':').count() != 32 || !value.split(':').all(is_byte) {
            let reason = "a SHA-256 is 32 bytes in hexadecimal, with colons between them";
            return Err(PeerError::description(attribute.line, "a=fingerprint", reason));
        }
        return Ok(value);
    }
    Err(match seen {
        Some(line) => PeerError::description(line, "a=fingerprint", "only sha-256 is understood"),
        None => PeerError::description(line, "a=fingerprint", "it is missing"),
    })
}

fn remote_section(lines: &Lines<'_>, section: &Section<'_>) -> Result<MediaSection, PeerError> {
    let kind = match section.media {
        "audio" => Some(Kind::Audio),
        "video" => Some(Kind::Video),
        _ => None,
    };
    let savpf = ["UDP/TLS/RTP/SAVPF", "TCP/TLS/RTP/SAVPF", "RTP/SAVPF", "UDP/TLS/RTP/SAVP"];
    let kind = kind.filter(|_| savpf.contains(&section.protocol));
    let bundle_only = section.first("bundle-only").is_some();
    let declined = section.port == 0 && !bundle_only;
    let mid = match section.first("mid") {
        Some(attribute) => {
            let fits = |c: char| c.is_ascii_graphic();
            if attribute.value.is_empty() || attribute.value.len() > 64 || !attribute.value.chars().all(fits)
            {
                return Err(PeerError::description(attribute.line, "a=mid", "it must be 1 to 64 characters"));
            }
            attribute.value.to_owned()
        }
        None => return Err(PeerError::description(section.line, "a=mid", "the section has none")),
    };
    if !declined && kind.is_some() && section.first("rtcp-mux").is_none() {
        let reason = "the section has none, and RTCP has no port of its own";
        return Err(PeerError::description(section.line, "a=rtcp-mux", reason));
    }
    let direction = direction(lines, section);
    let (sends, receives) = layers(section);
    Ok(MediaSection {
        line: section.line,
        media: section.media.chars().take(32).collect(),
        protocol: section.protocol.chars().take(32).collect(),
        format: section.formats.first().map(|format| format.chars().take(32).collect()).unwrap_or_default(),
        kind,
        mid,
        declined,
        direction,
        codecs: if kind.is_some() { codecs(section, kind)? } else { Vec::new() },
        extensions: extensions(section)?,
        sends,
        receives,
        flows: flows(section),
        reduced_size: section.first("rtcp-rsize").is_some(),
    })
}

fn direction(lines: &Lines<'_>, section: &Section<'_>) -> Direction {
    let named = |attribute: &Attribute<'_>| match attribute.name {
        "sendrecv" => Some(Direction::Both),
        "sendonly" => Some(Direction::Send),
        "recvonly" => Some(Direction::Receive),
        "inactive" => Some(Direction::Inactive),
        _ => None,
    };
    let own = section.attributes.iter().find_map(named);
    own.or_else(|| lines.session.iter().find_map(named)).unwrap_or(Direction::Both)
}

/// Simulcast (RFC 8853): the first alternative of each layer.
fn layers(section: &Section<'_>) -> (Vec<String>, Vec<String>) {
    let (mut sends, mut receives) = (Vec::new(), Vec::new());
    let Some(simulcast) = section.first("simulcast") else { return (sends, receives) };
    let mut words = simulcast.value.split_ascii_whitespace();
    while let (Some(direction), Some(list)) = (words.next(), words.next()) {
        let rids = list.split(';').filter_map(|layer| layer.split(',').next());
        let rids = rids.map(|rid| rid.trim_start_matches('~')).filter(|rid| {
            let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
            !rid.is_empty() && rid.len() <= 16 && rid.chars().all(plain)
        });
        let rids = rids.take(8).map(str::to_owned);
        match direction {
            "send" => sends = rids.collect(),
            "recv" => receives = rids.collect(),
            _ => break,
        }
    }
    (sends, receives)
}

fn extensions(section: &Section<'_>) -> Result<Vec<(u8, Extension)>, PeerError> {
    let mut found: Vec<(u8, Extension)> = Vec::new();
    for attribute in section.all("extmap") {
        let mut words = attribute.value.split_ascii_whitespace();
        let (Some(id), Some(uri)) = (words.next(), words.next()) else {
            return Err(PeerError::description(attribute.line, "a=extmap", "it lacks an id or a URI"));
        };
        let id = id.split('/').next().and_then(|id| id.parse::<u16>().ok());
        let id = id.filter(|id| (1..=255).contains(id) || (4096..=4351).contains(id));
        let id = id.ok_or_else(|| {
            PeerError::description(attribute.line, "a=extmap", "its id is not a number of 1 to 255")
        })?;
        // One-byte headers carry ids up to 14; the others are not answered.
        let (Some(extension), Ok(id @ 1..=14)) = (Extension::of_uri(uri), u8::try_from(id)) else { continue };
        if !found.iter().any(|(other, known)| *other == id || *known == extension) {
            found.push((id, extension));
        }
    }
    Ok(found)
}

fn flows(section: &Section<'_>) -> Vec<(u32, Option<u32>)> {
    let mut repairs: Vec<(u32, u32)> = Vec::new();
    for attribute in section.all("ssrc-group").take(16) {
        let numbers: Vec<u32> = attribute
            .value
            .split_ascii_whitespace()
            .skip(1)
            .filter_map(|n| n.parse().ok())
            .take(16)
            .collect();
        if let (true, [primary, repair]) = (attribute.value.starts_with("FID "), &numbers[..]) {
            repairs.push((*primary, *repair));
        }
    }
    let mut flows: Vec<(u32, Option<u32>)> = Vec::new();
    for attribute in section.all("ssrc") {
        let ssrc = attribute.value.split_ascii_whitespace().next().and_then(|ssrc| ssrc.parse().ok());
        let Some(ssrc) = ssrc else { continue };
        let known = flows.iter().any(|(flow, _)| *flow == ssrc);
        let repairs_other = repairs.iter().any(|(_, repair)| *repair == ssrc);
        if !known && !repairs_other && flows.len() < 16 {
            let repair = repairs.iter().find(|(primary, _)| *primary == ssrc);
            flows.push((ssrc, repair.map(|(_, repair)| *repair)));
        }
    }
    flows
}
