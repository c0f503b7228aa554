//! Non-INVITE server transaction: RFC 3261 section 17.2.2.

use std::time::Instant;

use super::{Class, ServerStep as Step, Timer, Timers, TransactionTimers};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Trying,
    Proceeding,
    Completed,
    Terminated,
}

#[derive(Debug)]
pub(crate) struct NonInviteServer {
    state: State,
    timers: TransactionTimers,
    base: Timers,
    reliable: bool,
}

impl NonInviteServer {
    pub(crate) fn start(base: Timers, reliable: bool) -> Self {
        Self { state: State::Trying, timers: TransactionTimers::new(), base, reliable }
    }

    pub(crate) fn state(&self) -> State {
        self.state
    }

    pub(crate) fn next_deadline(&self) -> Option<Instant> {
        self.timers.next()
    }

    /// The core sends a response. `Nothing` if this state allows none.
    pub(crate) fn on_send(&mut self, now: Instant, class: Class) -> Step {
        match (self.state, class) {
            (State::Trying | State::Proceeding, Class::Provisional) => {
                self.state = State::Proceeding;
                Step::Transmit
            }
            (State::Trying | State::Proceeding, Class::Success | Class::Failure) => {
                if self.reliable {
                    self.state = State::Terminated;
                } else {
                    self.state = State::Completed;
                    self.timers.set(Timer::J, now + self.base.transaction());
                }
                Step::Transmit
            }
            (State::Completed | State::Terminated, _) => Step::Nothing,
        }
    }

    /// The request came again.
    pub(crate) fn on_request(&mut self) -> Step {
        match self.state {
            State::Proceeding | State::Completed => Step::Transmit,
            State::Trying | State::Terminated => Step::Nothing,
        }
    }

    /// One due timer; call until it has nothing more due.
    pub(crate) fn on_timer(&mut self, now: Instant) -> Step {
        if self.timers.expired(now) == Some(Timer::J) {
            self.state = State::Terminated;
            self.timers.clear();
        }
        Step::Nothing
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn a_repeated_request_is_silent_in_trying_then_gets_the_last_response() {
        let now = Instant::now();
        let mut machine = NonInviteServer::start(Timers::default(), false);
        assert_eq!(machine.on_request(), Step::Nothing);
        assert_eq!(machine.on_send(now, Class::Provisional), Step::Transmit);
        assert_eq!(machine.on_request(), Step::Transmit);
        assert_eq!(machine.on_send(now, Class::Success), Step::Transmit);
        assert_eq!(machine.on_request(), Step::Transmit);
        assert_eq!(machine.on_send(now, Class::Failure), Step::Nothing);
        let end = machine.next_deadline().unwrap();
        assert_eq!(end - now, Duration::from_secs(32));
        machine.on_timer(end);
        assert_eq!(machine.state(), State::Terminated);
        assert_eq!(machine.on_request(), Step::Nothing);
    }

    #[test]
    fn over_a_reliable_transport_the_final_response_ends_it() {
        let mut machine = NonInviteServer::start(Timers::default(), true);
        assert_eq!(machine.on_send(Instant::now(), Class::Failure), Step::Transmit);
        assert_eq!((machine.state(), machine.next_deadline()), (State::Terminated, None));
    }
}
