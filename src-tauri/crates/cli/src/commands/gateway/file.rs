//! The gateway's file: TOML. A key that is not known, or whose value is wrong, is named with its line.

use crate::exit::Error;
use serde::{Deserialize, de::DeserializeOwned};
use sidetone_api::{HookAuthentication, HookPolicy};
use std::{
    collections::BTreeMap,
    fs::File as OpenFile,
    io::Read as _,
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
};

/// More than any such file.
const LONGEST: u64 = 1024 * 1024;

/// Everything is optional. Files are named from the folder of this one; passwords are in environment variables.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct File {
    pub(super) listen: Listen,
    pub(super) tls: Tls,
    pub(super) access: Access,
    pub(super) rest: Rest,
    pub(super) sip: Sip,
    pub(super) limits: Limits,
    pub(super) media: Media,
    pub(super) sharing: Option<Sharing>,
    pub(super) hooks: Option<Hooks>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Listen {
    pub(super) http: Option<SocketAddr>,
    pub(super) ws: Vec<SocketAddr>,
    pub(super) wss: Vec<SocketAddr>,
    pub(super) https: Vec<SocketAddr>,
    pub(super) rest: Option<SocketAddr>,
    pub(super) sip: Option<SocketAddr>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Tls {
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Access {
    pub(super) hosts: Vec<String>,
    pub(super) origins: Vec<String>,
    pub(super) stream_token_env: Option<String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Rest {
    pub(super) user: Option<String>,
    pub(super) password_env: Option<String>,
    pub(super) sounds: Option<PathBuf>,
    pub(super) tls: bool,
    pub(super) in_the_open: bool,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Sip {
    /// Names, and the environment variables of their passwords.
    pub(super) users: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Limits {
    pub(super) sessions: Option<usize>,
    pub(super) messages_per_second: Option<u32>,
    pub(super) rest_per_second: Option<u32>,
    pub(super) session_kbit: Option<u32>,
    pub(super) kbit: Option<u32>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Media {
    pub(super) microphone: Option<String>,
    pub(super) speaker: Option<String>,
    pub(super) advertise: Vec<IpAddr>,
    pub(super) udp_port: Option<u16>,
    pub(super) ui: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Sharing {
    pub(super) on: bool,
    pub(super) port: Option<u16>,
    pub(super) public: String,
    pub(super) certificate: Option<PathBuf>,
    pub(super) key: Option<PathBuf>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub(super) struct Hooks {
    pub(super) url: String,
    pub(super) app_key: Option<String>,
    pub(super) authentication: HookAuthentication,
    pub(super) user: String,
    pub(super) secret_env: Option<String>,
    pub(super) timeout_ms: Option<u32>,
    pub(super) methods: Vec<String>,
    pub(super) keep_alive_seconds: Option<u32>,
    pub(super) trusted_ca: Option<PathBuf>,
    pub(super) policies: BTreeMap<String, HookPolicy>,
}

/// # Errors
/// Names the file, the line and the key.
pub(super) fn read(path: &Path) -> Result<File, Error> {
    let wrong = |why: &dyn std::fmt::Display| Error::usage(format!("--config {}: {why}", path.display()));
    let mut text = String::new();
    let file = OpenFile::open(path).map_err(|error| wrong(&error))?;
    file.take(LONGEST + 1).read_to_string(&mut text).map_err(|error| wrong(&error))?;
    if text.len() as u64 > LONGEST {
        return Err(wrong(&"this is too long for such a file"));
    }
    let mut file: File = parse(&text).map_err(|why| wrong(&why))?;
    let folder = path.parent().unwrap_or_else(|| Path::new(""));
    for path in file.paths() {
        *path = folder.join(&*path);
    }
    Ok(file)
}

impl File {
    fn paths(&mut self) -> impl Iterator<Item = &mut PathBuf> {
        let Self { tls, rest, media, sharing, hooks, .. } = self;
        let hooks = hooks.as_mut().map(|hooks| &mut hooks.trusted_ca);
        let sharing = sharing.as_mut().map(|sharing| [&mut sharing.certificate, &mut sharing.key]);
        let named = [&mut tls.certificate, &mut tls.key, &mut rest.sounds, &mut media.ui];
        named.into_iter().chain(sharing.into_iter().flatten()).chain(hooks).flatten()
    }
}

fn parse<T: DeserializeOwned>(text: &str) -> Result<T, String> {
    toml::from_str(text).map_err(|error| {
        let message = error.message().trim().to_owned();
        let Some(span) = error.span() else { return message };
        let before = text.get(..span.start).unwrap_or_default();
        let line = before.matches('\n').count() + 1;
        match key_at(text, line).filter(|key| !message.contains(&format!("`{key}`"))) {
            Some(key) => format!("line {line}: {key}: {message}"),
            None => format!("line {line}: {message}"),
        }
    })
}

/// The key whose value is on this line, counted from 1; it may begin above.
fn key_at(text: &str, line: usize) -> Option<&str> {
    let lines: Vec<_> = text.lines().take(line).collect();
    lines.into_iter().rev().take_while(|line| !line.trim_start().starts_with('[')).find_map(|line| {
        let (key, _) = line.split_once('=')?;
        let key = key.trim();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-_.\"".contains(c);
        (!key.is_empty() && key.chars().all(plain)).then_some(key)
    })
}

#[cfg(test)]
mod tests {
    use super::{File, parse};

    const EXAMPLE: &str = include_str!("../../../../../docs/gateway.toml");

    /// The example with every key that stands in it as a comment.
    fn whole() -> String {
        let is_key = |line: &str| {
            let rest = line.strip_prefix("# ").unwrap_or_default();
            let key = rest.split_once(" = ").map(|(key, _)| key);
            let is_word = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '-');
            key.is_some_and(is_word) || (rest.starts_with('[') && rest.ends_with(']'))
        };
        let lines = EXAMPLE.lines().map(|line| if is_key(line) { &line[2..] } else { line });
        lines.collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn the_example_is_read_as_it_is_and_with_all_its_keys() {
        parse::<File>(EXAMPLE).unwrap();
        let file: File = parse(&whole()).unwrap();
        assert!(file.listen.rest.is_some() && !file.sip.users.is_empty(), "{file:?}");
        assert!(!file.hooks.unwrap().policies.is_empty());
    }

    #[test]
    fn the_example_has_every_key() {
        let whole = whole();
        let tables = [
            "",
            "[listen]",
            "[tls]",
            "[access]",
            "[rest]",
            "[sip]",
            "[limits]",
            "[media]",
            "[sharing]",
            "[hooks]",
        ];
        for table in tables {
            let error = parse::<File>(&format!("{table}\nnonsense = 1")).unwrap_err();
            let (_, expected) = error.split_once("expected").unwrap_or_else(|| panic!("{error}"));
            for key in expected.split('`').skip(1).step_by(2) {
                let is_key = |line: &str| line.split_once(" = ").is_some_and(|(name, _)| name == key);
                let is_table = |line: &str| line.starts_with(&format!("[{key}"));
                let is_inside = |line: &str| {
                    !table.is_empty() && line.starts_with(&table.replace(']', &format!(".{key}")))
                };
                let found = whole.lines().any(|line| is_key(line) || is_table(line) || is_inside(line));
                assert!(found, "{table} {key} is not in the example");
            }
        }
    }

    #[test]
    fn what_is_wrong_is_named_with_its_line() {
        for (text, line, word) in [
            ("[listen]\nhtpt = \"127.0.0.1:1\"", 2, "`htpt`"),
            ("[listn]\nhttp = \"127.0.0.1:1\"", 1, "`listn`"),
            ("[listen]\nws = [\n  \"127.0.0.1:1\",\n  \"here\"\n]", 4, "ws: "),
            ("[listen]\nhttp = \"127.0.0.1\"", 2, "http: "),
            ("\n\n[limits]\nsessions = \"many\"", 4, "sessions: "),
            ("[hooks]\nurl = \"http://x\"\nauthentication = \"md5\"", 3, "authentication: "),
            ("[hooks.policies.call]\nrestOnErorr = \"FAIL\"", 2, "`restOnErorr`"),
            ("[tls]\ncertificate = 1", 2, "certificate: "),
            ("[tls\n", 1, ""),
            ("[rest]\nuser = \"a\"\nuser = \"b\"", 3, "user"),
        ] {
            let error = parse::<File>(text).unwrap_err();
            assert!(error.starts_with(&format!("line {line}: ")), "{text}: {error}");
            assert!(error.contains(word), "{text}: {error}");
        }
    }
}
