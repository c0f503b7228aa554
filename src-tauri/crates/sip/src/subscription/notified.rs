//! NOTIFYs of a subscription: RFC 6665 section 4.1.3.

use std::time::{Duration, Instant};

use crate::dialog::Dialog;
use crate::message::{HeaderName, Headers, Params, Request, event_type};
use crate::user_agent::{Cause, Config, Side};

use super::outcome::{Verdict, unsubscribed};
use super::{Phase, Subscription, SubscriptionState};

/// What a NOTIFY brought.
#[derive(Debug)]
pub(crate) struct Noticed {
    pub(crate) verdict: Verdict,
    /// to be told before an end
    pub(crate) state: Option<SubscriptionState>,
    /// the body, or that there is none, is news
    pub(crate) tell_body: bool,
}

impl Subscription {
    /// Takes a NOTIFY for our tag; the status to refuse it with if it is not ours or not in order.
    pub(crate) fn on_notify(
        &mut self,
        now: Instant,
        notify: &Request,
        config: &Config,
        chance: f64,
    ) -> Result<Noticed, u16> {
        if self.phase == Phase::Idle {
            return Err(481);
        }
        if event_type(&self.settings.event) != notify.headers.event() {
            return Err(489);
        }
        self.accept_dialog(notify)?;
        self.check_type(&notify.headers, !notify.body.is_empty())?;
        let (state, params) = subscription_state(&notify.headers);
        let expires = number(&params, "expires").map(Duration::from_secs);
        if state.eq_ignore_ascii_case("terminated") {
            let noticed = self.on_terminated(now, &params, config, chance);
            return Ok(Noticed { tell_body: noticed.tell_body && !notify.body.is_empty(), ..noticed });
        }
        if self.leaving {
            return Ok(Noticed { verdict: Verdict::Nothing, state: None, tell_body: false });
        }
        if matches!(self.phase, Phase::Subscribing | Phase::Accepted) {
            self.began.get_or_insert(now);
            // the 2xx is still on its way where the phase stays
            if self.phase == Phase::Accepted {
                self.phase = Phase::Up;
                self.due = None;
            }
        }
        if let Some(expires) = expires.filter(|_| self.phase == Phase::Up) {
            self.remain(now, expires);
        } else if self.phase == Phase::Up && self.due.is_none() {
            self.extend(now, self.rest(now));
        }
        let expires = expires.unwrap_or(self.rest(now));
        let pending = state.eq_ignore_ascii_case("pending");
        let is_news = self.told.replace(pending) != Some(pending);
        let told = if pending { SubscriptionState::Pending } else { SubscriptionState::Active { expires } };
        // Before somebody has allowed the subscription, nothing is no answer.
        let tell_body = !pending || !notify.body.is_empty();
        Ok(Noticed { verdict: Verdict::Nothing, state: is_news.then_some(told), tell_body })
    }

    fn rest(&self, now: Instant) -> Duration {
        self.until.map_or(self.settings.expires, |until| until.saturating_duration_since(now))
    }

    /// The first NOTIFY makes the dialog; those of other branches of a fork are not wanted.
    fn accept_dialog(&mut self, notify: &Request) -> Result<(), u16> {
        let number = notify.headers.cseq().map_err(|_| 400u16)?.number;
        let mut made = Dialog::of_uas(notify, &self.local_tag).map_err(|_| 400u16)?;
        match &mut self.dialog {
            Some(dialog) if dialog.id == made.id => {
                if self.confirmed {
                    dialog.accept_cseq(number).map_err(|_| 500u16)?;
                    dialog.refresh_target(&notify.headers);
                    return Ok(());
                }
                made.local_cseq = dialog.local_cseq;
            }
            Some(_) if self.confirmed => return Err(481),
            _ => {}
        }
        made.local_cseq = made.local_cseq.max(self.cseq);
        self.dialog = Some(made);
        self.confirmed = true;
        Ok(())
    }

    fn check_type(&self, headers: &Headers, has_body: bool) -> Result<(), u16> {
        if !has_body {
            return Ok(());
        }
        if !headers.is_plain() {
            return Err(415);
        }
        let kind = headers.content_type().map_err(|_| 400u16)?.ok_or(400u16)?;
        match self.settings.accept.iter().any(|known| known.eq_ignore_ascii_case(&kind)) {
            true => Ok(()),
            false => Err(415),
        }
    }

    fn on_terminated(&mut self, now: Instant, params: &Params, config: &Config, chance: f64) -> Noticed {
        let reason = params.get("reason").unwrap_or("terminated").to_ascii_lowercase();
        let retry_after = number(params, "retry-after").map(Duration::from_secs);
        let cause = |code| Cause::new(code, reason.clone(), Side::Remote);
        let verdict = if self.leaving {
            Verdict::Gone(unsubscribed())
        } else {
            match reason.as_str() {
                "rejected" => Verdict::Gone(cause(603)),
                "noresource" => Verdict::Gone(cause(404)),
                "invariant" => Verdict::Gone(cause(200)),
                "timeout" => self.end(now, cause(408), None, config, chance),
                "probation" | "giveup" => self.end(now, cause(480), retry_after, config, chance),
                "deactivated" => self.end(now, cause(503), None, config, chance),
                _ => self.end(now, cause(480), retry_after, config, chance),
            }
        };
        Noticed { verdict, state: None, tell_body: !self.leaving }
    }
}

/// A NOTIFY without the field counts as active, as some notifiers leave it out.
fn subscription_state(headers: &Headers) -> (String, Params) {
    let value = headers.get(&HeaderName::SUBSCRIPTION_STATE).unwrap_or("active");
    let (state, rest) = value.split_at(value.find(';').unwrap_or(value.len()));
    (state.trim().to_owned(), Params::read(rest).unwrap_or_default())
}

fn number(params: &Params, name: &str) -> Option<u64> {
    let seconds: u32 = params.get(name)?.trim().parse().ok()?;
    Some(seconds.into())
}
