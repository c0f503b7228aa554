//! INVITE server transaction: RFC 3261 section 17.2.1 with the Accepted state of RFC 6026.

use std::time::{Duration, Instant};

use super::{Class, ServerStep as Step, Timer, Timers, TransactionTimers};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum State {
    Proceeding,
    /// a 2xx was sent: INVITE retransmissions are absorbed, the core repeats the 2xx
    Accepted,
    /// a non-2xx was sent and is repeated until its ACK
    Completed,
    Confirmed,
    Terminated,
}

#[derive(Debug)]
pub(crate) struct InviteServer {
    state: State,
    timers: TransactionTimers,
    base: Timers,
    reliable: bool,
    interval_g: Duration,
}

impl InviteServer {
    pub(crate) fn start(base: Timers, reliable: bool) -> Self {
        Self {
            state: State::Proceeding,
            timers: TransactionTimers::new(),
            base,
            reliable,
            interval_g: base.t1,
        }
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
            (State::Proceeding, Class::Provisional) => Step::Transmit,
            (State::Proceeding, Class::Success) => {
                self.state = State::Accepted;
                self.timers.set(Timer::L, now + self.base.transaction());
                Step::Transmit
            }
            (State::Proceeding, Class::Failure) => {
                self.state = State::Completed;
                if !self.reliable {
                    self.timers.set(Timer::G, now + self.base.t1);
                }
                self.timers.set(Timer::H, now + self.base.transaction());
                Step::Transmit
            }
            (State::Accepted, Class::Success) => Step::Transmit,
            (State::Accepted, Class::Provisional | Class::Failure)
            | (State::Completed | State::Confirmed | State::Terminated, _) => Step::Nothing,
        }
    }

    /// The INVITE came again.
    pub(crate) fn on_request(&mut self) -> Step {
        match self.state {
            State::Proceeding | State::Completed => Step::Transmit,
            State::Accepted | State::Confirmed | State::Terminated => Step::Nothing,
        }
    }

    pub(crate) fn on_ack(&mut self, now: Instant) -> Step {
        match self.state {
            State::Completed => {
                self.timers.clear();
                if self.reliable {
                    self.state = State::Terminated;
                } else {
                    self.state = State::Confirmed;
                    self.timers.set(Timer::I, now + self.base.t4);
                }
                Step::Nothing
            }
            State::Accepted => Step::PassUp,
            State::Proceeding | State::Confirmed | State::Terminated => Step::Nothing,
        }
    }

    /// One due timer; call until it has nothing more due.
    pub(crate) fn on_timer(&mut self, now: Instant) -> Step {
        let Some(timer) = self.timers.expired(now) else { return Step::Nothing };
        match (self.state, timer) {
            (State::Completed, Timer::G) => {
                self.interval_g = (self.interval_g * 2).min(self.base.t2);
                self.timers.set(Timer::G, now + self.interval_g);
                Step::Transmit
            }
            (State::Completed, Timer::H) => {
                self.terminate();
                Step::TimedOut
            }
            (State::Confirmed, Timer::I) | (State::Accepted, Timer::L) => {
                self.terminate();
                Step::Nothing
            }
            _ => Step::Nothing,
        }
    }

    fn terminate(&mut self) {
        self.state = State::Terminated;
        self.timers.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn proceeding(reliable: bool) -> (InviteServer, Instant) {
        (InviteServer::start(Timers::default(), reliable), Instant::now())
    }

    #[test]
    fn a_repeated_invite_gets_the_last_provisional_again() {
        let (mut machine, now) = proceeding(false);
        assert_eq!(machine.on_send(now, Class::Provisional), Step::Transmit);
        assert_eq!(machine.on_request(), Step::Transmit);
        assert_eq!(machine.next_deadline(), None);
    }

    #[test]
    fn timer_g_repeats_a_failure_up_to_t2_and_timer_h_gives_up() {
        let (mut machine, start) = proceeding(false);
        assert_eq!(machine.on_send(start, Class::Failure), Step::Transmit);
        let mut sent = Vec::new();
        let end = loop {
            let at = machine.next_deadline().unwrap();
            match machine.on_timer(at) {
                Step::Transmit => sent.push((at - start).as_millis()),
                Step::TimedOut => break at,
                other => panic!("{other:?}"),
            }
        };
        assert_eq!(sent, [500, 1500, 3500, 7500, 11500, 15500, 19500, 23500, 27500, 31500]);
        assert_eq!(end - start, Duration::from_secs(32));
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn an_ack_stops_the_failure_and_is_absorbed_for_t4() {
        let (mut machine, now) = proceeding(false);
        machine.on_send(now, Class::Failure);
        assert_eq!(machine.on_ack(now), Step::Nothing);
        assert_eq!(machine.on_request(), Step::Nothing);
        assert_eq!(machine.on_ack(now), Step::Nothing);
        assert_eq!(
            (machine.state(), machine.next_deadline()),
            (State::Confirmed, Some(now + Duration::from_secs(5)))
        );
    }

    #[test]
    fn after_a_2xx_repeated_invites_are_absorbed_and_acks_go_up() {
        let (mut machine, now) = proceeding(false);
        assert_eq!(machine.on_send(now, Class::Success), Step::Transmit);
        assert_eq!(machine.on_request(), Step::Nothing);
        assert_eq!(machine.on_ack(now), Step::PassUp);
        assert_eq!(machine.on_send(now, Class::Success), Step::Transmit);
        assert_eq!(machine.on_send(now, Class::Failure), Step::Nothing);
        let end = machine.next_deadline().unwrap();
        assert_eq!(end - now, Duration::from_secs(32));
        machine.on_timer(end);
        assert_eq!(machine.state(), State::Terminated);
    }

    #[test]
    fn over_a_reliable_transport_a_failure_is_sent_once() {
        let (mut machine, now) = proceeding(true);
        machine.on_send(now, Class::Failure);
        assert_eq!(machine.next_deadline(), Some(now + Duration::from_secs(32)));
        machine.on_ack(now);
        assert_eq!(machine.state(), State::Terminated);
    }
}
