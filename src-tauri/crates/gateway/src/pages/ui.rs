//! Where the files of the UI come from.

use crate::guard::Refusal;
use axum::{body::Bytes, http::StatusCode};
use std::{borrow::Cow, fmt, path::Path, path::PathBuf, sync::Arc};

/// No file of the UI is larger.
const MAX_FILE: u64 = 32 * 1024 * 1024;

/// One file of the UI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Asset {
    pub bytes: Cow<'static, [u8]>,
    pub mime: Cow<'static, str>,
}

/// Finds a file of the UI inside the program.
pub type Find = dyn Fn(&str) -> Option<Asset> + Send + Sync;

/// The built UI.
#[derive(Clone)]
pub enum Ui {
    /// Files inside the program, by their path (`index.html`, `assets/main.js`).
    Embedded(Arc<Find>),
    /// Files below this folder.
    Directory(PathBuf),
}

impl Ui {
    /// Files inside the program.
    pub fn embedded(find: impl Fn(&str) -> Option<Asset> + Send + Sync + 'static) -> Self {
        Self::Embedded(Arc::new(find))
    }

    pub(crate) async fn load(&self, path: &str) -> Option<Asset> {
        match self {
            Self::Embedded(find) => find(path),
            Self::Directory(root) => {
                let (root, path) = (root.clone(), path.to_owned());
                tokio::task::spawn_blocking(move || read(&root, &path)).await.ok().flatten()
            }
        }
    }
}

impl fmt::Debug for Ui {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Embedded(_) => f.write_str("Embedded(…)"),
            Self::Directory(root) => f.debug_tuple("Directory").field(root).finish(),
        }
    }
}

/// The content type of a file by its name.
pub fn mime_of(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("html") => "text/html; charset=utf-8",
        Some("js" | "mjs") => "text/javascript; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("json" | "map") => "application/json",
        Some("webmanifest") => "application/manifest+json",
        Some("svg") => "image/svg+xml",
        Some("png") => "image/png",
        Some("jpg" | "jpeg") => "image/jpeg",
        Some("webp") => "image/webp",
        Some("ico") => "image/x-icon",
        Some("woff2") => "font/woff2",
        Some("woff") => "font/woff",
        Some("wasm") => "application/wasm",
        Some("wav") => "audio/wav",
        Some("txt") => "text/plain; charset=utf-8",
        _ => "application/octet-stream",
    }
}

/// The asset that a request path names. Only plain segments: no `..`, no hidden files, no separators of other systems.
pub(crate) fn asset_path(path: &str) -> Result<String, Refusal> {
    let bad = || Refusal::new(StatusCode::NOT_FOUND, "path", "this path names no page");
    let path = percent_decoded(path).ok_or_else(bad)?;
    let path = path.strip_prefix('/').ok_or_else(bad)?;
    if path.is_empty() {
        return Ok("index.html".into());
    }
    let plain = |segment: &str| {
        !segment.is_empty()
            && !segment.starts_with('.')
            && !segment.chars().any(|c| c.is_control() || matches!(c, '\\' | ':' | '/'))
    };
    if path.split('/').all(plain) { Ok(path.to_owned()) } else { Err(bad()) }
}

pub(crate) fn to_bytes(bytes: Cow<'static, [u8]>) -> Bytes {
    match bytes {
        Cow::Borrowed(bytes) => Bytes::from_static(bytes),
        Cow::Owned(bytes) => Bytes::from(bytes),
    }
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = text.bytes();
    let mut decoded = Vec::with_capacity(text.len());
    while let Some(byte) = bytes.next() {
        if byte != b'%' {
            decoded.push(byte);
            continue;
        }
        let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
        decoded.push(digit(bytes.next()?)? * 16 + digit(bytes.next()?)?);
    }
    String::from_utf8(decoded).ok()
}

/// A symbolic link may not lead out of the folder.
fn read(root: &Path, path: &str) -> Option<Asset> {
    let root = root.canonicalize().ok()?;
    let file = root.join(path).canonicalize().ok()?;
    let about = file.metadata().ok()?;
    if !file.starts_with(&root) || !about.is_file() || about.len() > MAX_FILE {
        return None;
    }
    let bytes = std::fs::read(&file).ok()?;
    Some(Asset { bytes: bytes.into(), mime: mime_of(path).into() })
}

#[cfg(test)]
mod tests {
    use super::asset_path;

    #[test]
    fn a_path_names_an_asset() {
        assert_eq!(asset_path("/").unwrap(), "index.html");
        assert_eq!(asset_path("/assets/main-1a2b.js").unwrap(), "assets/main-1a2b.js");
        assert_eq!(asset_path("/a%20b.png").unwrap(), "a b.png");
    }

    #[test]
    fn no_path_leads_out_of_the_assets() {
        for path in [
            "/../secret",
            "/a/../../secret",
            "/%2e%2e/secret",
            "/..%2fsecret",
            "/a/%2e%2e%5csecret",
            "//etc/passwd",
            "/a//b",
            "/.env",
            "/a/.git/config",
            "/c:/windows",
            "/a%00.html",
            "/%",
            "/%zz",
            "/%ff",
            "/a\\b",
            "*",
            "",
        ] {
            assert!(asset_path(path).is_err(), "{path}");
        }
    }
}
