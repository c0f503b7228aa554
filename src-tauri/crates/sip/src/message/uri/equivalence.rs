use super::super::lex;
use super::{Params, Scheme, Uri};

/// Parameters that make two URIs differ when only one of them has it.
const DECISIVE: [&str; 5] = ["transport", "user", "ttl", "method", "maddr"];

pub(super) fn is_equivalent(one: &Uri, two: &Uri) -> bool {
    if one.scheme != two.scheme {
        return false;
    }
    match one.scheme {
        Scheme::Sip | Scheme::Sips => is_same_sip(one, two),
        Scheme::Tel => is_same_number(one, two),
        Scheme::Other(_) => one.opaque == two.opaque,
    }
}

fn is_same_sip(one: &Uri, two: &Uri) -> bool {
    normal_option(&one.user) == normal_option(&two.user)
        && normal_option(&one.password) == normal_option(&two.password)
        && one.host == two.host
        && one.port == two.port
        && params_agree(&one.params, &two.params)
        && headers_agree(&one.headers, &two.headers)
}

fn params_agree(one: &Params, two: &Params) -> bool {
    let decisive = |name: &&str| one.has(name) == two.has(name);
    DECISIVE.iter().all(decisive)
        && one.iter().all(|(name, value)| !two.has(name) || same_value(value, two.get(name)))
}

fn same_value(one: Option<&str>, two: Option<&str>) -> bool {
    match (one, two) {
        (Some(one), Some(two)) => normal(one).eq_ignore_ascii_case(&normal(two)),
        (one, two) => one.is_none() && two.is_none(),
    }
}

/// Header components are never ignored; their order does not matter.
fn headers_agree(one: &[(String, String)], two: &[(String, String)]) -> bool {
    let normalized = |headers: &[(String, String)]| {
        let mut pairs: Vec<(String, String)> =
            headers.iter().map(|(name, value)| (normal(name).to_ascii_lowercase(), normal(value))).collect();
        pairs.sort();
        pairs
    };
    one.len() == two.len() && normalized(one) == normalized(two)
}

fn is_same_number(one: &Uri, two: &Uri) -> bool {
    let digits = |uri: &Uri| -> String {
        let number = uri.user.as_deref().unwrap_or("");
        number.chars().filter(|c| !"-.()".contains(*c)).map(|c| c.to_ascii_lowercase()).collect()
    };
    let same_params = one.params.len() == two.params.len()
        && one
            .params
            .iter()
            .all(|(name, value)| two.params.has(name) && same_value(value, two.params.get(name)));
    digits(one) == digits(two) && same_params
}

fn normal_option(text: &Option<String>) -> Option<String> {
    text.as_deref().map(normal)
}

/// Resolves the escapes of characters that are not reserved, which alone are equal to their escape.
fn normal(text: &str) -> String {
    let bytes = text.as_bytes();
    let mut out = String::with_capacity(text.len());
    let mut at = 0;
    while at < bytes.len() {
        let escape = text.get(at..at + 3).filter(|_| lex::is_escape(bytes, at));
        let Some(escape) = escape else {
            out.push(char::from(bytes[at]));
            at += 1;
            continue;
        };
        let byte = u8::from_str_radix(&escape[1..], 16).unwrap_or(b'%');
        if byte.is_ascii_graphic() && !b";/?:@&=+$,%".contains(&byte) {
            out.push(char::from(byte));
        } else {
            out.push_str(&escape.to_ascii_uppercase());
        }
        at += 3;
    }
    out
}
