//! The video line beside the audio: RTP with key frame requests (RFC 4585, RFC 5104).

use crate::capability::Capability;
use crate::description::{Attribute, Bandwidth, Media, SessionDescription};
use crate::video::Feedback;

use super::accept::accept_line;
use super::answer::answer_line;
use super::formats::Format;
use super::negotiated::Negotiated;
use super::offer::{Shape, line};
use super::{LocalMedia, Protection, Refusal, build};

/// `a=mid` of a video line of ours, where the peer gives names to lines.
pub(super) const MID: &str = "video";

/// What became of the video: agreed; not asked for, by the offer or by us; or why there is none.
pub type VideoOutcome = Result<Option<Box<Negotiated>>, Refusal>;

/// What we can do with video and where we receive it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalVideo {
    /// Its own transport; its address is that of the audio. `dtmf`, `comfort_noise` and `ptime` are not for video.
    pub media: LocalMedia,
    /// The most that we want to get, kbit/s (`b=AS` and `b=TIAS`).
    pub bandwidth: Option<u64>,
}

impl LocalVideo {
    /// Takes what is not for video out of `media`.
    pub fn new(media: LocalMedia) -> Self {
        let media = LocalMedia { dtmf: false, comfort_noise: false, ptime: None, ..media };
        Self { media, bandwidth: None }
    }

    fn say(&self, line: &mut Media) {
        let Some(kilobits) = self.bandwidth else { return };
        let say = |kind: &str, value| Bandwidth { kind: kind.to_owned(), value };
        line.bandwidths = vec![say("AS", kilobits), say("TIAS", kilobits.saturating_mul(1000))];
    }
}

/// Puts our line in its place among the others, or at their end, and tells where.
pub(super) fn offer_line(
    local: &LocalVideo,
    shape: &Shape<'_>,
    audio: &[(u8, Capability)],
    lines: &mut Vec<Media>,
) -> usize {
    let others: Vec<_> = audio.iter().map(build::Bound::of).chain(shape.bound.iter().cloned()).collect();
    let formats = build::number(local.media.codecs.clone(), shape.bound_video, &others);
    let feedback = formats.iter().flat_map(|(payload_type, _)| say(*payload_type, Feedback::ALL));
    let before = shape.video.and_then(|index| shape.lines.get(index));
    let mut ours = line("video", &local.media, &formats, shape.agreed_video, before, feedback.collect());
    if shape.agreed_video.is_none() && local.media.security.offer == Protection::Dtls {
        // What browsers say; a phone that knows DTLS knows it too.
        ours.protocol = "UDP/TLS/RTP/SAVPF".to_owned();
    }
    local.say(&mut ours);
    match shape.video.and_then(|index| Some((index, lines.get_mut(index)?))) {
        Some((index, slot)) => {
            *slot = ours;
            index
        }
        None => {
            lines.push(ours);
            lines.len() - 1
        }
    }
}

/// The answer to the first usable video line, and its place.
pub(super) fn answer(
    before: Option<&Negotiated>,
    offer: &SessionDescription,
    local: Option<&LocalVideo>,
) -> (Option<(usize, Media)>, VideoOutcome) {
    let Some(local) = local else { return (None, Ok(None)) };
    let mut refusal = None;
    for (index, media) in offer.media.iter().enumerate() {
        if media.port == 0 || !media.kind.eq_ignore_ascii_case("video") {
            continue;
        }
        let before = before.filter(|before| before.media_index == index);
        match answer_line(before, offer, index, media, &local.media) {
            Ok((mut line, negotiated)) => {
                local.say(&mut line);
                return (Some((index, line)), Ok(Some(Box::new(negotiated))));
            }
            Err(reason) => refusal = refusal.or(Some(of_video(reason))),
        }
    }
    (None, refusal.map_or(Ok(None), Err))
}

/// What the answer to our video line comes to.
pub(super) fn accepted(
    before: Option<&Negotiated>,
    our_offer: &SessionDescription,
    answer: &SessionDescription,
) -> VideoOutcome {
    let Some((index, ours)) = our_offer.video() else { return Ok(None) };
    let Some(media) = answer.media.get(index) else { return Err(Refusal::VideoRejected) };
    let before = before.filter(|before| before.media_index == index);
    let negotiated = accept_line(before, our_offer, answer, index, ours, media);
    negotiated.map(|negotiated| Some(Box::new(negotiated))).map_err(of_video)
}

/// The roles of ICE are those of the session (RFC 8445 section 6.1.1): video has that of the sound, whoever added it.
pub(super) fn take_role(video: &mut VideoOutcome, audio: &Negotiated) {
    if let (Ok(Some(video)), Some(audio)) = (video, &audio.ice)
        && let Some(ice) = &mut video.ice
    {
        ice.controlling = ice.lite || audio.controlling;
    }
}

/// What both sides know of feedback; says it in the answer.
pub(super) fn answered_feedback(
    media: &Media,
    formats: &[Format],
    attributes: &mut Vec<Attribute>,
) -> Feedback {
    if !media.kind.eq_ignore_ascii_case("video") {
        return Feedback::default();
    }
    for payload_type in formats.iter().map(|format| format.payload_types.send) {
        attributes.extend(say(payload_type, media.feedback(payload_type)));
    }
    accepted_feedback(media, formats)
}

/// Of the codec that is sent and received first.
pub(super) fn accepted_feedback(media: &Media, formats: &[Format]) -> Feedback {
    if !media.kind.eq_ignore_ascii_case("video") {
        return Feedback::default();
    }
    formats.first().map(|format| media.feedback(format.payload_types.send)).unwrap_or_default()
}

fn say(payload_type: u8, feedback: Feedback) -> impl Iterator<Item = Attribute> {
    let kinds = [(feedback.pli, "nack pli"), (feedback.fir, "ccm fir")];
    let known = kinds.into_iter().filter(|(known, _)| *known);
    known.map(move |(_, kind)| Attribute::new("rtcp-fb", format!("{payload_type} {kind}")))
}

fn of_video(refusal: Refusal) -> Refusal {
    match refusal {
        Refusal::NoCommonCodec => Refusal::NoCommonVideoCodec,
        Refusal::Rejected => Refusal::VideoRejected,
        Refusal::UnsupportedProtocol(protocol) | Refusal::NoDtls(protocol) => {
            Refusal::UnsupportedVideoProtocol(protocol)
        }
        Refusal::NoAddress => Refusal::NoVideoAddress,
        Refusal::UnusableAddress(address) => Refusal::UnusableVideoAddress(address),
        Refusal::NoKeys(protocol) => Refusal::NoVideoKeys(protocol),
        other => other,
    }
}
