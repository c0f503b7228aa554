//! Cards as programs write them, and cards as nobody should.

use super::{Card, MAX_LINES, Reader, Refused, write};
use sidetone_api::{Contact, ContactAddress, ContactId};

fn cards(text: &str) -> Vec<Card> {
    Reader::new(text).map(|card| card.unwrap_or_else(|refused| panic!("{refused:?}"))).collect()
}

fn one(text: &str) -> Contact {
    let mut all = cards(text);
    assert_eq!(all.len(), 1);
    all.remove(0).contact
}

fn refused(text: &str) -> Vec<(usize, String)> {
    let all = Reader::new(text).filter_map(Result::err);
    all.map(|Refused { line, reason }| (line, reason.into_owned())).collect()
}

fn addresses(contact: &Contact) -> Vec<(&str, &str)> {
    contact.addresses.iter().map(|one| (one.address.as_str(), one.label.as_str())).collect()
}

const APPLE: &str = "BEGIN:VCARD\r\nVERSION:3.0\r\nPRODID:-//Apple Inc.//macOS 14.4.1//EN\r\n\
N:Lovelace;Ada;;;\r\nFN:Ada Lovelace\r\nORG:Analytical Engines\\, Ltd.;Programs;\r\n\
EMAIL;type=INTERNET;type=HOME;type=pref:ada@example.com\r\n\
TEL;type=CELL;type=VOICE;type=pref:+44 20 7946 0001\r\nTEL;type=WORK;type=FAX:+44 20 7946 0002\r\n\
item1.TEL:+44 20 7946 0003\r\nitem1.X-ABLabel:Workshop\r\nitem2.TEL:+44 20 7946 0004\r\n\
item2.X-ABLabel:_$!<Assistant>!$_\r\nitem3.IMPP;X-SERVICE-TYPE=Jabber:xmpp:ada@example.com\r\n\
NOTE:First line\\nSecond\\; with \\\\ signs\r\nPHOTO;ENCODING=b;TYPE=JPEG:/9j/4AAQSkZJRgABAQAAAQABAAD\r\n \
/4QBARXhpZgAATU0AKgAAAAgAAYdpAAQAAAABAAAAGgAAAAAAAqACAAQ\r\n AAAABAAAAyKADAAQAAAABAAAAyAAAAAA=\r\n\
UID:5C1F6E0A-9D7B-4F57-8C6C-2F0F6A0D1B11\r\nX-ABUID:5C1F6E0A\\:ABPerson\r\nEND:VCARD\r\n";

const GOOGLE: &str = "BEGIN:VCARD\nVERSION:3.0\nFN:Grace Hopper\nN:Hopper;Grace;Brewster;Rear Admiral;\n\
TEL;TYPE=HOME:(212) 555-0100\nTEL;TYPE=CELL:+12125550101\nitem1.TEL:+12125550102\nitem1.X-ABLabel:Ship\n\
item2.IMPP:sip:grace@navy.example\nitem2.X-ABLabel:Voip\nCATEGORIES:myContacts,starred\n\
PHOTO:https://lh3.googleusercontent.com/contacts/abc\nEND:VCARD\n";

const OUTLOOK: &str = "BEGIN:VCARD\r\nVERSION:2.1\r\nN;LANGUAGE=de;CHARSET=Windows-1252;ENCODING=QUOTED-PRINTABLE:M=FCller;J=F6rg\r\n\
FN;CHARSET=UTF-8;ENCODING=QUOTED-PRINTABLE:J=C3=B6rg M=C3=BCller=\r\n - sehr lang=\r\n, und weiter\r\n\
ORG:Beispiel GmbH;Einkauf\r\nTEL;WORK;VOICE:+49 (30) 1234-5\r\nTEL;CELL;VOICE:0171 2345678\r\n\
TEL;PREF;WORK:+49 30 1234-6\r\nNOTE;ENCODING=QUOTED-PRINTABLE:Zeile 1=0D=0A=\r\nZeile 2\r\n\
X-MS-OL-DEFAULT-POSTAL-ADDRESS:0\r\nEND:VCARD\r\n";

