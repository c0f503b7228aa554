//! Looks for libvpx, which the system or its package manager has to bring: no crate has its source.
//!
//! `SIDETONE_VP8`: `auto` (or nothing) takes it where `pkg-config` finds it, `on` fails without it, `off` leaves it out.
//! Where both are there, a debug build takes the shared library and a release build the archive, so that a package runs
//! where another version of it is installed, or none; `shared` and `static` insist on one of them.

use std::path::PathBuf;

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
            if let Err(reason) = link(preferred()) {
                println!("cargo::warning=built without VP8: {reason}");
            }
        }
        "on" | "shared" | "static" => {
            let kind = match wanted.as_str() {
                "shared" => Kind::Shared,
                "static" => Kind::Archive,
                _ => preferred(),
            };
            if let Err(reason) = link(kind) {
                println!("cargo::error=SIDETONE_VP8={wanted}, but {reason}");
            }
        }
        other => {
            println!("cargo::error=SIDETONE_VP8 is {other:?}, expected auto, on, shared, static or off");
        }
    }
}

/// Oldest libvpx with all that the shim uses.
const OLDEST: &str = "1.8";

#[derive(PartialEq, Eq)]
enum Kind {
    Shared,
    Archive,
    /// The shared library where there is no archive.
    ArchiveOrShared,
}

fn preferred() -> Kind {
    let release = std::env::var("PROFILE").is_ok_and(|profile| profile == "release");
    if release { Kind::ArchiveOrShared } else { Kind::Shared }
}

fn link(kind: Kind) -> Result<(), String> {
    let found = pkg_config::Config::new().atleast_version(OLDEST).cargo_metadata(false).probe("vpx");
    let library = found.map_err(|_| format!("pkg-config finds no libvpx of {OLDEST} or newer"))?;
    let archive = if kind == Kind::Shared { None } else { archive() };
    if kind == Kind::Archive && archive.is_none() {
        return Err("there is no libvpx.a beside the shared library".into());
    }
    cc::Build::new()
        .file("src/video/codec/vp8/shim.c")
        .includes(&library.include_paths)
        .opt_level(2)
        .cargo_warnings(false)
        .try_compile("sidetone_vp8_shim")
        .map_err(|error| format!("its headers do not compile: {error}"))?;
    // After the shim, which uses it.
    match archive {
        Some(folder) => {
            println!("cargo::rustc-link-search=native={}", folder.display());
            println!("cargo::rustc-link-lib=static=vpx");
            if std::env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux") {
                println!("cargo::rustc-link-lib=m");
            }
        }
        None => {
            let shared = pkg_config::Config::new().atleast_version(OLDEST).probe("vpx");
            shared.map_err(|error| error.to_string())?;
        }
    }
    println!("cargo::rustc-cfg=sidetone_vp8");
    Ok(())
}

/// The folder of `libvpx.a`: Debian's libvpx tells another one than that of its architecture, which the compiler knows.
fn archive() -> Option<PathBuf> {
    const NAME: &str = "libvpx.a";
    let told = pkg_config::get_variable("vpx", "libdir").ok().map(|folder| PathBuf::from(folder).join(NAME));
    let known = || {
        let compiler = cc::Build::new().try_get_compiler().ok()?;
        let output = compiler.to_command().arg(format!("-print-file-name={NAME}")).output().ok()?;
        // A name without a folder is one that it does not know.
        Some(PathBuf::from(String::from_utf8(output.stdout).ok()?.trim())).filter(|path| path.is_absolute())
    };
    let found = told.filter(|path| path.is_file()).or_else(|| known().filter(|path| path.is_file()))?;
    found.parent().map(PathBuf::from)
}
