//! Builds the UI, unless nothing that goes into it has changed.

use crate::{node::Node, project, shell};
use std::{
    fs,
    hash::{DefaultHasher, Hash, Hasher},
    io,
    path::Path,
    time::UNIX_EPOCH,
};

/// `npm ci`, where the lock file or the Node.js is another than at the last time.
pub(crate) fn install(node: &Node) -> Result<(), String> {
    let ui = project::root().join("ui");
    let stamp = ui.join("node_modules/.sidetone-installed");
    let mut hasher = DefaultHasher::new();
    node.version.hash(&mut hasher);
    hash_file(&ui.join("package-lock.json"), &mut hasher)
        .map_err(|error| format!("ui/package-lock.json: {error}"))?;
    let wanted = format!("{:016x}", hasher.finish());
    if fs::read_to_string(&stamp).is_ok_and(|found| found == wanted) {
        return Ok(());
    }
    shell::run(&mut node.npm(&["ci"]))?;
    // Without the stamp the next run only does it again.
    let _ = fs::write(&stamp, wanted);
    Ok(())
}

/// `npm run build`, where a source, or what was built, is another than at the last time.
pub(crate) fn build(node: &Node) -> Result<(), String> {
    install(node)?;
    let ui = project::root().join("ui");
    let stamp = ui.join("node_modules/.sidetone-built");
    let before = fingerprint(&ui, &node.version).map_err(|error| format!("ui: {error}"))?;
    if fs::read_to_string(&stamp).is_ok_and(|found| found == before) {
        println!("The UI is built and current.");
        return Ok(());
    }
    shell::run(&mut node.npm(&["run", "build"]))?;
    if let Ok(after) = fingerprint(&ui, &node.version) {
        let _ = fs::write(&stamp, after);
    }
    Ok(())
}

/// Of all sources, and of the age of the built page: a build by hand from other sources shows.
fn fingerprint(ui: &Path, node: &str) -> io::Result<String> {
    let mut hasher = DefaultHasher::new();
    node.hash(&mut hasher);
    hash_folder(ui, &mut hasher)?;
    let built = fs::metadata(ui.join("dist/index.html")).and_then(|page| page.modified()).ok();
    let age = built.and_then(|time| time.duration_since(UNIX_EPOCH).ok()).map_or(0, |age| age.as_nanos());
    Ok(format!("{:016x} {age}", hasher.finish()))
}

fn hash_folder(folder: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    let mut entries = fs::read_dir(folder)?.collect::<io::Result<Vec<_>>>()?;
    entries.sort_by_key(fs::DirEntry::file_name);
    for entry in entries {
        let name = entry.file_name();
        if ["node_modules", "dist", "dist-fake", "tests"].iter().any(|ignored| name == *ignored) {
            continue;
        }
        name.hash(hasher);
        if entry.file_type()?.is_dir() {
            hash_folder(&entry.path(), hasher)?;
        } else {
            hash_file(&entry.path(), hasher)?;
        }
    }
    Ok(())
}

fn hash_file(path: &Path, hasher: &mut DefaultHasher) -> io::Result<()> {
    fs::read(path)?.hash(hasher);
    Ok(())
}
