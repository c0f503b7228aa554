use super::offer::fits;
use super::{MediaSection, Remote};
use crate::{Codec, CodecParameters, Direction, Feedback, Kind, Media, PeerError};

/// One answering section to each offered one. What was offered keeps its payload types and identifiers.
///
/// # Errors
/// [`PeerError::NoCommonCodecs`] where every section is declined.
pub(crate) fn answer(
    remote: &Remote,
    wanted: &[Media],
    known: &[Codec],
) -> Result<Vec<MediaSection>, PeerError> {
    let mut open: Vec<&Media> = wanted.iter().collect();
    let mut sections = Vec::with_capacity(remote.sections.len());
    for offered in &remote.sections {
        let place = open.iter().position(|media| {
            Some(media.kind) == offered.kind
                && ours(offered.direction, media.direction) != Direction::Inactive
                && !offered.declined
                && !common(offered, media, known).is_empty()
        });
        let media = place.map(|place| open.remove(place));
        sections.push(match media {
            Some(media) => accepted(offered, media, known),
            None => declined(offered),
        });
    }
    if sections.iter().all(|section| section.declined) {
        return Err(PeerError::NoCommonCodecs);
    }
    Ok(sections)
}

/// What of an offered direction we do.
fn ours(theirs: Direction, wanted: Direction) -> Direction {
    Direction::of(theirs.receives() && wanted.sends(), theirs.sends() && wanted.receives())
}

fn common(offered: &MediaSection, media: &Media, known: &[Codec]) -> Vec<CodecParameters> {
    let is_wanted =
        |codec: Codec| known.contains(&codec) && (media.codecs.is_empty() || media.codecs.contains(&codec));
    let mut common: Vec<CodecParameters> =
        offered.codecs.iter().filter(|offered| is_wanted(offered.codec)).cloned().collect();
    // Stable: what we are indifferent to stays in the order of the offer.
    common.sort_by_key(|codec| media.codecs.iter().position(|wanted| *wanted == codec.codec));
    for codec in &mut common {
        codec.feedback = restricted(codec.feedback, offered.kind);
        if codec.codec == Codec::Opus {
            codec.fmtp = "minptime=10;useinbandfec=1".to_owned();
        }
    }
    common
}

fn restricted(offered: Feedback, kind: Option<Kind>) -> Feedback {
    let is_video = kind == Some(Kind::Video);
    Feedback {
        nack: offered.nack,
        pli: offered.pli && is_video,
        fir: offered.fir && is_video,
        transport_cc: offered.transport_cc,
        remb: offered.remb && is_video,
    }
}

fn accepted(offered: &MediaSection, media: &Media, known: &[Codec]) -> MediaSection {
    let direction = ours(offered.direction, media.direction);
    let layers: Vec<String> =
        media.layers.iter().filter(|layer| offered.receives.contains(layer)).cloned().collect();
    MediaSection {
        codecs: common(offered, media, known),
        direction,
        declined: false,
        extensions: offered
            .extensions
            .iter()
            .copied()
            .filter(|(_, extension)| fits(*extension, media.kind))
            .collect(),
        sends: if direction.sends() { layers } else { Vec::new() },
        receives: if direction.receives() { offered.sends.clone() } else { Vec::new() },
        reduced_size: offered.reduced_size,
        ..declined(offered)
    }
}

fn declined(offered: &MediaSection) -> MediaSection {
    MediaSection {
        line: 0,
        media: offered.media.clone(),
        protocol: offered.protocol.clone(),
        format: offered.format.clone(),
        kind: offered.kind,
        mid: offered.mid.clone(),
        declined: true,
        direction: Direction::Inactive,
        codecs: Vec::new(),
        extensions: Vec::new(),
        sends: Vec::new(),
        receives: Vec::new(),
        flows: Vec::new(),
        reduced_size: false,
    }
}

/// What our offer has become by the answer to it.
///
/// # Errors
/// [`PeerError::Description`] where the answer says what was not offered, [`PeerError::NoCommonCodecs`] where it
/// declines everything.
pub(crate) fn agree(offered: &[MediaSection], answer: &Remote) -> Result<Vec<MediaSection>, PeerError> {
    if offered.len() != answer.sections.len() {
        let (theirs, ours) = (answer.sections.len(), offered.len());
        let reason = format!("the answer has {theirs} sections, the offer {ours}");
        return Err(PeerError::description(0, "m=", reason));
    }
    let mut agreed = Vec::with_capacity(offered.len());
    for (ours, theirs) in offered.iter().zip(&answer.sections) {
        agreed.push(agree_section(ours, theirs)?);
    }
    if agreed.iter().all(|section| section.declined) {
        return Err(PeerError::NoCommonCodecs);
    }
    Ok(agreed)
}

fn agree_section(offered: &MediaSection, answer: &MediaSection) -> Result<MediaSection, PeerError> {
    let wrong = |field: &str, reason: &str| Err(PeerError::description(answer.line, field, reason));
    if answer.media != offered.media {
        return wrong("m=", "it answers a section of another medium");
    }
    if answer.mid != offered.mid {
        return wrong("a=mid", "it is not that of the offered section");
    }
    let mut agreed = offered.clone();
    if answer.declined || offered.declined {
        agreed.declined = true;
        return Ok(agreed);
    }
    agreed.codecs.clear();
    for codec in &answer.codecs {
        let known = offered
            .codecs
            .iter()
            .find(|offered| offered.payload_type == codec.payload_type && offered.codec == codec.codec);
        let Some(known) = known else {
            return wrong(&format!("a=rtpmap:{}", codec.payload_type), "it was not offered");
        };
        agreed.codecs.push(CodecParameters {
            rtx: known.rtx.filter(|rtx| codec.rtx == Some(*rtx)),
            feedback: restricted(codec.feedback, offered.kind),
            // What the far end says of a codec is about what it wants to get.
            ..codec.clone()
        });
    }
    if agreed.codecs.is_empty() {
        agreed.declined = true;
        return Ok(agreed);
    }
    agreed.direction = ours(answer.direction, offered.direction);
    agreed.extensions.retain(|extension| answer.extensions.contains(extension));
    agreed.sends.retain(|layer| answer.receives.contains(layer));
    agreed.receives.clone_from(&answer.sends);
    agreed.reduced_size = answer.reduced_size;
    Ok(agreed)
}
