//! RTCP compound packets (RFC 3550 section 6), with the requests for key frames (RFC 4585, RFC 5104).

mod feedback;
mod parse;
mod sdes;
mod write;

pub use feedback::{FullIntraEntries, PayloadFeedback, write_full_intra_request, write_picture_loss};
pub use parse::Compound;
pub use sdes::{Chunk, Chunks, Item, Items};
pub use write::{
    write_application, write_goodbye, write_receiver_report, write_sender_report, write_source_description,
};

/// One packet of a compound; borrows from the datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Packet<'a> {
    SenderReport {
        ssrc: u32,
        info: SenderInfo,
        blocks: Blocks<'a>,
    },
    ReceiverReport {
        ssrc: u32,
        blocks: Blocks<'a>,
    },
    SourceDescription(Chunks<'a>),
    Goodbye(Goodbye<'a>),
    Application {
        subtype: u8,
        ssrc: u32,
        name: [u8; 4],
        data: &'a [u8],
    },
    /// Any other type, such as feedback (RFC 4585).
    Other {
        packet_type: u8,
        count: u8,
        body: &'a [u8],
    },
}

/// RFC 3550 section 6.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SenderInfo {
    pub ntp: crate::NtpTime,
    pub rtp_timestamp: u32,
    pub packets: u32,
    /// Payload bytes.
    pub octets: u32,
}

/// RFC 3550 section 6.4.1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ReportBlock {
    pub ssrc: u32,
    /// Of 256, since the report before.
    pub fraction_lost: u8,
    /// 24 bits with sign; duplicates make it negative.
    pub cumulative_lost: i32,
    pub highest_sequence: u32,
    /// Timestamp units.
    pub jitter: u32,
    pub last_sr: u32,
    /// 1/65536 s
    pub delay: u32,
}

/// The report blocks of a packet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Blocks<'a>(pub(crate) &'a [u8]);

/// RFC 3550 section 6.6.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Goodbye<'a> {
    pub(crate) sources: &'a [u8],
    pub reason: Option<&'a [u8]>,
}

impl Goodbye<'_> {
    pub fn sources(&self) -> impl Iterator<Item = u32> {
        self.sources.chunks_exact(4).map(|bytes| bytes.iter().fold(0, |ssrc, b| ssrc << 8 | u32::from(*b)))
    }
}
