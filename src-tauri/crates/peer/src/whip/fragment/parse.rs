use super::{
    Credentials, Fragment, FragmentError, LONGEST_CANDIDATE, LONGEST_LINE, MOST_CANDIDATES, MOST_SECTIONS,
    Section,
};
use crate::whip::MAX_BODY;

/// Half of the credentials may stand before the other half.
#[derive(Default)]
struct Halves {
    ufrag: Option<String>,
    password: Option<String>,
}

impl Halves {
    fn take(&mut self) -> Result<Option<Credentials>, FragmentError> {
        match (self.ufrag.take(), self.password.take()) {
            (None, None) => Ok(None),
            (Some(ufrag), Some(password)) => {
                Credentials::new(ufrag, password).map(Some).ok_or(FragmentError::HalfCredentials)
            }
            _ => Err(FragmentError::HalfCredentials),
        }
    }
}

impl Fragment {
    /// Reads a fragment, or the ICE of a whole session description: lines about anything else are passed over.
    ///
    /// # Errors
    /// [`FragmentError`].
    pub fn parse(text: &str) -> Result<Self, FragmentError> {
        if text.len() > MAX_BODY {
            return Err(FragmentError::TooLong);
        }
        let mut fragment = Self::default();
        let mut halves = Halves::default();
        let mut candidates = 0;
        for (line, text) in (1..).zip(text.lines()) {
            let text = text.trim_end_matches('\r');
            if text.is_empty() {
                continue;
            }
            let (kind, value) = split(text).ok_or(FragmentError::Line { line })?;
            match kind {
                'm' => {
                    fragment.close(&mut halves)?;
                    if fragment.sections.len() == MOST_SECTIONS {
                        return Err(FragmentError::Sections);
                    }
                    let media = value.split(' ').next().filter(|media| is_token(media));
                    let media = media.ok_or(FragmentError::Attribute { line, what: "m=" })?.to_owned();
                    fragment.sections.push(Section {
                        media,
                        mid: String::new(),
                        credentials: None,
                        candidates: Vec::new(),
                        end_of_candidates: false,
                    });
                }
                'a' => {
                    candidates += usize::from(value.starts_with("candidate:"));
                    if candidates > MOST_CANDIDATES {
                        return Err(FragmentError::Candidates);
                    }
                    fragment.attribute(line, value, &mut halves)?;
                }
                _ => {}
            }
        }
        fragment.close(&mut halves)?;
        if fragment.sections.iter().any(|section| section.mid.is_empty()) {
            return Err(FragmentError::Mid);
        }
        Ok(fragment)
    }

    /// The section that was being read, or the session's part, is done.
    fn close(&mut self, halves: &mut Halves) -> Result<(), FragmentError> {
        let credentials = halves.take()?;
        match self.sections.last_mut() {
            Some(section) => section.credentials = credentials,
            None => self.session = credentials,
        }
        Ok(())
    }

    fn attribute(&mut self, line: usize, text: &str, halves: &mut Halves) -> Result<(), FragmentError> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        let broken = |what| FragmentError::Attribute { line, what };
        match name {
            "ice-ufrag" => halves.ufrag = Some(value.trim().to_owned()),
            "ice-pwd" => halves.password = Some(value.trim().to_owned()),
            "ice-lite" => self.lite = true,
            "ice-options" if self.options.is_empty() => {
                self.options = words(value).ok_or_else(|| broken("a=ice-options"))?;
            }
            "group" if self.bundle.is_empty() => {
                if let Some(mids) = value.strip_prefix("BUNDLE ") {
                    self.bundle = words(mids).ok_or_else(|| broken("a=group"))?;
                }
            }
            "mid" => {
                let value = value.trim();
                let section = self.sections.last_mut().ok_or_else(|| broken("a=mid"))?;
                if !is_token(value) || !section.mid.is_empty() {
                    return Err(broken("a=mid"));
                }
                section.mid = value.to_owned();
            }
            "end-of-candidates" => match self.sections.last_mut() {
                Some(section) => section.end_of_candidates = true,
                None => self.end_of_candidates = true,
            },
            "candidate" => {
                let section = self.sections.last_mut().ok_or(FragmentError::Homeless { line })?;
                if !is_candidate(value) {
                    return Err(broken("a=candidate"));
                }
                section.candidates.push(text.trim_end().to_owned());
            }
            _ => {}
        }
        Ok(())
    }
}

/// `a=…` as `('a', "…")`.
pub(super) fn split(line: &str) -> Option<(char, &str)> {
    if line.len() > LONGEST_LINE {
        return None;
    }
    let (kind, value) = line.split_once('=')?;
    let mut kinds = kind.chars();
    match (kinds.next(), kinds.next()) {
        (Some(kind), None) if kind.is_ascii_alphabetic() && !value.contains('\0') => Some((kind, value)),
        _ => None,
    }
}

fn words(value: &str) -> Option<Vec<String>> {
    let words: Vec<_> = value.split_ascii_whitespace().map(String::from).collect();
    (words.len() <= MOST_SECTIONS && words.iter().all(|word| is_token(word))).then_some(words)
}

/// RFC 8866 section 9.
fn is_token(text: &str) -> bool {
    let fits = |byte: u8| matches!(byte, 0x21 | 0x23..=0x27 | 0x2a | 0x2b | 0x2d | 0x2e | 0x30..=0x39 | 0x41..=0x5a | 0x5e..=0x7e);
    !text.is_empty() && text.len() <= 64 && text.bytes().all(fits)
}

/// RFC 8839 section 5.1, as far as every candidate has it: foundation, component, transport, priority, address, port, type.
fn is_candidate(value: &str) -> bool {
    if value.len() > LONGEST_CANDIDATE || !value.bytes().all(|byte| matches!(byte, b' '..=b'~')) {
        return false;
    }
    let mut words = value.split_ascii_whitespace();
    let foundation = words.next().is_some_and(|word| word.len() <= 32);
    let component =
        words.next().and_then(|word| word.parse::<u16>().ok()).is_some_and(|it| (1..=256).contains(&it));
    let transport = words.next().is_some_and(is_token);
    let priority = words.next().is_some_and(|word| word.parse::<u32>().is_ok());
    let address = words.next().is_some_and(|word| word.len() <= 255);
    let port = words.next().is_some_and(|word| word.parse::<u16>().is_ok());
    let kind = words.next() == Some("typ") && words.next().is_some_and(is_token);
    foundation && component && transport && priority && address && port && kind
}
