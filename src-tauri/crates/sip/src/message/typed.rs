//! The header fields as the types they carry.

use super::error::{HeaderError, HeaderFault, SyntaxError};
use super::{CSeq, Contacts, HeaderName, Headers, NameAddr, Via, lex, list, numbers};

impl Headers {
    /// All Via values from the topmost down.
    pub fn via(&self) -> Result<Vec<Via>, HeaderError> {
        self.required_list(HeaderName::VIA, Via::parse_list)
    }

    /// Only the first value is parsed.
    pub fn top_via(&self) -> Result<Via, HeaderError> {
        let value = self.get(&HeaderName::VIA).ok_or_else(|| missing(HeaderName::VIA))?;
        let elements = list::split("Via value", value).map_err(|fault| broken(HeaderName::VIA, fault))?;
        let first = elements.first().copied().unwrap_or("");
        Via::parse(first).map_err(|fault| broken(HeaderName::VIA, fault))
    }

    pub fn from(&self) -> Result<NameAddr, HeaderError> {
        self.required(HeaderName::FROM, NameAddr::parse)
    }

    pub fn to(&self) -> Result<NameAddr, HeaderError> {
        self.required(HeaderName::TO, NameAddr::parse)
    }

    pub fn cseq(&self) -> Result<CSeq, HeaderError> {
        self.required(HeaderName::CSEQ, CSeq::parse)
    }

    pub fn call_id(&self) -> Result<&str, HeaderError> {
        let value = self.single(&HeaderName::CALL_ID)?.ok_or_else(|| missing(HeaderName::CALL_ID))?;
        let (local, host) = value.split_once('@').map_or((value, None), |(local, host)| (local, Some(host)));
        let is_word = |text: &str| !text.is_empty() && text.bytes().all(lex::is_word_char);
        if is_word(local) && host.is_none_or(is_word) {
            return Ok(value);
        }
        Err(broken(
            HeaderName::CALL_ID,
            SyntaxError { field: "Call-ID value", reason: "not word[@word]", offset: 0 },
        ))
    }

    pub fn contacts(&self) -> Result<Contacts, HeaderError> {
        Contacts::parse(self.get_all(&HeaderName::CONTACT))
            .map_err(|fault| broken(HeaderName::CONTACT, fault))
    }

