use std::fmt;
use std::str::FromStr;

use super::error::SyntaxError;
use super::lex::{self, Cursor};
use super::list;
use super::{Params, Uri};

/// `name-addr` or `addr-spec` with the parameters of its header: From, To, Contact, Route and their like (RFC 3261
/// section 20.10). Always written with angle brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NameAddr {
    /// Plain text; quotes and quoted-pairs come and go with parsing and printing.
    pub display: Option<String>,
    pub uri: Uri,
    /// The parameters behind the address, not those of the URI.
    pub params: Params,
}

impl NameAddr {
    pub fn new(uri: Uri) -> NameAddr {
        NameAddr { display: None, uri, params: Params::new() }
    }

    pub fn with_display(display: impl Into<String>, uri: Uri) -> NameAddr {
        NameAddr { display: Some(display.into()), ..NameAddr::new(uri) }
    }

    /// Reads one address that fills all of `text`.
    pub fn parse(text: &str) -> Result<NameAddr, SyntaxError> {
        let mut cursor = Cursor::new("address", text);
        let address = NameAddr::read(&mut cursor)?;
        cursor.skip_lws();
        if cursor.at_end() { Ok(address) } else { Err(cursor.error("unexpected text after the address")) }
    }

    /// Reads a comma-separated list with at least one address.
    pub fn parse_list(text: &str) -> Result<Vec<NameAddr>, SyntaxError> {
        list::parse("address", text, NameAddr::parse)
    }

    pub fn tag(&self) -> Option<&str> {
        self.params.get("tag")
    }

    pub fn set_tag(&mut self, tag: impl Into<String>) {
        self.params.set("tag", tag);
    }

    /// The `expires` parameter of a Contact in seconds; numbers beyond 32 bits are read as the largest one, anything
    /// else as an hour (RFC 3261 section 10.2.1.1).
    pub fn expires(&self) -> Option<u32> {
        self.params.has("expires").then(|| super::numbers::expires(self.params.get("expires").unwrap_or("")))
    }

    /// The `q` parameter of a Contact in thousandths; 1000 where there is none or a broken one.
    pub fn q(&self) -> u16 {
        self.params.get("q").and_then(super::numbers::qvalue).unwrap_or(1000)
    }

    fn read(cursor: &mut Cursor<'_>) -> Result<NameAddr, SyntaxError> {
        cursor.skip_lws();
        let display = if cursor.peek() == Some(b'"') {
            let quoted = cursor.quoted()?;
            cursor.skip_lws();
            if cursor.peek() != Some(b'<') {
                return Err(cursor.error("a display name must be followed by an address in angle brackets"));
            }
            quoted
        } else {
            let before = cursor.clone();
            match read_unquoted_display(cursor) {
                Some(display) => display,
                None => {
                    let stopped = std::mem::replace(cursor, before);
                    if stopped.rest().contains('<') && !stopped.rest().starts_with(':') {
                        return Err(stopped.error("a display name with this character must be quoted"));
                    }
                    return read_addr_spec(cursor);
                }
            }
        };
        let uri = read_bracketed(cursor)?;
        let params = Params::parse_header(cursor)?;
        Ok(NameAddr { display: Some(display).filter(|name| !name.is_empty()), uri, params })
    }
}

/// `*(token LWS)` before an opening bracket; characters beyond ASCII are let through.
fn read_unquoted_display(cursor: &mut Cursor<'_>) -> Option<String> {
    let mut display = String::new();
    loop {
        cursor.skip_lws();
        if cursor.peek() == Some(b'<') {
            return Some(display);
        }
        let word = cursor.take_while(|byte| lex::is_token_char(byte) || !byte.is_ascii());
        if word.is_empty() {
            return None;
        }
        if !display.is_empty() {
            display.push(' ');
        }
        display.push_str(word);
    }
}

fn read_bracketed(cursor: &mut Cursor<'_>) -> Result<Uri, SyntaxError> {
    cursor.eat(b'<');
    let inside = cursor.clone();
    let text = cursor.take_while(|byte| byte != b'>' && byte != b'<');
    if cursor.peek() != Some(b'>') {
        return Err(cursor.error("an angle bracket is not closed"));
    }
    cursor.eat(b'>');
    Uri::parse(text).map_err(|fault| inside.inner(fault))
}

/// Without brackets, `;` starts the header's parameters and neither `,` nor `?` may appear in the URI.
fn read_addr_spec(cursor: &mut Cursor<'_>) -> Result<NameAddr, SyntaxError> {
    let inside = cursor.clone();
    let text = cursor.take_while(|byte| !lex::is_lws(byte) && !b";,<>\"".contains(&byte));
    if text.contains('?') {
        return Err(inside.error("a URI with a question mark must stand in angle brackets"));
    }
    let uri = Uri::parse(text).map_err(|fault| inside.inner(fault))?;
    let params = Params::parse_header(cursor)?;
    Ok(NameAddr { display: None, uri, params })
}

impl FromStr for NameAddr {
    type Err = SyntaxError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        NameAddr::parse(text)
    }
}

impl From<Uri> for NameAddr {
    fn from(uri: Uri) -> Self {
        NameAddr::new(uri)
    }
}

impl fmt::Display for NameAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(display) = self.display.as_deref().filter(|display| !display.is_empty()) {
            lex::write_quoted(f, display)?;
            f.write_str(" ")?;
        }
        write!(f, "<{}>", self.uri)?;
        self.params.write_header(f)
    }
}
