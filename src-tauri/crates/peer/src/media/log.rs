use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::answers::Answers;
use super::pace::Pace;
use super::sequence::Unwrap;

/// Numbers that are remembered as arrived.
const WINDOW: u64 = 2_048;
/// A gap that is a new beginning rather than a loss.
const JUMP: u64 = 1_000;
/// Late ones in a row after which they are a new beginning.
const LATE: u32 = 30;
const MISSING: usize = 600;
/// Between two looks at what is missing.
pub(crate) const TICK: Duration = Duration::from_millis(20);
/// Before the same is asked for again, growing to the slowest; never sooner than an answer can be there.
const AGAIN: [Duration; 3] =
    [Duration::from_millis(40), Duration::from_millis(40), Duration::from_millis(80)];
const SLOWEST: Duration = Duration::from_millis(160);
const TRIES: u32 = 10;
/// From the first request: what has not come by then is of no use.
const LONGEST: Duration = Duration::from_secs(2);
/// Packets that wait so long on their way wait at a bottleneck that this stream fills.
const FULL: Duration = Duration::from_millis(200);
/// What takes longer there to be sent again makes all that follows late by as much, in a queue of the sender's: of what
/// Chromium sends, where 2 Mbit/s become 500 kbit/s, until 4 s after; with a key frame instead until 3 s.
const LATEST: Duration = Duration::from_millis(250);
/// For so long after that the key frame is on its way: what is lost of it is asked for.
const KEY_FRAME: Duration = Duration::from_secs(2);

/// What of a stream has arrived and what is to be asked for again (RFC 4585 section 6.2.1).
#[derive(Debug)]
pub(crate) struct Log {
    unwrap: Unwrap,
    first: u64,
    highest: Option<u64>,
    seen: Vec<u64>,
    missing: BTreeMap<u64, Missing>,
    /// Whether the far end sends again at all.
    repairs: bool,
    answers: Answers,
    pace: Pace,
    gave_up: Option<Instant>,
    /// What answers wait for on their way at the moment.
    queue: Duration,
    tick: Option<Instant>,
    late: u32,
    /// Of numbers that were asked for again.
    pub(crate) nacked: u64,
    pub(crate) nacks: u64,
    pub(crate) lost: u64,
    pub(crate) duplicates: u64,
}

#[derive(Debug, Clone, Copy)]
struct Missing {
    tries: u32,
    asked: Instant,
    due: Instant,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrival {
    New,
    /// It filled a gap.
    Late,
    /// It came before, or so late that nobody can tell.
    Again,
    /// The stream begins anew.
    Restart,
}

/// What a look at the log asks for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Requests {
    pub(crate) sequences: Vec<u16>,
    /// Given up.
    pub(crate) lost: u32,
}

impl Log {
    pub(crate) fn new(repairs: bool) -> Self {
        Self {
            unwrap: Unwrap::default(),
            first: 0,
            highest: None,
            seen: Vec::new(),
            missing: BTreeMap::new(),
            repairs,
            answers: Answers::default(),
            pace: Pace::default(),
            gave_up: None,
            queue: Duration::ZERO,
            tick: None,
            late: 0,
            nacked: 0,
            nacks: 0,
            lost: 0,
            duplicates: 0,
        }
    }

    /// As [`Self::record`], of what was sent again.
    pub(crate) fn record_repair(&mut self, now: Instant, sequence: u16) -> Arrival {
        let number = self.unwrap.peek(sequence);
        match self.missing.get(&number) {
            Some(missing) if missing.tries > 0 => {
                self.answers.arrived(now, number, missing.asked, missing.tries);
            }
            _ => self.answers.arrived_again(number),
        }
        self.record(now, sequence)
    }

