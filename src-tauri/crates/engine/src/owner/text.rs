//! Words of strangers, made fit to be shown.

const LONGEST: usize = 256;

/// One line of at most 256 characters, without control characters and without those that change the direction of what
/// follows them.
pub(super) fn shown(text: &str) -> String {
    let mut clean = text.trim().chars().map(|c| if c.is_whitespace() { ' ' } else { c });
    let clean = clean.by_ref().filter(|c| !c.is_control() && !turns(*c));
    let mut shown: String = clean.take(LONGEST + 1).collect();
    if let Some((end, _)) = shown.char_indices().nth(LONGEST) {
        shown.truncate(end);
        shown.push('…');
    }
    shown
}

/// Unicode's bidirectional controls: with them a name can look like another.
fn turns(c: char) -> bool {
    matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

#[cfg(test)]
mod tests {
    use super::shown;

    #[test]
    fn what_a_stranger_wrote_is_one_line_without_tricks() {
        assert_eq!(shown("  Zoë <script>\r\n\tx\u{7}\u{202e}gpj.exe "), "Zoë <script>   xgpj.exe");
    }

    #[test]
    fn what_a_stranger_wrote_ends_somewhere() {
        assert_eq!(shown(&"ä".repeat(256)), "ä".repeat(256));
        assert_eq!(shown(&"ä".repeat(60_000)), format!("{}…", "ä".repeat(256)));
    }
}
