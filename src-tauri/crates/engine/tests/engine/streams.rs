//! Streams at the embedded gateway, published and played by the same engine.

use crate::kit::{Phone, SOON, quiet};
use sidetone_api::{
    AudioInput, Command, Event, FailureCode, Reply, Snapshot, StreamId, StreamSources, StreamStatus,
    StreamView,
};
use sidetone_media::video::read_clock;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

/// Small pictures: machines that test are busy.
pub(crate) fn settings() -> sidetone_api::Settings {
    let mut settings = quiet();
    (settings.video.width, settings.video.height) = (640, 360);
    settings
}

pub(crate) fn bars_and_tone() -> StreamSources {
    let tone = AudioInput { source: "tone".into(), gain: 1.0 };
    StreamSources { video: Some("bars".into()), inset: None, audio: vec![tone] }
}

impl Phone {
    pub(crate) async fn publish(&self, name: &str, sources: StreamSources) -> StreamId {
        let command = Command::PublishStream {
            name: name.into(),
            token: None,
            sources,
            settings: None,
            session_id: None,
        };
        match self.ask(command).await {
            Ok(Reply::Stream { stream_id }) => stream_id,
            other => panic!("not published: {other:?}"),
        }
    }

    pub(crate) async fn play(&self, name: &str) -> StreamId {
        match self.ask(Command::PlayStream { name: name.into(), token: None, session_id: None }).await {
            Ok(Reply::Stream { stream_id }) => stream_id,
            other => panic!("not played: {other:?}"),
        }
    }

    /// Waits for a status of a stream; gives its `info`.
    pub(crate) async fn stream_status(&mut self, stream: &StreamId, wanted: StreamStatus) -> String {
        self.wait(&format!("{wanted} of {stream}"), |event| match event {
            Event::StreamStatusEvent { status, stream_id, info, .. } if stream_id == stream => {
                (*status == wanted).then(|| info.clone())
            }
            _ => None,
        })
        .await
    }

    pub(crate) async fn published(&mut self, name: &str) -> StreamId {
        let stream = self.publish(name, bars_and_tone()).await;
        self.stream_status(&stream, StreamStatus::Publishing).await;
        stream
    }

    pub(crate) async fn played(&mut self, name: &str) -> StreamId {
        let stream = self.play(name).await;
        self.stream_status(&stream, StreamStatus::Playing).await;
        stream
    }

    /// All statuses of a stream so far.
    pub(crate) fn stream_statuses(&self, stream: &StreamId) -> Vec<StreamStatus> {
        let of_stream = self.seen.iter().filter_map(|envelope| match &envelope.event {
            Event::StreamStatusEvent { status, stream_id, .. } if stream_id == stream => Some(*status),
            _ => None,
        });
        of_stream.collect()
    }
}

pub(crate) fn stream<'a>(state: &'a Snapshot, id: &StreamId) -> Option<&'a StreamView> {
    state.streams.iter().find(|stream| stream.stream_id == *id)
}

pub(crate) fn now_ms() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_millis()).unwrap()
}

#[tokio::test]
async fn bars_and_a_tone_are_published_under_a_name_and_played_with_picture_and_sound() {
    let mut phone = Phone::start(settings()).await;
    let published = phone.published("tv").await;
    phone.until("the list", |state| state.gateway.streams.len() == 1).await;
    let listed = &phone.state().gateway.streams[0];
    assert_eq!((listed.name.as_str(), listed.own), ("tv", true));
    assert_eq!(listed.video_codec.as_deref(), Some("H264"));
    assert_eq!(listed.audio_codec.as_deref(), Some("opus"));

    let played = phone.played("tv").await;
    let mut pictures = phone.handle.pictures(played.clone()).await.unwrap();
    let picture = tokio::time::timeout(SOON, pictures.next()).await.unwrap().unwrap();
    let age = now_ms() as i64 - read_clock(&picture).expect("a clock in the picture") as i64;
    assert!((0..2_000).contains(&age), "{age} ms old");
    assert_eq!((picture.width(), picture.height()), (640, 360));

    phone
        .until("sound and figures", |state| {
            let heard = stream(state, &played).and_then(|it| it.statistics);
            heard.is_some_and(|it| it.level.rms > -30.0 && it.frames > 0 && it.video_kbit > 0.0)
        })
        .await;
    phone.until("a player", |state| stream(state, &published).is_some_and(|it| it.players == Some(1))).await;
    let view = stream(phone.state(), &played).unwrap();
    assert_eq!(view.video.as_ref().map(|video| (video.width, video.height)), Some((640, 360)));
    assert_eq!(view.audio.as_ref().map(|audio| audio.name.as_str()), Some("opus"));
    phone.check().await;

    phone.done(Command::UnPublishStream { stream_id: published.clone() }).await;
    assert_eq!(phone.stream_status(&played, StreamStatus::Stopped).await, "Stopped by publisher stop");
    assert_eq!(tokio::time::timeout(SOON, async { while pictures.next().await.is_some() {} }).await, Ok(()));
    assert_eq!(phone.stream_statuses(&published), [StreamStatus::Publishing, StreamStatus::Unpublished]);
    phone.until("an empty list", |state| state.gateway.streams.is_empty()).await;
    phone.finish().await;
}

