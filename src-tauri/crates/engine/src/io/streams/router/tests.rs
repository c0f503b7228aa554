//! Virtual time, no sockets.

mod wishes;

use super::{
    super::packet::{Clock, Kind, Packet},
    AudioTrack, Event, Forwarded, IN_USE, Key, MOST_PLAYERS_OF_ONE, MOST_STREAMS, NOT_FOUND, Refused, Router,
    Start, Tracks, VideoTrack,
    player::QUEUE,
};
use bytes::Bytes;
use std::time::{Duration, Instant};

const PUBLISHER: Key = Key(1);
const FRAME: Duration = Duration::from_millis(33);

fn tracks(layers: u8) -> Tracks {
    Tracks {
        video: Some(VideoTrack { codec: "H264".into(), layers }),
        audio: Some(AudioTrack { codec: "opus".into(), clock_rate: 48_000 }),
    }
}

struct Scene {
    router: Router,
    now: Instant,
    /// A layer's next sequence number and timestamp.
    next: [(u16, u32); 3],
    audio: (u16, u32),
}

impl Scene {
    fn new() -> Self {
        let next = [(65_530, u32::MAX - 9_000), (100, 5), (40_000, 1_000_000)];
        Self { router: Router::default(), now: Instant::now(), next, audio: (7, 960) }
    }

    fn published(layers: u8) -> Self {
        let mut scene = Self::new();
        scene.router.publish(scene.now, PUBLISHER, "tv", tracks(layers)).unwrap();
        scene
    }

    fn play(&mut self, player: u64) -> Key {
        let key = Key(player);
        self.router.play(self.now, key, "tv", Start::default()).unwrap();
        key
    }

    /// A picture of two packets.
    fn picture(&mut self, layer: u8, key: bool) {
        let (sequence, timestamp) = self.next[usize::from(layer)];
        for n in 0..2 {
            self.send(layer, sequence.wrapping_add(n), timestamp, n == 1, key && n == 0);
        }
        self.next[usize::from(layer)] = (sequence.wrapping_add(2), timestamp.wrapping_add(2_970));
    }

    fn send(&mut self, layer: u8, sequence: u16, timestamp: u32, marker: bool, key: bool) {
        // The largest layer has the most bits.
        let payload = Bytes::from(vec![layer; 100 * (usize::from(layer) + 1)]);
        let packet = Packet {
            kind: Kind::Video,
            layer,
            sequence,
            timestamp,
            marker,
            key,
            extensions: Default::default(),
            payload,
        };
        self.router.handle(self.now, PUBLISHER, packet);
    }

    fn sound(&mut self) {
        let (sequence, timestamp) = self.audio;
        let payload = Bytes::from_static(b"opus");
        let packet = Packet {
            kind: Kind::Audio,
            layer: 0,
            sequence,
            timestamp,
            marker: false,
            key: false,
            extensions: Default::default(),
            payload,
        };
        self.router.handle(self.now, PUBLISHER, packet);
        self.audio = (sequence.wrapping_add(1), timestamp.wrapping_add(960));
    }

    fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(due) = self.router.poll_timeout().filter(|due| *due <= end) {
            self.now = self.now.max(due);
            self.router.handle_timeout(self.now);
        }
        self.now = end;
        self.router.handle_timeout(end);
    }

    fn take(&mut self, player: Key) -> Vec<Forwarded> {
        std::iter::from_fn(|| self.router.next(player)).collect()
    }

    fn video(&mut self, player: Key) -> Vec<(u16, u32)> {
        let of_video = self.take(player).into_iter().filter(|it| it.packet.kind == Kind::Video);
        of_video.map(|it| (it.sequence, it.timestamp)).collect()
    }

    fn events(&mut self) -> Vec<Event> {
        std::iter::from_fn(|| self.router.poll()).filter(|event| *event != Event::Changed).collect()
    }

    fn keys_asked(&mut self) -> usize {
        self.events().iter().filter(|event| matches!(event, Event::WantKeyFrame { .. })).count()
    }
}

fn assert_gap_free(packets: &[(u16, u32)]) {
    for pair in packets.windows(2) {
        assert_eq!(pair[1].0, pair[0].0.wrapping_add(1), "{packets:?}");
        assert!(pair[1].1.wrapping_sub(pair[0].1) < 0x8000_0000, "time goes back: {packets:?}");
    }
}

#[test]
fn a_name_has_one_publisher_and_is_free_when_that_has_gone() {
    let mut scene = Scene::published(1);
    let again = scene.router.publish(scene.now, Key(2), "tv", tracks(1));
    assert_eq!(again, Err(Refused::InUse));
    assert_eq!(Refused::InUse.as_str(), IN_USE);
    scene.router.unpublish(PUBLISHER);
    assert_eq!(scene.router.publish(scene.now, Key(2), "tv", tracks(1)), Ok(()));
}

