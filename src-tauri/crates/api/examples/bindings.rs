//! Prints the TypeScript bindings: `cargo run -p sidetone-api --features typescript --example bindings`.
use std::io::Write;

fn main() -> std::io::Result<()> {
    std::io::stdout().write_all(sidetone_api::typescript::bindings().as_bytes())
}
