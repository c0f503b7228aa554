//! Looks for libvpx, which the system or its package manager has to bring: no crate has its source.
//!
//! `SIDETONE_VP8`: `auto` (or nothing) takes it where `pkg-config` finds it, `on` fails without it, `off` leaves it out.

fn main() {
    println!("cargo::rustc-check-cfg=cfg(sidetone_vp8)");
    println!("cargo::rerun-if-env-changed=SIDETONE_VP8");
    println!("cargo::rerun-if-changed=src/video/codec/vp8/shim.c");
    if std::env::var_os("CARGO_FEATURE_VP8").is_none() {
        return;
    }
    let wanted = std::env::var("SIDETONE_VP8").unwrap_or_default();
    match wanted.as_str() {
        "off" => {}
        "" | "auto" => {
            if let Err(reason) = link() {
                println!("cargo::warning=built without VP8: {reason}");
            }
        }
        "on" => {
            if let Err(reason) = link() {
                println!("cargo::error=SIDETONE_VP8=on, but {reason}");
            }
        }
        other => println!("cargo::error=SIDETONE_VP8 is {other:?}, expected auto, on or off"),
    }
}

/// Oldest libvpx with all that the shim uses.
const OLDEST: &str = "1.8";

fn link() -> Result<(), String> {
    let found = pkg_config::Config::new().atleast_version(OLDEST).cargo_metadata(false).probe("vpx");
    let library = found.map_err(|_| format!("pkg-config finds no libvpx of {OLDEST} or newer"))?;
    cc::Build::new()
        .file("src/video/codec/vp8/shim.c")
        .includes(&library.include_paths)
        .opt_level(2)
        .cargo_warnings(false)
        .try_compile("sidetone_vp8_shim")
        .map_err(|error| format!("its headers do not compile: {error}"))?;
    // After the shim, which uses it.
    pkg_config::Config::new().atleast_version(OLDEST).probe("vpx").map_err(|error| error.to_string())?;
    println!("cargo::rustc-cfg=sidetone_vp8");
    Ok(())
}
