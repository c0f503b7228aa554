//! The committed TypeScript is what the Rust types say today.
#![cfg(feature = "typescript")]

use std::{collections::BTreeMap, fs, path::Path};

#[test]
fn the_committed_bindings_are_current() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/api");
    let entries = fs::read_dir(&folder).expect("ui/src/api is missing");
    let committed: BTreeMap<String, String> = entries
        .map(|entry| {
            let entry = entry.unwrap();
            let text = fs::read_to_string(entry.path()).unwrap();
            (entry.file_name().into_string().unwrap(), text.replace("\r\n", "\n"))
        })
        .collect();
    let current = sidetone_api::typescript::bindings();
    assert_eq!(
        committed.keys().collect::<Vec<_>>(),
        current.keys().collect::<Vec<_>>(),
        "ui/src/api holds what `cargo xtask bindings` writes, and nothing else"
    );
    for (name, text) in current {
        assert!(committed[&name] == text, "ui/src/api/{name} is out of date: run `cargo xtask bindings`");
    }
}
