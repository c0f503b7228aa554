use super::NameAddr;
use super::error::SyntaxError;

/// What the Contact fields of a message say together.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Contacts {
    /// `*`, with which a REGISTER removes every binding (RFC 3261 section 10.2.2).
    Star,
    /// Empty if there is no Contact.
    List(Vec<NameAddr>),
}

impl Contacts {
    /// The first address.
    pub fn first(&self) -> Option<&NameAddr> {
        match self {
            Contacts::Star => None,
            Contacts::List(list) => list.first(),
        }
    }

    pub(crate) fn parse<'a>(values: impl Iterator<Item = &'a str>) -> Result<Contacts, SyntaxError> {
        let mut list = Vec::new();
        let mut star = false;
        for value in values {
            if value == "*" {
                star = true;
            } else {
                list.extend(NameAddr::parse_list(value)?);
            }
            if star && !list.is_empty() {
                let reason = "an asterisk must be the only Contact";
                return Err(SyntaxError { field: "address", reason, offset: 0 });
            }
        }
        Ok(if star { Contacts::Star } else { Contacts::List(list) })
    }
}
