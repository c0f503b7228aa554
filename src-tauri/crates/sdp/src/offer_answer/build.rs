//! Our own media lines.

use crate::attribute::RtpMap;
use crate::capability::Capability;
use crate::description::{AddressType, Attribute, Connection, Host, Media, OriginField, SessionDescription};
use crate::{Direction, Timing};

use super::{LocalMedia, Origin};

/// A payload type that has had a meaning in this dialog.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) map: RtpMap,
    pub(super) fmtp: Option<String>,
}

impl Bound {
    pub(super) fn of((payload_type, capability): &(u8, Capability)) -> Self {
        let Capability { name, clock_rate, channels, fmtp, .. } = capability.clone();
        Self { map: RtpMap { payload_type: *payload_type, name, clock_rate, channels }, fmtp }
    }
}

pub(super) fn description(local: &LocalMedia, origin: &Origin, media: Vec<Media>) -> SessionDescription {
    let word = |c: char| if c.is_whitespace() || c.is_control() { '-' } else { c };
    let username: String = origin.username.chars().map(word).collect();
    let origin = OriginField {
        username: if username.is_empty() { "-".to_owned() } else { username },
        session_id: origin.session_id.to_string(),
        version: origin.version.to_string(),
        address_type: AddressType::of(local.address),
        host: Host::Ip(local.address),
    };
    SessionDescription {
        origin,
        session_name: "-".to_owned(),
        information: None,
        uri: None,
        emails: Vec::new(),
        phones: Vec::new(),
        connection: Some(Connection::new(local.address)),
        bandwidths: Vec::new(),
        times: vec![Timing { start: 0, stop: 0, repeats: Vec::new() }],
        time_zones: None,
        key: None,
        attributes: Vec::new(),
        media,
    }
}

/// A line of `kind`, "audio" or "video".
pub(super) fn stream(
    kind: &str,
    local: &LocalMedia,
    protocol: &str,
    formats: &[(u8, Capability)],
    direction: Direction,
    rtcp_mux: bool,
    more: Vec<Attribute>,
) -> Media {
    let mut attributes = Vec::new();
    for (payload_type, capability) in formats {
        attributes.push(Attribute::new("rtpmap", format!("{payload_type} {}", capability.encoding())));
        if let Some(parameters) = &capability.fmtp {
            attributes.push(Attribute::new("fmtp", format!("{payload_type} {parameters}")));
        }
    }
    if let Some(ptime) = local.ptime {
        attributes.push(Attribute::new("ptime", ptime.to_string()));
    }
    attributes.push(Attribute::flag(direction.as_str()));
    if let Some(port) = local.rtcp_port.filter(|port| Some(*port) != local.rtp_port.checked_add(1)) {
        attributes.push(Attribute::new("rtcp", port.to_string()));
    }
    if rtcp_mux {
        attributes.push(Attribute::flag("rtcp-mux"));
    }
    attributes.extend(more);
    let formats = formats.iter().map(|(payload_type, _)| payload_type.to_string()).collect();
    Media { attributes, ..line(kind, local.rtp_port, protocol, formats) }
}

/// What ties a line to a bundle that the peer asked for: the line's `a=mid` and the session's `a=group`.
pub(super) fn bundle(description: &mut SessionDescription, index: usize, mid: &str, bundled: bool) {
    name(description, index, mid);
    if bundled {
        description.attributes.push(Attribute::new("group", format!("BUNDLE {mid}")));
    }
}

/// Names a line (RFC 5888).
pub(super) fn name(description: &mut SessionDescription, index: usize, mid: &str) {
    if let Some(media) = description.media.get_mut(index) {
        media.attributes.insert(0, Attribute::new("mid", mid));
    }
}

/// The line that refuses, or keeps closed, a stream (RFC 3264 sections 6 and 8.2).
pub(super) fn closed(media: &Media) -> Media {
    let format = media.formats.first().cloned().unwrap_or_else(|| "0".to_owned());
    line(&media.kind, 0, &media.protocol, vec![format])
}

fn line(kind: &str, port: u16, protocol: &str, formats: Vec<String>) -> Media {
    Media {
        kind: kind.to_owned(),
        port,
        port_count: None,
        protocol: protocol.to_owned(),
        formats,
        information: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    }
}

/// Gives payload types: the number that a format had before in this dialog, else its static one, else a free
/// dynamic one. A number once bound to another format is never given (RFC 3264 section 8.3.2).
/// `others` are the numbers of other lines.
pub(super) fn number(
    capabilities: Vec<Capability>,
    bound: &[Bound],
    others: &[Bound],
) -> Vec<(u8, Capability)> {
    let mut used = [false; 128];
    bound.iter().chain(others).for_each(|bound| mark(&mut used, bound.map.payload_type));
    let mut given = [false; 128];
    let mut list = Vec::new();
    for capability in capabilities {
        let same = |bound: &&Bound| {
            let given = given.get(usize::from(bound.map.payload_type)) == Some(&true);
            !given && capability.matches_format(&bound.map, bound.fmtp.as_deref())
        };
        let before = bound.iter().find(same).map(|bound| bound.map.payload_type);
        let customary = match (capability.name.as_str(), capability.clock_rate) {
            ("telephone-event", 8000) => Some(101),
            _ => None,
        };
        let free = |number: &u8| used.get(usize::from(*number)) == Some(&false);
        // 101 is left to telephone-event; 35 to 63 are the reserve of RFC 3551 for when 96 to 127 are full.
        let dynamic = || (96..=127u8).chain(35..=63).filter(|number| *number != 101).find(free);
        let fixed = capability.static_pt.filter(|number| *number < 96);
        let choice = before.or(fixed).or_else(|| customary.filter(free)).or_else(dynamic);
        if let Some(payload_type) = choice.filter(|number| given.get(usize::from(*number)) == Some(&false)) {
            mark(&mut used, payload_type);
            mark(&mut given, payload_type);
            list.push((payload_type, capability));
        }
    }
    list
}

fn mark(flags: &mut [bool; 128], payload_type: u8) {
    if let Some(flag) = flags.get_mut(usize::from(payload_type)) {
        *flag = true;
    }
}
