//! Header fields that somebody else writes into our requests: what they may say.

use thiserror::Error;

use crate::message::HeaderName;

/// Longest value of a field that a caller adds, in bytes.
pub const MAX_CUSTOM_VALUE: usize = 4096;
/// Most fields that a caller adds to one request.
pub const MAX_CUSTOM_HEADERS: usize = 32;

/// Fields that the user agent writes itself wherever they belong.
const OWN: [HeaderName; 21] = [
    HeaderName::VIA,
    HeaderName::FROM,
    HeaderName::TO,
    HeaderName::CALL_ID,
    HeaderName::CSEQ,
    HeaderName::CONTACT,
    HeaderName::ROUTE,
    HeaderName::RECORD_ROUTE,
    HeaderName::CONTENT_LENGTH,
    HeaderName::CONTENT_TYPE,
    HeaderName::AUTHORIZATION,
    HeaderName::PROXY_AUTHORIZATION,
    HeaderName::REQUIRE,
    HeaderName::PROXY_REQUIRE,
    HeaderName::SUPPORTED,
    HeaderName::ALLOW,
    HeaderName::USER_AGENT,
    HeaderName::EXPIRES,
    HeaderName::CONTENT_ENCODING,
    HeaderName::EVENT,
    HeaderName::SIP_IF_MATCH,
];

/// Fields that change what a request means: the user agent writes them where a feature of it wants them.
const PROTOCOL: [HeaderName; 24] = [
    HeaderName::MAX_FORWARDS,
    HeaderName::MIN_EXPIRES,
    HeaderName::MIN_SE,
    HeaderName::SESSION_EXPIRES,
    HeaderName::RACK,
    HeaderName::RSEQ,
    HeaderName::REPLACES,
    HeaderName::JOIN,
    HeaderName::REFER_TO,
    HeaderName::REFER_SUB,
    HeaderName::REFERRED_BY,
    HeaderName::SUBSCRIPTION_STATE,
    HeaderName::SIP_ETAG,
    HeaderName::ALLOW_EVENTS,
    HeaderName::PATH,
    HeaderName::SERVICE_ROUTE,
    HeaderName::SERVER,
    HeaderName::UNSUPPORTED,
    HeaderName::WWW_AUTHENTICATE,
    HeaderName::PROXY_AUTHENTICATE,
    HeaderName::AUTHENTICATION_INFO,
    HeaderName::CONTENT_DISPOSITION,
    HeaderName::MIME_VERSION,
    HeaderName::INFO_PACKAGE,
];

/// Whether the user agent writes this field itself, so that a user's own value for it is refused.
pub fn is_reserved(name: &HeaderName) -> bool {
    is_own(name) || PROTOCOL.contains(name)
}

/// What the owner of a user agent may not set either.
pub(crate) fn is_own(name: &HeaderName) -> bool {
    OWN.contains(name)
}

/// Why a field cannot be added to a request.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CustomHeaderError {
    #[error("{name:?} is no header name: letters, digits and -.!%*_+`'~ only")]
    Name { name: String },
    #[error("{name} is written by the phone itself")]
    Reserved { name: HeaderName },
    #[error("{name}: a control character or line end in the value")]
    Control { name: HeaderName },
    #[error("{name}: the value is longer than {MAX_CUSTOM_VALUE} bytes")]
    TooLong { name: HeaderName },
}

/// Checks a field that a user wants in a request: a token that is not reserved, and a value of one line.
pub fn custom(name: &str, value: &str) -> Result<(HeaderName, String), CustomHeaderError> {
    let Some(parsed) = HeaderName::parse(name).filter(|_| name.len() <= 128) else {
        return Err(CustomHeaderError::Name { name: name.chars().take(64).collect() });
    };
    if is_reserved(&parsed) {
        return Err(CustomHeaderError::Reserved { name: parsed });
    }
    if value.chars().any(|character| character.is_control() && character != '\t') {
        return Err(CustomHeaderError::Control { name: parsed });
    }
    if value.len() > MAX_CUSTOM_VALUE {
        return Err(CustomHeaderError::TooLong { name: parsed });
    }
    Ok((parsed, value.trim().to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_user_agent_writes_is_reserved_in_every_spelling() {
        for name in [
            "Via",
            "v",
            "vIA",
            "m",
            "Contact",
            "CSeq",
            "Record-Route",
            "l",
            "Replaces",
            "Event",
            "o",
            "Session-Expires",
            "x",
        ] {
            assert!(is_reserved(&HeaderName::from(name)), "{name}");
            assert!(matches!(custom(name, "1"), Err(CustomHeaderError::Reserved { .. })), "{name}");
        }
        for name in
            ["X-Foo", "Subject", "Priority", "Alert-Info", "Call-Info", "Diversion", "P-Asserted-Identity"]
        {
            assert!(custom(name, "1").is_ok(), "{name}");
        }
    }

    #[test]
    fn no_line_can_be_added_by_name_or_value() {
        for (name, value) in [
            ("X-A\r\nVia", "1"),
            ("X-A:", "1"),
            ("X A", "1"),
            ("", "1"),
            ("X-Ü", "1"),
            ("X-A", "1\r\nVia: SIP/2.0/UDP evil"),
            ("X-A", "1\nB: 2"),
            ("X-A", "1\r2"),
            ("X-A", "nul\0"),
            ("X-A", "next\u{85}line"),
        ] {
            assert!(custom(name, value).is_err(), "{name:?} {value:?}");
        }
        assert!(custom("X-A", &"a".repeat(MAX_CUSTOM_VALUE + 1)).is_err());
        assert_eq!(custom("X-A", " b\tc "), Ok((HeaderName::from("X-A"), "b\tc".to_owned())));
    }
}
