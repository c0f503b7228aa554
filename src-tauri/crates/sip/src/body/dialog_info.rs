//! `application/dialog-info+xml`: RFC 4235 section 4.

use std::fmt::Write as _;

use super::BodyError;
use super::xml::{self, Element, clip, escape, short};

/// Dialogs of one document; what is beyond them is left out.
pub(super) const MAX_DIALOGS: usize = 256;

/// The calls of a line, or what changed about them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct DialogInfo {
    /// the line's URI
    pub entity: String,
    pub version: u32,
    /// all dialogs, as opposed to those that changed
    pub full: bool,
    pub dialogs: Vec<LineDialog>,
    /// there were more dialogs than are kept
    pub truncated: bool,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LineDialog {
    pub id: String,
    pub call_id: Option<String>,
    pub local_tag: Option<String>,
    pub remote_tag: Option<String>,
    /// who began it; `None` where the document does not say
    pub initiator: Option<Initiator>,
    pub state: DialogState,
    /// why it ended, such as `remote-bye`
    pub event: Option<String>,
    pub local: Option<Party>,
    pub remote: Option<Party>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Initiator {
    /// the line calls
    Line,
    /// the line is called
    Remote,
}

/// RFC 4235 section 3.7.1.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum DialogState {
    #[default]
    Trying,
    Proceeding,
    Early,
    Confirmed,
    Terminated,
}

#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Party {
    pub identity: Option<String>,
    pub display: Option<String>,
    pub target: Option<String>,
}

impl DialogState {
    fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_lowercase().as_str() {
            "trying" => Self::Trying,
            "proceeding" => Self::Proceeding,
            "early" => Self::Early,
            "confirmed" => Self::Confirmed,
            "terminated" => Self::Terminated,
            _ => return None,
        })
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Trying => "trying",
            Self::Proceeding => "proceeding",
            Self::Early => "early",
            Self::Confirmed => "confirmed",
            Self::Terminated => "terminated",
        }
    }
}

impl DialogInfo {
    pub const CONTENT_TYPE: &'static str = "application/dialog-info+xml";

    /// A version that is no number counts as 0: some senders leave a pattern there.
    pub fn parse(bytes: &[u8]) -> Result<Self, BodyError> {
        let root = xml::read(bytes, "dialog-info")?;
        let full = match root.attribute("state") {
            Some(state) if state.eq_ignore_ascii_case("partial") => false,
            Some(state) if state.eq_ignore_ascii_case("full") => true,
            None => true,
            Some(other) => {
                return Err(BodyError::new("state", format!("{} is neither full nor partial", short(other))));
            }
        };
        let dialogs: Vec<LineDialog> =
            root.all("dialog").take(MAX_DIALOGS).map(dialog).collect::<Result<_, _>>()?;
        Ok(Self {
            entity: clip(root.attribute("entity").unwrap_or_default()),
            version: root.attribute("version").and_then(|version| version.trim().parse().ok()).unwrap_or(0),
            full,
            truncated: root.all("dialog").nth(MAX_DIALOGS).is_some(),
            dialogs,
        })
    }

    /// As `application/dialog-info+xml`.
    pub fn to_xml(&self) -> Vec<u8> {
        let mut out = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n");
        let state = if self.full { "full" } else { "partial" };
        let _ = write!(
            out,
            "<dialog-info xmlns=\"urn:ietf:params:xml:ns:dialog-info\" version=\"{}\" state=\"{state}\" entity=\"{}\">",
            self.version,
            escape(&self.entity)
        );
        self.dialogs.iter().for_each(|dialog| write_dialog(&mut out, dialog));
        out.push_str("</dialog-info>\r\n");
        out.into_bytes()
    }
}

fn dialog(element: &Element) -> Result<LineDialog, BodyError> {
    let state = element.child("state").ok_or_else(|| BodyError::new("dialog", "has no state"))?;
    let attribute = |name: &str| element.attribute(name).map(clip).filter(|value| !value.is_empty());
    Ok(LineDialog {
        id: attribute("id").ok_or_else(|| BodyError::new("dialog", "has no id"))?,
        call_id: attribute("call-id"),
        local_tag: attribute("local-tag"),
        remote_tag: attribute("remote-tag"),
        initiator: element.attribute("direction").and_then(|direction| match direction {
            "initiator" => Some(Initiator::Line),
            "recipient" => Some(Initiator::Remote),
            _ => None,
        }),
        state: DialogState::parse(state.text())
            .ok_or_else(|| BodyError::new("state", format!("{:?} is unknown", short(state.text()))))?,
        event: state.attribute("event").map(clip),
        local: element.child("local").map(party),
        remote: element.child("remote").map(party),
    })
}

fn party(element: &Element) -> Party {
    let identity = element.child("identity");
    Party {
        identity: identity.map(|identity| clip(identity.text())).filter(|text| !text.is_empty()),
        display: identity
            .and_then(|identity| identity.attribute("display"))
            .map(clip)
            .filter(|text| !text.is_empty()),
        target: element.child("target").and_then(|target| target.attribute("uri")).map(clip),
    }
}

fn write_dialog(out: &mut String, dialog: &LineDialog) {
    let _ = write!(out, "<dialog id=\"{}\"", escape(&dialog.id));
    let direction = dialog.initiator.map(|initiator| match initiator {
        Initiator::Line => "initiator".to_owned(),
        Initiator::Remote => "recipient".to_owned(),
    });
    for (name, value) in [
        ("call-id", &dialog.call_id),
        ("local-tag", &dialog.local_tag),
        ("remote-tag", &dialog.remote_tag),
        ("direction", &direction),
    ] {
        if let Some(value) = value {
            let _ = write!(out, " {name}=\"{}\"", escape(value));
        }
    }
    let event =
        dialog.event.as_deref().map(|event| format!(" event=\"{}\"", escape(event))).unwrap_or_default();
    let _ = write!(out, "><state{event}>{}</state>", dialog.state.as_str());
    for (name, party) in [("local", &dialog.local), ("remote", &dialog.remote)] {
        let Some(party) = party else { continue };
        let _ = write!(out, "<{name}>");
        if let Some(identity) = &party.identity {
            let display = party
                .display
                .as_deref()
                .map(|name| format!(" display=\"{}\"", escape(name)))
                .unwrap_or_default();
            let _ = write!(out, "<identity{display}>{}</identity>", escape(identity));
        }
        if let Some(target) = &party.target {
            let _ = write!(out, "<target uri=\"{}\"/>", escape(target));
        }
        let _ = write!(out, "</{name}>");
    }
    out.push_str("</dialog>");
}
