//! Non-INVITE client transaction: RFC 3261 section 17.1.2.

use std::time::{Duration, Instant};

use super::{Class, ClientStep as Step, Timer, Timers, TransactionTimers};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

#[derive(Debug)]
pub(crate) struct NonInviteClient {
    state: State,
    timers: TransactionTimers,
    base: Timers,
    reliable: bool,
    interval_e: Duration,
}

impl NonInviteClient {
    /// The request has just been sent.
    pub(crate) fn start(now: Instant, base: Timers, reliable: bool) -> Self {
        let mut timers = TransactionTimers::new();
        if !reliable {
            timers.set(Timer::E, now + base.t1);
        }
        timers.set(Timer::F, now + base.transaction());
        Self { state: State::Trying, timers, base, reliable, interval_e: base.t1 }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub(crate) fn on_response(&mut self, now: Instant, class: Class) -> Step {
        match (self.state, class) {
            (State::Trying | State::Proceeding, Class::Provisional) => {
                self.state = State::Proceeding;
                Step::PassUp
            }
            (State::Trying | State::Proceeding, Class::Success | Class::Failure) => {
                self.timers.clear();
                if self.reliable {
                    self.state = State::Terminated;
                } else {
                    self.state = State::Completed;
                    self.timers.set(Timer::K, now + self.base.t4);
                }
                Step::PassUp
            }
            (State::Completed | State::Terminated, _) => Step::Nothing,
        }
    }

    /// One due timer; call until it has nothing more due.
    pub(crate) fn on_timer(&mut self, now: Instant) -> Step {
        let Some(timer) = self.timers.expired(now) else { return Step::Nothing };
        match (self.state, timer) {
            (State::Trying, Timer::E) => {
                self.interval_e = (self.interval_e * 2).min(self.base.t2);
                self.timers.set(Timer::E, now + self.interval_e);
                Step::Retransmit
            }
            (State::Proceeding, Timer::E) => {
                self.timers.set(Timer::E, now + self.base.t2);
                Step::Retransmit
            }
            (State::Trying | State::Proceeding, Timer::F) => {
                self.terminate();
                Step::TimedOut
            }
            (State::Completed, Timer::K) => {
                self.terminate();
                Step::Nothing
            }
            _ => Step::Nothing,
        }
    }

    pub(crate) fn on_transport_error(&mut self) -> Step {
        match self.state {
            State::Trying | State::Proceeding => {
                self.terminate();
                Step::Unreachable
            }
            State::Completed | State::Terminated => Step::Nothing,
        }
    }

    pub(crate) fn terminate(&mut self) {
        self.state = State::Terminated;
        self.timers.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn trying(reliable: bool) -> (NonInviteClient, Instant) {
        let now = Instant::now();
        (NonInviteClient::start(now, Timers::default(), reliable), now)
    }

    #[test]
    fn timer_e_doubles_up_to_t2_and_timer_f_gives_up_after_64_t1() {
        let (mut machine, start) = trying(false);
        let mut sent = Vec::new();
        let end = loop {
            let at = machine.next_deadline().unwrap();
            match machine.on_timer(at) {
                Step::Retransmit => sent.push((at - start).as_millis()),
                Step::TimedOut => break at,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(sent, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
        assert_eq!(end - start, Duration::from_secs(32));
    }

    #[test]
    fn after_a_provisional_retransmission_goes_on_every_t2_and_timer_f_stays() {
        let (mut machine, start) = trying(false);
        assert_eq!(machine.on_response(start, Class::Provisional), Step::PassUp);
        let first = machine.next_deadline().unwrap();
        assert_eq!(machine.on_timer(first), Step::Retransmit);
        assert_eq!(machine.next_deadline().unwrap() - first, Duration::from_secs(4));
        let end = start + Duration::from_secs(32);
        while machine.on_timer(end) != Step::TimedOut {}
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn a_final_response_goes_up_once_and_is_absorbed_for_t4() {
        let (mut machine, now) = trying(false);
        assert_eq!(machine.on_response(now, Class::Failure), Step::PassUp);
        assert_eq!(machine.on_response(now, Class::Failure), Step::Nothing);
        assert_eq!(machine.next_deadline(), Some(now + Duration::from_secs(5)));
    }

    #[test]
    fn over_a_reliable_transport_a_final_response_ends_it_at_once() {
        let (mut machine, now) = trying(true);
        assert_eq!(machine.next_deadline(), Some(now + Duration::from_secs(32)));
        assert_eq!(machine.on_response(now, Class::Success), Step::PassUp);
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn a_transport_error_is_told_until_the_final_response() {
        let (mut machine, now) = trying(true);
        machine.on_response(now, Class::Provisional);
        assert_eq!(machine.on_transport_error(), Step::Unreachable);
        assert_eq!(machine.on_transport_error(), Step::Nothing);
    }
}
