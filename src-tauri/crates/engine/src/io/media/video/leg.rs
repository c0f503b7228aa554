//! One leg of video: sockets and RTP session.

use crate::io::media::{Identities, LegId, News, RtpPair, leg::Wire};
use sidetone_rtp::{
    Config, Identity, KeepAlive, KeyFrameRequest, PayloadType, RtcpConfig, RtpPacket, Session,
    transport::MediaKind,
};
use sidetone_sdp::{Capability, Negotiated, NegotiatedCodec, RtpMap};
use std::time::{Duration, Instant, SystemTime};
use tokio::sync::mpsc;

/// What RTCP takes its share of, bit/s.
const BANDWIDTH: u32 = 1_000_000;
/// Least time between reports: requests and clocks of pictures do not wait as long as those of sound.
const BETWEEN_REPORTS: Duration = Duration::from_secs(1);
/// Between two requests for a key frame outside of RTCP.
const BETWEEN_REQUESTS: Duration = Duration::from_secs(1);

pub(in super::super) struct VideoLeg {
    id: LegId,
    /// The leg of the sound.
    of: LegId,
    pub(super) wire: Wire,
    session: Session,
    negotiated: Option<Negotiated>,
    /// Whose packets were sent last.
    source: Option<LegId>,
    /// A key frame is to be asked for.
    wants_key: bool,
    asked_outside: Option<Instant>,
    /// What is sent, reused.
    out: Vec<u8>,
}

impl VideoLeg {
    pub(in super::super) fn new(
        id: LegId,
        of: LegId,
        pair: RtpPair,
        seed: [u8; 32],
        cname: &str,
        identities: Identities,
        now: Instant,
    ) -> Self {
        let mut identity = [0; 10];
        identity.copy_from_slice(&seed[..10]);
        let mut spread = [0; 8];
        spread.copy_from_slice(&seed[16..24]);
        let rtcp = Some(RtcpConfig { session_bandwidth: BANDWIDTH, minimum: BETWEEN_REPORTS });
        let config = Config { rtcp, ..Config::new(Identity::from_random(identity), cname, Vec::new()) };
        Self {
            id,
            of,
            wire: Wire::new(pair, seed, identities, now),
            session: Session::new(config, now, u64::from_be_bytes(spread)),
            negotiated: None,
            source: None,
            wants_key: false,
            asked_outside: None,
            out: Vec::with_capacity(1500),
        }
    }

    pub(super) fn id(&self) -> LegId {
        self.id
    }

    pub(super) fn of(&self) -> LegId {
        self.of
    }

    pub(in super::super) fn configure(&mut self, negotiated: Negotiated, now: Instant) {
        let address = negotiated.remote.socket_addr();
        if self.wire.remote().is_some() && address != self.wire.remote() {
            self.session.expect_new_source(now);
        }
        self.wire.configure(now, &negotiated);
        let list = |numbers: fn(&NegotiatedCodec) -> Vec<u8>| -> Vec<PayloadType> {
            negotiated.codecs.iter().flat_map(numbers).map(PayloadType::video).collect()
        };
        self.session.set_payload_types(&list(|codec| codec.payload_types.receive.clone()));
        let sent = list(|codec| vec![codec.payload_types.send]);
        self.session.set_send_types(&sent);
        let is_negotiated = |number| sent.iter().any(|payload_type| payload_type.number == number);
        self.session.set_keep_alive(KeepAlive::choose(negotiated.rtcp_mux, None, is_negotiated));
        self.negotiated = Some(negotiated);
        self.source = None;
    }

