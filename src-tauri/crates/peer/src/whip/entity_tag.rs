//! Entity tags and the `If-Match` header (RFC 9110 sections 8.8.3 and 13.1.1).

use std::fmt;

const LONGEST: usize = 256;
/// Tags in one `If-Match`.
const MOST: usize = 32;

/// An entity tag as it stands in the header, with its quotes and its `W/`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct EntityTag(String);

/// What a request says about the state that it changes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IfMatch {
    /// `*`; RFC 9725 prints it in quotes, and clients do so, too.
    Any,
    Tags(Vec<EntityTag>),
}

impl EntityTag {
    /// A strong tag around `opaque`; `None` where it has a quote or a character that cannot be sent.
    pub fn strong(opaque: &str) -> Option<Self> {
        Self::parse(&format!("\"{opaque}\""))
    }

    /// `None` for what is no entity tag. A tag without quotes is taken as if it had some: servers send it.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t']);
        if text.is_empty() || text.len() > LONGEST {
            return None;
        }
        let (weak, rest) = match text.strip_prefix("W/") {
            Some(rest) => ("W/", rest),
            None => ("", text),
        };
        let opaque = match rest.strip_prefix('"') {
            Some(rest) => rest.strip_suffix('"')?,
            None => rest,
        };
        let bare = rest.len() == opaque.len();
        let fits = |byte: u8| matches!(byte, 0x21 | 0x23..=0x7e) && !(bare && byte == b',');
        (opaque.bytes().all(fits) && !(bare && opaque.is_empty()))
            .then(|| Self(format!("{weak}\"{opaque}\"")))
    }

    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Section 8.8.3.2. `If-Match` asks for the strong comparison; a weak tag of a server that has no other would then never
    /// match, so it is compared weakly here, where nothing but ICE credentials hangs on it.
    pub fn matches(&self, other: &Self) -> bool {
        let opaque = |tag: &str| tag.strip_prefix("W/").map_or_else(|| tag.to_owned(), str::to_owned);
        opaque(&self.0) == opaque(&other.0)
    }
}

impl fmt::Display for EntityTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl IfMatch {
    /// `None` for what is no such header.
    pub fn parse(text: &str) -> Option<Self> {
        if matches!(text.trim_matches([' ', '\t']), "*" | "\"*\"") {
            return Some(Self::Any);
        }
        if text.len() > MOST * LONGEST {
            return None;
        }
        let mut tags = Vec::new();
        let mut rest = text;
        while !rest.trim_matches([' ', '\t', ',']).is_empty() {
            let (tag, behind) = next(rest);
            rest = behind;
            if !tag.trim_matches([' ', '\t']).is_empty() {
                tags.push(EntityTag::parse(tag)?);
            }
            if tags.len() > MOST {
                return None;
            }
        }
        (!tags.is_empty()).then_some(Self::Tags(tags))
    }

    pub fn matches(&self, current: &EntityTag) -> bool {
        match self {
            Self::Any => true,
            Self::Tags(tags) => tags.iter().any(|tag| tag.matches(current)),
        }
    }
}

/// Up to the next comma outside of quotes, and what follows it. A tag knows no escapes.
fn next(text: &str) -> (&str, &str) {
    let mut quoted = false;
    for (index, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b',' if !quoted => return (&text[..index], &text[index + 1..]),
            _ => {}
        }
    }
    (text, "")
}

#[cfg(test)]
mod tests {
    use super::{EntityTag, IfMatch};

    fn tag(text: &str) -> EntityTag {
        EntityTag::parse(text).unwrap()
    }

    #[test]
    fn tags_are_read_strong_weak_and_without_quotes() {
        assert_eq!(tag(" \"xyzzy\" ").as_str(), "\"xyzzy\"");
        assert_eq!(tag("W/\"a,b\"").as_str(), "W/\"a,b\"");
        assert_eq!(tag("\"\"").as_str(), "\"\"");
        assert_eq!(tag("38sdf4fdsf54:EsAw").as_str(), "\"38sdf4fdsf54:EsAw\"");
        let long = "a".repeat(300);
        for bad in ["", "\"", "\"a", "a\"", "\"a\"b\"", "\"a b\"", "W/", "\"ä\"", "a,b", &long] {
            assert_eq!(EntityTag::parse(bad), None, "{bad}");
        }
        assert_eq!(EntityTag::strong("a\"b"), None);
    }

    #[test]
    fn if_match_is_any_or_a_list() {
        assert_eq!(IfMatch::parse("*"), Some(IfMatch::Any));
        assert_eq!(IfMatch::parse(" \"*\" "), Some(IfMatch::Any));
        let list = IfMatch::parse("\"a\", W/\"b,c\",, d").unwrap();
        assert_eq!(list, IfMatch::Tags(vec![tag("\"a\""), tag("W/\"b,c\""), tag("d")]));
        assert!(list.matches(&tag("\"b,c\"")) && !list.matches(&tag("\"b\"")));
        for bad in ["", " , ", "\"a\" \"b\"", "\"a", &"\"a\",".repeat(40)] {
            assert_eq!(IfMatch::parse(bad), None, "{bad}");
        }
    }
}
