//! Links that hosts of other Sidetones give: `https://host:port/guest/#room=NAME&invite=TOKEN`.

use sidetone_api::Secret;

const LONGEST: usize = 2_048;

#[derive(Debug)]
pub(super) struct Link {
    /// As sessions have it; `None` where only the token is known.
    pub(super) server: Option<String>,
    pub(super) room: Option<String>,
    pub(super) token: Secret,
}

impl Link {
    /// A link, or the token of one.
    ///
    /// # Errors
    /// In words, without the token.
    pub(super) fn parse(text: &str) -> Result<Self, String> {
        let text = text.trim();
        if text.is_empty() || text.len() > LONGEST {
            return Err(format!("a link has 1 to {LONGEST} bytes"));
        }
        let Some((scheme, rest)) = text.split_once("://") else {
            if !text.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
                return Err("this is neither a link nor the token of one".into());
            }
            return Ok(Self { server: None, room: None, token: Secret::new(text) });
        };
        let scheme = match scheme.to_ascii_lowercase().as_str() {
            "https" => "wss",
            "http" => "ws",
            _ => return Err("a link to a meeting begins with https://".into()),
        };
        let (place, fragment) = rest.split_once('#').ok_or("there is no room in this link")?;
        let host = place.split('/').next().filter(|host| !host.is_empty());
        let host = host.ok_or("there is no host in this link")?;
        let field = |key: &str| {
            let mut pairs = fragment.split('&').filter_map(|pair| pair.split_once('='));
            pairs.find(|(name, _)| *name == key).map(|(_, value)| plain(value))
        };
        let room = field("room").flatten().ok_or("there is no room in this link")?;
        let token = field("invite").flatten().ok_or("there is no invite in this link")?;
        Ok(Self { server: Some(format!("{scheme}://{host}")), room: Some(room), token: Secret::new(token) })
    }
}

/// Without its escapes (RFC 3986, section 2.1).
fn plain(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        rest = after;
        if *first != b'%' {
            bytes.push(*first);
            continue;
        }
        let (hex, after) = rest.split_at_checked(2)?;
        bytes.push(u8::from_str_radix(std::str::from_utf8(hex).ok()?, 16).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok().filter(|text| !text.is_empty())
}

#[cfg(test)]
mod tests {
    use super::Link;

    #[test]
    fn a_link_names_the_server_the_room_and_the_invite() {
        let link =
            Link::parse(" https://192.0.2.1:8443/guest/#room=caf%C3%A9&invite=0a1b&login=Ada%20L ").unwrap();
        assert_eq!(link.server.as_deref(), Some("wss://192.0.2.1:8443"));
        assert_eq!(link.room.as_deref(), Some("café"));
        assert_eq!(link.token.expose(), "0a1b");
        let local = Link::parse("http://127.0.0.1:8088/guest/#room=tea&invite=0a1b").unwrap();
        assert_eq!(local.server.as_deref(), Some("ws://127.0.0.1:8088"));
        assert_eq!(Link::parse("0a1b").unwrap().token.expose(), "0a1b");
    }

    #[test]
    fn what_is_no_link_is_refused_without_its_token() {
        for wrong in [
            "",
            "ftp://x/#room=tea&invite=0a1b",
            "https://x/guest/",
            "https://x/guest/#room=tea",
            "https://x/guest/#invite=0a1b",
            "https:///guest/#room=tea&invite=0a1b",
            "https://x/guest/#room=%zz&invite=0a1b",
            "https://x/guest/#room=%ff&invite=0a1b",
            "0a1b 0a1b",
        ] {
            let words = Link::parse(wrong).unwrap_err();
            assert!(!words.contains("0a1b"), "{words}");
        }
    }
}
