use super::*;

fn device(id: &str, is_default: bool) -> DeviceInfo {
    DeviceInfo { id: id.into(), name: format!("Device {id}"), direction: Direction::Output, is_default }
}

fn endpoint(wanted: Wanted) -> Endpoint {
    Endpoint::new(EndpointId(7), Direction::Output, wanted)
}

fn chosen(id: &str) -> Wanted {
    Wanted::Device(id.into())
}

/// Steps, lets what was asked for open, and gives the events in order.
fn settle(endpoint: &mut Endpoint, now: Instant, listed: &[DeviceInfo]) -> Vec<DeviceEvent> {
    let listed: Vec<&DeviceInfo> = listed.iter().collect();
    let mut events = Vec::new();
    let mut actions = endpoint.step(now, &listed);
    while !actions.is_empty() {
        let mut next = Vec::new();
        for action in actions {
            match action {
                Action::Open { attempt, .. } => next.extend(endpoint.on_opened(attempt)),
                Action::Tell(event) => events.push(event),
                Action::Close { .. } => {}
            }
        }
        actions = next;
    }
    events
}

fn in_use(endpoint: &Endpoint) -> Option<&str> {
    endpoint.live.as_ref().map(|live| live.device.id.as_str())
}

#[test]
fn the_first_opening_of_what_was_asked_for_is_no_event() {
    let now = Instant::now();
    let listed = [device("a", true), device("b", false)];
    let mut default = endpoint(Wanted::Default);
    assert_eq!(settle(&mut default, now, &listed), []);
    assert_eq!(in_use(&default), Some("a"));
    let mut picked = endpoint(chosen("b"));
    assert_eq!(settle(&mut picked, now, &listed), []);
    assert_eq!(in_use(&picked), Some("b"));
}

#[test]
fn the_default_is_followed_and_the_old_stream_closed_only_when_the_new_one_runs() {
    let now = Instant::now();
    let mut endpoint = endpoint(Wanted::Default);
    settle(&mut endpoint, now, &[device("a", true), device("b", false)]);
    let (a, b) = (device("a", false), device("b", true));
    let actions = endpoint.step(now, &[&a, &b]);
    assert_eq!(actions, [Action::Open { attempt: 2, device: b.clone(), block: 480 }]);
    assert_eq!(in_use(&endpoint), Some("a"));
    assert_eq!(
        endpoint.on_opened(2),
        [
            Action::Tell(DeviceEvent::DefaultChanged { endpoint: EndpointId(7), device: b }),
            Action::Close { attempt: 1 }
        ]
    );
}

#[test]
fn a_chosen_device_does_not_follow_the_default() {
    let now = Instant::now();
    let mut endpoint = endpoint(chosen("a"));
    settle(&mut endpoint, now, &[device("a", true), device("b", false)]);
    assert_eq!(settle(&mut endpoint, now, &[device("a", false), device("b", true)]), []);
    assert_eq!(in_use(&endpoint), Some("a"));
}

#[test]
fn a_vanished_choice_falls_back_to_the_default_and_is_returned_to() {
    let now = Instant::now();
    let mut endpoint = endpoint(chosen("b"));
    settle(&mut endpoint, now, &[device("a", true), device("b", false)]);
    let events = settle(&mut endpoint, now, &[device("a", true)]);
    assert!(matches!(
        &events[..],
        [DeviceEvent::Lost { fault: DeviceFault::Gone, .. }, DeviceEvent::Fallback { wanted, device, .. }]
            if wanted == "b" && device.id == "a"
    ));
    let events = settle(&mut endpoint, now, &[device("a", true), device("b", false)]);
    assert!(matches!(&events[..], [DeviceEvent::Recovered { device, .. }] if device.id == "b"), "{events:?}");
    assert_eq!(in_use(&endpoint), Some("b"));
}

#[test]
fn a_choice_that_is_not_there_at_the_start_is_told_as_a_fallback() {
    let mut endpoint = endpoint(chosen("gone"));
    let events = settle(&mut endpoint, Instant::now(), &[device("a", true)]);
    assert!(matches!(&events[..], [DeviceEvent::Fallback { .. }]));
}

