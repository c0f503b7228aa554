//! SDP text, and offer/answer with whatever is read, as the tests of `sidetone-sdp` do it.
#![no_main]

#[path = "../../crates/sdp/tests/hostile/exercise.rs"]
mod exercise;

use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    exercise::exercise(bytes);
});
