//! What a leg receives: checked, counted, and given to the decoder.

use super::Leg;
use crate::io::{media::Join, streams::Sounding};
use sidetone_media::{
    AudioReceiver, Codec, Frame, PayloadKind as PacketKind, ReceivedPacket, ReceiverOptions,
};
use sidetone_rtp::{PayloadClass, RtpPacket, telephone_event::TelephoneEvent};
use sidetone_sdp::PayloadKind;
use std::time::{Duration, Instant};

impl Leg {
    /// Checks a plain RTP packet; gives it where there is something to play or forward.
    pub(in super::super) fn handle_rtp<'a>(
        &mut self,
        now: Instant,
        datagram: &'a [u8],
        mut tell: impl FnMut(char),
    ) -> Option<RtpPacket<'a>> {
        if !self.receives() {
            return None;
        }
        let packet = self.session.handle_rtp(now, datagram).ok()?;
        self.sound.on_packet(now, &packet);
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

    pub(in super::super) fn handle_rtcp(&mut self, now: Instant, datagram: &[u8]) {
        let _ = self.session.handle_rtcp(now, datagram);
    }

    /// What the peer last said of its clock.
    pub(in super::super) fn remote_clock(&self) -> Option<sidetone_rtp::SenderClock> {
        self.session.remote_clock()
    }

    /// What of it is heard now.
    pub(in super::super) fn sounding(&self, now: Instant) -> Option<Sounding> {
        let (_, receiver) = self.receiver.as_ref()?;
        Some(Sounding { timestamp: receiver.playing()?, at: now, waited: receiver.waiting()? })
    }

    /// It is to be heard so much later than the network asks for.
    pub(in super::super) fn set_extra_delay(&mut self, extra: Duration) {
        if let Some((_, receiver)) = &mut self.receiver {
            receiver.set_extra_delay(extra);
        }
    }

    /// The clock of what is received, in Hz.
    pub(in super::super) fn clock_rate(&self) -> Option<u32> {
        self.negotiated.as_ref().map(|negotiated| negotiated.codec.capability.clock_rate)
    }

    /// Gives a packet to the decoder.
    pub(in super::super) fn play(&mut self, now: Instant, packet: &RtpPacket<'_>) {
        let kind = match packet.class {
            PayloadClass::Audio => PacketKind::Media,
            PayloadClass::ComfortNoise => PacketKind::ComfortNoise,
            PayloadClass::TelephoneEvent | PayloadClass::Video => return,
        };
        let is_heard_here = !matches!(self.join, Join::Nothing | Join::Tone | Join::Hold | Join::Injected);
        if !(is_heard_here || self.other_ear.is_some()) || !self.has_receiver_for(packet) {
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

    /// A packet whose codec the other leg does not speak: decode it here, encode it there, from now on.
    pub(in super::super) fn transcode(&mut self, now: Instant, packet: &RtpPacket<'_>) {
        if !std::mem::replace(&mut self.transcoding, true)
            && let Some((_, receiver)) = &mut self.receiver
        {
            receiver.reset();
        }
        self.play(now, packet);
    }

    /// The other leg takes the packets as they are.
    pub(in super::super) fn pass_through(&mut self) {
        self.transcoding = false;
    }

    /// What a received payload type carries.
    pub(in super::super) fn codec_of(&self, payload_type: u8) -> Option<Codec> {
        match self.negotiated.as_ref()?.payload_kind(payload_type)? {
            PayloadKind::Codec(codec) => codec.capability.name.parse::<Codec>().ok(),
            PayloadKind::TelephoneEvent(_) | PayloadKind::ComfortNoise => None,
        }
    }

    /// Decodes 10 ms; false where nothing has arrived yet.
    pub(in super::super) fn listen(&mut self, now: Instant, frame: &mut Frame) -> bool {
        let Some((_, receiver)) = &mut self.receiver else { return false };
        let played = receiver.pull(now, frame);
        self.measure.heard(frame, played);
        true
    }
}
