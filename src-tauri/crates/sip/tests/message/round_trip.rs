//! What is printed is read back as the same value, for random values and randomly damaged messages.

use sidetone_sip::message::{Contacts, Message, NameAddr, Uri, Via};

use super::generator::Generator;
use super::{corpus, without_length};

#[test]
fn uris_survive_printing_and_parsing() {
    let mut generator = Generator::new(1);
    for _ in 0..5000 {
        let uri = generator.uri();
        assert_eq!(Uri::parse(&uri.to_string()).as_ref(), Ok(&uri), "{uri}");
        assert!(uri.is_equivalent(&uri), "{uri}");
    }
}

#[test]
fn addresses_survive_printing_and_parsing() {
    let mut generator = Generator::new(2);
    for _ in 0..5000 {
        let address = generator.address();
        let text = address.to_string();
        assert_eq!(NameAddr::parse(&text).as_ref(), Ok(&address), "{text:?}");
        let other = generator.address();
        let list = NameAddr::parse_list(&format!("{text},{other}"));
        assert_eq!(list, Ok(vec![address, other]), "{text:?}");
    }
}

#[test]
fn vias_survive_printing_and_parsing() {
    let mut generator = Generator::new(3);
    for _ in 0..5000 {
        let via = generator.via();
        assert_eq!(Via::parse(&via.to_string()).as_ref(), Ok(&via), "{via}");
    }
}

#[test]
fn messages_survive_printing_and_parsing() {
    let mut generator = Generator::new(4);
    for _ in 0..3000 {
        let message = generator.message();
        let bytes = message.to_bytes();
        let again = Message::parse(&bytes).unwrap_or_else(|error| panic!("{error}\n{message}"));
        assert_eq!(without_length(again), message, "{message}");
    }
}

#[test]
fn damaged_messages_are_refused_or_survive_printing_and_parsing() {
    let mut generator = Generator::new(5);
    let mut originals: Vec<Vec<u8>> = corpus::messages("valid").into_iter().map(|(_, bytes)| bytes).collect();
    originals.retain(|bytes| bytes.len() < 4000);
    let pieces: [&[u8]; 16] = [
        b"\"", b"\\", b"<", b">", b";", b",", b"\r\n", b" ", b"\r\n ", b"%", b"@", b":", b"=", b"\0",
        b"\xff", b"?",
    ];
    let mut accepted = 0;
    for _ in 0..3000 {
        let mut bytes = generator.pick(&originals);
        for _ in 0..1 + generator.below(3) {
            let at = generator.below(bytes.len());
            let piece = generator.pick(&pieces);
            match generator.below(3) {
                0 => drop(bytes.splice(at..at, piece.iter().copied())),
                1 => bytes[at] = piece[0],
                _ => drop(bytes.remove(at)),
            }
        }
        let Ok(message) = Message::parse(&bytes) else { continue };
        accepted += 1;
        let again = Message::parse(&message.to_bytes()).unwrap_or_else(|error| panic!("{error}\n{message}"));
        assert_eq!(without_length(again), without_length(message.clone()));
        same_values(&message);
    }
    assert!(accepted > 500, "the damage is too heavy to test anything: {accepted}");
}

fn same_values(message: &Message) {
    let headers = message.headers();
    let from = headers.from().unwrap();
    assert_eq!(NameAddr::parse(&from.to_string()), Ok(from));
    for via in headers.via().unwrap() {
        assert_eq!(Via::parse(&via.to_string()), Ok(via));
    }
    if let Ok(Contacts::List(list)) = headers.contacts() {
        for contact in list {
            assert_eq!(NameAddr::parse(&contact.to_string()), Ok(contact));
        }
    }
}
