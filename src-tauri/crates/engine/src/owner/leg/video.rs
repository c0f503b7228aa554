//! The video line of a leg: a transport of its own beside the one of the sound.

use super::{Leg, Policy, Refused, parse, policy, set_up};
use crate::io::media::{Ask, Door, LegId};
use sidetone_api::Failure;
use sidetone_sdp::{Capability, Direction, LocalMedia, LocalVideo, Negotiated, VideoOutcome};
use std::net::IpAddr;

use super::NOT_ACCEPTABLE;

/// What we want of video.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum VideoWish {
    /// Its line is closed.
    Off,
    /// To see the peer, and not to be seen.
    See,
    On,
}

#[derive(Debug)]
pub(super) struct Line {
    id: LegId,
    /// Its codecs may be restricted to less than `known`.
    local: LocalVideo,
    known: Vec<Capability>,
    wish: VideoWish,
    /// What our last offer or answer said.
    told: VideoWish,
    /// What the peer agreed to last.
    agreed: VideoWish,
    /// Why there is no video though it was wished for.
    why: Option<String>,
    /// What was agreed last; its direction is inactive where the line was closed since.
    negotiated: Option<Negotiated>,
    open: bool,
    /// A STUN server was asked for its address.
    gathered: bool,
}

/// The codecs that are passed on between peers, in no order of ours.
pub(crate) fn every_video_codec() -> Vec<Capability> {
    vec![Capability::h264(1), Capability::h264(0), Capability::vp8()]
}

/// Whether an offer has a video line that is open.
pub(crate) fn offers_video(offer: &[u8]) -> bool {
    parse(offer).is_ok_and(|offer| offer.video().is_some())
}

fn has_ice_for_video(offer: &[u8]) -> bool {
    let Ok(offer) = parse(offer) else { return false };
    offer.video().is_some_and(|(_, media)| offer.ice_credentials_of(media).is_some())
}

/// What the next offer or answer says of video, in the direction of the sound.
pub(super) fn said<'a>(line: &'a mut Option<Line>, audio: &LocalMedia) -> Option<&'a LocalVideo> {
    let line = line.as_mut()?;
    line.told = line.wish;
    line.local.media.direction = match line.wish {
        VideoWish::Off => return None,
        VideoWish::See => audio.direction.and(Direction::RecvOnly),
        VideoWish::On => audio.direction,
    };
    Some(&line.local)
}

/// Takes what became of the video. What is wrong with it is the video's end and not the call's.
pub(super) fn agree(line: &mut Option<Line>, outcome: VideoOutcome) -> Result<(), Refused> {
    let Some(line) = line else { return Ok(()) };
    line.why = None;
    let agreed = outcome.unwrap_or_else(|why| {
        line.why = Some(why.to_string());
        None
    });
    line.agreed = line.told;
    let Some(agreed) = agreed else {
        line.open = false;
        if let Some(before) = &mut line.negotiated {
            before.direction = Direction::Inactive;
        }
        return Ok(());
    };
    if let Some(name) = agreed.unresolved() {
        return Err(Refused {
            status: NOT_ACCEPTABLE,
            text: format!("c= of the video names the host {name}; an address is needed"),
        });
    }
    if let (Some(agreed), Some(ice)) = (&agreed.ice, &mut line.local.media.ice)
        && agreed.local != ice.credentials
    {
        // The peer restarted ICE.
        ice.credentials = agreed.local.clone();
        ice.next = policy::credentials()
            .map_err(|failure| Refused { status: NOT_ACCEPTABLE, text: failure.message })?;
    }
    (line.negotiated, line.open) = (Some(*agreed), true);
    Ok(())
}

impl Line {
    fn open(
        id: LegId,
        of: LegId,
        address: IpAddr,
        first_port: u16,
        codecs: Vec<Capability>,
        policy: Policy,
        media: &Door,
    ) -> Result<Self, Failure> {
        let (local, setup) = set_up("video", address, first_port, codecs.clone(), policy)?;
        let local = LocalVideo::new(local);
        media.ask(Ask::OpenVideo { leg: id, of, setup });
        Ok(Self {
            id,
            local,
            known: codecs,
            wish: VideoWish::On,
            told: VideoWish::Off,
            agreed: VideoWish::Off,
            why: None,
            negotiated: None,
            open: false,
            gathered: false,
        })
    }

    pub(super) fn start(&self, media: &Door) {
        if let Some(negotiated) = &self.negotiated {
            media.ask(Ask::Configure { leg: self.id, negotiated: Box::new(negotiated.clone()) });
        }
    }

    /// It was open, and was closed.
    fn is_spent(&self) -> bool {
        !self.open && self.negotiated.is_some()
    }

    pub(super) fn local(&mut self) -> &mut LocalMedia {
        &mut self.local.media
    }

    pub(super) fn move_to(&mut self, address: IpAddr) {
        self.local.media.address = address;
    }
}

impl Leg {
    /// Opens sockets for video, which later offers and answers have. Nothing where it has them.
    pub(crate) fn open_video(
        &mut self,
        id: LegId,
        first_port: u16,
        codecs: Vec<Capability>,
        media: &Door,
    ) -> Result<(), Failure> {
        if self.video.is_none() {
            let address = self.local.address;
            self.video = Some(Line::open(id, self.id, address, first_port, codecs, self.policy, media)?);
        }
        Ok(())
    }

