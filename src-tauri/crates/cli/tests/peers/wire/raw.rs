//! Requests by hand: every byte is what a test wants it to be.

use std::net::SocketAddr;

/// A request as lines; values may hold line ends, so that they are folded or broken.
#[derive(Debug, Clone)]
pub(super) struct Raw {
    pub(super) start: String,
    pub(super) headers: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// Between name and value.
    colon: &'static str,
    line_end: &'static str,
    before: &'static str,
}

const SHORT: [(&str, &str); 9] = [
    ("v", "Via"),
    ("f", "From"),
    ("t", "To"),
    ("i", "Call-ID"),
    ("m", "Contact"),
    ("l", "Content-Length"),
    ("c", "Content-Type"),
    ("s", "Subject"),
    ("k", "Supported"),
];

impl Raw {
    /// A request with nothing wrong in it; `serial` makes it one of its kind.
    pub(super) fn new(method: &str, uri: &str, source: SocketAddr, serial: u64) -> Self {
        let headers = [
            ("Via", format!("SIP/2.0/UDP {source};branch=z9hG4bK-wire-{}-{serial};rport", source.port())),
            ("Max-Forwards", "70".into()),
            ("From", format!("\"Wire\" <sip:wire@{source}>;tag=from-{serial}")),
            ("To", "<sip:alice@127.0.0.1>".into()),
            ("Call-ID", format!("wire-{}-{serial}@127.0.0.1", source.port())),
            ("CSeq", format!("{} {method}", serial + 1)),
            ("Contact", format!("<sip:wire@{source}>")),
            ("Content-Length", "0".into()),
        ];
        Self {
            start: format!("{method} {uri} SIP/2.0"),
            headers: headers.map(|(name, value)| (name.to_owned(), value)).into(),
            body: Vec::new(),
            colon: ": ",
            line_end: "\r\n",
            before: "",
        }
    }

    /// Puts this value in the place of the first field of that name.
    pub(super) fn set(mut self, name: &str, value: impl Into<String>) -> Self {
        let field = self.headers.iter_mut().find(|(known, _)| long(known).eq_ignore_ascii_case(name));
        field.unwrap_or_else(|| panic!("there is no {name}")).1 = value.into();
        self
    }

    pub(super) fn change(self, name: &str, change: impl FnOnce(&str) -> String) -> Self {
        let value = change(self.get(name).unwrap_or_else(|| panic!("there is no {name}")));
        self.set(name, value)
    }

    pub(super) fn without(mut self, name: &str) -> Self {
        self.headers.retain(|(known, _)| !long(known).eq_ignore_ascii_case(name));
        self
    }

    /// One field more, before the Content-Length.
    pub(super) fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        let at = self.headers.iter().position(|(known, _)| long(known) == "Content-Length");
        self.headers.insert(at.unwrap_or(self.headers.len()), (name.to_owned(), value.into()));
        self
    }

    /// One field more, before all others.
    pub(super) fn under(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.insert(0, (name.to_owned(), value.into()));
        self
    }

    pub(super) fn start(mut self, start: impl Into<String>) -> Self {
        self.start = start.into();
        self
    }

    pub(super) fn body(self, kind: &str, body: impl Into<Vec<u8>>) -> Self {
        let body = body.into();
        let mut raw = self.set("Content-Length", body.len().to_string());
        raw.body = body;
        if kind.is_empty() { raw } else { raw.with("Content-Type", kind) }
    }

    pub(super) fn sdp(self, sdp: &str) -> Self {
        self.body("application/sdp", sdp)
    }

    /// Another description in place of the one that is there.
    pub(super) fn sdp_again(self, sdp: &str) -> Self {
        Self { body: sdp.into(), ..self.set("Content-Length", sdp.len().to_string()) }
    }

    pub(super) fn names(mut self, change: impl Fn(&str) -> String) -> Self {
        self.headers.iter_mut().for_each(|(name, _)| *name = change(name));
        self
    }

    pub(super) fn values(mut self, change: impl Fn(&str) -> String) -> Self {
        self.headers.iter_mut().for_each(|(_, value)| *value = change(value));
        self
    }

    pub(super) fn colon(self, colon: &'static str) -> Self {
        Self { colon, ..self }
    }

    pub(super) fn line_end(self, line_end: &'static str) -> Self {
        Self { line_end, ..self }
    }

    pub(super) fn before(self, before: &'static str) -> Self {
        Self { before, ..self }
    }

    /// The value of the first field of that name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.all(name).next()
    }

    pub(super) fn all(&self, name: &str) -> impl Iterator<Item = &str> {
        let named = move |(known, _): &&(String, String)| long(known).eq_ignore_ascii_case(name);
        self.headers.iter().filter(named).map(|(_, value)| value.as_str())
    }

    /// For people, not too much of it.
    pub(super) fn text(&self) -> String {
        String::from_utf8_lossy(&self.bytes()).chars().take(1500).collect()
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut text = format!("{}{}{}", self.before, self.start, self.line_end);
        for (name, value) in &self.headers {
            text += &format!("{name}{}{value}{}", self.colon, self.line_end);
        }
        text += self.line_end;
        let mut bytes = text.into_bytes();
        bytes.extend(&self.body);
        bytes
    }
}

/// The name that a compact form stands for.
fn long(name: &str) -> &str {
    let name = name.trim_end();
    SHORT.iter().find(|(short, _)| short.eq_ignore_ascii_case(name)).map_or(name, |(_, long)| long)
}

/// The compact form of a name that has one.
pub(super) fn short(name: &str) -> String {
    SHORT.iter().find(|(_, long)| *long == name).map_or(name, |(short, _)| short).to_owned()
}

/// An offer of G.711 to an address where nobody listens.
pub(super) const OFFER: &str = "v=0\r\no=wire 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n\
    m=audio 40000 RTP/AVP 0 8\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:8 PCMA/8000\r\n";
