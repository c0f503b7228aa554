//! Telephone numbers as people and web pages write them: RFC 3966, and the pauses that came before it.

use std::time::Duration;

use super::error::SyntaxError;
use super::lex;

/// Longest text that is read as a number, in bytes.
const MAX_LENGTH: usize = 256;
/// What a comma or `p` waits.
const PAUSE: Duration = Duration::from_secs(2);

/// A number to dial, and what to dial once it is answered.
///
/// Read from a `tel:` URI or from plain text: visual separators (`-.()/` and spaces) go, `;ext=` and `;phone-context=` (RFC 3966),
/// `;postd=` (RFC 2806), and a tail that begins with a pause (`,` or `p`) or a wait (`w`) are told apart. Other parameters, `isub`
/// among them, are passed over.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tel {
    /// Digits, `*`, `#` and `A` to `F`, with `+` in front of a global number.
    pub number: String,
    pub ext: Option<String>,
    /// Where a local number is valid: a domain or the front of a global number.
    pub context: Option<String>,
    /// `0-9*#A-D`, `,` for a pause, `w` for a wait; empty where nothing is to be dialled.
    pub post_dial: String,
}

/// A step of what follows the number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PostDial {
    Digits(String),
    Pause(Duration),
    /// until the user says go on
    Wait,
}

impl Tel {
    /// Reads a number with or without `tel:` before it, with or without percent escapes. An error names what is wrong.
    pub fn parse(text: &str) -> Result<Tel, SyntaxError> {
        let error = |reason, offset| SyntaxError { field: "telephone number", reason, offset };
        if text.len() > MAX_LENGTH {
            return Err(error("longer than any number is", MAX_LENGTH));
        }
        let text = text.trim_matches([' ', '\t']);
        let scheme = text.get(..4).is_some_and(|scheme| scheme.eq_ignore_ascii_case("tel:"));
        let text = if scheme { lex::unescape(text.get(4..).unwrap_or("")) } else { text.to_owned() };
        let (main, params) =
            text.split_once(';').map_or((text.as_str(), ""), |(main, params)| (main, params));
        let split = main.find(|c: char| ",pPwW".contains(c)).unwrap_or(main.len());
        let (number, tail) = main.split_at(split);
        let mut tel = Tel {
            number: read_number(number, scheme).map_err(|(reason, at)| error(reason, at))?,
            ..Tel::default()
        };
        tel.post_dial =
            read_post_dial(tail).map_err(|at| error("a character that cannot be dialled", split + at))?;
        for param in params.split(';') {
            tel.read_param(param).map_err(|reason| error(reason, main.len() + 1))?;
        }
        Ok(tel)
    }

    fn read_param(&mut self, param: &str) -> Result<(), &'static str> {
        let (name, value) = param.split_once('=').unwrap_or((param, ""));
        match name.trim().to_ascii_lowercase().as_str() {
            "ext" => {
                // what follows a pause belongs to the tail
                let split = value.find(|c: char| ",pPwW".contains(c)).unwrap_or(value.len());
                let (ext, tail) = value.split_at(split);
                let ext = read_number(ext, false).map_err(|_| "ext is no number")?;
                self.post_dial.push_str(&read_post_dial(tail).map_err(|_| "ext is no number")?);
                self.ext = Some(ext.trim_start_matches('+').to_owned());
            }
            "phone-context" => self.context = Some(value.trim().to_owned()).filter(|value| !value.is_empty()),
            "postd" => {
                self.post_dial.push_str(&read_post_dial(value).map_err(|_| "postd cannot be dialled")?)
            }
            _ => {}
        }
        Ok(())
    }

    /// What to send as digits once the call is answered: the extension, where `with_ext` says that the number does not reach it by
    /// itself, and the post-dial part. Neighbouring pauses are one longer pause.
    pub fn post_dial_steps(&self, with_ext: bool) -> Vec<PostDial> {
        let ext = self.ext.as_deref().filter(|_| with_ext);
        let lead = ext.map(|ext| format!(",{ext}")).unwrap_or_default();
        let mut steps: Vec<PostDial> = Vec::new();
        for character in lead.chars().chain(self.post_dial.chars()) {
            match (character, steps.last_mut()) {
                (',', Some(PostDial::Pause(pause))) => *pause += PAUSE,
                (',', _) => steps.push(PostDial::Pause(PAUSE)),
                ('w', Some(PostDial::Wait)) => {}
                ('w', _) => steps.push(PostDial::Wait),
                (digit, Some(PostDial::Digits(digits))) => digits.push(digit),
                (digit, _) => steps.push(PostDial::Digits(digit.to_string())),
            }
        }
        steps
    }
}

fn is_separator(character: char) -> bool {
    "-.()/ \u{a0}\u{2010}\u{2011}\u{2012}\u{2013}".contains(character)
}

/// Letters are digits of local `tel:` numbers only: a plain `bee` is a name.
fn read_number(text: &str, letters: bool) -> Result<String, (&'static str, usize)> {
    let mut number = String::new();
    for (at, character) in text.char_indices() {
        match character {
            '+' if number.is_empty() => number.push('+'),
            '0'..='9' | '*' | '#' => number.push(character),
            'a'..='f' | 'A'..='F' if letters && !number.starts_with('+') => {
                number.push(character.to_ascii_uppercase());
            }
            other if is_separator(other) => {}
            _ => return Err(("a character that no number has", at)),
        }
    }
    if number.trim_start_matches('+').is_empty() {
        return Err(("a number is missing", 0));
    }
    // `+49 (0) 30`: the bracketed zero is for those who dial without the country
    match text.trim_start().starts_with('+') && text.contains("(0)") {
        true => read_number(&text.replacen("(0)", "", 1), letters),
        false => Ok(number),
    }
}

fn read_post_dial(text: &str) -> Result<String, usize> {
    let mut steps = String::new();
    for (at, character) in text.char_indices() {
        match character {
            '0'..='9' | '*' | '#' | ',' => steps.push(character),
            'a'..='d' | 'A'..='D' => steps.push(character.to_ascii_uppercase()),
            'p' | 'P' => steps.push(','),
            'w' | 'W' => steps.push('w'),
            other if is_separator(other) => {}
            _ => return Err(at),
        }
    }
    Ok(steps)
}

#[cfg(test)]
mod tests;
