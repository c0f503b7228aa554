use crate::description::{Media, SessionDescription};

use super::accept::accept_after;
use super::answer::{Before, answer_after};
use super::build::Bound;
use super::negotiated::{Negotiated, Security};
use super::offer::{Shape, offer_like};
use super::{LocalMedia, LocalVideo, Origin, Refusal, VideoOutcome};

/// The offers and answers of one dialog. Keeps what RFC 3264 section 8 asks of later ones: the session id, a version
/// that grows by one exactly when the text changes, the number and order of the media lines, and the meaning of
/// every payload type number used so far. Later offers keep the protection, the keys and the group; answers keep the role
/// in DTLS and, until the peer restarts it, the credentials of ICE.
///
/// An offer that was refused (488) needs no call: the agreed state changes only in `answer` and `accept`.
#[derive(Debug, Clone)]
pub struct OfferAnswer {
    origin: Origin,
    /// The last description we sent, for the version.
    sent: Option<SessionDescription>,
    /// Our last offer.
    offered: Option<SessionDescription>,
    /// Our side of what is agreed, for the shape of later offers.
    lines: Vec<Media>,
    audio: usize,
    bound: Vec<Bound>,
    /// The place of the video, open or closed, once there was one.
    video: Option<usize>,
    bound_video: Vec<Bound>,
    agreed_video: Option<Negotiated>,
    remote: Option<SessionDescription>,
    agreed: Option<Negotiated>,
    /// Our last offer came with [`super::LocalSecurity::required`].
    protected_only: bool,
}

impl OfferAnswer {
    pub fn new(origin: Origin) -> Self {
        Self {
            origin,
            sent: None,
            offered: None,
            lines: Vec::new(),
            audio: 0,
            bound: Vec::new(),
            video: None,
            bound_video: Vec::new(),
            agreed_video: None,
            remote: None,
            agreed: None,
            protected_only: false,
        }
    }

    /// A first offer or a later one (hold, resume, new address, session refresh).
    pub fn offer(&mut self, local: &LocalMedia) -> SessionDescription {
        self.offer_with(local, None)
    }

    /// The same with video, which is added where there was none; without, it is dropped where there was one (RFC 3264
    /// sections 8.1 and 8.2). Its line keeps its place.
    pub fn offer_with(&mut self, local: &LocalMedia, video: Option<&LocalVideo>) -> SessionDescription {
        let mid = self.lines.get(self.audio).and_then(Media::mid);
        let bundled = |mid: &str| self.remote.as_ref().is_some_and(|remote| remote.is_bundled(mid));
        let shape = Shape {
            lines: &self.lines,
            audio: self.audio,
            agreed: self.agreed.as_ref(),
            mid: mid.map(|mid| (mid, bundled(mid))),
            bound: &self.bound,
            video: self.video,
            agreed_video: self.agreed_video.as_ref(),
            video_mid: self.video.and_then(|video| self.lines.get(video)).and_then(Media::mid),
            bound_video: &self.bound_video,
        };
        let offer = offer_like(local, video, &self.origin, &shape);
        let offer = self.stamp(offer);
        bind(&mut self.bound, offer.media.get(self.audio));
        bind(&mut self.bound_video, offer.video().map(|(_, media)| media));
        self.offered = Some(offer.clone());
        self.protected_only = local.security.required;
        offer
    }

    /// Answers an offer of the peer; on a refusal the agreed state stays.
    pub fn answer(
        &mut self,
        offer: &SessionDescription,
        local: &LocalMedia,
    ) -> Result<(SessionDescription, Negotiated), Refusal> {
        let Answered { description, audio, .. } = self.answer_with(offer, local, None)?;
        Ok((description, audio))
    }

    /// The same with video, where the offer has it. What is wrong with the video alone closes its line and no more.
    pub fn answer_with(
        &mut self,
        offer: &SessionDescription,
        local: &LocalMedia,
        video: Option<&LocalVideo>,
    ) -> Result<Answered, Refusal> {
        let before = Before { audio: self.agreed.as_ref(), video: self.agreed_video.as_ref() };
        let (description, audio, video) = answer_after(before, offer, local, video, &self.origin)?;
        let description = self.stamp(description);
        self.agree(&description, offer, &audio, video.as_ref().ok().and_then(Option::as_deref));
        Ok(Answered { description, audio, video })
    }

    /// Takes the answer to our last offer; for a forked call, each answer in turn.
    pub fn accept(&mut self, answer: &SessionDescription) -> Result<Negotiated, Refusal> {
        self.accept_with(answer).map(|(negotiated, _)| negotiated)
    }

    /// The same with what became of the video.
    pub fn accept_with(
        &mut self,
        answer: &SessionDescription,
    ) -> Result<(Negotiated, VideoOutcome), Refusal> {
        let offered = self.offered.clone().ok_or(Refusal::NoOffer)?;
        let before = Before { audio: self.agreed.as_ref(), video: self.agreed_video.as_ref() };
        let (negotiated, mut video) = accept_after(before, &offered, answer)?;
        if self.protected_only && negotiated.security == Security::None {
            return Err(Refusal::Unprotected("answer"));
        }
        let is_plain = |video: &Negotiated| video.security == Security::None;
        if self.protected_only && video.as_ref().is_ok_and(|video| video.as_deref().is_some_and(is_plain)) {
            video = Err(Refusal::Unprotected("answer"));
        }
        self.agree(&offered, answer, &negotiated, video.as_ref().ok().and_then(Option::as_deref));
        Ok((negotiated, video))
    }

    /// The last description that we sent.
    pub fn local(&self) -> Option<&SessionDescription> {
        self.sent.as_ref()
    }

    /// The peer's last description that we agreed to.
    pub fn remote(&self) -> Option<&SessionDescription> {
        self.remote.as_ref()
    }

    fn agree(
        &mut self,
        ours: &SessionDescription,
        theirs: &SessionDescription,
        negotiated: &Negotiated,
        video: Option<&Negotiated>,
    ) {
        let audio = negotiated.media_index;
        self.agreed = Some(negotiated.clone());
        self.lines.clone_from(&ours.media);
        self.audio = audio;
        for side in [ours, theirs] {
            bind(&mut self.bound, side.media.get(audio));
        }
        self.agreed_video = video.cloned();
        let slot = ours.media.iter().position(|media| media.kind.eq_ignore_ascii_case("video"));
        self.video = video.map(|video| video.media_index).or(self.video).or(slot);
        if let Some(video) = video {
            for side in [ours, theirs] {
                bind(&mut self.bound_video, side.media.get(video.media_index));
            }
        }
        self.remote = Some(theirs.clone());
    }

    fn stamp(&mut self, mut description: SessionDescription) -> SessionDescription {
        if self.sent.as_ref().is_some_and(|sent| *sent != description) {
            self.origin.version = self.origin.version.saturating_add(1);
            description.origin.version = self.origin.version.to_string();
        }
        self.sent = Some(description.clone());
        description
    }
}

/// What an offer was answered with.
#[derive(Debug, Clone)]
pub struct Answered {
    pub description: SessionDescription,
    pub audio: Negotiated,
    pub video: VideoOutcome,
}

fn bind(bound: &mut Vec<Bound>, media: Option<&Media>) {
    let Some(media) = media else { return };
    for map in media.payload_types().into_iter().filter_map(|number| media.rtp_map(number)) {
        if !bound.iter().any(|known| known.map.payload_type == map.payload_type) {
            let fmtp = media.fmtp(map.payload_type).map(str::to_owned);
            bound.push(Bound { map, fmtp });
        }
    }
}
