//! The light beside a stream, and its cause in words.

use super::Stream;
use sidetone_api::{Quality, QualityView, StreamStatistics};

/// Loss that is seen or heard, and loss that repairs do not keep up with, percent.
const LOSSY: f32 = 2.0;
const VERY_LOSSY: f32 = 8.0;
/// Of the pictures that should be.
const SLOW: f32 = 0.8;
const VERY_SLOW: f32 = 0.5;
/// A round trip after which people speak into each other's words.
const FAR_MS: f32 = 400.0;

pub(super) fn judge(stream: &Stream, now: &StreamStatistics) -> QualityView {
    let view = |level, info: String| QualityView { level, info };
    if let Some(problem) = stream.problems().next() {
        return view(Quality::Poor, problem.to_owned());
    }
    if now.loss_percent >= VERY_LOSSY {
        let info = format!(
            "{:.0} % of the packets are lost: use a cable or come nearer to the access point",
            now.loss_percent
        );
        return view(Quality::Poor, info);
    }
    let frozen = |before: &StreamStatistics| now.frozen_ms.saturating_sub(before.frozen_ms);
    let frozen = stream.statistics.as_ref().map_or(0, frozen);
    if frozen > 0 {
        return view(
            Quality::Poor,
            format!("the picture stood still for {frozen} ms: too much is lost or late"),
        );
    }
    if stream.is_published() && stream.sending.is_some() && stream.live_at.is_some() {
        let wanted = stream.settings.frames_per_second as f32;
        let part = now.frames_per_second / wanted;
        let is_still =
            stream.video_muted || stream.own.is_unseen() || stream.sources.as_ref().is_some_and(is_still);
        if part < SLOW && !is_still && stream.statistics.is_some() {
            let level = if part < VERY_SLOW { Quality::Poor } else { Quality::Fair };
            let info = format!(
                "{:.0} of {wanted:.0} pictures a second: the source gives no more, or this machine is busy; choose a smaller picture",
                now.frames_per_second
            );
            return view(level, info);
        }
        if let Some(available) =
            now.available_kbit.filter(|kbit| *kbit < stream.settings.max_kbit as f32 * 0.5)
        {
            return view(
                Quality::Fair,
                format!(
                    "the connection carries {available:.0} kbit/s: the picture is simpler than it could be"
                ),
            );
        }
    }
    if now.loss_percent >= LOSSY {
        return view(
            Quality::Fair,
            format!("{:.0} % of the packets are lost and mostly repaired", now.loss_percent),
        );
    }
    if let Some(round_trip) = now.round_trip_ms.filter(|ms| *ms >= FAR_MS) {
        return view(Quality::Fair, format!("the way to the other side takes {round_trip:.0} ms and back"));
    }
    view(Quality::Good, String::new())
}

/// It may stand still without a fault.
fn is_still(sources: &sidetone_api::StreamSources) -> bool {
    sources
        .video
        .as_ref()
        .is_some_and(|video| ["image:", "screen:", "window:"].iter().any(|kind| video.starts_with(kind)))
}
