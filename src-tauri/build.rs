//! Embeds the built UI, the icons and the capabilities into the app. The UI is built beforehand (`cargo xtask run` does it):
//! a build script that ran npm would run it at every editor check.
use std::path::Path;

const NO_UI: &str = "the UI is not built (ui/dist/index.html is missing). Run `cargo xtask run`, or by hand: \
     npm --prefix ui ci && npm --prefix ui run build";

fn main() {
    println!("cargo::rerun-if-changed=ui/dist");
    println!("cargo::rerun-if-changed=icons");
    if !Path::new("ui/dist/index.html").is_file() {
        println!("cargo::error={NO_UI}");
        return;
    }
    let attributes = tauri_build::Attributes::new().capabilities_path_pattern("src-tauri/capabilities/**/*");
    if let Err(error) = tauri_build::try_build(attributes) {
        println!("cargo::error={}", format!("{error:#}").replace('\n', " "));
    }
}
