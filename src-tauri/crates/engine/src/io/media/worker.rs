//! The media thread's loop.

use super::{
    Ask, Join, LegId, News,
    device::Desk,
    leg::{Forwarded, Leg, Pressed},
    record::Recordings,
    streams::Sounds,
    tape::Tape,
    video::{VideoLeg, Videos},
};
use crate::io::door::{Inbox, WAKE};
use mio::{Events, Interest, Token};
use sidetone_media::Mixer;
use sidetone_rtp::{PayloadClass, RtpPacket, transport::MediaKind};
use std::{
    collections::BTreeMap,
    io,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// The beat of all codecs and devices.
pub(super) const BEAT: Duration = Duration::from_millis(10);
/// How often reports and time-outs are looked at while nothing needs the beat.
const IDLE_BEAT: Duration = Duration::from_millis(100);
/// A thread that was stopped for longer does not make up for it.
const MOST_BEATS: u32 = 10;
pub(super) const LARGEST_DATAGRAM: usize = 2048;

pub(super) struct Worker {
    /// Asks, and what the encoders and decoders of calls say.
    pub(super) inbox: Inbox<Ask>,
    pub(super) news: mpsc::Sender<News>,
    pub(super) legs: BTreeMap<LegId, Leg>,
    pub(super) desk: Desk,
    pub(super) conference: Mixer,
    pub(super) recordings: Recordings,
    pub(super) tape: Tape,
    pub(super) sounds: Sounds,
    pub(super) videos: Videos,
    /// What is being received or sent.
    pub(super) buffer: Vec<u8>,
    next_beat: Instant,
}

impl Worker {
    pub(super) fn new(inbox: Inbox<Ask>, news: mpsc::Sender<News>) -> Self {
        Self {
            inbox,
            news,
            legs: BTreeMap::new(),
            desk: Desk::default(),
            conference: Mixer::default(),
            recordings: Recordings::default(),
            tape: Tape::default(),
            sounds: Sounds::default(),
            videos: Videos::default(),
            buffer: vec![0; LARGEST_DATAGRAM],
            next_beat: Instant::now(),
        }
    }

    pub(super) fn run(mut self) {
        let mut events = Events::with_capacity(64);
        loop {
            let patience = self.patience(Instant::now());
            if !self.inbox.wait(&mut events, patience) {
                break;
            }
            // What was agreed comes before the packets that follow it: the first one after a 200 would be lost otherwise.
            self.take_asks();
            let now = Instant::now();
            for event in &events {
                if event.token() != WAKE {
                    self.receive(now, event.token());
                }
            }
            self.take_pictures(now);
            self.beat_if_due();
        }
        self.recordings.close();
        self.desk.close();
    }

    fn needs_beat(&self) -> bool {
        self.desk.needs_beat() || !self.sounds.is_empty() || self.legs.values().any(Leg::needs_beat)
    }

    /// How long there is nothing to do; `None` for ever.
    pub(super) fn patience(&self, now: Instant) -> Option<Duration> {
        if self.needs_beat() {
            Some(self.next_beat.saturating_duration_since(now))
        } else {
            let due = self.legs.values().filter_map(Leg::poll_timeout);
            let due = due.chain(self.videos.poll_timeout()).min();
            let wait = due.map_or(IDLE_BEAT, |due| due.saturating_duration_since(now).min(IDLE_BEAT));
            (!self.legs.is_empty()).then_some(wait)
        }
    }

    fn beat_if_due(&mut self) {
        let mut now = Instant::now();
        if !self.needs_beat() {
            self.next_beat = now + BEAT;
            return self.reports(now);
        }
        let mut beats = 0;
        while self.next_beat <= now && beats < MOST_BEATS {
            self.beat(now);
            self.next_beat += BEAT;
            beats += 1;
            now = Instant::now();
        }
        if self.next_beat <= now {
            self.next_beat = now + BEAT;
        }
        if beats > 0 {
            self.reports(now);
        }
    }

    pub(super) fn take_asks(&mut self) {
        while let Some(ask) = self.inbox.ask() {
            self.on_ask(ask);
        }
    }

    fn on_ask(&mut self, ask: Ask) {
        let now = Instant::now();
        match ask {
            Ask::Open { leg, setup } => self.open(Leg::new(leg, setup, now)),
            Ask::OpenVideo { leg, of, setup } => self.open_video(VideoLeg::new(leg, of, setup, now)),
            Ask::ShowVideo { leg, ends } => {
                if let Some(video) = self.videos.get_mut(leg) {
                    video.show_at(*ends);
                }
            }
            Ask::KeyFrame { leg } => self.key_frame_asked(now, leg),
            Ask::Gather { leg, server } => {
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.wire.gather(now, server);
                } else if let Some(video) = self.videos.get_mut(leg) {
                    video.gather(now, server);
                }
            }
            Ask::Configure { leg, negotiated } => {
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.configure(*negotiated, now);
                } else if let Some(video) = self.videos.get_mut(leg) {
                    video.configure(*negotiated, now);
                }
            }
            Ask::Join { leg, with } => {
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.join(with, now);
                }
            }
            Ask::Mute { leg, muted } => {
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.muted = muted;
                }
            }
            Ask::SendDtmf { leg, digits } => {
                self.press(leg, &digits, |leg, digit| leg.press(digit) != Pressed::Lost);
            }
            Ask::SendTones { leg, digits } => {
                self.press(leg, &digits, Leg::sound);
            }
            Ask::PadTones { digits } => self.desk.press(&digits),
            Ask::Processing(options) => self.desk.set_processing(options),
            Ask::HoldMusic(music) => {
                let before = self.tape.insert(music);
                self.desk.dispose(move || drop(before));
            }
            Ask::Inject { leg, source } => {
                let before = match self.legs.get_mut(&leg) {
                    Some(leg) => leg.inject(source),
                    None => source,
                };
                self.desk.dispose(move || drop(before));
            }
            Ask::Tee { leg, to } => {
                if let Some(leg) = self.legs.get_mut(&leg) {
                    leg.tee(to);
                }
            }
            Ask::PublishLeg { leg, sound } => {
                // Of a leg that has gone nothing would ever end.
                let sound = sound.filter(|_| self.legs.contains_key(&leg));
                if let Some(before) = self.sounds.publish_leg(leg, sound.map(|sound| *sound)) {
                    self.desk.dispose(move || drop(before));
                }
            }
            Ask::PublishVideo { leg, outlet } => {
                if let Some(video) = self.videos.get_mut(leg) {
                    video.publish(outlet.map(|outlet| *outlet));
                }
            }
            Ask::Record { leg, others, recorder, announced } => {
                self.recordings.start(leg, others, recorder, announced, &self.news);
            }
            Ask::PauseRecording { leg, paused } => self.recordings.pause(leg, paused, &self.news),
            Ask::StopRecording { leg } => self.recordings.stop(leg, &self.news),
            Ask::Close { leg } => self.close(leg, now),
            Ask::Microphone(source) => self.desk.set_microphone(source),
            Ask::Speaker(sink) => self.desk.set_speaker(sink),
            Ask::Ringer(sink) => self.desk.set_ringer(sink),
            Ask::MeasureMicrophone(on) => self.desk.measure_microphone(on),
            Ask::Progress(tone) => self.desk.set_progress(tone),
            Ask::Publish { stream, sound } => {
                if let Some(before) = self.sounds.publish(stream, *sound) {
                    self.desk.dispose(move || drop(before));
                }
            }
            Ask::Faders { stream, faders } => {
                if let Some(late) = self.sounds.set_faders(stream, faders) {
                    self.desk.dispose(move || drop(late));
                }
            }
            Ask::Gains { stream, gains } => self.sounds.set_gains(stream, &gains),
            Ask::MuteStream { stream, muted } => self.sounds.mute(stream, muted),
            Ask::Play { stream, sound } => self.sounds.play(stream, *sound),
            Ask::Volume { stream, volume } => self.sounds.set_volume(stream, volume),
            Ask::EndStream { stream } => {
                if let Some(ended) = self.sounds.end(stream) {
                    self.desk.dispose(move || drop(ended));
                }
            }
            Ask::TestTone { beats } => self.desk.start_test_tone(beats),
        }
    }

    /// Queues keys, and tells where one is lost.
    fn press(&mut self, id: LegId, digits: &str, queue: impl Fn(&mut Leg, char) -> bool) {
        let Some(leg) = self.legs.get_mut(&id) else { return };
        if digits.chars().filter(|&digit| !queue(leg, digit)).count() > 0 {
            let _ = self.news.try_send(News::KeyLost { leg: id });
        }
    }

    fn open(&mut self, mut leg: Leg) {
        let id = leg.id();
        let (rtp, rtcp) = tokens(id);
        let registry = self.inbox.registry();
        let result = registry
            .register(&mut leg.wire.rtp, rtp, Interest::READABLE)
            .and_then(|()| registry.register(&mut leg.wire.rtcp, rtcp, Interest::READABLE));
        match result {
            Ok(()) => {
                self.legs.insert(id, leg);
            }
            Err(error) => {
                let reason = format!("the sockets for its media cannot be read: {error}");
                let _ = self.news.try_send(News::NoMedia { leg: id, reason, brief: "Failed by error" });
            }
        }
    }

    fn close(&mut self, id: LegId, now: Instant) {
        let Some(mut leg) = self.legs.remove(&id) else { return self.close_video(id, now) };
        self.recordings.stop(id, &self.news);
        if let Some(unsaid) = self.sounds.publish_leg(id, None) {
            self.desk.dispose(move || drop(unsaid));
        }
        if let Some(unheard) = leg.inject(None) {
            self.desk.dispose(move || drop(unheard));
        }
        leg.goodbye(now, &mut self.buffer);
        let _ = self.inbox.registry().deregister(&mut leg.wire.rtp);
        let _ = self.inbox.registry().deregister(&mut leg.wire.rtcp);
        for other in self.legs.values_mut() {
            if other.joined() == Join::Leg(id) {
                other.join(Join::Nothing, now);
            }
        }
    }

    /// Reads a socket until it is empty, as edge-triggered readiness wants.
    pub(super) fn receive(&mut self, now: Instant, token: Token) {
        let (id, is_rtcp) = leg_of(token);
        // As large as the socket buffer is deep: a flood must not keep the thread from its beat.
        for _ in 0..256 {
            let Some(leg) = self.legs.get_mut(&id) else {
                return self.receive_video(now, id, is_rtcp, token);
            };
            self.buffer.resize(LARGEST_DATAGRAM, 0);
            let socket = if is_rtcp { &leg.wire.rtcp } else { &leg.wire.rtp };
            let (length, from) = match socket.recv_from(&mut self.buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An ICMP error that an earlier packet brought back.
                Err(_) => continue,
            };
            self.buffer.truncate(length);
            let Some(kind) = leg.wire.receive(now, is_rtcp, from, &mut self.buffer) else { continue };
            if kind == MediaKind::Rtcp {
                leg.handle_rtcp(now, &self.buffer);
                if let Some(clock) = leg.remote_clock() {
                    self.videos.sound_clock(id, clock);
                }
                continue;
            }
            let mut key = None;
            let Some(packet) = leg.handle_rtp(now, &self.buffer, |pressed| key = Some(pressed)) else {
                continue;
            };
            match leg.joined() {
                Join::Echo => drop(pass_on(&mut self.legs, now, id, id, &packet, key)),
                Join::Leg(other) => {
                    if let Some(digit) = pass_on(&mut self.legs, now, id, other, &packet, key) {
                        let _ = self.news.try_send(News::Digit { leg: id, digit });
                    }
                }
                Join::Nothing
                | Join::Devices
                | Join::Tone
                | Join::Conference
                | Join::Hold
                | Join::Room
                | Join::Injected => {
                    leg.play(now, &packet);
                    if let Some(digit) = key {
                        let _ = self.news.try_send(News::Digit { leg: id, digit });
                    }
                }
            }
        }
        // Not drained: be called again at once.
        if let Some(leg) = self.legs.get_mut(&id) {
            let socket = if is_rtcp { &mut leg.wire.rtcp } else { &mut leg.wire.rtp };
            let _ = self.inbox.registry().reregister(socket, token, Interest::READABLE);
        }
    }
}

