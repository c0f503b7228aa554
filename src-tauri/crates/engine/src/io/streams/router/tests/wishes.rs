//! Players that want no picture, or a small one; publishers of whose sound nothing goes on.

use super::{FRAME, Kind, PUBLISHER, Scene, assert_gap_free};
use std::time::Duration;

#[test]
fn who_wants_no_picture_has_the_sound_and_the_next_key_frame_when_it_wants_one_again() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    scene.picture(0, true);
    scene.sound();
    let before = scene.take(player);
    assert_eq!(before.len(), 3);
    scene.events();
    scene.router.watch(scene.now, player, None);
    for _ in 0..100 {
        scene.pass(FRAME);
        scene.picture(0, false);
        scene.sound();
    }
    let while_blind = scene.take(player);
    assert!(while_blind.iter().all(|it| it.packet.kind == Kind::Audio) && while_blind.len() == 100);
    let asked = |scene: &mut Scene| scene.keys_asked();
    assert_eq!(asked(&mut scene), 0, "nobody waits for a key frame");
    scene.router.watch(scene.now, player, Some(0));
    assert_eq!(asked(&mut scene), 1);
    scene.picture(0, false);
    assert_eq!(scene.video(player), []);
    scene.picture(0, true);
    let after = scene.video(player);
    assert_eq!(after.len(), 2);
    let last = before.iter().rfind(|it| it.packet.kind == Kind::Video).unwrap();
    assert_gap_free(&[&[(last.sequence, last.timestamp)][..], &after].concat());
}

#[test]
fn a_small_tile_gets_a_small_layer_however_much_its_path_carries() {
    let mut scene = Scene::published(3);
    let player = scene.play(5);
    let second = |scene: &mut Scene| {
        for _ in 0..60 {
            scene.pass(FRAME);
            for layer in 0..3 {
                scene.picture(layer, true);
            }
        }
        scene.take(player).last().unwrap().packet.layer
    };
    assert_eq!(second(&mut scene), 2);
    for (below, layer) in [(1, 1), (2, 0), (7, 0), (0, 2)] {
        scene.router.watch(scene.now, player, Some(below));
        assert_eq!(second(&mut scene), layer, "{below} below the best");
    }
}

#[test]
fn a_publisher_that_is_silenced_is_seen_and_not_heard_until_it_may_speak_again() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    scene.picture(0, true);
    scene.sound();
    let before = scene.take(player);
    scene.router.silence(PUBLISHER, true);
    for _ in 0..50 {
        scene.pass(FRAME);
        scene.sound();
    }
    scene.picture(0, false);
    let silenced = scene.take(player);
    assert!(silenced.iter().all(|it| it.packet.kind == Kind::Video) && silenced.len() == 2);
    scene.router.silence(PUBLISHER, false);
    scene.sound();
    let after = scene.take(player);
    let sound = |all: &[super::Forwarded]| {
        let sound = all.iter().filter(|it| it.packet.kind == Kind::Audio);
        sound.map(|it| (it.sequence, it.timestamp)).collect::<Vec<_>>()
    };
    assert_eq!(sound(&after).len(), 1);
    assert_gap_free(&[sound(&before), sound(&after)].concat());
}

#[test]
fn who_has_no_room_for_pictures_has_the_sound_and_goes_on_with_a_key_frame_that_is_asked_for_at_once() {
    let mut scene = Scene::published(1);
    let (player, other) = (scene.play(5), scene.play(6));
    scene.picture(0, true);
    scene.take(player);
    scene.pass(Duration::from_secs(1));
    scene.events();
    scene.router.starve(scene.now, player, true);
    assert!(!scene.router.is_unseen(PUBLISHER), "the other one looks");
    for _ in 0..10 {
        scene.picture(0, false);
        scene.sound();
        // It cannot know why nothing comes.
        scene.router.key_frame_wanted(scene.now, player);
    }
    assert!(scene.take(player).iter().all(|it| it.packet.kind == Kind::Audio));
    assert_eq!(scene.keys_asked(), 0);
    scene.router.watch(scene.now, other, None);
    assert!(!scene.router.is_unseen(PUBLISHER), "the first one waits for room");
    scene.router.starve(scene.now, player, false);
    assert_eq!(scene.keys_asked(), 1);
    scene.picture(0, false);
    assert_eq!(scene.video(player), []);
    scene.picture(0, true);
    assert_eq!(scene.video(player).len(), 2);
}

#[test]
fn one_that_complains_all_the_time_does_not_fill_the_stream_of_the_others_with_key_frames() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    let complain = |scene: &mut Scene| {
        let mut keys = 0;
        for _ in 0..600 {
            scene.pass(FRAME);
            scene.router.key_frame_wanted(scene.now, player);
            let asked = scene.keys_asked() > 0;
            keys += usize::from(asked);
            scene.picture(0, asked);
        }
        keys
    };
    // Alone it takes nothing from anybody.
    assert!(complain(&mut scene) > 40);
    scene.play(6);
    let keys = complain(&mut scene);
    assert!((10..=16).contains(&keys), "{keys} in 20 s");
    // One who comes is not made to wait for it.
    for _ in 0..200 {
        scene.pass(FRAME);
        let asked = scene.keys_asked() > 0;
        scene.picture(0, asked);
    }
    scene.play(7);
    assert_eq!(scene.keys_asked(), 1);
}

#[test]
fn what_pictures_take_is_known_also_while_they_are_left_out() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    for _ in 0..90 {
        scene.pass(FRAME);
        scene.picture(0, true);
    }
    scene.router.set_bandwidth(scene.now, player, 30);
    scene.router.starve(scene.now, player, true);
    let pictures = scene.router.pictures(scene.now, player).unwrap();
    assert_eq!(pictures.carries, Some(30));
    // Two packets of 100 octets, 30 times a second, and the sound.
    assert!((85..95).contains(&pictures.need), "{pictures:?}");
    scene.pass(Duration::from_millis(1_300));
    scene.router.watch(scene.now, player, None);
    assert_eq!(scene.router.pictures(scene.now, player), None);
}
