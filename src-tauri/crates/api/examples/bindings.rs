//! Writes the TypeScript bindings into a folder that holds nothing else:
//! `cargo run -p sidetone-api --features typescript --example bindings -- FOLDER`.
use std::{
    collections::BTreeSet,
    env,
    ffi::OsString,
    fs,
    io::{self, Write},
    path::PathBuf,
};

fn main() -> io::Result<()> {
    let folder = env::args_os().nth(1).map(PathBuf::from);
    let folder = folder.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidInput, "which folder?"))?;
    let mut out = io::stdout();
    let files = sidetone_api::typescript::bindings();
    let names: BTreeSet<OsString> = files.keys().map(OsString::from).collect();
    for entry in fs::read_dir(&folder)? {
        let entry = entry?;
        if !names.contains(&entry.file_name()) {
            fs::remove_file(entry.path())?;
            writeln!(out, "{} is gone.", entry.file_name().to_string_lossy())?;
        }
    }
    for (name, text) in files {
        let file = folder.join(&name);
        if fs::read(&file).is_ok_and(|found| found == text.as_bytes()) {
            continue;
        }
        fs::write(file, text)?;
        writeln!(out, "{name} is written.")?;
    }
    Ok(())
}
