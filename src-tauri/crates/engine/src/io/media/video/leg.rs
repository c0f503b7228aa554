//! One leg of video: sockets and RTP session.

use super::{Ends, VideoOutlet, measure::Measure, rate::Rate};
use crate::io::media::{LegId, News, TransportSetup, leg::Wire};
use crate::io::streams::{Key, Kind, Packet, Sounding, receive::Received};
use sidetone_api::CallVideoStatistics;
use sidetone_rtp::{
    Config, KeepAlive, KeyFrameRequest, PayloadType, RtcpConfig, RtpPacket, SenderClock, Session,
    transport::MediaKind,
};
use sidetone_sdp::{Capability, Negotiated, NegotiatedCodec, RtpMap};
use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant, SystemTime},
};
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
    ends: Option<Ends>,
    /// Where what it shows is played by many.
    outlet: Option<VideoOutlet>,
    rate: Rate,
    measure: Measure,
    /// Of H.264, as the peer's description has them.
    parameter_sets: Arc<[Vec<u8>]>,
    /// What is sent, reused.
    out: Vec<u8>,
}

impl VideoLeg {
    pub(in super::super) fn new(id: LegId, of: LegId, setup: TransportSetup, now: Instant) -> Self {
        let rtcp = Some(RtcpConfig { session_bandwidth: BANDWIDTH, minimum: BETWEEN_REPORTS });
        let (wire, session) = Wire::open(setup, now, |config| Config { rtcp, ..config });
        Self {
            id,
            of,
            wire,
            session,
            negotiated: None,
            source: None,
            wants_key: false,
            asked_outside: None,
            ends: None,
            outlet: None,
            rate: Rate::default(),
            measure: Measure::new(now),
            parameter_sets: Arc::default(),
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
        let parameters = negotiated.codec.h264_parameters();
        self.parameter_sets = parameters.map(|said| said.parameter_sets).unwrap_or_default().into();
        self.negotiated = Some(negotiated);
        self.source = None;
    }

    pub(in super::super) fn gather(&mut self, now: Instant, server: SocketAddr) {
        self.wire.gather(now, server);
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
        if let Some(clock) = self.session.remote_clock() {
            self.tell_clock(Kind::Video, clock);
        }
        let stats = self.session.stats();
        if let (Some(view), Some(ends)) = (stats.remote_view, &self.ends)
            && let Some(kbit) = self.rate.on_report(view.at, view.fraction_lost, stats.sent.octets)
        {
            ends.allow(kbit);
        }
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

    pub(super) fn key(&self) -> Option<Key> {
        self.ends.as_ref().map(|ends| ends.key)
    }

    pub(in super::super) fn show_at(&mut self, ends: Ends) {
        self.ends = Some(ends);
    }

    pub(super) fn tell_clock(&mut self, kind: Kind, clock: SenderClock) {
        if let Some(ends) = &self.ends {
            ends.clock(kind, clock);
        }
    }

    /// This of the sound is heard now. Gives how much later it is to be heard, for the sake of the pictures.
    pub(super) fn tell_heard(&self, sounding: Sounding) -> Duration {
        let sees = self.negotiated.as_ref().is_some_and(|negotiated| negotiated.direction.receives());
        self.ends.as_ref().filter(|_| sees).map(|ends| ends.heard(sounding)).unwrap_or_default()
    }

    /// Our picture of this timestamp was taken then.
    pub(super) fn captured(&mut self, timestamp: u32, at: Instant) {
        self.session.set_captured(timestamp, at);
    }

    /// Gives a packet to the decoder; `sound_clock` in Hz. True where a key frame is needed.
    pub(super) fn show(
        &mut self,
        now: Instant,
        codec: &Capability,
        sound_clock: Option<u32>,
        packet: &RtpPacket<'_>,
    ) -> bool {
        let (Some(ends), Ok(codec)) = (&mut self.ends, codec.name.parse()) else { return false };
        let parameter_sets = Arc::clone(&self.parameter_sets);
        // Nothing is asked for again: a SIP peer repairs by key frames alone.
        ends.show(now, Received { codec, sound_clock, repair: false, parameter_sets }, packet)
    }

    pub(in super::super) fn publish(&mut self, outlet: Option<VideoOutlet>) {
        self.wants_key |= outlet.is_some();
        self.outlet = outlet;
    }

    /// Gives a packet to those who play it as a stream.
    pub(super) fn pass(&mut self, now: Instant, codec: &Capability, packet: &RtpPacket<'_>) {
        if let (Some(outlet), Ok(codec)) = (&mut self.outlet, codec.name.parse()) {
            outlet.pass(now, codec, &self.parameter_sets, packet);
        }
    }

    /// The encoder is to send a key frame.
    pub(super) fn make_key(&mut self, now: Instant) {
        if let Some(ends) = &mut self.ends {
            ends.ask_key(now);
        }
    }

    /// Sends what the encoder has made.
    pub(super) fn say(&mut self, now: Instant, packet: &Packet) {
        let Some(negotiated) = self.negotiated.as_ref().filter(|negotiated| negotiated.direction.sends())
        else {
            return;
        };
        let number = negotiated.codec.payload_types.send;
        let Packet { timestamp, marker, payload, .. } = packet;
        let blind = !negotiated.feedback.pli && !negotiated.feedback.fir;
        self.session.write_rtp(now, number, *timestamp, *marker, payload, &mut self.out);
        let sent = self.wire.send(MediaKind::Rtp, &mut self.out);
        if let Some(ends) = &mut self.ends {
            ends.on_sent(now, sent, blind);
        }
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
        if let Some(ends) = &mut self.ends {
            ends.make_key(now);
        }
        self.wants_key |= self.outlet.as_ref().is_some_and(VideoOutlet::take_wants_key);
        self.ask_key(now, buffer, news);
        if self.negotiated.as_ref().is_some_and(|negotiated| !negotiated.rtcp_disabled) {
            self.wire.report(now, &mut self.session, buffer);
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

    /// For the screen, of the time since the last call.
    pub(in super::super) fn measure(&mut self, now: Instant) -> CallVideoStatistics {
        self.measure.take(now, &self.session.stats(), self.ends.as_ref().map(Ends::counters))
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
