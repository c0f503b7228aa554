use crate::attribute::RtpMap;
use crate::description::{Media, SessionDescription};

use super::{LocalMedia, Origin, build, formats};

/// A first offer: one audio line with all our codecs.
pub fn offer(local: &LocalMedia, origin: &Origin) -> SessionDescription {
    offer_like(local, origin, &[], 0, &[])
}

/// An offer that keeps the media lines of the dialog: all closed except the audio line at `audio`.
pub(super) fn offer_like(
    local: &LocalMedia,
    origin: &Origin,
    lines: &[Media],
    audio: usize,
    bound: &[RtpMap],
) -> SessionDescription {
    let capabilities = formats::ours(local).into_iter().map(|(_, capability)| capability).collect();
    let formats = build::number(capabilities, bound);
    let ours = |protocol: &str| build::audio(local, protocol, &formats, local.direction, local.rtcp_mux);
    let media = if lines.is_empty() {
        vec![ours("RTP/AVP")]
    } else {
        let same = |(index, line): (usize, &Media)| {
            if index == audio { ours(&line.protocol) } else { build::closed(line) }
        };
        lines.iter().enumerate().map(same).collect()
    };
    build::description(local, origin, media)
}
