//! A SIP message (RFC 3261) stays one: headers and lines of SDP keep their names, Content-Length says what is left.

use super::{REDACTED, is_secret_name, text};

/// Of credentials and challenges (RFC 3261 22, RFC 7616): what helps to guess the password, or to come in without.
const KEPT_OF_DIGEST: [&str; 6] = ["username", "realm", "uri", "algorithm", "qop", "stale"];
/// Bodies that are kept, line by line.
const KEPT_BODIES: [&str; 4] =
    ["application/sdp", "message/sipfrag", "application/simple-message-summary", "application/sdp-fragment"];

/// What may be shown of a message.
pub(crate) fn sip_message(bytes: &[u8]) -> String {
    let whole = String::from_utf8_lossy(bytes);
    let (head, body) = split(&whole);
    let kind = header(head, "content-type", "c").unwrap_or_default().to_ascii_lowercase();
    let body = clean_body(body, &kind);
    let mut clean = String::with_capacity(whole.len());
    let mut has_length = false;
    // Continuation lines of a header that lost its value.
    let mut skips = false;
    for (number, line) in head.lines().enumerate() {
        if number == 0 {
            clean.push_str(&text(line, &[]));
            clean.push_str("\r\n");
            continue;
        }
        if line.starts_with([' ', '\t']) {
            if !skips {
                clean.push_str(&text(line, &[]));
                clean.push_str("\r\n");
            }
            continue;
        }
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        let low = name.trim().to_ascii_lowercase();
        skips = false;
        let value = match low.as_str() {
            "authorization"
            | "proxy-authorization"
            | "www-authenticate"
            | "proxy-authenticate"
            | "authentication-info" => {
                skips = true;
                credentials(&unfolded(head, number))
            }
            "content-length" | "l" => {
                has_length = true;
                body.len().to_string()
            }
            "identity" => {
                skips = true;
                REDACTED.into()
            }
            _ if is_secret_name(&low) || (low.starts_with("x-") && low.contains("auth")) => {
                skips = true;
                REDACTED.into()
            }
            _ => text(value.trim(), &[]),
        };
        clean.push_str(&format!("{name}: {value}\r\n"));
    }
    if !has_length && !body.is_empty() {
        clean.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    clean.push_str("\r\n");
    clean.push_str(&body);
    clean
}

/// The head without the empty line, and the body.
fn split(whole: &str) -> (&str, &str) {
    ["\r\n\r\n", "\n\n"]
        .into_iter()
        .filter_map(|end| whole.find(end).map(|at| (at, end.len())))
        .min()
        .map_or((whole, ""), |(at, length)| (&whole[..at], &whole[at + length..]))
}

/// The value of the first header of one of these names, which are in small letters.
pub(crate) fn header<'a>(message: &'a str, name: &str, compact: &str) -> Option<&'a str> {
    let (head, _) = split(message);
    head.lines().skip(1).filter_map(|line| line.split_once(':')).find_map(|(found, value)| {
        let found = found.trim();
        let is_it =
            found.eq_ignore_ascii_case(name) || (!compact.is_empty() && found.eq_ignore_ascii_case(compact));
        is_it.then(|| value.trim())
    })
}

/// The value of the header in this line, with its continuation lines.
fn unfolded(head: &str, number: usize) -> String {
    let mut lines = head.lines().skip(number);
    let first = lines.next().and_then(|line| line.split_once(':')).map_or("", |(_, value)| value);
    let rest = lines.take_while(|line| line.starts_with([' ', '\t']));
    std::iter::once(first).chain(rest).map(str::trim).collect::<Vec<_>>().join(" ")
}