#[test]
fn what_nobody_publishes_is_not_found() {
    let mut scene = Scene::new();
    let refused = scene.router.play(scene.now, Key(5), "tv", Start::default()).unwrap_err();
    assert_eq!(refused.as_str(), NOT_FOUND);
}

#[test]
fn a_player_gets_sound_at_once_and_video_from_the_next_key_frame_which_is_asked_for() {
    let mut scene = Scene::published(1);
    scene.picture(0, true);
    scene.now += Duration::from_secs(1);
    scene.events();
    let player = scene.play(5);
    assert_eq!(scene.events(), [Event::WantKeyFrame { publisher: PUBLISHER, layer: 0 }]);
    scene.picture(0, false);
    scene.sound();
    let got = scene.take(player);
    assert_eq!(got.len(), 1);
    assert_eq!(got[0].packet.kind, Kind::Audio);
    assert_eq!(got[0].packet.payload, Bytes::from_static(b"opus"), "untouched");
    scene.picture(0, true);
    scene.picture(0, false);
    let video = scene.video(player);
    assert_eq!(video.len(), 4);
    assert_gap_free(&video);
    assert_eq!(video[0].0, 1, "the first after the start that was given");
}

#[test]
fn who_joins_just_after_a_key_frame_gets_that_one() {
    let mut scene = Scene::published(1);
    scene.picture(0, true);
    scene.picture(0, false);
    scene.now += FRAME;
    scene.events();
    let player = scene.play(5);
    assert_eq!(scene.keys_asked(), 0);
    scene.picture(0, false);
    let video = scene.video(player);
    assert_eq!(video.len(), 6);
    assert_gap_free(&video);
}

#[test]
fn many_who_join_or_complain_at_once_cost_one_key_frame() {
    let mut scene = Scene::published(1);
    scene.picture(0, false);
    let players: Vec<_> = (10..210).map(|player| scene.play(player)).collect();
    assert_eq!(scene.keys_asked(), 1);
    scene.now += FRAME;
    scene.picture(0, true);
    for player in &players {
        scene.router.key_frame_wanted(scene.now, *player);
    }
    scene.pass(Duration::from_millis(250));
    assert_eq!(scene.keys_asked(), 0, "one has just come");
    scene.pass(Duration::from_millis(100));
    assert_eq!(scene.keys_asked(), 1, "and was asked for again afterwards");
}

#[test]
fn a_key_frame_that_does_not_come_is_asked_for_again() {
    let mut scene = Scene::published(1);
    scene.picture(0, false);
    scene.play(5);
    assert_eq!(scene.keys_asked(), 1);
    for _ in 0..33 {
        scene.pass(FRAME);
        scene.picture(0, false);
    }
    assert_eq!(scene.keys_asked(), 1);
}

#[test]
fn losses_on_the_way_to_us_stay_losses_and_late_packets_find_their_place() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    scene.send(0, 10, 0, false, true);
    scene.send(0, 12, 3_000, true, false);
    scene.send(0, 11, 0, true, false);
    scene.send(0, 9, 0, false, false);
    let video = scene.video(player);
    assert_eq!(video, [(1, 1), (3, 3_001), (2, 1)]);
}

#[test]
fn pause_stops_the_flow_and_resume_goes_on_without_a_gap() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    scene.picture(0, true);
    let mut video = scene.video(player);
    scene.router.pause(scene.now, player, true);
    for _ in 0..60 {
        scene.now += FRAME;
        scene.picture(0, false);
        scene.sound();
    }
    assert_eq!(scene.take(player), []);
    scene.events();
    scene.router.pause(scene.now, player, false);
    assert_eq!(scene.keys_asked(), 1);
    scene.picture(0, false);
    scene.now += FRAME;
    scene.picture(0, true);
    scene.sound();
    let rest = scene.take(player);
    video
        .extend(rest.iter().filter(|it| it.packet.kind == Kind::Video).map(|it| (it.sequence, it.timestamp)));
    assert_eq!(video.len(), 4);
    assert_gap_free(&video);
    let passed = video[2].1.wrapping_sub(video[0].1);
    assert_eq!(passed, 62 * 2_970, "the source's own clock goes on");
    let sound = rest.iter().find(|it| it.packet.kind == Kind::Audio).unwrap();
    assert_eq!((sound.sequence, sound.timestamp), (1, 1), "nothing of the pause is missing");
}

