//! `application/trickle-ice-sdpfrag` (RFC 8840 section 9): ICE news without the rest of a session description.

mod apply;
mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

/// Media sections in a fragment.
const MOST_SECTIONS: usize = 64;
/// Candidates in a fragment, all sections together.
const MOST_CANDIDATES: usize = 256;
const LONGEST_CANDIDATE: usize = 512;
const LONGEST_LINE: usize = 4096;

/// ICE credentials (RFC 8839 section 5.4).
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Credentials {
    pub ufrag: String,
    pub password: String,
}

/// What is new about ICE.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Fragment {
    /// Of the whole session; sections may have their own.
    pub session: Option<Credentials>,
    /// `a=ice-options`.
    pub options: Vec<String>,
    pub lite: bool,
    /// `mid`s of `a=group:BUNDLE`, the one that offers the transport first.
    pub bundle: Vec<String>,
    pub sections: Vec<Section>,
    /// No candidates follow, in any section.
    pub end_of_candidates: bool,
}

/// A media section, of which nothing but its ICE is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Section {
    /// `audio`, `video`, `application`.
    pub media: String,
    pub mid: String,
    pub credentials: Option<Credentials>,
    /// Each as it stands behind `a=`: `candidate:…`.
    pub candidates: Vec<String>,
    pub end_of_candidates: bool,
}

/// Why a fragment cannot be used; `line` counts from 1.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FragmentError {
    #[error("more than {} kB", super::MAX_BODY / 1024)]
    TooLong,
    #[error("line {line} is no line of SDP")]
    Line { line: usize },
    #[error("line {line}: {what} cannot be read")]
    Attribute { line: usize, what: &'static str },
    #[error("line {line}: a candidate outside of a media section")]
    Homeless { line: usize },
    #[error("more than {MOST_SECTIONS} media sections")]
    Sections,
    #[error("more than {MOST_CANDIDATES} candidates")]
    Candidates,
    #[error("a media section has no a=mid")]
    Mid,
    #[error("a=ice-ufrag and a=ice-pwd belong together")]
    HalfCredentials,
}

impl Credentials {
    /// Of RFC 8839's characters and lengths.
    pub fn new(ufrag: impl Into<String>, password: impl Into<String>) -> Option<Self> {
        let (ufrag, password) = (ufrag.into(), password.into());
        let fits = |text: &str, shortest| {
            (shortest..=256).contains(&text.len())
                && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))
        };
        (fits(&ufrag, 4) && fits(&password, 22)).then_some(Self { ufrag, password })
    }

    pub fn is_empty(&self) -> bool {
        self.ufrag.is_empty()
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Credentials({}, …)", self.ufrag)
    }
}

impl Fragment {
    /// The session's credentials, or those of the first section that has some: with BUNDLE they are the same.
    pub fn credentials(&self) -> Option<&Credentials> {
        self.session
            .as_ref()
            .or_else(|| self.sections.iter().find_map(|section| section.credentials.as_ref()))
    }

    /// Candidates with the `mid` of their section.
    pub fn candidates(&self) -> impl Iterator<Item = (&str, &str)> {
        self.sections
            .iter()
            .flat_map(|section| section.candidates.iter().map(|one| (section.mid.as_str(), one.as_str())))
    }

    /// No candidates follow: the session says so, or every section does.
    pub fn is_complete(&self) -> bool {
        let all = !self.sections.is_empty() && self.sections.iter().all(|section| section.end_of_candidates);
        self.end_of_candidates || all
    }

    /// A fragment about the transport that all sections of `self` share: the first of the group, by RFC 9725 section 4.3.2 the
    /// only one that is told. `self` is most often read from a whole description with [`Fragment::parse`].
    #[must_use]
    pub fn of_transport(&self) -> Self {
        let credentials = self.credentials().cloned();
        let first =
            self.bundle.first().and_then(|mid| self.sections.iter().find(|section| section.mid == *mid));
        let section =
            first.or(self.sections.first()).map(|section| Section { credentials: None, ..section.clone() });
        Self { session: credentials, sections: section.into_iter().collect(), ..self.clone() }
    }

    /// The same without the candidates.
    #[must_use]
    pub fn without_candidates(mut self) -> Self {
        for section in &mut self.sections {
            section.candidates.clear();
            section.end_of_candidates = false;
        }
        self.end_of_candidates = false;
        self
    }
}

/// As it is sent.
impl fmt::Display for Fragment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.lite {
            f.write_str("a=ice-lite\r\n")?;
        }
        if !self.options.is_empty() {
            write!(f, "a=ice-options:{}\r\n", self.options.join(" "))?;
        }
        if !self.bundle.is_empty() {
            write!(f, "a=group:BUNDLE {}\r\n", self.bundle.join(" "))?;
        }
        print(f, self.session.as_ref())?;
        if self.end_of_candidates {
            f.write_str("a=end-of-candidates\r\n")?;
        }
        for section in &self.sections {
            // Section 9.2: the port and the formats say nothing here.
            write!(f, "m={} 9 UDP/TLS/RTP/SAVPF 0\r\na=mid:{}\r\n", section.media, section.mid)?;
            print(f, section.credentials.as_ref())?;
            for candidate in &section.candidates {
                write!(f, "a={candidate}\r\n")?;
            }
            if section.end_of_candidates {
                f.write_str("a=end-of-candidates\r\n")?;
            }
        }
        Ok(())
    }
}

fn print(f: &mut fmt::Formatter<'_>, credentials: Option<&Credentials>) -> fmt::Result {
    let Some(Credentials { ufrag, password }) = credentials else { return Ok(()) };
    write!(f, "a=ice-ufrag:{ufrag}\r\na=ice-pwd:{password}\r\n")
}
