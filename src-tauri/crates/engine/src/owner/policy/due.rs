//! What happens to a call by itself after a while.

use super::super::Owner;
use sidetone_api::{CallId, NoticeLevel};
use sidetone_sip::message::{PostDial, Uri};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// How long a transfer that the far end asks for waits for the user.
const TIME_TO_THINK: Duration = Duration::from_secs(60);
/// How long the far end that was transferred may take to hang up, once the transfer is done.
const TIME_TO_LEAVE: Duration = Duration::from_secs(5);

/// The deadlines of a call.
#[derive(Debug, Clone, Default)]
pub(in super::super) struct Due {
    /// Answers itself.
    pub(in super::super) answer: Option<Instant>,
    /// Nobody answers: it goes there.
    pub(in super::super) forward: Option<(Instant, Uri)>,
    /// The user does not decide on a transfer.
    pub(in super::super) decide: Option<Instant>,
    /// Another call has taken its place.
    pub(in super::super) leave: Option<Instant>,
    /// Digits to send once it is answered, and when the next are.
    pub(in super::super) post_dial: VecDeque<PostDial>,
    dial: Option<Instant>,
    /// The far end is asked whether it is there.
    pub(in super::super) probe: Option<Instant>,
    /// The STUN server has not answered.
    pub(in super::super) gather: Option<Instant>,
    /// It has not answered.
    pub(in super::super) gone: Option<Instant>,
}

impl Due {
    fn next(&self) -> Option<Instant> {
        let forward = self.forward.as_ref().map(|(at, _)| *at);
        [self.answer, forward, self.decide, self.leave, self.dial, self.probe, self.gone, self.gather]
            .into_iter()
            .flatten()
            .min()
    }

    /// It rings no more.
    pub(in super::super) fn stop_ringing(&mut self) {
        (self.answer, self.forward) = (None, None);
    }

    pub(in super::super) fn decide_from(&mut self, now: Instant) {
        self.decide = Some(now + TIME_TO_THINK);
    }

    pub(in super::super) fn leave_from(&mut self, now: Instant) {
        self.leave = Some(now + TIME_TO_LEAVE);
    }
}

impl Owner {
    pub(in super::super) fn next_due(&self) -> Option<Instant> {
        self.calls.values().filter_map(|call| call.due.next()).min()
    }

    pub(in super::super) fn do_what_is_due(&mut self, now: Instant) {
        let is_due = |at: Instant| at <= now;
        let overdue = self.calls.values().filter(|call| call.due.next().is_some_and(is_due));
        for id in overdue.map(|call| call.id.clone()).collect::<Vec<_>>() {
            self.do_due(&id, now);
        }
    }

    fn do_due(&mut self, id: &CallId, now: Instant) {
        let Some(due) = self.calls.get_mut(id).map(|call| &mut call.due) else { return };
        let take = |at: &mut Option<Instant>| at.take_if(|at| *at <= now).is_some();
        let (decide, leave, dial) = (take(&mut due.decide), take(&mut due.leave), take(&mut due.dial));
        let (probe, gone) = (take(&mut due.probe), take(&mut due.gone));
        let gather = take(&mut due.gather);
        let answer = take(&mut due.answer);
        let forward = due.forward.take_if(|(at, _)| *at <= now);
        if answer {
            let _ = self.answer(id);
        } else if let Some((_, to)) = forward {
            self.redirect_to(id, &to);
        }
        if gather {
            self.stop_gathering(id);
        }
        if decide {
            let _ = self.refuse_transfer(id);
        }
        if leave {
            let _ = self.hang_up(id);
        }
        if dial {
            self.dial_on(id, now);
        }
        if gone {
            self.tell_gone(id);
        }
        if probe {
            self.ask_whether_there(id, now);
        }
    }

    /// Sends what follows the number, from the answer on.
    pub(in super::super) fn dial_on(&mut self, id: &CallId, now: Instant) {
        while let Some(step) = self.calls.get_mut(id).and_then(|call| call.due.post_dial.pop_front()) {
            match step {
                PostDial::Digits(digits) => {
                    if let Err(failure) = self.send_dtmf(id, &digits) {
                        let info = format!("{digits} could not be dialled: {failure}");
                        self.notice(NoticeLevel::Warning, &info, Some(id));
                    }
                }
                PostDial::Pause(pause) => {
                    if let Some(call) = self.calls.get_mut(id) {
                        call.due.dial = Some(now + pause);
                    }
                    return;
                }
                PostDial::Wait => {
                    let Some(call) = self.calls.get_mut(id) else { return };
                    let rest = call.due.post_dial.drain(..).filter_map(|step| match step {
                        PostDial::Digits(digits) => Some(digits),
                        _ => None,
                    });
                    let rest = rest.collect::<Vec<_>>().join(" ");
                    let info = format!("the number goes on with {rest}: dial it when you are asked to");
                    return self.notice(NoticeLevel::Info, &info, Some(id));
                }
            }
        }
    }
}
