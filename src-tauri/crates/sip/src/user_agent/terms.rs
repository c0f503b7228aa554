//! What the owner wants of one call, where that is not what [`Config`](super::Config) says.

use std::time::{Duration, Instant};

use crate::message::HeaderName;

use super::UserAgent;
use super::call::State;
use super::event::{CallId, Side};
use super::headers;
use super::offered::phrase;
use super::prack::{self, Reliable};

/// See [`UserAgent::set_terms`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// reliable provisional responses (RFC 3262)
    pub prack: Reliable,
    /// how long the session may last without a refresh (RFC 4028); without, only the peer decides
    pub session_expires: Option<Duration>,
}

impl UserAgent {
    /// Sets what counts for this call from now on: of one that came in, before it rings.
    ///
    /// # Errors
    /// The caller cannot do what is required (421), or requires what is switched off (420): it has been refused with that status.
    pub fn set_terms(&mut self, now: Instant, call: CallId, terms: Terms) -> Result<(), u16> {
        let Some(state) = self.calls.get_mut(&call) else { return Ok(()) };
        state.session.terms = Some(terms);
        let State::Offered(offered) = &state.state else { return Ok(()) };
        let invite = &offered.request.headers;
        let is_required = prack::is_required(invite);
        let (status, field) = match terms.prack {
            Reliable::Off if is_required => (420, HeaderName::UNSUPPORTED),
            Reliable::Required if !headers::supports(invite, prack::TAG) => (421, HeaderName::REQUIRE),
            _ => return Ok(()),
        };
        self.refuse_offered_with(now, call, status, "", &[(field, prack::TAG.to_owned())]);
        self.tell_ended(call, status, phrase(status, ""), Side::Local);
        self.settle(call);
        Err(status)
    }

    /// Of one call, or of all where it has none of its own.
    pub(super) fn terms_of(&self, call: CallId) -> Terms {
        let own = self.calls.get(&call).and_then(|call| call.session.terms);
        own.unwrap_or(Terms { prack: self.config.prack, session_expires: self.config.session_expires })
    }
}
