//! A message as others may read it.

use super::{HeaderName, Headers, Message, Request, Response};

/// Bytes.
const LONGEST: usize = 16 * 1024;
const CREDENTIALS: [HeaderName; 6] = [
    HeaderName::AUTHORIZATION,
    HeaderName::PROXY_AUTHORIZATION,
    HeaderName::WWW_AUTHENTICATE,
    HeaderName::PROXY_AUTHENTICATE,
    HeaderName::AUTHENTICATION_INFO,
    HeaderName::PROXY_AUTHENTICATION_INFO,
];

impl Message {
    /// Its first line and headers without credentials: neither those of challenges nor passwords in URIs. Bodies have the keys of
    /// media, so there is none. What is longer than 16 KiB ends with the last header that has room.
    pub fn told(&self) -> String {
        match self {
            Self::Request(request) => request.told(),
            Self::Response(response) => response.told(),
        }
    }
}

impl Request {
    /// As [`Message::told`].
    pub fn told(&self) -> String {
        told(&format!("{} {} SIP/2.0", self.method, without_passwords(&self.uri.to_string())), &self.headers)
    }
}

impl Response {
    /// As [`Message::told`].
    pub fn told(&self) -> String {
        let reason = self.reason.replace(['\r', '\n'], " ");
        told(&format!("SIP/2.0 {} {reason}", self.status), &self.headers)
    }
}

fn told(first: &str, headers: &Headers) -> String {
    let mut told = format!("{first}\r\n");
    for (name, value) in headers.iter().filter(|(name, _)| !CREDENTIALS.contains(name)) {
        let line = format!("{name}: {}\r\n", without_passwords(value));
        if told.len() + line.len() > LONGEST {
            break;
        }
        told.push_str(&line);
    }
    told
}

/// A password follows the user of a URI behind a colon (RFC 3261 section 19.1.1).
fn without_passwords(value: &str) -> String {
    let mut kept = String::with_capacity(value.len());
    let mut rest = value;
    while let Some((before, after)) = rest.split_once('@') {
        let lower = before.to_ascii_lowercase();
        let user =
            ["sip:", "sips:"].into_iter().filter_map(|scheme| Some(lower.rfind(scheme)? + scheme.len()));
        let password = user.max().and_then(|user| Some(user + before.get(user..)?.find(':')?));
        kept.push_str(password.and_then(|password| before.get(..password)).unwrap_or(before));
        kept.push('@');
        rest = after;
    }
    kept.push_str(rest);
    kept
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, Message};

    #[test]
    fn what_is_told_of_a_message_has_no_credentials_and_no_body() {
        let text = "BYE sip:bob:pw1@192.0.2.1 SIP/2.0\r\n\
            Via: SIP/2.0/UDP 192.0.2.2;branch=z9hG4bKa\r\n\
            From: \"sip:x@y\" <SIP:alice:pw2@example.com>;tag=1\r\n\
            To: <sips:bob@example.com>;tag=2\r\n\
            Call-ID: 1:2@example.com\r\n\
            CSeq: 2 BYE\r\n\
            Authorization: Digest username=\"alice\", response=\"pw3\"\r\n\
            Proxy-Authorization: Digest response=\"pw4\"\r\n\
            Contact: <sip:a:pw5@[2001:db8::1]:5060>, <sip:b:pw6@h>\r\n\
            Reason: SIP;cause=200;text=\"a: b@c\"\r\n\
            Content-Length: 4\r\n\r\npw7.";
        let told = Message::parse(text.as_bytes()).unwrap().told();
        assert!(!told.contains("pw") && !told.contains("Digest"), "{told}");
        for kept in [
            "BYE sip:bob@192.0.2.1 SIP/2.0\r\n",
            "\"sip:x@y\" <SIP:alice@example.com>;tag=1\r\n",
            "Call-ID: 1:2@example.com\r\n",
            "<sip:a@[2001:db8::1]:5060>, <sip:b@h>\r\n",
            "text=\"a: b@c\"\r\n",
        ] {
            assert!(told.contains(kept), "{kept}: {told}");
        }
    }

    #[test]
    fn what_is_told_of_a_long_message_ends_with_a_whole_header() {
        let long = format!("X-Long: {}\r\n", "é".repeat(2_000)).repeat(10);
        let text = format!(
            "SIP/2.0 486 Busy Here\r\nVia: SIP/2.0/UDP h;branch=z9hG4bKa\r\nFrom: <sip:a@b>;tag=1\r\nTo: <sip:b@b>;tag=2\r\n\
             Call-ID: a\r\nCSeq: 1 INVITE\r\n{long}Content-Length: 0\r\n\r\n"
        );
        let told = Message::parse(text.as_bytes()).unwrap().told();
        assert!(told.len() <= LONGEST && told.len() > LONGEST / 2 && told.ends_with("é\r\n"));
    }
}