#[test]
fn without_any_device_the_user_is_told_once_and_again_when_one_comes() {
    let now = Instant::now();
    let mut endpoint = endpoint(Wanted::Default);
    assert!(matches!(&settle(&mut endpoint, now, &[])[..], [DeviceEvent::Missing { .. }]));
    assert_eq!(settle(&mut endpoint, now, &[]), []);
    let events = settle(&mut endpoint, now, &[device("a", true)]);
    assert!(matches!(&events[..], [DeviceEvent::Recovered { .. }]));
}

#[test]
fn a_fault_of_a_device_that_is_still_listed_reopens_it() {
    let now = Instant::now();
    let mut endpoint = endpoint(Wanted::Default);
    settle(&mut endpoint, now, &[device("a", true)]);
    let actions = endpoint.on_fault(1, DeviceFault::Stalled);
    assert!(matches!(
        &actions[..],
        [Action::Close { attempt: 1 }, Action::Tell(DeviceEvent::Lost { fault: DeviceFault::Stalled, .. })]
    ));
    let events = settle(&mut endpoint, now, &[device("a", true)]);
    assert!(matches!(&events[..], [DeviceEvent::Recovered { .. }]));
    assert_eq!(endpoint.on_fault(1, DeviceFault::Gone), [], "a late fault of the old stream changes nothing");
}

#[test]
fn a_choice_that_cannot_be_opened_gives_way_to_the_default_and_is_tried_again_later() {
    let mut now = Instant::now();
    let listed = [device("a", true), device("b", false)];
    let refs: Vec<&DeviceInfo> = listed.iter().collect();
    let mut endpoint = endpoint(chosen("b"));
    assert!(matches!(&endpoint.step(now, &refs)[..], [Action::Open { device, .. }] if device.id == "b"));
    assert_eq!(endpoint.on_failed(now, 1, "busy"), []);
    let events = settle(&mut endpoint, now, &listed);
    assert!(matches!(&events[..], [DeviceEvent::Fallback { device, .. }] if device.id == "a"));
    now += PASS_OVER;
    let events = settle(&mut endpoint, now, &listed);
    assert!(matches!(&events[..], [DeviceEvent::Recovered { device, .. }] if device.id == "b"));
}

#[test]
fn failures_are_retried_with_growing_waits_and_larger_blocks() {
    let mut now = Instant::now();
    let a = device("a", true);
    let mut endpoint = endpoint(Wanted::Default);
    let mut blocks = Vec::new();
    for wait in [250, 500, 1_000, 2_000, 4_000, 4_000] {
        let [Action::Open { attempt, block, .. }] = endpoint.step(now, &[&a])[..] else {
            panic!("no attempt")
        };
        blocks.push(block);
        endpoint.on_failed(now, attempt, "no");
        now += Duration::from_millis(wait - 1);
        assert_eq!(endpoint.step(now, &[&a]), []);
        now += Duration::from_millis(1);
    }
    assert_eq!(blocks, [480, 1_920, 4_800, 480, 1_920, 4_800]);
}

#[test]
fn an_opening_that_hangs_is_given_up_and_closed_when_it_comes_late() {
    let mut now = Instant::now();
    let a = device("a", true);
    let mut endpoint = endpoint(Wanted::Default);
    endpoint.step(now, &[&a]);
    now += OPEN_TIMEOUT;
    assert!(matches!(&endpoint.step(now, &[&a])[..], [Action::Tell(DeviceEvent::Missing { .. })]));
    now += SHORTEST_RETRY;
    assert!(matches!(&endpoint.step(now, &[&a])[..], [Action::Open { attempt: 2, .. }]));
    assert_eq!(endpoint.on_opened(1), [Action::Close { attempt: 1 }]);
    assert_eq!(in_use(&endpoint), None);
    endpoint.on_opened(2);
    assert_eq!(in_use(&endpoint), Some("a"));
}
