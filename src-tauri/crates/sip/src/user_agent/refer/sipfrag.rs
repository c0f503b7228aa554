//! `message/sipfrag` as far as REFER needs it: a status line (RFC 3420, RFC 3515 section 2.4.5).

use crate::message::reason_phrase;

pub(super) const SIPFRAG: &str = "message/sipfrag";

/// Characters of a reason phrase that are kept.
const MAX_REASON: usize = 256;

/// The status and reason that a body begins with; `None` if it does not begin with a status line.
pub(super) fn status(body: &[u8]) -> Option<(u16, String)> {
    let line = body.split(|byte| matches!(byte, b'\r' | b'\n')).next()?;
    let line = String::from_utf8_lossy(line.get(..1024).unwrap_or(line));
    let rest = line.strip_prefix("SIP/2.0")?.strip_prefix([' ', '\t'])?.trim();
    let (code, reason) = rest.split_at_checked(3)?;
    let code = code.parse().ok().filter(|code| (100..700).contains(code))?;
    if !reason.is_empty() && !reason.starts_with([' ', '\t']) {
        return None;
    }
    let reason = clean(reason);
    Some((code, if reason.is_empty() { reason_phrase(code).to_owned() } else { reason }))
}

pub(super) fn body(status: u16, reason: &str) -> Vec<u8> {
    let reason = clean(reason);
    let reason = if reason.is_empty() { reason_phrase(status) } else { &reason };
    format!("SIP/2.0 {status} {reason}\r\n").into_bytes()
}

fn clean(reason: &str) -> String {
    reason.trim().chars().filter(|character| !character.is_control()).take(MAX_REASON).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_line_is_read_with_or_without_its_line_end_and_reason() {
        for (text, expected) in [
            ("SIP/2.0 200 OK\r\n", (200, "OK")),
            ("SIP/2.0 603 Declined\r\nTo: x\r\n", (603, "Declined")),
            ("SIP/2.0 100", (100, "Trying")),
            ("SIP/2.0  180  Ringing \n", (180, "Ringing")),
        ] {
            let (code, reason) = status(text.as_bytes()).unwrap();
            assert_eq!((code, reason.as_str()), expected);
        }
    }

    #[test]
    fn what_is_no_status_line_is_refused() {
        let nines = "9".repeat(100_000);
        let long = format!("SIP/2.0 {nines}");
        for text in [
            "",
            "INVITE sip:a SIP/2.0",
            "SIP/2.0",
            "SIP/2.0 99 x",
            "SIP/2.0 2000",
            "SIP/2.0 700 x",
            "SIP/2.0 2é0",
            &long,
        ] {
            assert_eq!(status(text.as_bytes()), None, "{text:.40}");
        }
    }

    #[test]
    fn a_reason_cannot_add_a_line() {
        assert_eq!(body(486, "Busy\r\nContact: <sip:x>"), b"SIP/2.0 486 BusyContact: <sip:x>\r\n");
        assert_eq!(body(404, ""), b"SIP/2.0 404 Not Found\r\n");
    }
}
