//! One line of a card: `group.NAME;PARAMETER=value,"value":value` (RFC 6350 section 3.3).

/// Parameters of one line that are read.
const MAX_PARAMETERS: usize = 32;

#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Property {
    /// In small letters; empty where there is none.
    pub(super) group: String,
    /// In capitals.
    pub(super) name: String,
    /// Names in capitals. Parameters without a name, as 2.1 has them, are types.
    parameters: Vec<(String, String)>,
    /// Decoded from quoted-printable; escapes still in it.
    pub(super) value: String,
}

impl Property {
    /// `None` where this is no line of a card.
    pub(super) fn parse(line: &str) -> Option<Self> {
        let (name, mut rest) = line.split_at(line.find([';', ':'])?);
        let (group, name) = name.trim().rsplit_once('.').unwrap_or(("", name.trim()));
        let fits = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || !name.chars().all(fits) {
            return None;
        }
        let mut property =
            Self { group: group.to_ascii_lowercase(), name: name.to_ascii_uppercase(), ..Self::default() };
        while let Some(parameters) = rest.strip_prefix(';') {
            let end = parameter_end(parameters)?;
            let (parameter, after) = parameters.split_at(end);
            property.take_parameter(parameter);
            rest = after;
        }
        let value = rest.strip_prefix(':')?;
        property.value = property.decoded(value);
        Some(property)
    }

    fn take_parameter(&mut self, text: &str) {
        let (name, values) = text.split_once('=').unwrap_or(("TYPE", text));
        let name = name.trim().to_ascii_uppercase();
        // A comma inside quotation marks separates types too: `TYPE="work,voice"` is what the examples of RFC 6350 have.
        for value in values.split(',') {
            let value = value.trim().trim_matches('"').trim();
            if !value.is_empty() && self.parameters.len() < MAX_PARAMETERS {
                self.parameters.push((name.clone(), value.to_owned()));
            }
        }
    }

    pub(super) fn parameter<'a>(&'a self, name: &'a str) -> Option<&'a str> {
        self.all(name).next()
    }

    fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.parameters.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn has_type(&self, wanted: &str) -> bool {
        self.all("TYPE").any(|value| value.eq_ignore_ascii_case(wanted))
    }

    pub(super) fn types(&self) -> impl Iterator<Item = &str> {
        self.all("TYPE")
    }

    fn decoded(&self, value: &str) -> String {
        let is = |name, wanted: &str| self.all(name).any(|value| value.eq_ignore_ascii_case(wanted));
        if !is("ENCODING", "QUOTED-PRINTABLE") && !self.has_type("QUOTED-PRINTABLE") {
            return value.to_owned();
        }
        let bytes = quoted_printable(value);
        if is("CHARSET", "ISO-8859-1") || is("CHARSET", "WINDOWS-1252") {
            return bytes.into_iter().map(char::from).collect::<String>().replace("\r\n", "\n");
        }
        String::from_utf8_lossy(&bytes).replace("\r\n", "\n")
    }
}

/// Where a parameter ends: at the next `;` or `:` outside quotation marks.
fn parameter_end(text: &str) -> Option<usize> {
    let mut quoted = false;
    let end = text.find(|c| {
        quoted ^= c == '"';
        !quoted && matches!(c, ';' | ':')
    });
    // A quotation mark that nobody closed is a character like others.
    end.or_else(|| text.find([';', ':']))
}

fn quoted_printable(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let hex = |byte: &u8| char::from(*byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        let pair = match after {
            [high, low, ..] if *first == b'=' => hex(high).zip(hex(low)),
            _ => None,
        };
        match pair {
            Some((high, low)) => {
                bytes.push(high << 4 | low);
                rest = after.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    bytes
}

/// The components of a value, separated by semicolons, unescaped (RFC 6350 section 3.4).
pub(super) fn components(value: &str) -> Vec<String> {
    let mut all = vec![String::new()];
    let mut characters = value.chars();
    while let Some(c) = characters.next() {
        let c = match c {
            ';' => {
                all.push(String::new());
                continue;
            }
            '\\' => match characters.next() {
                Some('n' | 'N') => '\n',
                Some(other) => other,
                None => break,
            },
            other => other,
        };
        if let Some(last) = all.last_mut() {
            last.push(c);
        }
    }
    all
}

/// A value of one component. A semicolon that should have been escaped is one.
pub(super) fn text(value: &str) -> String {
    components(value).join(";")
}
