//! One RTP leg on the media thread: sockets, RTP session, codecs.

use super::{Join, LegId, News, RtpPair, measure::Measure};
use sidetone_media::{
    AudioReceiver, AudioSender, Codec, Flow, Frame, PayloadKind as PacketKind, ReceivedPacket,
    ReceiverOptions, SILENCE, SenderOptions, Source as _, tone::TestTone,
};
use sidetone_rtp::{
    Config, Identity, KeepAlive, Latching, PayloadClass, PayloadType, RemoteAddress, RtpPacket, Session,
    Verdict,
    telephone_event::{EventCode, EventReceiver, EventSender, SenderOptions as EventOptions, TelephoneEvent},
};
use sidetone_sdp::{Negotiated, PayloadKind, PayloadTypes};
use std::{
    net::{SocketAddr, UdpSocket as StdUdpSocket},
    time::{Duration, Instant, SystemTime},
};
use tokio::sync::mpsc;

const KEY_PRESS: Duration = Duration::from_millis(160);

pub(super) struct Leg {
    id: LegId,
    pub(super) rtp: mio::net::UdpSocket,
    pub(super) rtcp: mio::net::UdpSocket,
    session: Session,
    remote: RemoteAddress,
    negotiated: Option<Negotiated>,
    join: Join,
    pub(super) muted: bool,
    sender: Option<(Codec, AudioSender)>,
    /// The decoder in use and the payload type that it is for.
    receiver: Option<(u8, AudioReceiver)>,
    transcoding: bool,
    events: EventReceiver,
    keys: Option<Keys>,
    tone: TestTone,
    measure: Measure,
    /// What is sent, reused.
    out: Vec<u8>,
}

/// Telephone events on their way out.
struct Keys {
    sender: EventSender,
    payload_type: u8,
    clock_rate: u32,
    /// Own timeline, where the events' clock is not the audio's.
    timestamp: u32,
}

impl Leg {
    pub(super) fn new(id: LegId, pair: RtpPair, seed: [u8; 32], cname: &str, now: Instant) -> Self {
        let mut identity = [0; 10];
        identity.copy_from_slice(&seed[..10]);
        let mut spread = [0; 8];
        spread.copy_from_slice(&seed[16..24]);
        let config = Config::new(Identity::from_random(identity), cname, Vec::new());
        let mio = |socket: StdUdpSocket| mio::net::UdpSocket::from_std(socket);
        Self {
            id,
            rtp: mio(pair.rtp),
            rtcp: mio(pair.rtcp),
            session: Session::new(config, now, u64::from_be_bytes(spread)),
            remote: RemoteAddress::new(Latching::On, None, None),
            negotiated: None,
            join: Join::Nothing,
            muted: false,
            sender: None,
            receiver: None,
            transcoding: false,
            events: EventReceiver::new(),
            keys: None,
            tone: TestTone::new(440.0),
            measure: Measure::new(now),
            out: Vec::with_capacity(1500),
        }
    }

    pub(super) fn configure(&mut self, negotiated: Negotiated, now: Instant) {
        let address = negotiated.remote.socket_addr();
        let rtcp = negotiated.remote_rtcp.as_ref().and_then(|endpoint| endpoint.socket_addr());
        if self.remote.rtp().is_some() && address != self.remote.rtp() {
            self.session.expect_new_source(now);
        }
        self.remote.signal(address, rtcp);
        self.session.set_payload_types(&received_types(&negotiated));
        let sent = sent_types(&negotiated);
        self.session.set_send_types(&sent);
        let noise = negotiated.comfort_noise.as_ref().map(|types| types.send);
        let is_negotiated = |number| sent.iter().any(|payload_type| payload_type.number == number);
        self.session.set_keep_alive(KeepAlive::choose(negotiated.rtcp_mux, noise, is_negotiated));
        let codec = negotiated.codec.capability.name.parse::<Codec>().ok();
        let unchanged = self.negotiated.as_ref().is_some_and(|old| {
            old.codec == negotiated.codec && old.ptime == negotiated.ptime && old.dtmf == negotiated.dtmf
        });
        if !unchanged {
            self.sender = codec.and_then(|codec| Some((codec, new_sender(codec, &negotiated)?)));
            self.receiver = None;
            self.keys = negotiated.dtmf.as_ref().map(|events| Keys {
                sender: EventSender::new(EventOptions::new(events.clock_rate)),
                payload_type: events.payload_types.send,
                clock_rate: events.clock_rate,
                timestamp: 0,
            });
        }
        self.negotiated = Some(negotiated);
        self.measure.restart_silence(now);
    }

