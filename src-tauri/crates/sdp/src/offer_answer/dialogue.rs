use crate::attribute::RtpMap;
use crate::description::{Media, SessionDescription};

use super::negotiated::Negotiated;
use super::offer::offer_like;
use super::{LocalMedia, Origin, Refusal, accept, answer};

/// The offers and answers of one dialog. Keeps what RFC 3264 section 8 asks of later ones: the session id, a version
/// that grows by one exactly when the text changes, the number and order of the media lines, and the meaning of
/// every payload type number used so far.
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
}

impl OfferAnswer {
    pub fn new(origin: Origin) -> Self {
        let (lines, bound) = (Vec::new(), Vec::new());
        Self { origin, sent: None, offered: None, lines, audio: 0, bound, remote: None }
    }

    /// A first offer or a later one (hold, resume, new address, session refresh).
    pub fn offer(&mut self, local: &LocalMedia) -> SessionDescription {
        let offer = offer_like(local, &self.origin, &self.lines, self.audio, &self.bound);
        let offer = self.stamp(offer);
        self.bind(offer.media.get(self.audio));
        self.offered = Some(offer.clone());
        offer
    }

    /// Answers an offer of the peer; on a refusal the agreed state stays.
    pub fn answer(
        &mut self,
        offer: &SessionDescription,
        local: &LocalMedia,
    ) -> Result<(SessionDescription, Negotiated), Refusal> {
        let (description, negotiated) = answer(offer, local, &self.origin)?;
        let description = self.stamp(description);
        self.agree(&description, offer, negotiated.media_index);
        Ok((description, negotiated))
    }

    /// Takes the answer to our last offer; for a forked call, each answer in turn.
    pub fn accept(&mut self, answer: &SessionDescription) -> Result<Negotiated, Refusal> {
        let offered = self.offered.clone().ok_or(Refusal::NoOffer)?;
        let negotiated = accept(&offered, answer)?;
        self.agree(&offered, answer, negotiated.media_index);
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

    fn agree(&mut self, ours: &SessionDescription, theirs: &SessionDescription, audio: usize) {
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
