//! Replies read strictly, and compared with the request that they answer (RFC 3261 section 8.2.6.2).

use super::raw::Raw;
use std::net::SocketAddr;

#[derive(Debug, Clone)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) reason: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
}

impl Reply {
    /// The reply at the start of `bytes` and its length; `None` while it is not complete.
    ///
    /// # Panics
    /// It is not exactly as we write: CRLF line ends, one field a line, long names, the right Content-Length.
    pub(super) fn read(bytes: &[u8]) -> Option<(Self, usize)> {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..end]).expect("a reply is UTF-8");
        let mut lines = head.split("\r\n");
        let start = lines.next().unwrap_or_default();
        let bad = |what: &str| -> ! { panic!("{what} in this reply:\n{head}") };
        if head.replace("\r\n", "").contains(['\r', '\n', '\0']) {
            bad("a stray control character");
        }
        let Some(("SIP/2.0", rest)) = start.split_once(' ') else { bad("no status line") };
        let Some((status, reason)) = rest.split_once(' ') else { bad("no reason phrase") };
        if status.len() != 3 {
            bad("a status code that has not three digits");
        }
        let status = status.parse().unwrap_or_else(|_| bad("a status code that is no number"));
        let headers: Vec<(String, String)> = lines
            .map(|line| {
                let Some((name, value)) = line.split_once(": ") else { bad("a line that is no field") };
                let token = |c: char| c.is_ascii_alphanumeric() || "-.!%*_+`'~".contains(c);
                if name.len() < 2 || !name.chars().all(token) || value.trim() != value {
                    bad("a field that is not \"Name: value\"");
                }
                (name.to_owned(), value.to_owned())
            })
            .collect();
        let length = headers.iter().find(|(name, _)| name == "Content-Length");
        let Some(length) = length.and_then(|(_, value)| value.parse::<usize>().ok()) else {
            bad("no Content-Length")
        };
        let body = bytes.get(end + 4..end + 4 + length)?.to_vec();
        Some((Self { status, reason: reason.to_owned(), headers, body }, end + 4 + length))
    }

    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).into_iter().next()
    }

    pub(super) fn all(&self, name: &str) -> Vec<&str> {
        self.headers.iter().filter(|(known, _)| known == name).map(|(_, value)| value.as_str()).collect()
    }

    /// All values of a list field without commas inside values.
    pub(super) fn list(&self, name: &str) -> Vec<&str> {
        let values = self.all(name).into_iter().flat_map(|value| value.split(','));
        values.map(str::trim).filter(|value| !value.is_empty()).collect()
    }

    pub(super) fn to_tag(&self) -> Option<&str> {
        self.get("To").and_then(|to| param(to.rsplit('>').next()?, "tag"))
    }

    pub(super) fn branch(&self) -> Option<&str> {
        self.get("Via").and_then(|via| param(via.split(',').next()?, "branch"))
    }

    /// Panics unless Via, From, To, Call-ID and CSeq are those of the request, To with a tag, and the Via says where the request
    /// came from.
    pub(super) fn assert_answers(&self, name: &str, request: &Raw, source: SocketAddr) {
        let wrong = |what: &str| -> ! { panic!("{name}: {what}\n{}\n{self:#?}", request.text()) };
        for field in ["From", "Call-ID", "CSeq"] {
            if request.get(field).map(unfolded).as_deref() != self.get(field) || self.all(field).len() > 1 {
                wrong(&format!("{field} is not copied"));
            }
        }
        match (request.get("To"), self.get("To")) {
            (None, None) => {}
            (Some(sent), Some(got)) => {
                let had_tag = request_tag(sent).is_some();
                if !bare(got).starts_with(&bare(sent)) {
                    wrong("To is not copied");
                }
                let tag = self.to_tag();
                if had_tag && request_tag(sent) != tag.map(str::to_ascii_lowercase) {
                    wrong("the tag in To has changed");
                }
                let readable = !sent.is_empty() && !sent.contains("unreadable");
                if readable && self.status > 100 && tag.is_none_or(str::is_empty) {
                    wrong("To has no tag");
                }
            }
            _ => wrong("To is not copied"),
        }
        let sent: Vec<String> = request.all("Via").flat_map(|value| value.split(',')).map(unfolded).collect();
        let got: Vec<&str> = self.list("Via");
        if sent.len() != got.len()
            || sent.iter().skip(1).map(|via| bare(via)).ne(got.iter().skip(1).map(|via| bare(via)))
        {
            wrong("the lower Via values are not copied");
        }
        let (Some(sent), Some(got)) = (sent.first(), got.first()) else { wrong("there is no Via") };
        let before_params = |via: &str| bare(via.split(';').next().unwrap_or_default());
        if before_params(sent) != before_params(got) {
            wrong("the top Via is not copied");
        }
        let sent_lower = bare(sent);
        for (key, value) in got.split(';').skip(1).map(|param| param.split_once('=').unwrap_or((param, ""))) {
            let known = sent_lower.contains(&bare(format!("{key}={value}").trim_end_matches('=')));
            let ours = (key == "rport" && value == source.port().to_string())
                || (key == "received" && value == source.ip().to_string());
            if !known && !ours {
                wrong(&format!("{key}={value} in the Via comes from nowhere"));
            }
        }
        let asked = sent.to_ascii_lowercase().split(';').any(|param| param.trim() == "rport");
        if asked
            && (param(got, "rport") != Some(&source.port().to_string()) || param(got, "received").is_none())
        {
            wrong("rport and received are not filled in");
        }
    }
}

/// A parameter behind a value.
pub(super) fn param<'a>(text: &'a str, name: &str) -> Option<&'a str> {
    let params = text.split(';').skip(1).filter_map(|param| param.split_once('='));
    params
        .map(|(key, value)| (key.trim(), value.trim()))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))
        .map(|(_, value)| value)
}

fn request_tag(value: &str) -> Option<String> {
    let behind = value.rsplit('>').next()?;
    param(&format!(";{behind}"), "tag").map(str::to_ascii_lowercase)
}

/// A field value on one line.
fn unfolded(value: &str) -> String {
    let lines: Vec<&str> = value.split(['\r', '\n']).map(|line| line.trim_matches([' ', '\t'])).collect();
    let lines: Vec<&str> = lines.into_iter().filter(|line| !line.is_empty()).collect();
    lines.join(" ")
}

/// What is left where white space, brackets, quotes and case do not count.
fn bare(text: &str) -> String {
    text.chars()
        .filter(|c| !c.is_ascii_whitespace() && !"<>\"\\".contains(*c))
        .collect::<String>()
        .to_ascii_lowercase()
}
