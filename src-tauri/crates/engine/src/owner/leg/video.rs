//! The video line of a leg: a transport of its own beside the one of the sound.

use super::{Leg, Policy, Refused, bind_address, parse, policy};
use crate::io::{
    identity,
    media::{Ask, Door, Identities, LegId},
    ports,
};
use sidetone_api::{Failure, FailureCode};
use sidetone_rtp::transport::Credentials;
use sidetone_sdp::{Capability, Direction, LocalMedia, LocalVideo, Negotiated, VideoOutcome};
use std::net::IpAddr;

use super::NOT_ACCEPTABLE;

#[derive(Debug)]
pub(super) struct Line {
    id: LegId,
    /// Its codecs may be restricted to less than `known`.
    local: LocalVideo,
    known: Vec<Capability>,
    /// It is offered and answered; else its line is closed.
    wanted: bool,
    /// What was agreed last; its direction is inactive where the line was closed since.
    negotiated: Option<Negotiated>,
    open: bool,
}

/// The codecs that are passed on between peers, in no order of ours.
pub(crate) fn every_video_codec() -> Vec<Capability> {
    vec![Capability::h264(1), Capability::h264(0), Capability::vp8()]
}

/// Whether an offer has a video line that is open.
pub(crate) fn offers_video(offer: &[u8]) -> bool {
    parse(offer).is_ok_and(|offer| offer.video().is_some())
}

/// What the next offer or answer says of video, in the direction of the sound.
pub(super) fn said<'a>(line: &'a mut Option<Line>, audio: &LocalMedia) -> Option<&'a LocalVideo> {
    let line = line.as_mut().filter(|line| line.wanted)?;
    line.local.media.direction = audio.direction;
    Some(&line.local)
}

/// Takes what became of the video. What is wrong with it is the video's end and not the call's.
pub(super) fn agree(line: &mut Option<Line>, outcome: VideoOutcome) -> Result<(), Refused> {
    let Some(line) = line else { return Ok(()) };
    let agreed = outcome.unwrap_or_else(|why| {
        tracing::info!("no video: {why}");
        None
    });
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
        let network = |error: std::io::Error| {
            Failure::new(FailureCode::Network, format!("no port for video on {address}: {error}"))
        };
        let pair = ports::bind_pair(bind_address(address), first_port).map_err(network)?;
        let mut local = LocalVideo::new(LocalMedia::new(address, pair.port, codecs.clone()));
        policy.apply(&mut local.media)?;
        let cname = u64::from_be_bytes(policy::random()?);
        media.ask(Ask::OpenVideo {
            leg: id,
            of,
            pair,
            seed: policy::random()?,
            cname: format!("{cname:016x}"),
            identities: Identities {
                dtls: identity::dtls().cloned(),
                ice: local
                    .media
                    .ice
                    .as_ref()
                    .map(|ice| Credentials::new(ice.credentials.ufrag(), ice.credentials.pwd())),
            },
        });
        Ok(Self { id, local, known: codecs, wanted: true, negotiated: None, open: false })
    }

    pub(super) fn start(&self, media: &Door) {
        if let Some(negotiated) = &self.negotiated {
            media.ask(Ask::Configure { leg: self.id, negotiated: Box::new(negotiated.clone()) });
        }
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
        line.wanted = codec.is_some();
        line.local.media.codecs.clone_from(&line.known);
        if let Some(codec) = codec {
            line.local.media.codecs.retain(|own| is_same(own, codec));
        }
    }

    fn agreed_video(&self) -> Option<&Negotiated> {
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
