//! The character classes and the cursor that every value parser of RFC 3261 section 25.1 is built on.

use super::error::SyntaxError;

pub(crate) fn is_token_char(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-.!%*_+`'~".contains(&byte)
}

pub(crate) fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(is_token_char)
}

/// `word` of RFC 3261 section 25.1, as a Call-ID uses it.
pub(crate) fn is_word_char(byte: u8) -> bool {
    is_token_char(byte) || b"()<>:\\\"/[]?{}".contains(&byte)
}

pub(crate) fn is_lws(byte: u8) -> bool {
    byte == b' ' || byte == b'\t'
}

/// Reads one unfolded value from left to right. All offsets are bytes from the start of that value.
#[derive(Debug, Clone)]
pub(crate) struct Cursor<'a> {
    text: &'a str,
    at: usize,
    field: &'static str,
}

impl<'a> Cursor<'a> {
    pub(crate) fn new(field: &'static str, text: &'a str) -> Self {
        Cursor { text, at: 0, field }
    }

    pub(crate) fn error(&self, reason: &'static str) -> SyntaxError {
        SyntaxError { field: self.field, reason, offset: self.at }
    }

    /// Places an error of a value that starts here into this one.
    pub(crate) fn inner(&self, fault: SyntaxError) -> SyntaxError {
        SyntaxError { offset: self.at + fault.offset, ..fault }
    }

    pub(crate) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    pub(crate) fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    pub(crate) fn at_end(&self) -> bool {
        self.at >= self.text.len()
    }

    pub(crate) fn skip_lws(&mut self) {
        while self.peek().is_some_and(is_lws) {
            self.at += 1;
        }
    }

    /// Takes one ASCII character if it comes next.
    pub(crate) fn eat(&mut self, byte: u8) -> bool {
        let found = self.peek() == Some(byte);
        if found {
            self.at += 1;
        }
        found
    }

    /// Takes a separator together with the white space that RFC 3261 allows around it.
    pub(crate) fn eat_separator(&mut self, byte: u8) -> bool {
        let before = self.at;
        self.skip_lws();
        if self.eat(byte) {
            self.skip_lws();
            return true;
        }
        self.at = before;
        false
    }

    /// Takes the longest run of bytes that satisfy `accept`. It never ends inside a character.
    pub(crate) fn take_while(&mut self, accept: impl Fn(u8) -> bool) -> &'a str {
        let rest = self.rest();
        let mut length = rest.bytes().position(|byte| !accept(byte)).unwrap_or(rest.len());
        while !rest.is_char_boundary(length) {
            length -= 1;
        }
        self.at += length;
        rest.get(..length).unwrap_or("")
    }

    pub(crate) fn token(&mut self, reason: &'static str) -> Result<&'a str, SyntaxError> {
        let token = self.take_while(is_token_char);
        if token.is_empty() { Err(self.error(reason)) } else { Ok(token) }
    }

    /// Takes a quoted-string, the opening quote being next, and gives its content with the quoted-pairs resolved.
    pub(crate) fn quoted(&mut self) -> Result<String, SyntaxError> {
        if !self.eat(b'"') {
            return Err(self.error("a quoted string must start here"));
        }
        let mut content = String::new();
        let mut escaped = false;
        for (index, character) in self.rest().char_indices() {
            match character {
                '\r' | '\n' => return Err(self.error("a line end inside a quoted string")),
                _ if escaped => {
                    if !character.is_ascii() {
                        return Err(self.error("a backslash before a character that cannot be escaped"));
                    }
                    content.push(character);
                    escaped = false;
                }
                '\\' => escaped = true,
                '"' => {
                    self.at += index + 1;
                    return Ok(content);
                }
                '\t' => content.push(character),
                _ if character.is_ascii_control() => {
                    return Err(self.error("a control character inside a quoted string"));
                }
                _ => content.push(character),
            }
        }
        Err(self.error("a quoted string without its closing quote"))
    }
}

/// Writes `content` as a quoted-string. Line ends cannot be expressed in one and become spaces.
pub(crate) fn write_quoted(out: &mut impl std::fmt::Write, content: &str) -> std::fmt::Result {
    out.write_char('"')?;
    for character in content.chars() {
        match character {
            '\r' | '\n' => out.write_char(' ')?,
            '"' | '\\' => write!(out, "\\{character}")?,
            '\t' => out.write_char('\t')?,
            _ if character.is_ascii_control() => write!(out, "\\{character}")?,
            _ => out.write_char(character)?,
        }
    }
    out.write_char('"')
}

/// Writes `text` with every byte that `allowed` refuses as `%HH`; escapes that are there already stay.
pub(crate) fn write_escaped(
    out: &mut impl std::fmt::Write,
    text: &str,
    allowed: impl Fn(u8) -> bool,
) -> std::fmt::Result {
    let bytes = text.as_bytes();
    for (index, &byte) in bytes.iter().enumerate() {
        if allowed(byte) || (byte == b'%' && is_escape(bytes, index)) {
            out.write_char(char::from(byte))?;
        } else {
            write!(out, "%{byte:02X}")?;
        }
    }
    Ok(())
}

/// Whether `bytes[at..]` starts with `%HH`.
pub(crate) fn is_escape(bytes: &[u8], at: usize) -> bool {
    matches!(bytes.get(at..at + 3), Some([b'%', high, low]) if high.is_ascii_hexdigit() && low.is_ascii_hexdigit())
}

/// Checks that `text` holds only bytes that `allowed` accepts and complete escapes; gives the offset of the first
/// other byte.
pub(crate) fn check_escaped(text: &str, allowed: impl Fn(u8) -> bool) -> Result<(), usize> {
    let bytes = text.as_bytes();
    match (0..bytes.len()).find(|&at| !allowed(bytes[at]) && !is_escape(bytes, at)) {
        Some(at) => Err(at),
        None => Ok(()),
    }
}

/// Resolves `%HH`. Bytes that are not UTF-8 afterwards are replaced.
pub(crate) fn unescape(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = Vec::with_capacity(bytes.len());
    let mut at = 0;
    while at < bytes.len() {
        let hex = text.get(at + 1..at + 3).filter(|_| is_escape(bytes, at));
        match hex.and_then(|hex| u8::from_str_radix(hex, 16).ok()) {
            Some(byte) => {
                out.push(byte);
                at += 3;
            }
            None => {
                out.push(bytes[at]);
                at += 1;
            }
        }
    }
    String::from_utf8_lossy(&out).into_owned()
}
