//! The signalling side of one RTP leg: its sockets' addresses and the offers and answers that describe them.

mod policy;
mod video;

use crate::io::{
    identity,
    media::{Ask, Door, Identities, Join, LegId, TransportSetup},
    ports,
};

pub(crate) use policy::Policy;
use sidetone_api::{CodecView, Encryption, Failure, FailureCode};
use sidetone_rtp::transport::Credentials;
use sidetone_sdp::{
    Capability, Direction, LocalMedia, Negotiated, OfferAnswer, Origin, Refusal, Security, SessionDescription,
};
use std::net::{IpAddr, SocketAddr};
pub(crate) use video::{VideoWish, every_video_codec, offers_video};

/// SIP answer to an offer that shares nothing with us.
const NOT_ACCEPTABLE: u16 = 488;
const BAD_REQUEST: u16 = 400;

#[derive(Debug)]
pub(crate) struct Leg {
    pub(crate) id: LegId,
    local: LocalMedia,
    /// Everything this leg can speak, in our order; `local` may be restricted to less.
    known: Vec<Capability>,
    exchange: OfferAnswer,
    negotiated: Option<Negotiated>,
    hold: Hold,
    /// SRTP suite that the DTLS handshake brought.
    secured: Option<&'static str>,
    policy: Policy,
    video: Option<video::Line>,
    /// The offer that [`Leg::prepare`] answered last, and how the exchange stood before.
    prepared: Option<Box<(SessionDescription, OfferAnswer)>>,
}

/// What a leg is opened with.
pub(crate) struct Opening {
    pub(crate) id: LegId,
    /// Ours, facing the peer.
    pub(crate) address: IpAddr,
    /// 0: any.
    pub(crate) first_port: u16,
    pub(crate) codecs: Vec<Capability>,
    pub(crate) policy: Policy,
}

/// Who wants no media from whom.
#[derive(Debug, Clone, Copy, Default)]
struct Hold {
    /// What the next offer or answer says of us.
    wanted: bool,
    /// What our offer said that has no answer yet.
    offered: bool,
    /// What the peer knows of us.
    agreed: bool,
    /// What we know of the peer.
    by_peer: bool,
}

/// Why an offer or answer was refused: the SIP status for the other side, the text for people.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: u16,
    pub(crate) text: String,
}

impl Leg {
    /// Opens the sockets on the address that faces the peer.
    pub(crate) fn open(opening: Opening, media: &Door) -> Result<Self, Failure> {
        let Opening { id, address, first_port, codecs, policy } = opening;
        let (local, setup) = set_up("media", address, first_port, codecs, policy)?;
        // 62 bits: some peers read the session id of `o=` as a signed number.
        let session_id = u64::from_be_bytes(policy::random()?) >> 2;
        let origin = Origin { username: "-".into(), session_id, version: session_id };
        media.ask(Ask::Open { leg: id, setup });
        Ok(Self {
            id,
            known: local.codecs.clone(),
            local,
            exchange: OfferAnswer::new(origin),
            negotiated: None,
            hold: Hold::default(),
            secured: None,
            policy,
            video: None,
            prepared: None,
        })
    }

    pub(crate) fn offer(&mut self) -> Vec<u8> {
        self.hold.offered = self.hold.wanted;
        self.local.direction = match (self.hold.wanted, self.hold.by_peer) {
            (false, _) => Direction::SendRecv,
            (true, false) => Direction::SendOnly,
            // RFC 3264 section 8.4: a stream that the peer holds already becomes inactive.
            (true, true) => Direction::Inactive,
        };
        let video = video::said(&mut self.video, &self.local);
        self.exchange.offer_with(&self.local, video).to_string().into_bytes()
    }

    /// Answers the peer's offer and configures the media.
    pub(crate) fn answer(&mut self, offer: &[u8], media: &Door) -> Result<Vec<u8>, Refused> {
        let answer = self.prepare(offer)?;
        self.start(media);
        Ok(answer)
    }

    /// The answer to the peer's offer; nothing is sent or played before [`Leg::start`].
    pub(crate) fn prepare(&mut self, offer: &[u8]) -> Result<Vec<u8>, Refused> {
        self.prepare_parsed(parse(offer)?)
    }

