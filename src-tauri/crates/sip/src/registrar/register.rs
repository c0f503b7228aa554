//! REGISTER in, step by step as RFC 3261 section 10.3 counts them.

use std::time::{Duration, Instant};

use crate::message::{Contacts, HeaderName, NameAddr, Request, Response};
use crate::user_agent::Hop;

use super::Registrar;
use super::bindings::Binding;

/// The most that a user's name, a Contact and its Call-ID may make us remember, in bytes.
const LONGEST_BINDING: usize = 2048;

/// The response to a REGISTER, and the user whose bindings it changed.
#[derive(Debug)]
pub(crate) struct Registered {
    pub(crate) response: Response,
    pub(crate) changed: Option<String>,
}

/// A status, and the field with a number of seconds that goes with it.
type Refusal = (u16, Option<(HeaderName, u64)>);

/// Everything a REGISTER asks for, checked before anything is changed.
struct Wanted {
    user: String,
    contacts: Contacts,
    call_id: String,
    cseq: u32,
    expires: Option<u32>,
}

impl Registrar {
    pub(crate) fn on_register(&mut self, now: Instant, request: &Request, hop: Hop, tag: &str) -> Registered {
        match self.register(now, request, hop, tag) {
            Ok(registered) => registered,
            Err(response) => Registered { response, changed: None },
        }
    }

    fn register(
        &mut self,
        now: Instant,
        request: &Request,
        hop: Hop,
        tag: &str,
    ) -> Result<Registered, Response> {
        let refuse = |status| Response::to(request, status, Some(tag));
        let bad = |_| refuse(400);
        let to = request.headers.to().map_err(bad)?;
        if !self.serves(&to.uri) || !self.serves(&request.uri) {
            return Err(refuse(404));
        }
        let user = to.uri.user_text().filter(|user| !user.is_empty()).ok_or_else(|| refuse(404))?;
        self.check_registering(now, request, &user, tag)?;
        let wanted = Wanted {
            user,
            contacts: request.headers.contacts().map_err(bad)?,
            call_id: request.headers.call_id().map_err(bad)?.to_owned(),
            cseq: request.headers.cseq().map_err(bad)?.number,
            expires: request.headers.expires().map_err(bad)?,
        };
        let bindings = self.apply(now, request, hop, &wanted).map_err(|refusal| {
            let mut response = refuse(refusal.0);
            if let Some((name, seconds)) = refusal.1 {
                response.headers.push(name, seconds);
            }
            response
        })?;
        let mut response = Response::to(request, 200, Some(tag));
        for binding in &bindings {
            response.headers.push(HeaderName::CONTACT, contact_of(binding, now));
        }
        let changed = self.bindings.replace(&wanted.user, bindings);
        Ok(Registered { response, changed: changed.then_some(wanted.user) })
    }

    /// The user's bindings as they are to be.
    fn apply(
        &self,
        now: Instant,
        request: &Request,
        hop: Hop,
        wanted: &Wanted,
    ) -> Result<Vec<Binding>, Refusal> {
        let mut bindings = self.bindings.of(&wanted.user);
        bindings.retain(|binding| binding.expires_at > now);
        let in_order = |binding: &Binding| binding.call_id != wanted.call_id || wanted.cseq > binding.cseq;
        let contacts = match &wanted.contacts {
            Contacts::Star if wanted.expires != Some(0) => return Err((400, None)),
            Contacts::Star if !bindings.iter().all(in_order) => return Err((500, None)),
            Contacts::Star => return Ok(Vec::new()),
            Contacts::List(contacts) => contacts,
        };
        for contact in contacts {
            let lifetime = self.lifetime(contact, wanted.expires)?;
            let old = bindings.iter().position(|binding| binding.contact.is_equivalent(&contact.uri));
            if let Some(old) = old {
                if !bindings.get(old).is_none_or(in_order) {
                    return Err((500, None));
                }
                bindings.remove(old);
            }
            if lifetime.is_zero() {
                continue;
            }
            let length = wanted.user.len() + contact.uri.to_string().len() + wanted.call_id.len();
            if length > LONGEST_BINDING {
                return Err((513, None));
            }
            let is_new_user = bindings.is_empty() && self.bindings.of(&wanted.user).is_empty();
            let full = bindings.len() >= self.config.max_bindings_per_user
                || (is_new_user && self.bindings.users() >= self.config.max_users);
            if full {
                return Err((503, Some((HeaderName::RETRY_AFTER, 60))));
            }
            bindings.push(Binding {
                contact: contact.uri.clone(),
                q: contact.q(),
                expires_at: now + lifetime,
                flow: Some(hop),
                user_agent: request
                    .headers
                    .get(&HeaderName::USER_AGENT)
                    .unwrap_or_default()
                    .chars()
                    .take(200)
                    .collect(),
                call_id: wanted.call_id.clone(),
                cseq: wanted.cseq,
            });
        }
        Ok(bindings)
    }

    fn lifetime(&self, contact: &NameAddr, expires: Option<u32>) -> Result<Duration, Refusal> {
        let asked = contact.expires().or(expires).map(|seconds| Duration::from_secs(seconds.into()));
        let lifetime = asked.unwrap_or(self.config.default_expires).min(self.config.max_expires);
        // less than the minimum may only be refused if it is also less than an hour
        let too_brief = lifetime < self.config.min_expires && lifetime < Duration::from_secs(3600);
        if !lifetime.is_zero() && too_brief {
            let least = self.config.min_expires.as_secs();
            return Err((423, Some((HeaderName::MIN_EXPIRES, least))));
        }
        Ok(lifetime)
    }
}

fn contact_of(binding: &Binding, now: Instant) -> NameAddr {
    let left = binding.expires_at.saturating_duration_since(now);
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    let mut contact = NameAddr::new(binding.contact.clone());
    contact.params.set("expires", seconds.to_string());
    if binding.q < 1000 {
        contact.params.set("q", format!("0.{:03}", binding.q));
    }
    contact
}
