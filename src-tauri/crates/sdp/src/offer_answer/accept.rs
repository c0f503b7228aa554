use crate::attribute::RtpMap;
use crate::capability::Capability;
use crate::description::{Media, SessionDescription};

use super::answer::Before;
use super::formats::{Agreement, Format, Role, check_line, remote_direction};
use super::negotiated::{Negotiated, PayloadTypes};
use super::{Refusal, VideoOutcome, ice, protection, video};

/// Takes the answer to our offer. May be called again for the answer of another fork.
pub fn accept(our_offer: &SessionDescription, answer: &SessionDescription) -> Result<Negotiated, Refusal> {
    accept_after(Before::default(), our_offer, answer).map(|(negotiated, _)| negotiated)
}

pub(super) fn accept_after(
    before: Before<'_>,
    our_offer: &SessionDescription,
    answer: &SessionDescription,
) -> Result<(Negotiated, VideoOutcome), Refusal> {
    let (offered, answered) = (our_offer.media.len(), answer.media.len());
    if offered != answered {
        return Err(Refusal::MediaLineCount { offered, answered });
    }
    let is_ours = |media: &Media| media.port != 0 && media.kind.eq_ignore_ascii_case("audio");
    let (media_index, ours) =
        our_offer.media.iter().enumerate().find(|(_, media)| is_ours(media)).ok_or(Refusal::NoOffer)?;
    let media = answer.media.get(media_index).ok_or(Refusal::NoAudio)?;
    let negotiated = accept_line(before.audio, our_offer, answer, media_index, ours, media)?;
    let mut video = video::accepted(before.video, our_offer, answer);
    video::take_role(&mut video, &negotiated);
    Ok((negotiated, video))
}

/// The answer to one line of ours, of audio or of video.
pub(super) fn accept_line(
    before: Option<&Negotiated>,
    our_offer: &SessionDescription,
    answer: &SessionDescription,
    media_index: usize,
    ours: &Media,
    media: &Media,
) -> Result<Negotiated, Refusal> {
    if !media.kind.eq_ignore_ascii_case(&ours.kind) {
        return Err(Refusal::MediaLineKind(media_index));
    }
    if media.port == 0 {
        return Err(Refusal::Rejected);
    }
    let connection = check_line(answer, media)?;
    let offered = our_offer.direction_of(ours);
    let remote = remote_direction(answer, media, connection);
    let security = protection::accepted(our_offer, ours, answer, media)?;
    let ice_before = before.and_then(|before| before.ice.as_ref());
    let ice = ice::accepted(our_offer, ours, answer, media, ice_before);
    let formats = common(ours, media);
    let feedback = video::accepted_feedback(media, &formats);
    let agreement = Agreement {
        remote: answer,
        media_index,
        media,
        connection,
        formats,
        rtcp_mux: ours.rtcp_mux() && media.rtcp_mux(),
        local_ptime: ours.ptime(),
        direction: offered.and(remote.reversed()),
        held: offered.sends() && !remote.receives(),
        security,
        ice,
        feedback,
    };
    agreement.negotiated()
}

fn common(ours: &Media, theirs: &Media) -> Vec<Format> {
    let numbers = ours.payload_types();
    let mut offered: Vec<RtpMap> = numbers.iter().filter_map(|number| ours.rtp_map(*number)).collect();
    let mut found = Vec::new();
    for send in theirs.payload_types() {
        let place = match theirs.rtp_map(send) {
            Some(map) => offered
                .iter()
                .position(|known| capability(known, ours).matches_format(&map, theirs.fmtp(send))),
            // A dynamic number without a=rtpmap can only mean what we said.
            None => offered.iter().position(|known| known.payload_type == send),
        };
        let Some(place) = place else { continue };
        let known = offered.remove(place);
        let mut receive = vec![known.payload_type];
        if !numbers.contains(&send) {
            receive.push(send);
        }
        found.push(Format {
            role: Role::of(&known),
            capability: capability(&known, ours),
            payload_types: PayloadTypes { send, receive },
            remote_fmtp: theirs.fmtp(send).map(str::to_owned),
        });
    }
    found
}

fn capability(map: &RtpMap, ours: &Media) -> Capability {
    Capability {
        name: map.name.clone(),
        clock_rate: map.clock_rate,
        channels: map.channels,
        static_pt: (map.payload_type < 35).then_some(map.payload_type),
        fmtp: ours.fmtp(map.payload_type).map(str::to_owned),
    }
}
