//! Session-Expires and Min-SE: RFC 4028 sections 4 and 5.

use std::fmt;

use crate::message::lex::Cursor;
use crate::message::{HeaderName, Headers, Params};

/// No session may be shorter, in seconds.
pub(super) const MIN: u32 = 90;
/// A week: what is longer is as good as for ever.
pub(super) const MAX: u32 = 7 * 24 * 3600;

/// Which side of the transaction that carries the header refreshes the session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Refresher {
    Uac,
    Uas,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct SessionExpires {
    pub(super) seconds: u32,
    pub(super) refresher: Option<Refresher>,
}

impl SessionExpires {
    /// `Err` if it is there and cannot be read.
    pub(super) fn of(headers: &Headers) -> Result<Option<Self>, ()> {
        let Some(value) = headers.single(&HeaderName::SESSION_EXPIRES).map_err(|_| ())? else {
            return Ok(None);
        };
        let (seconds, params) = seconds(value).ok_or(())?;
        let refresher = match params.get("refresher").map(str::to_ascii_lowercase).as_deref() {
            Some("uac") => Some(Refresher::Uac),
            Some("uas") => Some(Refresher::Uas),
            _ => None,
        };
        Ok(Some(Self { seconds, refresher }))
    }
}

impl fmt::Display for SessionExpires {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.seconds)?;
        match self.refresher {
            Some(Refresher::Uac) => f.write_str(";refresher=uac"),
            Some(Refresher::Uas) => f.write_str(";refresher=uas"),
            None => Ok(()),
        }
    }
}

/// The Min-SE of a message; the RFC's own minimum where there is none.
pub(super) fn min_se(headers: &Headers) -> u32 {
    let value = headers.single(&HeaderName::MIN_SE).ok().flatten().and_then(seconds);
    value.map_or(MIN, |(seconds, _)| seconds.clamp(MIN, MAX))
}

fn seconds(value: &str) -> Option<(u32, Params)> {
    let mut cursor = Cursor::new("seconds", value);
    cursor.skip_lws();
    let digits = cursor.take_while(|byte| byte.is_ascii_digit());
    let seconds = if digits.is_empty() { return None } else { digits.parse().unwrap_or(u32::MAX).min(MAX) };
    let params = Params::parse_header(&mut cursor).ok()?;
    cursor.skip_lws();
    cursor.at_end().then_some((seconds, params))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(value: &str) -> Result<Option<SessionExpires>, ()> {
        let mut headers = Headers::new();
        headers.push(HeaderName::SESSION_EXPIRES, value);
        SessionExpires::of(&headers)
    }

    #[test]
    fn seconds_and_refresher_are_read_and_written() {
        for (text, seconds, refresher, written) in [
            ("1800", 1800, None, "1800"),
            ("90;refresher=uas", 90, Some(Refresher::Uas), "90;refresher=uas"),
            (" 90 ; x=\"y\" ; Refresher = UAC ", 90, Some(Refresher::Uac), "90;refresher=uac"),
            ("99999999999999999999", MAX, None, "604800"),
        ] {
            let value = read(text).unwrap().unwrap();
            assert_eq!((value.seconds, value.refresher), (seconds, refresher), "{text}");
            assert_eq!(value.to_string(), written);
        }
    }

    #[test]
    fn what_is_no_number_of_seconds_is_refused() {
        for text in ["", "abc", "-1", "90 seconds", "90;;", "90;refresher=uac;refresher=uas"] {
            assert_eq!(read(text), Err(()), "{text}");
        }
    }
}
