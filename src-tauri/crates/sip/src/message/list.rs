//! Comma-separated lists, in which commas inside quoted strings and angle brackets do not separate.

use super::error::SyntaxError;

/// Splits at the separating commas and trims white space; elements may be empty.
pub(crate) fn split<'a>(field: &'static str, text: &'a str) -> Result<Vec<&'a str>, SyntaxError> {
    let error = |reason, offset| SyntaxError { field, reason, offset };
    let mut elements = Vec::new();
    let mut start = 0;
    let (mut quote, mut bracket, mut escaped) = (None, None, false);
    for (at, byte) in text.bytes().enumerate() {
        if quote.is_some() {
            match byte {
                _ if escaped => escaped = false,
                b'\\' => escaped = true,
                b'"' => quote = None,
                _ => {}
            }
            continue;
        }
        match byte {
            b'>' => bracket = None,
            b'<' if bracket.is_none() => bracket = Some(at),
            b'"' if bracket.is_none() => quote = Some(at),
            b',' if bracket.is_none() => {
                elements.push(text.get(start..at).unwrap_or("").trim_matches([' ', '\t']));
                start = at + 1;
            }
            _ => {}
        }
    }
    if let Some(at) = quote {
        return Err(error("a quoted string without its closing quote", at));
    }
    if let Some(at) = bracket {
        return Err(error("an angle bracket is not closed", at));
    }
    elements.push(text.get(start..).unwrap_or("").trim_matches([' ', '\t']));
    Ok(elements)
}

/// Parses each element of a list of at least one; offsets in errors are those of the whole text.
pub(crate) fn parse<T>(
    field: &'static str,
    text: &str,
    element: impl Fn(&str) -> Result<T, SyntaxError>,
) -> Result<Vec<T>, SyntaxError> {
    let mut parsed = Vec::new();
    for part in split(field, text)? {
        let base = part.as_ptr() as usize - text.as_ptr() as usize;
        if part.is_empty() {
            return Err(SyntaxError { field, reason: "an element of the list is empty", offset: base });
        }
        parsed.push(element(part).map_err(|fault| SyntaxError { offset: fault.offset + base, ..fault })?);
    }
    Ok(parsed)
}

/// `[ token *( COMMA token ) ]`; empty elements are passed over.
pub(crate) fn tokens(field: &'static str, text: &str) -> Result<Vec<String>, SyntaxError> {
    let mut found = Vec::new();
    for part in text.split(',').map(|part| part.trim_matches([' ', '\t'])).filter(|part| !part.is_empty()) {
        if !super::lex::is_token(part) {
            let offset = part.as_ptr() as usize - text.as_ptr() as usize;
            return Err(SyntaxError { field, reason: "not a token", offset });
        }
        found.push(part.to_owned());
    }
    Ok(found)
}