#[test]
fn another_layer_begins_with_its_key_frame_and_without_a_gap() {
    let mut scene = Scene::published(3);
    for _ in 0..40 {
        (0..3).for_each(|layer| scene.picture(layer, false));
        scene.now += FRAME;
    }
    let player = scene.play(5);
    assert_eq!(scene.events().last(), Some(&Event::WantKeyFrame { publisher: PUBLISHER, layer: 2 }));
    scene.picture(2, true);
    let mut video = scene.video(player);
    scene.router.set_bandwidth(scene.now, player, 1);
    assert_eq!(scene.events(), [Event::WantKeyFrame { publisher: PUBLISHER, layer: 0 }]);
    scene.now += FRAME;
    (0..3).for_each(|layer| scene.picture(layer, false));
    scene.now += FRAME;
    (0..3).for_each(|layer| scene.picture(layer, layer == 0));
    scene.now += FRAME;
    (0..3).for_each(|layer| scene.picture(layer, false));
    let rest = scene.take(player);
    let layers: Vec<_> = rest.iter().map(|it| it.packet.layer).collect();
    assert_eq!(layers, [2, 2, 0, 0, 0, 0]);
    video.extend(rest.iter().map(|it| (it.sequence, it.timestamp)));
    assert_gap_free(&video);
    let step = video[4].1.wrapping_sub(video[0].1);
    assert!((5_000..7_000).contains(&step), "two frames later: {step}");
}

#[test]
fn a_publisher_need_not_send_more_than_its_best_player_takes() {
    let mut scene = Scene::published(1);
    assert_eq!(scene.router.best_bandwidth(PUBLISHER), None);
    let players = [scene.play(5), scene.play(6)];
    scene.router.set_bandwidth(scene.now, players[0], 300);
    assert_eq!(scene.router.best_bandwidth(PUBLISHER), None, "one may take anything");
    scene.router.set_bandwidth(scene.now, players[1], 900);
    assert_eq!(scene.router.best_bandwidth(PUBLISHER), Some(900));
}

#[test]
fn a_player_that_began_with_the_smallest_layer_is_given_the_largest_soon() {
    let mut scene = Scene::published(3);
    let player = scene.play(5);
    for n in 0..60 {
        scene.pass(FRAME);
        let wanted = scene.events();
        for layer in 0..3 {
            let is_wanted = wanted.contains(&Event::WantKeyFrame { publisher: PUBLISHER, layer });
            scene.picture(layer, n == 0 || is_wanted);
        }
    }
    assert_eq!(scene.take(player).last().map(|it| it.packet.layer), Some(2));
}

#[test]
fn a_layer_that_is_switched_off_is_left_for_one_that_comes() {
    let mut scene = Scene::published(2);
    (0..2).for_each(|layer| scene.picture(layer, true));
    scene.play(5);
    scene.events();
    for _ in 0..60 {
        scene.pass(FRAME);
        scene.picture(0, false);
    }
    assert!(scene.events().contains(&Event::WantKeyFrame { publisher: PUBLISHER, layer: 0 }));
}

#[test]
fn a_slow_player_loses_its_own_packets_alone_and_goes_on_at_a_key_frame() {
    let mut scene = Scene::published(1);
    let (slow, quick) = (scene.play(5), scene.play(6));
    scene.picture(0, true);
    let mut all = scene.video(quick);
    for _ in 0..QUEUE {
        scene.now += FRAME;
        scene.router.heard(scene.now, PUBLISHER);
        scene.picture(0, false);
        all.extend(scene.video(quick));
    }
    assert_eq!(all.len(), 2 * QUEUE + 2);
    assert_gap_free(&all);
    let (_, dropped) = scene.router.counts(slow).unwrap();
    assert!(dropped as usize > QUEUE && dropped as usize <= 2 * QUEUE + 2, "{dropped}");
    assert_eq!(scene.video(slow), [], "nothing that could not be decoded");
    assert!(scene.keys_asked() >= 1);
    scene.picture(0, true);
    let after = scene.video(slow);
    assert_eq!(after.len(), 2);
    assert_eq!(after[0].0, 1, "no gap where it was slow");
}

#[test]
fn players_are_told_what_is_muted_also_those_who_join_later() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    scene.events();
    scene.router.mute(PUBLISHER, true, false);
    assert_eq!(scene.events(), [Event::Muted { player, audio: true, video: false }]);
    scene.router.mute(PUBLISHER, true, false);
    assert_eq!(scene.events(), []);
    let late = scene.play(6);
    assert!(scene.events().contains(&Event::Muted { player: late, audio: true, video: false }));
}

#[test]
fn a_publisher_that_ends_stops_its_players() {
    let mut scene = Scene::published(1);
    let players = [scene.play(5), scene.play(6)];
    scene.events();
    scene.router.unpublish(PUBLISHER);
    assert_eq!(scene.events(), players.map(|player| Event::Stopped { player }));
    assert_eq!(scene.router.counts(players[0]), None);
}

