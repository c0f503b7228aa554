use super::sdes::Chunks;
use super::{Blocks, Goodbye, Packet, ReportBlock, SenderInfo};
use crate::NtpTime;
use crate::error::{Error, take, u16_at, u32_at};

const BLOCK: usize = 24;

/// A compound whose packets are all well formed (RFC 3550 appendix A.2).
#[derive(Debug, Clone, Copy)]
pub struct Compound<'a>(&'a [u8]);

impl<'a> Compound<'a> {
    /// Checks the whole datagram: version 2 everywhere, first a sender or receiver report or feedback (which phones send
    /// alone, RFC 5506), padding on the last packet only, all lengths.
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Error> {
        let first = datagram.get(1).copied();
        if !matches!(first, None | Some(200 | 201 | 205 | 206)) {
            return Err(Error::Malformed("RTCP compound does not begin with a report"));
        }
        let mut rest = datagram;
        loop {
            let (_, after) = next(rest)?;
            if after.is_empty() {
                return Ok(Self(datagram));
            }
            rest = after;
        }
    }

    pub fn packets(&self) -> impl Iterator<Item = Packet<'a>> + use<'a> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            let (packet, after) = next(rest).ok()?;
            rest = after;
            Some(packet)
        })
    }
}

fn next(bytes: &[u8]) -> Result<(Packet<'_>, &[u8]), Error> {
    let [first, packet_type, ..] = *take(bytes, 0, 4, "RTCP header")? else {
        return Err(Error::TooShort { field: "RTCP header", needed: 4, available: bytes.len() });
    };
    if first >> 6 != 2 {
        return Err(Error::Version(first >> 6));
    }
    let len = usize::from(u16_at(bytes, 2, "RTCP length")?) * 4;
    let mut body = take(bytes, 4, len, "RTCP packet")?;
    let after = bytes.get(4 + len..).unwrap_or_default();
    if first & 0x20 != 0 {
        let padding = body.last().copied().unwrap_or(0);
        if !after.is_empty() || padding == 0 || !padding.is_multiple_of(4) {
            return Err(Error::Padding(padding));
        }
        let len = body.len().checked_sub(usize::from(padding)).ok_or(Error::Padding(padding))?;
        body = body.get(..len).unwrap_or_default();
    }
    Ok((packet(packet_type, first & 0x1f, body)?, after))
}

fn packet(packet_type: u8, count: u8, body: &[u8]) -> Result<Packet<'_>, Error> {
    Ok(match packet_type {
        200 => {
            let ssrc = u32_at(body, 0, "RTCP SR SSRC")?;
            let high = u32_at(body, 4, "RTCP SR NTP time")?;
            let low = u32_at(body, 8, "RTCP SR NTP time")?;
            let info = SenderInfo {
                ntp: NtpTime(u64::from(high) << 32 | u64::from(low)),
                rtp_timestamp: u32_at(body, 12, "RTCP SR timestamp")?,
                packets: u32_at(body, 16, "RTCP SR packet count")?,
                octets: u32_at(body, 20, "RTCP SR octet count")?,
            };
            let blocks = Blocks(take(body, 24, usize::from(count) * BLOCK, "RTCP SR report blocks")?);
            Packet::SenderReport { ssrc, info, blocks }
        }
        201 => {
            let ssrc = u32_at(body, 0, "RTCP RR SSRC")?;
            let blocks = Blocks(take(body, 4, usize::from(count) * BLOCK, "RTCP RR report blocks")?);
            Packet::ReceiverReport { ssrc, blocks }
        }
        202 => Packet::SourceDescription(Chunks::parse(count, body)?),
        203 => {
            let sources = take(body, 0, usize::from(count) * 4, "RTCP BYE sources")?;
            let reason = match body.get(sources.len()) {
                Some(len) => Some(take(body, sources.len() + 1, usize::from(*len), "RTCP BYE reason")?),
                None => None,
            };
            Packet::Goodbye(Goodbye { sources, reason })
        }
        204 => {
            let ssrc = u32_at(body, 0, "RTCP APP SSRC")?;
            let name = u32_at(body, 4, "RTCP APP name")?.to_be_bytes();
            Packet::Application { subtype: count, ssrc, name, data: body.get(8..).unwrap_or_default() }
        }
        _ => Packet::Other { packet_type, count, body },
    })
}

impl<'a> Blocks<'a> {
    pub fn iter(&self) -> impl Iterator<Item = ReportBlock> + use<'a> {
        self.0.chunks_exact(BLOCK).filter_map(|bytes| block(bytes).ok())
    }

    pub fn len(&self) -> usize {
        self.0.len() / BLOCK
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn block(bytes: &[u8]) -> Result<ReportBlock, Error> {
    const FIELD: &str = "RTCP report block";
    let loss = u32_at(bytes, 4, FIELD)?;
    Ok(ReportBlock {
        ssrc: u32_at(bytes, 0, FIELD)?,
        fraction_lost: (loss >> 24) as u8,
        cumulative_lost: (loss << 8) as i32 >> 8,
        highest_sequence: u32_at(bytes, 8, FIELD)?,
        jitter: u32_at(bytes, 12, FIELD)?,
        last_sr: u32_at(bytes, 16, FIELD)?,
        delay: u32_at(bytes, 20, FIELD)?,
    })
}
