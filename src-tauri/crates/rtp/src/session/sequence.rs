/// RFC 3550 appendix A.1.
const MAX_DROPOUT: u16 = 3000;
const MAX_MISORDER: u16 = 100;
pub(super) const MIN_SEQUENTIAL: u8 = 2;
const CYCLE: u64 = 1 << 16;

/// Validates and extends the sequence numbers of one source (RFC 3550 appendix A.1) and counts loss (A.3).
#[derive(Debug, Clone)]
pub(super) struct Sequence {
    max: u16,
    /// Begins with one cycle, so that a packet from before the first one still has a number.
    cycles: u64,
    base: u64,
    /// The number that would confirm a restart of the source.
    restart: Option<u16>,
    probation: u8,
    received: u64,
    prior: (u64, u64),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Step {
    Probation,
    /// With the extended number.
    Valid(u64),
    /// First valid packet, or the source began again at another number.
    Started(u64),
    Jump,
}

impl Sequence {
    /// A source that has to show `MIN_SEQUENTIAL` packets in order, this one included.
    pub(super) fn new(first: u16) -> Self {
        let mut sequence = Self {
            max: first,
            cycles: CYCLE,
            base: 0,
            restart: None,
            probation: MIN_SEQUENTIAL - 1,
            received: 0,
            prior: (0, 0),
        };
        sequence.begin(first);
        sequence
    }

    pub(super) fn update(&mut self, number: u16) -> Step {
        if self.probation > 0 {
            let in_order = number == self.max.wrapping_add(1);
            self.probation = if in_order { self.probation - 1 } else { MIN_SEQUENTIAL - 1 };
            self.max = number;
            if self.probation > 0 {
                return Step::Probation;
            }
            return self.start(number);
        }
        let ahead = number.wrapping_sub(self.max);
        if ahead < MAX_DROPOUT {
            if number < self.max {
                self.cycles += CYCLE;
            }
            self.max = number;
            self.received += 1;
            self.restart = None;
            return Step::Valid(self.highest());
        }
        let behind = self.max.wrapping_sub(number);
        if behind < MAX_MISORDER {
            self.received += 1;
            return Step::Valid(self.highest() - u64::from(behind));
        }
        if self.restart == Some(number) {
            return self.start(number);
        }
        self.restart = Some(number.wrapping_add(1));
        Step::Jump
    }

    pub(super) fn received(&self) -> u64 {
        self.received
    }

    pub(super) fn expected(&self) -> u64 {
        self.highest() - self.base + 1
    }

    /// Cumulative loss; negative where packets came twice.
    pub(super) fn lost(&self) -> i64 {
        self.expected() as i64 - self.received as i64
    }

    /// The extended highest sequence number of a report block.
    pub(super) fn highest_reported(&self) -> u32 {
        (self.highest() - CYCLE) as u32
    }

    /// Loss since the last call, of 256.
    pub(super) fn take_fraction(&mut self) -> u8 {
        let (expected, received) = (self.expected(), self.received);
        let expected_now = expected.saturating_sub(self.prior.0);
        let received_now = received.saturating_sub(self.prior.1);
        self.prior = (expected, received);
        match expected_now.checked_sub(received_now) {
            Some(lost) if expected_now > 0 => (lost * 256 / expected_now).min(255) as u8,
            _ => 0,
        }
    }

    fn highest(&self) -> u64 {
        self.cycles + u64::from(self.max)
    }

    fn start(&mut self, number: u16) -> Step {
        self.begin(number);
        self.received = 1;
        Step::Started(self.highest())
    }

    fn begin(&mut self, number: u16) {
        self.max = number;
        self.cycles = CYCLE;
        self.base = CYCLE + u64::from(number);
        self.restart = None;
        self.received = 0;
        self.prior = (0, 0);
    }
}
