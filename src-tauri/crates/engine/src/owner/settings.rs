//! The settings file: `settings.toml` in the configuration directory. Secrets are never in it.

use super::{dialplan::DialPlan, text::shown};
use crate::{Directories, io::dns};
use sidetone_api::{AudioSettings, Failure, FailureCode, NetworkSettings, Settings, SharingSettings};
use sidetone_media::device::{Selection, SelectionError};
use std::{fs, io, io::Write as _, net::SocketAddr, path::Path, path::PathBuf};

const MOST_PREFERRED: usize = 32;
const LONGEST_SELECTION: usize = 4096;

#[derive(Debug)]
pub(super) struct Store {
    settings: Settings,
    dial_plan: DialPlan,
    file: Option<PathBuf>,
}

impl Store {
    /// # Errors
    /// A file that cannot be read or has an unknown key; the message names the file and the key.
    pub(super) fn open(directories: Option<&Directories>, given: Option<Settings>) -> Result<Self, Failure> {
        if let Some(settings) = given {
            check_audio(&settings.audio)?;
            let dial_plan = DialPlan::of(&settings.calls)?;
            super::streams::check_video(&settings.video)?;
            super::hooks::check(&settings.hooks)?;
            return Ok(Self { settings, dial_plan, file: None });
        }
        let Some(directories) = directories else {
            return Ok(Self { settings: Settings::default(), dial_plan: DialPlan::default(), file: None });
        };
        let file = directories.config.join("settings.toml");
        let settings = match fs::read_to_string(&file) {
            Ok(text) => toml::from_str(&text).map_err(|error| storage(&file, &in_words(&text, &error)))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Settings::default(),
            Err(error) => return Err(storage(&file, &error)),
        };
        let dial_plan = check_audio(&settings.audio)
            .and_then(|()| super::streams::check_video(&settings.video))
            .and_then(|()| super::hooks::check(&settings.hooks))
            .and_then(|()| DialPlan::of(&settings.calls))
            .map_err(|failure| storage(&file, &failure))?;
        Ok(Self { settings, dial_plan, file: Some(file) })
    }

    pub(super) fn get(&self) -> &Settings {
        &self.settings
    }

    /// Changes outlive this run.
    pub(super) fn are_kept(&self) -> bool {
        self.file.is_some()
    }

    /// The dial plan of the settings.
    pub(super) fn dial_plan(&self) -> &DialPlan {
        &self.dial_plan
    }

    /// Writes first, changes then: what is shown is what is kept.
    ///
    /// # Errors
    /// A dial plan that is wrong, or a file that cannot be written.
    pub(super) fn set(&mut self, settings: Settings) -> Result<(), Failure> {
        let dial_plan = DialPlan::of(&settings.calls)?;
        if let Some(file) = &self.file {
            write(file, &settings).map_err(|error| storage(file, &error))?;
        }
        (self.settings, self.dial_plan) = (settings, dial_plan);
        Ok(())
    }
}

/// The DNS servers that are given.
///
/// # Errors
/// Names the key that is wrong.
pub(super) fn check_network(network: &NetworkSettings) -> Result<Vec<SocketAddr>, Failure> {
    dns::servers(&network.dns)
        .map_err(|reason| Failure::invalid("network.dns", format!("network.dns: {reason}")))
}

/// # Errors
/// Names the key that is wrong.
pub fn check_sharing(sharing: &SharingSettings) -> Result<(), Failure> {
    let wrong = |key: &str, message: &str| {
        let field = format!("gateway.sharing.{key}");
        Err(Failure::invalid(&field, format!("{field}: {message}")))
    };
    if sharing.port == 0 {
        return wrong("port", "a port is from 1 to 65535");
    }
    if sharing.certificate.is_empty() != sharing.key.is_empty() {
        let key = if sharing.key.is_empty() { "key" } else { "certificate" };
        return wrong(key, "a certificate and its key go together");
    }
    let public = sharing.public.trim();
    let is_plain = public.len() <= 255
        && format!("https://{public}").parse::<url::Url>().is_ok_and(|url| {
            let written = match url.port() {
                Some(port) => format!("{}:{port}", url.host_str().unwrap_or_default()),
                None => url.host_str().unwrap_or_default().to_owned(),
            };
            written.eq_ignore_ascii_case(public)
        });
    if !public.is_empty() && !is_plain {
        return wrong("public", "a name or address, with a port where it is not 443: `meet.example:8443`");
    }
    Ok(())
}

