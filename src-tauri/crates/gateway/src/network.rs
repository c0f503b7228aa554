//! Where the parts of the gateway listen, who may come there, and how much of it there may be.

use crate::{GatewayError, wcs::MOST_CLIENTS};
use sidetone_api::Secret;
use std::{fmt, net::SocketAddr, path::PathBuf};

/// Listeners besides the one on loopback, or in its place. By default there are none: everything has one port there.
#[derive(Debug, Clone, Default)]
pub struct Network {
    /// Pages, WHIP and WHEP exactly here instead.
    pub http: Option<SocketAddr>,
    /// The Web SDK's sockets here and at `wss`, and nowhere else.
    pub ws: Vec<SocketAddr>,
    /// The same by TLS.
    pub wss: Vec<SocketAddr>,
    /// Pages, WHIP and WHEP by TLS, besides where they are without.
    pub https: Vec<SocketAddr>,
    /// Who we are where we speak TLS.
    pub tls: Option<TlsIdentity>,
    /// The REST API here, and nowhere else.
    pub rest: Option<SocketAddr>,
    /// There by TLS.
    pub rest_tls: bool,
    pub access: Access,
    pub limits: Limits,
}

/// A certificate chain, the server's own first, and its key: PEM text.
#[derive(Clone)]
pub struct TlsIdentity {
    pub certificates: String,
    pub key: Secret,
}

impl fmt::Debug for TlsIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TlsIdentity").finish_non_exhaustive()
    }
}

/// Who may come.
#[derive(Debug, Clone, Default)]
pub struct Access {
    /// Names by which listeners beyond loopback are reached, besides their addresses: `gateway.example`, or with a port where
    /// another one than ours is seen from outside.
    pub hosts: Vec<String>,
    /// Pages that may use streams, sessions and the REST API, besides those of this machine and of the listener's own host:
    /// `https://app.example`. `*`: any page.
    pub origins: Vec<String>,
    /// Folder of the WAV files that the REST API lets calls hear.
    pub sounds: Option<PathBuf>,
    /// Who may use the REST API. Beyond loopback nobody may without.
    pub rest: Option<RestUser>,
    /// Beyond loopback without TLS, too, where everybody on the way can read the password.
    pub rest_in_the_open: bool,
}

/// User and password of HTTP Basic (RFC 7617).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RestUser {
    pub user: String,
    pub password: Secret,
}

/// What there may be at most.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Sockets of the Web SDK at a time, 1 to 2000.
    pub sessions: usize,
    /// Messages a second of one of them, which is read more slowly after four times as many.
    pub messages_per_second: u32,
    /// Requests a second at the REST API; twice as many at once. More are answered 429.
    pub rest_per_second: u32,
}

impl Default for Limits {
    fn default() -> Self {
        Self { sessions: MOST_CLIENTS, messages_per_second: 50, rest_per_second: 100 }
    }
}

/// What a listener is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    Http,
    Ws,
    Wss,
    Https,
    Rest,
    RestTls,
}

impl Purpose {
    /// As in a URL.
    pub fn scheme(self) -> &'static str {
        match self {
            Self::Http | Self::Rest => "http",
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Https | Self::RestTls => "https",
        }
    }

    pub(crate) fn is_secure(self) -> bool {
        matches!(self, Self::Wss | Self::Https | Self::RestTls)
    }

    pub fn name(self) -> &'static str {
        match self {
            Self::Http => "http",
            Self::Ws => "ws",
            Self::Wss => "wss",
            Self::Https => "https",
            Self::Rest | Self::RestTls => "rest",
        }
    }
}

impl Network {
    /// Those that must be had exactly as they are.
    pub(crate) fn exact(&self) -> impl Iterator<Item = (Purpose, SocketAddr)> {
        let ws = self.ws.iter().map(|address| (Purpose::Ws, *address));
        let wss = self.wss.iter().map(|address| (Purpose::Wss, *address));
        let https = self.https.iter().map(|address| (Purpose::Https, *address));
        let rest = if self.rest_tls { Purpose::RestTls } else { Purpose::Rest };
        ws.chain(wss).chain(https).chain(self.rest.map(|address| (rest, address)))
    }

