//! The lines of a message: start line and unfolded header fields, read without looking at what they mean.

use super::{HeaderName, Headers, Limits, Place};

/// Start line and header fields, as far as they could be read.
#[derive(Debug)]
pub(crate) struct Head {
    pub(crate) start: String,
    /// Where the start line begins, after the empty lines that may precede it.
    pub(crate) start_at: usize,
    pub(crate) headers: Headers,
    /// Where each field of `headers` begins.
    pub(crate) offsets: Vec<usize>,
    /// Where the body begins.
    pub(crate) body_at: usize,
    /// The first thing that is wrong. Reading goes on behind it, to find what an answer needs.
    pub(crate) fault: Option<Fault>,
    /// The empty line behind the fields was found, or reading stopped before it.
    pub(crate) is_ended: bool,
}

#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) status: u16,
    pub(crate) place: Place,
    pub(crate) reason: String,
    pub(crate) offset: usize,
}

impl Fault {
    pub(crate) fn bad(place: Place, reason: impl Into<String>, offset: usize) -> Fault {
        Fault { status: 400, place, reason: reason.into(), offset }
    }

    pub(crate) fn too_large(place: Place, reason: impl Into<String>, offset: usize) -> Fault {
        Fault { status: 513, place, reason: reason.into(), offset }
    }
}

/// Whether a stream has delivered the whole head.
pub(crate) enum HeadEnd {
    /// Behind the empty line.
    At(usize),
    /// Not yet; look again from here when more bytes are there.
    From(usize),
    /// A line is longer than the limits allow.
    TooLong,
}

/// Looks for the empty line, from a position on that this function gave earlier, or 0. A line ends at LF; a CR before
/// it belongs to the line end.
pub(crate) fn head_end(bytes: &[u8], from: usize, limits: &Limits) -> HeadEnd {
    let mut at = from;
    while let Some(length) = bytes.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == b'\n')) {
        let line = bytes.get(at..at + length).unwrap_or_default();
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        at += length + 1;
        if line.is_empty() {
            return HeadEnd::At(at);
        }
        if line.len() > limits.line {
            return HeadEnd::TooLong;
        }
    }
    // One byte more may be the first half of the line end.
    if bytes.len() - at > limits.line + 1 { HeadEnd::TooLong } else { HeadEnd::From(at) }
}

/// The number of bytes of empty lines at the start (RFC 3261 section 7.5).
pub(crate) fn leading_line_ends(bytes: &[u8]) -> usize {
    let mut at = 0;
    loop {
        match bytes.get(at..) {
            Some([b'\n', ..]) => at += 1,
            Some([b'\r', b'\n', ..]) => at += 2,
            _ => return at,
        }
    }
}

impl Head {
    /// Reads up to the empty line. Without one the whole of `bytes` is the head, with a fault.
    pub(crate) fn read(bytes: &[u8], limits: &Limits) -> Head {
        let mut reader = Reader {
            limits,
            head: Head {
                start: String::new(),
                start_at: 0,
                headers: Headers::new(),
                offsets: Vec::new(),
                body_at: bytes.len(),
                fault: None,
                is_ended: true,
            },
            field: None,
        };
        reader.run(bytes);
        reader.head
    }

    pub(crate) fn offset_of(&self, name: &HeaderName) -> usize {
        let index = self.headers.iter().position(|(known, _)| known == name);
        index.and_then(|index| self.offsets.get(index)).copied().unwrap_or(self.start_at)
    }
}

struct Reader<'a> {
    limits: &'a Limits,
    head: Head,
    /// The field whose continuation lines may follow.
    field: Option<(HeaderName, String, usize)>,
}

impl Reader<'_> {
    fn run(&mut self, bytes: &[u8]) {
        let mut at = leading_line_ends(bytes);
        self.head.start_at = at;
        let mut is_first = true;
        while at < bytes.len() {
            let rest = bytes.get(at..).unwrap_or_default();
            let Some(length) = rest.iter().position(|byte| *byte == b'\n') else { break };
            let line = rest.get(..length).unwrap_or_default();
            let line = line.strip_suffix(b"\r").unwrap_or(line);
            if std::mem::take(&mut is_first) {
                self.head.start = self.text(line, line, Place::StartLine, at);
            } else if line.is_empty() {
                self.finish_field();
                self.head.body_at = at + length + 1;
                return;
            } else if !self.line(line, at) {
                return;
            }
            at += length + 1;
            if at > self.limits.head {
                self.fault(Fault::too_large(Place::HeaderSection, "too long", at));
                return;
            }
        }
        if is_first {
            let line = bytes.get(self.head.start_at..).unwrap_or_default();
            self.head.start = self.text(line, line, Place::StartLine, at);
        }
        self.finish_field();
        self.head.is_ended = false;
    }

    /// Whether to go on.
    fn line(&mut self, line: &[u8], at: usize) -> bool {
        if line.first().is_some_and(|byte| b" \t".contains(byte)) {
            let more = self.text(line, line, Place::HeaderSection, at);
            match &mut self.field {
                Some((name, value, _)) if value.len() + more.len() > self.limits.line => {
                    let place = Place::Header(name.clone());
                    self.fault(Fault::too_large(place, "too long", at));
                }
                Some((_, value, _)) => {
                    value.push(' ');
                    value.push_str(more.trim_matches([' ', '\t']));
                }
                None => {
                    self.fault(Fault::bad(Place::HeaderSection, "a continuation line without a header", at))
                }
            }
            return true;
        }
        self.finish_field();
        let colon = line.iter().position(|byte| *byte == b':');
        let name = colon.and_then(|colon| line.get(..colon)).and_then(|name| std::str::from_utf8(name).ok());
        let Some(name) = name.and_then(|name| HeaderName::parse(name.trim_end_matches([' ', '\t']))) else {
            self.fault(Fault::bad(Place::HeaderSection, "a line that is not \"name: value\"", at));
            return true;
        };
        if self.head.headers.len() == self.limits.headers {
            self.fault(Fault::too_large(Place::HeaderSection, "too many header fields", at));
            return false;
        }
        let value = line.get(colon.unwrap_or(0) + 1..).unwrap_or_default();
        let value =
            self.text(value, line, Place::Header(name.clone()), at).trim_matches([' ', '\t']).to_owned();
        self.field = Some((name, value, at));
        true
    }

    fn finish_field(&mut self) {
        if let Some((name, value, at)) = self.field.take() {
            self.head.headers.push_parsed(name, value.trim_matches([' ', '\t']).to_owned());
            self.head.offsets.push(at);
        }
    }

    /// `part` of `line` as text. What is not UTF-8 is read as ISO 8859-1, which old equipment sends in names.
    fn text(&mut self, part: &[u8], line: &[u8], place: Place, at: usize) -> String {
        if line.len() > self.limits.line {
            self.fault(Fault::too_large(place, "too long", at));
            return String::new();
        }
        let text = match std::str::from_utf8(part) {
            Ok(text) => text.to_owned(),
            Err(_) => part.iter().copied().map(char::from).collect(),
        };
        if text.contains('\r') {
            self.fault(Fault::bad(place, "a carriage return inside the line", at));
            return text.replace('\r', " ");
        }
        text
    }

    /// The first fault counts, except that a size beyond the limits goes before all others: the sender has to know,
    /// and a stream ends there.
    fn fault(&mut self, fault: Fault) {
        let is_larger = |known: &Fault| known.status < fault.status;
        if self.head.fault.as_ref().is_none_or(is_larger) {
            self.head.fault = Some(fault);
        }
    }
}
