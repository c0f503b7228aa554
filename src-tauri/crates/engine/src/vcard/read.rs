//! Card after card out of a text.

use super::{MAX_LINES, card::Draft, lines::Lines, property::Property};
use sidetone_api::Contact;
use std::borrow::Cow;

/// One contact of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Card {
    /// Where it begins.
    pub(crate) line: usize,
    pub(crate) uid: Option<String>,
    /// Without an id.
    pub(crate) contact: Contact,
}

/// What of a file is not taken, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) line: usize,
    pub(crate) reason: Cow<'static, str>,
}

/// Reads a text; holds one card at a time.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    lines: Lines<'a>,
    open: Option<Open>,
    /// Text outside of cards has been refused.
    told_outside: bool,
    ended: bool,
}

#[derive(Debug)]
struct Open {
    line: usize,
    draft: Draft,
    /// Cards inside of this one: 2.1 writes the card of an AGENT so.
    inside: u32,
    agent: bool,
}

impl Open {
    fn at(line: usize) -> Self {
        Self { line, draft: Draft::default(), inside: 0, agent: false }
    }
}

impl<'a> Reader<'a> {
    pub(crate) fn new(text: &'a str) -> Self {
        Self { lines: Lines::new(text), open: None, told_outside: false, ended: false }
    }

    fn take(&mut self, number: usize, text: &str) -> Option<Result<Card, Refused>> {
        let refused = |line, reason: &'static str| Some(Err(Refused { line, reason: reason.into() }));
        if text.trim().is_empty() {
            return None;
        }
        let Some(property) = Property::parse(text) else {
            if self.open.is_none() && std::mem::replace(&mut self.told_outside, true) {
                return None;
            }
            return refused(number, "this is no line of a vCard");
        };
        let is_card = property.value.trim().eq_ignore_ascii_case("VCARD");
        match (property.name.as_str(), &mut self.open) {
            ("BEGIN", None) if is_card => {
                self.open = Some(Open::at(number));
                None
            }
            ("BEGIN", Some(open)) if is_card && open.agent => {
                open.inside += 1;
                None
            }
            ("BEGIN", Some(open)) if is_card => {
                let line = std::mem::replace(open, Open::at(number)).line;
                refused(line, "the card has no END:VCARD")
            }
            ("END", Some(open)) if is_card && open.inside > 0 => {
                open.inside -= 1;
                open.agent = open.inside > 0;
                None
            }
            ("END", Some(_)) if is_card => self.open.take().map(|open| {
                let line = open.line;
                let finished = open.draft.finish();
                finished
                    .map(|(uid, contact)| Card { line, uid, contact })
                    .map_err(|reason| Refused { line, reason: reason.into() })
            }),
            (_, Some(open)) if open.inside == 0 => {
                open.agent = property.name == "AGENT" && property.value.trim().is_empty();
                open.draft.take(&property);
                None
            }
            (_, Some(_)) => None,
            (_, None) if std::mem::replace(&mut self.told_outside, true) => None,
            (_, None) => refused(number, "this is outside of a vCard"),
        }
    }
}

impl Iterator for Reader<'_> {
    type Item = Result<Card, Refused>;

    fn next(&mut self) -> Option<Self::Item> {
        while !self.ended {
            if self.lines.taken >= MAX_LINES {
                self.ended = true;
                return Some(Err(Refused {
                    line: self.lines.taken,
                    reason: "the file is too long, it is read up to here".into(),
                }));
            }
            let Some(line) = self.lines.next() else {
                self.ended = true;
                let open = self.open.take()?;
                return Some(Err(Refused { line: open.line, reason: "the card has no END:VCARD".into() }));
            };
            if let Some(found) = self.take(line.number, &line.text) {
                return Some(found);
            }
        }
        None
    }
}
