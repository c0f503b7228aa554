//! vCard 4.0 (RFC 6350).

use sidetone_api::{Contact, ContactAddress};
use std::fmt::Write as _;

/// Octets of a line, without its end (RFC 6350 section 3.2).
const LINE: usize = 75;

/// One card for each contact, with the UID that it came with or, where there is none, its id.
pub(crate) fn write<'a>(contacts: impl IntoIterator<Item = (&'a Contact, Option<&'a str>)>) -> String {
    let mut text = String::new();
    for (contact, uid) in contacts {
        card(&mut text, contact, uid);
    }
    text
}

fn card(text: &mut String, contact: &Contact, uid: Option<&str>) {
    line(text, "BEGIN:VCARD");
    line(text, "VERSION:4.0");
    line(text, &format!("UID:{}", escaped(uid.unwrap_or(contact.id.as_str()))));
    line(text, &format!("FN:{}", escaped(&contact.name)));
    for (name, value) in [("ORG", &contact.organisation), ("NOTE", &contact.note)] {
        if !value.is_empty() {
            line(text, &format!("{name}:{}", escaped(value)));
        }
    }
    for (place, address) in contact.addresses.iter().enumerate() {
        write_address(text, place + 1, address);
    }
    for (name, is) in [("X-SIDETONE-FAVOURITE", contact.favourite), ("X-SIDETONE-WATCH", contact.watch)] {
        if is {
            line(text, &format!("{name}:1"));
        }
    }
    line(text, "END:VCARD");
}

/// The order of the addresses is kept by PREF.
fn write_address(text: &mut String, place: usize, address: &ContactAddress) {
    let ContactAddress { address, label } = address;
    let (kind, group) = match label.as_str() {
        "" => (String::new(), String::new()),
        "mobile" => (";TYPE=cell".to_owned(), String::new()),
        "work" | "home" | "fax" | "pager" => (format!(";TYPE={label}"), String::new()),
        _ => (String::new(), format!("item{place}.")),
    };
    // URIs are not escaped (section 4).
    let lower = address.to_ascii_lowercase();
    let (name, value) = if lower.starts_with("sip:") || lower.starts_with("sips:") {
        ("IMPP", uri(address))
    } else if lower.starts_with("tel:") {
        ("TEL;VALUE=uri", uri(address))
    } else if address.contains('@') {
        ("IMPP", uri(&format!("sip:{address}")))
    } else {
        ("TEL;VALUE=text", escaped(address))
    };
    line(text, &format!("{group}{name};PREF={}{kind}:{}", place.min(100), value));
    if !group.is_empty() {
        line(text, &format!("{group}X-ABLabel:{}", escaped(label)));
    }
}

/// A backslash would be taken for an escape by those who unescape everything.
fn uri(value: &str) -> String {
    value.replace(|c: char| c.is_control(), "").replace('\\', "%5C")
}

fn escaped(value: &str) -> String {
    let mut text = String::with_capacity(value.len());
    for c in value.chars() {
        match c {
            '\\' | ',' | ';' => text.extend(['\\', c]),
            '\n' => text.push_str("\\n"),
            c if c.is_control() && c != '\t' => {}
            c => text.push(c),
        }
    }
    text
}

/// Folds between characters.
fn line(text: &mut String, whole: &str) {
    let mut rest = whole;
    let mut room = LINE;
    while rest.len() > room {
        let (now, later) = rest.split_at(rest.floor_char_boundary(room));
        let _ = write!(text, "{now}\r\n ");
        (rest, room) = (later, LINE - 1);
    }
    let _ = write!(text, "{rest}\r\n");
}
