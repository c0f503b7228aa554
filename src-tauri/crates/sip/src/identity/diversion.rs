//! Who sent a call here: Diversion (RFC 5806) and History-Info (RFC 7044).

use crate::message::{HeaderName, Headers, NameAddr};

use super::readable;

/// Who forwarded the call last. Diversion says it in its topmost element; History-Info in its last element that was left for a reason,
/// or that the next one was mapped from. `None` if nobody did, or if it cannot be read.
pub fn diverted_by(headers: &Headers) -> Option<NameAddr> {
    if let Some(last) = readable(headers, &HeaderName::DIVERSION).into_iter().next() {
        return Some(NameAddr { params: Default::default(), ..last });
    }
    let history = readable(headers, &HeaderName::HISTORY_INFO);
    let found =
        history.iter().rev().find(|entry| left_for_a_reason(entry)).or_else(|| mapped_from(&history))?;
    let mut uri = found.uri.clone();
    uri.headers.clear();
    uri.params.remove("cause");
    Some(NameAddr { display: found.display.clone(), uri, params: Default::default() })
}

/// `<sip:bob@example?Reason=SIP%3Bcause%3D302>;index=1`
fn left_for_a_reason(entry: &NameAddr) -> bool {
    entry.uri.headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("reason"))
}

/// `mp=` names the index of the entry that this one came from by diversion (RFC 7044 section 5); the older `cause` parameter (RFC
/// 4458) says that there was one, and it is the entry before.
fn mapped_from(history: &[NameAddr]) -> Option<&NameAddr> {
    history.iter().enumerate().rev().find_map(|(at, entry)| {
        if let Some(index) = entry.params.get("mp") {
            return history.iter().find(|other| other.params.get("index") == Some(index));
        }
        let before = at.checked_sub(1).and_then(|before| history.get(before));
        before.filter(|_| entry.uri.params.has("cause"))
    })
}