#[test]
fn a_publisher_that_is_gone_without_a_word_is_noticed_within_a_second_and_a_half() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    scene.picture(0, true);
    scene.pass(Duration::from_millis(800));
    scene.events();
    scene.pass(Duration::from_millis(600));
    let events = scene.events();
    assert_eq!(events, [Event::Stopped { player }, Event::Lost { publisher: PUBLISHER }]);
    assert_eq!(scene.router.list(), []);
    assert_eq!(scene.router.publish(scene.now, Key(2), "tv", tracks(1)), Ok(()), "its name is free");
}

#[test]
fn a_publisher_without_packets_that_reports_or_answers_checks_is_there() {
    let mut scene = Scene::published(1);
    scene.play(5);
    scene.picture(0, true);
    scene.events();
    for _ in 0..10 {
        scene.pass(Duration::from_secs(1));
        scene.router.heard(scene.now, PUBLISHER);
    }
    let events = scene.events();
    assert!(events.iter().all(|event| matches!(event, Event::WantKeyFrame { .. })), "{events:?}");
    assert!(events.len() >= 10, "it is asked for a sign of life");
}

#[test]
fn a_lost_publisher_that_comes_back_has_its_name_again_unless_somebody_took_it() {
    let mut scene = Scene::published(1);
    scene.picture(0, true);
    scene.pass(Duration::from_secs(2));
    scene.events();
    scene.picture(0, true);
    assert_eq!(scene.events(), [Event::Flowing { publisher: PUBLISHER }]);
    scene.pass(Duration::from_secs(2));
    scene.router.publish(scene.now, Key(2), "tv", tracks(1)).unwrap();
    scene.events();
    scene.picture(0, true);
    assert_eq!(scene.events(), []);
    scene.router.unpublish(PUBLISHER);
    let again = scene.router.publish(scene.now, Key(3), "tv", tracks(1));
    assert_eq!(again, Err(Refused::InUse), "the end of the old one frees nothing");
}

#[test]
fn a_publisher_of_which_nothing_ever_comes_ends() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    scene.events();
    scene.pass(Duration::from_secs(16));
    let events = scene.events();
    assert!(events.contains(&Event::NeverFlowed { publisher: PUBLISHER }), "{events:?}");
    assert!(events.contains(&Event::Stopped { player }), "{events:?}");
    assert_eq!(scene.router.poll_timeout(), None);
}

#[test]
fn streams_and_players_are_limited() {
    let mut scene = Scene::published(1);
    for n in 1..MOST_STREAMS as u64 {
        scene.router.publish(scene.now, Key(1_000_000 + n), &format!("s{n}"), Tracks::default()).unwrap();
    }
    let more = scene.router.publish(scene.now, Key(2), "more", Tracks::default());
    assert_eq!(more, Err(Refused::TooManyStreams));
    for player in 0..MOST_PLAYERS_OF_ONE as u64 {
        scene.play(10 + player);
    }
    let more = scene.router.play(scene.now, Key(9), "tv", Start::default());
    assert_eq!(more, Err(Refused::TooManyPlayers));
}

#[test]
fn packets_of_layers_and_kinds_that_were_not_agreed_on_go_nowhere() {
    let mut scene = Scene::new();
    let video = tracks(1).video;
    scene.router.publish(scene.now, PUBLISHER, "tv", Tracks { video, audio: None }).unwrap();
    let player = scene.play(5);
    scene.picture(2, true);
    scene.sound();
    assert_eq!(scene.take(player), []);
}

#[test]
fn an_hour_of_packets_wraps_all_numbers_without_a_gap() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    let mut last = None;
    for n in 0..100_000_u32 {
        scene.picture(0, n == 0);
        for (sequence, timestamp) in scene.video(player) {
            if let Some((before, at)) = last.replace((sequence, timestamp)) {
                assert_eq!(sequence, u16::wrapping_add(before, 1));
                assert!(timestamp.wrapping_sub(at) <= 2_970);
            }
        }
    }
}

#[test]
fn the_publishers_clock_reaches_players_in_their_own_timestamps_and_anew_after_a_cut() {
    let mut scene = Scene::published(1);
    let player = scene.play(5);
    let clock = Clock { ntp: 1 << 40, timestamp: scene.next[0].1 };
    scene.router.set_clock(PUBLISHER, Kind::Video, 0, clock);
    scene.events();
    scene.picture(0, true);
    let video = scene.video(player);
    let told = Clock { ntp: 1 << 40, timestamp: video[0].1 };
    assert_eq!(scene.events().last(), Some(&Event::Clock { player, kind: Kind::Video, clock: told }));
    scene.router.set_clock(PUBLISHER, Kind::Video, 0, clock);
    assert_eq!(scene.events(), [Event::Clock { player, kind: Kind::Video, clock: told }]);
}
