use std::borrow::Cow;
use std::fmt;
use std::hash::{Hash, Hasher};

use super::lex;

/// The name of a header field. Compact forms are understood, comparison ignores case, and a known name is written in
/// its long form with the spelling of its RFC.
#[derive(Clone)]
pub struct HeaderName(Cow<'static, str>);

macro_rules! names {
    ($($constant:ident = $name:literal $(, $compact:literal)?;)*) => {
        impl HeaderName {
            $(pub const $constant: HeaderName = HeaderName(Cow::Borrowed($name));)*
        }
        /// Long names, and compact ones beside theirs ("" where there is none).
        const KNOWN: &[(&str, &str)] = &[$(($name, concat!("", $($compact)?)),)*];
    };
}

names! {
    ACCEPT = "Accept";
    ACCEPT_CONTACT = "Accept-Contact", "a";
    ACCEPT_ENCODING = "Accept-Encoding";
    ACCEPT_LANGUAGE = "Accept-Language";
    ALERT_INFO = "Alert-Info";
    ALLOW = "Allow";
    ALLOW_EVENTS = "Allow-Events", "u";
    ANSWER_MODE = "Answer-Mode";
    AUTHENTICATION_INFO = "Authentication-Info";
    AUTHORIZATION = "Authorization";
    CALL_ID = "Call-ID", "i";
    CALL_INFO = "Call-Info";
    CONTACT = "Contact", "m";
    CONTENT_DISPOSITION = "Content-Disposition";
    CONTENT_ENCODING = "Content-Encoding", "e";
    CONTENT_LANGUAGE = "Content-Language";
    CONTENT_LENGTH = "Content-Length", "l";
    CONTENT_TYPE = "Content-Type", "c";
    CSEQ = "CSeq";
    DATE = "Date";
    DIVERSION = "Diversion";
    ERROR_INFO = "Error-Info";
    EVENT = "Event", "o";
    EXPIRES = "Expires";
    FLOW_TIMER = "Flow-Timer";
    FROM = "From", "f";
    HISTORY_INFO = "History-Info";
    IDENTITY = "Identity", "y";
    IN_REPLY_TO = "In-Reply-To";
    INFO_PACKAGE = "Info-Package";
    JOIN = "Join";
    MAX_FORWARDS = "Max-Forwards";
    MIME_VERSION = "MIME-Version";
    MIN_EXPIRES = "Min-Expires";
    MIN_SE = "Min-SE";
    ORGANIZATION = "Organization";
    P_ASSERTED_IDENTITY = "P-Asserted-Identity";
    P_PREFERRED_IDENTITY = "P-Preferred-Identity";
    PATH = "Path";
    PRIORITY = "Priority";
    PRIV_ANSWER_MODE = "Priv-Answer-Mode";
    PRIVACY = "Privacy";
    PROXY_AUTHENTICATE = "Proxy-Authenticate";
    PROXY_AUTHENTICATION_INFO = "Proxy-Authentication-Info";
    PROXY_AUTHORIZATION = "Proxy-Authorization";
    PROXY_REQUIRE = "Proxy-Require";
    RACK = "RAck";
    REASON = "Reason";
    RECORD_ROUTE = "Record-Route";
    RECV_INFO = "Recv-Info";
    REFER_SUB = "Refer-Sub";
    REFER_TO = "Refer-To", "r";
    REFERRED_BY = "Referred-By", "b";
    REJECT_CONTACT = "Reject-Contact", "j";
    REMOTE_PARTY_ID = "Remote-Party-ID";
    REPLACES = "Replaces";
    REPLY_TO = "Reply-To";
    REQUEST_DISPOSITION = "Request-Disposition", "d";
    REQUIRE = "Require";
    RETRY_AFTER = "Retry-After";
    ROUTE = "Route";
    RSEQ = "RSeq";
    SERVER = "Server";
    SERVICE_ROUTE = "Service-Route";
    SESSION_EXPIRES = "Session-Expires", "x";
    SIP_ETAG = "SIP-ETag";
    SIP_IF_MATCH = "SIP-If-Match";
    SUBJECT = "Subject", "s";
    SUBSCRIPTION_STATE = "Subscription-State";
    SUPPORTED = "Supported", "k";
    TIMESTAMP = "Timestamp";
    TO = "To", "t";
    UNSUPPORTED = "Unsupported";
    USER_AGENT = "User-Agent";
    VIA = "Via", "v";
    WARNING = "Warning";
    WWW_AUTHENTICATE = "WWW-Authenticate";
}

impl HeaderName {
    /// Reads a name in its long or compact form; `None` if `text` is not a token.
    pub fn parse(text: &str) -> Option<HeaderName> {
        let known = KNOWN.iter().find(|(long, compact)| {
            long.eq_ignore_ascii_case(text) || (!compact.is_empty() && compact.eq_ignore_ascii_case(text))
        });
        match known {
            Some((long, _)) => Some(HeaderName(Cow::Borrowed(long))),
            None => lex::is_token(text).then(|| HeaderName(Cow::Owned(text.to_owned()))),
        }
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for HeaderName {
    /// Like [`HeaderName::parse`], with `-` in place of each character that a token cannot hold, so that no text
    /// can smuggle a colon or a line end into a message.
    fn from(text: &str) -> Self {
        let clean = |c: char| if c.is_ascii() && lex::is_token_char(c as u8) { c } else { '-' };
        HeaderName::parse(text).unwrap_or_else(|| {
            let name: String = text.chars().map(clean).collect();
            HeaderName(Cow::Owned(if name.is_empty() { "-".to_owned() } else { name }))
        })
    }
}

impl From<&HeaderName> for HeaderName {
    fn from(name: &HeaderName) -> Self {
        name.clone()
    }
}

impl PartialEq for HeaderName {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for HeaderName {}

impl Hash for HeaderName {
    fn hash<H: Hasher>(&self, state: &mut H) {
        for byte in self.0.bytes() {
            state.write_u8(byte.to_ascii_lowercase());
        }
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Debug for HeaderName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