#[test]
fn a_card_as_apple_writes_it_is_read() {
    let contact = one(APPLE);
    assert_eq!(
        (contact.name.as_str(), contact.organisation.as_str()),
        ("Ada Lovelace", "Analytical Engines, Ltd., Programs")
    );
    assert_eq!(
        addresses(&contact),
        [
            ("+44 20 7946 0001", "mobile"),
            ("+44 20 7946 0003", "Workshop"),
            ("+44 20 7946 0004", "Assistant"),
            ("+44 20 7946 0002", "fax"),
        ]
    );
    assert_eq!(contact.note, "First line\nSecond; with \\ signs");
    assert_eq!(cards(APPLE)[0].uid.as_deref(), Some("5C1F6E0A-9D7B-4F57-8C6C-2F0F6A0D1B11"));
}

#[test]
fn a_card_as_google_writes_it_is_read() {
    let contact = one(GOOGLE);
    assert_eq!(contact.name, "Grace Hopper");
    assert_eq!(
        addresses(&contact),
        [
            ("(212) 555-0100", "home"),
            ("+12125550101", "mobile"),
            ("+12125550102", "Ship"),
            ("sip:grace@navy.example", "Voip"),
        ]
    );
    assert!(contact.favourite && cards(GOOGLE)[0].uid.is_none());
}

#[test]
fn a_card_as_outlook_writes_it_is_read() {
    let contact = one(OUTLOOK);
    assert_eq!(contact.name, "Jörg Müller - sehr lang, und weiter");
    assert_eq!(contact.organisation, "Beispiel GmbH, Einkauf");
    assert_eq!(
        addresses(&contact),
        [("+49 30 1234-6", "work"), ("+49 (30) 1234-5", "work"), ("0171 2345678", "mobile")]
    );
    assert_eq!(contact.note, "Zeile 1\nZeile 2");
    let unnamed = OUTLOOK.replace("FN;", "X-NONE;");
    assert_eq!(one(&unnamed).name, "Jörg Müller");
}

#[test]
fn uris_of_version_4_are_taken_in_the_order_of_their_preference() {
    let contact = one(
        "BEGIN:VCARD\r\nVERSION:4.0\r\nFN:Ext\r\nTEL;VALUE=uri;PREF=2;TYPE=\"voice,home\":tel:+1-555-555-5555;ext=5555\r\n\
         TEL;VALUE=uri;PREF=1;TYPE=cell:sip:a@example.com;transport=tcp\r\nIMPP:SIP:b@example.com\r\n\
         X-SIP;TYPE=work:c@example.com\r\nEND:VCARD\r\n",
    );
    assert_eq!(
        addresses(&contact),
        [
            ("sip:a@example.com;transport=tcp", "mobile"),
            ("tel:+1-555-555-5555;ext=5555", "home"),
            ("SIP:b@example.com", ""),
            ("sip:c@example.com", "work"),
        ]
    );
}

#[test]
fn what_is_written_is_read_again() {
    let address =
        |address: &str, label: &str| ContactAddress { address: address.into(), label: label.into() };
    let contact = Contact {
        id: ContactId::new("p1"),
        name: "Zoë, \"the\\voice\"; née ä".repeat(8),
        organisation: "A; B, C".into(),
        addresses: vec![
            address("sip:zoe@example.com;transport=tcp?x=%2c", "work"),
            address("+49 30 1;2,3", "mobile"),
            address("tel:+49301234;ext=5", "Cabin, left"),
            address("echo", ""),
        ],
        note: "one\ntwo\\n\tthree".into(),
        favourite: true,
        watch: true,
    };
    let text = write([(&contact, Some("urn:uuid:1")), (&contact, None)]);
    assert!(text.lines().all(|line| line.len() <= 75), "{text}");
    let read = cards(&text);
    let expected = Contact { id: ContactId::new(""), ..contact };
    assert_eq!(read[0].contact, expected);
    assert_eq!([read[0].uid.as_deref(), read[1].uid.as_deref()], [Some("urn:uuid:1"), Some("p1")]);
}

