use std::time::{Duration, Instant};

use super::{MAX_USED, Nonces};

#[test]
fn used_nonces_are_forgotten_in_bounds_and_never_accepted_again() {
    let now = Instant::now();
    let mut nonces = Nonces::new([7; 32], Duration::from_secs(60));
    let mut first = None;
    for _ in 0..MAX_USED + 100 {
        let nonce = nonces.issue(now);
        let live = nonces.read(now, &nonce).unwrap();
        assert!(nonces.spend(now, live, 1, "c"));
        first.get_or_insert(nonce);
    }
    assert!(nonces.used.len() <= MAX_USED);
    assert!(nonces.read(now, &first.unwrap()).is_none());
}

#[test]
fn expired_nonces_make_room_first() {
    let mut now = Instant::now();
    let mut nonces = Nonces::new([7; 32], Duration::from_secs(60));
    for round in 0..MAX_USED + 1 {
        if round == MAX_USED {
            now += Duration::from_secs(61);
        }
        let nonce = nonces.issue(now);
        let live = nonces.read(now, &nonce).unwrap();
        assert!(nonces.spend(now, live, 1, "c"));
    }
    assert_eq!((nonces.used.len(), nonces.floor), (1, 0));
}

#[test]
fn a_nonce_with_any_bit_changed_is_not_ours() {
    let now = Instant::now();
    let mut nonces = Nonces::new([7; 32], Duration::from_secs(60));
    let nonce = nonces.issue(now);
    for at in 0..nonce.len() {
        let mut forged = nonce.clone().into_bytes();
        forged[at] = if forged[at] == b'0' { b'1' } else { b'0' };
        assert!(nonces.read(now, std::str::from_utf8(&forged).unwrap()).is_none(), "{at}");
    }
    assert!(nonces.read(now, &nonce).is_some());
    assert!(nonces.read(now, "").is_none() && nonces.read(now, &"é".repeat(32)).is_none());
}
