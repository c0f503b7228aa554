//! Dial-plan rules and emergency numbers: what becomes of a number before it is called.

use regex::{Regex, RegexBuilder};
use sidetone_api::{AccountId, CallSettings, DialRule, Failure};

/// Numbers that are emergency numbers wherever one is (3GPP TS 22.101).
const EVERYWHERE: [&str; 2] = ["112", "911"];
const MAX_RULES: usize = 200;
const MAX_NUMBERS: usize = 64;
/// Of a pattern and of what replaces it, bytes.
const LONGEST_RULE: usize = 256;
const LONGEST_NUMBER: usize = 32;
/// Of a compiled pattern, bytes. The engine behind it takes time linear in the number, whatever the pattern.
const COMPILED: usize = 1 << 20;

/// What the rules make of a number.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Dialled {
    /// No rule speaks of it.
    Unchanged,
    Replaced {
        number: String,
        account: Option<AccountId>,
    },
    /// In words.
    Refused(String),
}

/// The rules and numbers of the settings, checked and compiled once: a number is looked at for each call and for each contact that
/// is watched.
#[derive(Debug, Clone, Default)]
pub(super) struct DialPlan {
    rules: Vec<(DialRule, Regex)>,
    /// Digits alone.
    emergency_numbers: Vec<String>,
}

impl DialPlan {
    /// # Errors
    /// Names the rule or number that is wrong.
    pub(super) fn of(settings: &CallSettings) -> Result<Self, Failure> {
        Ok(Self {
            rules: compiled(&settings.dial_plan)?,
            emergency_numbers: emergency_numbers(&settings.emergency_numbers)?,
        })
    }

    /// The first rule that matches the whole of `number` decides. A rule of another account than `account` is passed over.
    pub(super) fn apply(&self, number: &str, account: Option<&AccountId>) -> Dialled {
        for (index, (rule, pattern)) in self.rules.iter().enumerate() {
            let is_for_another =
                rule.account_id.is_some() && account.is_some() && rule.account_id.as_ref() != account;
            if is_for_another {
                continue;
            }
            let Some(captures) = pattern.captures(number) else { continue };
            if rule.refuse {
                let place = index + 1;
                return Dialled::Refused(format!("rule {place} of the dial plan refuses calls to {number}"));
            }
            let mut replaced = String::new();
            captures.expand(&rule.replace, &mut replaced);
            return Dialled::Replaced { number: replaced, account: rule.account_id.clone() };
        }
        Dialled::Unchanged
    }

    /// Whether these digits call for help.
    pub(super) fn is_emergency(&self, digits: &str) -> bool {
        EVERYWHERE.contains(&digits) || self.emergency_numbers.iter().any(|number| number == digits)
    }
}

fn digits_of(number: &str) -> String {
    number.chars().filter(|c| c.is_ascii_alphanumeric() || matches!(c, '+' | '*' | '#')).collect()
}

fn compiled(rules: &[DialRule]) -> Result<Vec<(DialRule, Regex)>, Failure> {
    if rules.len() > MAX_RULES {
        return Err(Failure::invalid("calls.dialPlan", format!("{MAX_RULES} rules are the most")));
    }
    let compiled = |(index, rule): (usize, &DialRule)| {
        let pattern = checked(rule).map_err(|(part, why)| {
            let (field, place) = (format!("calls.dialPlan[{index}].{part}"), index + 1);
            Failure::invalid(field, format!("rule {place} of the dial plan: {why}"))
        })?;
        Ok((rule.clone(), pattern))
    };
    rules.iter().enumerate().map(compiled).collect()
}

/// # Errors
/// The part that is wrong, and why.
fn checked(rule: &DialRule) -> Result<Regex, (&'static str, String)> {
    for (part, text) in [("match", &rule.pattern), ("replace", &rule.replace)] {
        if text.len() > LONGEST_RULE || text.chars().any(char::is_control) {
            return Err((part, format!("{part} is one line of at most {LONGEST_RULE} bytes")));
        }
    }
    if rule.pattern.is_empty() {
        return Err(("match", "match is empty".into()));
    }
    let pattern = compile(rule).map_err(|why| ("match", why))?;
    if !rule.refuse && rule.replace.trim().is_empty() {
        return Err(("replace", "a number becomes something, or it is refused".into()));
    }
    match unknown_group(&rule.replace, &pattern) {
        Some(group) => Err(("replace", format!("${group} names no group of {:?}", rule.pattern))),
        None => Ok(pattern),
    }
}

fn emergency_numbers(numbers: &[String]) -> Result<Vec<String>, Failure> {
    const FIELD: &str = "calls.emergencyNumbers";
    if numbers.len() > MAX_NUMBERS {
        return Err(Failure::invalid(FIELD, format!("{MAX_NUMBERS} emergency numbers are the most")));
    }
    let digits = |number: &String| {
        let known = |c: char| c.is_ascii_digit() || " +*#-./()".contains(c);
        let is_number = number.len() <= LONGEST_NUMBER && number.chars().all(known);
        if is_number && number.chars().any(|c| c.is_ascii_digit()) {
            Ok(digits_of(number))
        } else {
            Err(Failure::invalid(FIELD, format!("{number:?} is no telephone number")))
        }
    };
    numbers.iter().map(digits).collect()
}

/// # Errors
/// What is wrong with the pattern, in words.
fn compile(rule: &DialRule) -> Result<Regex, String> {
    let built = |pattern: &str| {
        let mut builder = RegexBuilder::new(pattern);
        builder.size_limit(COMPILED).dfa_size_limit(COMPILED).nest_limit(32).build()
    };
    let words = |error: regex::Error| match error {
        regex::Error::CompiledTooBig(_) => "the pattern is too large".to_owned(),
        // The last line says what, those above draw where.
        error => {
            let text = error.to_string();
            text.lines().last().unwrap_or_default().trim_start_matches("error: ").to_owned()
        }
    };
    // By itself first, so that it cannot close the bracket that anchors it.
    built(&rule.pattern).map_err(words)?;
    built(&format!("^(?:{})$", rule.pattern)).map_err(words)
}

/// The first `$name` in the replacement that the pattern has no group for.
fn unknown_group(replace: &str, pattern: &Regex) -> Option<String> {
    let mut rest = replace;
    while let Some(at) = rest.find('$') {
        rest = &rest[at + 1..];
        if let Some(after) = rest.strip_prefix('$') {
            rest = after;
            continue;
        }
        let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
        let name = match rest.strip_prefix('{') {
            Some(braced) => braced.split('}').next().unwrap_or_default(),
            None => &rest[..rest.find(|c| !word(c)).unwrap_or(rest.len())],
        };
        let known = match name.parse::<usize>() {
            Ok(number) => number < pattern.captures_len(),
            Err(_) => pattern.capture_names().flatten().any(|known| known == name),
        };
        if !known {
            return Some(name.to_owned());
        }
    }
    None
}

#[cfg(test)]
mod tests;
