//! Bytes that nobody would send.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::print_stdout)]

use sidetone_peer::noise;

/// SplitMix64.
fn next(state: &mut u64) -> u64 {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Headers that look right before bytes that are not.
fn packet(state: &mut u64) -> Vec<u8> {
    let random = next(state);
    let is_rtcp = random & 1 == 1;
    let length = (random >> 8) as usize % 80 + 4;
    let mut body: Vec<u8> = (0..length).map(|_| next(state) as u8).collect();
    if is_rtcp {
        body.truncate(length / 4 * 4);
        body[0] = 0x80 | (random >> 16) as u8 & 0x3f;
        body[1] = 200 + (random >> 24) as u8 % 8;
        let words = (body.len() / 4 - 1) as u16;
        body[2..4].copy_from_slice(&words.to_be_bytes());
        // Often about what we send, which begins at 1001.
        if body.len() >= 12 {
            body[8..12].copy_from_slice(&(1_001 + (random >> 32) as u32 % 8).to_be_bytes());
        }
    } else {
        body[0] = if random & 2 == 0 { 0x80 } else { (random >> 16) as u8 };
        body[1] =
            [111, 102, 103, 96, 97, 98, 99, 0][(random >> 24) as usize % 8] | (random >> 40) as u8 & 0x80;
        if body.len() >= 12 {
            body[8..12].copy_from_slice(&((random >> 32) as u32 % 5).to_be_bytes());
        }
    }
    let mut out = vec![u8::from(is_rtcp) << 7 | (random >> 48) as u8 & 0x1f, body.len() as u8];
    out.extend(body);
    out
}

#[test]
fn packets_of_a_hostile_far_end_do_no_harm() {
    let mut state = 1;
    for _ in 0..150 {
        let bytes: Vec<u8> = (0..300).flat_map(|_| packet(&mut state)).collect();
        noise::packets(&bytes);
    }
}

#[test]
fn random_bytes_are_no_description() {
    let mut state = 2;
    for _ in 0..2_000 {
        let bytes: Vec<u8> = (0..next(&mut state) % 300).map(|_| next(&mut state) as u8).collect();
        noise::description(&String::from_utf8_lossy(&bytes));
    }
}
