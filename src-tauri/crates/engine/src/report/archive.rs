//! Reports on disk: a ZIP that any program opens, with what people read and what programs read. Everything that is read back may be
//! hostile.

use sidetone_api::{Failure, FailureCode, ReportContents, ReportView};
use std::{
    fmt::Write as _,
    fs::{self, File},
    io::{self, Cursor, Read as _, Write as _},
    path::{Path, PathBuf},
};
use zip::{ZipArchive, ZipWriter, result::ZipError, write::SimpleFileOptions};

const CONTENTS: &str = "report.json";
const SUMMARY: &str = "summary.json";
const LADDER: &str = "ladder.txt";
const CAPTURE: &str = "signalling.pcapng";
const SCREENSHOT: &str = "screenshot.png";
/// Of an archive that is read.
const LONGEST_FILE: u64 = 64 * 1024 * 1024;
/// Of its contents once they are unpacked, whatever the archive says of itself.
const LONGEST_CONTENTS: u64 = 48 * 1024 * 1024;
const LONGEST_SUMMARY: u64 = 1024 * 1024;
pub(crate) const LONGEST_SCREENSHOT: usize = 8 * 1024 * 1024;
/// Beyond either the oldest go.
const MOST_REPORTS: usize = 50;
const MOST_BYTES: u64 = 200 * 1024 * 1024;
/// What the name of a report begins with.
pub(crate) const BEGIN: &str = "report-";
/// The same of those that pages send.
pub(crate) const OF_PAGE: &str = "report-page-";
const END: &str = ".zip";

/// Where reports are.
#[derive(Debug, Clone)]
pub(crate) struct Folder(PathBuf);

impl Folder {
    pub(crate) fn below(data: &Path) -> Self {
        Self(data.join("reports"))
    }

    /// Writes it whole or not at all, and lets go of the oldest where there are too many.
    pub(crate) fn store(
        &self,
        mut contents: ReportContents,
        name: &str,
        screenshot: Option<&[u8]>,
    ) -> Result<ReportView, Failure> {
        let path = self.path(name)?;
        contents.report.file = name.to_owned();
        contents.has_screenshot = screenshot.is_some();
        let bytes = pack(&contents, screenshot).map_err(|error| failed("written", &error))?;
        crate::store::create_folder(&self.0).map_err(|error| failed("written", &error))?;
        let part = path.with_extension("part");
        let written = write_private(&part, &bytes).and_then(|()| fs::rename(&part, &path));
        if let Err(error) = written {
            let _ = fs::remove_file(&part);
            return Err(failed("written", &error));
        }
        self.prune(name);
        Ok(ReportView { size: bytes.len() as u64, ..contents.report })
    }

    /// Newest first. What cannot be read is left out.
    pub(crate) fn list(&self) -> Vec<ReportView> {
        let mut all: Vec<_> = self
            .files()
            .into_iter()
            .filter_map(|(name, size)| {
                let mut view: ReportView = read_part(&self.0.join(&name), SUMMARY, LONGEST_SUMMARY).ok()?;
                (view.file, view.size) = (name, size);
                Some(view)
            })
            .collect();
        all.sort_by(|one, other| (other.created_at, &other.file).cmp(&(one.created_at, &one.file)));
        all
    }

    pub(crate) fn read(&self, name: &str) -> Result<ReportContents, Failure> {
        let path = self.path(name)?;
        if !path.is_file() {
            return Err(Failure::not_found("bug report", name));
        }
        let mut contents = read(&path)?;
        contents.report.file = name.to_owned();
        contents.report.size = fs::metadata(&path).map(|facts| facts.len()).unwrap_or_default();
        Ok(contents)
    }

    pub(crate) fn remove(&self, name: &str) -> Result<(), Failure> {
        match fs::remove_file(self.path(name)?) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(Failure::not_found("bug report", name))
            }
            result => result.map_err(|error| failed("removed", &error)),
        }
    }

    /// All of them.
    pub(crate) fn clear(&self) -> Result<(), Failure> {
        match fs::remove_dir_all(&self.0) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => Err(failed("removed", &error)),
            _ => Ok(()),
        }
    }

    /// # Errors
    /// Names `file` where this is no name of a report: it never leads out of the folder.
    fn path(&self, name: &str) -> Result<PathBuf, Failure> {
        if is_name(name) {
            return Ok(self.0.join(name));
        }
        Err(Failure::invalid("file", "file is not the name of a bug report"))
    }

    /// Names and sizes, oldest first: a name begins with its time.
    fn files(&self) -> Vec<(String, u64)> {
        let Ok(entries) = fs::read_dir(&self.0) else { return Vec::new() };
        let mut all: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let name = entry.file_name().into_string().ok().filter(|name| is_name(name))?;
                let facts = entry.metadata().ok().filter(fs::Metadata::is_file)?;
                Some((name, facts.len()))
            })
            .collect();
        all.sort();
        all
    }

    /// Those of pages never push out those of our user.
    fn prune(&self, newest: &str) {
        let mut files = self.files();
        files.retain(|(name, _)| is_of_page(name) == is_of_page(newest));
        let (mut count, mut bytes) = (files.len(), files.iter().map(|(_, size)| size).sum::<u64>());
        for (name, size) in files.iter().filter(|(name, _)| name != newest) {
            if count <= MOST_REPORTS && bytes <= MOST_BYTES {
                return;
            }
            if fs::remove_file(self.0.join(name)).is_ok() {
                (count, bytes) = (count - 1, bytes - size);
            }
        }
    }
}

