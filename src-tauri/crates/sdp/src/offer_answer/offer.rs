use crate::capability::Capability;
use crate::description::{Attribute, Media, SessionDescription};

use super::build::{Bound, closed};
use super::negotiated::Negotiated;
use super::protection::Said;
use super::{LocalMedia, LocalVideo, Origin, Protection, build, formats, ice, protection, video};

/// A first offer: one audio line with all our codecs.
pub fn offer(local: &LocalMedia, origin: &Origin) -> SessionDescription {
    offer_like(local, None, origin, &Shape::default())
}

/// What a later offer has to keep.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape<'a> {
    /// The media lines of the dialog: all closed except those at `audio` and `video`.
    pub(super) lines: &'a [Media],
    pub(super) audio: usize,
    pub(super) agreed: Option<&'a Negotiated>,
    /// `a=mid` of the audio line, and whether it is in a group.
    pub(super) mid: Option<(&'a str, bool)>,
    pub(super) bound: &'a [Bound],
    pub(super) video: Option<usize>,
    pub(super) agreed_video: Option<&'a Negotiated>,
    pub(super) video_mid: Option<&'a str>,
    pub(super) bound_video: &'a [Bound],
}

pub(super) fn offer_like(
    local: &LocalMedia,
    local_video: Option<&LocalVideo>,
    origin: &Origin,
    shape: &Shape<'_>,
) -> SessionDescription {
    let capabilities = formats::ours(local).into_iter().map(|(_, capability)| capability).collect();
    let formats = build::number(capabilities, shape.bound, &[]);
    let audio = |before: Option<&Media>| line("audio", local, &formats, shape.agreed, before, Vec::new());
    let mut media: Vec<Media> = shape.lines.iter().map(closed).collect();
    match media.get_mut(shape.audio) {
        Some(slot) => *slot = audio(shape.lines.get(shape.audio)),
        None => media.push(audio(None)),
    }
    let video_index = local_video.map(|local| video::offer_line(local, shape, &formats, &mut media));
    let mut description = build::description(local, origin, media);
    if let Some((mid, bundled)) = shape.mid {
        build::bundle(&mut description, shape.audio, mid, bundled);
        if let Some(index) = video_index {
            let taken = if mid == video::MID { "video2" } else { video::MID };
            build::name(&mut description, index, shape.video_mid.unwrap_or(taken));
        }
    }
    description
}

/// One line of ours; `before` is what stands in its place, `more` comes after its other attributes.
pub(super) fn line(
    kind: &str,
    local: &LocalMedia,
    formats: &[(u8, Capability)],
    agreed: Option<&Negotiated>,
    before: Option<&Media>,
    more: Vec<Attribute>,
) -> Media {
    let Said { protocol, mut attributes } = match agreed {
        Some(agreed) => {
            let attributes = protection::offered_again(&local.security, &agreed.security);
            Said { attributes, ..Said::default() }
        }
        None => protection::offered(&local.security),
    };
    let ice_before = agreed.and_then(|agreed| agreed.ice.as_ref());
    let mux_agreed = agreed.is_some_and(|agreed| agreed.rtcp_mux);
    let ice = ice::offered(local.ice.as_ref(), ice_before, mux_agreed);
    let is_dtls = match agreed {
        Some(agreed) => agreed.security.role().is_some(),
        None => local.security.offer == Protection::Dtls,
    };
    let rtcp_mux = local.rtcp_mux || mux_agreed || is_dtls || !ice.is_empty();
    attributes.extend(ice);
    attributes.extend(more);
    let protocol = match (agreed, before) {
        (Some(_), Some(before)) => before.protocol.as_str(),
        _ => protocol,
    };
    build::stream(kind, local, protocol, formats, local.direction, rtcp_mux, attributes)
}
