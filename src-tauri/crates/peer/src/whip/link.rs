//! `Link` headers (RFC 8288).

use std::fmt;

/// Links that are read of all headers of a response.
const MOST_LINKS: usize = 32;
const MOST_PARAMETERS: usize = 16;
const LONGEST_HEADER: usize = 8 * 1024;

/// One link: where to, and what it is.
#[derive(Clone, PartialEq, Eq)]
pub struct Link {
    /// As it stands between the angle brackets: absolute or relative.
    pub target: String,
    /// In order, names in lower case, values without quotes.
    pub parameters: Vec<(String, String)>,
}

impl Link {
    /// The first parameter of this name.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// `rel` has several relations in one text (section 3.3); their case does not matter.
    pub fn is(&self, relation: &str) -> bool {
        self.parameter("rel")
            .is_some_and(|rel| rel.split_whitespace().any(|one| one.eq_ignore_ascii_case(relation)))
    }
}

/// A credential may be among the parameters.
impl fmt::Debug for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Link")
            .field("target", &self.target)
            .field("rel", &self.parameter("rel"))
            .finish_non_exhaustive()
    }
}

/// As it stands in a header. What cannot be sent in one is left out.
impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sent = |character: &char| matches!(character, ' '..='~');
        let target: String =
            self.target.chars().filter(|c| sent(c) && !matches!(c, '<' | '>' | ' ')).collect();
        write!(f, "<{target}>")?;
        for (name, value) in &self.parameters {
            write!(f, "; {name}=\"")?;
            for character in value.chars().filter(sent) {
                if matches!(character, '"' | '\\') {
                    f.write_str("\\")?;
                }
                write!(f, "{character}")?;
            }
            f.write_str("\"")?;
        }
        Ok(())
    }
}

/// All links of a response's `Link` headers. What cannot be read is left out, along with the rest of its header.
pub fn read_links<'a>(headers: impl IntoIterator<Item = &'a str>) -> Vec<Link> {
    let mut links = Vec::new();
    for header in headers {
        let mut reader = Reader(if header.len() > LONGEST_HEADER { "" } else { header });
        while links.len() < MOST_LINKS {
            reader.skip_separators();
            let Some(link) = reader.link() else { break };
            links.push(link);
        }
    }
    links
}

/// What is left of a header.
struct Reader<'a>(&'a str);

impl Reader<'_> {
    fn skip_separators(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t', ',']);
    }

    fn skip_space(&mut self) {
        self.0 = self.0.trim_start_matches([' ', '\t']);
    }

    fn link(&mut self) -> Option<Link> {
        let (target, rest) = self.0.strip_prefix('<')?.split_once('>')?;
        self.0 = rest;
        let mut parameters = Vec::new();
        loop {
            self.skip_space();
            let Some(rest) = self.0.strip_prefix(';') else { break };
            self.0 = rest;
            self.skip_space();
            if let Some(parameter) = self.parameter()? {
                if parameters.len() == MOST_PARAMETERS {
                    return None;
                }
                parameters.push(parameter);
            }
        }
        if !(self.0.is_empty() || self.0.starts_with(',')) {
            return None;
        }
        Some(Link { target: target.trim().to_owned(), parameters })
    }

    /// `None` where the header is broken; nothing within where a semicolon stands alone.
    #[allow(clippy::option_option)]
    fn parameter(&mut self) -> Option<Option<(String, String)>> {
        let end = self.0.find(|c: char| !is_token(c)).unwrap_or(self.0.len());
        let (name, rest) = self.0.split_at(end);
        self.0 = rest;
        if name.is_empty() {
            let alone = rest.is_empty() || rest.starts_with([';', ',']);
            return alone.then_some(None);
        }
        let name = name.to_ascii_lowercase();
        self.skip_space();
        let Some(rest) = self.0.strip_prefix('=') else { return Some(Some((name, String::new()))) };
        self.0 = rest;
        self.skip_space();
        let value = if self.0.starts_with('"') { self.quoted()? } else { self.plain() };
        Some(Some((name, value)))
    }

    /// A value without quotes ends at a semicolon or comma: credentials with `=` and `/` are sent so.
    fn plain(&mut self) -> String {
        let end = self.0.find([';', ',', ' ', '\t', '"']).unwrap_or(self.0.len());
        let (value, rest) = self.0.split_at(end);
        self.0 = rest;
        value.to_owned()
    }

    /// RFC 9110 section 5.6.4.
    fn quoted(&mut self) -> Option<String> {
        let mut value = String::new();
        let mut characters = self.0.char_indices().skip(1);
        while let Some((index, character)) = characters.next() {
            match character {
                '"' => {
                    self.0 = &self.0[index + 1..];
                    return Some(value);
                }
                '\\' => value.push(characters.next()?.1),
                other => value.push(other),
            }
        }
        None
    }
}

fn is_token(character: char) -> bool {
    character.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(character)
}

#[cfg(test)]
mod tests {
    use super::{Link, read_links};

    #[test]
    fn several_links_in_one_header_and_in_several() {
        let links = read_links([
            "<stun:stun.example.net>; rel=\"ice-server\", <turn:turn.example.net?transport=udp>; rel=ice-server; \
             username=\"us\\\"er,;\"; credential=\"my<Pass>word\"; credential-type=\"password\"",
            "</s/1?a=1,2>;REL=\"urn:x Next\";flag;;",
        ]);
        assert_eq!(links.len(), 3);
        assert_eq!(links[1].parameter("username"), Some("us\"er,;"));
        assert_eq!(links[1].parameter("credential"), Some("my<Pass>word"));
        assert_eq!(links[2].target, "/s/1?a=1,2");
        assert!(links[2].is("next") && links[2].is("urn:x") && !links[2].is("ice-server"));
        assert_eq!(links[2].parameter("flag"), Some(""));
    }

    #[test]
    fn a_value_without_quotes_may_have_characters_of_base64() {
        let links = read_links(["<turn:t.example>;rel=ice-server;username=1700:u;credential=aZ/+9A=="]);
        assert_eq!(links[0].parameter("credential"), Some("aZ/+9A=="));
        assert_eq!(links[0].parameter("username"), Some("1700:u"));
    }

    #[test]
    fn what_is_printed_is_read_back() {
        let link = Link {
            target: "turn:t.example?transport=udp".into(),
            parameters: vec![("rel".into(), "ice-server".into()), ("username".into(), "a\\b\"c; d".into())],
        };
        assert_eq!(read_links([link.to_string().as_str()]), [link]);
    }

    #[test]
    fn a_broken_header_loses_its_rest_and_nothing_else() {
        for (broken, read) in [
            ("<a>; rel=x, nonsense, <b>; rel=x", 1),
            ("<a>; rel=\"x", 0),
            ("<a", 0),
            ("a", 0),
            (", , ", 0),
            ("<a> <b>", 0),
            ("<a>; rel=\"x\\", 0),
            ("<a>; =x", 0),
        ] {
            assert_eq!(read_links([broken]).len(), read, "{broken}");
        }
        assert_eq!(read_links(["<a", "<b>"]).len(), 1);
        assert_eq!(read_links(["<a>,".repeat(1000).as_str()]).len(), 32);
        assert!(read_links([format!("<a>{}", ";x=1".repeat(17)).as_str()]).is_empty());
        assert!(read_links([format!("<a>;x=\"{}\"", "x".repeat(9000)).as_str()]).is_empty());
    }

    #[test]
    fn a_credential_is_not_printed_for_logs() {
        let links = read_links(["<turn:t>; rel=ice-server; credential=hunter2"]);
        assert!(!format!("{links:?}").contains("hunter2"));
    }
}
