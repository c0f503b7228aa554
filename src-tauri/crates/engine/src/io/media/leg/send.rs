//! What a leg sends: a frame encoded, a packet of another leg passed on, a key pressed.

use super::Leg;
use crate::io::media::LegId;
use sidetone_media::{Codec, Flow, Frame, PayloadKind as PacketKind, SILENCE, Source as _};
use sidetone_rtp::{
    PayloadClass, RtpPacket,
    telephone_event::{EventCode, EventSender, SenderOptions as EventOptions},
    transport::MediaKind,
};
use sidetone_sdp::NegotiatedEvents;
use std::time::{Duration, Instant};

const KEY_PRESS: Duration = Duration::from_millis(160);

/// Telephone events on their way out.
pub(super) struct Keys {
    sender: EventSender,
    payload_type: u8,
    clock_rate: u32,
    /// Where the events lie: on the audio's timeline, on one of their own where that has another clock.
    timestamp: u32,
    /// The audio's timeline when it was last looked at; it stands still until the first audio packet.
    seen: Option<u32>,
}

/// What became of a packet that another leg received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Forwarded {
    /// Sent, or not wanted by the peer now.
    Done,
    /// The peer does not know the codec.
    OtherCodec,
    /// The peer takes telephone events of another clock, or none.
    OtherEvents,
}

/// What became of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Pressed {
    /// It waits, or is not wanted by the peer now.
    Done,
    /// Too many wait.
    Lost,
    /// No telephone events were negotiated.
    NoEvents,
}

impl Keys {
    pub(super) fn new(events: &NegotiatedEvents) -> Self {
        Self {
            sender: EventSender::new(EventOptions::new(events.clock_rate)),
            payload_type: events.payload_types.send,
            clock_rate: events.clock_rate,
            timestamp: 0,
            seen: None,
        }
    }

    /// The next tick, 10 ms after the last. `audio` is the audio's timeline where the events share its clock.
    fn advance(&mut self, audio: Option<u32>) -> u32 {
        let step = self.clock_rate / 100;
        match audio {
            Some(audio) if self.seen.replace(audio) != Some(audio) => self.timestamp = audio,
            _ => self.timestamp = self.timestamp.wrapping_add(step),
        }
        step
    }
}

impl Leg {
    /// Queues a key to be sent as a telephone event.
    pub(in super::super) fn press(&mut self, digit: char) -> Pressed {
        if !self.sends() {
            return Pressed::Done;
        }
        let Some(keys) = &mut self.keys else { return Pressed::NoEvents };
        match EventCode::from_key(digit).map(|code| keys.sender.send(code, KEY_PRESS)) {
            Some(Err(_)) => Pressed::Lost,
            Some(Ok(())) | None => Pressed::Done,
        }
    }

    /// Keys wait to be sent.
    pub(in super::super) fn is_dialling(&self) -> bool {
        self.keys.as_ref().is_some_and(|keys| keys.sender.is_sending())
    }

    /// Sends on what a leg received, untouched.
    pub(in super::super) fn forward(
        &mut self,
        now: Instant,
        from: LegId,
        codec: Option<Codec>,
        packet: &RtpPacket<'_>,
    ) -> Forwarded {
        if !self.sends() {
            return Forwarded::Done;
        }
        let Some(payload_type) = self.outgoing_type(codec, packet) else {
            return match packet.class {
                PayloadClass::Audio => Forwarded::OtherCodec,
                PayloadClass::TelephoneEvent => Forwarded::OtherEvents,
                PayloadClass::ComfortNoise | PayloadClass::Video => Forwarded::Done,
            };
        };
        // Our own keys take the place of the audio.
        let gives_way = packet.class != PayloadClass::TelephoneEvent && self.is_dialling();
        if !gives_way && self.session.forward(now, from.0, packet, payload_type, &mut self.out) {
            self.wire.send(MediaKind::Rtp, &mut self.out);
        }
        Forwarded::Done
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
            PayloadClass::Video => None,
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
    pub(in super::super) fn speak(&mut self, now: Instant, frame: &Frame) {
        let Some(negotiated) = self.negotiated.as_ref().filter(|negotiated| negotiated.direction.sends())
        else {
            return;
        };
        let Some((_, sender)) = &mut self.sender else { return };
        self.measure.spoke(frame);
        let (session, out, wire) = (&mut self.session, &mut self.out, &mut self.wire);
        let noise = negotiated.comfort_noise.as_ref().map(|types| types.send);
        let dialling = self.dialled;
        sender.push(frame, &mut |packet| {
            let payload_type = match packet.kind {
                PacketKind::Media => Some(negotiated.codec.payload_types.send),
                PacketKind::ComfortNoise => noise,
            };
            if let Some(payload_type) = payload_type.filter(|_| !dialling) {
                session.write_rtp(now, payload_type, packet.timestamp, packet.marker, packet.payload, out);
                wire.send(MediaKind::Rtp, out);
            }
        });
    }

    /// Sends the telephone event that is due; once a beat, before the audio, which pauses meanwhile.
    pub(in super::super) fn dial(&mut self, now: Instant) {
        let keys = self.keys.as_mut().filter(|keys| keys.sender.is_sending());
        self.dialled = keys.is_some();
        let Some(keys) = keys else { return };
        let audio_clock = self.negotiated.as_ref().map(|negotiated| negotiated.codec.capability.clock_rate);
        let audio = (audio_clock == Some(keys.clock_rate)).then(|| self.session.timestamp(now));
        let step = keys.advance(audio);
        let (session, out, wire) = (&mut self.session, &mut self.out, &mut self.wire);
        let payload_type = keys.payload_type;
        keys.sender.tick(keys.timestamp, step, |packet| {
            session.write_between(now, payload_type, packet.timestamp, packet.marker, &packet.payload, out);
            wire.send(MediaKind::Rtp, out);
        });
    }

    pub(in super::super) fn tone(&mut self, now: Instant) {
        let mut frame = SILENCE;
        let _: Flow = self.tone.read(&mut frame);
        self.speak(now, &frame);
    }
}
