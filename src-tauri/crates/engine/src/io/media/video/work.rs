//! What the thread does with legs of video.

use super::VideoLeg;
use crate::io::media::{
    Join, LegId, News,
    leg::Leg,
    worker::{LARGEST_DATAGRAM, Worker, tokens},
};
use crate::io::streams::inlet::Inward;
use mio::{Interest, Token};
use sidetone_rtp::transport::MediaKind;
use std::{collections::BTreeMap, io, time::Instant};

/// Packets of all calls' encoders that are sent before the beat is looked at again.
const MOST_AT_ONCE: usize = 512;

impl Worker {
    pub(in super::super) fn open_video(&mut self, mut video: VideoLeg) {
        let (rtp, rtcp) = tokens(video.id());
        let registry = self.inbox.registry();
        let result = registry
            .register(&mut video.wire.rtp, rtp, Interest::READABLE)
            .and_then(|()| registry.register(&mut video.wire.rtcp, rtcp, Interest::READABLE));
        match result {
            Ok(()) => self.videos.insert(video),
            Err(error) => {
                let reason = format!("the sockets for its video cannot be read: {error}");
                let _ =
                    self.news.try_send(News::NoMedia { leg: video.id(), reason, brief: "Failed by error" });
            }
        }
    }

    pub(in super::super) fn close_video(&mut self, id: LegId, now: Instant) {
        let Some(mut video) = self.videos.remove(id) else { return };
        video.goodbye(now, &mut self.buffer);
        let _ = self.inbox.registry().deregister(&mut video.wire.rtp);
        let _ = self.inbox.registry().deregister(&mut video.wire.rtcp);
    }

    /// Reads a socket until it is empty, as edge-triggered readiness wants.
    pub(in super::super) fn receive_video(&mut self, now: Instant, id: LegId, is_rtcp: bool, token: Token) {
        // Less than for sound: one picture has many packets, and the beat must not wait for them.
        for _ in 0..128 {
            let Some(video) = self.videos.get_mut(id) else { return };
            self.buffer.resize(LARGEST_DATAGRAM, 0);
            let socket = if is_rtcp { &video.wire.rtcp } else { &video.wire.rtp };
            let (length, from) = match socket.recv_from(&mut self.buffer) {
                Ok(received) => received,
                Err(error) if error.kind() == io::ErrorKind::WouldBlock => return,
                // An ICMP error that an earlier packet brought back.
                Err(_) => continue,
            };
            self.buffer.truncate(length);
            match video.wire.receive(now, is_rtcp, from, &mut self.buffer) {
                Some(MediaKind::Rtp) => self.pass_video(now, id),
                Some(MediaKind::Rtcp) => {
                    let asked = video.handle_rtcp(now, &self.buffer).then(|| video.of());
                    if let Some(leg) = asked {
                        self.key_frame_asked(now, leg);
                    }
                }
                None => {}
            }
        }
        // Not drained: be called again at once.
        if let Some(video) = self.videos.get_mut(id) {
            let socket = if is_rtcp { &mut video.wire.rtcp } else { &mut video.wire.rtp };
            let _ = self.inbox.registry().reregister(socket, token, Interest::READABLE);
        }
    }

    /// The peer that hears the leg wants a key frame: whoever sends its picture is asked for one.
    pub(in super::super) fn key_frame_asked(&mut self, now: Instant, leg: LegId) {
        if self.legs.get(&leg).is_some_and(is_here)
            && let Some(video) = self.videos.beside(leg)
        {
            return video.make_key(now);
        }
        if let Some(source) = opposite(&self.legs, leg)
            && let Some(video) = self.videos.beside(source)
        {
            video.want_key();
            video.ask_key(now, &mut self.buffer, &self.news);
        }
    }

    /// What the encoders and decoders of calls have made and want.
    pub(in super::super) fn take_pictures(&mut self, now: Instant) {
        for _ in 0..MOST_AT_ONCE {
            let Some((key, inward)) = self.inbox.packet() else { return };
            let Some(video) = self.videos.of_key(key) else { continue };
            match inward {
                Inward::Packet(packet) => {
                    if self.legs.get(&video.of()).is_some_and(is_here) {
                        video.say(now, &packet);
                    }
                }
                Inward::WantKeyFrame => {
                    video.want_key();
                    video.ask_key(now, &mut self.buffer, &self.news);
                }
                Inward::Shown => {
                    let _ = self.news.try_send(News::VideoShown { leg: video.id() });
                }
                Inward::Clock { timestamp, at, .. } => video.captured(timestamp, at),
                Inward::Alive => {}
            }
        }
    }

    /// The packet in the buffer goes where the sound goes.
    fn pass_video(&mut self, now: Instant, id: LegId) {
        let Some(video) = self.videos.get_mut(id) else { return };
        let of = video.of();
        let Some((packet, codec)) = video.handle_rtp(now, &self.buffer) else { return };
        let here = self.legs.get(&of).filter(|leg| is_here(leg));
        let in_room = self.legs.get(&of).is_some_and(|leg| leg.joined() == Join::Room);
        let begins = if in_room {
            video.pass(now, &codec, &packet);
            false
        } else if let Some(leg) = here {
            video.show(now, &codec, leg.clock_rate(), &packet)
        } else if let Some(to) = opposite(&self.legs, of) {
            self.videos.beside(to).is_some_and(|other| other.forward(now, id, &codec, &packet))
        } else {
            false
        };
        if begins && let Some(video) = self.videos.get_mut(id) {
            video.want_key();
            video.ask_key(now, &mut self.buffer, &self.news);
        }
    }
}

/// Its pictures are shown and made here.
fn is_here(leg: &Leg) -> bool {
    matches!(leg.joined(), Join::Devices | Join::Conference)
}

/// The leg whose media this one is sent.
fn opposite(legs: &BTreeMap<LegId, Leg>, leg: LegId) -> Option<LegId> {
    match legs.get(&leg)?.joined() {
        Join::Echo => Some(leg),
        Join::Leg(other) => Some(other),
        Join::Nothing
        | Join::Devices
        | Join::Tone
        | Join::Conference
        | Join::Hold
        | Join::Room
        | Join::Injected => None,
    }
}
