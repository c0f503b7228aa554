use std::fmt;

use super::lex;

/// A request method. Method names are case-sensitive (RFC 3261 section 7.1).
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Method {
    Invite,
    Ack,
    Bye,
    Cancel,
    Register,
    Options,
    Info,
    Prack,
    Update,
    Subscribe,
    Notify,
    Refer,
    Message,
    Publish,
    /// Any other token.
    Extension(String),
}

const KNOWN: [(Method, &str); 14] = [
    (Method::Invite, "INVITE"),
    (Method::Ack, "ACK"),
    (Method::Bye, "BYE"),
    (Method::Cancel, "CANCEL"),
    (Method::Register, "REGISTER"),
    (Method::Options, "OPTIONS"),
    (Method::Info, "INFO"),
    (Method::Prack, "PRACK"),
    (Method::Update, "UPDATE"),
    (Method::Subscribe, "SUBSCRIBE"),
    (Method::Notify, "NOTIFY"),
    (Method::Refer, "REFER"),
    (Method::Message, "MESSAGE"),
    (Method::Publish, "PUBLISH"),
];

impl Method {
    /// Reads a token; `None` if `text` is none.
    pub fn parse(text: &str) -> Option<Method> {
        if let Some((method, _)) = KNOWN.iter().find(|(_, name)| *name == text) {
            return Some(method.clone());
        }
        lex::is_token(text).then(|| Method::Extension(text.to_owned()))
    }

    pub fn as_str(&self) -> &str {
        match self {
            Method::Extension(name) => name,
            known => KNOWN.iter().find(|(method, _)| method == known).map_or("", |(_, name)| name),
        }
    }
}

impl fmt::Display for Method {
    /// An extension that is no token is written without the characters that a token cannot hold.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Method::Extension(name) if !lex::is_token(name) => {
                let kept: String =
                    name.chars().filter(|c| c.is_ascii() && lex::is_token_char(*c as u8)).collect();
                f.write_str(if kept.is_empty() { "UNKNOWN" } else { &kept })
            }
            method => f.write_str(method.as_str()),
        }
    }
}
