//! A stream's figures for the screen, of the last second.

use super::counters::Counters;
use sidetone_api::{Level, StreamStatistics};
use std::time::Instant;

/// What is known of the path, where the stream goes over one.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Path {
    pub(crate) available_kbit: Option<f32>,
    pub(crate) round_trip_ms: Option<f32>,
    /// Of the last second, percent.
    pub(crate) loss_percent: Option<f32>,
}

#[derive(Debug)]
pub(crate) struct Rates {
    at: Instant,
    video_octets: u64,
    audio_octets: u64,
    frames: u64,
    packets: u64,
    lost: u64,
}

impl Rates {
    pub(crate) fn new(now: Instant) -> Self {
        Self { at: now, video_octets: 0, audio_octets: 0, frames: 0, packets: 0, lost: 0 }
    }

    pub(crate) fn take(
        &mut self,
        now: Instant,
        counters: &Counters,
        path: Path,
        published: bool,
    ) -> StreamStatistics {
        let seconds = now.saturating_duration_since(self.at).as_secs_f32().max(0.001);
        let since = |count: u64, before: &mut u64| {
            let more = count.saturating_sub(*before);
            *before = count;
            more as f32
        };
        let video = since(counters.video_octets.get(), &mut self.video_octets);
        let audio = since(counters.audio_octets.get(), &mut self.audio_octets);
        let frames = since(counters.frames.get(), &mut self.frames);
        let packets = since(counters.packets.get(), &mut self.packets);
        let lost = since(counters.lost.get(), &mut self.lost);
        self.at = now;
        let level = counters.level().map(|(rms, peak)| Level { rms, peak }).unwrap_or_default();
        let lost_percent = if packets + lost > 0.0 { lost * 100.0 / (packets + lost) } else { 0.0 };
        StreamStatistics {
            video_kbit: video * 0.008 / seconds,
            audio_kbit: audio * 0.008 / seconds,
            frames_per_second: frames / seconds,
            available_kbit: path.available_kbit,
            target_kbit: published.then(|| counters.target_kbit.get()).filter(|kbit| *kbit > 0.0),
            packets: counters.packets.get(),
            packets_lost: counters.lost.get(),
            packets_repaired: counters.repaired.get(),
            loss_percent: path.loss_percent.unwrap_or(lost_percent),
            round_trip_ms: path.round_trip_ms,
            jitter_ms: counters.jitter_ms.get(),
            buffer_ms: counters.buffer_ms.get(),
            skew_ms: counters.skew_ms.get(),
            frames: counters.frames.get(),
            frames_dropped: counters.dropped.get(),
            key_frames: counters.key_frames.short(),
            freezes: counters.freezes.short(),
            frozen_ms: counters.frozen_ms.short(),
            key_frame_requests: counters.key_requests.short(),
            level,
        }
    }
}
