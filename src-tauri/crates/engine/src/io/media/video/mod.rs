//! Video of calls on the media thread: a leg of its own beside the one of the sound, which says where it goes. Packets are passed
//! on as they came.

mod ends;
mod leg;
mod measure;
mod outlet;
mod rate;
mod work;

pub(crate) use ends::Ends;
pub(super) use leg::VideoLeg;
pub(crate) use outlet::VideoOutlet;

use super::{LegId, News};
use crate::io::streams::{Key, Kind, Sounding};
use sidetone_rtp::SenderClock;
use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};
use tokio::sync::mpsc;

/// All legs of video.
#[derive(Default)]
pub(super) struct Videos {
    legs: BTreeMap<LegId, VideoLeg>,
    /// By the leg of the sound.
    of: BTreeMap<LegId, LegId>,
}

impl Videos {
    pub(super) fn get_mut(&mut self, id: LegId) -> Option<&mut VideoLeg> {
        self.legs.get_mut(&id)
    }

    /// The video that belongs to the sound of `leg`.
    pub(super) fn beside(&mut self, leg: LegId) -> Option<&mut VideoLeg> {
        let id = self.of.get(&leg)?;
        self.legs.get_mut(id)
    }

    /// Whose pictures an encoder or decoder is for.
    fn of_key(&mut self, key: Key) -> Option<&mut VideoLeg> {
        self.legs.values_mut().find(|video| video.key() == Some(key))
    }

    /// The picture follows the sound.
    pub(super) fn sound_clock(&mut self, leg: LegId, clock: SenderClock) {
        if let Some(video) = self.beside(leg) {
            video.tell_clock(Kind::Audio, clock);
        }
    }

    /// This of the sound is heard now. Gives how much later it is to be heard, for the sake of the pictures.
    pub(super) fn sound_heard(&mut self, leg: LegId, sounding: Sounding) -> Duration {
        self.beside(leg).map(|video| video.tell_heard(sounding)).unwrap_or_default()
    }

    fn insert(&mut self, video: VideoLeg) {
        self.of.insert(video.of(), video.id());
        self.legs.insert(video.id(), video);
    }

    fn remove(&mut self, id: LegId) -> Option<VideoLeg> {
        let video = self.legs.remove(&id)?;
        self.of.retain(|_, other| *other != id);
        Some(video)
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.legs.values().filter_map(VideoLeg::poll_timeout).min()
    }

    /// RTCP, requests for key frames, and what the transports want.
    pub(super) fn report(&mut self, now: Instant, buffer: &mut Vec<u8>, news: &mpsc::Sender<News>) {
        for video in self.legs.values_mut() {
            video.report(now, buffer, news);
        }
    }
}