    pub(crate) fn check(&self) -> Result<(), GatewayError> {
        let wrong = |field, words: String| Err(GatewayError::Wrong { field, words });
        let wants_tls = [
            ("wss-listen", !self.wss.is_empty()),
            ("https-listen", !self.https.is_empty()),
            ("rest-tls", self.rest_tls),
        ];
        if let Some((field, _)) = wants_tls.into_iter().find(|(_, wants)| *wants && self.tls.is_none()) {
            return wrong(field, "it needs a certificate and its key".into());
        }
        if self.rest_tls && self.rest.is_none() {
            return wrong(
                "rest-tls",
                "it needs rest-listen; where https-listen is, the REST API is by TLS".into(),
            );
        }
        if self.rest.is_some_and(|rest| !rest.ip().is_loopback()) {
            if self.access.rest.is_none() {
                return wrong("rest-listen", "beyond loopback it needs a user and a password".into());
            }
            if !self.rest_tls && !self.access.rest_in_the_open {
                let words = "beyond loopback it needs rest-tls, as everybody on the way can read the password without; \
                             rest-in-the-open allows that where the way is safe";
                return wrong("rest-listen", words.into());
            }
        }
        if let Some(RestUser { user, password }) = &self.access.rest {
            if user.is_empty() || user.contains(':') || user.chars().any(char::is_control) {
                return wrong("rest-user", "it is a line without a colon".into());
            }
            if password.expose().is_empty() {
                return wrong("rest-password", "it is empty".into());
            }
        }
        let Limits { sessions, messages_per_second, rest_per_second } = self.limits;
        if !(1..=MOST_CLIENTS).contains(&sessions) {
            return wrong("limits.sessions", format!("it is from 1 to {MOST_CLIENTS}"));
        }
        if !(1..=MOST_A_SECOND).contains(&messages_per_second) {
            return wrong("limits.messages-per-second", format!("it is from 1 to {MOST_A_SECOND}"));
        }
        if !(1..=MOST_A_SECOND).contains(&rest_per_second) {
            return wrong("limits.rest-per-second", format!("it is from 1 to {MOST_A_SECOND}"));
        }
        self.access.hosts.iter().try_for_each(|host| check_host(host))?;
        self.access.origins.iter().try_for_each(|origin| check_origin(origin))
    }
}

const MOST_A_SECOND: u32 = 100_000;

fn check_host(host: &str) -> Result<(), GatewayError> {
    let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
    if !host.is_empty() && host.len() <= 255 && host.chars().all(plain) {
        return Ok(());
    }
    Err(GatewayError::Wrong { field: "hosts", words: format!("{host:?} is no name of a host") })
}

fn check_origin(origin: &str) -> Result<(), GatewayError> {
    let rest = origin.strip_prefix("https://").or_else(|| origin.strip_prefix("http://"));
    let is_host = |rest: &str| !rest.is_empty() && !rest.contains(['/', '?', '#', '@', '*', ' ']);
    if origin == "*" || rest.is_some_and(is_host) {
        return Ok(());
    }
    let words = format!("{origin:?} is no origin: https://app.example, without a path, or *");
    Err(GatewayError::Wrong { field: "origins", words })
}

#[cfg(test)]
mod tests {
    use super::{Access, Limits, Network, RestUser, TlsIdentity};
    use sidetone_api::Secret;

    #[test]
    fn what_cannot_be_is_named() {
        let user = |user: &str| {
            let rest = Some(RestUser { user: user.into(), password: Secret::new("x") });
            Network { access: Access { rest, ..Access::default() }, ..Network::default() }
        };
        let anywhere = || "0.0.0.0:0".parse().unwrap();
        let access = |hosts: &str, origins: &str| {
            let list = |text: &str| text.split_whitespace().map(String::from).collect();
            let access = Access { hosts: list(hosts), origins: list(origins), ..Access::default() };
            Network { access, ..Network::default() }
        };
        let limits = |limits| Network { limits, ..Network::default() };
        let usual = Limits::default();
        let tls = || TlsIdentity { certificates: String::new(), key: Secret::new("") };
        let mut in_the_open = Network { rest: Some(anywhere()), ..user("backend") };
        in_the_open.access.rest_in_the_open = true;
        for (network, field) in [
            (Network { wss: vec![anywhere()], ..Network::default() }, "wss-listen"),
            (Network { https: vec![anywhere()], ..Network::default() }, "https-listen"),
            (Network { rest: Some(anywhere()), ..Network::default() }, "rest-listen"),
            (Network { rest: Some(anywhere()), ..user("backend") }, "rest-listen"),
            (Network { rest: Some(anywhere()), rest_tls: true, ..user("backend") }, "rest-tls"),
            (Network { rest_tls: true, tls: Some(tls()), ..Network::default() }, "rest-tls"),
            (user("a:b"), "rest-user"),
            (user(""), "rest-user"),
            (access("a/b", ""), "hosts"),
            (access("", "app.example"), "origins"),
            (access("", "https://app.example/"), "origins"),
            (limits(Limits { sessions: 0, ..usual }), "limits.sessions"),
            (limits(Limits { sessions: 2_001, ..usual }), "limits.sessions"),
            (limits(Limits { messages_per_second: 0, ..usual }), "limits.messages-per-second"),
            (limits(Limits { rest_per_second: 0, ..usual }), "limits.rest-per-second"),
        ] {
            let error = network.check().unwrap_err().to_string();
            assert!(error.starts_with(&format!("{field}: ")), "{field}: {error}");
        }
        for good in [
            user("backend"),
            access("gateway.example gateway.example:8443 [2001:db8::1]:80", "* https://app.example:8443"),
            Network { rest: Some("127.0.0.1:0".parse().unwrap()), ..Network::default() },
            Network { rest: Some(anywhere()), rest_tls: true, tls: Some(tls()), ..user("backend") },
            in_the_open,
        ] {
            good.check().unwrap();
        }
    }
}
