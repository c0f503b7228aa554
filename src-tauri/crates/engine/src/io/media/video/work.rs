//! What the thread does with legs of video.

use super::VideoLeg;
use crate::io::media::{
    Join, LegId, News,
    leg::Leg,
    worker::{LARGEST_DATAGRAM, Worker, tokens},
};
use mio::{Interest, Token};
use sidetone_rtp::transport::MediaKind;
use std::{collections::BTreeMap, io, time::Instant};

impl Worker {
    pub(in super::super) fn open_video(&mut self, mut video: VideoLeg) {
        let (rtp, rtcp) = tokens(video.id());
        let registry = self.poll.registry();
        let result = registry
            .register(&mut video.wire.rtp, rtp, Interest::READABLE)
            .and_then(|()| registry.register(&mut video.wire.rtcp, rtcp, Interest::READABLE));
        match result {
            Ok(()) => self.videos.insert(video),
            Err(error) => {
                let reason = format!("the sockets for its video cannot be read: {error}");
                let _ = self.news.try_send(News::NoMedia { leg: video.id(), reason });
            }
        }
    }

    pub(in super::super) fn close_video(&mut self, id: LegId, now: Instant) {
        let Some(mut video) = self.videos.remove(id) else { return };
        video.goodbye(now, &mut self.buffer);
        let _ = self.poll.registry().deregister(&mut video.wire.rtp);
        let _ = self.poll.registry().deregister(&mut video.wire.rtcp);
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
            let _ = self.poll.registry().reregister(socket, token, Interest::READABLE);
        }
    }

    /// The peer that hears the leg wants a key frame: whoever sends its picture is asked for one.
    pub(in super::super) fn key_frame_asked(&mut self, now: Instant, leg: LegId) {
        if let Some(source) = opposite(&self.legs, leg)
            && let Some(video) = self.videos.beside(source)
        {
            video.want_key();
            video.ask_key(now, &mut self.buffer, &self.news);
        }
    }

    /// The packet in the buffer goes where the sound goes.
    fn pass_video(&mut self, now: Instant, id: LegId) {
        let Some(video) = self.videos.get_mut(id) else { return };
        let of = video.of();
        let Some((packet, codec)) = video.handle_rtp(now, &self.buffer) else { return };
        let Some(to) = opposite(&self.legs, of) else { return };
        let begins = self.videos.beside(to).is_some_and(|other| other.forward(now, id, &codec, &packet));
        if begins && let Some(video) = self.videos.get_mut(id) {
            video.want_key();
            video.ask_key(now, &mut self.buffer, &self.news);
        }
    }
}

/// The leg whose media this one is sent.
fn opposite(legs: &BTreeMap<LegId, Leg>, leg: LegId) -> Option<LegId> {
    match legs.get(&leg)?.joined() {
        Join::Echo => Some(leg),
        Join::Leg(other) => Some(other),
        Join::Nothing | Join::Devices | Join::Tone | Join::Conference | Join::Hold => None,
    }
}
