//! Getting connected and staying so.

mod support;

use std::time::Duration;

use sidetone_peer::*;
use sidetone_testkit::link::LinkSettings;
use support::*;

fn loopback() -> LinkSettings {
    LinkSettings { delay: Duration::from_millis(1), ..Default::default() }
}

#[test]
fn a_client_and_a_gateway_connect_at_once() {
    let mut pair = Pair::client_and_gateway(
        &Wanted::both(Direction::Send),
        &Wanted::both(Direction::Receive),
        loopback(),
    );
    pair.connect();
    let took = pair.now - pair.begun;
    assert!(took < Duration::from_millis(150), "{took:?}");
    assert!(pair.ends[1].peer.local_ufrag().len() >= 4);
}
