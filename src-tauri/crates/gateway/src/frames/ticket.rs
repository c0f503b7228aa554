//! Tickets for the app's window: each opens one socket, once, soon.

use crate::{
    GatewayError,
    login::{random_text, same},
};
use std::{
    collections::VecDeque,
    time::{Duration, Instant},
};

/// The window uses its ticket at once.
const LIFE: Duration = Duration::from_secs(30);
/// More unused ones than this: the oldest is worth nothing any more.
const MOST: usize = 16;

#[derive(Default)]
pub(super) struct Tickets(VecDeque<(String, Instant)>);

impl Tickets {
    /// 256 random bits.
    pub(super) fn issue(&mut self, now: Instant) -> Result<String, GatewayError> {
        self.0.retain(|(_, expires)| *expires > now);
        if self.0.len() >= MOST {
            self.0.pop_front();
        }
        let ticket = random_text()?;
        self.0.push_back((ticket.clone(), now + LIFE));
        Ok(ticket)
    }

    /// Burns it. All are compared, so that the time tells nothing of which one came close.
    pub(super) fn redeem(&mut self, ticket: &str, now: Instant) -> bool {
        let mut found = None;
        for (index, (known, expires)) in self.0.iter().enumerate() {
            if same(known.as_bytes(), ticket.as_bytes()) && *expires > now {
                found = Some(index);
            }
        }
        found.is_some_and(|index| self.0.remove(index).is_some())
    }
}

#[cfg(test)]
mod tests {
    use super::{LIFE, MOST, Tickets};
    use std::time::Instant;

    #[test]
    fn a_ticket_is_good_once_and_not_for_long_and_few_are_kept() {
        let (mut tickets, now) = (Tickets::default(), Instant::now());
        let first = tickets.issue(now).unwrap();
        assert!(!tickets.redeem("", now) && !tickets.redeem(&first[1..], now));
        assert!(tickets.redeem(&first, now) && !tickets.redeem(&first, now));
        let late = tickets.issue(now).unwrap();
        assert!(!tickets.redeem(&late, now + LIFE));
        let oldest = tickets.issue(now).unwrap();
        for _ in 0..MOST {
            tickets.issue(now).unwrap();
        }
        assert!(!tickets.redeem(&oldest, now));
    }
}
