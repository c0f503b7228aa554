use std::collections::VecDeque;
use std::time::Duration;

use super::{EventBlock, EventCode};

/// Times that the last packet of an event or segment is sent (RFC 4733 section 2.5.1.4).
const LAST: u8 = 3;
const QUEUE: usize = 64;
const SHORTEST: Duration = Duration::from_millis(40);

/// How events are sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderOptions {
    /// Hz of the telephone-event payload type; that of the audio, whose timeline the events lie on.
    pub clock_rate: u32,
    /// -dBm0, 0 to 63.
    pub volume: u8,
    /// Time between two packets of one event. RFC 4733 recommends 50 ms; 20 ms is what phones do.
    pub update: Duration,
    /// Silence between two events.
    pub gap: Duration,
}

/// A telephone-event packet to send: `session.write_rtp(now, pt, packet.timestamp, packet.marker, &packet.payload, …)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct EventPacket {
    /// On the timeline of the ticks.
    pub timestamp: u32,
    pub marker: bool,
    pub payload: [u8; 4],
}

/// The queue of keys to send is full.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("more than {QUEUE} telephone events wait to be sent")]
pub struct QueueFull;

/// Sends events one after the other (RFC 4733 section 2.5.1). Call [`EventSender::tick`] for every audio frame; while
/// [`EventSender::is_sending`], send its packets in the place of the audio.
#[derive(Debug)]
pub struct EventSender {
    options: SenderOptions,
    queue: VecDeque<(EventCode, Option<Duration>)>,
    state: State,
    /// Last packets of the segment before, still to be repeated.
    segment: Option<(u8, EventPacket)>,
}

#[derive(Debug, Clone, Copy)]
enum State {
    Idle,
    On(Event),
    /// Repeats the last packet.
    Ending {
        packet: EventPacket,
        left: u8,
        next: u32,
        gap_from: u32,
    },
    /// Until that timestamp nothing begins.
    Gap(u32),
}

#[derive(Debug, Clone, Copy)]
struct Event {
    code: EventCode,
    /// None: until released.
    units: Option<u64>,
    /// Of the present segment.
    timestamp: u32,
    before: u64,
    first: bool,
    next: u32,
}

impl SenderOptions {
    pub fn new(clock_rate: u32) -> Self {
        let (update, gap) = (Duration::from_millis(20), Duration::from_millis(60));
        Self { clock_rate, volume: 10, update, gap }
    }
}

impl EventSender {
    pub fn new(options: SenderOptions) -> Self {
        Self { options, queue: VecDeque::new(), state: State::Idle, segment: None }
    }

    /// Queues an event of that length, at least 40 ms.
    pub fn send(&mut self, code: EventCode, duration: Duration) -> Result<(), QueueFull> {
        self.push(code, Some(duration.max(SHORTEST)))
    }

    /// Queues an event that lasts until [`EventSender::release`].
    pub fn press(&mut self, code: EventCode) -> Result<(), QueueFull> {
        self.push(code, None)
    }

    /// Ends the pressed event, not before 40 ms of it.
    pub fn release(&mut self) {
        let shortest = self.units(SHORTEST);
        if let Some((_, duration @ None)) = self.queue.back_mut() {
            *duration = Some(SHORTEST);
        } else if let State::On(event) = &mut self.state {
            event.units.get_or_insert(shortest);
        }
    }

    /// Drops what waits; an event that is being sent is ended as a release would.
    pub fn clear(&mut self) {
        self.queue.clear();
        if let State::On(event) = &mut self.state {
            event.units = Some(0);
        }
    }

    /// An event is being sent or waits: audio packets give way.
    pub fn is_sending(&self) -> bool {
        matches!(self.state, State::On(_) | State::Ending { .. }) || !self.queue.is_empty()
    }

    /// One audio frame, which begins at `timestamp` and lasts `len`, both in the event clock.
    pub fn tick(&mut self, timestamp: u32, len: u32, mut emit: impl FnMut(EventPacket)) {
        let now = timestamp.wrapping_add(len);
        if matches!(self.state, State::Gap(until) if reached(timestamp, until)) {
            self.state = State::Idle;
        }
        if matches!(self.state, State::Idle)
            && let Some((code, duration)) = self.queue.pop_front()
        {
            let units = duration.map(|duration| self.units(duration));
            let event = Event { code, units, timestamp, before: 0, first: true, next: now };
            self.state = State::On(event);
        }
        match self.state {
            State::On(event) if reached(now, event.next) => self.update(event, now, &mut emit),
            State::Ending { packet, left, next, gap_from } if reached(now, next) => {
                self.repeat_segment(&mut emit);
                emit(packet);
                let next = now.wrapping_add(self.units32(self.options.update));
                self.state = match left - 1 {
                    0 => State::Gap(gap_from.wrapping_add(self.units32(self.options.gap))),
                    left => State::Ending { packet, left, next, gap_from },
                };
            }
            _ => {}
        }
    }

    fn update(&mut self, mut event: Event, now: u32, emit: &mut impl FnMut(EventPacket)) {
        self.repeat_segment(emit);
        let mut duration = now.wrapping_sub(event.timestamp);
        let limit = u32::from(u16::MAX);
        if duration > limit {
            let packet = self.packet(&event, limit, false);
            emit(packet);
            self.segment = Some((LAST - 1, packet));
            event.timestamp = event.timestamp.wrapping_add(limit);
            event.before += u64::from(limit);
            event.first = false;
            duration -= limit;
        }
        let end = event.units.is_some_and(|units| event.before + u64::from(duration) >= units);
        let packet = self.packet(&event, duration.min(limit), end);
        emit(packet);
        let next = now.wrapping_add(self.units32(self.options.update));
        event.first = false;
        event.next = next;
        let repeated = EventPacket { marker: false, ..packet };
        self.state = match end {
            true => State::Ending { packet: repeated, left: LAST - 1, next, gap_from: now },
            false => State::On(event),
        };
    }

    fn repeat_segment(&mut self, emit: &mut impl FnMut(EventPacket)) {
        if let Some((left, packet)) = self.segment.take() {
            let packet = EventPacket { marker: false, ..packet };
            emit(packet);
            self.segment = (left > 1).then(|| (left - 1, packet));
        }
    }

    fn packet(&self, event: &Event, duration: u32, end: bool) -> EventPacket {
        let duration = u16::try_from(duration).unwrap_or(u16::MAX);
        let volume = self.options.volume;
        let payload = EventBlock { code: event.code, end, volume, duration }.to_bytes();
        EventPacket { timestamp: event.timestamp, marker: event.first, payload }
    }

    fn push(&mut self, code: EventCode, duration: Option<Duration>) -> Result<(), QueueFull> {
        if self.queue.len() >= QUEUE {
            return Err(QueueFull);
        }
        self.release();
        self.queue.push_back((code, duration));
        Ok(())
    }

    fn units(&self, duration: Duration) -> u64 {
        u64::try_from(duration.as_millis())
            .unwrap_or(u64::MAX)
            .saturating_mul(u64::from(self.options.clock_rate))
            / 1000
    }

    fn units32(&self, duration: Duration) -> u32 {
        u32::try_from(self.units(duration)).unwrap_or(u32::MAX / 4)
    }
}

/// `at` or later, on a timeline that wraps.
fn reached(now: u32, at: u32) -> bool {
    now.wrapping_sub(at) as i32 >= 0
}
