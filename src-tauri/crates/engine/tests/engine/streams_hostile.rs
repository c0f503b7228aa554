//! Pictures of any size, and bitstreams that nobody should send.

use crate::{
    endpoint::{FarPeer, Sending},
    kit::{Phone, SOON, gateway, quiet},
    streams::stream,
};
use bytes::Bytes;
use sidetone_api::{Command, StreamSources, StreamStatus};
use sidetone_media::video::{
    Bars, EncoderOptions, MAX_PAYLOAD, MediaClock, PacketizationMode, Packetizer, Picture, Size, VideoCodec,
    VideoEncoder, read_clock,
};
use sidetone_peer::{Codec, Kind};
use std::{
    path::Path,
    time::{Duration, Instant},
};
use tokio::time::timeout;

fn codecs() -> impl Iterator<Item = VideoCodec> {
    VideoCodec::ALL.into_iter().filter(|codec| codec.info().encode)
}

/// Grey, brighter to the right.
fn write_png(path: &Path, width: u32, height: u32) {
    let file = std::fs::File::create(path).unwrap();
    let mut encoder = png::Encoder::new(std::io::BufWriter::new(file), width, height);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let row: Vec<u8> = (0..width).map(|x| (64 + x * 128 / width) as u8).collect();
    encoder.write_header().unwrap().write_image_data(&row.repeat(height as usize)).unwrap();
}

type Sides = (u32, u32);

/// Publishes each picture by each codec and plays it: a picture of the first pair of sides comes as the second by H.264,
/// as the third by VP8.
async fn goes_through(cases: &[(Sides, Sides, Sides)]) {
    let folder = tempfile::tempdir().unwrap();
    for codec in codecs() {
        let mut settings = quiet();
        (settings.video.width, settings.video.height) = (4_096, 4_096);
        // Enough for the largest: with less they would soon be halved.
        settings.video.max_kbit = 50_000;
        settings.video.codecs = vec![codec.name().into()];
        let mut phone = Phone::start(settings).await;
        for (size, h264, vp8) in cases {
            let path = folder.path().join(format!("{}x{}.png", size.0, size.1));
            write_png(&path, size.0, size.1);
            let video = Some(format!("image:{}", path.display()));
            let published = phone.publish("tv", StreamSources { video, ..StreamSources::default() }).await;
            phone.stream_status(&published, StreamStatus::Publishing).await;
            let played = phone.play("tv").await;
            let mut pictures = phone.handle.pictures(played.clone()).await.unwrap();
            phone.stream_status(&played, StreamStatus::Playing).await;
            let picture = timeout(SOON, pictures.next()).await.expect("in time");
            let picture = picture.unwrap_or_else(|| panic!("{codec} of {size:?}: {:?}", phone.seen));
            let expected = if codec == VideoCodec::H264 { h264 } else { vp8 };
            assert_eq!((picture.width(), picture.height()), *expected, "{codec} of {size:?}");
            let luma = picture.y();
            assert!(
                luma.iter().all(|luma| (48..220).contains(luma)),
                "{codec} of {size:?}: not what was sent"
            );
            assert_eq!(stream(phone.state(), &published).and_then(|it| it.problem.clone()), None);
            phone.done(Command::UnPublishStream { stream_id: published }).await;
            phone.stream_status(&played, StreamStatus::Stopped).await;
            phone.until("an empty list", |state| state.streams.is_empty()).await;
        }
        phone.finish().await;
    }
}

/// H.264 has sides of at least 16; both have even ones.
#[tokio::test]
async fn pictures_of_any_size_are_published_and_played_by_each_codec() {
    goes_through(&[
        ((1, 1), (16, 16), (2, 2)),
        ((3, 5), (16, 16), (2, 4)),
        ((639, 359), (638, 358), (638, 358)),
        ((2, 600), (16, 600), (2, 600)),
        ((1_080, 1_920), (1_080, 1_920), (1_080, 1_920)),
    ])
    .await;
}

/// H.264 is encoded in at most 3840x2160.
#[tokio::test]
async fn pictures_of_4k_are_published_and_played_by_each_codec() {
    goes_through(&[
        ((3_840, 2_160), (3_840, 2_160), (3_840, 2_160)),
        ((4_096, 4_096), (2_160, 2_160), (4_096, 4_096)),
    ])
    .await;
}

/// Bars of 30 pictures a second with a key frame twice a second, of which some packets are spoiled.
struct Spoiled {
    codec: VideoCodec,
    bars: Bars,
    encoder: Box<dyn VideoEncoder>,
    packetizer: Packetizer,
    start: Instant,
    count: u32,
    random: u32,
    /// Nothing that is sent is as it was encoded.
    spoils: bool,
}

impl Spoiled {
    fn new(codec: VideoCodec) -> Self {
        let start = Instant::now();
        let options = EncoderOptions::new(Size::P180, 300_000, MediaClock::new(start, 0));
        Self {
            codec,
            bars: Bars::new(Size::P180, 30, start, 0).unwrap(),
            encoder: codec.encoder(&options).unwrap(),
            packetizer: Packetizer::new(codec, PacketizationMode::NonInterleaved, MAX_PAYLOAD, 0).unwrap(),
            start,
            count: 0,
            random: 1,
            spoils: false,
        }
    }

    fn random(&mut self) -> usize {
        self.random = self.random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        self.random as usize >> 8
    }

