use super::{Fragment, Section, parse::split};
use std::fmt::Write;

impl Fragment {
    /// The session description `sdp` with the ICE of this fragment instead of its own: what a restart makes of it. Candidates
    /// that it had are gone with its credentials; without credentials in the fragment, its candidates are added.
    #[must_use]
    pub fn applied_to(&self, sdp: &str) -> String {
        let mut text = String::with_capacity(sdp.len() + 256);
        let restart = self.credentials().is_some();
        let mut block: Vec<&str> = Vec::new();
        for line in sdp.lines().map(|line| line.trim_end_matches('\r')).filter(|line| !line.is_empty()) {
            if line.starts_with("m=") {
                self.write(&mut text, &block, restart);
                block.clear();
            }
            block.push(line);
        }
        self.write(&mut text, &block, restart);
        text
    }

    /// The session's part or a media section, which begins with `m=`.
    fn write(&self, text: &mut String, block: &[&str], restart: bool) {
        let mut had_credentials = false;
        for line in block {
            let name =
                split(line).map(|(_, value)| value.split(':').next().unwrap_or_default()).unwrap_or_default();
            let attribute = line.starts_with("a=");
            had_credentials |= attribute && name == "ice-ufrag";
            let old = restart
                && attribute
                && matches!(name, "ice-ufrag" | "ice-pwd" | "candidate" | "end-of-candidates");
            if !old {
                let _ = write!(text, "{line}\r\n");
            }
        }
        let mid = block.iter().find_map(|line| line.strip_prefix("a=mid:")).map(str::trim);
        let own = self.sections.iter().find(|section| Some(section.mid.as_str()) == mid);
        let credentials = own.and_then(|section| section.credentials.as_ref()).or(self.credentials());
        if had_credentials && let Some(credentials) = credentials {
            let _ =
                write!(text, "a=ice-ufrag:{}\r\na=ice-pwd:{}\r\n", credentials.ufrag, credentials.password);
        }
        if let Some(section) = own {
            write_candidates(text, section);
            if self.end_of_candidates && !section.end_of_candidates {
                text.push_str("a=end-of-candidates\r\n");
            }
        }
    }
}

fn write_candidates(text: &mut String, section: &Section) {
    for candidate in &section.candidates {
        let _ = write!(text, "a={candidate}\r\n");
    }
    if section.end_of_candidates {
        text.push_str("a=end-of-candidates\r\n");
    }
}