    /// The answer of [`Leg::prepare`] anew, with what was found out since.
    pub(crate) fn prepare_again(&mut self) -> Option<Vec<u8>> {
        let (offer, before) = *self.prepared.take()?;
        self.exchange = before;
        self.prepare_parsed(offer).ok()
    }

    fn prepare_parsed(&mut self, offer: SessionDescription) -> Result<Vec<u8>, Refused> {
        let before = self.exchange.clone();
        self.local.direction = if self.hold.wanted { Direction::SendOnly } else { Direction::SendRecv };
        let video = video::said(&mut self.video, &self.local);
        let answered = self.exchange.answer_with(&offer, &self.local, video).map_err(refused)?;
        let sidetone_sdp::Answered { description: answer, audio: negotiated, video } = answered;
        video::agree(&mut self.video, video)?;
        let by_peer = negotiated.held;
        self.agreed(negotiated)?;
        (self.hold.by_peer, self.hold.agreed) = (by_peer, self.hold.wanted);
        self.prepared = Some(Box::new((offer, before)));
        Ok(answer.to_string().into_bytes())
    }

    /// Answers in `codec` where the offer has it, so that a join need not transcode; else in any.
    pub(crate) fn answer_in(
        &mut self,
        codec: Option<&Capability>,
        offer: &[u8],
        media: &Door,
    ) -> Result<Vec<u8>, Refused> {
        self.local.codecs.clone_from(&self.known);
        if let Some(codec) = codec {
            let parsed = parse(offer)?;
            // On a copy, which leaves no trace in the version of `o=`.
            let (_, negotiated) = self.exchange.clone().answer(&parsed, &self.local).map_err(refused)?;
            if negotiated.codecs.iter().any(|common| is_same(&common.capability, codec)) {
                self.local.codecs.retain(|own| is_same(own, codec));
            }
        }
        self.answer(offer, media)
    }

    /// Takes the peer's answer and configures the media.
    pub(crate) fn accept(&mut self, answer: &[u8], media: &Door) -> Result<(), Refused> {
        let answer = parse(answer)?;
        let (negotiated, video) = self.exchange.accept_with(&answer).map_err(refused)?;
        video::agree(&mut self.video, video)?;
        let (asked, by_peer) = (self.local.direction.sends(), negotiated.held);
        self.agreed(negotiated)?;
        self.hold.agreed = self.hold.offered;
        // To an inactive offer every answer is inactive: it says nothing of the peer's own wish.
        if asked {
            self.hold.by_peer = by_peer;
        }
        self.start(media);
        Ok(())
    }

    /// This description of the peer is what was agreed last.
    pub(crate) fn is_in_force(&self, sdp: &[u8]) -> bool {
        self.exchange.remote().is_some_and(|remote| parse(sdp).is_ok_and(|sdp| sdp == *remote))
    }

    /// The peer may send us media.
    pub(crate) fn hears(&self) -> bool {
        self.negotiated.as_ref().is_some_and(|negotiated| negotiated.direction.receives())
    }

    /// Lets the media do what was agreed.
    pub(crate) fn start(&self, media: &Door) {
        if let Some(negotiated) = &self.negotiated {
            media.ask(Ask::Configure { leg: self.id, negotiated: Box::new(negotiated.clone()) });
        }
        if let Some(video) = &self.video {
            video.start(media);
        }
    }

    /// Offers these codecs first, as far as it knows them, and then the others.
    pub(crate) fn prefer(&mut self, codecs: &[Capability]) {
        let place = |own: &Capability| codecs.iter().position(|codec| is_same(own, codec));
        self.local.codecs.clone_from(&self.known);
        self.local.codecs.sort_by_key(|own| place(own).unwrap_or(usize::MAX));
    }

    /// What both sides of this leg speak, in the order of the peer.
    pub(crate) fn common_codecs(&self) -> Vec<Capability> {
        let codecs = self.negotiated.iter().flat_map(|negotiated| &negotiated.codecs);
        codecs.map(|codec| codec.capability.clone()).collect()
    }

    /// What is sent.
    pub(crate) fn codec(&self) -> Option<Capability> {
        self.negotiated.as_ref().map(|negotiated| negotiated.codec.capability.clone())
    }

    /// The peer wants no media from us.
    pub(crate) fn is_held(&self) -> bool {
        self.hold.by_peer
    }

    /// Wants no media from the peer from the next offer or answer on; or wants it again.
    pub(crate) fn hold(&mut self, held: bool) {
        self.hold.wanted = held;
    }