    fn spoil(&mut self, payload: &[u8]) -> Vec<Bytes> {
        let mut bytes = payload.to_vec();
        match self.random() % 8 {
            // Bits.
            0..=2 => {
                for _ in 0..=self.random() % 8 {
                    let at = self.random() % bytes.len();
                    bytes[at] ^= 1 << (self.random() % 8);
                }
            }
            // The payload's own header.
            3 => {
                let (at, value) = (self.random() % bytes.len().min(4), self.random() as u8);
                bytes[at] = value;
            }
            4 => bytes.truncate(1 + self.random() % bytes.len()),
            5 => bytes = (0..=self.random() % 1_000).map(|_| self.random() as u8).collect(),
            6 => return vec![bytes.clone().into(), bytes.into()],
            _ => {
                let crafted = crafted(self.codec);
                bytes = crafted[self.random() % crafted.len()].to_vec();
            }
        }
        vec![bytes.into()]
    }

    fn picture(&mut self) -> Picture {
        let at = Duration::from_millis(u64::from(self.count) * 100 / 3);
        self.count += 1;
        self.bars.draw(u64::from(self.count), self.start + at).unwrap()
    }
}

/// Headers that claim what does not follow, or far too much.
fn crafted(codec: VideoCodec) -> &'static [&'static [u8]] {
    match codec {
        VideoCodec::H264 => &[
            // STAP-A: longer than it is, of nothing, of empty units.
            &[0x18, 0xFF, 0xFF, 0x65],
            &[0x18],
            &[0x18, 0, 0, 0, 0],
            // FU-A: an end without a beginning, a beginning again and again, begun and ended at once.
            &[0x7C, 0x45, 1, 2, 3],
            &[0x7C, 0x85, 1, 2, 3],
            &[0x7C, 0xC5, 1],
            // A parameter set of 65536 x 65536, one that ends early, and a slice of a set that is not there.
            &[0x67, 0x42, 0xC0, 0x33, 0xF8, 0x40, 0x00, 0x40, 0x00, 0x08, 0x00, 0x08],
            &[0x67, 0x42],
            &[0x65, 0xFF, 0xFF, 0xFF],
            // Kinds that nobody may send.
            &[0x1E, 0, 0, 0],
            &[0x00],
        ],
        _ => &[
            // Descriptors that end early.
            &[0x90],
            &[0x90, 0xFF],
            &[0x90, 0x80, 0x80],
            // A key frame of 16383 x 16383, one of nothing, one whose first partition is longer than it is.
            &[0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0xFF, 0x3F, 0xFF, 0x3F, 0, 0, 0],
            &[0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0, 0, 0, 0],
            &[0x10, 0xF0, 0xFF, 0xFF, 0x9D, 0x01, 0x2A, 0x40, 0x01, 0xB4, 0x00],
            // A key frame of 4096 x 4096 without its data.
            &[0x10, 0x10, 0, 0, 0x9D, 0x01, 0x2A, 0, 0x10, 0, 0x10, 0, 0, 0],
        ],
    }
}

impl Sending for Spoiled {
    const KIND: Kind = Kind::Video;
    const APART: Duration = Duration::from_millis(33);

    fn codec(&self) -> Codec {
        if self.codec == VideoCodec::H264 { Codec::H264 } else { Codec::Vp8 }
    }

    fn next(&mut self) -> Vec<(u32, bool, Bytes)> {
        let picture = self.picture();
        let key = self.count % 15 == 1;
        let Some(encoded) = self.encoder.encode(&picture, key).unwrap() else { return Vec::new() };
        let payloads = self.packetizer.packetize(&encoded).unwrap();
        let mut out = Vec::new();
        for payload in payloads {
            let spoiled = if self.spoils { self.spoil(&payload.data) } else { vec![payload.data] };
            let marker = payload.marker && !(self.spoils && self.random().is_multiple_of(8));
            out.extend(spoiled.into_iter().map(|payload| (encoded.timestamp, marker, payload)));
        }
        out
    }
}

#[tokio::test]
async fn a_player_goes_on_after_a_bitstream_of_rubbish() {
    for codec in codecs() {
        let mut host = Phone::start(gateway()).await;
        let mut far = FarPeer::publish(&host.handle, "tv", Spoiled::new(codec)).await;
        let listing = host.until("the list", |state| state.gateway.streams.len() == 1);
        tokio::select! {
            () = far.run(SOON) => panic!("{codec}: it is not listed"),
            () = listing => {}
        }
        let played = host.play("tv").await;
        tokio::select! {
            () = far.run(SOON) => panic!("{codec}: nothing is played"),
            _ = host.stream_status(&played, StreamStatus::Playing) => {}
        }
        far.sending.spoils = true;
        far.run(Duration::from_secs(3)).await;
        far.sending.spoils = false;
        let count = u64::from(far.sending.count);
        let mut pictures = host.handle.pictures(played.clone()).await.unwrap();
        let good = async {
            loop {
                let picture = pictures.next().await.expect("the stream goes on");
                let clock = read_clock(&picture).filter(|_| picture.size() == Size::P180);
                if clock.is_some_and(|clock| clock > count) {
                    return;
                }
            }
        };
        tokio::select! {
            () = far.run(SOON) => panic!("{codec}: no picture after what was spoiled"),
            () = good => {}
        }
        let figures = |state: &sidetone_api::Snapshot| {
            let figures = stream(state, &played).and_then(|it| it.statistics);
            figures.is_some_and(|it| it.frames_dropped > 0 && it.key_frame_requests > 0)
        };
        tokio::select! {
            () = far.run(SOON) => panic!("{codec}: nothing was counted"),
            () = host.until("what was dropped", figures) => {}
        }
        let ended = |status: &StreamStatus| *status != StreamStatus::Playing;
        let statuses = host.stream_statuses(&played);
        assert!(!statuses.iter().any(ended), "{codec}: {statuses:?}");
        host.finish().await;
    }
}