    pub fn routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.addresses(HeaderName::ROUTE)
    }

    pub fn record_routes(&self) -> Result<Vec<NameAddr>, HeaderError> {
        self.addresses(HeaderName::RECORD_ROUTE)
    }

    /// The body is not compressed or changed in any other way.
    pub(crate) fn is_plain(&self) -> bool {
        self.get_all(&HeaderName::CONTENT_ENCODING)
            .all(|encoding| encoding.trim().eq_ignore_ascii_case("identity"))
    }

    /// Package and `id` of Event; the package is empty where there is none, or more than one.
    pub(crate) fn event(&self) -> (String, Option<&str>) {
        event_type(self.single(&HeaderName::EVENT).ok().flatten().unwrap_or_default())
    }

    /// All addresses of any list header; empty if it is not there.
    pub fn addresses(&self, name: HeaderName) -> Result<Vec<NameAddr>, HeaderError> {
        let mut all = Vec::new();
        for value in self.get_all(&name) {
            all.extend(NameAddr::parse_list(value).map_err(|fault| broken(name.clone(), fault))?);
        }
        Ok(all)
    }

    pub fn max_forwards(&self) -> Result<Option<u8>, HeaderError> {
        self.number(HeaderName::MAX_FORWARDS, "not a number from 0 to 255", numbers::unsigned)
    }

    /// Bytes of the body.
    pub fn content_length(&self) -> Result<Option<usize>, HeaderError> {
        self.number(HeaderName::CONTENT_LENGTH, "not a number of bytes", numbers::unsigned)
    }

    /// Seconds; numbers beyond 32 bits are read as the largest one, anything else as an hour (RFC 3261 section
    /// 10.2.1.1).
    pub fn expires(&self) -> Result<Option<u32>, HeaderError> {
        self.number(HeaderName::EXPIRES, "", |text| Some(numbers::expires(text)))
    }

    pub fn min_expires(&self) -> Result<Option<u32>, HeaderError> {
        self.number(HeaderName::MIN_EXPIRES, "not a number of seconds", numbers::delta_seconds)
    }

    /// Seconds, without the comment and the parameters that may follow (RFC 3261 section 20.33).
    pub fn retry_after(&self) -> Result<Option<u32>, HeaderError> {
        let seconds =
            |text: &str| numbers::delta_seconds(text.split([' ', '\t', ';', '(']).next().unwrap_or(""));
        self.number(HeaderName::RETRY_AFTER, "not a number of seconds", seconds)
    }

    pub fn require(&self) -> Result<Vec<String>, HeaderError> {
        self.tokens(HeaderName::REQUIRE)
    }

    pub fn proxy_require(&self) -> Result<Vec<String>, HeaderError> {
        self.tokens(HeaderName::PROXY_REQUIRE)
    }

    pub fn supported(&self) -> Result<Vec<String>, HeaderError> {
        self.tokens(HeaderName::SUPPORTED)
    }

    pub fn allow(&self) -> Result<Vec<String>, HeaderError> {
        self.tokens(HeaderName::ALLOW)
    }

    /// All tokens of any list header; empty if it is not there.
    pub fn tokens(&self, name: HeaderName) -> Result<Vec<String>, HeaderError> {
        let mut all = Vec::new();
        for value in self.get_all(&name) {
            all.extend(list::tokens("list", value).map_err(|fault| broken(name.clone(), fault))?);
        }
        Ok(all)
    }

    /// `type/subtype` in lower case without parameters.
    pub fn content_type(&self) -> Result<Option<String>, HeaderError> {
        let Some(value) = self.single(&HeaderName::CONTENT_TYPE)? else { return Ok(None) };
        let kind = value.split(';').next().unwrap_or("");
        let parts = kind.split_once('/').map(|(kind, sub)| (kind.trim(), sub.trim()));
        match parts {
            Some((kind, sub)) if lex::is_token(kind) && lex::is_token(sub) => {
                Ok(Some(format!("{kind}/{sub}").to_ascii_lowercase()))
            }
            _ => {
                let fault = SyntaxError { field: "media type", reason: "not type/subtype", offset: 0 };
                Err(broken(HeaderName::CONTENT_TYPE, fault))
            }
        }
    }

    /// The value of a field that may appear once at most.
    pub fn single(&self, name: &HeaderName) -> Result<Option<&str>, HeaderError> {
        let mut values = self.get_all(name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(HeaderError { header: name.clone(), fault: HeaderFault::Repeated }),
            None => Ok(first),
        }
    }

    fn required<T>(
        &self,
        name: HeaderName,
        parse: impl Fn(&str) -> Result<T, SyntaxError>,
    ) -> Result<T, HeaderError> {
        match self.single(&name)? {
            Some(value) => parse(value).map_err(|fault| broken(name, fault)),
            None => Err(missing(name)),
        }
    }

    fn required_list<T>(
        &self,
        name: HeaderName,
        parse: impl Fn(&str) -> Result<Vec<T>, SyntaxError>,
    ) -> Result<Vec<T>, HeaderError> {
        let mut all = Vec::new();
        for value in self.get_all(&name) {
            all.extend(parse(value).map_err(|fault| broken(name.clone(), fault))?);
        }
        if all.is_empty() { Err(missing(name)) } else { Ok(all) }
    }

    fn number<T>(
        &self,
        name: HeaderName,
        reason: &'static str,
        parse: impl Fn(&str) -> Option<T>,
    ) -> Result<Option<T>, HeaderError> {
        let Some(value) = self.single(&name)? else { return Ok(None) };
        match parse(value) {
            Some(number) => Ok(Some(number)),
            None => Err(broken(name, SyntaxError { field: "number", reason, offset: 0 })),
        }
    }
}

pub(crate) fn missing(header: HeaderName) -> HeaderError {
    HeaderError { header, fault: HeaderFault::Missing }
}

pub(crate) fn broken(header: HeaderName, fault: SyntaxError) -> HeaderError {
    HeaderError { header, fault: HeaderFault::Syntax(fault) }
}

/// The package that the value of an Event header names, in lower case, and its `id`. Other parameters do not count (RFC 6665 section
/// 8.2.1).
pub(crate) fn event_type(value: &str) -> (String, Option<&str>) {
    let mut parts = value.split(';').map(str::trim);
    let package = parts.next().unwrap_or_default().to_ascii_lowercase();
    let id = parts.find_map(|part| {
        let (name, value) = part.split_once('=')?;
        name.trim().eq_ignore_ascii_case("id").then(|| value.trim())
    });
    (package, id)
}