/// Sends a packet on as it is, or through decoder and encoder where the other leg's peer does not know its codec. A key that
/// the peer cannot take as it came is pressed anew; given back where it takes no telephone events at all.
fn pass_on(
    legs: &mut BTreeMap<LegId, Leg>,
    now: Instant,
    from: LegId,
    to: LegId,
    packet: &RtpPacket<'_>,
    key: Option<char>,
) -> Option<char> {
    let leg = legs.get_mut(&from)?;
    if packet.class == PayloadClass::ComfortNoise && leg.is_transcoding() {
        leg.play(now, packet);
        return None;
    }
    let codec = leg.codec_of(packet.payload_type);
    let other = legs.get_mut(&to)?;
    if other.is_injected() {
        return None;
    }
    match (other.forward(now, from, codec, packet), key) {
        (Forwarded::OtherEvents, Some(digit)) if other.press(digit) == Pressed::NoEvents => {
            return Some(digit);
        }
        (Forwarded::OtherCodec, _) => {
            if let Some(leg) = legs.get_mut(&from) {
                leg.transcode(now, packet);
            }
        }
        (Forwarded::Done, _) if packet.class == PayloadClass::Audio => {
            if let Some(leg) = legs.get_mut(&from) {
                leg.pass_through();
            }
        }
        _ => {}
    }
    None
}

pub(super) fn tokens(id: LegId) -> (Token, Token) {
    let base = usize::try_from(id.0).unwrap_or(usize::MAX / 2) * 2;
    (Token(base), Token(base + 1))
}

fn leg_of(token: Token) -> (LegId, bool) {
    (LegId((token.0 / 2) as u64), token.0 % 2 == 1)
}
