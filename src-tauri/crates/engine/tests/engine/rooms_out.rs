//! A room as one stream, and a stream in a room.

use crate::{
    kit::{Phone, SOON},
    rooms::{Page, ask, join, joining, tone},
    streams::stream,
};
use serde_json::json;
use sidetone_api::{
    AudioInput, Command, FailureCode, ParticipantKind, RoomAsk, RoomId, RoomJoining, RoomView, Settings,
    Snapshot, StreamId, StreamSources, StreamStatus,
};
use sidetone_engine::UnitMedia;
use sidetone_media::video::{Picture, Size, compose::places};
use std::path::Path;

const GREEN: [u8; 3] = [112, 72, 58];
const TONES: [f32; 2] = [440.0, 1_000.0];

fn small() -> Settings {
    let mut settings = crate::kit::gateway();
    (settings.video.width, settings.video.height) = (640, 360);
    settings
}

/// A film of one colour.
fn plain(path: &Path, yuv: [u8; 3]) -> String {
    let mut film = b"YUV4MPEG2 W320 H180 F10:1 C420\nFRAME\n".to_vec();
    film.extend(std::iter::repeat_n(yuv[0], 320 * 180));
    film.extend(std::iter::repeat_n(yuv[1], 160 * 90));
    film.extend(std::iter::repeat_n(yuv[2], 160 * 90));
    std::fs::write(path, film).unwrap();
    format!("file:{}", path.display())
}

fn sources(video: &str, tone: f32) -> StreamSources {
    let input = AudioInput { source: format!("tone:{tone}"), gain: 1.0 };
    StreamSources { video: Some(video.into()), inset: None, audio: vec![input] }
}

fn view(phone: &Phone) -> &RoomView {
    phone.state().rooms.first().expect("a room")
}

/// Of the only room.
fn room_of(state: &Snapshot) -> Option<&RoomView> {
    state.rooms.first()
}

fn publish(name: Option<&str>) -> RoomAsk {
    RoomAsk::Publish { name: name.map(String::from), token: None }
}

fn play(name: Option<&str>) -> RoomAsk {
    RoomAsk::PlayStream { name: name.map(String::from) }
}

async fn told(phone: &Phone, room: &RoomId, what: RoomAsk) {
    ask(phone, room, what).await.unwrap();
}

fn is_near(picture: &Picture, x: u32, y: u32, yuv: [u8; 3]) -> bool {
    let luma = picture.y()[(y * picture.width() + x) as usize];
    let chroma = (y / 2 * picture.size().chroma_width() + x / 2) as usize;
    let at = [luma, picture.u()[chroma], picture.v()[chroma]];
    at.iter().zip(yuv).all(|(is, wanted)| is.abs_diff(wanted) < 24)
}

/// How much of a second is of this frequency; 1 is a full sine.
fn share(samples: &[f32], hz: f32) -> f32 {
    let turn = |at: usize| std::f32::consts::TAU * hz * at as f32 / 48_000.0;
    let sum = |wave: fn(f32) -> f32| -> f32 {
        samples.iter().enumerate().map(|(at, sample)| sample * wave(turn(at))).sum()
    };
    2.0 * sum(f32::sin).hypot(sum(f32::cos)) / samples.len() as f32
}

/// Waits for a second in which all tones are there.
async fn hear_all(phone: &Phone, id: &StreamId) {
    let mut units = phone.handle.units(id.clone()).await.unwrap();
    let (mut decoder, mut second, mut last) = (None, Vec::new(), [0.0; 2]);
    let heard = tokio::time::timeout(SOON, async {
        loop {
            let unit = units.next().await.expect("a unit");
            let UnitMedia::Audio { codec, payload, .. } = unit.media else { continue };
            let decoder = decoder.get_or_insert_with(|| codec.decoder().unwrap());
            let mut frame = [0.0; 5_760];
            let samples = decoder.decode(&payload, &mut frame).unwrap();
            second.extend_from_slice(&frame[..samples]);
            if second.len() >= 48_000 {
                last = TONES.map(|hz| share(&second, hz));
                if last.iter().all(|share| *share > 0.05) {
                    return;
                }
                second.clear();
            }
        }
    });
    assert!(heard.await.is_ok(), "{last:?}");
    assert!(share(&second, 700.0) < 0.02, "nothing is to be heard between them");
}

