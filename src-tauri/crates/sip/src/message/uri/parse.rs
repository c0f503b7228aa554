use super::super::error::SyntaxError;
use super::super::host::read_port;
use super::super::lex::{self, Cursor};
use super::{Host, Params, Scheme, Uri};

const FIELD: &str = "URI";
/// A hostile value must not grow into a list without end.
const MAX_HEADERS: usize = 64;

pub(super) fn parse(text: &str) -> Result<Uri, SyntaxError> {
    let error = |reason, offset| SyntaxError { field: FIELD, reason, offset };
    let Some((scheme, rest)) = text.split_once(':') else {
        return Err(error("a scheme and a colon must come first", 0));
    };
    if !is_scheme(scheme) {
        return Err(error("the scheme holds a character that no scheme has", 0));
    }
    match scheme.to_ascii_lowercase().as_str() {
        "sip" => parse_sip(Scheme::Sip, rest),
        "sips" => parse_sip(Scheme::Sips, rest),
        "tel" => parse_tel(rest),
        other => parse_opaque(other, rest),
    }
    .map_err(|fault| SyntaxError { offset: fault.offset + scheme.len() + 1, ..fault })
}

fn parse_sip(scheme: Scheme, text: &str) -> Result<Uri, SyntaxError> {
    let error = |reason, offset| SyntaxError { field: FIELD, reason, offset };
    let mut uri = Uri::bare(scheme);
    let (before, after) = match text.split_once('@') {
        Some((before, after)) => (Some(before), after),
        None => (None, text),
    };
    if let Some(info) = before {
        let (user, password) = match info.split_once(':') {
            Some((user, password)) => (user, Some(password)),
            None => (info, None),
        };
        if user.is_empty() {
            return Err(error("the user part is empty", 0));
        }
        // The grammar wants `#` escaped, but dialled service codes often carry it bare.
        lex::check_escaped(user, |byte| is_user_char(byte) || byte == b'#')
            .map_err(|at| error("the user part holds a character that must be escaped", at))?;
        if let Some(password) = password {
            lex::check_escaped(password, is_password_char).map_err(|at| {
                error("the password holds a character that must be escaped", user.len() + 1 + at)
            })?;
        }
        uri.user = Some(user.replace('#', "%23"));
        uri.password = password.map(str::to_owned);
    }
    let base = before.map_or(0, |info| info.len() + 1);
    let mut cursor = Cursor::new(FIELD, after);
    read_tail(&mut cursor, &mut uri).map_err(|fault| SyntaxError { offset: fault.offset + base, ..fault })?;
    Ok(uri)
}

fn read_tail(cursor: &mut Cursor<'_>, uri: &mut Uri) -> Result<(), SyntaxError> {
    uri.host = Host::read(cursor)?;
    uri.port = read_port(cursor, false)?;
    uri.params = Params::parse_uri(cursor)?;
    if cursor.eat(b'?') {
        loop {
            let name = read_header_text(cursor)?;
            if name.is_empty() || !cursor.eat(b'=') {
                return Err(cursor.error("a URI header is name=value"));
            }
            let value = read_header_text(cursor)?;
            if uri.headers.len() == MAX_HEADERS {
                return Err(cursor.error("more URI headers than this parser accepts"));
            }
            uri.headers.push((name, value));
            if !cursor.eat(b'&') {
                break;
            }
        }
    }
    if cursor.at_end() { Ok(()) } else { Err(cursor.error("unexpected character in the URI")) }
}

fn read_header_text(cursor: &mut Cursor<'_>) -> Result<String, SyntaxError> {
    let text = cursor.take_while(|byte| is_header_char(byte) || byte == b'%');
    match lex::check_escaped(text, is_header_char) {
        Ok(()) => Ok(text.to_owned()),
        Err(_) => Err(cursor.error("a percent sign without two hexadecimal digits")),
    }
}

/// RFC 3966 section 3. Whether a local number has its `phone-context` is left to whoever dials it.
fn parse_tel(text: &str) -> Result<Uri, SyntaxError> {
    let mut cursor = Cursor::new(FIELD, text);
    let number = cursor.take_while(|byte| is_number_char(char::from(byte)));
    if !is_number(number) {
        return Err(cursor.error("a telephone number is missing"));
    }
    let mut uri = Uri::bare(Scheme::Tel);
    uri.user = Some(number.to_owned());
    uri.params = Params::parse_uri(&mut cursor)?;
    if cursor.at_end() { Ok(uri) } else { Err(cursor.error("unexpected character in the telephone number")) }
}

fn parse_opaque(scheme: &str, text: &str) -> Result<Uri, SyntaxError> {
    let error = |reason, offset| SyntaxError { field: FIELD, reason, offset };
    if text.is_empty() {
        return Err(error("nothing follows the scheme", 0));
    }
    lex::check_escaped(text, is_opaque_char)
        .map_err(|at| error("the URI holds a character that must be escaped", at))?;
    let mut uri = Uri::bare(Scheme::Other(scheme.to_owned()));
    uri.opaque = text.to_owned();
    Ok(uri)
}

pub(super) fn is_scheme(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-_.!~*'()".contains(&byte)
}

/// `unreserved` and `user-unreserved`.
pub(super) fn is_user_char(byte: u8) -> bool {
    is_unreserved(byte) || b"&=+$,;?/".contains(&byte)
}

pub(super) fn is_password_char(byte: u8) -> bool {
    is_unreserved(byte) || b"&=+$,".contains(&byte)
}

pub(crate) fn is_param_char(byte: u8) -> bool {
    is_unreserved(byte) || b"[]/:&+$".contains(&byte)
}

pub(super) fn is_header_char(byte: u8) -> bool {
    is_unreserved(byte) || b"[]/?:+$".contains(&byte)
}

/// RFC 3986 section 2, without the percent sign.
pub(super) fn is_opaque_char(byte: u8) -> bool {
    is_unreserved(byte) || b";/?:@&=+$,#[]".contains(&byte)
}

pub(super) fn is_number_char(character: char) -> bool {
    character.is_ascii_hexdigit() || "+-.()*#".contains(character)
}

/// A plus only in front, and at least one digit (or `*`, `#`, which local numbers may consist of).
pub(super) fn is_number(text: &str) -> bool {
    let number = text.strip_prefix('+').unwrap_or(text);
    !number.contains('+')
        && number.chars().any(|c| c.is_ascii_hexdigit() || "*#".contains(c))
        && number.chars().all(is_number_char)
}
