//! Payload-specific feedback (RFC 4585 section 6.3, RFC 5104 section 4.3.1).

use super::write::{packet, word};
use crate::error::{Error, u32_at};

/// PSFB.
const PAYLOAD_SPECIFIC: u8 = 206;
const PICTURE_LOSS: u8 = 1;
const FULL_INTRA: u8 = 4;
const ENTRY: usize = 8;

/// A request for a key frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PayloadFeedback<'a> {
    PictureLoss { sender: u32, media: u32 },
    FullIntra { sender: u32, entries: FullIntraEntries<'a> },
}

/// For whom, and the number of the request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FullIntraEntries<'a>(&'a [u8]);

impl<'a> PayloadFeedback<'a> {
    /// From the parts of [`super::Packet::Other`]; `Ok(None)` for what is no request for a key frame.
    pub fn parse(packet_type: u8, format: u8, body: &'a [u8]) -> Result<Option<Self>, Error> {
        if packet_type != PAYLOAD_SPECIFIC || !matches!(format, PICTURE_LOSS | FULL_INTRA) {
            return Ok(None);
        }
        let sender = u32_at(body, 0, "RTCP feedback sender SSRC")?;
        let media = u32_at(body, 4, "RTCP feedback media SSRC")?;
        if format == PICTURE_LOSS {
            return Ok(Some(Self::PictureLoss { sender, media }));
        }
        let entries = body.get(8..).unwrap_or_default();
        if entries.is_empty() || !entries.len().is_multiple_of(ENTRY) {
            return Err(Error::Malformed("RTCP FIR entries are not 8 bytes each"));
        }
        Ok(Some(Self::FullIntra { sender, entries: FullIntraEntries(entries) }))
    }
}

impl FullIntraEntries<'_> {
    /// Media SSRC and number.
    pub fn iter(&self) -> impl Iterator<Item = (u32, u8)> {
        self.0
            .chunks_exact(ENTRY)
            .filter_map(|entry| Some((u32_at(entry, 0, "RTCP FIR").ok()?, *entry.get(4)?)))
    }
}

/// Appends a picture loss indication.
pub fn write_picture_loss(sender: u32, media: u32, out: &mut Vec<u8>) {
    packet(PAYLOAD_SPECIFIC, PICTURE_LOSS, out, |out| {
        word(sender, out);
        word(media, out);
    });
}

/// Appends a full intra request; `number` grows with every request that is not a repetition.
pub fn write_full_intra_request(sender: u32, media: u32, number: u8, out: &mut Vec<u8>) {
    packet(PAYLOAD_SPECIFIC, FULL_INTRA, out, |out| {
        word(sender, out);
        word(0, out);
        word(media, out);
        out.extend_from_slice(&[number, 0, 0, 0]);
    });
}
