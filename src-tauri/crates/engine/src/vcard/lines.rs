//! Physical lines to logical ones: RFC 6350 section 3.2, and the soft line breaks of quoted-printable (RFC 2045 section 6.7).

/// Bytes of a logical line that are read; the rest, mostly pictures, is passed over.
const LONGEST: usize = 20 * 1024;

#[derive(Debug)]
pub(super) struct Line {
    /// Of its beginning, from 1.
    pub(super) number: usize,
    pub(super) text: String,
}

/// Unfolds a text, line by line.
#[derive(Debug)]
pub(super) struct Lines<'a> {
    rest: &'a str,
    /// Physical lines taken so far.
    pub(super) taken: usize,
}

impl<'a> Lines<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { rest: text.strip_prefix('\u{feff}').unwrap_or(text), taken: 0 }
    }

    fn physical(&mut self) -> Option<&'a str> {
        if self.rest.is_empty() {
            return None;
        }
        self.taken += 1;
        let Some(end) = self.rest.find(['\r', '\n']) else { return Some(std::mem::take(&mut self.rest)) };
        let (line, rest) = self.rest.split_at(end);
        self.rest = rest.strip_prefix("\r\n").or_else(|| rest.get(1..)).unwrap_or_default();
        Some(line)
    }

    /// The rest of a folded line.
    fn continuation(&mut self) -> Option<&'a str> {
        if !self.rest.starts_with([' ', '\t']) {
            return None;
        }
        self.physical().and_then(|line| line.get(1..))
    }
}

impl Iterator for Lines<'_> {
    type Item = Line;

    fn next(&mut self) -> Option<Line> {
        let first = self.physical()?;
        let number = self.taken;
        let quoted = is_quoted_printable(first);
        let mut text = String::new();
        append(&mut text, first);
        loop {
            // White space after a soft line break is text.
            if quoted && text.ends_with('=') {
                let Some(more) = self.physical() else { break };
                text.pop();
                append(&mut text, more);
            } else if let Some(more) = self.continuation() {
                append(&mut text, more);
            } else {
                break;
            }
        }
        Some(Line { number, text })
    }
}

fn append(text: &mut String, more: &str) {
    let room = LONGEST.saturating_sub(text.len());
    text.push_str(more.get(..more.floor_char_boundary(room)).unwrap_or_default());
}

/// Looked at once a line: its parameters are told before its first break.
fn is_quoted_printable(first: &str) -> bool {
    let head = first.split(':').next().unwrap_or_default();
    head.len() < LONGEST && head.to_ascii_uppercase().contains("QUOTED-PRINTABLE")
}
