//! XML read into a small tree, within bounds, and written. There are no entities but the five of XML itself, and no DTD.

use std::fmt::Write as _;

use quick_xml::XmlVersion;
use quick_xml::events::{BytesStart, Event};
use quick_xml::reader::Reader;

use super::{BodyError, MAX_BODY};

const MAX_DEPTH: usize = 24;
const MAX_ELEMENTS: usize = 16 * 1024;
const MAX_ATTRIBUTES: usize = 32;
/// Longest value that is kept, in characters.
const MAX_VALUE: usize = 512;

/// Names without their namespace prefix: senders choose prefixes freely, and no two namespaces of these bodies clash.
#[derive(Debug, Default)]
pub(super) struct Element {
    pub(super) name: String,
    attributes: Vec<(String, String)>,
    text: String,
    pub(super) children: Vec<Element>,
}

impl Element {
    pub(super) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn child(&self, name: &str) -> Option<&Element> {
        self.children.iter().find(|child| child.name == name)
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a Element> {
        self.children.iter().filter(move |child| child.name == name)
    }

    /// Without white space at its ends.
    pub(super) fn text(&self) -> &str {
        self.text.trim()
    }
}

/// The root element, whose name must be `root`.
pub(super) fn read(bytes: &[u8], root: &str) -> Result<Element, BodyError> {
    let broken = |reason: &str| BodyError::new("XML", reason);
    if bytes.len() > MAX_BODY {
        return Err(broken("longer than a body may be"));
    }
    let text = std::str::from_utf8(bytes).map_err(|_| broken("not UTF-8"))?;
    let mut reader = Reader::from_str(text.trim_start_matches('\u{feff}').trim());
    let mut open: Vec<Element> = Vec::new();
    let mut count = 0;
    let mut done = None;
    loop {
        let event = reader.read_event().map_err(|error| broken(&short(&error.to_string())))?;
        match event {
            Event::Start(_) | Event::Empty(_) if done.is_some() => {
                return Err(broken("more than one root element"));
            }
            Event::Start(ref start) | Event::Empty(ref start) => {
                count += 1;
                if open.len() >= MAX_DEPTH || count > MAX_ELEMENTS {
                    return Err(broken("more elements, or deeper ones, than this reader accepts"));
                }
                open.push(element(start)?);
                if matches!(event, Event::Empty(_)) {
                    done = close(&mut open);
                }
            }
            Event::End(_) => done = close(&mut open),
            Event::Text(text) => push_text(&mut open, &text.xml10_content())?,
            Event::CData(text) => push_text(&mut open, &text.xml10_content())?,
            Event::GeneralRef(reference) => {
                let name = reference.xml10_content();
                let character = match reference.resolve_char_ref() {
                    Ok(Some(character)) => Some(character),
                    Ok(None) => predefined(&name),
                    Err(_) => None,
                };
                let character = character.ok_or_else(|| broken("an entity that XML itself does not have"))?;
                push_text(&mut open, character.encode_utf8(&mut [0; 4]))?;
            }
            Event::DocType(_) => return Err(broken("a document type declaration")),
            Event::Decl(_) | Event::PI(_) | Event::Comment(_) => {}
            Event::Eof => break,
        }
    }
    match done {
        Some(found) if found.name == root => Ok(found),
        Some(found) => Err(BodyError::new(short(&found.name), format!("not the root element {root}"))),
        None => Err(broken("ends within an element, or has none")),
    }
}

/// The root, once it is complete.
fn close(open: &mut Vec<Element>) -> Option<Element> {
    let closed = open.pop()?;
    match open.last_mut() {
        Some(parent) => {
            parent.children.push(closed);
            None
        }
        None => Some(closed),
    }
}

fn push_text(open: &mut [Element], text: &str) -> Result<(), BodyError> {
    match open.last_mut() {
        Some(element) => element.text.push_str(text),
        None if text.trim().is_empty() => {}
        None => return Err(BodyError::new("XML", "text outside of the root element")),
    }
    Ok(())
}

fn element(start: &BytesStart<'_>) -> Result<Element, BodyError> {
    let name = local(start.name().as_ref()).to_owned();
    let mut attributes = Vec::new();
    for attribute in start.attributes() {
        let attribute = attribute.map_err(|error| BodyError::new(short(&name), short(&error.to_string())))?;
        if attributes.len() == MAX_ATTRIBUTES {
            return Err(BodyError::new(short(&name), "more attributes than this reader accepts"));
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|error| BodyError::new(short(&name), short(&error.to_string())))?;
        attributes.push((local(attribute.key.as_ref()).to_owned(), value.into_owned()));
    }
    Ok(Element { name, attributes, ..Element::default() })
}

fn local(name: &str) -> &str {
    name.rsplit(':').next().unwrap_or(name)
}

fn predefined(name: &str) -> Option<char> {
    Some(match name {
        "lt" => '<',
        "gt" => '>',
        "amp" => '&',
        "apos" => '\'',
        "quot" => '"',
        _ => return None,
    })
}

/// A value as it is kept: one line of bounded length.
pub(super) fn clip(text: &str) -> String {
    let text: String = text.chars().filter(|character| !character.is_control()).take(MAX_VALUE).collect();
    text.trim().to_owned()
}

/// For an error that repeats what a peer wrote.
pub(super) fn short(text: &str) -> String {
    text.chars().filter(|character| !character.is_control()).take(80).collect()
}

/// Text as content or as the value of an attribute. What XML 1.0 cannot hold is left out.
pub(super) fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&apos;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(out, "&#{};", u32::from(character));
            }
            '\u{fffe}' | '\u{ffff}' => {}
            _ if character < ' ' => {}
            _ => out.push(character),
        }
    }
    out
}
