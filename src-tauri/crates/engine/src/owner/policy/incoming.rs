//! Whether an incoming call rings.

use super::super::{Owner, dialplan::DialPlan, session::Session, target::Target};
use sidetone_api::Failure;
use sidetone_sip::identity;
use sidetone_sip::message::{Headers, NameAddr, Uri};
use std::time::Duration;

/// What the rules say of a call that comes in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in super::super) enum Verdict {
    Ring {
        answer_after: Option<Duration>,
        forward_after: Option<(Duration, Uri)>,
    },
    /// 302
    Forward(Uri),
    /// 486, and why.
    Busy(&'static str),
}

impl Owner {
    pub(in super::super) fn judge(&self, session: &Session, caller: &NameAddr, headers: &Headers) -> Verdict {
        if session.is_of_client() {
            return Verdict::Ring { answer_after: None, forward_after: None };
        }
        let account = &session.account;
        let settings = &self.settings.get().calls;
        let forward = |to: &Option<String>| forward_target(session, to.as_deref()?).ok();
        // Those who call back after an emergency call.
        let is_emergency =
            caller.uri.user_text().is_some_and(|user| self.settings.dial_plan().is_emergency(&user));
        let is_busy = self.calls.values().any(|call| call.is_ours() && !call.hung_up);
        if !is_emergency {
            if let Some(to) = forward(&account.forward_always) {
                return Verdict::Forward(to);
            }
            if settings.do_not_disturb {
                return Verdict::Busy("do not disturb");
            }
            if let Some(to) = forward(&account.forward_busy).filter(|_| is_busy) {
                return Verdict::Forward(to);
            }
            if is_busy && !settings.call_waiting {
                return Verdict::Busy("in another call");
            }
        }
        let by_timer = account.auto_answer.map(|seconds| Duration::from_secs(seconds.into()));
        let by_header = account.auto_answer_by_header.then(|| identity::auto_answer(headers)).flatten();
        // Nobody is torn out of the call that he is in.
        let answer_after = by_timer.into_iter().chain(by_header).min().filter(|_| !is_busy);
        let seconds = Duration::from_secs(account.no_answer_seconds.into());
        let forward_after = forward(&account.forward_no_answer).map(|to| (seconds, to));
        Verdict::Ring { answer_after, forward_after }
    }
}

/// Where an account's forwarding leads.
///
/// # Errors
/// Names no field: which one it was, the caller knows.
pub(in super::super) fn forward_target(session: &Session, to: &str) -> Result<Uri, Failure> {
    Target::read(to, None, &DialPlan::default(), "target")?.uri(&session.aor.uri, "target")
}
