//! Video of calls on the media thread: a leg of its own beside the one of the sound, which says where it goes. Packets are passed
//! on as they came.

mod leg;
mod work;

pub(super) use leg::VideoLeg;

use super::{LegId, News};
use std::{collections::BTreeMap, time::Instant};
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
    fn beside(&mut self, leg: LegId) -> Option<&mut VideoLeg> {
        let id = self.of.get(&leg)?;
        self.legs.get_mut(id)
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
