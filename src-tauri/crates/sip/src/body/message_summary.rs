//! `application/simple-message-summary`: RFC 3842 section 5.2.

use super::xml::short;
use super::{BodyError, MAX_BODY};

const MAX_LINES: usize = 256;

/// What a mailbox holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MessageSummary {
    pub waiting: bool,
    /// URI of the mailbox, as it came
    pub account: Option<String>,
    pub voice: Option<MessageCounts>,
    /// fax, text and other classes, by their names in lower case without `-message`
    pub others: Vec<(String, MessageCounts)>,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct MessageCounts {
    pub new: u32,
    pub old: u32,
    /// of them
    pub new_urgent: u32,
    pub old_urgent: u32,
}

impl MessageSummary {
    pub const CONTENT_TYPE: &'static str = "application/simple-message-summary";

    /// Names ignore case, and white space may be anywhere. Where the status line is missing, the counts say whether something waits.
    pub fn parse(bytes: &[u8]) -> Result<Self, BodyError> {
        if bytes.len() > MAX_BODY {
            return Err(BodyError::new("message summary", "longer than a body may be"));
        }
        let text = String::from_utf8_lossy(bytes);
        let mut summary = Self::default();
        let mut waiting = None;
        for line in text.lines().take(MAX_LINES) {
            // what follows an empty line is about single messages
            if line.trim().is_empty() && waiting.is_some() {
                break;
            }
            let Some((name, value)) = line.split_once(':') else { continue };
            let (name, value) = (name.trim().to_ascii_lowercase(), value.trim());
            match name.as_str() {
                "messages-waiting" => {
                    waiting = Some(match value.to_ascii_lowercase().as_str() {
                        "yes" => true,
                        "no" => false,
                        _ => return Err(BodyError::new("Messages-Waiting", "neither yes nor no")),
                    });
                }
                "message-account" => {
                    summary.account = Some(short(value)).filter(|account| !account.is_empty())
                }
                _ => {
                    let Some(class) = name.strip_suffix("-message") else { continue };
                    let counts = counts(value)
                        .ok_or_else(|| BodyError::new(short(line), "not new/old (urgent/urgent)"))?;
                    if class == "voice" {
                        summary.voice = Some(counts);
                    } else if summary.others.len() < 16 {
                        summary.others.push((short(class), counts));
                    }
                }
            }
        }
        let counted = summary.voice.map(|counts| counts.new > 0);
        summary.waiting =
            waiting.or(counted).ok_or_else(|| BodyError::new("Messages-Waiting", "is missing"))?;
        Ok(summary)
    }
}

/// `2/8 (0/2)`; the part in brackets may be missing, and so may the second number. Numbers beyond 32 bits are the largest one.
fn counts(value: &str) -> Option<MessageCounts> {
    let (all, urgent) = match value.split_once('(') {
        Some((all, urgent)) => (all, Some(urgent.trim().strip_suffix(')')?)),
        None => (value, None),
    };
    let (new, old) = pair(all)?;
    let (new_urgent, old_urgent) = urgent.map_or(Some((0, 0)), pair)?;
    Some(MessageCounts { new, old, new_urgent, old_urgent })
}

fn pair(text: &str) -> Option<(u32, u32)> {
    let (new, old) = text.split_once('/').unwrap_or((text, "0"));
    Some((number(new)?, number(old)?))
}

fn number(text: &str) -> Option<u32> {
    let digits = text.trim();
    let valid = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    valid.then(|| digits.parse().unwrap_or(u32::MAX))
}
