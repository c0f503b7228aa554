//! Whose requests are believed.

use std::time::Instant;

use crate::digest::{Authenticator, Credentials, Password, Verdict};
use crate::message::{HeaderName, Request, Response};

use super::{Registrar, Users};

/// Who sent an INVITE.
#[derive(Debug)]
pub(crate) enum Caller {
    /// not one of our users, or nobody is asked
    Unchecked,
    User(String),
    /// send this
    Refused(Response),
}

impl Registrar {
    /// Checks an INVITE whose From is of our domains.
    pub(crate) fn check_caller(&mut self, now: Instant, request: &Request, tag: &str) -> Caller {
        let Ok(from) = request.headers.from() else { return Caller::Unchecked };
        if matches!(self.config.users, Users::Open) || !self.serves(&from.uri) {
            return Caller::Unchecked;
        }
        let user = from.uri.user_text().unwrap_or_default();
        match check(&self.config.users, &mut self.calling, now, request, &user, tag) {
            Ok(()) => Caller::User(user),
            Err(response) => Caller::Refused(response),
        }
    }

    /// Checks a REGISTER for `user`.
    pub(super) fn check_registering(
        &mut self,
        now: Instant,
        request: &Request,
        user: &str,
        tag: &str,
    ) -> Result<(), Response> {
        check(&self.config.users, &mut self.registering, now, request, user, tag)
    }
}

fn check(
    users: &Users,
    authenticator: &mut Authenticator,
    now: Instant,
    request: &Request,
    user: &str,
    tag: &str,
) -> Result<(), Response> {
    let Users::List(listed) = users else { return Ok(()) };
    let stale = match authenticator.check(now, request, |name| password_of(listed, name)) {
        Verdict::Accepted { username } if username == user => return Ok(()),
        Verdict::Accepted { .. } => return Err(Response::to(request, 403, Some(tag))),
        Verdict::Malformed(_) => return Err(Response::to(request, 400, Some(tag))),
        Verdict::Stale => true,
        Verdict::Missing | Verdict::Wrong { .. } => false,
    };
    let mut response = Response::to(request, authenticator.kind().status(), Some(tag));
    for (name, value) in authenticator.challenges(now, stale) {
        let name: HeaderName = name;
        response.headers.push(name, value);
    }
    Err(response)
}

fn password_of(listed: &[Credentials], name: &str) -> Option<Password> {
    listed
        .iter()
        .find(|credentials| credentials.username == name)
        .map(|credentials| credentials.password.clone())
}
