use crate::attribute::RtpMap;
use crate::description::{Media, SessionDescription};

use super::accept::accept_after;
use super::answer::answer_after;
use super::negotiated::{Negotiated, Security};
use super::offer::{Shape, offer_like};
use super::{LocalMedia, Origin, Refusal};

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
    bound: Vec<RtpMap>,
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
            remote: None,
            agreed: None,
            protected_only: false,
        }
    }

    /// A first offer or a later one (hold, resume, new address, session refresh).
    pub fn offer(&mut self, local: &LocalMedia) -> SessionDescription {
        let mid = self.lines.get(self.audio).and_then(Media::mid);
        let bundled = |mid: &str| self.remote.as_ref().is_some_and(|remote| remote.is_bundled(mid));
        let shape = Shape {
            lines: &self.lines,
            audio: self.audio,
            agreed: self.agreed.as_ref(),
            mid: mid.map(|mid| (mid, bundled(mid))),
        };
        let offer = offer_like(local, &self.origin, &shape, &self.bound);
        let offer = self.stamp(offer);
        self.bind(offer.media.get(self.audio));
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
        let (description, negotiated) = answer_after(self.agreed.as_ref(), offer, local, &self.origin)?;
        let description = self.stamp(description);
        self.agree(&description, offer, &negotiated);
        Ok((description, negotiated))
    }

    /// Takes the answer to our last offer; for a forked call, each answer in turn.
    pub fn accept(&mut self, answer: &SessionDescription) -> Result<Negotiated, Refusal> {
        let offered = self.offered.clone().ok_or(Refusal::NoOffer)?;
        let negotiated = accept_after(self.agreed.as_ref(), &offered, answer)?;
        if self.protected_only && negotiated.security == Security::None {
            return Err(Refusal::Unprotected("answer"));
        }
        self.agree(&offered, answer, &negotiated);
        Ok(negotiated)
    }

    /// The last description that we sent.
    pub fn local(&self) -> Option<&SessionDescription> {
        self.sent.as_ref()
    }

    /// The peer's last description that we agreed to.
    pub fn remote(&self) -> Option<&SessionDescription> {
        self.remote.as_ref()
    }

    fn agree(&mut self, ours: &SessionDescription, theirs: &SessionDescription, negotiated: &Negotiated) {
        let audio = negotiated.media_index;
        self.agreed = Some(negotiated.clone());
        self.lines.clone_from(&ours.media);
        self.audio = audio;
        self.bind(ours.media.get(audio));
        self.bind(theirs.media.get(audio));
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

    fn bind(&mut self, media: Option<&Media>) {
        let Some(media) = media else { return };
        for map in media.payload_types().into_iter().filter_map(|number| media.rtp_map(number)) {
            if !self.bound.iter().any(|known| known.payload_type == map.payload_type) {
                self.bound.push(map);
            }
        }
    }
}