    pub(crate) fn record(&mut self, now: Instant, sequence: u16) -> Arrival {
        self.pace.arrived(now);
        let number = self.unwrap.peek(sequence);
        let Some(highest) = self.highest else {
            self.begin(sequence);
            return Arrival::New;
        };
        if number > highest {
            if number - highest > JUMP {
                self.begin(sequence);
                return Arrival::Restart;
            }
            self.late = 0;
            self.advance(now, highest, number);
            self.unwrap.unwrap(sequence);
            return Arrival::New;
        }
        if highest - number >= WINDOW {
            self.late += 1;
            self.duplicates += 1;
            if self.late >= LATE {
                self.begin(sequence);
                return Arrival::Restart;
            }
            return Arrival::Again;
        }
        if !self.mark(number) {
            self.duplicates += 1;
            return Arrival::Again;
        }
        self.missing.remove(&number);
        Arrival::Late
    }

    fn begin(&mut self, sequence: u16) {
        self.unwrap = Unwrap::default();
        let number = self.unwrap.unwrap(sequence);
        (self.first, self.highest, self.late) = (number, Some(number), 0);
        self.seen = vec![0; WINDOW as usize];
        self.lost += self.missing.len() as u64;
        self.missing.clear();
        self.mark(number);
    }

    fn advance(&mut self, now: Instant, highest: u64, number: u64) {
        self.highest = Some(number);
        self.mark(number);
        if !self.repairs {
            self.lost += number - highest - 1;
            return;
        }
        for gone in highest + 1..number {
            self.missing.insert(gone, Missing { tries: 0, asked: now, due: now });
        }
        while self.missing.len() > MISSING {
            self.missing.pop_first();
            self.lost += 1;
        }
        if !self.missing.is_empty() && self.tick.is_none() {
            self.tick = Some(now + TICK);
        }
    }

    /// False: it was marked before.
    fn mark(&mut self, number: u64) -> bool {
        match self.seen.get_mut((number % WINDOW) as usize) {
            Some(place) if *place != number => {
                *place = number;
                true
            }
            _ => false,
        }
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.tick.filter(|_| !self.missing.is_empty())
    }

    /// Answers wait as long as what else comes.
    pub(crate) fn set_queue(&mut self, queue: Duration) {
        self.queue = queue;
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant, round_trip: Option<Duration>) -> Requests {
        let mut requests = Requests::default();
        if self.tick.is_none_or(|tick| tick > now) {
            return requests;
        }
        if self.is_too_much(now) {
            self.gave_up = Some(now);
            requests.lost = u32::try_from(self.missing.len()).unwrap_or(u32::MAX);
            self.lost += self.missing.len() as u64;
            self.missing.clear();
            self.tick = None;
            return requests;
        }
        let on_its_way =
            round_trip.unwrap_or_default().min(2 * SLOWEST) + self.queue + Duration::from_millis(10);
        let answered = on_its_way.max(self.answers.patience());
        self.missing.retain(|number, missing| {
            if missing.due > now {
                return true;
            }
            let is_over = missing.tries > 0 && now.saturating_duration_since(missing.asked) >= LONGEST;
            if missing.tries == TRIES || is_over {
                requests.lost += 1;
                return false;
            }
            if missing.tries == 0 {
                self.nacked += 1;
                missing.asked = now;
            }
            self.nacks += 1;
            let wait = AGAIN.get(missing.tries as usize).copied().unwrap_or(SLOWEST);
            missing.due = now + wait.max(answered);
            missing.tries += 1;
            requests.sequences.push(*number as u16);
            true
        });
        self.lost += u64::from(requests.lost);
        self.tick = (!self.missing.is_empty()).then_some(now + TICK);
        requests
    }

    /// Whether what is missing takes so long to come again, on a path that this stream fills, that it is better given up.
    fn is_too_much(&self, now: Instant) -> bool {
        let since = self.gave_up.map_or(Duration::MAX, |at| now.saturating_duration_since(at));
        let takes = self.pace.time_for(now, self.missing.len());
        self.queue >= FULL && takes.is_some_and(|takes| takes > LATEST) && since >= KEY_FRAME
    }

    /// The highest number with its cycles counted from the first one, as reports want it.
    pub(crate) fn extended(&self) -> u32 {
        (self.highest.unwrap_or_default() - 65_536.min(self.highest.unwrap_or_default())) as u32
    }

    /// How many there should be.
    pub(crate) fn expected(&self) -> u64 {
        self.highest.map_or(0, |highest| highest + 1 - self.first)
    }
}