    /// Takes down a transport whose line was closed: the far end has forgotten its keys and candidates, so the next line is one of
    /// its own (RFC 3264 section 8.1). True where there was one.
    pub(crate) fn drop_spent_video(&mut self, media: &Door) -> bool {
        let spent = self.video.take_if(|line| line.is_spent());
        if let Some(line) = &spent {
            media.ask(Ask::Close { leg: line.id });
        }
        spent.is_some()
    }

    /// Video that the peer has not heard of, whose candidates are to be told in our offer, or in our answer to `theirs`: once, to
    /// be completed before.
    pub(crate) fn take_ungathered_video(&mut self, theirs: Option<&[u8]>) -> Option<LegId> {
        let is_new = |line: &&mut Line| {
            line.wish != VideoWish::Off && line.told == VideoWish::Off && line.negotiated.is_none()
        };
        let line = self.video.as_mut().filter(is_new)?;
        let ice = line.local.media.ice.as_ref()?;
        let has_candidates = theirs.map_or(ice.offer, has_ice_for_video);
        (has_candidates && !std::mem::replace(&mut line.gathered, true)).then_some(line.id)
    }

    /// What is wanted of video whose transport is of no more use.
    pub(crate) fn wish_of_spent_video(&self) -> Option<VideoWish> {
        let line = self.video.as_ref().filter(|line| line.is_spent())?;
        Some(line.wish).filter(|wish| *wish > line.told)
    }

    pub(crate) fn video_id(&self) -> Option<LegId> {
        self.video.as_ref().map(|line| line.id)
    }

    /// What both sides of this leg speak, in the order of the peer.
    pub(crate) fn common_video_codecs(&self) -> Vec<Capability> {
        let codecs = self.agreed_video().into_iter().flat_map(|negotiated| &negotiated.codecs);
        codecs.map(|codec| codec.capability.clone()).collect()
    }

    /// What is sent.
    pub(crate) fn video_codec(&self) -> Option<Capability> {
        self.agreed_video().map(|negotiated| negotiated.codec.capability.clone())
    }

    /// From now on answers in this codec alone, since nothing is transcoded; `None`: without video.
    pub(crate) fn answer_video_in(&mut self, codec: Option<&Capability>) {
        let Some(line) = &mut self.video else { return };
        line.wish = if codec.is_some() { VideoWish::On } else { VideoWish::Off };
        line.local.media.codecs.clone_from(&line.known);
        if let Some(codec) = codec {
            line.local.media.codecs.retain(|own| is_same(own, codec));
        }
    }

    /// What an offer has of video that we know too, in its order.
    pub(crate) fn video_codecs_of(&self, offer: &[u8]) -> Vec<Capability> {
        let (Some(line), Ok(offer)) = (&self.video, parse(offer)) else { return Vec::new() };
        let mut local = line.local.clone();
        local.media.codecs.clone_from(&line.known);
        local.media.direction = Direction::SendRecv;
        // On a copy, which leaves no trace in the version of `o=`.
        let answered = self.exchange.clone().answer_with(&offer, &self.local, Some(&local));
        let common = answered.ok().and_then(|answered| answered.video.ok().flatten());
        common.into_iter().flat_map(|agreed| agreed.codecs).map(|codec| codec.capability).collect()
    }

    /// From now on offers these.
    pub(crate) fn offer_video_in(&mut self, codecs: Vec<Capability>) {
        let Some(line) = &mut self.video else { return };
        line.wish = VideoWish::On;
        line.local.media.codecs = codecs;
    }

    pub(crate) fn want_video(&mut self, wish: VideoWish) {
        if let Some(line) = &mut self.video {
            line.wish = wish;
        }
    }

    pub(crate) fn video_wish(&self) -> Option<VideoWish> {
        self.video.as_ref().map(|line| line.wish)
    }

    /// The peer does not know yet what we want.
    pub(crate) fn is_video_due(&self) -> bool {
        self.video.as_ref().is_some_and(|line| line.wish != line.told)
    }

    /// Our offer was refused: what was agreed before holds. What we have ended ourselves stays so. True where video was asked for.
    pub(crate) fn take_back_video(&mut self, why: &str) -> bool {
        let Some(line) = self.video.as_mut().filter(|line| line.told > line.agreed) else { return false };
        (line.wish, line.told, line.why) = (line.wish.min(line.agreed), line.agreed, Some(why.to_owned()));
        true
    }

    /// Our offer met another one: it is made again.
    pub(crate) fn untell_video(&mut self) {
        if let Some(line) = &mut self.video {
            line.told = line.agreed;
        }
    }

    /// There is none, and none is wanted: nothing is left to be told.
    pub(crate) fn forget_video(&mut self) {
        if let Some(line) = &mut self.video {
            (line.wish, line.told, line.agreed) = (VideoWish::Off, VideoWish::Off, VideoWish::Off);
        }
    }

    /// This is why there is none, whatever was agreed.
    pub(crate) fn blame_video(&mut self, why: &str) {
        if let Some(line) = &mut self.video {
            line.why = Some(why.to_owned());
        }
    }

    /// Why there is none.
    pub(crate) fn video_problem(&self) -> Option<&str> {
        self.video.as_ref()?.why.as_deref()
    }

    pub(crate) fn agreed_video(&self) -> Option<&Negotiated> {
        self.video.as_ref().filter(|line| line.open)?.negotiated.as_ref()
    }
}

fn is_same(a: &Capability, b: &Capability) -> bool {
    let Capability { name, clock_rate, channels, fmtp, .. } = b;
    let map = sidetone_sdp::RtpMap {
        payload_type: 0,
        name: name.clone(),
        clock_rate: *clock_rate,
        channels: *channels,
    };
    a.matches_format(&map, fmtp.as_deref())
}
