use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, RecvDelta, RunLengthChunk, StatusChunkTypeTcc, StatusVectorChunk, SymbolSizeTypeTcc,
    SymbolTypeTcc, TransportLayerCc,
};

use super::sequence::Unwrap;

/// Between two reports.
const INTERVAL: Duration = Duration::from_millis(50);
/// The unit of times in a report, in microseconds.
const UNIT: i64 = 250;
/// The unit of a report's reference time.
const REFERENCE: i64 = 64_000;
/// Statuses of one report.
const STATUSES: u64 = 1_000;
const KEPT: usize = 5_000;

/// When packets arrived, for the sender's estimate
/// (draft-holmer-rmcat-transport-wide-cc-extensions-01).
#[derive(Debug)]
pub(crate) struct Arrivals {
    epoch: Instant,
    unwrap: Unwrap,
    /// In microseconds since the epoch.
    times: BTreeMap<u64, i64>,
    /// The first that no report has told of.
    next: Option<u64>,
    count: u8,
    due: Option<Instant>,
}

impl Arrivals {
    pub(crate) fn new(epoch: Instant) -> Self {
        Self { epoch, unwrap: Unwrap::default(), times: BTreeMap::new(), next: None, count: 0, due: None }
    }

    pub(crate) fn record(&mut self, now: Instant, sequence: u16) {
        let number = self.unwrap.unwrap(sequence);
        let time = i64::try_from(now.saturating_duration_since(self.epoch).as_micros()).unwrap_or(i64::MAX);
        // One that was already reported as lost is told late, as libwebrtc does.
        if self.next.is_some_and(|next| number < next && next - number < 500) {
            self.next = Some(number);
        } else if self.next.is_some_and(|next| number < next) {
            return;
        }
        self.next.get_or_insert(number);
        self.times.entry(number).or_insert(time);
        while self.times.len() > KEPT {
            self.times.pop_first();
        }
        self.due.get_or_insert(now + INTERVAL);
    }

    pub(crate) fn poll_timeout(&self) -> Option<Instant> {
        self.due
    }

    /// The reports that are due. `sender` is our SSRC, `media` any of the far end's.
    pub(crate) fn handle_timeout(&mut self, now: Instant, sender: u32, media: u32) -> Vec<TransportLayerCc> {
        let mut reports = Vec::new();
        if self.due.is_none_or(|due| due > now) {
            return reports;
        }
        self.due = None;
        while let Some(report) = self.report(sender, media) {
            reports.push(report);
            if reports.len() == 8 {
                break;
            }
        }
        reports
    }

    fn report(&mut self, sender: u32, media: u32) -> Option<TransportLayerCc> {
        let next = self.next?;
        let (&first, &time) = self.times.range(next..).next()?;
        // A long gap needs no statuses.
        let base = if first - next > STATUSES / 2 { first } else { next };
        let reference = time.div_euclid(REFERENCE);
        let mut clock = reference * REFERENCE;
        let (mut symbols, mut deltas) = (Vec::new(), Vec::new());
        let mut number = base;
        for (&arrived, &time) in self.times.range(base..) {
            let delta = (time - clock).div_euclid(UNIT);
            if arrived - base >= STATUSES || i16::try_from(delta).is_err() {
                break;
            }
            while number < arrived {
                symbols.push(SymbolTypeTcc::PacketNotReceived);
                number += 1;
            }
            let symbol = match delta {
                0..=255 => SymbolTypeTcc::PacketReceivedSmallDelta,
                _ => SymbolTypeTcc::PacketReceivedLargeDelta,
            };
            symbols.push(symbol);
            deltas.push(RecvDelta { type_tcc_packet: symbol, delta: delta * UNIT });
            clock += delta * UNIT;
            number += 1;
        }
        self.next = Some(number);
        // Those just before are kept: a late one makes a report go back to it.
        self.times.retain(|kept, _| kept + 500 >= number);
        let report = TransportLayerCc {
            sender_ssrc: sender,
            media_ssrc: media,
            base_sequence_number: base as u16,
            packet_status_count: u16::try_from(symbols.len()).unwrap_or(u16::MAX),
            reference_time: (reference & 0xff_ffff) as u32,
            fb_pkt_count: self.count,
            packet_chunks: chunks(&symbols),
            recv_deltas: deltas,
        };
        self.count = self.count.wrapping_add(1);
        Some(report)
    }
}

fn chunks(mut symbols: &[SymbolTypeTcc]) -> Vec<PacketStatusChunk> {
    let mut chunks = Vec::new();
    while let Some(&first) = symbols.first() {
        let run = symbols.iter().take(8_191).take_while(|symbol| **symbol == first).count();
        let taken = if run >= 7 || run == symbols.len() {
            chunks.push(PacketStatusChunk::RunLengthChunk(RunLengthChunk {
                type_tcc: StatusChunkTypeTcc::RunLengthChunk,
                packet_status_symbol: first,
                run_length: run as u16,
            }));
            run
        } else {
            let taken = symbols.len().min(7);
            let mut list = symbols.get(..taken).unwrap_or_default().to_vec();
            list.resize(7, SymbolTypeTcc::PacketNotReceived);
            chunks.push(PacketStatusChunk::StatusVectorChunk(StatusVectorChunk {
                type_tcc: StatusChunkTypeTcc::StatusVectorChunk,
                symbol_size: SymbolSizeTypeTcc::TwoBit,
                symbol_list: list,
            }));
            taken
        };
        symbols = symbols.get(taken..).unwrap_or_default();
    }
    chunks
}