#[tokio::test]
async fn the_sound_is_not_far_from_its_picture() {
    let mut phone = Phone::start(settings()).await;
    phone.published("tv").await;
    let played = phone.played("tv").await;
    phone
        .until("figures of both", |state| {
            let figures = stream(state, &played).and_then(|it| it.statistics);
            figures.is_some_and(|it| it.level.rms > -30.0 && it.skew_ms.is_some_and(|skew| skew.abs() < 60.0))
        })
        .await;
    phone.finish().await;
}

#[tokio::test]
async fn a_stream_in_vp8_is_played_too_where_this_build_has_it() {
    use sidetone_media::video::VideoCodec;
    let mut settings = settings();
    settings.video.codecs = vec!["VP8".into()];
    let mut phone = Phone::start(settings).await;
    if !VideoCodec::Vp8.info().encode {
        let command = Command::PublishStream {
            name: "tv".into(),
            token: None,
            sources: bars_and_tone(),
            settings: None,
            session_id: None,
        };
        let refused = phone.ask(command).await.unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("video.codecs"));
        assert_eq!(refused.message, "video.codecs: VP8 is not available: this build was made without libvpx");
        return drop(phone.finish().await);
    }
    phone.published("tv").await;
    let played = phone.played("tv").await;
    let mut pictures = phone.handle.pictures(played.clone()).await.unwrap();
    let picture = tokio::time::timeout(SOON, pictures.next()).await.unwrap().unwrap();
    assert!(read_clock(&picture).is_some());
    phone
        .until("its codec", |state| {
            let video = stream(state, &played).and_then(|it| it.video.clone());
            video.is_some_and(|video| video.codec == "VP8")
        })
        .await;
    phone.finish().await;
}

#[tokio::test]
async fn three_sizes_at_once_are_one_stream_to_its_players() {
    let mut settings = settings();
    settings.video.simulcast = true;
    let mut phone = Phone::start(settings).await;
    phone.published("tv").await;
    let played = phone.played("tv").await;
    let mut pictures = phone.handle.pictures(played).await.unwrap();
    let largest = async { while pictures.next().await.expect("a picture").width() != 640 {} };
    tokio::time::timeout(SOON, largest).await.expect("the largest, as nothing is in its way");
    phone.finish().await;
}

#[tokio::test]
async fn a_name_that_is_in_use_or_that_nobody_publishes_fails_in_the_contracts_words() {
    let mut phone = Phone::start(settings()).await;
    let first = phone.published("tv").await;
    let second = phone.publish("tv", bars_and_tone()).await;
    assert_eq!(phone.stream_status(&second, StreamStatus::Failed).await, "Stream name is already in use");
    let nobody = phone.play("radio").await;
    assert_eq!(phone.stream_status(&nobody, StreamStatus::Failed).await, "Stream not found");
    assert!(stream(phone.state(), &first).is_some(), "the first goes on");
    let gone = phone.ask(Command::StopStream { stream_id: nobody }).await.unwrap_err();
    assert_eq!(gone.code, FailureCode::NotFound);
    let wrong = phone.ask(Command::StopStream { stream_id: first }).await.unwrap_err();
    assert_eq!(wrong.code, FailureCode::WrongState);
    phone.finish().await;
}

#[tokio::test]
async fn a_paused_stream_gets_nothing_and_plays_on_when_resumed() {
    let mut phone = Phone::start(settings()).await;
    phone.published("tv").await;
    let played = phone.played("tv").await;
    let pause = |paused| Command::PauseStream { stream_id: played.clone(), paused };
    phone.done(pause(true)).await;
    phone.stream_status(&played, StreamStatus::Paused).await;
    let mut pictures = phone.handle.pictures(played.clone()).await.unwrap();
    // What was on its way.
    while tokio::time::timeout(Duration::from_millis(500), pictures.next()).await.is_ok() {}
    let still = read_clock(&pictures.latest().unwrap()).unwrap();
    phone.done(pause(false)).await;
    phone.stream_status(&played, StreamStatus::Playing).await;
    let picture = tokio::time::timeout(SOON, pictures.next()).await.unwrap().unwrap();
    assert!(read_clock(&picture).unwrap() > still + 400, "what was missed is not played");
    phone.finish().await;
}

