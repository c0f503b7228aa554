#![no_main]

use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| sidetone_peer::noise::description(text));