    pub(super) fn join(&mut self, with: Join, now: Instant) {
        self.join = with;
        self.transcoding = false;
        if let Some((_, receiver)) = &mut self.receiver {
            receiver.reset();
        }
        self.measure.restart_silence(now);
    }

    pub(super) fn joined(&self) -> Join {
        self.join
    }

    pub(super) fn sends(&self) -> bool {
        self.negotiated.as_ref().is_some_and(|negotiated| negotiated.direction.sends())
    }

    fn receives(&self) -> bool {
        self.negotiated.as_ref().is_some_and(|negotiated| negotiated.direction.receives())
    }

    pub(super) fn is_transcoding(&self) -> bool {
        self.transcoding
    }

    pub(super) fn needs_beat(&self) -> bool {
        let dialling = self.keys.as_ref().is_some_and(|keys| keys.sender.is_sending());
        self.negotiated.is_some()
            && (matches!(self.join, Join::Devices | Join::Tone) || self.transcoding || dialling)
    }

    pub(super) fn press(&mut self, digit: char) {
        if let (Some(keys), Some(code)) = (&mut self.keys, EventCode::from_key(digit)) {
            let _ = keys.sender.send(code, KEY_PRESS);
        }
    }

    /// Checks a datagram from `from`; gives the packet where there is something to play or forward.
    pub(super) fn handle_rtp<'a>(
        &mut self,
        now: Instant,
        from: SocketAddr,
        datagram: &'a [u8],
        mut tell: impl FnMut(char),
    ) -> Option<RtpPacket<'a>> {
        if !self.receives() || self.remote.handle_rtp(now, from, datagram) == Verdict::Reject {
            return None;
        }
        let packet = self.session.handle_rtp(now, datagram).ok()?;
        if packet.class == PayloadClass::TelephoneEvent {
            let _ = self.events.handle_packet(now, &packet);
            self.tell_keys(&mut tell);
        }
        Some(packet)
    }

    fn tell_keys(&mut self, tell: &mut impl FnMut(char)) {
        while let Some(event) = self.events.poll_event() {
            if let TelephoneEvent::Started { code, .. } = event
                && let Some(key) = code.key()
            {
                tell(key);
            }
        }
    }

    pub(super) fn handle_rtcp(&mut self, now: Instant, from: SocketAddr, datagram: &[u8]) {
        if self.remote.handle_rtcp(from) == Verdict::Accept {
            let _ = self.session.handle_rtcp(now, datagram);
        }
    }

    /// Gives a packet to the decoder.
    pub(super) fn play(&mut self, now: Instant, packet: &RtpPacket<'_>) {
        let kind = match packet.class {
            PayloadClass::Audio => PacketKind::Media,
            PayloadClass::ComfortNoise => PacketKind::ComfortNoise,
            PayloadClass::TelephoneEvent => return,
        };
        if self.join == Join::Nothing || self.join == Join::Tone || !self.has_receiver_for(packet) {
            return;
        }
        if let Some((_, receiver)) = &mut self.receiver {
            if packet.source_changed {
                receiver.reset();
            }
            let RtpPacket { sequence, timestamp, marker, payload, .. } = *packet;
            receiver.push(now, ReceivedPacket { sequence, timestamp, marker, payload, kind });
        }
    }

    fn has_receiver_for(&mut self, packet: &RtpPacket<'_>) -> bool {
        let current = self.receiver.as_ref().map(|(payload_type, _)| *payload_type);
        if packet.class == PayloadClass::ComfortNoise || current == Some(packet.payload_type) {
            return current.is_some();
        }
        let negotiated = self.negotiated.as_ref();
        let kind = negotiated.and_then(|negotiated| negotiated.payload_kind(packet.payload_type));
        let Some(PayloadKind::Codec(codec)) = kind else { return false };
        let receiver = codec
            .capability
            .name
            .parse::<Codec>()
            .ok()
            .and_then(|codec| AudioReceiver::new(codec, ReceiverOptions::default()).ok());
        self.receiver = receiver.map(|receiver| (packet.payload_type, receiver));
        self.receiver.is_some()
    }

    /// A packet whose codec the other leg does not speak: decode it here, encode it there.
    pub(super) fn transcode(&mut self, now: Instant, packet: &RtpPacket<'_>) {
        self.transcoding = true;
        self.play(now, packet);
    }

    /// What a received payload type carries.
    pub(super) fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        match self.negotiated.as_ref()?.payload_kind(payload_type)? {
            PayloadKind::Codec(codec) => codec.capability.name.parse::<Codec>().ok(),
            PayloadKind::TelephoneEvent(_) | PayloadKind::ComfortNoise => None,
        }
    }

    /// Sends on what a leg received, untouched. `false` where this leg's peer does not know the codec.
    pub(super) fn forward(
        &mut self,
        now: Instant,
        from: LegId,
        codec: Option<Codec>,
        packet: &RtpPacket<'_>,
    ) -> bool {
        if !self.sends() {
            return true;
        }
        let Some(payload_type) = self.outgoing_type(codec, packet) else {
            return packet.class != PayloadClass::Audio;
        };
        if self.session.forward(now, from.0, packet, payload_type, &mut self.out) {
            send(&self.rtp, &self.out, self.remote.rtp());
        }
        true
    }

    fn outgoing_type(&self, codec: Option<Codec>, packet: &RtpPacket<'_>) -> Option<u8> {
        let negotiated = self.negotiated.as_ref()?;
        match packet.class {
            PayloadClass::Audio => {
                let codec = codec?;
                let mut known = negotiated.codecs.iter();
                let same = known.find(|own| own.capability.name.parse() == Ok(codec))?;
                Some(same.payload_types.send)
            }
            PayloadClass::ComfortNoise => negotiated.comfort_noise.as_ref().map(|types| types.send),
            PayloadClass::TelephoneEvent => {
                let mut events = negotiated.events.iter();
                events
                    .find(|events| events.clock_rate == packet.clock_rate)
                    .map(|events| events.payload_types.send)
            }
        }
    }

    /// Encodes and sends a frame: the microphone's, a transcoded one.
    pub(super) fn speak(&mut self, now: Instant, frame: &Frame) {
        let dialling = self.dial(now);
        let Some(negotiated) = self.negotiated.as_ref().filter(|negotiated| negotiated.direction.sends())
        else {
            return;
        };
        let Some((_, sender)) = &mut self.sender else { return };
        let frame = if self.muted { &SILENCE } else { frame };
        self.measure.spoke(frame);
        let (session, out, rtp, remote) = (&mut self.session, &mut self.out, &self.rtp, self.remote.rtp());
        let noise = negotiated.comfort_noise.as_ref().map(|types| types.send);
        sender.push(frame, &mut |packet| {
            let payload_type = match packet.kind {
                PacketKind::Media => Some(negotiated.codec.payload_types.send),
                PacketKind::ComfortNoise => noise,
            };
            if let Some(payload_type) = payload_type.filter(|_| !dialling) {
                session.write_rtp(now, payload_type, packet.timestamp, packet.marker, packet.payload, out);
                send(rtp, out, remote);
            }
        });
    }

    /// Sends the telephone event that is due; true while one is being sent, and audio pauses.
    fn dial(&mut self, now: Instant) -> bool {
        let Some(keys) = self.keys.as_mut().filter(|keys| keys.sender.is_sending()) else { return false };
        let audio_clock = self.negotiated.as_ref().map(|negotiated| negotiated.codec.capability.clock_rate);
        let step = keys.clock_rate / 100;
        keys.timestamp = if audio_clock == Some(keys.clock_rate) {
            self.session.timestamp(now)
        } else {
            keys.timestamp.wrapping_add(step)
        };
        let (session, out, rtp, remote) = (&mut self.session, &mut self.out, &self.rtp, self.remote.rtp());
        let payload_type = keys.payload_type;
        keys.sender.tick(keys.timestamp, step, |packet| {
            session.write_between(now, payload_type, packet.timestamp, packet.marker, &packet.payload, out);
            send(rtp, out, remote);
        });
        true
    }

    pub(super) fn tone(&mut self, now: Instant) {
        let mut frame = SILENCE;
        let _: Flow = self.tone.read(&mut frame);
        self.speak(now, &frame);
    }

    /// Decodes 10 ms; false where nothing has arrived yet.
    pub(super) fn listen(&mut self, now: Instant, frame: &mut Frame) -> bool {
        let Some((_, receiver)) = &mut self.receiver else { return false };
        let played = receiver.pull(now, frame);
        self.measure.heard(frame, played);
        true
    }

    /// Sends the RTCP that is due, and ends a telephone event that fell silent.
    pub(super) fn report(&mut self, now: Instant, buffer: &mut Vec<u8>) {
        self.events.handle_timeout(now);
        if self.negotiated.as_ref().is_none_or(|negotiated| negotiated.rtcp_disabled) {
            return;
        }
        if self.session.poll_timeout().is_none_or(|deadline| deadline > now) {
            return;
        }
        if self.session.poll_rtcp(now, SystemTime::now(), buffer) {
            send(&self.rtcp, buffer, self.remote.rtcp());
        }
        if self.session.poll_keep_alive(now, buffer) {
            send(&self.rtp, buffer, self.remote.rtp());
        }
    }

    pub(super) fn goodbye(&mut self, now: Instant, buffer: &mut Vec<u8>) {
        let disabled = self.negotiated.as_ref().is_some_and(|negotiated| negotiated.rtcp_disabled);
        if self.session.goodbye(now, SystemTime::now(), None, buffer) && !disabled {
            send(&self.rtcp, buffer, self.remote.rtcp());
        }
    }

    /// Tells the figures when they are due, and when the far end falls silent.
    pub(super) fn watch(&mut self, now: Instant, news: &mpsc::Sender<News>) {
        if self.join != Join::Devices || self.negotiated.is_none() || !self.measure.is_due(now) {
            return;
        }
        let stats = self.session.stats();
        let depth = self.receiver.as_ref().map(|(_, receiver)| receiver.stats());
        let statistics = self.measure.take(now, &stats, depth.as_ref());
        if let (Some((_, sender)), Some(loss)) = (&mut self.sender, statistics.remote_loss_percent) {
            sender.set_expected_loss(loss.clamp(0.0, 100.0) as u8);
        }
        let _ = news.try_send(News::Measured { leg: self.id, statistics });
        match self.measure.silence(now, &stats, self.receives()) {
            Some(true) => drop(news.try_send(News::Silent { leg: self.id })),
            Some(false) => drop(news.try_send(News::HeardAgain { leg: self.id })),
            None => {}
        }
    }
}

