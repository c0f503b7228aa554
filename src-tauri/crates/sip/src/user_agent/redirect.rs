//! 3xx: RFC 3261 section 8.1.3.4 to our INVITE, section 21.3.3 from us. And the INVITE that is sent once more.

use std::time::Instant;

use crate::message::{Contacts, HeaderName, NameAddr, Response, Uri};

use super::UserAgent;
use super::attempt::Attempt;
use super::call::{Calling, State};
use super::event::{CallId, Side};
use super::headers;
use super::offered::phrase;
use super::outcome::Outcome;

/// Contacts of one redirection: more are of no use to anybody.
const MAX_TARGETS: usize = 8;

impl UserAgent {
    /// Sends the caller of a call that nobody has answered elsewhere (302), best target first. The call is then over.
    /// Without a target it is refused with 480.
    pub fn redirect(&mut self, now: Instant, call: CallId, targets: &[Uri]) {
        let status = if targets.is_empty() { 480 } else { 302 };
        let contacts = targets.iter().take(MAX_TARGETS).enumerate().map(|(index, target)| {
            let mut contact = NameAddr::new(target.clone());
            if targets.len() > 1 {
                contact.params.set("q", format!("0.{}", 9 - index));
            }
            (HeaderName::CONTACT, contact.to_string())
        });
        let contacts: Vec<_> = contacts.collect();
        if !matches!(self.calls.get(&call).map(|call| &call.state), Some(State::Offered(_))) {
            return;
        }
        self.refuse_offered_with(now, call, status, "", &contacts);
        self.tell_ended(call, status, phrase(status, ""), Side::Local);
        self.settle(call);
    }

    /// The INVITE again to another target.
    pub(super) fn follow_redirect(&mut self, now: Instant, id: CallId, mut attempt: Attempt, target: Uri) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.flow = None;
        attempt.request.uri = headers::request_uri(&target);
        let next = headers::next_hop(&attempt.request);
        let mut again = attempt.again(next);
        again.transport = again.transport.filter(|_| target.transport().is_none());
        self.hide_identity_abroad(&mut again);
        self.invite_again(now, id, again);
    }

    /// The INVITE again to the same server, for a longer session (RFC 4028 section 7.3).
    pub(super) fn invite_for_longer(&mut self, now: Instant, id: CallId, mut attempt: Attempt) {
        let Some(call) = self.calls.get_mut(&id) else { return };
        call.session.put_into(&mut attempt.request);
        let (next, hop) = (attempt.next.clone(), attempt.hop);
        let (pinned, tcp_refused) = (attempt.pinned, attempt.tcp_refused);
        let mut again = attempt.again(next).with_hop(hop);
        (again.pinned, again.tcp_refused) = (pinned, tcp_refused);
        self.invite_again(now, id, again);
    }

    fn invite_again(&mut self, now: Instant, id: CallId, again: Attempt) {
        let attempt_id = self.new_attempt_id();
        let Some(call) = self.calls.get_mut(&id) else { return };
        if let State::Calling(calling) = &mut call.state {
            calling.attempt = attempt_id;
            calling.early.clear();
        }
        self.launch(now, attempt_id, again);
    }
}

/// Queues the contacts of a 3xx, best first, as far as the limit allows.
pub(super) fn collect_redirects(calling: &mut Calling, response: &Response, tried: &Uri) {
    let Ok(Contacts::List(mut contacts)) = response.headers.contacts() else { return };
    contacts.sort_by_key(|contact| std::cmp::Reverse(contact.q()));
    for contact in contacts {
        let is_new = contact.uri != *tried && !calling.redirects.contains(&contact.uri);
        if calling.redirects_left > 0 && contact.uri.is_sip() && is_new {
            calling.redirects_left -= 1;
            calling.redirects.push_back(contact.uri);
        }
    }
}

/// A 6xx ends the search everywhere.
pub(super) fn is_worth_another(outcome: &Outcome) -> bool {
    !matches!(outcome, Outcome::Response(response) if response.status >= 600)
}