fn is_of_page(name: &str) -> bool {
    name.starts_with(OF_PAGE)
}

fn is_name(name: &str) -> bool {
    let middle = name.strip_prefix(BEGIN).and_then(|rest| rest.strip_suffix(END));
    middle.is_some_and(|middle| {
        (1..=64).contains(&middle.len())
            && middle.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
    })
}

fn failed(what: &str, error: &dyn std::fmt::Display) -> Failure {
    Failure::new(FailureCode::Storage, format!("the bug report cannot be {what}: {error}"))
}

fn wrong(reason: &dyn std::fmt::Display) -> Failure {
    Failure::invalid("file", format!("file is not a bug report: {reason}"))
}

fn write_private(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

fn pack(contents: &ReportContents, screenshot: Option<&[u8]>) -> Result<Vec<u8>, ZipError> {
    let json = |value: serde_json::Result<Vec<u8>>| value.map_err(|error| ZipError::Io(error.into()));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    let ladder = ladder(contents).into_bytes();
    let parts = [
        (SUMMARY, json(serde_json::to_vec_pretty(&contents.report))?),
        (CONTENTS, json(serde_json::to_vec_pretty(contents))?),
        (LADDER, ladder),
        (CAPTURE, crate::capture::capture_of(contents)),
    ];
    let picture = screenshot.map(|png| (SCREENSHOT, png.to_vec()));
    for (name, bytes) in parts.into_iter().chain(picture) {
        zip.start_file(name, options)?;
        zip.write_all(&bytes)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// The SIP of the report, as it went.
fn ladder(contents: &ReportContents) -> String {
    let mut text = String::new();
    for verdict in &contents.report.verdicts {
        let _ = writeln!(text, "{}\n  {}", verdict.info, verdict.advice);
    }
    for message in &contents.messages {
        let (way, place) = if message.incoming { ("<-", "from") } else { ("->", "to") };
        let again = if message.repeated { ", again" } else { "" };
        let _ = writeln!(
            text,
            "\n{} {way} {} {place} {} over {}{again}\n{}",
            message.at, message.summary, message.remote, message.transport, message.text
        );
    }
    text
}

pub(super) fn read(path: &Path) -> Result<ReportContents, Failure> {
    let contents: ReportContents = read_part(path, CONTENTS, LONGEST_CONTENTS)?;
    match contents.format {
        1 => Ok(contents),
        0 => Err(wrong(&"it does not say what it is")),
        newer => Err(wrong(&format!("its format is {newer}, and only 1 is known"))),
    }
}

fn read_part<T: serde::de::DeserializeOwned>(path: &Path, name: &str, longest: u64) -> Result<T, Failure> {
    let cannot = |error: &dyn std::fmt::Display| failed("read", error);
    let file = File::open(path).map_err(|error| cannot(&error))?;
    let facts = file.metadata().map_err(|error| cannot(&error))?;
    if !facts.is_file() || facts.len() > LONGEST_FILE {
        return Err(wrong(&format!("it has more than {} MB", LONGEST_FILE / 1024 / 1024)));
    }
    let mut archive = ZipArchive::new(io::BufReader::new(file)).map_err(|error| wrong(&error))?;
    let part = archive.by_name(name).map_err(|error| wrong(&format!("{name}: {error}")))?;
    let mut bytes = Vec::new();
    part.take(longest + 1).read_to_end(&mut bytes).map_err(|error| wrong(&format!("{name}: {error}")))?;
    if bytes.len() as u64 > longest {
        return Err(wrong(&format!("{name} has more than {} MB", longest / 1024 / 1024)));
    }
    serde_json::from_slice(&bytes).map_err(|error| wrong(&format!("{name}: {error}")))
}

#[cfg(test)]
mod tests {
    use super::{CONTENTS, Folder, LONGEST_CONTENTS, MOST_REPORTS, read};
    use sidetone_api::{FailureCode, ReportContents, ReportView};
    use std::{fs, io::Write as _, path::Path};
    use zip::{ZipWriter, write::SimpleFileOptions};

    fn contents(words: &str) -> ReportContents {
        let report = ReportView { words: words.into(), ..ReportView::default() };
        ReportContents { format: 1, report, ..ReportContents::default() }
    }

    fn zip_of(path: &Path, name: &str, bytes: impl Iterator<Item = Vec<u8>>) {
        let mut zip = ZipWriter::new(fs::File::create(path).unwrap());
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        bytes.for_each(|bytes| zip.write_all(&bytes).unwrap());
        zip.finish().unwrap();
    }

    #[test]
    fn what_is_stored_is_read_again_listed_and_removed() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::below(root.path());
        let stored = folder.store(contents("no sound"), "report-1.zip", Some(b"png")).unwrap();
        assert!(stored.size > 0);
        let read = folder.read("report-1.zip").unwrap();
        assert_eq!((read.report.words.as_str(), read.has_screenshot), ("no sound", true));
        assert_eq!(folder.list(), [stored]);
        folder.remove("report-1.zip").unwrap();
        assert_eq!(folder.read("report-1.zip").unwrap_err().code, FailureCode::NotFound);
        assert_eq!(folder.remove("report-1.zip").unwrap_err().code, FailureCode::NotFound);
    }

    #[test]
    fn the_oldest_go_where_there_are_too_many() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::below(root.path());
        for number in 0..MOST_REPORTS + 2 {
            folder.store(contents(""), &format!("report-{number:03}.zip"), None).unwrap();
        }
        folder.store(contents(""), "report-page-1.zip", None).unwrap();
        let left: Vec<_> = folder.list().into_iter().filter(|report| !report.file.contains("page")).collect();
        assert_eq!(left.len(), MOST_REPORTS);
        assert_eq!(left.last().unwrap().file, "report-002.zip");
    }

    #[test]
    fn a_name_never_leads_out_of_the_folder() {
        let root = tempfile::tempdir().unwrap();
        fs::write(root.path().join("settings.toml"), "").unwrap();
        let folder = Folder::below(root.path());
        for name in [
            "../settings.toml",
            "report-../../x.zip",
            "/etc/passwd",
            "report-.zip",
            "report-a.zip\0",
            "report-A.zip",
            "con.zip",
            "",
        ] {
            let failures = [
                folder.read(name).unwrap_err(),
                folder.remove(name).unwrap_err(),
                folder.store(contents(""), name, None).unwrap_err(),
            ];
            assert!(failures.iter().all(|failure| failure.field.as_deref() == Some("file")), "{name}");
        }
        assert!(root.path().join("settings.toml").exists());
    }

    #[test]
    fn what_is_no_report_is_refused_in_words() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("x.zip");
        let refusal = |path: &Path| {
            let failure = read(path).unwrap_err();
            assert_eq!(failure.field.as_deref(), Some("file"), "{failure:?}");
            failure.message
        };
        fs::write(&path, b"PK\x03\x04 and then nothing").unwrap();
        refusal(&path);
        zip_of(&path, "other.json", [b"{}".to_vec()].into_iter());
        assert!(refusal(&path).contains(CONTENTS));
        zip_of(&path, CONTENTS, [b"{\"format\":2}".to_vec()].into_iter());
        assert!(refusal(&path).contains("format is 2"));
        zip_of(&path, CONTENTS, [b"{\"events\":[{}]}".to_vec()].into_iter());
        assert!(refusal(&path).contains("missing field"));
        // A gigabyte in a file of one megabyte.
        let megabytes = LONGEST_CONTENTS / 1024 / 1024 + 2;
        zip_of(&path, CONTENTS, (0..megabytes).map(|_| vec![b' '; 1024 * 1024]));
        assert!(fs::metadata(&path).unwrap().len() < 1024 * 1024);
        assert!(refusal(&path).contains("more than"));
        let huge = fs::File::create(&path).unwrap();
        huge.set_len(1 << 30).unwrap();
        assert!(refusal(&path).contains("more than"));
    }

    #[test]
    fn every_cut_of_an_archive_is_an_error_and_no_panic() {
        let root = tempfile::tempdir().unwrap();
        let folder = Folder::below(root.path());
        folder.store(contents("x"), "report-1.zip", None).unwrap();
        let whole = fs::read(root.path().join("reports/report-1.zip")).unwrap();
        let path = root.path().join("cut.zip");
        for length in (0..whole.len()).step_by(7) {
            fs::write(&path, &whole[..length]).unwrap();
            assert!(read(&path).is_err());
        }
    }
}
