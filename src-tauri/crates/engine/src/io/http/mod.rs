//! HTTP clients: of streams, what `sidetone_peer::whip` says is to be asked, over real connections; and of hooks.
//!
//! [`Session`] is a stream's session at a WHIP or WHEP server, from its POST to its DELETE. [`Schedule`] says when a lost one is
//! tried again.

mod hooks;
#[cfg(test)]
mod hooks_tests;
mod lookup;
mod schedule;
mod session;
#[cfg(test)]
mod tests;
mod words;

pub(crate) use hooks::{Backend, Exchanged, Post, read_url};
pub(crate) use schedule::Schedule;
pub(crate) use session::{Began, Session};

use super::tls::Trust;
use lookup::Lookup;
use reqwest::{ClientBuilder, redirect};
use sidetone_peer::whip::{
    Answered, Cause, Exchange, MAX_BODY, Refusal, Request, Response, Step, is_loopback,
};
use std::{sync::Arc, time::Duration};
use url::Url;

/// Until a connection stands.
const CONNECTING: Duration = Duration::from_secs(5);
/// From the request to the last byte of the answer, redirects and all.
const LONGEST: Duration = Duration::from_secs(15);

/// Why nothing came of a request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Problem {
    /// No answer: in words.
    #[error("{0}")]
    Network(String),
    #[error("{0}")]
    Refused(#[from] Refusal),
}

impl Problem {
    /// Trying again may help without anybody's doing.
    pub(crate) fn may_pass(&self) -> bool {
        match self {
            Self::Network(_) => true,
            Self::Refused(refusal) => refusal.cause.may_pass(),
        }
    }

    pub(crate) fn cause(&self) -> Option<Cause> {
        match self {
            Self::Network(_) => None,
            Self::Refused(refusal) => Some(refusal.cause),
        }
    }

    /// How long the server asked us to wait.
    pub(crate) fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Network(_) => None,
            Self::Refused(refusal) => refusal.retry_after,
        }
    }
}

/// Connections to servers under one trust. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Client {
    /// To this very machine, past any proxy.
    direct: reqwest::Client,
    /// Through the proxy that the environment names, if any.
    remote: reqwest::Client,
}

impl Client {
    /// # Errors
    /// In words: the system's authorities cannot be read.
    pub(crate) async fn new(trust: &Trust) -> Result<Self, String> {
        Self::with(trust, |builder| builder).await
    }

    /// As [`Client::new`], for a place that is asked often: its name takes one thread at most.
    async fn of_hooks(trust: &Trust) -> Result<Self, String> {
        let lookup = Arc::new(Lookup::of_system());
        Self::with(trust, |builder| builder.dns_resolver(Arc::clone(&lookup))).await
    }

    async fn with(trust: &Trust, more: impl Fn(ClientBuilder) -> ClientBuilder) -> Result<Self, String> {
        let config = trust.web_config().await?;
        let build = |builder: ClientBuilder| {
            more(builder)
                .tls_backend_preconfigured((*config).clone())
                .redirect(redirect::Policy::none())
                .referer(false)
                .user_agent(concat!("Sidetone/", env!("CARGO_PKG_VERSION")))
                .connect_timeout(CONNECTING)
                // A session asks seldom; a connection that was kept while this machine got another address would only
                // seem to stand.
                .pool_max_idle_per_host(0)
                .tcp_nodelay(true)
                .build()
                .map_err(|error| format!("no HTTP: {error}"))
        };
        Ok(Self { direct: build(ClientBuilder::new().no_proxy())?, remote: build(ClientBuilder::new())? })
    }

    fn for_url(&self, url: &Url) -> &reqwest::Client {
        if is_loopback(url) { &self.direct } else { &self.remote }
    }

    /// Sends a request and follows redirects.
    async fn carry_out(&self, exchange: Exchange, limit: Duration) -> Result<Answered, Problem> {
        let place = exchange.request().url.origin().ascii_serialization();
        tokio::time::timeout(limit, self.follow(exchange)).await.unwrap_or_else(|_| {
            Err(Problem::Network(format!("{place} did not answer within {} s", limit.as_secs())))
        })
    }

    async fn follow(&self, mut exchange: Exchange) -> Result<Answered, Problem> {
        loop {
            let response = self.send(exchange.request()).await?;
            tracing::debug!(
                method = %exchange.request().method,
                to = %exchange.request().url.origin().ascii_serialization(),
                status = response.status.as_u16(),
                "answered"
            );
            match exchange.handle_response(response) {
                Step::Again(next) => exchange = next,
                Step::Done(answered) => return Ok(answered),
                Step::Failed(refusal) => return Err(refusal.into()),
            }
        }
    }

    async fn send(&self, request: &Request) -> Result<Response, Problem> {
        let client = self.for_url(&request.url);
        let network = |error| Problem::Network(words::of(&request.url, &error));
        let mut answer = client
            .request(request.method.clone(), request.url.clone())
            .headers(request.headers.clone())
            .body(request.body.clone())
            .send()
            .await
            .map_err(network)?;
        let (status, headers) = (answer.status(), std::mem::take(answer.headers_mut()));
        let mut body = Vec::new();
        // One byte more than is read tells that there was more.
        while body.len() <= MAX_BODY {
            let Some(chunk) = answer.chunk().await.map_err(network)? else { break };
            let room = (MAX_BODY + 1).saturating_sub(body.len());
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
        }
        Ok(Response { status, headers, body })
    }
}
