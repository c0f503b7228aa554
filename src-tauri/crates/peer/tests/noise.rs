//! Bytes that nobody would send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use fastrand::Rng;
use sidetone_peer::noise;

/// Headers that look right before bytes that are not.
fn packet(random: &mut Rng) -> Vec<u8> {
    let chosen = random.u64(..);
    let is_rtcp = chosen & 1 == 1;
    let length = (chosen >> 8) as usize % 80 + 4;
    let mut body: Vec<u8> = (0..length).map(|_| random.u8(..)).collect();
    if is_rtcp {
        body.truncate(length / 4 * 4);
        body[0] = 0x80 | (chosen >> 16) as u8 & 0x3f;
        body[1] = 200 + (chosen >> 24) as u8 % 8;
        let words = (body.len() / 4 - 1) as u16;
        body[2..4].copy_from_slice(&words.to_be_bytes());
        // Often about what we send, which begins at 1001.
        if body.len() >= 12 {
            body[8..12].copy_from_slice(&(1_001 + (chosen >> 32) as u32 % 8).to_be_bytes());
        }
    } else {
        body[0] = if chosen & 2 == 0 { 0x80 } else { (chosen >> 16) as u8 };
        body[1] =
            [111, 102, 103, 96, 97, 98, 99, 0][(chosen >> 24) as usize % 8] | (chosen >> 40) as u8 & 0x80;
        if body.len() >= 12 {
            body[8..12].copy_from_slice(&((chosen >> 32) as u32 % 5).to_be_bytes());
        }
    }
    let mut out = vec![u8::from(is_rtcp) << 7 | (chosen >> 48) as u8 & 0x1f, body.len() as u8];
    out.extend(body);
    out
}

#[test]
fn packets_of_a_hostile_far_end_do_no_harm() {
    let mut random = Rng::with_seed(1);
    for _ in 0..150 {
        let bytes: Vec<u8> = (0..300).flat_map(|_| packet(&mut random)).collect();
        noise::packets(&bytes);
    }
}

#[test]
fn random_bytes_are_no_description() {
    let mut random = Rng::with_seed(2);
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..random.usize(..300)).map(|_| random.u8(..)).collect();
        noise::description(&String::from_utf8_lossy(&bytes));
    }
}
