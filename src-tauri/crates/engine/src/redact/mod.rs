//! Takes out of text what nobody else may read, before it is kept: credentials, keys, tokens, what people write to each other. What is
//! left tells as much as it can. All of it is total: whatever the bytes, there is an answer.

mod json;
mod sip;

pub(crate) use json::json;
pub(crate) use sip::{header, sip_message};

use regex::Regex;
use std::sync::LazyLock;

/// Stands where something was.
pub(crate) const REDACTED: &str = "redacted";
/// Shorter ones would take half of every text with them.
const SHORTEST_SECRET: usize = 4;

/// What looks like a secret in any text, and what is left of it.
const PATTERNS: [(&str, &str); 6] = [
    (r#"(?i)\b(sips?:[^\s:@<>"]*):[^\s@<>"]*@"#, "${1}:redacted@"),
    (r#"(?i)\b((?:https?|wss?|rtsps?|rtmps?)://[^\s/:@"]*):[^\s@/"]*@"#, "${1}:redacted@"),
    (r#"(?i)\b(https?://[^\s#"<>]+)#[^\s"<>]+"#, "${1}#redacted"),
    (
        r#"(?i)([a-z_-]*(?:token|password|passwd|secret|api_?key|ice-pwd|credential)["']?\s*[=:]\s*["']?)(?:(?:bearer|basic|digest|wcs)\s+)?[^\s"'&,;}<>]+"#,
        "${1}redacted",
    ),
    (r"(?i)\b(bearer|basic|wcs)\s+[a-z0-9+/=._~-]{6,}", "${1} redacted"),
    (r"(?i)\binline:[a-z0-9+/=]+", "inline:redacted"),
];

static RULES: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    let rule = |(pattern, left): (&str, &'static str)| Regex::new(pattern).ok().map(|rule| (rule, left));
    PATTERNS.into_iter().filter_map(rule).collect()
});

/// Free text: a line of a log, a reason, what a user wrote.
pub(crate) fn text(line: &str, secrets: &[String]) -> String {
    let mut clean = line.to_owned();
    for secret in secrets.iter().filter(|secret| secret.len() >= SHORTEST_SECRET) {
        if clean.contains(secret.as_str()) {
            clean = clean.replace(secret.as_str(), REDACTED);
        }
    }
    // Nothing that is meant is written without one of these.
    if !clean.contains([':', '=', ' ']) {
        return clean;
    }
    for (rule, left) in RULES.iter() {
        if rule.is_match(&clean) {
            clean = rule.replace_all(&clean, *left).into_owned();
        }
    }
    clean
}

/// Whether a field or header of this name has something that nobody else may read.
fn is_secret_name(name: &str) -> bool {
    const PARTS: [&str; 8] =
        ["password", "passwd", "secret", "token", "cookie", "credential", "apikey", "api-key"];
    let name = name.to_ascii_lowercase().replace('_', "-");
    let kept = name.ends_with("kept") || name.ends_with("needed");
    !kept && (PARTS.iter().any(|part| name.contains(part)) || name.contains("auth-"))
}

#[cfg(test)]
mod tests {
    use super::{PATTERNS, RULES, text};

    #[test]
    fn every_rule_can_be_read() {
        assert_eq!(RULES.len(), PATTERNS.len());
    }

    #[test]
    fn what_is_secret_in_free_text_is_gone_and_the_rest_stays() {
        for (line, clean) in [
            ("REGISTER sip:ann:hunter22@pbx.example", "REGISTER sip:ann:redacted@pbx.example"),
            ("GET https://ann:hunter22@pbx.example/x", "GET https://ann:redacted@pbx.example/x"),
            ("open https://meet.example/r#k3yk3y now", "open https://meet.example/r#redacted now"),
            ("url?token=hunter22&name=ann", "url?token=redacted&name=ann"),
            (r#"{"authToken":"hunter22","name":"ann"}"#, r#"{"authToken":"redacted","name":"ann"}"#),
            ("password: hunter22, user: ann", "password: redacted, user: ann"),
            ("Authorization: Bearer hunter22", "Authorization: Bearer redacted"),
            (
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:aHVudGVyMjI=",
                "a=crypto:1 AES_CM_128_HMAC_SHA1_80 inline:redacted",
            ),
            ("a=ice-pwd:hunter22hunter22", "a=ice-pwd:redacted"),
            ("sip:ann@pbx.example:5060;transport=tcp", "sip:ann@pbx.example:5060;transport=tcp"),
        ] {
            assert_eq!(text(line, &[]), clean);
        }
    }

    #[test]
    fn known_secrets_are_found_wherever_they_stand() {
        let secrets = ["correct horse".to_owned(), "abc".to_owned()];
        assert_eq!(text("he said correct horse, abc", &secrets), "he said redacted, abc");
    }
}
