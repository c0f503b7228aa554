//! Pages that decode by themselves.

use super::frames::{Client, ask, message, open, picture, shown, until, window};
use crate::{door::EncodedSource, frames::header};
use axum::body::Bytes;
use futures_util::{StreamExt, future::BoxFuture};
use serde_json::json;
use sidetone_media::video::{Encoded, Size, VideoCodec};
use std::{
    collections::VecDeque,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicUsize, Ordering::Relaxed},
    },
    time::{Duration, Instant},
};
use tokio::{sync::Notify, time::timeout};
use tokio_tungstenite::tungstenite::Message;

/// What the fake engine's stream is encoded to.
#[derive(Default)]
pub(super) struct Encodings {
    frames: Mutex<VecDeque<Encoded>>,
    news: Notify,
    waits: AtomicBool,
    asked: AtomicUsize,
    restarts: AtomicUsize,
    /// Whether decoded pictures were wanted, as it was told.
    pub(super) looks: Mutex<Vec<bool>>,
}

impl Encodings {
    fn offer(&self, codec: VideoCodec, key: bool, data: &'static [u8]) {
        let frame = Encoded {
            codec,
            data: Bytes::from_static(data),
            key,
            timestamp: 0,
            size: Size::P360,
            captured: Instant::now(),
        };
        self.frames.lock().unwrap().push_back(frame);
        self.news.notify_one();
    }

    fn looks(&self) -> Vec<bool> {
        self.looks.lock().unwrap().clone()
    }
}

impl EncodedSource for Arc<Encodings> {
    fn ready(&mut self) -> BoxFuture<'_, ()> {
        Box::pin(async {
            while self.frames.lock().unwrap().is_empty() {
                self.news.notified().await;
            }
        })
    }

    fn take(&mut self) -> Option<Encoded> {
        self.frames.lock().unwrap().pop_front()
    }

    fn waits_for_key(&self) -> bool {
        self.waits.load(Relaxed)
    }

    fn ask_again(&self) {
        self.asked.fetch_add(1, Relaxed);
    }

    fn restart(&mut self) {
        self.restarts.fetch_add(1, Relaxed);
    }
}

/// Kind, whether it is a key frame, number and content.
async fn coded(client: &mut Client) -> (u8, bool, u64, Vec<u8>) {
    let Message::Binary(frame) = message(client).await else { panic!("no picture") };
    let number = u64::from_le_bytes(frame[32..40].try_into().unwrap());
    (frame[4], frame[6] == 1, number, frame[header::LEN..].to_vec())
}

async fn decoders(client: &mut Client, codecs: &[&str]) {
    ask(client, json!({"ask": "decoders", "codecs": codecs})).await;
}

#[tokio::test]
async fn a_page_that_decodes_gets_pictures_until_there_is_a_key_frame_and_then_what_is_encoded() {
    let (_door, fake, mut client) = window().await;
    decoders(&mut client, &["VP8", "AV1"]).await;
    fake.show(picture(40));
    ask(&mut client, open(640, 360, 2)).await;
    assert_eq!(shown(&mut client).await.4, 40);
    fake.encoded.offer(VideoCodec::Vp8, true, b"key");
    assert_eq!(coded(&mut client).await, (3, true, 1, b"key".to_vec()));
    until("nobody wants pictures", || fake.encoded.looks() == [false]).await;

    fake.encoded.offer(VideoCodec::Vp8, false, b"next");
    fake.show(picture(50));
    let silence = timeout(Duration::from_millis(200), client.next()).await;
    assert!(silence.is_err(), "without credit: {silence:?}");
    ask(&mut client, json!({"ask": "credit", "channel": 5, "credits": 1})).await;
    assert_eq!(coded(&mut client).await, (3, false, 2, b"next".to_vec()));
}

#[tokio::test]
async fn a_codec_that_the_page_does_not_decode_is_shown_as_pictures_and_so_is_a_channel_that_asks_for_them() {
    let (_door, fake, mut client) = window().await;
    decoders(&mut client, &["VP8"]).await;
    ask(&mut client, open(64, 64, 4)).await;
    until("the stream is watched", || fake.watchers() == 1).await;
    fake.encoded.offer(VideoCodec::H264, true, b"key");
    until("it was looked at", || fake.encoded.looks() == [true]).await;
    fake.show(picture(60));
    assert_eq!(shown(&mut client).await.4, 60);

    let mut decoded = open(64, 64, 2);
    (decoded["channel"], decoded["decoded"]) = (json!(6), json!(true));
    fake.encoded.offer(VideoCodec::Vp8, true, b"key");
    ask(&mut client, decoded).await;
    assert_eq!(shown(&mut client).await.0, 6);
}

#[tokio::test]
async fn a_page_that_waits_too_long_for_a_key_frame_asks_again_and_sees_pictures_meanwhile() {
    let (_door, fake, mut client) = window().await;
    decoders(&mut client, &["H264"]).await;
    ask(&mut client, open(64, 64, 8)).await;
    fake.encoded.offer(VideoCodec::H264, true, b"key");
    assert_eq!(coded(&mut client).await.0, 2);
    ask(&mut client, json!({"ask": "key", "channel": 5})).await;
    until("its decoder begins again", || fake.encoded.restarts.load(Relaxed) == 1).await;

    fake.encoded.waits.store(true, Relaxed);
    until("it is asked for", || fake.encoded.asked.load(Relaxed) == 1).await;
    assert_eq!(fake.encoded.looks(), [false]);
    until("pictures are wanted", || fake.encoded.looks() == [false, true]).await;
    assert_eq!(fake.encoded.asked.load(Relaxed), 2, "and once more");
    fake.show(picture(70));
    assert_eq!(shown(&mut client).await.4, 70);
    fake.encoded.waits.store(false, Relaxed);
    fake.encoded.offer(VideoCodec::H264, true, b"key");
    assert_eq!(coded(&mut client).await.0, 2);
    assert_eq!(fake.encoded.looks(), [false, true, false]);
}

#[tokio::test]
async fn a_page_that_takes_nothing_asks_for_no_key_frames() {
    let (_door, fake, mut client) = window().await;
    decoders(&mut client, &["H264"]).await;
    ask(&mut client, open(64, 64, 1)).await;
    fake.encoded.offer(VideoCodec::H264, true, b"key");
    coded(&mut client).await;
    fake.encoded.waits.store(true, Relaxed);
    let silence = timeout(Duration::from_millis(1_500), client.next()).await;
    assert!(silence.is_err(), "{silence:?}");
    assert_eq!(fake.encoded.asked.load(Relaxed), 0);
}
