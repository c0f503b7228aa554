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

/// Ten seconds with sound `audio` and pictures `video` late; gives the skew of each picture as it is shown. The sound waits
/// as it is asked to, a tenth of a second each second.
fn play(sync: &mut AvSync, audio: f64, video: f64) -> Vec<f64> {
    play_with(sync, audio, |_| video).0
}

/// Pictures by when they are taken; gives the delays that the sound was asked for too.
fn play_with(sync: &mut AvSync, audio: f64, mut video: impl FnMut(f64) -> f64) -> (Vec<f64>, Vec<f64>) {
    let start = Instant::now() + Duration::from_secs(10);
    let (mut skews, mut asked, mut waited) = (Vec::new(), Vec::new(), 0.0f64);
    for frame in 0..300 {
        let taken = f64::from(frame) / 30.0;
        let wanted = sync.wanted_audio_delay().as_secs_f64();
        waited += (wanted - waited).clamp(-0.1 / 30.0, 0.1 / 30.0);
        let (heard, own) = (taken + audio + waited, taken + video(taken));
        let at = |seconds: f64| start + Duration::from_secs_f64(seconds);
        sync.handle_heard(audio_at(taken), at(heard), Duration::from_secs_f64(waited));
        let delay = sync.handle_picture(video_at(taken), at(own), at(own));
        skews.push(own + delay.as_secs_f64() - heard);
        asked.push(wanted);
    }
    (skews, asked)
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
fn sound_waits_for_pictures_that_are_late_and_only_as_long_as_they_are() {
    let mut sync = sync();
    // Pictures come 0.2 s after their sound, and from the sixth second on 0.1 s before it.
    let late = |taken: f64| if taken < 6.0 { 0.22 } else { 0.0 };
    let (skews, _) = play_with(&mut sync, 0.02, late);
    assert!((skews[0] - 0.2).abs() < 0.005, "pictures cannot be shown before they are there");
    assert!(skews[90..180].iter().all(|skew| skew.abs() < 0.045), "{:?}", &skews[90..180]);
    // What is early then waits at once, while the sound comes back.
    assert!(skews[180..].iter().all(|skew| skew.abs() < 0.045), "{:?}", &skews[180..]);
    assert_eq!(sync.wanted_audio_delay(), Duration::ZERO);
    assert!(sync.skew_ms().unwrap().abs() < 40.0);
}

#[test]
fn pictures_that_come_at_any_time_do_not_move_the_sound_about() {
    let mut sync = sync();
    let mut noise = crate::test_signal::Noise(9);
    let (_, asked) = play_with(&mut sync, 0.0, |_| 0.15 + 0.06 * noise.unit());
    let settled = &asked[60..];
    assert!(settled.iter().all(|asked| (0.15..0.21).contains(asked)), "{settled:?}");
    let moves = settled.windows(2).filter(|pair| pair[0] != pair[1]).count();
    assert!(moves <= 2, "{moves}: {settled:?}");
}

#[test]
fn nothing_is_delayed_without_reports_or_by_reports_that_cannot_be_true() {
    let mut silent = AvSync::default();
    assert!((play(&mut silent, 0.1, 0.0)[299] + 0.1).abs() < 0.001);
    assert_eq!(silent.skew_ms(), None);
    let mut wrong = sync();
    wrong.handle_video_report(ntp(5_000.0), 4_000_000_000);
    let now = Instant::now();
    wrong.handle_heard(audio_at(1.0), now, Duration::ZERO);
    assert_eq!(wrong.handle_picture(video_at(1.0), now, now), Duration::ZERO);
    let mut none = sync();
    none.handle_audio_report(0, 5, 48_000);
    assert!((play(&mut none, 0.1, 0.0)[299] + 0.1).abs() < 0.001);
}
