//! One RTP leg on the media thread: sockets, RTP session, codecs.

mod receive;
mod say;
mod send;
mod types;
mod wire;

use super::{FarSound, Join, LegId, News, TransportSetup, measure::Measure};
use say::Sound;
use send::Keys;
use sidetone_api::CallVideoStatistics;
use sidetone_media::{AudioReceiver, AudioSender, Codec, Flow, Frame, SILENCE, Source, tone::TestTone};
use sidetone_rtp::{KeepAlive, Session, telephone_event::EventReceiver, transport::MediaKind};
use sidetone_sdp::Negotiated;
use std::time::{Instant, SystemTime};
use tokio::sync::mpsc;

pub(super) use send::{Forwarded, Pressed};
pub(super) use wire::Wire;

pub(super) struct Leg {
    id: LegId,
    pub(super) wire: Wire,
    session: Session,
    negotiated: Option<Negotiated>,
    join: Join,
    pub(super) muted: bool,
    sender: Option<(Codec, AudioSender)>,
    /// The decoder in use and the payload type that it is for.
    receiver: Option<(u8, AudioReceiver)>,
    /// The leg that this one is joined to speaks other codecs: what arrives is decoded, and encoded there.
    transcoding: bool,
    events: EventReceiver,
    keys: Option<Keys>,
    /// A telephone event was sent in this beat.
    dialled: bool,
    tone: TestTone,
    measure: Measure,
    sound: Sound,
    /// A sound that takes the place of all others, and one that has come to its end: closing a file may block.
    injected: Option<Box<dyn Source>>,
    spent: Option<Box<dyn Source>>,
    /// Who else hears it.
    other_ear: Option<FarSound>,
    /// What is sent, reused.
    out: Vec<u8>,
}

impl Leg {
    pub(super) fn new(id: LegId, setup: TransportSetup, now: Instant) -> Self {
        let (wire, session) = Wire::open(setup, now, |config| config);
        Self {
            id,
            wire,
            session,
            negotiated: None,
            join: Join::Nothing,
            muted: false,
            sender: None,
            receiver: None,
            transcoding: false,
            events: EventReceiver::new(),
            keys: None,
            dialled: false,
            tone: TestTone::new(440.0),
            measure: Measure::new(now),
            sound: Sound::new(now),
            injected: None,
            spent: None,
            other_ear: None,
            out: Vec::with_capacity(1500),
        }
    }

    pub(super) fn configure(&mut self, negotiated: Negotiated, now: Instant) {
        let address = negotiated.remote.socket_addr();
        if self.wire.remote().is_some() && address != self.wire.remote() {
            self.session.expect_new_source(now);
        }
        self.wire.configure(now, &negotiated);
        self.session.set_payload_types(&types::received(&negotiated));
        let sent = types::sent(&negotiated);
        self.session.set_send_types(&sent);
        let noise = negotiated.comfort_noise.as_ref().map(|types| types.send);
        let is_negotiated = |number| sent.iter().any(|payload_type| payload_type.number == number);
        self.session.set_keep_alive(KeepAlive::choose(negotiated.rtcp_mux, noise, is_negotiated));
        let codec = negotiated.codec.capability.name.parse::<Codec>().ok();
        let unchanged = self.negotiated.as_ref().is_some_and(|old| {
            old.codec == negotiated.codec && old.ptime == negotiated.ptime && old.dtmf == negotiated.dtmf
        });
        if !unchanged {
            self.sender = codec.and_then(|codec| Some((codec, types::sender(codec, &negotiated)?)));
            self.receiver = None;
        }
        if !unchanged || !negotiated.direction.sends() {
            // What waits to be sent goes with the old ones.
            self.keys = negotiated.dtmf.as_ref().map(Keys::new);
        }
        self.negotiated = Some(negotiated);
        self.sound.restart(now);
    }

    pub(super) fn join(&mut self, with: Join, now: Instant) {
        self.join = with;
        self.transcoding = false;
        if let Some((_, receiver)) = &mut self.receiver {
            receiver.reset();
        }
        self.sound.restart(now);
    }

    /// Gives back the one before.
    pub(super) fn inject(&mut self, source: Option<Box<dyn Source>>) -> Option<Box<dyn Source>> {
        std::mem::replace(&mut self.injected, source)
    }

    pub(super) fn is_injected(&self) -> bool {
        self.injected.is_some()
    }

    /// The next 10 ms of a sound that takes the place of all others.
    pub(super) fn read_injected(&mut self) -> Option<Frame> {
        let mut frame = SILENCE;
        if self.injected.as_mut()?.read(&mut frame) == Flow::Ended {
            self.spent = self.injected.take();
            return None;
        }
        Some(frame)
    }

    /// One that has come to its end.
    pub(super) fn take_spent(&mut self) -> Option<Box<dyn Source>> {
        self.spent.take()
    }

    /// What it says is given to a stream, too.
    pub(super) fn tee(&mut self, to: FarSound) {
        self.other_ear = Some(to);
    }

    pub(super) fn other_ear(&self) -> Option<&FarSound> {
        self.other_ear.as_ref()
    }

    pub(super) fn id(&self) -> LegId {
        self.id
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
        self.negotiated.is_some()
            && (matches!(
                self.join,
                Join::Devices | Join::Tone | Join::Conference | Join::Hold | Join::Room | Join::Injected
            ) || self.transcoding
                || self.injected.is_some()
                || self.is_dialling())
    }

    /// When the transport wants [`Leg::report`], besides the beat.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.wire.poll_timeout()
    }

    /// Does what the transport wants, sends the RTCP that is due, and ends a telephone event that fell silent.
    pub(super) fn report(&mut self, now: Instant, buffer: &mut Vec<u8>, news: &mpsc::Sender<News>) {
        self.wire.tick(now, self.id, news);
        self.events.handle_timeout(now);
        if self.negotiated.as_ref().is_some_and(|negotiated| !negotiated.rtcp_disabled) {
            self.wire.report(now, &mut self.session, buffer);
        }
    }

    pub(super) fn goodbye(&mut self, now: Instant, buffer: &mut Vec<u8>) {
        let disabled = self.negotiated.as_ref().is_some_and(|negotiated| negotiated.rtcp_disabled);
        if self.session.goodbye(now, SystemTime::now(), None, buffer) && !disabled {
            self.wire.send(MediaKind::Rtcp, buffer);
        }
    }

    /// Tells the figures when they are due, with those of the video beside it.
    pub(super) fn watch(
        &mut self,
        now: Instant,
        news: &mpsc::Sender<News>,
        video: impl FnOnce() -> Option<CallVideoStatistics>,
    ) {
        if !matches!(self.join, Join::Devices | Join::Conference | Join::Hold)
            || self.negotiated.is_none()
            || !self.measure.is_due(now)
        {
            return;
        }
        let stats = self.session.stats();
        let depth = self.receiver.as_ref().map(|(_, receiver)| receiver.stats());
        let mut statistics = self.measure.take(now, &stats, depth.as_ref());
        statistics.video = video();
        if let (Some((_, sender)), Some(loss)) = (&mut self.sender, statistics.remote_loss_percent) {
            sender.set_expected_loss(loss.clamp(0.0, 100.0) as u8);
        }
        let _ = news.try_send(News::Measured { leg: self.id, statistics });
    }
}
