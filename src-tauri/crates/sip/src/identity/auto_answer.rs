//! Headers by which a caller asks to be answered at once: RFC 5373, and those that PBXs had before it.

use std::time::Duration;

use crate::message::{HeaderName, Headers};

/// Longest time before answering that a caller may name.
const LONGEST: Duration = Duration::from_secs(60);

/// After how long the caller wants to be answered; `None` if it does not ask for it. Understood are, the first that says anything
/// deciding: `Priv-Answer-Mode` and `Answer-Mode` (RFC 5373 section 4, where `Manual` forbids it), `answer-after=` of Call-Info,
/// Alert-Info of intercom and auto-answer calls, and `P-Auto-Answer`. Whether to obey is the owner's decision.
pub fn auto_answer(headers: &Headers) -> Option<Duration> {
    for name in [HeaderName::PRIV_ANSWER_MODE, HeaderName::ANSWER_MODE] {
        let mode = headers.get(&name).and_then(|value| value.split(';').next()).map(str::trim);
        match mode {
            Some(mode) if mode.eq_ignore_ascii_case("auto") => return Some(Duration::ZERO),
            Some(mode) if mode.eq_ignore_ascii_case("manual") => return None,
            _ => {}
        }
    }
    let call_info = headers.get_all(&HeaderName::CALL_INFO).find_map(|value| seconds(value, "answer-after"));
    let alert_info = || headers.get_all(&HeaderName::ALERT_INFO).find_map(alert);
    let plain = || {
        let value = headers.get(&HeaderName::from("P-Auto-Answer"))?.trim();
        (!value.eq_ignore_ascii_case("no") && !value.is_empty()).then_some(Duration::ZERO)
    };
    call_info.or_else(alert_info).or_else(plain)
}

/// `<http://…>;answer-after=0`, `info=alert-autoanswer`, `Ring Answer`, `Auto Answer`, `intercom` in the usual spellings.
fn alert(value: &str) -> Option<Duration> {
    if let Some(after) = seconds(value, "answer-after") {
        return Some(after);
    }
    let plain: String = value
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .take(1024)
        .map(|c| c.to_ascii_lowercase())
        .collect();
    let asks = ["autoanswer", "ringanswer", "intercom"].iter().any(|word| plain.contains(word));
    asks.then(|| seconds(value, "delay").unwrap_or_default())
}

/// The number of a parameter `name=`, at most a minute. It is looked for in the text: some senders escape the semicolon or leave
/// the angle brackets out.
fn seconds(value: &str, name: &str) -> Option<Duration> {
    let lower = value.to_ascii_lowercase();
    let (_, rest) = lower.split(';').skip(1).find_map(|part| {
        let (key, rest) = part.split_once('=')?;
        (key.trim() == name).then_some((key, rest))
    })?;
    let digits: String =
        rest.trim().trim_start_matches('"').chars().take_while(char::is_ascii_digit).take(9).collect();
    let number: u64 = digits.parse().ok()?;
    Some(Duration::from_secs(number).min(LONGEST))
}
