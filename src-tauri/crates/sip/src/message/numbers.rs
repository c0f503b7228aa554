//! The small numbers of RFC 3261: delta-seconds, qvalue, Max-Forwards, Content-Length.

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// Seconds; what does not fit 32 bits is read as the largest number that does (section 20.19 ends there).
pub(crate) fn delta_seconds(text: &str) -> Option<u32> {
    is_digits(text).then(|| text.parse().unwrap_or(u32::MAX))
}

/// Like [`delta_seconds`]; what is no number is an hour (section 10.2.1.1).
pub(crate) fn expires(text: &str) -> u32 {
    delta_seconds(text).unwrap_or(3600)
}

/// Digits only: a sign would be taken by the parser of the standard library.
pub(crate) fn unsigned<T: std::str::FromStr>(text: &str) -> Option<T> {
    if is_digits(text) { text.parse().ok() } else { None }
}

/// `0` to `1` with up to three decimals, in thousandths.
pub(crate) fn qvalue(text: &str) -> Option<u16> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if decimals.len() > 3 || !decimals.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let thousandths: u16 = format!("{decimals:0<3}").parse().ok()?;
    match whole {
        "0" => Some(thousandths),
        "1" if thousandths == 0 => Some(1000),
        _ => None,
    }
}