/// # Errors
/// Names the key that is wrong.
pub(super) fn check_audio(audio: &AudioSettings) -> Result<(), Failure> {
    super::leg::capabilities(&audio.codecs)?;
    check_selection("audio.microphone", &audio.microphone)?;
    check_selection("audio.speaker", &audio.speaker)?;
    check_ringer("audio.ringer", &audio.ringer)?;
    check_preferred("audio.preferredMicrophones", &audio.preferred_microphones)?;
    check_preferred("audio.preferredSpeakers", &audio.preferred_speakers)
}

/// # Errors
/// Names `field`.
pub(super) fn check_ringer(field: &str, text: &str) -> Result<(), Failure> {
    if text.is_empty() { Ok(()) } else { check_selection(field, text) }
}

fn check_preferred(field: &str, devices: &[String]) -> Result<(), Failure> {
    if devices.len() > MOST_PREFERRED {
        return Err(Failure::invalid(field, format!("{field}: {MOST_PREFERRED} devices are the most")));
    }
    for (place, device) in devices.iter().enumerate() {
        let field = format!("{field}[{place}]");
        check_selection(&field, device)?;
        if !matches!(device.parse(), Ok(Selection::Device(_))) {
            return Err(Failure::invalid(&field, format!("{field}: device:ID is expected")));
        }
    }
    Ok(())
}

/// # Errors
/// Names `field`.
pub(super) fn check_selection(field: &str, text: &str) -> Result<(), Failure> {
    if text.len() > LONGEST_SELECTION || text.chars().any(char::is_control) {
        return Err(Failure::invalid(field, format!("{field} names no device")));
    }
    let refused = |error: SelectionError| shown(&format!("{field}: {error}"));
    text.parse::<Selection>().map(|_| ()).map_err(|error| Failure::invalid(field, refused(error)))
}

/// Replaces the file whole, so that a crash leaves the old one or the new one.
fn write(file: &Path, settings: &Settings) -> io::Result<()> {
    let text = toml::to_string_pretty(settings).map_err(io::Error::other)?;
    if let Some(folder) = file.parent() {
        fs::create_dir_all(folder)?;
    }
    let temporary = file.with_extension("toml.new");
    let mut writing = fs::File::create(&temporary)?;
    writing.write_all(text.as_bytes())?;
    writing.sync_all()?;
    fs::rename(&temporary, file)
}

/// The parser's message with its line, without the drawing that it makes for terminals.
fn in_words(text: &str, error: &toml::de::Error) -> String {
    let before = error.span().and_then(|span| text.get(..span.start));
    let line =
        before.map(|before| format!("line {}: ", before.matches('\n').count() + 1)).unwrap_or_default();
    format!("{line}{}", error.message())
}

fn storage(file: &Path, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(FailureCode::Storage, format!("{}: {error}", file.display()))
}

#[cfg(test)]
mod tests {
    use super::Store;
    use crate::Directories;
    use sidetone_api::{Settings, Theme};

    fn folder(name: &str) -> Directories {
        let root = std::env::temp_dir().join(format!("sidetone-settings-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&root);
        Directories::below(root)
    }

    #[test]
    fn settings_come_back_after_a_restart() {
        let directories = folder("restart");
        let mut store = Store::open(Some(&directories), None).unwrap();
        let mut settings = Settings::default();
        settings.ui.theme = Theme::Dark;
        store.set(settings.clone()).unwrap();
        assert_eq!(Store::open(Some(&directories), None).unwrap().get(), &settings);
    }

    #[test]
    fn an_unknown_key_in_the_file_is_named() {
        let directories = folder("unknown");
        std::fs::create_dir_all(&directories.config).unwrap();
        std::fs::write(directories.config.join("settings.toml"), "[audio]\nmircophone = \"default\"\n")
            .unwrap();
        let failure = Store::open(Some(&directories), None).unwrap_err();
        assert!(
            failure.message.contains("mircophone") && failure.message.contains("settings.toml"),
            "{failure}"
        );
    }
}