#[tokio::test]
async fn mutes_and_other_sources_reach_players_without_another_negotiation() {
    let mut phone = Phone::start(settings()).await;
    let published = phone.published("tv").await;
    let played = phone.played("tv").await;
    let change = |sources, audio_muted, video_muted| Command::ChangeStream {
        stream_id: published.clone(),
        sources,
        audio_muted,
        video_muted,
        volume: None,
    };
    phone.done(change(None, Some(true), Some(true))).await;
    phone
        .until("mutes at the player", |state| {
            stream(state, &played).is_some_and(|it| it.audio_muted && it.video_muted)
        })
        .await;
    let mut pictures = phone.handle.pictures(played.clone()).await.unwrap();
    let dark = async {
        loop {
            let picture = pictures.next().await.expect("a picture");
            if picture.y().iter().all(|luma| *luma < 32) {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, dark).await.expect("black");
    phone
        .until("silence", |state| {
            stream(state, &played).and_then(|it| it.statistics).is_some_and(|it| it.level.rms < -70.0)
        })
        .await;
    phone.done(change(None, Some(false), Some(false))).await;
    let inset = Some(sidetone_api::VideoInset {
        source: "bars".into(),
        corner: sidetone_api::Corner::TopLeft,
        size: 0.25,
    });
    phone.done(change(Some(StreamSources { inset, ..bars_and_tone() }), None, None)).await;
    let bright = async {
        loop {
            // The white bar is covered by the small picture, whose right is black.
            let picture = pictures.next().await.expect("a picture");
            let at = |x: usize, y: usize| picture.y()[y * 640 + x];
            if at(20, 100) > 150 && at(150, 30) < 60 {
                return;
            }
        }
    };
    tokio::time::timeout(SOON, bright).await.expect("a small picture in the corner");
    phone.finish().await;
}

#[tokio::test]
async fn a_picture_that_was_taken_away_does_not_come_back_when_it_is_unmuted() {
    let mut phone = Phone::start(settings()).await;
    let published = phone.published("tv").await;
    let played = phone.played("tv").await;
    let change = |sources, video_muted| Command::ChangeStream {
        stream_id: published.clone(),
        sources,
        audio_muted: None,
        video_muted,
        volume: None,
    };
    let mut pictures = phone.handle.pictures(played.clone()).await.unwrap();
    let mut until = async |dark: bool, wanted: usize| {
        let mut seen = 0;
        while seen < wanted {
            let picture = pictures.next().await.expect("a picture");
            let fits = picture.y().iter().all(|luma| *luma < 32) == dark;
            seen = if fits { seen + 1 } else { 0 };
        }
    };
    let sound = StreamSources { video: None, ..bars_and_tone() };
    phone.done(change(Some(sound), Some(true))).await;
    tokio::time::timeout(SOON, until(true, 1)).await.expect("black");
    phone.done(change(None, Some(false))).await;
    phone.until("no mute", |state| stream(state, &played).is_some_and(|it| !it.video_muted)).await;
    tokio::time::timeout(Duration::from_secs(4), until(true, 4)).await.expect("black still");
    phone.done(change(Some(bars_and_tone()), None)).await;
    tokio::time::timeout(SOON, until(false, 1)).await.expect("bars");
    phone.finish().await;
}

#[tokio::test]
async fn a_snapshot_is_a_png_of_the_whole_picture() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.video.folder = dir.path().join("pictures").display().to_string();
    let mut phone = Phone::start(settings).await;
    let published = phone.published("tv").await;
    let played = phone.played("tv").await;
    for id in [published, played] {
        phone.done(Command::Snapshot { stream_id: id.clone() }).await;
        let file = phone
            .wait("a snapshot", |event| match event {
                Event::SnapshotTaken { stream_id, file, info } if *stream_id == id => {
                    Some(file.clone().unwrap_or_else(|| panic!("{info}")))
                }
                _ => None,
            })
            .await;
        let bytes = std::fs::read(&file.path).unwrap();
        assert_eq!(bytes[..8], *b"\x89PNG\r\n\x1a\n");
        assert_eq!(bytes[16..24], [0, 0, 2, 128, 0, 0, 1, 104], "640 x 360");
        assert_eq!((file.width, file.height), (640, 360));
    }
    phone.finish().await;
}

#[tokio::test]
async fn a_source_that_cannot_be_opened_is_named_and_the_stream_waits_for_it() {
    let mut phone = Phone::start(settings()).await;
    let sources = StreamSources { video: Some("device:none".into()), ..bars_and_tone() };
    let stream_id = phone.publish("tv", sources).await;
    phone
        .until("a problem", |state| {
            let problem = stream(state, &stream_id).and_then(|it| it.problem.clone());
            problem.is_some_and(|problem| problem.contains("no such camera"))
        })
        .await;
    phone.stream_status(&stream_id, StreamStatus::Publishing).await;
    let change = Command::ChangeStream {
        stream_id: stream_id.clone(),
        sources: Some(bars_and_tone()),
        audio_muted: None,
        video_muted: None,
        volume: None,
    };
    phone.done(change).await;
    phone.until("no problem", |state| stream(state, &stream_id).is_some_and(|it| it.problem.is_none())).await;
    phone.finish().await;
}

#[tokio::test]
async fn encoded_media_can_be_read_from_a_key_frame_on() {
    use sidetone_engine::UnitMedia;
    let mut phone = Phone::start(settings()).await;
    phone.published("tv").await;
    let played = phone.played("tv").await;
    let mut units = phone.handle.units(played.clone()).await.unwrap();
    let (mut pictures, mut sounds) = (0, 0);
    while pictures < 5 || sounds < 5 {
        let unit = tokio::time::timeout(SOON, units.next()).await.unwrap().expect("a unit");
        match unit.media {
            UnitMedia::Video(encoded) => {
                assert!(encoded.key || pictures > 0, "the first is a key frame");
                pictures += 1;
            }
            UnitMedia::Audio { .. } => sounds += 1,
        }
    }
    phone.done(Command::StopStream { stream_id: played }).await;
    assert_eq!(tokio::time::timeout(SOON, async { while units.next().await.is_some() {} }).await, Ok(()));
    phone.finish().await;
}

#[tokio::test]
async fn cameras_and_screens_are_listed_with_the_bars() {
    let phone = Phone::start(settings()).await;
    let Ok(Reply::VideoSources { sources }) = phone.ask(Command::GetVideoSources).await else {
        panic!("no list")
    };
    assert!(sources.iter().any(|source| source.selection == "bars"), "{sources:?}");
    phone.finish().await;
}

#[tokio::test]
async fn streams_are_recorded_to_files_of_their_own_and_the_end_of_the_engine_makes_them_whole() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = settings();
    settings.video.folder = dir.path().join("films").display().to_string();
    let mut phone = Phone::start(settings).await;
    let published = phone.published("tv").await;
    let played = phone.played("tv").await;
    let record = |stream_id: &StreamId, on| Command::RecordStream { stream_id: stream_id.clone(), on };
    for id in [&published, &played] {
        phone.done(record(id, true)).await;
        let refused = phone.ask(record(id, true)).await.unwrap_err();
        assert_eq!(refused.code, FailureCode::WrongState);
    }
    let is_written = |state: &Snapshot, id: &StreamId| {
        let recording = stream(state, id).and_then(|stream| stream.recording.clone());
        recording.is_some_and(|it| it.seconds >= 1 && it.path.ends_with(".mp4") && it.problem.is_none())
    };
    phone.until("recordings", |state| is_written(state, &published) && is_written(state, &played)).await;
    phone.done(record(&played, false)).await;
    phone.notice("recorded ").await;
    phone
        .until("no recording", |state| stream(state, &played).is_some_and(|it| it.recording.is_none()))
        .await;
    assert_eq!(phone.ask(record(&played, false)).await.unwrap_err().code, FailureCode::WrongState);
    // It can be recorded again, to another file.
    phone.done(record(&played, true)).await;
    phone.until("another recording", |state| is_written(state, &played)).await;
    phone.finish().await;
    let files: Vec<_> =
        std::fs::read_dir(dir.path().join("films")).unwrap().map(|it| it.unwrap().path()).collect();
    assert_eq!(files.len(), 3, "{files:?}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert_eq!(&bytes[4..8], b"ftyp", "{}", file.display());
        // The index comes last.
        assert!(bytes[bytes.len() - 200..].windows(4).any(|name| name == b"mfro"), "{}", file.display());
    }
}
