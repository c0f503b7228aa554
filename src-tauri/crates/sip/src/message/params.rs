use std::fmt;

use super::error::SyntaxError;
use super::lex::{self, Cursor};
use super::uri::is_param_char;

/// A hostile value could otherwise make the check for repeated names quadratic.
const MAX_PARAMS: usize = 128;

/// The parameters of a URI or of a header value, in order. Names ignore case and appear once (RFC 3261 section
/// 7.3.1).
///
/// A value is text without quotes and quoted-pairs; `%HH` of a URI parameter stays as it is. Values are quoted or
/// escaped where they are written, so any text is safe to set.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Params(Vec<Param>);

#[derive(Clone)]
struct Param {
    name: String,
    value: Option<String>,
    quoted: bool,
}

impl Params {
    pub fn new() -> Self {
        Self::default()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// The value of a parameter; `None` also if it is there without a value ([`Params::has`] tells).
    pub fn get(&self, name: &str) -> Option<&str> {
        self.find(name).and_then(|param| param.value.as_deref())
    }

    pub fn has(&self, name: &str) -> bool {
        self.find(name).is_some()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&str>)> {
        self.0.iter().map(|param| (param.name.as_str(), param.value.as_deref()))
    }

    /// Sets `name=value`, in place if the name is there already.
    pub fn set(&mut self, name: &str, value: impl Into<String>) {
        self.put(name, Some(value.into()));
    }

    /// Sets a parameter without a value, such as `lr`.
    pub fn set_flag(&mut self, name: &str) {
        self.put(name, None);
    }

    /// Whether it was there.
    pub fn remove(&mut self, name: &str) -> bool {
        let before = self.0.len();
        self.0.retain(|param| !param.name.eq_ignore_ascii_case(name));
        self.0.len() != before
    }

    fn find(&self, name: &str) -> Option<&Param> {
        self.0.iter().find(|param| param.name.eq_ignore_ascii_case(name))
    }

    fn put(&mut self, name: &str, value: Option<String>) {
        match self.0.iter_mut().find(|param| param.name.eq_ignore_ascii_case(name)) {
            Some(param) => (param.value, param.quoted) = (value, false),
            None => self.0.push(Param { name: name.to_owned(), value, quoted: false }),
        }
    }

    fn push_parsed(&mut self, cursor: &Cursor<'_>, param: Param) -> Result<(), SyntaxError> {
        if self.has(&param.name) {
            return Err(cursor.error("a parameter name appears twice"));
        }
        if self.0.len() == MAX_PARAMS {
            return Err(cursor.error("more parameters than this parser accepts"));
        }
        self.0.push(param);
        Ok(())
    }

    /// Reads `*( SEMI generic-param )` up to the first character that belongs to no parameter.
    pub(crate) fn parse_header(cursor: &mut Cursor<'_>) -> Result<Params, SyntaxError> {
        let mut params = Params::new();
        while cursor.eat_separator(b';') {
            let name = cursor.token("a parameter name is missing")?.to_owned();
            let mut param = Param { name, value: None, quoted: false };
            if cursor.eat_separator(b'=') {
                param.quoted = cursor.peek() == Some(b'"');
                param.value = Some(if param.quoted {
                    cursor.quoted()?
                } else {
                    let value = cursor.take_while(is_bare_value_char);
                    if value.is_empty() {
                        return Err(cursor.error("a parameter value is missing"));
                    }
                    value.to_owned()
                });
            }
            params.push_parsed(cursor, param)?;
        }
        Ok(params)
    }

    /// All of `text`, which begins with a semicolon or is empty.
    pub(crate) fn read(text: &str) -> Result<Params, SyntaxError> {
        let mut cursor = Cursor::new("parameters", text);
        let params = Params::parse_header(&mut cursor)?;
        cursor.skip_lws();
        if cursor.at_end() { Ok(params) } else { Err(cursor.error("unexpected text after the parameters")) }
    }

    /// Reads `*( ";" uri-parameter )` of RFC 3261 section 19.1.1.
    pub(crate) fn parse_uri(cursor: &mut Cursor<'_>) -> Result<Params, SyntaxError> {
        let mut params = Params::new();
        while cursor.eat(b';') {
            let name = take_uri_text(cursor, "a URI parameter name is missing")?;
            let value = match cursor.eat(b'=') {
                true => Some(take_uri_text(cursor, "a URI parameter value is missing")?),
                false => None,
            };
            params.push_parsed(cursor, Param { name, value, quoted: false })?;
        }
        Ok(params)
    }

    pub(crate) fn write_header(&self, out: &mut impl fmt::Write) -> fmt::Result {
        for param in &self.0 {
            out.write_char(';')?;
            write_token(out, &param.name)?;
            let Some(value) = &param.value else { continue };
            out.write_char('=')?;
            if param.quoted || value.is_empty() || !value.bytes().all(is_bare_value_char) {
                lex::write_quoted(out, value)?;
            } else {
                out.write_str(value)?;
            }
        }
        Ok(())
    }

    pub(crate) fn write_uri(&self, out: &mut impl fmt::Write) -> fmt::Result {
        for param in self.0.iter().filter(|param| !param.name.is_empty()) {
            out.write_char(';')?;
            lex::write_escaped(out, &param.name, is_param_char)?;
            if let Some(value) = param.value.as_deref().filter(|value| !value.is_empty()) {
                out.write_char('=')?;
                lex::write_escaped(out, value, is_param_char)?;
            }
        }
        Ok(())
    }
}

/// What an unquoted parameter value may hold. RFC 3261 has token and host here; tags and branches with `=`, `/` or
/// `@` are common on the wire and unambiguous, so every visible character without a role of its own is taken.
fn is_bare_value_char(byte: u8) -> bool {
    byte.is_ascii_graphic() && !b"\"(),;<>\\".contains(&byte)
}

fn take_uri_text(cursor: &mut Cursor<'_>, missing: &'static str) -> Result<String, SyntaxError> {
    let text = cursor.take_while(|byte| is_param_char(byte) || byte == b'%');
    if text.is_empty() {
        return Err(cursor.error(missing));
    }
    match lex::check_escaped(text, is_param_char) {
        Ok(()) => Ok(text.to_owned()),
        Err(_) => Err(cursor.error("a percent sign without two hexadecimal digits")),
    }
}

fn write_token(out: &mut impl fmt::Write, name: &str) -> fmt::Result {
    if name.is_empty() {
        return out.write_char('-');
    }
    for character in name.chars() {
        let fits = character.is_ascii() && lex::is_token_char(character as u8);
        out.write_char(if fits { character } else { '-' })?;
    }
    Ok(())
}

impl PartialEq for Param {
    fn eq(&self, other: &Self) -> bool {
        self.name.eq_ignore_ascii_case(&other.name) && self.value == other.value
    }
}

impl Eq for Param {}

impl fmt::Debug for Params {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.write_header(f)
    }
}
