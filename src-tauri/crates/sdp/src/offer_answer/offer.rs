use crate::attribute::RtpMap;
use crate::description::{Media, SessionDescription};

use super::negotiated::Negotiated;
use super::protection::Said;
use super::{LocalMedia, Origin, Protection, build, formats, ice, protection};

/// A first offer: one audio line with all our codecs.
pub fn offer(local: &LocalMedia, origin: &Origin) -> SessionDescription {
    offer_like(local, origin, &Shape::default(), &[])
}

/// What a later offer has to keep.
#[derive(Debug, Clone, Default)]
pub(super) struct Shape<'a> {
    /// The media lines of the dialog: all closed except the one at `audio`.
    pub(super) lines: &'a [Media],
    pub(super) audio: usize,
    pub(super) agreed: Option<&'a Negotiated>,
    /// `a=mid` of the audio line, and whether it is in a group.
    pub(super) mid: Option<(&'a str, bool)>,
}

pub(super) fn offer_like(
    local: &LocalMedia,
    origin: &Origin,
    shape: &Shape<'_>,
    bound: &[RtpMap],
) -> SessionDescription {
    let capabilities = formats::ours(local).into_iter().map(|(_, capability)| capability).collect();
    let formats = build::number(capabilities, bound);
    let Said { protocol, mut attributes } = match shape.agreed {
        Some(agreed) => {
            let attributes = protection::offered_again(&local.security, &agreed.security);
            Said { attributes, ..Said::default() }
        }
        None => protection::offered(&local.security),
    };
    let ice_before = shape.agreed.and_then(|agreed| agreed.ice.as_ref());
    let mux_agreed = shape.agreed.is_some_and(|agreed| agreed.rtcp_mux);
    let ice = ice::offered(local.ice.as_ref(), ice_before, mux_agreed);
    let is_dtls = match shape.agreed {
        Some(agreed) => agreed.security.role().is_some(),
        None => local.security.offer == Protection::Dtls,
    };
    let rtcp_mux = local.rtcp_mux || mux_agreed || is_dtls || !ice.is_empty();
    attributes.extend(ice);
    let ours = |protocol: &str| {
        build::audio(local, protocol, &formats, local.direction, rtcp_mux, attributes.clone())
    };
    let media = if shape.lines.is_empty() {
        vec![ours(protocol)]
    } else {
        let same = |(index, line): (usize, &Media)| {
            if index == shape.audio { ours(&line.protocol) } else { build::closed(line) }
        };
        shape.lines.iter().enumerate().map(same).collect()
    };
    let mut description = build::description(local, origin, media);
    if let Some((mid, bundled)) = shape.mid {
        build::bundle(&mut description, shape.audio, mid, bundled);
    }
    description
}