    /// Whether the peer knows that we want no media.
    pub(crate) fn holds(&self) -> bool {
        self.hold.agreed
    }

    /// Who holds, where that is told by other means than descriptions.
    pub(crate) fn told_of_hold(&mut self, by_us: bool, by_peer: bool) {
        (self.hold.agreed, self.hold.by_peer) = (by_us, by_peer);
    }

    /// Whether the next offer, or the answer that was prepared, has candidates in it (RFC 8839).
    pub(crate) fn has_candidates(&self) -> bool {
        match &self.negotiated {
            Some(negotiated) => negotiated.ice.is_some(),
            None => self.local.ice.as_ref().is_some_and(|ice| ice.offer),
        }
    }

    /// Adds how a STUN server sees one of its sockets to what is said from now on; false where that is nothing new.
    pub(crate) fn add_reflexive(&mut self, of: LegId, component: u16, address: SocketAddr) -> bool {
        let local = match &mut self.video {
            Some(video) if of != self.id => video.local(),
            _ => &mut self.local,
        };
        let Some(ice) = &mut local.ice else { return false };
        let candidate = policy::reflexive(&ice.candidates, component, address);
        let is_new = candidate.is_some();
        ice.candidates.extend(candidate);
        is_new
    }

    /// Is reached by this address, too, with the same ports.
    pub(crate) fn advertise(&mut self, address: IpAddr) {
        let video = self.video.as_mut().map(video::Line::local);
        for local in [Some(&mut self.local), video].into_iter().flatten() {
            let Some(ice) = &mut local.ice else { continue };
            let own: Vec<_> = ice.candidates.iter().map(|own| (own.component, own.address.port())).collect();
            for (component, port) in own {
                let seen = SocketAddr::new(address, port);
                ice.candidates.extend(policy::reflexive(&ice.candidates, component, seen));
            }
        }
    }

    /// Where it is reached.
    pub(crate) fn address(&self) -> IpAddr {
        self.local.address
    }

    /// Is reached elsewhere from the next offer or answer on. Its sockets listen on all addresses.
    pub(crate) fn move_to(&mut self, address: IpAddr) {
        self.local.address = address;
        if let Some(video) = &mut self.video {
            video.move_to(address);
        }
    }

    pub(crate) fn join(&self, with: Join, media: &Door) {
        media.ask(Ask::Join { leg: self.id, with });
    }

    pub(crate) fn close(&self, media: &Door) {
        if let Some(video) = self.video_id() {
            media.ask(Ask::Close { leg: video });
        }
        media.ask(Ask::Close { leg: self.id });
    }

    pub(crate) fn negotiated(&self) -> Option<&Negotiated> {
        self.negotiated.as_ref()
    }

    pub(crate) fn codec_view(&self) -> Option<CodecView> {
        let capability = &self.negotiated.as_ref()?.codec.capability;
        let sample_rate =
            if capability.name.eq_ignore_ascii_case("G722") { 16_000 } else { capability.clock_rate };
        Some(CodecView { name: capability.name.clone(), sample_rate })
    }

    pub(crate) fn encryption(&self) -> Encryption {
        match self.negotiated.as_ref().map(|negotiated| &negotiated.security) {
            Some(Security::Sdes { .. }) => return Encryption::Sdes,
            Some(Security::Dtls { .. }) => return Encryption::Dtls,
            Some(Security::None) | None => {}
        }
        let remote = self.negotiated.as_ref().and_then(|negotiated| negotiated.remote.socket_addr());
        if remote.is_some_and(|remote| remote.ip().is_loopback()) {
            Encryption::Loopback
        } else {
            Encryption::None
        }
    }

