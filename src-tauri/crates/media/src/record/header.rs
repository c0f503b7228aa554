//! The header of a recording (Microsoft and IBM, Multimedia Programming Interface 1.0; WAVEFORMATEXTENSIBLE beyond two
//! channels).

use crate::frame::SAMPLE_RATE;

const BYTES_PER_SAMPLE: u16 = 2;
/// KSDATAFORMAT_SUBTYPE_PCM after its first two bytes, which are the format tag.
const PCM_GUID_TAIL: [u8; 14] = [0, 0, 0, 0, 0x10, 0, 0x80, 0, 0, 0xAA, 0, 0x38, 0x9B, 0x71];
const TAG_PCM: u16 = 1;
const TAG_EXTENSIBLE: u16 = 0xFFFE;

/// Bytes of one sample of all channels.
pub(super) fn block_align(channels: u16) -> u16 {
    channels * BYTES_PER_SAMPLE
}

/// The header of a file with `data` bytes of samples.
pub(super) fn bytes(channels: u16, data: u32) -> Vec<u8> {
    let extensible = channels > 2;
    let align = block_align(channels);
    let mut format = Vec::with_capacity(40);
    format.extend((if extensible { TAG_EXTENSIBLE } else { TAG_PCM }).to_le_bytes());
    format.extend(channels.to_le_bytes());
    format.extend(SAMPLE_RATE.to_le_bytes());
    format.extend((SAMPLE_RATE * u32::from(align)).to_le_bytes());
    format.extend(align.to_le_bytes());
    format.extend((BYTES_PER_SAMPLE * 8).to_le_bytes());
    if extensible {
        format.extend(22u16.to_le_bytes());
        format.extend((BYTES_PER_SAMPLE * 8).to_le_bytes());
        // Parties have no place in a room.
        format.extend(0u32.to_le_bytes());
        format.extend(TAG_PCM.to_le_bytes());
        format.extend(PCM_GUID_TAIL);
    }
    let mut header = Vec::with_capacity(68);
    header.extend(b"RIFF");
    header.extend((data + 20 + format.len() as u32).to_le_bytes());
    header.extend(b"WAVEfmt ");
    header.extend((format.len() as u32).to_le_bytes());
    header.extend(&format);
    header.extend(b"data");
    header.extend(data.to_le_bytes());
    header
}
