//! `scheme name=value, name="value", ...` of the four authentication headers.

use crate::message::SyntaxError;
use crate::message::lex::{self, Cursor};

const MAX_FIELDS: usize = 64;

/// One challenge or one set of credentials.
#[derive(Debug)]
pub(super) struct Fields {
    pub(super) scheme: String,
    values: Vec<(String, String)>,
}

impl Fields {
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.values
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn required(&self, name: &'static str) -> Result<&str, SyntaxError> {
        self.get(name).ok_or(SyntaxError { field: name, reason: "is missing", offset: 0 })
    }

    pub(super) fn is_digest(&self) -> bool {
        self.scheme.eq_ignore_ascii_case("Digest")
    }

    /// Reads one header value. Several challenges joined by commas, which SIP forbids but HTTP allows, are told
    /// apart; of a scheme other than Digest only the name is read.
    pub(super) fn parse(text: &str) -> Result<Vec<Fields>, SyntaxError> {
        let mut cursor = Cursor::new("authentication", text);
        cursor.skip_lws();
        let mut all = vec![Fields::begin(cursor.token("the scheme is missing")?)];
        loop {
            let Some(current) = all.last_mut() else { return Ok(all) };
            if !current.is_digest() {
                return Ok(all);
            }
            cursor.skip_lws();
            let name = cursor.token("a parameter name is missing")?;
            if cursor.eat_separator(b'=') {
                let value = read_value(&mut cursor)?;
                if current.get(name).is_some() {
                    return Err(cursor.error("a parameter appears twice"));
                }
                if current.values.len() == MAX_FIELDS {
                    return Err(cursor.error("more parameters than this parser accepts"));
                }
                current.values.push((name.to_owned(), value));
                cursor.skip_lws();
                if cursor.at_end() {
                    return Ok(all);
                }
                if !cursor.eat(b',') {
                    return Err(cursor.error("a comma is missing"));
                }
            } else if current.values.is_empty() || !cursor.peek().is_some_and(lex::is_lws) {
                return Err(cursor.error("an equals sign is missing"));
            } else {
                all.push(Fields::begin(name));
            }
        }
    }

    fn begin(scheme: &str) -> Fields {
        Fields { scheme: scheme.to_owned(), values: Vec::new() }
    }
}

fn read_value(cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
    if cursor.peek() == Some(b'"') {
        return cursor.quoted();
    }
    let value = cursor.take_while(|byte| byte.is_ascii_graphic() && !b"\",".contains(&byte));
    if value.is_empty() { Err(cursor.error("a parameter value is missing")) } else { Ok(value.to_owned()) }
}

/// Writes the fields of one header value.
pub(super) struct Writer(String);

impl Writer {
    pub(super) fn digest() -> Writer {
        Writer("Digest ".to_owned())
    }

    pub(super) fn quoted(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        // Writing into a String cannot fail.
        let _ = lex::write_quoted(&mut self.0, value);
        self
    }

    /// For values that are tokens by construction.
    pub(super) fn bare(&mut self, name: &str, value: &str) -> &mut Self {
        self.name(name);
        self.0.push_str(value);
        self
    }

    pub(super) fn finish(self) -> String {
        self.0
    }

    fn name(&mut self, name: &str) {
        if !self.0.ends_with(' ') {
            self.0.push_str(", ");
        }
        self.0.push_str(name);
        self.0.push('=');
    }
}