#[tokio::test]
async fn a_room_is_published_with_the_picture_of_each_and_all_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let mut host = Phone::start(small()).await;
    let green = plain(&dir.path().join("green.y4m"), GREEN);
    let film = host.publish("film", sources(&green, TONES[1])).await;
    host.stream_status(&film, StreamStatus::Publishing).await;
    host.until("the film", |state| state.gateway.streams.len() == 1).await;
    let settings = RoomJoining { sources: Some(sources("bars", TONES[0])), ..joining("ada") };
    let room = join(&host, settings).await;
    told(&host, &room, play(Some("film"))).await;
    host.until("the film in the room", |state| {
        room_of(state)
            .is_some_and(|room| room.played.as_deref() == Some("film") && room.participants.len() == 2)
    })
    .await;
    let inserted = &view(&host).participants[1];
    assert_eq!(
        (inserted.login.as_str(), inserted.kind, inserted.host),
        ("film", ParticipantKind::Stream, false)
    );
    // Nothing is on our own screen: what is put together is received for that alone.
    told(&host, &room, RoomAsk::Show { pictures: vec![] }).await;
    told(&host, &room, publish(Some("show"))).await;
    host.until("where it is published", |state| {
        room_of(state).is_some_and(|room| room.published.as_deref() == Some("show"))
    })
    .await;
    host.until("it in the list", |state| state.gateway.streams.iter().any(|it| it.name == "show")).await;
    let played = host.played("show").await;
    let mut pictures = host.handle.pictures(played.clone()).await.unwrap();
    let places = places(1, 1, Size::P360);
    let (large, of_bars) = (places.large[0], places.small[0]);
    let yellow = of_bars.left + of_bars.width * 3 / 16;
    let mut shown = [false; 2];
    let seen = tokio::time::timeout(SOON, async {
        while shown != [true; 2] {
            let picture = pictures.next().await.expect("a picture");
            shown = [
                is_near(&picture, large.left + large.width / 2, large.top + large.height / 2, GREEN),
                is_near(&picture, yellow & !1, (of_bars.top + of_bars.height / 4) & !1, [162, 44, 142]),
            ];
        }
    });
    assert!(seen.await.is_ok(), "{shown:?}");
    hear_all(&host, &played).await;
    host.check().await;

    let refused = |what: RoomAsk| ask(&host, &room, what);
    assert_eq!(refused(publish(Some("tea-all"))).await.unwrap_err().field.as_deref(), Some("name"));
    assert_eq!(refused(publish(Some("a/b"))).await.unwrap_err().field.as_deref(), Some("name"));
    assert_eq!(refused(publish(Some("film"))).await.unwrap_err().code, FailureCode::WrongState);
    assert_eq!(refused(play(Some("show"))).await.unwrap_err().code, FailureCode::WrongState);
    assert_eq!(refused(play(Some("nobody"))).await.unwrap_err().code, FailureCode::NotFound);
    assert_eq!(view(&host).published.as_deref(), Some("show"), "what was refused has changed nothing");

    let composed = host.state().streams.iter().find(|it| it.name == "show").unwrap().stream_id.clone();
    let change = Command::ChangeStream {
        stream_id: composed.clone(),
        sources: Some(tone()),
        audio_muted: None,
        video_muted: None,
        volume: None,
    };
    assert_eq!(host.ask(change).await.unwrap_err().code, FailureCode::WrongState);
    told(&host, &room, publish(None)).await;
    host.stream_status(&composed, StreamStatus::Unpublished).await;
    host.stream_status(&played, StreamStatus::Stopped).await;
    host.until("no publication", |state| room_of(state).is_some_and(|room| room.published.is_none())).await;
    // With the room it ends, too.
    told(&host, &room, publish(Some("again"))).await;
    host.until("it again", |state| state.gateway.streams.iter().any(|it| it.name == "again")).await;
    told(&host, &room, RoomAsk::Leave).await;
    host.until("no room, no stream", |state| {
        state.rooms.is_empty() && state.gateway.streams.iter().all(|it| it.name == "film")
    })
    .await;
    host.check().await;
    host.finish().await;
}

