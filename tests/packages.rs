//! What the packages ask of a system is what the program is linked with.
#![cfg(target_os = "linux")]
#![allow(clippy::unwrap_used, clippy::expect_used)]

use std::{collections::BTreeSet, process::Command};

/// The package of Debian that brings a library.
const PACKAGES: [(&str, &str); 13] = [
    ("libasound.so.2", "libasound2"),
    ("libc.so.6", "libc6"),
    ("libdbus-1.so.3", "libdbus-1-3"),
    ("libgbm.so.1", "libgbm1"),
    ("libgcc_s.so.1", "libgcc-s1"),
    ("libgtk-3.so.0", "libgtk-3-0"),
    ("libpipewire-0.3.so.0", "libpipewire-0.3-0"),
    ("libstdc++.so.6", "libstdc++6"),
    ("libwayland-client.so.0", "libwayland-client0"),
    ("libwebkit2gtk-4.1.so.0", "libwebkit2gtk-4.1-0"),
    ("libxcb.so.1", "libxcb1"),
    ("libxcb-randr.so.0", "libxcb-randr0"),
    ("libEGL.so.1", "libegl1"),
];

/// Tauri names these itself.
const BY_TAURI: [&str; 2] = ["libgtk-3-0", "libwebkit2gtk-4.1-0"];

/// They come with GTK, WebKit or the C library, whose packages depend on theirs.
const BROUGHT_ALONG: [&str; 10] = [
    "ld-linux-",
    "libcairo.so.2",
    "libgdk-3.so.0",
    "libgdk_pixbuf-2.0.so.0",
    "libgio-2.0.so.0",
    "libglib-2.0.so.0",
    "libgobject-2.0.so.0",
    "libjavascriptcoregtk-4.1.so.0",
    "libm.so.6",
    "libsoup-3.0.so.0",
];

/// A release build has its archive inside: see src-tauri/docs/codecs.md.
const INSIDE: &str = "libvpx.so.";

fn linked() -> Vec<String> {
    let program = env!("CARGO_BIN_EXE_sidetone");
    let output = Command::new("readelf").args(["--dynamic", "--wide", program]).output();
    let output = output.expect("readelf is part of what links programs");
    let text = String::from_utf8(output.stdout).unwrap();
    let needed = text.lines().filter(|line| line.contains("(NEEDED)"));
    needed.map(|line| line.split(['[', ']']).nth(1).unwrap().to_owned()).collect()
}

#[test]
fn the_deb_depends_on_what_the_program_is_linked_with_and_on_nothing_else() {
    let config = include_str!("../tauri.conf.json");
    let config: serde_json::Value = serde_json::from_str(config).unwrap();
    let depends = config["bundle"]["linux"]["deb"]["depends"].as_array().unwrap();
    let depends: BTreeSet<&str> = depends.iter().map(|package| package.as_str().unwrap()).collect();
    let linked = linked();
    assert!(linked.len() > 10, "{linked:?}");
    let outside = linked.iter().filter(|library| {
        !library.starts_with(INSIDE) && !BROUGHT_ALONG.iter().any(|known| library.starts_with(known))
    });
    let wanted: BTreeSet<&str> = outside
        .map(|library| {
            let package = PACKAGES.iter().find(|(name, _)| name == library);
            package.unwrap_or_else(|| panic!("{library}: add its package here and to tauri.conf.json")).1
        })
        .filter(|package| !BY_TAURI.contains(package))
        .collect();
    assert_eq!(depends, wanted);
}
