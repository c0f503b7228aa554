//! Hooks: one POST, one answer of bounded size within a bounded time, from the place that was asked and from no other.

use super::{Client, words};
use crate::{
    hooks::{Answer, Headers, Hook, Outcome, Trouble},
    io::tls::Trust,
};
use bytes::Bytes;
use hyper::ext::ReasonPhrase;
use reqwest::{
    Method,
    header::{ACCEPT, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue},
};
use std::{future::Future, time::Duration};
use tokio::{sync::OnceCell, time::timeout};
use url::Url;

/// Of an answer. What is longer is not read further, and no answer.
pub(crate) const LONGEST_ANSWER: usize = 256 * 1024;
const LONGEST_REASON: usize = 256;
const JSON: &str = "application/json;charset=UTF-8";

/// The integrator's backend.
#[derive(Debug)]
pub(crate) struct Backend {
    base: Url,
    trust: Trust,
    client: OnceCell<Result<Client, String>>,
}

/// One hook, on its way.
#[derive(Debug, Clone)]
pub(crate) struct Post {
    pub(crate) hook: Hook,
    /// Besides those that every hook has.
    pub(crate) headers: Headers,
    pub(crate) body: Bytes,
}

/// An answer, with what only a test of the backend shows.
#[derive(Debug)]
pub(crate) struct Exchanged {
    pub(crate) outcome: Outcome,
    pub(crate) headers: HeaderMap,
}

impl Backend {
    /// `base` is what [`read_url`] gave. `trusted_ca`: text that has been checked.
    pub(crate) fn new(base: Url, trusted_ca: Option<&str>) -> Self {
        Self { base, trust: Trust::of_hooks(trusted_ca), client: OnceCell::new() }
    }

    pub(crate) fn url(&self, hook: Hook) -> Url {
        below(&self.base, hook.name())
    }

    /// Dropped, it is given up.
    pub(crate) async fn post(&self, post: Post, limit: Duration) -> Exchanged {
        let mut headers = HeaderMap::new();
        let outcome = within(limit, self.exchange(post, &mut headers)).await;
        Exchanged { outcome, headers }
    }

    /// Whether anybody answers there, whatever it says.
    pub(crate) async fn is_answering(&self, limit: Duration) -> bool {
        let asked = async {
            let asked = self.client().await?.for_url(&self.base).request(Method::OPTIONS, self.base.clone());
            asked.send().await.map_err(|error| Trouble::Unreachable(words::of(&self.base, &error)))
        };
        within(limit, asked).await.is_ok()
    }

    async fn exchange(&self, post: Post, headers: &mut HeaderMap) -> Outcome {
        let url = self.url(post.hook);
        let network = |error| Trouble::Unreachable(words::of(&url, &error));
        let request = self.client().await?.for_url(&url).post(url.clone());
        let request = request.headers(all_headers(&post.headers)).body(post.body);
        let mut answer = request.send().await.map_err(network)?;
        let status = answer.status();
        *headers = std::mem::take(answer.headers_mut());
        let told = answer.extensions().get::<ReasonPhrase>().map(|phrase| phrase.as_bytes());
        let told = told.map(|phrase| String::from_utf8_lossy(phrase).chars().take(LONGEST_REASON).collect());
        let reason = told.unwrap_or_else(|| status.canonical_reason().unwrap_or_default().to_owned());
        let mut body = Vec::new();
        while let Some(chunk) = answer.chunk().await.map_err(network)? {
            if body.len() + chunk.len() > LONGEST_ANSWER {
                let words = format!("the backend's answer is longer than {} kB", LONGEST_ANSWER / 1024);
                return Err(Trouble::Unusable(words));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(Answer { status: status.as_u16(), reason, body })
    }

    /// Made when it is needed first: the system's authorities have to be read.
    async fn client(&self) -> Result<&Client, Trouble> {
        let client = self.client.get_or_init(|| Client::of_hooks(&self.trust)).await;
        client.as_ref().map_err(|reason| Trouble::Unreachable(reason.clone()))
    }
}

async fn within<T>(limit: Duration, done: impl Future<Output = Result<T, Trouble>>) -> Result<T, Trouble> {
    timeout(limit, done).await.unwrap_or(Err(Trouble::TimedOut))
}

/// # Errors
/// In words.
pub(crate) fn read_url(text: &str) -> Result<Url, String> {
    let url =
        Url::parse(text.trim()).map_err(|error| format!("{error}: http://host:port/path is expected"))?;
    match () {
        () if !matches!(url.scheme(), "http" | "https") => {
            Err(format!("{}: is not spoken, but http: and https:", url.scheme()))
        }
        () if url.host_str().is_none_or(str::is_empty) => Err("there is no host in it".into()),
        () if !url.username().is_empty() || url.password().is_some() => {
            Err("user and password do not belong into it, but into the authentication".into())
        }
        () if url.query().is_some() || url.fragment().is_some() => {
            Err("a query or fragment does not belong into it: the hooks' names are put behind it".into())
        }
        () => Ok(url),
    }
}

/// The name behind the path.
fn below(base: &Url, name: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}/{name}", base.path().trim_end_matches('/')));
    url
}

fn all_headers(own: &Headers) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(JSON));
    headers.insert(ACCEPT, HeaderValue::from_static("application/json"));
    for (name, value) in own {
        // What cannot stand in a header is left out: the backend refuses it then, and says so.
        if let Ok(mut value) = HeaderValue::from_str(value) {
            value.set_sensitive(*name == "authorization");
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    headers
}