/// What may come, by number.
fn received_types(negotiated: &Negotiated) -> Vec<PayloadType> {
    list_types(negotiated, |types| types.receive.clone())
}

/// What we send; the same number may mean something else than in the other direction.
fn sent_types(negotiated: &Negotiated) -> Vec<PayloadType> {
    list_types(negotiated, |types| vec![types.send])
}

fn list_types(negotiated: &Negotiated, numbers: impl Fn(&PayloadTypes) -> Vec<u8>) -> Vec<PayloadType> {
    let mut list = Vec::new();
    for events in &negotiated.events {
        let numbers = numbers(&events.payload_types).into_iter();
        list.extend(numbers.map(|number| PayloadType::telephone_event(number, events.clock_rate)));
    }
    if let Some(types) = &negotiated.comfort_noise {
        list.extend(numbers(types).into_iter().map(|number| PayloadType::comfort_noise(number, 8000)));
    }
    for codec in &negotiated.codecs {
        let clock_rate = codec.capability.clock_rate;
        list.extend(
            numbers(&codec.payload_types).into_iter().map(|number| PayloadType::audio(number, clock_rate)),
        );
    }
    list
}

fn new_sender(codec: Codec, negotiated: &Negotiated) -> Option<AudioSender> {
    let options =
        SenderOptions { ptime_ms: codec.nearest_ptime(negotiated.ptime), ..SenderOptions::default() };
    AudioSender::new(codec, options).inspect_err(|error| tracing::error!("{codec:?}: {error}")).ok()
}

/// Sends one datagram. One that cannot be sent now (no route, full buffer) is lost, as in the network: the far end's reports
/// and the silence watch tell of it.
fn send(socket: &mio::net::UdpSocket, datagram: &[u8], to: Option<SocketAddr>) {
    if let Some(to) = to
        && let Err(error) = socket.send_to(datagram, to)
    {
        tracing::trace!("{to}: {error}");
    }
}
