//! Sources that are looked at before they are published.

use crate::kit::{Phone, SOON, quiet};
use sidetone_api::{AudioInput, Event, FailureCode, StreamSources, VideoInset};
use sidetone_media::video::read_clock;
use std::time::Duration;
use tokio::time::timeout;

fn sources(video: Option<&str>, audio: &[(&str, f32)]) -> StreamSources {
    let input = |(source, gain): &(&str, f32)| AudioInput { source: (*source).into(), gain: *gain };
    StreamSources { video: video.map(Into::into), inset: None, audio: audio.iter().map(input).collect() }
}

/// Until the levels are as they should be.
async fn levels(preview: &sidetone_engine::SourcePreview, wanted: impl Fn(&[f32]) -> bool) {
    let come_true = async {
        loop {
            let levels: Vec<_> = preview.levels().iter().map(|level| level.rms).collect();
            if wanted(&levels) {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, come_true).await.unwrap_or_else(|_| panic!("{:?}", preview.levels()));
}

#[tokio::test]
async fn a_preview_shows_pictures_and_levels_follows_its_sources_and_nobody_else_hears_of_it() {
    let mut phone = Phone::start(quiet()).await;
    let mut preview =
        phone.handle.preview(sources(Some("bars"), &[("tone", 1.0), ("tone", 0.0)])).await.unwrap();
    let picture = timeout(SOON, preview.next()).await.unwrap().unwrap();
    assert!(read_clock(&picture).is_some());
    levels(&preview, |levels| matches!(levels, [tone, off] if *tone > -40.0 && *off <= -90.0)).await;

    // Sound alone, and a picture again, with another one in its corner.
    preview.change(sources(None, &[("tone", 0.0), ("tone", 2.0)])).await.unwrap();
    levels(&preview, |levels| matches!(levels, [off, tone] if *off <= -90.0 && *tone > -40.0)).await;
    let inset = VideoInset { source: "bars".into(), corner: Default::default(), size: 0.5 };
    let both = StreamSources { inset: Some(inset), ..sources(Some("bars"), &[]) };
    preview.change(both).await.unwrap();
    levels(&preview, <[f32]>::is_empty).await;
    assert!(timeout(SOON, preview.next()).await.unwrap().is_some());

    let refused = preview.change(sources(Some("webcam"), &[])).await.unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("sources.video"));
    preview.change(sources(Some("image:/nowhere.png"), &[])).await.unwrap();
    let told = async {
        while preview.problem().is_none() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    timeout(SOON, told).await.expect("what is wrong with the picture");

    timeout(SOON, preview.close()).await.expect("closed");
    phone.check().await;
    assert!(phone.state().streams.is_empty());
    let stream_news = phone.seen.iter().filter(|it| {
        matches!(
            it.event,
            Event::StreamChanged { .. } | Event::StreamStatusEvent { .. } | Event::Notice { .. }
        )
    });
    assert_eq!(stream_news.count(), 0, "{:?}", phone.seen);
    phone.finish().await;
}

#[tokio::test]
async fn previews_are_few_and_one_that_nobody_looks_at_makes_room() {
    let phone = Phone::start(quiet()).await;
    let mut open = Vec::new();
    for _ in 0..4 {
        open.push(phone.handle.preview(sources(Some("bars"), &[])).await.unwrap());
    }
    let refused = phone.handle.preview(sources(Some("bars"), &[])).await.unwrap_err();
    assert_eq!(refused.code, FailureCode::Limit);
    drop(open.pop());
    let again = async {
        while phone.handle.preview(sources(Some("bars"), &[])).await.is_err() {
            tokio::task::yield_now().await;
        }
    };
    timeout(SOON, again).await.expect("room");
    assert!(phone.handle.preview(StreamSources::default()).await.is_err());
    phone.finish().await;
}
