//! Who calls, who sent the call here, whether it wants to be answered by itself, and how to hide who we are.
//!
//! All of it comes from others and is only as true as whoever wrote it; malformed fields count as absent.

mod auto_answer;
mod diversion;

use crate::message::{HeaderName, Headers, Host, NameAddr, Uri};

pub use auto_answer::auto_answer;
pub use diversion::diverted_by;

/// Longest display name that is believed, in characters.
const MAX_NAME: usize = 128;

/// Who calls, as our own server vouches for it: P-Asserted-Identity (RFC 3325), or Remote-Party-ID of older servers. `trusted`: the
/// request came from that server; from anybody else it is nobody's word. `None` too where the caller wants to be private.
pub fn asserted_identity(headers: &Headers, trusted: bool) -> Option<NameAddr> {
    if !trusted || wants_privacy(headers) {
        return None;
    }
    let asserted = readable(headers, &HeaderName::P_ASSERTED_IDENTITY);
    let sip = asserted.iter().find(|address| address.uri.is_sip());
    if let Some(found) = sip.or_else(|| asserted.first()) {
        return Some(NameAddr { params: Default::default(), ..found.clone() });
    }
    let is_caller = |address: &NameAddr| {
        address.params.get("party").is_none_or(|party| party.eq_ignore_ascii_case("calling"))
    };
    let is_open = |address: &NameAddr| {
        address.params.get("privacy").is_none_or(|privacy| privacy.eq_ignore_ascii_case("off"))
    };
    let parties = readable(headers, &HeaderName::REMOTE_PARTY_ID);
    let found = parties.into_iter().find(is_caller).filter(is_open)?;
    Some(NameAddr { params: Default::default(), ..found })
}

/// Who calls: the asserted identity where it may be believed, else From. `None` without a readable From.
pub fn caller(headers: &Headers, trusted: bool) -> Option<NameAddr> {
    let from = headers.from().ok()?;
    let shown = asserted_identity(headers, trusted).map(|asserted| match asserted.display {
        Some(_) => asserted,
        None => NameAddr { display: from.display.clone(), ..asserted },
    });
    Some(shown.unwrap_or(NameAddr { params: Default::default(), ..from }))
}

/// A display name as it may be shown: one line, no control and no direction-changing characters, not longer than 128. Empty where
/// there is none.
pub fn display_name(address: &NameAddr) -> String {
    let is_shown = |character: &char| {
        !character.is_control()
            && !matches!(character, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
    };
    let name: String =
        address.display.iter().flat_map(|name| name.chars()).filter(is_shown).take(MAX_NAME).collect();
    name.trim().to_owned()
}

/// The caller hides who it is (RFC 3323 section 4.1).
pub fn is_anonymous(address: &NameAddr) -> bool {
    let host = address.uri.host.to_string();
    host.eq_ignore_ascii_case("anonymous.invalid")
        || address.uri.user.as_deref().is_some_and(|user| user.eq_ignore_ascii_case("anonymous"))
}

/// `Privacy` asks that the identity be not shown: `id`, `user` or `header` (RFC 3323 section 4.2, RFC 3325 section 9.3).
fn wants_privacy(headers: &Headers) -> bool {
    let values = headers.get_all(&HeaderName::PRIVACY).flat_map(|value| value.split([';', ',']));
    values
        .map(str::trim)
        .any(|value| ["id", "user", "header"].iter().any(|known| known.eq_ignore_ascii_case(value)))
}

/// The From of a call that hides who calls (RFC 3323 section 4.1.1.3).
pub(crate) fn anonymous(own: &NameAddr) -> NameAddr {
    let host = Host::Name("anonymous.invalid".to_owned());
    let mut uri = Uri::sip(Some("anonymous"), host, None);
    uri.scheme = own.uri.scheme.clone();
    NameAddr::with_display("Anonymous", uri)
}

/// Our address for P-Preferred-Identity (RFC 3325 section 9.2).
pub(crate) fn preferred(own: &NameAddr) -> NameAddr {
    NameAddr { params: Default::default(), ..own.clone() }
}

/// The addresses of a list header that can be read, wherever others cannot.
fn readable(headers: &Headers, name: &HeaderName) -> Vec<NameAddr> {
    const MAX: usize = 64;
    let mut all = Vec::new();
    for value in headers.get_all(name).take(MAX) {
        match NameAddr::parse_list(value) {
            Ok(list) => all.extend(list),
            Err(_) => all.extend(value.split(',').filter_map(|part| NameAddr::parse(part).ok())),
        }
    }
    all.truncate(MAX);
    all
}

#[cfg(test)]
mod tests;
