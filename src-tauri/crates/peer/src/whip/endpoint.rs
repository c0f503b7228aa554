use super::{
    Answered, Cause, Exchange, IceServer, Link, MAX_BODY, MAX_URL, Refusal, Resource, SDP, Token,
    exchange::{is_loopback, place},
    read_links,
};
use http::{Method, StatusCode, header};
use std::{fmt, time::SystemTime};
use url::Url;

#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// To publish.
    Whip,
    /// To play.
    Whep,
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Whip => "WHIP",
            Self::Whep => "WHEP",
        })
    }
}

/// Where streams are published or played.
#[derive(Clone)]
pub struct Endpoint {
    kind: Kind,
    url: Url,
    token: Option<Token>,
}

#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EndpointError {
    #[error("this is no URL: {0}")]
    Url(String),
    #[error("the URL begins with https:// or http://")]
    Scheme,
    #[error("the URL has more than {MAX_URL} characters")]
    TooLong,
    #[error("a user and a password in the URL would be shown and logged: give the endpoint's token instead")]
    UserInfo,
}

/// What an offer led to.
#[derive(Debug, Clone)]
pub enum Opened {
    /// The server answered.
    Answered {
        /// SDP.
        answer: String,
        resource: Resource,
        ice_servers: Vec<IceServer>,
        /// Links that are no ICE servers: extensions of the protocol.
        extensions: Vec<Link>,
    },
    /// A WHEP server that wants to make the offer; [`Resource::answer`] sends what we say to it.
    CounterOffer {
        /// SDP.
        offer: String,
        resource: Resource,
        ice_servers: Vec<IceServer>,
        extensions: Vec<Link>,
    },
}

impl Endpoint {
    /// # Errors
    /// [`EndpointError`], about the URL.
    pub fn new(kind: Kind, url: &str, token: Option<Token>) -> Result<Self, EndpointError> {
        if url.len() > MAX_URL {
            return Err(EndpointError::TooLong);
        }
        let mut url = Url::parse(url.trim()).map_err(|error| EndpointError::Url(error.to_string()))?;
        if !matches!(url.scheme(), "https" | "http") {
            return Err(EndpointError::Scheme);
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err(EndpointError::UserInfo);
        }
        url.set_fragment(None);
        Ok(Self { kind, url, token })
    }

    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// Scheme, host and port: fit for logs.
    pub fn place(&self) -> String {
        place(&self.url)
    }

    /// The token goes over the network for everybody to read.
    pub fn exposes_token(&self) -> bool {
        self.token.is_some() && self.url.scheme() == "http" && !is_loopback(&self.url)
    }

    /// Asks for the ICE servers before there is an offer, which not every server tells (RFC 9725 section 4.6). Without token, as
    /// a preflight has none.
    pub fn options(&self) -> Exchange {
        Exchange::new(Method::OPTIONS, self.url.clone(), None)
    }

    /// ICE servers of the answer to [`Endpoint::options`]; none where there is no such answer.
    pub fn read_options(answered: &Answered) -> Vec<IceServer> {
        if answered.response.status.is_success() { IceServer::of_links(&links(answered)) } else { Vec::new() }
    }

    /// Sends an offer.
    ///
    /// # Errors
    /// An offer that no server would read.
    pub fn offer(&self, sdp: &str) -> Result<Exchange, Refusal> {
        if sdp.len() > MAX_BODY {
            return Err(Refusal::new(
                Cause::Offer,
                format!("an offer of more than {} kB is not sent", MAX_BODY / 1024),
            ));
        }
        let exchange = Exchange::new(Method::POST, self.url.clone(), self.token.as_ref());
        Ok(exchange.with_header(header::ACCEPT, SDP).with_body(SDP, sdp.to_owned()))
    }

    /// Reads what came of [`Endpoint::offer`]. `now` is for a `Retry-After` with a date.
    ///
    /// # Errors
    /// [`Refusal`], also where the answer cannot be used.
    pub fn read_opened(&self, answered: &Answered, now: SystemTime) -> Result<Opened, Refusal> {
        let response = &answered.response;
        let counter = self.kind == Kind::Whep
            && response.status == StatusCode::NOT_ACCEPTABLE
            && response.media_type() == SDP;
        // Some servers answer 200 where 201 is wanted.
        if !counter && !matches!(response.status, StatusCode::CREATED | StatusCode::OK) {
            return Err(Refusal::of_offer(self.kind, answered, now));
        }
        let nonsense = |words: String| Refusal {
            status: Some(response.status.as_u16()),
            ..Refusal::new(Cause::Nonsense, words)
        };
        // Some leave the type away.
        let kind = response.media_type();
        let sdp =
            std::str::from_utf8(&response.body).ok().filter(|body| body.trim_start().starts_with("v=0"));
        let Some(sdp) = sdp.filter(|_| kind == SDP || kind.is_empty()) else {
            let place = answered.place();
            return Err(nonsense(format!("{place} gave no SDP in its answer: is this a {} URL?", self.kind)));
        };
        let resource = Resource::of(answered, self).map_err(nonsense)?;
        let (ice, extensions): (Vec<_>, Vec<_>) =
            links(answered).into_iter().partition(|link| link.is("ice-server"));
        let (sdp, ice_servers) = (sdp.to_owned(), IceServer::of_links(&ice));
        Ok(if counter {
            Opened::CounterOffer { offer: sdp, resource, ice_servers, extensions }
        } else {
            Opened::Answered { answer: sdp, resource, ice_servers, extensions }
        })
    }

    /// The token that a session at `url` is shown: by RFC 9725 section 4.7 that of its endpoint, also where the session lives on
    /// another server, but there not in the clear, and not where the one who sent us there never had it.
    pub(super) fn token_for(&self, url: &Url, answered: &Answered) -> Option<Token> {
        let own = url.origin() == self.url.origin();
        let told = answered.token_sent && url.scheme() == "https";
        let near = answered.token_sent && url.origin() == answered.url.origin();
        self.token.clone().filter(|_| own || told || near)
    }
}

/// A path or query can be a secret.
impl fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Endpoint")
            .field("kind", &self.kind)
            .field("at", &self.place())
            .finish_non_exhaustive()
    }
}

fn links(answered: &Answered) -> Vec<Link> {
    let headers = answered.response.headers.get_all(header::LINK);
    read_links(headers.iter().filter_map(|value| value.to_str().ok()))
}
