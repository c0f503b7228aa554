use super::{
    Answered, Cause, Credentials, Endpoint, EntityTag, Exchange, FRAGMENT, Fragment, MAX_BODY, Refusal, SDP,
    Token, exchange::place,
};
use http::{Method, StatusCode, header};
use std::{fmt, time::SystemTime};
use url::Url;

/// A session at the server: what its `Location` names.
#[derive(Clone)]
pub struct Resource {
    url: Url,
    token: Option<Token>,
    tag: Option<EntityTag>,
}

/// What a PATCH led to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Patched {
    /// The news are known now.
    Noted,
    /// ICE begins anew with these credentials and candidates of the server.
    Restarted(Fragment),
}

impl Resource {
    pub(super) fn of(answered: &Answered, endpoint: &Endpoint) -> Result<Self, String> {
        let url = answered.location()?;
        let token = endpoint.token_for(&url, answered);
        Ok(Self { url, token, tag: tag(answered) })
    }

    /// Scheme, host and port: fit for logs.
    pub fn place(&self) -> String {
        place(&self.url)
    }

    /// The state of ICE at the server that we know; a server without any takes no news (RFC 9725 section 4.3.1).
    pub fn tag(&self) -> Option<&EntityTag> {
        self.tag.as_ref()
    }

    /// Sends candidates that came up after the offer.
    ///
    /// # Errors
    /// A fragment that no server would read.
    pub fn trickle(&self, fragment: &Fragment) -> Result<Exchange, Refusal> {
        let exchange = self.patch(FRAGMENT, fragment.to_string())?;
        Ok(match &self.tag {
            Some(tag) => exchange.with_header(header::IF_MATCH, tag.as_str()),
            None => exchange,
        })
    }

    /// Asks for an ICE restart with our new credentials.
    ///
    /// # Errors
    /// As of [`Resource::trickle`].
    pub fn restart(&self, fragment: &Fragment) -> Result<Exchange, Refusal> {
        // In quotes, as RFC 9725 prints it.
        Ok(self.patch(FRAGMENT, fragment.to_string())?.with_header(header::IF_MATCH, "\"*\""))
    }

    /// Answers the server's own offer (WHEP).
    ///
    /// # Errors
    /// As of [`Resource::trickle`].
    pub fn answer(&self, sdp: &str) -> Result<Exchange, Refusal> {
        self.patch(SDP, sdp.to_owned())
    }

    pub fn delete(&self) -> Exchange {
        Exchange::new(Method::DELETE, self.url.clone(), self.token.as_ref())
    }

    fn patch(&self, kind: &'static str, body: String) -> Result<Exchange, Refusal> {
        if body.len() > MAX_BODY {
            return Err(Refusal::new(Cause::Offer, format!("more than {} kB are not sent", MAX_BODY / 1024)));
        }
        Ok(Exchange::new(Method::PATCH, self.url.clone(), self.token.as_ref()).with_body(kind, body))
    }

    /// Reads what came of a PATCH that was to restart ICE (`ours` are the credentials that it had) or not, and keeps the new tag.
    ///
    /// # Errors
    /// [`Refusal`]. After `Cause::NotSupported` or `Cause::Outdated` the session goes on as it was.
    pub fn read_patched(
        &mut self,
        answered: &Answered,
        restart: bool,
        now: SystemTime,
    ) -> Result<Patched, Refusal> {
        let response = &answered.response;
        let tag = tag(answered);
        match response.status {
            StatusCode::NO_CONTENT | StatusCode::ACCEPTED | StatusCode::OK if !restart => {
                self.tag = tag.or(self.tag.take());
                Ok(Patched::Noted)
            }
            StatusCode::OK => {
                let nonsense = |words: String| Refusal {
                    status: Some(response.status.as_u16()),
                    ..Refusal::new(Cause::Nonsense, words)
                };
                let body = std::str::from_utf8(&response.body)
                    .map_err(|_| nonsense(format!("{} answered in no text", answered.place())))?;
                let fragment = Fragment::parse(body)
                    .map_err(|error| nonsense(format!("{}: {error}", answered.place())))?;
                if fragment.credentials().is_none_or(Credentials::is_empty) {
                    let words = format!("{} gave no ICE credentials for the restart", answered.place());
                    return Err(nonsense(words));
                }
                // The old tag is of the old credentials.
                self.tag = tag;
                Ok(Patched::Restarted(fragment))
            }
            StatusCode::NO_CONTENT | StatusCode::ACCEPTED => Err(Refusal {
                status: Some(response.status.as_u16()),
                ..Refusal::new(Cause::NotSupported, format!("{} did not restart ICE", answered.place()))
            }),
            _ => Err(Refusal::of_session(answered, now)),
        }
    }

    /// Reads what came of [`Resource::delete`]: a session that is gone already is gone.
    ///
    /// # Errors
    /// [`Refusal`].
    pub fn read_deleted(answered: &Answered, now: SystemTime) -> Result<(), Refusal> {
        let gone = matches!(answered.response.status, StatusCode::NOT_FOUND | StatusCode::GONE);
        if gone || answered.response.status.is_success() {
            return Ok(());
        }
        Err(Refusal::of_session(answered, now))
    }
}

fn tag(answered: &Answered) -> Option<EntityTag> {
    EntityTag::parse(answered.response.text(header::ETAG)?)
}

/// Its path is what lets one end the session.
impl fmt::Debug for Resource {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Resource").field("at", &self.place()).field("tag", &self.tag).finish_non_exhaustive()
    }
}
