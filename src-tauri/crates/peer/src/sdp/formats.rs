//! The codecs of a media section.

use super::lines::{Attribute, Section, shown};
use crate::{Codec, CodecParameters, Feedback, Kind, PeerError};

pub(super) fn codecs(section: &Section<'_>, kind: Option<Kind>) -> Result<Vec<CodecParameters>, PeerError> {
    let mut numbers: Vec<u8> = Vec::new();
    for format in &section.formats {
        let number = format.parse::<u8>().ok().filter(|number| *number < 128);
        let number = number.ok_or_else(|| {
            let reason = format!("{:?} is no payload type", shown(format));
            PeerError::description(section.line, "m=", reason)
        })?;
        if !numbers.contains(&number) {
            numbers.push(number);
        }
    }
    // The number an attribute is about, and the rest of it.
    let about = |attribute: &Attribute<'_>, number: u8| {
        let (about, rest) = attribute.value.split_once(' ')?;
        (about.parse() == Ok(number)).then(|| rest.trim().to_owned())
    };
    let map = |number: u8| {
        let stated = section.all("rtpmap").find_map(|attribute| about(attribute, number));
        stated.or(match number {
            0 => Some("PCMU/8000".to_owned()),
            8 => Some("PCMA/8000".to_owned()),
            _ => None,
        })
    };
    let fmtp =
        |number: u8| section.all("fmtp").find_map(|attribute| about(attribute, number)).unwrap_or_default();
    let rtx = |primary: u8| {
        numbers.iter().copied().find(|number| {
            let is_rtx = map(*number).is_some_and(|map| map.to_ascii_lowercase().starts_with("rtx/"));
            is_rtx && parameter(&fmtp(*number), "apt").and_then(|apt| apt.parse().ok()) == Some(primary)
        })
    };
    let mut codecs = Vec::new();
    for number in &numbers {
        let Some(map) = map(*number) else { continue };
        let mut parts = map.split('/');
        let codec = parts.next().and_then(Codec::named).filter(|codec| Some(codec.kind()) == kind);
        let Some(codec) = codec else { continue };
        if parts.next().and_then(|rate| rate.trim().parse().ok()) != Some(codec.clock_rate()) {
            continue;
        }
        let fmtp = fmtp(*number);
        if codec == Codec::H264 && parameter(&fmtp, "packetization-mode") != Some("1") {
            continue;
        }
        codecs.push(CodecParameters {
            codec,
            payload_type: *number,
            rtx: rtx(*number),
            feedback: feedback(section, *number),
            fmtp,
        });
    }
    Ok(codecs)
}

/// One of the `name=value` of a fmtp line.
fn parameter<'a>(fmtp: &'a str, name: &str) -> Option<&'a str> {
    fmtp.split(';').find_map(|pair| {
        let (key, value) = pair.split_once('=')?;
        key.trim().eq_ignore_ascii_case(name).then(|| value.trim())
    })
}

fn feedback(section: &Section<'_>, number: u8) -> Feedback {
    let mut feedback = Feedback::default();
    for attribute in section.all("rtcp-fb") {
        let (about, rest) = attribute.value.split_once(' ').unwrap_or(("", ""));
        if about != "*" && about.parse() != Ok(number) {
            continue;
        }
        match rest.trim() {
            "nack" => feedback.nack = true,
            "nack pli" => feedback.pli = true,
            "ccm fir" => feedback.fir = true,
            "transport-cc" => feedback.transport_cc = true,
            "goog-remb" => feedback.remb = true,
            _ => {}
        }
    }
    feedback
}
