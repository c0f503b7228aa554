//! Where the pictures of a leg are shown and made: a decoder thread and an encoder thread, which are those of the streams.

use crate::io::streams::{
    Clock, Counters, Inlet, Key, Kind, Own, Sounding,
    receive::{self, Arrived, Received, Sink},
    send::Control,
};
use bytes::Bytes;
use sidetone_rtp::{RtpPacket, SenderClock};
use std::time::{Duration, Instant};

/// Between two key frames that are asked for: who asks without end shall not make all pictures large.
const BETWEEN_KEYS: Duration = Duration::from_millis(500);

/// After the first packet, for one who cannot say that it was lost.
const AGAIN: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(3)];

/// A far end of whose pictures nothing has come for so long shows none: its sound waits for nothing.
const STILL: Duration = Duration::from_secs(3);

/// The leg's side of them.
pub(crate) struct Ends {
    pub(super) key: Key,
    own: Own,
    /// Of our own pictures.
    near: Own,
    control: Control,
    inlet: Inlet,
    shown: Option<(Received, Sink)>,
    /// When the last packet of the far end's pictures came.
    seen: Option<Instant>,
    /// The last request that was obeyed, and whether another one waits.
    key_made: Option<Instant>,
    key_asked: bool,
    /// What was made went nowhere: there was no way yet.
    unsent: bool,
    /// When the first packet went out, and how often its picture has been sent anew since.
    began: Option<(Instant, usize)>,
}

impl Ends {
    pub(crate) fn new(key: Key, own: Own, near: Own, control: Control, inlet: Inlet) -> Self {
        Self {
            key,
            own,
            near,
            control,
            inlet,
            shown: None,
            seen: None,
            key_made: None,
            key_asked: false,
            unsent: false,
            began: None,
        }
    }

    /// Gives a packet to the decoder, which is another one where what comes is. True where a key frame is needed.
    pub(super) fn show(&mut self, now: Instant, received: Received, packet: &RtpPacket<'_>) -> bool {
        let is_new = self.shown.as_ref().is_none_or(|(shown, _)| *shown != received);
        if is_new {
            let (sink, outlets) = receive::sink();
            let (inlet, own) = (self.inlet.clone(), self.own.clone());
            if let Err(error) = receive::start(received.clone(), outlets.video, inlet, own) {
                tracing::error!("no thread for the pictures of a call: {error}");
                return false;
            }
            self.shown = Some((received, sink));
        }
        let Some((_, sink)) = &self.shown else { return false };
        self.seen = Some(now);
        if packet.source_changed && !is_new {
            sink.cut();
        }
        let RtpPacket { sequence, timestamp, marker, payload, .. } = *packet;
        let payload = Bytes::copy_from_slice(payload);
        let fits = sink.offer(Kind::Video, Arrived::Packet { at: now, sequence, timestamp, marker, payload });
        is_new || packet.source_changed || !fits
    }

    pub(super) fn clock(&self, kind: Kind, clock: SenderClock) {
        if let Some((_, sink)) = &self.shown {
            sink.clock(kind, Clock { ntp: clock.ntp.0, timestamp: clock.rtp_timestamp });
        }
    }

    /// The pictures follow the sound; where they come later than it, it is to wait so long. It does not wait for those that come
    /// no more.
    pub(super) fn heard(&self, sounding: Sounding) -> Duration {
        let counters = &self.own.counters;
        counters.heard.set(sounding);
        let is_recent = |seen: Instant| sounding.at.saturating_duration_since(seen) < STILL;
        if !self.seen.is_some_and(is_recent) {
            return Duration::ZERO;
        }
        Duration::try_from_secs_f32(counters.sound_delay.get() / 1_000.0).unwrap_or_default()
    }

    /// Of the pictures that are shown, and of ours.
    pub(super) fn counters(&self) -> (&Counters, &Counters) {
        (&self.own.counters, &self.near.counters)
    }

    /// What the path carries, kbit/s.
    pub(super) fn allow(&self, kbit: u32) {
        self.control.allow(kbit);
    }

    /// A key frame is asked for: now, or as soon as the last one is long enough ago.
    pub(super) fn ask_key(&mut self, now: Instant) {
        self.key_asked = true;
        self.make_key(now);
    }

    /// A packet was made, and `sent` where it could be. Who begins to see in the middle needs a key frame, and one who is `blind`
    /// cannot ask for it in RTCP.
    pub(super) fn on_sent(&mut self, now: Instant, sent: bool, blind: bool) {
        if !sent {
            self.unsent = true;
            return;
        }
        if std::mem::take(&mut self.unsent) {
            self.ask_key(now);
        }
        let (began, again) = *self.began.get_or_insert((now, 0));
        let is_due = |after: &Duration| now.saturating_duration_since(began) >= *after;
        if blind && AGAIN.get(again).is_some_and(is_due) {
            self.began = Some((began, again + 1));
            self.ask_key(now);
        }
    }

    pub(super) fn make_key(&mut self, now: Instant) {
        let is_early = |made: Instant| now.saturating_duration_since(made) < BETWEEN_KEYS;
        if self.key_asked && !self.key_made.is_some_and(is_early) {
            (self.key_asked, self.key_made) = (false, Some(now));
            self.control.want_key_frame(0);
        }
    }
}
