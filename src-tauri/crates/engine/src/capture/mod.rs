//! SIP of a report as a file that Wireshark opens.
//!
//! pcapng (draft-ietf-opsawg-pcapng): a section, one interface of raw IP, one packet a message. Each message is one datagram of UDP between the
//! addresses that it had, whatever carried it: what went over TCP, TLS or a WebSocket is read as easily as the rest, and its transport is the
//! packet's comment.

mod packet;

use sidetone_api::ReportContents;

const SECTION: u32 = 0x0A0D_0D0A;
const INTERFACE: u32 = 1;
const PACKET: u32 = 6;
/// Tells the order of the bytes.
const MAGIC: u32 = 0x1A2B_3C4D;
/// LINKTYPE_RAW: IPv4 or IPv6, by its first four bits.
const RAW_IP: u16 = 101;
const COMMENT: u16 = 1;
const NAME: u16 = 2;
const USER_APPLICATION: u16 = 4;
const DIRECTION: u16 = 2;
const END: u16 = 0;

/// All SIP of a report, as a pcapng file. Messages whose addresses cannot be read are left out.
pub fn capture_of(contents: &ReportContents) -> Vec<u8> {
    let mut file = Vec::new();
    let mut section = Vec::new();
    section.extend(MAGIC.to_le_bytes());
    section.extend([1, 0, 0, 0]);
    // The length of the section is not told.
    section.extend(u64::MAX.to_le_bytes());
    option(&mut section, USER_APPLICATION, format!("Sidetone {}", contents.version).as_bytes());
    option(&mut section, END, &[]);
    block(&mut file, SECTION, &section);
    let mut interface = Vec::new();
    interface.extend(RAW_IP.to_le_bytes());
    interface.extend([0; 2]);
    interface.extend(0_u32.to_le_bytes());
    option(&mut interface, NAME, b"sip");
    option(&mut interface, END, &[]);
    block(&mut file, INTERFACE, &interface);
    for message in &contents.messages {
        let (Ok(local), Ok(remote)) = (message.local.parse(), message.remote.parse()) else { continue };
        let (from, to) = if message.incoming { (remote, local) } else { (local, remote) };
        let Some((bytes, length)) = packet::datagram(from, to, message.text.as_bytes()) else { continue };
        let mut packet = Vec::with_capacity(bytes.len() + 64);
        packet.extend(0_u32.to_le_bytes());
        // Microseconds, where the interface does not say otherwise.
        let micros = message.at.saturating_mul(1000);
        packet.extend(((micros >> 32) as u32).to_le_bytes());
        packet.extend((micros as u32).to_le_bytes());
        packet.extend((bytes.len() as u32).to_le_bytes());
        packet.extend((length as u32).to_le_bytes());
        packet.extend(&bytes);
        pad(&mut packet);
        let way: u32 = if message.incoming { 1 } else { 2 };
        option(&mut packet, DIRECTION, &way.to_le_bytes());
        if message.transport != "UDP" {
            option(&mut packet, COMMENT, format!("over {}", message.transport).as_bytes());
        }
        option(&mut packet, END, &[]);
        block(&mut file, PACKET, &packet);
    }
    file
}

fn block(file: &mut Vec<u8>, kind: u32, body: &[u8]) {
    let length = (body.len() as u32 + 12).to_le_bytes();
    file.extend(kind.to_le_bytes());
    file.extend(length);
    file.extend(body);
    file.extend(length);
}

fn option(body: &mut Vec<u8>, code: u16, value: &[u8]) {
    let value = &value[..value.len().min(usize::from(u16::MAX))];
    body.extend(code.to_le_bytes());
    body.extend((value.len() as u16).to_le_bytes());
    body.extend(value);
    pad(body);
}

/// To a multiple of four bytes.
fn pad(body: &mut Vec<u8>) {
    body.resize(body.len().next_multiple_of(4), 0);
}

#[cfg(test)]
mod tests {
    use super::capture_of;
    use sidetone_api::{ReportContents, ReportMessage};

    fn message(local: &str, remote: &str, text: String) -> ReportMessage {
        ReportMessage {
            at: 1_795_500_000_123,
            gateway: false,
            incoming: true,
            transport: "TLS".into(),
            local: local.into(),
            remote: remote.into(),
            summary: "INVITE".into(),
            call_id: "1".into(),
            cseq: "1 INVITE".into(),
            repeated: false,
            text,
        }
    }

    /// The kinds of its blocks; every length is right at both ends.
    fn blocks(file: &[u8]) -> Vec<u32> {
        let word = |at: usize| u32::from_le_bytes(file[at..at + 4].try_into().unwrap());
        let (mut kinds, mut at) = (Vec::new(), 0);
        while at < file.len() {
            let length = word(at + 4) as usize;
            assert!(length.is_multiple_of(4) && word(at + length - 4) as usize == length);
            kinds.push(word(at));
            at += length;
        }
        kinds
    }

    #[test]
    fn there_is_a_packet_of_each_message_that_has_addresses() {
        let messages = vec![
            message("192.0.2.1:5060", "192.0.2.2:5061", "INVITE".into()),
            message("[2001:db8::1]:5060", "[2001:db8::2]:5060", "x".repeat(200_000)),
            message("192.0.2.1:5060", "[2001:db8::2]:5060", "INVITE".into()),
            message("nowhere", "192.0.2.2:5061", "INVITE".into()),
        ];
        let file = capture_of(&ReportContents { messages, ..ReportContents::default() });
        assert_eq!(blocks(&file), [0x0A0D_0D0A, 1, 6, 6]);
    }
}
