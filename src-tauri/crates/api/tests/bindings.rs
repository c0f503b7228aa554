//! The committed TypeScript is what the Rust types say today.
#![cfg(feature = "typescript")]

#[test]
fn the_committed_bindings_are_current() {
    let path = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../ui/src/api/types.ts");
    let committed =
        std::fs::read_to_string(&path).expect("ui/src/api/types.ts is missing: run `cargo xtask bindings`");
    assert!(
        committed.replace("\r\n", "\n") == sidetone_api::typescript::bindings(),
        "ui/src/api/types.ts is out of date: run `cargo xtask bindings`"
    );
}
