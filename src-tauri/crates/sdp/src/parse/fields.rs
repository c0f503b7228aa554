//! The values of single lines.

use std::net::IpAddr;
use std::str::FromStr;

use crate::description::{AddressType, Attribute, Bandwidth, Connection, Host, Media, OriginField, Timing};
use crate::error::{Fault, fault};

pub(super) fn origin(text: &str) -> Result<OriginField, Fault> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let Some((username, [session_id, version, network, kind, host])) = words.split_last_chunk::<5>() else {
        return fault("o=", "does not have six parts");
    };
    if username.is_empty() {
        return fault("o=", "does not have six parts");
    }
    let digits = |text: &str| text.len() <= 64 && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(session_id) {
        return fault("o= session id", "is not a number");
    }
    if !digits(version) {
        return fault("o= version", "is not a number");
    }
    let (address_type, host) = address("o= address", network, kind, host)?;
    Ok(OriginField {
        username: username.join(" "),
        session_id: (*session_id).to_owned(),
        version: (*version).to_owned(),
        address_type,
        host,
    })
}

pub(super) fn connection(text: &str) -> Result<Connection, Fault> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [network, kind, host] = words[..] else {
        return fault("c=", "is not nettype, addrtype and address");
    };
    let mut parts = host.split('/');
    let (address_type, host) = address("c= address", network, kind, parts.next().unwrap_or_default())?;
    let numbers: Vec<&str> = parts.collect();
    let (ttl, count) = match (address_type, &numbers[..]) {
        (_, []) => (None, None),
        (AddressType::Ip4, [ttl]) => (Some(*ttl), None),
        (AddressType::Ip4, [ttl, count]) => (Some(*ttl), Some(*count)),
        (AddressType::Ip6, [count]) => (None, Some(*count)),
        _ => return fault("c= address", "has too many parts"),
    };
    let Some(ttl) = ttl.map(number).map_or(Some(None), |n| n.map(Some)) else {
        return fault("c= ttl", "is not a number from 0 to 255");
    };
    let Some(count) = count.map(number).map_or(Some(None), |n| n.map(Some)) else {
        return fault("c= number of addresses", "is not a number");
    };
    Ok(Connection { address_type, host, ttl, count })
}

pub(crate) fn address(
    field: &'static str,
    network: &str,
    kind: &str,
    host: &str,
) -> Result<(AddressType, Host), Fault> {
    if !network.eq_ignore_ascii_case("IN") {
        return fault(field, "has a network type other than IN");
    }
    let address_type = match kind {
        _ if kind.eq_ignore_ascii_case("IP4") => AddressType::Ip4,
        _ if kind.eq_ignore_ascii_case("IP6") => AddressType::Ip6,
        _ => return fault(field, "has an address type other than IP4 and IP6"),
    };
    if let Ok(address) = host.parse::<IpAddr>() {
        return Ok((address_type, Host::Ip(address)));
    }
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let numeric = host.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    if host.is_empty() || host.len() > 253 || numeric || !host.bytes().all(legal) {
        return fault(field, "is neither an address nor a host name");
    }
    Ok((address_type, Host::Name(host.to_owned())))
}

pub(super) fn bandwidth(text: &str) -> Result<Bandwidth, Fault> {
    let Some((kind, value)) = text.trim().split_once(':') else {
        return fault("b=", "is not a type, a colon and a number");
    };
    if kind.is_empty() || kind.contains(char::is_whitespace) {
        return fault("b= type", "is not a word");
    }
    match number(value) {
        Some(value) => Ok(Bandwidth { kind: kind.to_owned(), value }),
        None => fault("b= value", "is not a number"),
    }
}

pub(super) fn timing(text: &str) -> Result<Timing, Fault> {
    let words: Vec<&str> = text.split_ascii_whitespace().collect();
    let [start, stop] = words[..] else {
        return fault("t=", "is not two numbers");
    };
    match (number(start), number(stop)) {
        (Some(start), Some(stop)) => Ok(Timing { start, stop, repeats: Vec::new() }),
        (None, _) => fault("t= start", "is not a number"),
        (_, None) => fault("t= stop", "is not a number"),
    }
}

pub(super) fn attribute(text: &str) -> Result<Attribute, Fault> {
    let (name, value) = match text.split_once(':') {
        Some((name, value)) => (name, Some(value.to_owned())),
        None => (text.trim_end(), None),
    };
    if name.is_empty() {
        return fault("a=", "has no name");
    }
    Ok(Attribute { name: name.to_owned(), value })
}

pub(super) fn media(text: &str) -> Result<Media, Fault> {
    let mut words = text.split_ascii_whitespace();
    let (Some(kind), Some(port), Some(protocol)) = (words.next(), words.next(), words.next()) else {
        return fault("m=", "does not have four parts");
    };
    let (port, count) = match port.split_once('/') {
        Some((port, count)) => (port, Some(count)),
        None => (port, None),
    };
    let Some(port) = number(port) else {
        return fault("m= port", "is not a number from 0 to 65535");
    };
    let port_count = match count.map(number) {
        None => None,
        Some(Some(count)) if count > 0 => Some(count),
        Some(_) => return fault("m= number of ports", "is not a number from 1 to 65535"),
    };
    let mut formats: Vec<String> = words.map(str::to_owned).collect();
    match port {
        _ if !formats.is_empty() => {}
        0 => formats.push("0".to_owned()),
        _ => return fault("m= format", "is missing"),
    }
    let media = Media {
        kind: kind.to_owned(),
        port,
        port_count,
        protocol: protocol.to_owned(),
        formats,
        information: None,
        connections: Vec::new(),
        bandwidths: Vec::new(),
        key: None,
        attributes: Vec::new(),
    };
    let legal = |format: &String| number::<u8>(format).is_some_and(|format| format < 128);
    let audio = port != 0 && media.kind.eq_ignore_ascii_case("audio") && media.is_rtp();
    if audio && !media.formats.iter().all(legal) {
        return fault("m= format", "is not a payload type from 0 to 127");
    }
    Ok(media)
}

/// Digits only: `str::parse` would take a sign.
pub(crate) fn number<T: FromStr>(text: &str) -> Option<T> {
    text.bytes().all(|byte| byte.is_ascii_digit()).then(|| text.parse().ok())?
}

impl Media {
    /// RTP over UDP in one of its profiles (RTP/AVP, RTP/AVPF, RTP/SAVP, …).
    pub fn is_rtp(&self) -> bool {
        let protocol = self.protocol.to_ascii_uppercase();
        protocol.starts_with("RTP/") || protocol.starts_with("UDP/TLS/RTP/")
    }
}
