use super::*;

/// Sender's clock in 32.32 bits.
fn ntp(seconds: f64) -> u64 {
    (seconds * 4_294_967_296.0) as u64
}

/// A sender whose sound and pictures both begin at second 1000 with these timestamps.
fn sync() -> AvSync {
    let mut sync = AvSync::default();
    sync.handle_audio_report(ntp(1_000.0), u32::MAX - 10, 48_000);
    sync.handle_video_report(ntp(1_000.0), 4_000_000_000);
    sync
}

fn audio_at(seconds: f64) -> u32 {
    (u32::MAX - 10).wrapping_add((seconds * 48_000.0) as u32)
}

fn video_at(seconds: f64) -> u32 {
    4_000_000_000u32.wrapping_add((seconds * 90_000.0) as u32)
}

/// Ten seconds with sound `audio` and pictures `video` late; gives the skew of each picture as it is shown.
fn play(sync: &mut AvSync, audio: f64, video: f64) -> Vec<f64> {
    let start = Instant::now() + Duration::from_secs(10);
    let mut skews = Vec::new();
    for frame in 0..300 {
        let taken = f64::from(frame) / 30.0;
        let own = start + Duration::from_secs_f64(taken + video);
        sync.handle_heard(audio_at(taken), start + Duration::from_secs_f64(taken + audio));
        let delay = sync.handle_picture(video_at(taken), own, own);
        let shown = taken + video + delay.as_secs_f64();
        skews.push(shown - (taken + audio));
    }
    skews
}

#[test]
fn pictures_that_are_early_wait_for_their_sound() {
    for late in [0.0, 0.03, 0.1, 0.5] {
        let mut sync = sync();
        let skews = play(&mut sync, late, 0.0);
        assert!(skews.iter().all(|skew| skew.abs() <= 0.041), "{late}: {skews:?}");
        assert!(skews[299].abs() < 0.005, "{late}");
        assert!(sync.skew_ms().unwrap().abs() < 5.0);
        assert_eq!(sync.wanted_audio_delay(), Duration::ZERO);
    }
}

#[test]
fn sound_is_asked_to_wait_where_pictures_are_late() {
    let mut sync = sync();
    let skews = play(&mut sync, 0.02, 0.22);
    assert!((skews[299] - 0.2).abs() < 0.005, "pictures cannot be shown before they are there");
    assert!(sync.skew_ms().unwrap() > 190.0, "sound leads");
    let wanted = sync.wanted_audio_delay().as_secs_f64();
    assert!((wanted - 0.2).abs() < 0.005, "{wanted}");
    let skews = play(&mut sync, 0.02 + wanted, 0.22);
    assert!(skews[299].abs() < 0.04);
}

#[test]
fn nothing_is_delayed_without_reports_or_by_reports_that_cannot_be_true() {
    let mut silent = AvSync::default();
    assert!((play(&mut silent, 0.1, 0.0)[299] + 0.1).abs() < 0.001);
    assert_eq!(silent.skew_ms(), None);
    let mut wrong = sync();
    wrong.handle_video_report(ntp(5_000.0), 4_000_000_000);
    let now = Instant::now();
    wrong.handle_heard(audio_at(1.0), now);
    assert_eq!(wrong.handle_picture(video_at(1.0), now, now), Duration::ZERO);
    let mut none = sync();
    none.handle_audio_report(0, 5, 48_000);
    assert!((play(&mut none, 0.1, 0.0)[299] + 0.1).abs() < 0.001);
}