#[tokio::test]
async fn a_room_is_recorded_while_it_is_published_and_the_others_are_told() {
    let dir = tempfile::tempdir().unwrap();
    let mut settings = small();
    settings.video.folder = dir.path().join("films").display().to_string();
    let mut host = Phone::start(settings).await;
    let room = join(&host, joining("ada")).await;
    let mut ann = Page::open(&host, "ann").await;
    ann.ask("join", json!({ "name": "tea", "view": true })).await;
    let record = |on| RoomAsk::Record { on };
    assert_eq!(ask(&host, &room, record(false)).await.unwrap_err().code, FailureCode::WrongState);
    told(&host, &room, publish(Some("show"))).await;
    told(&host, &room, record(true)).await;
    assert_eq!(ask(&host, &room, record(true)).await.unwrap_err().code, FailureCode::WrongState);
    host.until("a second of it", |state| {
        let recording = room_of(state).and_then(|room| room.recording.as_ref());
        recording.is_some_and(|it| it.seconds >= 1 && it.path.ends_with(" tea.mp4") && it.problem.is_none())
    })
    .await;
    let mut named = false;
    let told_ann = tokio::time::timeout(SOON, async {
        loop {
            let told = ann.told().await;
            let room = &told[1];
            named |= told[0] == "ROOM" && room["published"] == "show";
            if named && room["recording"]["seconds"].as_u64() >= Some(1) {
                return room["recording"]["path"].clone();
            }
        }
    });
    assert_eq!(told_ann.await.unwrap(), "", "where the file is, is for us alone");
    assert_eq!(host.state().streams.len(), 1, "what goes into a file alone is no stream for anybody");
    told(&host, &room, publish(None)).await;
    let before = view(&host).recording.as_ref().unwrap().seconds;
    host.until("it goes on", |state| {
        room_of(state)
            .and_then(|room| room.recording.as_ref())
            .is_some_and(|recording| recording.seconds > before)
    })
    .await;
    told(&host, &room, record(false)).await;
    host.notice("recorded ").await;
    host.until("no recording", |state| room_of(state).is_some_and(|room| room.recording.is_none())).await;
    host.check().await;
    // One that is not stopped is whole when the room is left.
    told(&host, &room, record(true)).await;
    host.until("another", |state| {
        room_of(state)
            .and_then(|room| room.recording.as_ref())
            .is_some_and(|recording| recording.seconds >= 1)
    })
    .await;
    told(&host, &room, RoomAsk::Leave).await;
    host.notice("recorded ").await;
    host.finish().await;
    let files = std::fs::read_dir(dir.path().join("films")).unwrap().map(|it| it.unwrap().path());
    let files: Vec<_> = files.collect();
    assert_eq!(files.len(), 2, "{files:?}");
    for file in files {
        let bytes = std::fs::read(&file).unwrap();
        assert!(&bytes[4..8] == b"ftyp" && bytes[bytes.len() - 200..].windows(4).any(|it| it == b"mfro"));
    }
}

#[tokio::test]
async fn a_stream_that_is_played_in_a_room_comes_and_goes_for_everybody() {
    let mut host = Phone::start(small()).await;
    let room = join(&host, joining("ada")).await;
    let mut ann = Page::open(&host, "ann").await;
    ann.ask("join", json!({ "name": "tea" })).await;
    assert_eq!((ann.told().await, ann.told().await[0].clone()), (json!("ACCEPTED"), json!("STATE")));
    let first = host.published("one").await;
    host.published("two").await;
    host.until("both", |state| state.gateway.streams.len() == 2).await;
    let published = |name: &str| json!(["PUBLISHED", { "login": name, "name": name }]);
    let unpublished = |name: &str| json!(["UNPUBLISHED", { "login": name, "name": name }]);
    told(&host, &room, play(Some("one"))).await;
    assert_eq!((ann.told().await, ann.told().await), (json!(["JOINED", "one"]), published("one")));
    let of_room = |state: &Snapshot| {
        let streams = state.streams.iter().filter(|it| it.room_id.is_some());
        streams.map(|it| it.name.clone()).collect::<Vec<_>>()
    };
    let is_played = |state: &Snapshot, name: &str| {
        room_of(state).is_some_and(|room| room.played.as_deref() == Some(name)) && of_room(state) == [name]
    };
    host.until("we play it, too", |state| is_played(state, "one")).await;
    told(&host, &room, play(Some("one"))).await;
    told(&host, &room, RoomAsk::MuteOther { participant_id: None }).await;
    let inserted = view(&host).participants.last().unwrap();
    assert!(!inserted.audio_muted, "it is heard all the same");
    let mute = RoomAsk::MuteOther { participant_id: Some(inserted.participant_id.clone()) };
    assert_eq!(ask(&host, &room, mute).await.unwrap_err().code, FailureCode::WrongState);
    let host_of_it = RoomAsk::MakeHost { participant_id: inserted.participant_id.clone(), only: false };
    assert_eq!(ask(&host, &room, host_of_it).await.unwrap_err().code, FailureCode::WrongState);

    told(&host, &room, play(Some("two"))).await;
    assert_eq!((ann.told().await, ann.told().await), (unpublished("one"), json!(["LEFT", "one"])));
    assert_eq!((ann.told().await, ann.told().await), (json!(["JOINED", "two"]), published("two")));
    host.until("the other instead", |state| is_played(state, "two")).await;
    let inserted = view(&host).participants.last().unwrap().participant_id.clone();
    told(&host, &room, RoomAsk::Remove { participant_id: inserted }).await;
    assert_eq!((ann.told().await, ann.told().await), (unpublished("two"), json!(["LEFT", "two"])));
    host.until("nothing is played", |state| room_of(state).is_some_and(|room| room.played.is_none())).await;

    told(&host, &room, play(Some("one"))).await;
    assert_eq!((ann.told().await, ann.told().await), (json!(["JOINED", "one"]), published("one")));
    host.done(Command::UnPublishStream { stream_id: first.clone() }).await;
    assert_eq!((ann.told().await, ann.told().await), (unpublished("one"), json!(["LEFT", "one"])));
    host.until("its end", |state| {
        room_of(state).is_some_and(|room| room.played.is_none())
            && of_room(state).is_empty()
            && stream(state, &first).is_none()
    })
    .await;
    host.check().await;
    host.finish().await;
}
