//! Puts the built UI, where there is one, into the program. Building it is not this script's business.

use std::{
    env,
    error::Error,
    fmt::Write,
    fs,
    path::{Path, PathBuf},
};

fn main() -> Result<(), Box<dyn Error>> {
    let dist = PathBuf::from(env::var("CARGO_MANIFEST_DIR")?).join("../../../ui/dist");
    println!("cargo:rerun-if-changed={}", dist.display());
    let mut table = String::from("pub(crate) static FILES: &[(&str, &[u8])] = &[\n");
    if dist.is_dir() {
        list(&dist.canonicalize()?, "", &mut table)?;
    }
    table.push_str("];\n");
    fs::write(PathBuf::from(env::var("OUT_DIR")?).join("pages.rs"), table)?;
    Ok(())
}

fn list(folder: &Path, prefix: &str, table: &mut String) -> Result<(), Box<dyn Error>> {
    let mut entries = fs::read_dir(folder)?.collect::<Result<Vec<_>, _>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.file_type()?.is_dir() {
            list(&entry.path(), &format!("{name}/"), table)?;
        } else if !name.ends_with(".map") {
            writeln!(table, "    ({name:?}, include_bytes!({:?})),", entry.path().display().to_string())?;
        }
    }
    Ok(())
}
