//! One user agent that is registrar and extension at once, as the application is with nothing configured.

use std::time::Duration;

use sidetone_sip::message::NameAddr;
use sidetone_sip::{CallEvent, Config, Event, Invite, RegistrarConfig, Users};

use super::kit::*;
use super::net::{Net, ended};

fn own_gateway() -> (Net, usize) {
    let mut net = Net::new();
    let users = Users::List(login("local", "secret").into_iter().collect());
    let registrar = RegistrarConfig { users, ..RegistrarConfig::default() };
    let a = net.add(A, Config { registrar: Some(registrar), ..Config::default() });
    let mut account = registration("<sip:local@192.0.2.1>");
    account.credentials = login("local", "secret");
    net.with(a, |ua, now| ua.register(now, account));
    net.settle();
    (net, a)
}

#[test]
fn it_registers_with_itself() {
    let (mut net, a) = own_gateway();
    let events = net.events(a);
    assert!(events.iter().any(|event| matches!(event, Event::Registered { .. })), "{events:?}");
    assert_eq!(net.nodes[a].ua.bindings("local").len(), 1);
}

#[test]
fn it_calls_itself_and_each_half_ends_once() {
    let (mut net, a) = own_gateway();
    net.events(a);
    let from = NameAddr::parse("<sip:local@192.0.2.1>").unwrap();
    let mut call = Invite::new(from, "sip:echo@192.0.2.1".parse().unwrap(), b"v=0".to_vec());
    call.way.credentials = login("local", "secret");
    let ours = net.with(a, |ua, now| ua.invite(now, call));
    net.settle();
    let incoming = net.events(a).into_iter().find_map(|event| match event {
        Event::Incoming { call, authenticated, registration, .. } => {
            Some((call, authenticated, registration))
        }
        _ => None,
    });
    let (theirs, authenticated, registration) = incoming.expect("no call came in");
    assert_eq!((authenticated.as_deref(), registration), (Some("local"), None));
    net.with(a, |ua, now| ua.answer(now, theirs, b"v=0".to_vec()));
    net.settle();
    let events = net.events(a);
    let is = |wanted, what: fn(&CallEvent) -> bool| {
        events.iter().any(|e| matches!(e, Event::Call { call, event } if *call == wanted && what(event)))
    };
    assert!(is(ours, |event| matches!(event, CallEvent::Answered { .. })));
    assert!(is(theirs, |event| matches!(event, CallEvent::Confirmed { .. })));
    net.with(a, |ua, now| ua.hang_up(now, ours, None));
    net.settle();
    let events = net.events(a);
    for wanted in [ours, theirs] {
        let of_call: Vec<CallEvent> = net_events(&events, wanted);
        assert!(ended(&of_call).is_some());
    }
    net.run_for(Duration::from_secs(60));
    assert_eq!(net.load(a).calls, 0);
}

/// The `Ended` events of a call, copied.
fn net_events(events: &[Event], wanted: sidetone_sip::CallId) -> Vec<CallEvent> {
    let ended = |event: &Event| match event {
        Event::Call { call, event: CallEvent::Ended { cause } } if *call == wanted => {
            Some(CallEvent::Ended { cause: cause.clone() })
        }
        _ => None,
    };
    events.iter().filter_map(ended).collect()
}
