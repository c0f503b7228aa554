use crate::capability::Capability;
use crate::description::{Media, SessionDescription};

use super::formats::{Agreement, Format, Role, check_line, ours, remote_direction};
use super::negotiated::{Negotiated, PayloadTypes};
use super::{LocalMedia, Origin, Refusal, build, ice, protection};

/// Answers an offer: the first usable audio line is taken, every other line is refused in its place. The codecs
/// keep the offer's order and payload types (RFC 3264 section 6.1), so the offerer's preference decides.
pub fn answer(
    offer: &SessionDescription,
    local: &LocalMedia,
    origin: &Origin,
) -> Result<(SessionDescription, Negotiated), Refusal> {
    answer_after(None, offer, local, origin)
}

/// `before`: what the dialog agreed on last.
pub(super) fn answer_after(
    before: Option<&Negotiated>,
    offer: &SessionDescription,
    local: &LocalMedia,
    origin: &Origin,
) -> Result<(SessionDescription, Negotiated), Refusal> {
    let mut refusal = None;
    for (index, media) in offer.media.iter().enumerate() {
        if media.port == 0 || !media.kind.eq_ignore_ascii_case("audio") {
            continue;
        }
        match answer_line(before, offer, index, media, local) {
            Ok((line, negotiated)) => {
                let lines = offer.media.iter().enumerate();
                let lines = lines
                    .map(|(place, other)| if place == index { line.clone() } else { build::closed(other) });
                let mut description = build::description(local, origin, lines.collect());
                if let Some(mid) = media.mid() {
                    build::bundle(&mut description, index, mid, offer.is_bundled(mid));
                }
                return Ok((description, negotiated));
            }
            Err(reason) => refusal = refusal.or(Some(reason)),
        }
    }
    Err(refusal.unwrap_or(Refusal::NoAudio))
}

fn answer_line(
    before: Option<&Negotiated>,
    offer: &SessionDescription,
    media_index: usize,
    media: &Media,
    local: &LocalMedia,
) -> Result<(Media, Negotiated), Refusal> {
    let connection = check_line(offer, media)?;
    let formats = common(media, local);
    if !formats.iter().any(|format| format.role == Role::Codec) {
        return Err(Refusal::NoCommonCodec);
    }
    // RFC 5761 section 4: these numbers look like RTCP packet types.
    let distinct = formats.iter().all(|format| !(64..=95).contains(&format.payload_types.send));
    let (mut more, security) =
        protection::answered(offer, media, local, before.map(|before| &before.security))?;
    let has_ice = local.ice.is_some() && offer.ice_credentials_of(media).is_some();
    let wanted = local.rtcp_mux || has_ice || security.role().is_some();
    let rtcp_mux = wanted && media.rtcp_mux() && distinct;
    let ice_before = before.and_then(|before| before.ice.as_ref());
    let ice = ice::answered(offer, media, local.ice.as_ref(), ice_before, rtcp_mux);
    let ice = ice.map(|(attributes, agreed)| {
        more.extend(attributes);
        agreed
    });
    let remote = remote_direction(offer, media, connection);
    let direction = local.direction.and(remote.reversed());
    let said: Vec<(u8, Capability)> =
        formats.iter().map(|format| (format.payload_types.send, format.capability.clone())).collect();
    let line = build::audio(local, &media.protocol, &said, direction, rtcp_mux, more);
    let local_ptime = local.ptime.map(|ptime| ptime as f32);
    let held = !remote.receives();
    let agreement = Agreement {
        remote: offer,
        media_index,
        media,
        connection,
        formats,
        rtcp_mux,
        local_ptime,
        direction,
        held,
        security,
        ice,
    };
    Ok((line, agreement.negotiated()?))
}

/// Our formats that the line has, in the line's order, each once.
fn common(media: &Media, local: &LocalMedia) -> Vec<Format> {
    let mut ours = ours(local);
    let mut found = Vec::new();
    for payload_type in media.payload_types() {
        let Some(map) = media.rtp_map(payload_type) else { continue };
        let Some(place) = ours.iter().position(|(_, capability)| capability.matches(&map)) else { continue };
        let (role, capability) = ours.remove(place);
        found.push(Format {
            role,
            capability,
            payload_types: PayloadTypes { send: payload_type, receive: vec![payload_type] },
            remote_fmtp: media.fmtp(payload_type).map(str::to_owned),
        });
    }
    let rates: Vec<u32> =
        found.iter().filter(|f| f.role == Role::Codec).map(|f| f.capability.clock_rate).collect();
    found.retain(|format| match format.role {
        Role::Codec => true,
        Role::ComfortNoise => rates.contains(&8000),
        Role::Event => format.capability.clock_rate == 8000 || rates.contains(&format.capability.clock_rate),
    });
    found
}
