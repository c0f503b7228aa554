//! `ws://host:port/path` and `wss://…`: where an account's WebSocket server is.

use sidetone_sip::Transport;
use sidetone_sip::message::Host;

const LONGEST: usize = 512;

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct WebSocketUrl {
    pub(crate) secure: bool,
    /// A name or an address, without brackets.
    pub(crate) host: String,
    pub(crate) port: Option<u16>,
    /// With its `?query`; begins with `/`.
    pub(crate) path: String,
}

impl WebSocketUrl {
    /// # Errors
    /// What is wrong with it, in words.
    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let wrong = |why: &str| format!("{text:?} is no wss://host:port/path: {why}");
        if text.len() > LONGEST {
            return Err(format!("{LONGEST} bytes are the most"));
        }
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err(wrong("it has spaces or other characters that a URL cannot have"));
        }
        let (scheme, rest) = text.split_once("://").ok_or_else(|| wrong("it begins with wss:// or ws://"))?;
        let secure = match scheme.to_ascii_lowercase().as_str() {
            "wss" => true,
            "ws" => false,
            _ => return Err(wrong("it begins with wss:// or ws://")),
        };
        let end = rest.find(['/', '?', '#']).unwrap_or(rest.len());
        let (authority, path) = rest.split_at(end);
        if path.contains('#') {
            return Err(wrong("it has a #fragment"));
        }
        if authority.contains('@') {
            return Err(wrong("a user or password in it is not sent"));
        }
        let (host, port) = match authority.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => {
                let port = port.parse().ok().filter(|&port: &u16| port != 0);
                (host, Some(port.ok_or_else(|| wrong("the port is a number from 1 to 65535"))?))
            }
            _ => (authority, None),
        };
        let host = Host::parse(host).map_err(|error| wrong(&error.to_string()))?;
        let path = if path.starts_with('/') { path.to_owned() } else { format!("/{path}") };
        Ok(Self { secure, host: host.bare().to_ascii_lowercase(), port, path })
    }

    /// As it is asked for.
    pub(crate) fn text(&self) -> String {
        let scheme = if self.secure { "wss" } else { "ws" };
        let host = if self.host.contains(':') { format!("[{}]", self.host) } else { self.host.clone() };
        let port = self.port.map(|port| format!(":{port}")).unwrap_or_default();
        format!("{scheme}://{host}{port}{}", self.path)
    }

    pub(crate) fn transport(&self) -> Transport {
        if self.secure { Transport::Wss } else { Transport::Ws }
    }
}

#[cfg(test)]
mod tests {
    use super::WebSocketUrl;

    #[test]
    fn host_port_and_path_are_read() {
        let read = |text| WebSocketUrl::parse(text).map(|url| (url.secure, url.host, url.port, url.path));
        assert_eq!(
            read("wss://PBX.example:8089/ws"),
            Ok((true, "pbx.example".into(), Some(8089), "/ws".into()))
        );
        assert_eq!(read("ws://pbx.example"), Ok((false, "pbx.example".into(), None, "/".into())));
        assert_eq!(read("wss://[::1]:8443?a=b"), Ok((true, "::1".into(), Some(8443), "/?a=b".into())));
        assert_eq!(read("wss://[::1]"), Ok((true, "::1".into(), None, "/".into())));
    }

    #[test]
    fn what_is_none_is_refused() {
        for text in [
            "",
            "wss://",
            "http://x",
            "pbx.example",
            "wss://x:0",
            "wss://x:99999",
            "wss://a b",
            "wss://u:p@x",
            "wss://x/#f",
        ] {
            assert!(WebSocketUrl::parse(text).is_err(), "{text}");
        }
    }
}
