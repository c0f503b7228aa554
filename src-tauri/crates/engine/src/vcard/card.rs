//! What the lines of one card add up to.

use super::property::{Property, components, text};
use sidetone_api::{Contact, ContactAddress, ContactId};
use std::collections::HashMap;

/// Addresses of one card that are looked at.
const MAX_ADDRESSES: usize = 64;
/// Of a note, and of other texts, bytes.
const LONGEST_NOTE: usize = 8 * 1024;
const LONGEST_TEXT: usize = 1024;
/// The last place in the order of addresses; PREF=1 is the first (RFC 6350 section 5.3).
const NO_PREFERENCE: u8 = 101;

#[derive(Debug, Default)]
pub(super) struct Draft {
    pub(super) uid: Option<String>,
    pub(super) is_group: bool,
    full_name: String,
    name: String,
    nickname: String,
    organisation: String,
    note: String,
    favourite: bool,
    watch: bool,
    addresses: Vec<Address>,
    /// Labels of groups, as Apple writes them.
    labels: HashMap<String, String>,
}

#[derive(Debug)]
struct Address {
    text: String,
    label: String,
    group: String,
    /// A fax takes no call.
    last: bool,
    preference: u8,
}

impl Draft {
    pub(super) fn take(&mut self, property: &Property) {
        let value = property.value.trim();
        match property.name.as_str() {
            "FN" => keep_first(&mut self.full_name, text(value)),
            "N" => keep_first(&mut self.name, spoken(&components(value))),
            "NICKNAME" => keep_first(&mut self.nickname, text(value)),
            "ORG" => keep_first(&mut self.organisation, joined(components(value), ", ")),
            "NOTE" if self.note.is_empty() => self.note = shortened(&text(value), LONGEST_NOTE),
            "UID" if !value.is_empty() => self.uid = Some(line(&text(value))),
            "KIND" | "X-ADDRESSBOOKSERVER-KIND" => self.is_group = value.eq_ignore_ascii_case("group"),
            "CATEGORIES" => self.favourite |= value.split(',').any(|one| one.trim() == "starred"),
            "X-SIDETONE-FAVOURITE" => self.favourite |= value == "1",
            "X-SIDETONE-WATCH" => self.watch |= value == "1",
            "X-ABLABEL" if !property.group.is_empty() && self.labels.len() < MAX_ADDRESSES => {
                let label = line(&text(value));
                let mut plain = label.as_str();
                while let Some(inner) = plain.strip_prefix("_$!<").and_then(|rest| rest.strip_suffix(">!$_"))
                {
                    plain = inner.trim();
                }
                self.labels.insert(property.group.clone(), plain.to_owned());
            }
            "TEL" => self.take_address(property, text(value)),
            "IMPP" if is_sip(value) => self.take_address(property, text(value)),
            "X-SIP" | "X-SIP-URI" | "X-EVOLUTION-SIP" | "X-PHONE-SIP" => {
                let address = text(value);
                let whole = is_sip(&address) || !address.contains('@');
                self.take_address(property, if whole { address } else { format!("sip:{address}") });
            }
            _ => {}
        }
    }

    fn take_address(&mut self, property: &Property, text: String) {
        let text = line(&text);
        if text.is_empty() || self.addresses.len() >= MAX_ADDRESSES {
            return;
        }
        let given = property.parameter("PREF").and_then(|value| value.parse().ok());
        let preferred = if property.has_type("pref") { 1 } else { NO_PREFERENCE };
        self.addresses.push(Address {
            text,
            label: label(property),
            group: property.group.clone(),
            last: property.has_type("fax") || property.has_type("pager"),
            preference: given.unwrap_or(preferred),
        });
    }

    /// A new contact, or why it is none.
    pub(super) fn finish(mut self) -> Result<(Option<String>, Contact), &'static str> {
        if self.is_group {
            return Err("a group is no contact");
        }
        if self.addresses.is_empty() {
            return Err("no telephone number and no SIP address");
        }
        self.addresses.sort_by_key(|address| (address.last, address.preference));
        let mut addresses = Vec::<ContactAddress>::new();
        for address in self.addresses {
            if addresses.iter().all(|known| known.address != address.text) {
                let label = self.labels.get(&address.group).cloned().unwrap_or(address.label);
                addresses.push(ContactAddress { address: address.text, label: known_label(label) });
            }
        }
        let first = addresses.first().map(|first| first.address.clone()).unwrap_or_default();
        let names = [self.full_name, self.name, self.nickname, self.organisation.clone(), first];
        let contact = Contact {
            id: ContactId::new(""),
            name: names.into_iter().find(|name| !name.trim().is_empty()).unwrap_or_default(),
            organisation: self.organisation,
            addresses,
            note: self.note,
            favourite: self.favourite,
            watch: self.watch,
        };
        Ok((self.uid, contact))
    }
}

fn keep_first(place: &mut String, value: String) {
    if place.is_empty() {
        *place = line(&value);
    }
}

/// One line without control characters.
fn line(text: &str) -> String {
    let spaced = text.trim().chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    shortened(&spaced.filter(|c| !c.is_control()).collect::<String>(), LONGEST_TEXT)
}

fn shortened(text: &str, longest: usize) -> String {
    text.get(..text.floor_char_boundary(longest)).unwrap_or_default().trim().to_owned()
}

fn joined(parts: Vec<String>, by: &str) -> String {
    let parts: Vec<_> = parts.into_iter().filter(|part| !part.trim().is_empty()).collect();
    parts.join(by)
}

/// Family name; given name; additional names; prefixes; suffixes, in the order in which they are said.
fn spoken(parts: &[String]) -> String {
    let order = [3, 1, 2, 0, 4];
    joined(order.iter().filter_map(|&at| parts.get(at).cloned()).collect(), " ")
}

fn is_sip(value: &str) -> bool {
    let starts =
        |scheme: &str| value.get(..scheme.len()).is_some_and(|head| head.eq_ignore_ascii_case(scheme));
    starts("sip:") || starts("sips:")
}

/// What kind of address it is; where a line names several kinds, the one that says most.
fn label(property: &Property) -> String {
    let told = ["fax", "pager", "cell", "work", "home"].into_iter().find(|kind| property.has_type(kind));
    let other = || property.types().find(|kind| !SAY_NOTHING.iter().any(|no| kind.eq_ignore_ascii_case(no)));
    known_label(line(told.or_else(other).unwrap_or_default()))
}

const SAY_NOTHING: [&str; 10] =
    ["pref", "voice", "internet", "text", "video", "msg", "textphone", "x-sip", "sip", "quoted-printable"];

/// One word for what programs call `cell`, `CELL`, `Mobile` or `iPhone`.
fn known_label(label: String) -> String {
    match label.to_ascii_lowercase().as_str() {
        "cell" | "mobile" | "iphone" => "mobile".into(),
        known @ ("work" | "home" | "fax" | "pager") => known.to_owned(),
        _ => label,
    }
}
