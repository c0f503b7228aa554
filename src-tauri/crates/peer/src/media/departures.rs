use std::collections::VecDeque;
use std::time::Instant;

use rtc::rtcp::transport_feedbacks::transport_layer_cc::{
    PacketStatusChunk, SymbolTypeTcc, TransportLayerCc,
};

use super::estimate::PacketResult;

/// Packets that are remembered until a report tells of them.
const KEPT: usize = 8_192;

/// When packets were sent, by their transport-wide numbers.
#[derive(Debug, Default)]
pub(crate) struct Departures {
    /// Of the first one kept.
    base: u64,
    sent: VecDeque<Departure>,
    /// Bytes of all that was sent, and of all up to the newest that a report told of.
    total: u64,
    told: u64,
    /// The far end's clock, unwrapped, in microseconds.
    reference: Option<(i64, u32)>,
}

#[derive(Debug, Clone, Copy)]
struct Departure {
    at: Instant,
    size: usize,
    probe: Option<u32>,
    acknowledged: bool,
    /// Bytes of all up to it.
    total: u64,
}

impl Departures {
    /// The number to send with.
    pub(crate) fn next(&self) -> u16 {
        (self.base + self.sent.len() as u64) as u16
    }

    pub(crate) fn record(&mut self, at: Instant, size: usize, probe: Option<u32>) {
        self.total += size as u64;
        self.sent.push_back(Departure { at, size, probe, acknowledged: false, total: self.total });
        if self.sent.len() > KEPT {
            self.sent.pop_front();
            self.base += 1;
        }
    }

    /// Bytes on their way, as far as is known.
    pub(crate) fn in_flight(&self) -> u64 {
        self.total - self.told
    }

    /// What a report tells, in the order of sending. Each packet is told as received at most once.
    pub(crate) fn results(&mut self, report: &TransportLayerCc) -> Vec<PacketResult> {
        let newest = self.base + self.sent.len() as u64;
        let behind = (newest as u16).wrapping_sub(report.base_sequence_number);
        let first = newest.saturating_sub(u64::from(behind));
        let mut clock = self.clock(report.reference_time);
        let mut deltas = report.recv_deltas.iter();
        let mut results = Vec::new();
        let symbols = report.packet_chunks.iter().flat_map(symbols).take(report.packet_status_count.into());
        for (number, symbol) in (first..).zip(symbols) {
            let arrived = match symbol {
                SymbolTypeTcc::PacketReceivedSmallDelta | SymbolTypeTcc::PacketReceivedLargeDelta => {
                    let Some(delta) = deltas.next() else { break };
                    clock = clock.saturating_add(delta.delta);
                    Some(clock)
                }
                _ => None,
            };
            let place = number.checked_sub(self.base).and_then(|place| usize::try_from(place).ok());
            let Some(departure) = place.and_then(|place| self.sent.get_mut(place)) else { continue };
            self.told = self.told.max(departure.total);
            if departure.acknowledged {
                continue;
            }
            departure.acknowledged = arrived.is_some();
            results.push(PacketResult {
                sent: departure.at,
                arrived,
                size: departure.size,
                probe: departure.probe,
            });
        }
        results
    }

    /// The 24 bits of 64 ms wrap after twelve days.
    fn clock(&mut self, reference: u32) -> i64 {
        let unwrapped = match self.reference {
            None => i64::from(reference),
            Some((last, before)) => {
                let ahead = (reference.wrapping_sub(before) << 8) as i32 >> 8;
                last + i64::from(ahead)
            }
        };
        self.reference = Some((unwrapped, reference));
        unwrapped.saturating_mul(64_000)
    }
}

fn symbols(chunk: &PacketStatusChunk) -> Vec<SymbolTypeTcc> {
    match chunk {
        PacketStatusChunk::RunLengthChunk(run) => {
            vec![run.packet_status_symbol; usize::from(run.run_length.min(8_191))]
        }
        PacketStatusChunk::StatusVectorChunk(vector) => vector.symbol_list.clone(),
    }
}
