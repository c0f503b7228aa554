//! INVITE client transaction: RFC 3261 section 17.1.1 with the Accepted state of RFC 6026.

use std::time::{Duration, Instant};

use super::{Class, ClientStep as Step, Timer, Timers, TransactionTimers};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Calling,
    Proceeding,
    /// a 2xx came: every further 2xx goes up, the core acknowledges them
    Accepted,
    /// a non-2xx came: this transaction acknowledges it
    Completed,
    Terminated,
}

#[derive(Debug)]
pub(crate) struct InviteClient {
    state: State,
    timers: TransactionTimers,
    base: Timers,
    reliable: bool,
    interval_a: Duration,
}

impl InviteClient {
    /// The request has just been sent.
    pub(crate) fn start(now: Instant, base: Timers, reliable: bool) -> Self {
        let mut timers = TransactionTimers::new();
        if !reliable {
            timers.set(Timer::A, now + base.t1);
        }
        timers.set(Timer::B, now + base.transaction());
        Self { state: State::Calling, timers, base, reliable, interval_a: base.t1 }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    pub(crate) fn on_response(&mut self, now: Instant, class: Class) -> Step {
        match (self.state, class) {
            (State::Calling | State::Proceeding, Class::Provisional) => {
                self.state = State::Proceeding;
                self.timers.clear();
                Step::PassUp
            }
            (State::Calling | State::Proceeding, Class::Success) => {
                self.state = State::Accepted;
                self.timers.clear();
                self.timers.set(Timer::M, now + self.base.transaction());
                Step::PassUp
            }
            (State::Calling | State::Proceeding, Class::Failure) => {
                self.timers.clear();
                if self.reliable {
                    self.state = State::Terminated;
                } else {
                    self.state = State::Completed;
                    self.timers.set(Timer::D, now + self.base.wait_d());
                }
                Step::AckAndPassUp
            }
            (State::Accepted, Class::Success) => Step::PassUp,
            (State::Completed, Class::Failure) => Step::Ack,
            (State::Accepted, Class::Provisional | Class::Failure)
            | (State::Completed, Class::Provisional | Class::Success)
            | (State::Terminated, _) => Step::Nothing,
        }
    }

    /// One due timer; call until it has nothing more due.
    pub(crate) fn on_timer(&mut self, now: Instant) -> Step {
        let Some(timer) = self.timers.expired(now) else { return Step::Nothing };
        match (self.state, timer) {
            (State::Calling, Timer::A) => {
                self.interval_a *= 2;
                self.timers.set(Timer::A, now + self.interval_a);
                Step::Retransmit
            }
            (State::Calling, Timer::B) => {
                self.terminate();
                Step::TimedOut
            }
            (State::Completed, Timer::D) | (State::Accepted, Timer::M) => {
                self.terminate();
                Step::Nothing
            }
            _ => Step::Nothing,
        }
    }

    pub(crate) fn on_transport_error(&mut self) -> Step {
        match self.state {
            State::Calling => {
                self.terminate();
                Step::Unreachable
            }
            State::Completed => {
                self.terminate();
                Step::Nothing
            }
            State::Proceeding | State::Accepted | State::Terminated => Step::Nothing,
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

    fn calling(reliable: bool) -> (InviteClient, Instant) {
        let now = Instant::now();
        (InviteClient::start(now, Timers::default(), reliable), now)
    }

    #[test]
    fn timer_a_doubles_and_timer_b_gives_up_after_64_t1() {
        let (mut machine, start) = calling(false);
        let mut sent = Vec::new();
        let end = loop {
            let at = machine.next_deadline().unwrap();
            match machine.on_timer(at) {
                Step::Retransmit => sent.push((at - start).as_millis()),
                Step::TimedOut => break at,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(sent, [500, 1500, 3500, 7500, 15500, 31500]);
        assert_eq!(end - start, Duration::from_secs(32));
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn a_reliable_transport_gets_no_retransmission() {
        let (machine, start) = calling(true);
        assert_eq!(machine.next_deadline(), Some(start + Duration::from_secs(32)));
    }

    #[test]
    fn a_provisional_stops_retransmission_and_timer_b() {
        let (mut machine, now) = calling(false);
        assert_eq!(machine.on_response(now, Class::Provisional), Step::PassUp);
        assert_eq!((machine.state(), machine.next_deadline()), (State::Proceeding, None));
        assert_eq!(machine.on_transport_error(), Step::Nothing);
    }

    #[test]
    fn each_2xx_goes_up_for_64_t1_and_failures_after_it_do_not() {
        let (mut machine, now) = calling(false);
        assert_eq!(machine.on_response(now, Class::Success), Step::PassUp);
        assert_eq!(machine.on_response(now, Class::Success), Step::PassUp);
        assert_eq!(machine.on_response(now, Class::Failure), Step::Nothing);
        assert_eq!(machine.on_response(now, Class::Provisional), Step::Nothing);
        let end = machine.next_deadline().unwrap();
        assert_eq!(end - now, Duration::from_secs(32));
        assert_eq!(machine.on_timer(end), Step::Nothing);
        assert_eq!(machine.state(), State::Terminated);
        assert_eq!(machine.on_response(end, Class::Success), Step::Nothing);
    }

    #[test]
    fn a_failure_is_acknowledged_each_time_but_goes_up_once() {
        let (mut machine, now) = calling(false);
        assert_eq!(machine.on_response(now, Class::Failure), Step::AckAndPassUp);
        assert_eq!(machine.on_response(now, Class::Failure), Step::Ack);
        assert_eq!(machine.on_response(now, Class::Success), Step::Nothing);
        assert_eq!(machine.next_deadline(), Some(now + Duration::from_secs(32)));
    }

    #[test]
    fn a_failure_over_a_reliable_transport_ends_the_transaction() {
        let (mut machine, now) = calling(true);
        assert_eq!(machine.on_response(now, Class::Failure), Step::AckAndPassUp);
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn a_transport_error_before_any_response_is_told() {
        let (mut machine, _) = calling(true);
        assert_eq!(machine.on_transport_error(), Step::Unreachable);
        assert_eq!(machine.on_transport_error(), Step::Nothing);
    }
}
