//! From what a user types to the URI to call.

use sidetone_api::Failure;
use sidetone_sip::message::{Scheme, Uri};

const LONGEST: usize = 255;

/// `sip:` URIs as they are, `user@host` with the scheme added, numbers and names at `domain`'s host.
///
/// # Errors
/// Names the field `callee`.
pub(super) fn callee(typed: &str, domain: &Uri) -> Result<Uri, Failure> {
    let typed = typed.trim();
    if typed.is_empty() {
        return Err(invalid("type a number, a name or a SIP address"));
    }
    if typed.len() > LONGEST || typed.chars().any(char::is_control) {
        return Err(invalid("this is no address"));
    }
    let lower = typed.to_ascii_lowercase();
    if lower.starts_with("sip:") || lower.starts_with("sips:") {
        let uri = Uri::parse(typed).map_err(|error| invalid(&error.to_string()))?;
        if uri.scheme == Scheme::Sips {
            return Err(invalid("sips: needs TLS, which this version does not speak yet"));
        }
        return Ok(uri);
    }
    let number = lower.strip_prefix("tel:").map(|rest| rest.split(';').next().unwrap_or(rest).to_owned());
    if let Some(number) = number {
        return at_domain(
            &without_separators(&number).ok_or_else(|| invalid("tel: is followed by no number"))?,
            domain,
        );
    }
    if typed.contains('@') {
        return Uri::parse(&format!("sip:{typed}")).map_err(|error| invalid(&error.to_string()));
    }
    at_domain(&without_separators(typed).unwrap_or_else(|| typed.to_owned()), domain)
}

fn at_domain(user: &str, domain: &Uri) -> Result<Uri, Failure> {
    if user.chars().any(char::is_whitespace) {
        return Err(invalid("a name to call has no spaces"));
    }
    let mut uri = Uri::sip(None, domain.host.clone(), domain.port);
    uri.set_user_text(user);
    Ok(uri)
}

/// The dialled digits of a number written with visual separators (RFC 3966 section 5.1.1); `None` for a name.
fn without_separators(text: &str) -> Option<String> {
    let separator = |c: char| matches!(c, ' ' | '-' | '.' | '(' | ')' | '/');
    let digits: String = text.chars().filter(|&c| !separator(c)).collect();
    let number = digits.strip_prefix('+').unwrap_or(&digits);
    let is_number = !number.is_empty() && number.chars().all(|c| c.is_ascii_digit() || c == '*' || c == '#');
    is_number.then_some(digits)
}

fn invalid(message: &str) -> Failure {
    Failure::invalid("callee", message)
}

#[cfg(test)]
mod tests {
    use super::callee;
    use sidetone_sip::message::Uri;

    fn called(typed: &str) -> Result<String, String> {
        let domain = Uri::parse("sip:alice@example.org:5070").unwrap();
        callee(typed, &domain).map(|uri| uri.to_string()).map_err(|failure| failure.message)
    }

    #[test]
    fn a_name_or_number_is_called_at_the_domain() {
        assert_eq!(called("echo").unwrap(), "sip:echo@example.org:5070");
        assert_eq!(called(" +49 (30) 123-45 ").unwrap(), "sip:+493012345@example.org:5070");
        assert_eq!(called("tel:+49-30-12345;ext=7").unwrap(), "sip:+493012345@example.org:5070");
    }

    #[test]
    fn a_full_address_is_called_as_it_is() {
        assert_eq!(called("sip:bob@10.0.0.1;transport=tcp").unwrap(), "sip:bob@10.0.0.1;transport=tcp");
        assert_eq!(called("bob@example.net").unwrap(), "sip:bob@example.net");
    }

    #[test]
    fn what_cannot_be_called_is_refused() {
        for typed in ["", "  ", "a b c", "sip:", "bob@", "x\r\nVia: y", "sips:bob@example.net"] {
            assert!(called(typed).is_err(), "{typed:?}");
        }
    }
}