    /// The SRTP suite; with DTLS from when the handshake is done.
    pub(crate) fn suite(&self) -> Option<&'static str> {
        match &self.negotiated.as_ref()?.security {
            Security::Sdes { local, .. } => Some(local.suite().name()),
            Security::Dtls { .. } => self.secured,
            Security::None => None,
        }
    }

    /// The DTLS handshake is done.
    pub(crate) fn set_secured(&mut self, suite: &'static str) {
        self.secured = Some(suite);
    }

    fn agreed(&mut self, negotiated: Negotiated) -> Result<(), Refused> {
        if let Some(name) = negotiated.unresolved() {
            // A name in c= is legal (RFC 8866 5.7) and unheard of in the field; looking it up would let a peer make us ask its DNS.
            return Err(Refused {
                status: NOT_ACCEPTABLE,
                text: format!("c= names the host {name}; an address is needed"),
            });
        }
        if let (Some(agreed), Some(ice)) = (&negotiated.ice, &mut self.local.ice)
            && agreed.local != ice.credentials
        {
            // The peer restarted ICE.
            ice.credentials = agreed.local.clone();
            ice.next = policy::credentials()
                .map_err(|failure| Refused { status: NOT_ACCEPTABLE, text: failure.message })?;
        }
        let before = self.negotiated.replace(negotiated);
        let security =
            |negotiated: &Option<Negotiated>| negotiated.as_ref().map(|agreed| agreed.security.clone());
        if security(&before) != security(&self.negotiated) {
            self.secured = None;
        }
        Ok(())
    }
}

/// Binds the sockets of a line: what is said of them, and what the media thread is given. `what` they are for stands in the failure.
fn set_up(
    what: &str,
    address: IpAddr,
    first_port: u16,
    codecs: Vec<Capability>,
    policy: Policy,
) -> Result<(LocalMedia, TransportSetup), Failure> {
    let network = |error: std::io::Error| {
        Failure::new(FailureCode::Network, format!("no port for {what} on {address}: {error}"))
    };
    let pair = ports::bind_pair(bind_address(address), first_port).map_err(network)?;
    let mut local = LocalMedia::new(address, pair.port, codecs);
    policy.apply(&mut local)?;
    let ice = local.ice.as_ref();
    let ice = ice.map(|ice| Credentials::new(ice.credentials.ufrag(), ice.credentials.pwd()));
    let cname = format!("{:016x}", u64::from_be_bytes(policy::random()?));
    let identities = Identities { dtls: identity::dtls().cloned(), ice };
    Ok((local, TransportSetup { pair, seed: policy::random()?, cname, identities }))
}

/// On loopback nobody else can send to us; elsewhere the address may change under a call.
fn bind_address(address: IpAddr) -> IpAddr {
    match address {
        address if address.is_loopback() => address,
        IpAddr::V4(_) => IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED),
        IpAddr::V6(_) => IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED),
    }
}

fn is_same(a: &Capability, b: &Capability) -> bool {
    a.name.eq_ignore_ascii_case(&b.name) && a.clock_rate == b.clock_rate
}

/// Whether an offer wants no sound from us (RFC 3264 section 8.4).
pub(crate) fn offers_hold(offer: &[u8]) -> bool {
    let Ok(offer) = parse(offer) else { return false };
    let audio = offer.media.iter().find(|media| media.kind.eq_ignore_ascii_case("audio"));
    audio.is_some_and(|media| !offer.direction_of(media).receives())
}

fn parse(text: &[u8]) -> Result<SessionDescription, Refused> {
    SessionDescription::parse(text)
        .map_err(|error| Refused { status: BAD_REQUEST, text: format!("SDP: {error}") })
}

fn refused(refusal: Refusal) -> Refused {
    Refused { status: NOT_ACCEPTABLE, text: refusal.to_string() }
}

/// The capabilities behind the names of the settings, in their order.
///
/// # Errors
/// Names the codec that does not exist.
pub(crate) fn capabilities(names: &[String]) -> Result<Vec<Capability>, Failure> {
    let mut codecs: Vec<Capability> = Vec::new();
    for name in names {
        let codec = capability(name)?;
        if codecs.iter().any(|other| is_same(other, &codec)) {
            return Err(Failure::invalid("audio.codecs", format!("{name:?} is named twice")));
        }
        codecs.push(codec);
    }
    if codecs.is_empty() {
        return Err(Failure::invalid("audio.codecs", "at least one codec is needed"));
    }
    Ok(codecs)
}

fn capability(name: &str) -> Result<Capability, Failure> {
    match name.to_ascii_lowercase().as_str() {
        "opus" => Ok(Capability::opus()),
        "g722" => Ok(Capability::g722()),
        "pcma" => Ok(Capability::pcma()),
        "pcmu" => Ok(Capability::pcmu()),
        _ => Err(Failure::invalid(
            "audio.codecs",
            format!("{name:?} is no codec: opus, G722, PCMA and PCMU are"),
        )),
    }
}
