//! One request, and where redirects take it.

use super::{Cause, MAX_BODY, MAX_URL, Refusal, Token, text};
use http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use url::{Host, Url};

const MOST_REDIRECTS: u8 = 5;

/// What is to be sent. The token stands among the headers, marked as sensitive.
#[derive(Debug, Clone)]
pub struct Request {
    pub method: Method,
    pub url: Url,
    pub headers: HeaderMap,
    pub body: String,
}

/// What came back; a longer body than [`MAX_BODY`] is not read.
#[derive(Debug, Clone)]
pub struct Response {
    pub status: StatusCode,
    pub headers: HeaderMap,
    pub body: Vec<u8>,
}

/// A request that is under way.
#[derive(Debug, Clone)]
pub struct Exchange {
    request: Request,
    token: Option<Token>,
    withheld: bool,
    redirects: u8,
}

/// What follows from a response.
#[derive(Debug, Clone)]
pub enum Step {
    /// Send this one's request.
    Again(Exchange),
    Done(Answered),
    Failed(Refusal),
}

/// A response, and who gave it.
#[derive(Debug, Clone)]
pub struct Answered {
    /// After redirects.
    pub url: Url,
    pub response: Response,
    pub(super) token_sent: bool,
    /// There is one, but it was for another server.
    pub(super) token_withheld: bool,
}

impl Exchange {
    pub(super) fn new(method: Method, url: Url, token: Option<&Token>) -> Self {
        let request = Request { method, url, headers: HeaderMap::new(), body: String::new() };
        let mut exchange = Self { request, token: token.cloned(), withheld: false, redirects: 0 };
        exchange.authorize();
        exchange
    }

    pub(super) fn with_body(mut self, kind: &'static str, body: String) -> Self {
        self.request.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
        self.request.body = body;
        self
    }

    pub(super) fn with_header(mut self, name: header::HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.request.headers.insert(name, value);
        }
        self
    }

    pub fn request(&self) -> &Request {
        &self.request
    }

    /// Follows a redirect, or ends.
    pub fn handle_response(self, response: Response) -> Step {
        if response.body.len() > MAX_BODY {
            let message =
                format!("{} answered with more than {} kB", place(&self.request.url), MAX_BODY / 1024);
            return Step::Failed(Refusal::new(Cause::Nonsense, message));
        }
        let redirected = matches!(response.status.as_u16(), 301 | 302 | 307 | 308);
        if !redirected {
            let token_sent = self.request.headers.contains_key(header::AUTHORIZATION);
            let Request { url, .. } = self.request;
            return Step::Done(Answered { url, response, token_sent, token_withheld: self.withheld });
        }
        match self.follow(&response) {
            Ok(exchange) => Step::Again(exchange),
            Err(words) => {
                let status = Some(response.status.as_u16());
                Step::Failed(Refusal { status, ..Refusal::new(Cause::Redirect, words) })
            }
        }
    }

    /// The same request elsewhere. The method stays, as it must with 307 and 308 and may with the others (RFC 9110 section
    /// 15.4): an offer that turned into a GET would be of no use.
    fn follow(mut self, response: &Response) -> Result<Self, String> {
        let from = place(&self.request.url);
        if self.redirects == MOST_REDIRECTS {
            return Err(format!("{from} redirects once more, after {MOST_REDIRECTS} redirects"));
        }
        let location =
            response.text(header::LOCATION).ok_or_else(|| format!("{from} redirects to nowhere"))?;
        let url = resolve(&self.request.url, location)?;
        self.withheld |= self.token.is_some() && url.origin() != self.request.url.origin();
        if self.withheld {
            self.token = None;
        }
        self.request.url = url;
        self.redirects += 1;
        self.authorize();
        Ok(self)
    }

    fn authorize(&mut self) {
        self.request.headers.remove(header::AUTHORIZATION);
        let Some(token) = &self.token else { return };
        if let Ok(mut value) = HeaderValue::from_str(&format!("Bearer {}", token.expose())) {
            value.set_sensitive(true);
            self.request.headers.insert(header::AUTHORIZATION, value);
        }
    }
}

impl Answered {
    pub(super) fn place(&self) -> String {
        place(&self.url)
    }

    /// Of the answer's `Location`.
    pub(super) fn location(&self) -> Result<Url, String> {
        let location = self
            .response
            .text(header::LOCATION)
            .ok_or_else(|| format!("{} gave no Location", self.place()))?;
        resolve(&self.url, location)
    }
}

/// Where a server sends us.
///
/// # Errors
/// In words: what is no URL, leaves encryption, or leads from elsewhere into this machine.
fn resolve(base: &Url, location: &str) -> Result<Url, String> {
    let from = place(base);
    let broken = || format!("{from} sends to {:?}, which is no URL to follow", text::shown(location));
    if location.trim().is_empty() || location.len() > MAX_URL {
        return Err(broken());
    }
    let mut url = base.join(location.trim()).map_err(|_| broken())?;
    url.set_fragment(None);
    if !matches!(url.scheme(), "https" | "http")
        || url.as_str().len() > MAX_URL
        || !url.username().is_empty()
        || url.password().is_some()
    {
        return Err(broken());
    }
    if base.scheme() == "https" && url.scheme() == "http" {
        return Err(format!("{from} sends to {}, which is not encrypted", place(&url)));
    }
    if is_loopback(&url) && !is_loopback(base) {
        return Err(format!("{from} sends to {}, which is this machine", place(&url)));
    }
    Ok(url)
}

/// Scheme, host and port, to be shown: paths and queries have secrets in them.
pub(super) fn place(url: &Url) -> String {
    text::shown(&url.origin().ascii_serialization())
}

/// The URL leads to this very machine: no proxy is asked.
pub fn is_loopback(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.trim_end_matches('.');
            name.eq_ignore_ascii_case("localhost") || name.to_ascii_lowercase().ends_with(".localhost")
        }
        Some(Host::Ipv4(ip)) => ip.is_loopback() || ip.is_unspecified(),
        Some(Host::Ipv6(ip)) => {
            ip.is_loopback() || ip.is_unspecified() || ip.to_ipv4_mapped().is_some_and(|ip| ip.is_loopback())
        }
        None => false,
    }
}
