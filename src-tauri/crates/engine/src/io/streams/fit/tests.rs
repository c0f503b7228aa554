use super::{Fit, Look, change};
use crate::io::streams::router::Pictures;
use std::time::{Duration, Instant};

/// Players of one session, each with what it needs.
struct Scene {
    now: Instant,
    fits: Vec<Fit>,
    needs: Vec<u32>,
}

impl Scene {
    fn new(needs: &[u32]) -> Self {
        let fits = needs.iter().map(|_| Fit::default()).collect();
        Self { now: Instant::now(), fits, needs: needs.to_vec() }
    }

    /// A second later; each path carries that, and it is felt where it is less than is sent.
    fn second(&mut self, carries: u32) -> Vec<(usize, bool)> {
        self.now += Duration::from_secs(1);
        for (fit, need) in self.fits.iter_mut().zip(&self.needs) {
            fit.behind = carries < *need;
        }
        self.look(carries)
    }

    fn look(&mut self, carries: u32) -> Vec<(usize, bool)> {
        let pictures = |need: &u32| Pictures { need: *need, carries: Some(carries), dropped: 0 };
        let mut looks: Vec<_> = self
            .fits
            .iter_mut()
            .zip(&self.needs)
            .map(|(fit, need)| Look { pictures: pictures(need), loss: 0.0, fit })
            .collect();
        change(self.now, &mut looks)
    }

    /// The seconds until something changes.
    fn until_change(&mut self, carries: u32) -> (u32, Vec<(usize, bool)>) {
        for passed in 1..200 {
            let changes = self.second(carries);
            if !changes.is_empty() {
                return (passed, changes);
            }
        }
        (200, Vec::new())
    }
}

#[test]
fn pictures_that_are_by_far_too_much_are_left_out_within_two_seconds() {
    let mut scene = Scene::new(&[500]);
    assert_eq!(scene.until_change(100), (2, vec![(0, true)]));
    assert!(scene.fits[0].is_starved());
}

#[test]
fn a_low_estimate_of_which_nothing_is_felt_is_none() {
    let mut scene = Scene::new(&[500]);
    for _ in 0..20 {
        scene.now += Duration::from_secs(1);
        assert_eq!(scene.look(100), []);
    }
}

#[test]
fn a_publisher_that_sends_less_in_time_is_not_left_out() {
    let mut scene = Scene::new(&[500]);
    for (need, carries) in [(500, 400), (500, 400), (380, 400), (350, 400), (380, 350), (340, 350)] {
        scene.needs[0] = need;
        assert_eq!(scene.second(carries), []);
    }
}

#[test]
fn the_largest_go_first_and_as_many_as_have_to() {
    let mut scene = Scene::new(&[300, 800, 400]);
    // Together the paths carry 750: without the largest the others fit.
    assert_eq!(scene.until_change(250).1, [(1, true)]);
    let mut scene = Scene::new(&[400, 400, 400, 400, 400]);
    assert_eq!(scene.until_change(60).1.len(), 5);
}

#[test]
fn they_come_back_one_at_a_time_where_there_is_room_with_some_to_spare() {
    let mut scene = Scene::new(&[500, 400]);
    assert_eq!(scene.until_change(100).1.len(), 2);
    for _ in 0..5 {
        assert_eq!(scene.second(450), [], "not much more than one of them needs");
    }
    assert_eq!(scene.until_change(700), (1, vec![(1, false)]));
    assert_eq!(scene.until_change(700), (4, vec![(0, false)]));
}

#[test]
fn one_that_does_not_last_waits_longer_each_time() {
    let mut scene = Scene::new(&[400]);
    let mut waits = Vec::new();
    for _ in 0..6 {
        assert_eq!(scene.until_change(100).1, [(0, true)]);
        let (waited, changes) = scene.until_change(600);
        assert_eq!(changes, [(0, false)]);
        waits.push(waited);
    }
    assert_eq!(waits, [4, 8, 16, 32, 60, 60]);
    // It lasts, and is forgiven.
    for _ in 0..20 {
        assert_eq!(scene.second(600), []);
    }
    assert_eq!(scene.until_change(100).1, [(0, true)]);
    assert_eq!(scene.until_change(600).0, 4);
}

#[test]
fn a_path_of_which_nothing_is_known_without_pictures_is_tried_by_one_of_them_ever_more_seldom() {
    let mut scene = Scene::new(&[400, 400, 400]);
    assert_eq!(scene.until_change(100).1.len(), 3);
    let mut waits = Vec::new();
    for _ in 0..6 {
        let (waited, changes) = scene.until_change(100);
        assert!(matches!(changes[..], [(_, false)]), "{changes:?}");
        waits.push(waited);
        assert!(matches!(scene.until_change(100).1[..], [(_, true)]));
    }
    assert!(waits.is_sorted() && waits[0] == 8 && waits[5] == 120, "{waits:?}");
}
