use crate::error::{Error, take, u16_at, u32_at};

/// An RTP packet as it is on the wire (RFC 3550 section 5.1); borrows from the datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WirePacket<'a> {
    pub marker: bool,
    pub payload_type: u8,
    pub sequence: u16,
    pub timestamp: u32,
    pub ssrc: u32,
    /// Contributing sources, 4 bytes each, at most 15.
    pub csrc: &'a [u8],
    pub extension: Option<Extension<'a>>,
    /// Without padding.
    pub payload: &'a [u8],
}

/// Header extension (RFC 3550 section 5.3.1); `data` is a multiple of 4 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Extension<'a> {
    pub profile: u16,
    pub data: &'a [u8],
}

/// Whether a datagram on a shared port is RTCP (RFC 5761 section 4): packet types 192 to 223.
pub fn is_rtcp(datagram: &[u8]) -> bool {
    matches!(datagram, [first, 192..=223, ..] if first >> 6 == 2)
}

impl<'a> WirePacket<'a> {
    pub fn parse(datagram: &'a [u8]) -> Result<Self, Error> {
        let [first, second, ..] = *take(datagram, 0, 12, "RTP header")? else {
            return Err(Error::TooShort { field: "RTP header", needed: 12, available: datagram.len() });
        };
        if first >> 6 != 2 {
            return Err(Error::Version(first >> 6));
        }
        let csrc = take(datagram, 12, usize::from(first & 0x0f) * 4, "RTP CSRC list")?;
        let mut start = 12 + csrc.len();
        let mut extension = None;
        if first & 0x10 != 0 {
            let profile = u16_at(datagram, start, "RTP header extension")?;
            let words = u16_at(datagram, start + 2, "RTP header extension")?;
            let data = take(datagram, start + 4, usize::from(words) * 4, "RTP header extension")?;
            start += 4 + data.len();
            extension = Some(Extension { profile, data });
        }
        let mut payload = datagram.get(start..).unwrap_or_default();
        if first & 0x20 != 0 {
            let padding = payload.last().copied().unwrap_or(0);
            payload = match payload.len().checked_sub(usize::from(padding)) {
                Some(len) if padding > 0 => payload.get(..len).unwrap_or_default(),
                _ => return Err(Error::Padding(padding)),
            };
        }
        Ok(Self {
            marker: second & 0x80 != 0,
            payload_type: second & 0x7f,
            sequence: u16_at(datagram, 2, "RTP sequence number")?,
            timestamp: u32_at(datagram, 4, "RTP timestamp")?,
            ssrc: u32_at(datagram, 8, "RTP SSRC")?,
            csrc,
            extension,
            payload,
        })
    }

    /// Appends the packet with `padding` bytes of padding. CSRCs above 15 and bytes that do not fill 4 are left out.
    pub fn write(&self, padding: u8, out: &mut Vec<u8>) {
        let csrc = self.csrc.chunks_exact(4).take(15);
        let flags = u8::from(padding > 0) << 5 | u8::from(self.extension.is_some()) << 4 | csrc.len() as u8;
        out.push(0x80 | flags);
        out.push(u8::from(self.marker) << 7 | self.payload_type & 0x7f);
        out.extend_from_slice(&self.sequence.to_be_bytes());
        out.extend_from_slice(&self.timestamp.to_be_bytes());
        out.extend_from_slice(&self.ssrc.to_be_bytes());
        csrc.for_each(|source| out.extend_from_slice(source));
        if let Some(extension) = self.extension {
            let words = (extension.data.len() / 4).min(usize::from(u16::MAX));
            out.extend_from_slice(&extension.profile.to_be_bytes());
            out.extend_from_slice(&(words as u16).to_be_bytes());
            out.extend(extension.data.iter().take(words * 4));
        }
        out.extend_from_slice(self.payload);
        if padding > 0 {
            out.resize(out.len() + usize::from(padding) - 1, 0);
            out.push(padding);
        }
    }
}
