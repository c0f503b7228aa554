use crate::capability::Capability;
use crate::description::{Media, SessionDescription};

use super::formats::{Agreement, Format, Role, check_line, ours, remote_direction};
use super::negotiated::{Negotiated, PayloadTypes};
use super::{LocalMedia, LocalVideo, Origin, Refusal, VideoOutcome, build, ice, protection, video};

/// Answers an offer: the first usable audio line is taken, every other line is refused in its place. The codecs
/// keep the offer's order and payload types (RFC 3264 section 6.1), so the offerer's preference decides.
pub fn answer(
    offer: &SessionDescription,
    local: &LocalMedia,
    origin: &Origin,
) -> Result<(SessionDescription, Negotiated), Refusal> {
    let (description, negotiated, _) = answer_after(Before::default(), offer, local, None, origin)?;
    Ok((description, negotiated))
}

/// What the dialog agreed on last.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Before<'a> {
    pub(super) audio: Option<&'a Negotiated>,
    pub(super) video: Option<&'a Negotiated>,
}

pub(super) fn answer_after(
    before: Before<'_>,
    offer: &SessionDescription,
    local: &LocalMedia,
    local_video: Option<&LocalVideo>,
    origin: &Origin,
) -> Result<(SessionDescription, Negotiated, VideoOutcome), Refusal> {
    let mut refusal = None;
    for (index, media) in offer.media.iter().enumerate() {
        if media.port == 0 || !media.kind.eq_ignore_ascii_case("audio") {
            continue;
        }
        match answer_line(before.audio, offer, index, media, local) {
            Ok((line, negotiated)) => {
                let mut lines: Vec<Media> = offer.media.iter().map(build::closed).collect();
                place(&mut lines, index, line);
                let (video_line, mut outcome) = video::answer(before.video, offer, local_video);
                video::take_role(&mut outcome, &negotiated);
                let video = video_line.map(|(index, line)| {
                    place(&mut lines, index, line);
                    index
                });
                let mut description = build::description(local, origin, lines);
                if let Some(mid) = media.mid() {
                    build::bundle(&mut description, index, mid, offer.is_bundled(mid));
                }
                let video_media = video.and_then(|video| Some((video, offer.media.get(video)?.mid()?)));
                if let Some((video, mid)) = video_media {
                    build::name(&mut description, video, mid);
                }
                return Ok((description, negotiated, outcome));
            }
            Err(reason) => refusal = refusal.or(Some(reason)),
        }
    }
    Err(refusal.unwrap_or(Refusal::NoAudio))
}

fn place(lines: &mut [Media], index: usize, line: Media) {
    if let Some(slot) = lines.get_mut(index) {
        *slot = line;
    }
}

/// The answer to one line, of audio or of video.
pub(super) fn answer_line(
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
    let feedback = video::answered_feedback(media, &formats, &mut more);
    let line = build::stream(
        &media.kind.to_ascii_lowercase(),
        local,
        &media.protocol,
        &said,
        direction,
        rtcp_mux,
        more,
    );
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
        feedback,
    };
    Ok((line, agreement.negotiated()?))
}

/// Our formats that the line has, in the line's order, each once.
fn common(media: &Media, local: &LocalMedia) -> Vec<Format> {
    let mut ours = ours(local);
    let mut found = Vec::new();
    for payload_type in media.payload_types() {
        let Some(map) = media.rtp_map(payload_type) else { continue };
        let fmtp = media.fmtp(payload_type);
        let same = |(_, capability): &(Role, Capability)| capability.matches_format(&map, fmtp);
        let Some(place) = ours.iter().position(same) else { continue };
        let (role, capability) = ours.remove(place);
        found.push(Format {
            role,
            capability: capability.answering(fmtp),
            payload_types: PayloadTypes { send: payload_type, receive: vec![payload_type] },
            remote_fmtp: fmtp.map(str::to_owned),
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
