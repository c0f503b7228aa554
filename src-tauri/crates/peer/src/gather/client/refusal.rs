//! Errors of STUN and TURN servers, in words (RFC 8489 section 14.8, RFC 8656 section 19).

const LONGEST: usize = 100;

pub(super) fn words(code: u16, reason: &str) -> String {
    let known = match code {
        300 => "it sends us to another server, which is not followed",
        401 => "it does not accept the user name and password",
        403 => "it forbids what is asked",
        437 => "it has a relay for this address already, or has lost ours",
        438 => "it finds its own nonces stale again and again",
        440 => "it has no addresses of the kind that is asked for",
        441 => "its relay belongs to another user",
        442 => "it relays no UDP",
        486 => "the user has as many relays as he may have",
        508 => "it has no capacity left",
        _ => {
            let plain = |c: &char| !c.is_control();
            let reason: String = reason.chars().filter(plain).take(LONGEST).collect();
            return format!("it refuses with {code} {reason}").trim_end().to_owned();
        }
    };
    format!("{known} ({code})")
}
