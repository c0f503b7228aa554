//! Played streams for whoever decodes them by themselves.

use crate::{
    kit::{Phone, SOON, quiet},
    streams::stream,
};
use sidetone_api::{Command, Event, SnapshotFile, StreamId, StreamStatus};
use sidetone_engine::{EncodedPictures, Pictures};
use sidetone_media::video::{Encoded, VideoCodec, read_clock};
use std::{path::Path, time::Duration};
use tokio::time::timeout;

async fn phone(folder: &Path) -> (Phone, StreamId) {
    let mut settings = quiet();
    (settings.video.width, settings.video.height) = (640, 360);
    settings.video.folder = folder.display().to_string();
    let mut phone = Phone::start(settings).await;
    phone.published("tv").await;
    let played = phone.played("tv").await;
    (phone, played)
}

/// The stream's encoded pictures, when the first is there; nobody wants decoded ones any more.
async fn resting(phone: &Phone, played: &StreamId) -> (Pictures, EncodedPictures, Encoded) {
    let mut pictures = phone.handle.pictures(played.clone()).await.unwrap();
    let mut encoded = pictures.encoded();
    let first = next(&mut encoded).await;
    pictures.look(false);
    // What was on its way.
    while timeout(Duration::from_millis(500), pictures.next()).await.is_ok() {}
    (pictures, encoded, first)
}

async fn next(encoded: &mut EncodedPictures) -> Encoded {
    let next = async {
        loop {
            encoded.ready().await;
            if let Some(next) = encoded.take() {
                return next;
            }
        }
    };
    timeout(SOON, next).await.expect("an encoded picture")
}

async fn snapshot(phone: &mut Phone, of: &StreamId) -> SnapshotFile {
    phone.done(Command::Snapshot { stream_id: of.clone() }).await;
    let taken = phone.wait("a snapshot", |event| match event {
        Event::SnapshotTaken { stream_id, file, info } if stream_id == of => {
            Some((file.clone(), info.clone()))
        }
        _ => None,
    });
    let (file, info) = taken.await;
    file.unwrap_or_else(|| panic!("{info}"))
}

#[tokio::test]
async fn encoded_pictures_begin_with_a_key_frame_can_be_decoded_and_leave_our_decoder_at_rest() {
    let dir = tempfile::tempdir().unwrap();
    let (mut phone, played) = phone(dir.path()).await;
    let (pictures, mut encoded, first) = resting(&phone, &played).await;
    assert!(first.key && first.codec == VideoCodec::H264);
    assert!(pictures.latest().is_none(), "what was seen is not what is shown");
    // It was not read for a while: from the next key frame on.
    assert!(encoded.waits_for_key() && encoded.take().is_none());
    let mut decoder = VideoCodec::H264.decoder().unwrap();
    let mut clocks = Vec::new();
    while clocks.len() < 5 {
        let frame = next(&mut encoded).await;
        assert!(!clocks.is_empty() || frame.key);
        let picture = decoder.decode(&frame).unwrap().expect("a picture for each");
        clocks.push(read_clock(&picture).expect("a clock in the picture"));
    }
    assert!(clocks.is_sorted(), "{clocks:?}");

    let frames =
        |phone: &Phone| stream(phone.state(), &played).and_then(|it| it.statistics).map(|it| it.frames);
    let before = frames(&phone).unwrap_or_default();
    phone
        .until("they are counted", |state| {
            let statistics = stream(state, &played).and_then(|it| it.statistics);
            statistics.is_some_and(|it| it.frames > before + 20)
        })
        .await;
    assert!(pictures.latest().is_none(), "nothing is decoded");
    phone.finish().await;
}

#[tokio::test]
async fn a_snapshot_and_pictures_are_had_of_a_stream_that_is_decoded_elsewhere() {
    let dir = tempfile::tempdir().unwrap();
    let (mut phone, played) = phone(dir.path()).await;
    let (mut pictures, _encoded, _) = resting(&phone, &played).await;
    let file = snapshot(&mut phone, &played).await;
    assert_eq!((file.width, file.height), (640, 360));

    pictures.look(true);
    let picture = timeout(SOON, pictures.next()).await.unwrap().unwrap();
    assert!(read_clock(&picture).is_some());
    phone.finish().await;
}

#[tokio::test]
async fn a_paused_stream_that_was_decoded_elsewhere_has_its_picture_still() {
    let dir = tempfile::tempdir().unwrap();
    let (mut phone, played) = phone(dir.path()).await;
    let (_pictures, _encoded, _) = resting(&phone, &played).await;
    phone.done(Command::PauseStream { stream_id: played.clone(), paused: true }).await;
    phone.stream_status(&played, StreamStatus::Paused).await;
    let file = snapshot(&mut phone, &played).await;
    assert_eq!((file.width, file.height), (640, 360));
    phone.finish().await;
}
