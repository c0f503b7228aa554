//! As much of cameras as a machine without one shows: that there is none, in words.
#![cfg(feature = "camera")]
#![expect(clippy::unwrap_used, reason = "the functions that the tests share are tests as well")]

use std::sync::Arc;
use std::time::{Duration, Instant};

use sidetone_device::Hardware;
use sidetone_media::video::{Polled, Size, VideoSource, Watched};
use sidetone_media::{Devices, VideoKind, VideoSelection, VideoWish};

const WISH: VideoWish = VideoWish { size: Size::P360, frames_per_second: 30 };

/// True where the machine has one, with which nothing is to be tried.
fn has_camera() -> bool {
    let listed = Hardware::new().list_video().unwrap();
    listed.iter().any(|info| info.kind == VideoKind::Camera)
}

#[test]
fn a_machine_without_a_camera_says_so_and_what_to_do() {
    if has_camera() {
        return;
    }
    let error = Hardware::new().open_video(&VideoSelection::Default, WISH).unwrap_err().to_string();
    assert!(error.contains("no camera: plug one in, or choose"), "{error}");
    let chosen = VideoSelection::Device("HD Webcam".into());
    let error = Hardware::new().open_video(&chosen, WISH).unwrap_err().to_string();
    assert!(error.contains("device:HD Webcam"), "{error}");
}

#[test]
fn a_stream_without_its_camera_goes_on_in_black_and_says_why() {
    if has_camera() {
        return;
    }
    let mut watched = Watched::of(Instant::now(), Arc::new(Hardware::new()), &VideoSelection::Default, WISH);
    let deadline = Instant::now() + Duration::from_secs(20);
    let picture = loop {
        assert!(Instant::now() < deadline);
        match watched.poll(Instant::now()).unwrap() {
            Polled::Picture(picture) => break picture,
            _ => watched.wait(Instant::now() + Duration::from_millis(20)),
        }
    };
    assert_eq!(picture.size(), Size::P360);
    assert!(picture.y().iter().all(|y| *y == 16));
    assert!(watched.problem().unwrap().contains("no camera"), "{:?}", watched.problem());
    assert!(watched.fault().is_some());
}
