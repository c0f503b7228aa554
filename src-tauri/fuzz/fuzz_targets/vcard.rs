#![no_main]

use libfuzzer_sys::fuzz_target;

// A part of the engine by itself: the engine's sockets, devices and database would only be in the way.
#[path = "../../crates/engine/src/vcard/mod.rs"]
mod vcard;

fuzz_target!(|data: &[u8]| {
    let text = String::from_utf8_lossy(data);
    for card in vcard::Reader::new(&text).flatten() {
        assert!(card.line >= 1 && !card.contact.addresses.is_empty());
        let once = again(&card);
        assert_eq!(again(&once), once);
    }
});

/// What we write is a card that we read, and soon it is the same card every time.
fn again(card: &vcard::Card) -> vcard::Card {
    let text = vcard::write([(&card.contact, card.uid.as_deref())]);
    assert!(text.lines().all(|line| line.len() <= 75), "{text:?}");
    let mut cards = vcard::Reader::new(&text);
    match (cards.next(), cards.next()) {
        (Some(Ok(card)), None) => card,
        other => panic!("{text:?}: {other:?}"),
    }
}
