//! What a server says, made fit to be shown.

use super::Response;
use http::header;

/// Characters of a server's own words that are shown.
const SHOWN: usize = 240;

/// One line without control characters or those that turn or hide text; cut where it is long.
pub(super) fn shown(text: &str) -> String {
    let mut line = String::new();
    let mut count = 0;
    let mut gap = false;
    for character in text.chars() {
        if character.is_whitespace() || character.is_control() {
            gap = count > 0;
            continue;
        }
        if is_invisible(character) {
            continue;
        }
        if count >= SHOWN {
            line.push('…');
            break;
        }
        if std::mem::take(&mut gap) {
            line.push(' ');
            count += 1;
        }
        line.push(character);
        count += 1;
    }
    line
}

/// Zero-width characters and those that change the direction of what follows.
fn is_invisible(character: char) -> bool {
    matches!(character, '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// What the body of a refusal says; empty where it is none for people (pages, SDP, binary).
pub(super) fn of_body(response: &Response) -> String {
    let kind = response.media_type();
    let Ok(body) = std::str::from_utf8(&response.body) else { return String::new() };
    match kind.as_str() {
        "text/plain" => shown(body),
        "" if !body.trim_start().starts_with(['<', '{', '[']) && !body.contains('\0') => shown(body),
        "" | "application/json" | "text/json" => of_json(body),
        json if json.ends_with("+json") => of_json(body),
        _ => String::new(),
    }
}

/// RFC 9457, and the keys that servers use of their own.
fn of_json(body: &str) -> String {
    let Ok(value) = serde_json::from_str::<serde_json::Value>(body) else { return String::new() };
    if let Some(text) = value.as_str() {
        return shown(text);
    }
    let found = ["detail", "title", "message", "error", "reason", "description"].iter().find_map(|key| {
        let value = value.get(key)?;
        value.as_str().or_else(|| value.get("message")?.as_str()).filter(|text| !text.trim().is_empty())
    });
    found.map(shown).unwrap_or_default()
}

impl Response {
    /// Without parameters, in lower case; empty where there is none.
    pub fn media_type(&self) -> String {
        let value =
            self.headers.get(header::CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        value.split(';').next().unwrap_or_default().trim().to_ascii_lowercase()
    }

    pub(super) fn text(&self, name: header::HeaderName) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::{of_body, shown};
    use crate::whip::Response;
    use http::{HeaderMap, StatusCode, header};

    fn response(kind: &'static str, body: impl Into<Vec<u8>>) -> Response {
        let mut headers = HeaderMap::new();
        if !kind.is_empty() {
            headers.insert(header::CONTENT_TYPE, kind.parse().unwrap());
        }
        Response { status: StatusCode::BAD_REQUEST, headers, body: body.into() }
    }

    #[test]
    fn a_line_has_no_breaks_controls_or_turned_text_and_is_cut() {
        assert_eq!(shown("  a\r\n\tb\u{1b}[31m \u{202e}c\u{200b}  "), "a b [31m c");
        let long = shown(&"ü".repeat(1000));
        assert_eq!(long.chars().count(), 241);
        assert!(long.ends_with('…'));
    }

    #[test]
    fn the_words_of_a_body_are_found_and_pages_are_not_shown() {
        assert_eq!(of_body(&response("text/plain; charset=utf-8", "no room\n")), "no room");
        assert_eq!(of_body(&response("", "no room")), "no room");
        assert_eq!(
            of_body(&response("application/json", r#"{"status":"error","error":"path busy"}"#)),
            "path busy"
        );
        assert_eq!(of_body(&response("application/problem+json", r#"{"title":"T","detail":"D"}"#)), "D");
        assert_eq!(of_body(&response("application/json", r#"{"error":{"message":"M"}}"#)), "M");
        assert_eq!(of_body(&response("application/json", "[".repeat(60_000))), "");
        for (kind, body) in [
            ("text/html", &b"<h1>404</h1>"[..]),
            ("", b"<!doctype html>"),
            ("text/plain", b"\xff\xfe"),
            ("application/octet-stream", b"abc"),
            ("application/sdp", b"v=0"),
        ] {
            assert_eq!(of_body(&response(kind, body)), "", "{kind}");
        }
    }
}