    /// Checks a plain RTP packet; gives it with its codec where it may go on.
    pub(super) fn handle_rtp<'a>(
        &mut self,
        now: Instant,
        datagram: &'a [u8],
    ) -> Option<(RtpPacket<'a>, Capability)> {
        let negotiated = self.negotiated.as_ref().filter(|negotiated| negotiated.direction.receives())?;
        let packet = self.session.handle_rtp(now, datagram).ok()?;
        let mut codecs = negotiated.codecs.iter();
        let codec = codecs.find(|codec| codec.payload_types.receive.contains(&packet.payload_type))?;
        Some((packet, codec.capability.clone()))
    }

    /// True where the peer asks for a key frame.
    pub(super) fn handle_rtcp(&mut self, now: Instant, datagram: &[u8]) -> bool {
        let _ = self.session.handle_rtcp(now, datagram);
        self.session.take_key_frame_request()
    }

    /// Sends on what leg `from` received, untouched. True where its picture begins here, and a key frame is needed.
    pub(super) fn forward(
        &mut self,
        now: Instant,
        from: LegId,
        codec: &Capability,
        packet: &RtpPacket<'_>,
    ) -> bool {
        let Some(negotiated) = self.negotiated.as_ref().filter(|negotiated| negotiated.direction.sends())
        else {
            return false;
        };
        // A peer that takes other codecs alone sees nothing: nothing is transcoded.
        let Some(payload_type) = number_of(negotiated, codec) else { return false };
        if self.session.forward(now, from.0, packet, payload_type, &mut self.out) {
            self.wire.send(MediaKind::Rtp, &mut self.out);
        }
        self.source.replace(from) != Some(from)
    }

    /// What comes cannot be seen without a key frame.
    pub(super) fn want_key(&mut self) {
        self.wants_key = true;
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.wire.poll_timeout()
    }

    pub(super) fn report(&mut self, now: Instant, buffer: &mut Vec<u8>, news: &mpsc::Sender<News>) {
        self.wire.tick(now, self.id, news);
        self.ask_key(now, buffer, news);
        if self.negotiated.as_ref().is_none_or(|negotiated| negotiated.rtcp_disabled) {
            return;
        }
        if self.session.poll_timeout().is_none_or(|deadline| deadline > now) {
            return;
        }
        if self.session.poll_rtcp(now, SystemTime::now(), buffer) {
            self.wire.send(MediaKind::Rtcp, buffer);
        }
        if self.session.poll_keep_alive(now, buffer) {
            self.wire.send(MediaKind::Rtp, buffer);
        }
    }

    /// By RTCP where the peer takes it (RFC 4585, RFC 5104), else by what the signalling has (RFC 5168).
    pub(super) fn ask_key(&mut self, now: Instant, buffer: &mut Vec<u8>, news: &mpsc::Sender<News>) {
        let Some(negotiated) = self.negotiated.as_ref().filter(|_| self.wants_key) else { return };
        let feedback = negotiated.feedback;
        let request = match (feedback.pli, feedback.fir) {
            _ if negotiated.rtcp_disabled => None,
            (true, _) => Some(KeyFrameRequest::PictureLoss),
            (false, true) => Some(KeyFrameRequest::FullIntra),
            (false, false) => None,
        };
        match request {
            Some(request) => {
                if self.session.write_key_frame_request(now, request, buffer) {
                    self.wants_key = false;
                    self.wire.send(MediaKind::Rtcp, buffer);
                }
            }
            None => {
                let is_early = |asked: Instant| now.saturating_duration_since(asked) < BETWEEN_REQUESTS;
                if !self.asked_outside.is_some_and(is_early) {
                    (self.wants_key, self.asked_outside) = (false, Some(now));
                    let _ = news.try_send(News::KeyFrameWanted { leg: self.id });
                }
            }
        }
    }

    pub(super) fn goodbye(&mut self, now: Instant, buffer: &mut Vec<u8>) {
        let disabled = self.negotiated.as_ref().is_some_and(|negotiated| negotiated.rtcp_disabled);
        if self.session.goodbye(now, SystemTime::now(), None, buffer) && !disabled {
            self.wire.send(MediaKind::Rtcp, buffer);
        }
    }
}

/// Under which number the peer takes this codec.
fn number_of(negotiated: &Negotiated, codec: &Capability) -> Option<u8> {
    let Capability { name, clock_rate, channels, fmtp, .. } = codec;
    let map = RtpMap { payload_type: 0, name: name.clone(), clock_rate: *clock_rate, channels: *channels };
    let mut codecs = negotiated.codecs.iter();
    let same = codecs.find(|own| own.capability.matches_format(&map, fmtp.as_deref()))?;
    Some(same.payload_types.send)
}
