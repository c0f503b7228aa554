//! Each function appends one packet.

use super::{ReportBlock, SenderInfo};

/// At most 31 blocks are written.
pub fn write_sender_report(ssrc: u32, info: &SenderInfo, blocks: &[ReportBlock], out: &mut Vec<u8>) {
    packet(200, blocks.len().min(31) as u8, out, |out| {
        word(ssrc, out);
        out.extend_from_slice(&info.ntp.0.to_be_bytes());
        word(info.rtp_timestamp, out);
        word(info.packets, out);
        word(info.octets, out);
        blocks.iter().take(31).for_each(|block| report_block(block, out));
    });
}

/// At most 31 blocks are written.
pub fn write_receiver_report(ssrc: u32, blocks: &[ReportBlock], out: &mut Vec<u8>) {
    packet(201, blocks.len().min(31) as u8, out, |out| {
        word(ssrc, out);
        blocks.iter().take(31).for_each(|block| report_block(block, out));
    });
}

/// One chunk with the CNAME, cut to 255 bytes.
pub fn write_source_description(ssrc: u32, cname: &str, out: &mut Vec<u8>) {
    packet(202, 1, out, |out| {
        word(ssrc, out);
        out.push(1);
        text(cname, out);
        out.push(0);
    });
}

/// At most 31 sources are written; the reason is cut to 255 bytes.
pub fn write_goodbye(sources: &[u32], reason: Option<&str>, out: &mut Vec<u8>) {
    packet(203, sources.len().min(31) as u8, out, |out| {
        sources.iter().take(31).for_each(|ssrc| word(*ssrc, out));
        if let Some(reason) = reason {
            text(reason, out);
        }
    });
}

/// `data` is filled up with zeros to 4 bytes (RFC 3550 section 6.7).
pub fn write_application(subtype: u8, ssrc: u32, name: [u8; 4], data: &[u8], out: &mut Vec<u8>) {
    packet(204, subtype & 0x1f, out, |out| {
        word(ssrc, out);
        out.extend_from_slice(&name);
        out.extend_from_slice(data);
    });
}

pub(super) fn packet(packet_type: u8, count: u8, out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let start = out.len();
    out.extend_from_slice(&[0x80 | count, packet_type, 0, 0]);
    body(out);
    let len = (out.len() - start).next_multiple_of(4);
    out.resize(start + len, 0);
    let words = u16::try_from(len / 4 - 1).unwrap_or(u16::MAX).to_be_bytes();
    if let Some(field) = out.get_mut(start + 2..start + 4) {
        field.copy_from_slice(&words);
    }
}

fn report_block(block: &ReportBlock, out: &mut Vec<u8>) {
    let lost = block.cumulative_lost.clamp(-0x80_0000, 0x7f_ffff) as u32 & 0xff_ffff;
    word(block.ssrc, out);
    word(u32::from(block.fraction_lost) << 24 | lost, out);
    word(block.highest_sequence, out);
    word(block.jitter, out);
    word(block.last_sr, out);
    word(block.delay, out);
}

fn text(text: &str, out: &mut Vec<u8>) {
    let cut = text.floor_char_boundary(255);
    out.push(cut as u8);
    out.extend(text.bytes().take(cut));
}

pub(super) fn word(value: u32, out: &mut Vec<u8>) {
    out.extend_from_slice(&value.to_be_bytes());
}