#[test]
fn what_makes_no_sense_is_refused_with_its_line_and_the_rest_is_read() {
    let text = "hello\nBEGIN:VCARD\nFN:No number\nEMAIL:a@b\nEND:VCARD\nBEGIN:VCARD\nFN:Unfinished\nTEL:1\n\
                BEGIN:VCARD\nFN:Good\nthis is nothing\nTEL:2\nEND:VCARD\nBEGIN:VCARD\nKIND:group\nTEL:3\nEND:VCARD\n\
                BEGIN:VCARD\nTEL:4\n";
    assert_eq!(
        refused(text).iter().map(|(line, why)| (*line, why.as_str())).collect::<Vec<_>>(),
        [
            (1, "this is no line of a vCard"),
            (2, "no telephone number and no SIP address"),
            (6, "the card has no END:VCARD"),
            (11, "this is no line of a vCard"),
            (14, "a group is no contact"),
            (18, "the card has no END:VCARD"),
        ]
    );
    let good: Vec<_> = Reader::new(text).flatten().collect();
    assert_eq!((good.len(), good[0].line, good[0].contact.name.as_str()), (1, 9, "Good"));
}

#[test]
fn the_card_of_an_agent_is_not_the_contact() {
    let contact = one(
        "BEGIN:VCARD\nVERSION:2.1\nTEL:1\nAGENT:\nBEGIN:VCARD\nFN:Agent\nTEL:2\nEND:VCARD\nFN:Principal\nEND:VCARD\n",
    );
    assert_eq!((contact.name.as_str(), contact.addresses.len()), ("Principal", 1));
}

#[test]
fn a_file_that_never_ends_is_read_up_to_a_point() {
    let text = "BEGIN:VCARD\nTEL:1\nEND:VCARD\n".repeat(MAX_LINES / 3 + 10);
    let (good, bad): (Vec<_>, Vec<_>) = Reader::new(&text).partition(Result::is_ok);
    assert_eq!((good.len(), bad.len()), (MAX_LINES / 3, 1));
    let line = bad.into_iter().find_map(Result::err).unwrap().line;
    assert!(line >= MAX_LINES, "{line}");
}

#[test]
fn an_address_of_nothing_that_can_be_seen_is_none() {
    let text = "BEGIN:VCARD\nTEL:\t\u{0}\nIMPP:sip:a\\nb\nEND:VCARD\n";
    assert_eq!(addresses(&one(text)), [("sip:a b", "")]);
}

#[test]
fn absurd_lines_cost_little_and_break_nothing() {
    let folded = format!("BEGIN:VCARD\nFN:{}\nTEL:1\nEND:VCARD\n", "x\n y".repeat(200_000));
    assert!(one(&folded).name.len() < 20_000);
    for text in [
        "BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:=",
        "BEGIN:VCARD\nFN;ENCODING=QUOTED-PRINTABLE:=C3=\n=4\nTEL:\\\nEND:VCARD",
        "BEGIN:VCARD\n;:;\n:\n.:\nitem1.:x\nTEL;TYPE=\"a;b:c\nEND:VCARD",
        "\u{feff}BEGIN:VCARD\rTEL:1\rEND:VCARD",
        " folded from nothing\n\tand more",
        &"BEGIN:VCARD\n".repeat(1000),
        &format!("BEGIN:VCARD\n{}", "AGENT:\nBEGIN:VCARD\n".repeat(1000)),
        // Each line break of these could ask anew what the line is.
        &format!("N;ENCODING=QUOTED-PRINTABLE{}=\n{}", "x".repeat(15_000), "=\n".repeat(500_000)),
        &format!("TEL{}:1", ";A=B".repeat(10_000)),
    ] {
        let _ = Reader::new(text).count();
    }
}