/// `Digest username="ann", realm="pbx", response="…"`: the scheme, and the parameters that may be read.
fn credentials(value: &str) -> String {
    let (scheme, parameters) = value.trim().split_once(char::is_whitespace).unwrap_or((value.trim(), ""));
    if !scheme.eq_ignore_ascii_case("digest") {
        // `Bearer TOKEN`, and Authentication-Info, which has no scheme.
        let scheme = if scheme.chars().all(|c| c.is_ascii_alphabetic()) { scheme } else { "" };
        return format!("{scheme} {REDACTED}").trim().to_owned();
    }
    let mut kept = Vec::new();
    for parameter in outside_quotes(parameters) {
        let Some((name, value)) = parameter.split_once('=') else { continue };
        let (name, value) = (name.trim(), value.trim());
        if KEPT_OF_DIGEST.iter().any(|known| name.eq_ignore_ascii_case(known)) {
            kept.push(format!("{name}={}", text(value, &[])));
        } else if name.chars().all(|c| c.is_ascii_alphanumeric() || c == '-') {
            kept.push(format!("{name}=\"{REDACTED}\""));
        }
    }
    format!("{scheme} {}", kept.join(", "))
}

/// Parts between commas that are not in a quoted string.
fn outside_quotes(text: &str) -> Vec<&str> {
    let (mut parts, mut start, mut quoted, mut escaped) = (Vec::new(), 0, false, false);
    for (at, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            ',' if !quoted => {
                parts.push(&text[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&text[start..]);
    parts
}

fn clean_body(body: &str, kind: &str) -> String {
    if body.is_empty() {
        return String::new();
    }
    let kind = kind.split(';').next().unwrap_or_default().trim();
    if !KEPT_BODIES.contains(&kind) {
        return format!("({} bytes, {REDACTED})", body.len());
    }
    let mut clean = String::with_capacity(body.len());
    for line in body.lines() {
        let low = line.to_ascii_lowercase();
        if low.starts_with("k=") || low.starts_with("a=key-mgmt") {
            clean.push_str(&line[..2.min(line.len())]);
            clean.push_str(REDACTED);
        } else {
            clean.push_str(&text(line, &[]));
        }
        clean.push_str("\r\n");
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::sip_message;

    fn message(headers: &str, body: &str) -> String {
        let text = format!(
            "INVITE sip:bob:hunter22@pbx.example SIP/2.0\r\n{headers}Content-Length: 999\r\n\r\n{body}"
        );
        sip_message(text.as_bytes())
    }

    #[test]
    fn credentials_lose_what_a_guesser_needs() {
        let folded = "Authorization: Digest username=\"ann\",\r\n realm=\"a, b\", nonce=\"hunter22\",response=\"hunter22\"\r\n";
        let clean = message(folded, "");
        assert!(
            clean.contains("Authorization: Digest username=\"ann\", realm=\"a, b\", nonce=\"redacted\""),
            "{clean}"
        );
        assert!(clean.starts_with("INVITE sip:bob:redacted@pbx.example SIP/2.0\r\n"), "{clean}");
        for header in [
            "Authorization: Bearer hunter22",
            "X-Auth: hunter22",
            "x-api-token: hunter22",
            "Cookie: a=hunter22",
            "Proxy-Authorization: hunter22=x",
        ] {
            let clean = message(&format!("{header}\r\n"), "");
            assert!(!clean.contains("hunter22"), "{clean}");
        }
    }

    #[test]
    fn keys_of_descriptions_and_words_of_people_are_gone_and_the_length_is_right() {
        let sdp = "v=0\r\nk=clear:hunter22\r\na=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:hunter22\r\na=ice-pwd:hunter22\r\na=rtpmap:0 PCMU/8000\r\n";
        let clean = message("Content-Type: application/sdp\r\n", sdp);
        assert!(!clean.contains("hunter22") && clean.contains("a=rtpmap:0 PCMU/8000\r\n"), "{clean}");
        for kind in ["text/plain", "application/dtmf-relay", "multipart/mixed;boundary=x", ""] {
            let clean = message(&format!("c: {kind}\r\n"), "hunter22");
            let (_, body) = clean.split_once("\r\n\r\n").unwrap();
            assert!(!clean.contains("hunter22"), "{clean}");
            assert!(clean.contains(&format!("Content-Length: {}\r\n", body.len())), "{clean}");
        }
    }

    #[test]
    fn whatever_comes_there_is_an_answer() {
        for bytes in [
            &b""[..],
            b"\r\n\r\n",
            b"\xff\xfe\0",
            b"A\n\nB",
            b"x\r\n :",
            b"x\r\nAuthorization",
            b"x\r\nk:\r\n\r\nk=",
        ] {
            let _ = sip_message(bytes);
        }
    }
}
