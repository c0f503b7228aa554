//! `application/pidf+xml`: RFC 3863, with the activities of RFC 4480.

use super::BodyError;
use super::xml::{self, Element, clip, escape};

const MAX_TUPLES: usize = 64;
const MAX_ACTIVITIES: usize = 16;

/// Whether somebody is there, and what that person says of itself.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Presence {
    /// `pres:` or `sip:` URI
    pub entity: String,
    pub tuples: Vec<Tuple>,
    /// of the presentity as a whole
    pub note: Option<String>,
    /// `busy`, `on-the-phone`, `away`, …
    pub activities: Vec<String>,
}

/// One way to reach somebody.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Tuple {
    pub id: String,
    /// `None` where the document does not say
    pub open: Option<bool>,
    pub contact: Option<String>,
    pub note: Option<String>,
}

impl Presence {
    pub const CONTENT_TYPE: &'static str = "application/pidf+xml";

    /// Whether a phone of `entity` can be called.
    pub fn of(entity: impl Into<String>, open: bool, note: Option<String>) -> Self {
        let tuple = Tuple { id: "phone".to_owned(), open: Some(open), contact: None, note: None };
        Self { entity: entity.into(), tuples: vec![tuple], note, activities: Vec::new() }
    }

    pub fn parse(bytes: &[u8]) -> Result<Self, BodyError> {
        let root = xml::read(bytes, "presence")?;
        let mut activities = Vec::new();
        collect_activities(&root, &mut activities);
        let person = root.child("person");
        let tuples: Vec<Tuple> = root.all("tuple").take(MAX_TUPLES).map(tuple).collect::<Result<_, _>>()?;
        Ok(Self {
            entity: clip(root.attribute("entity").unwrap_or_default()),
            tuples,
            note: note(&root).or_else(|| person.and_then(note)),
            activities,
        })
    }

    /// Whether any way is open; `None` where nothing is said.
    pub fn available(&self) -> Option<bool> {
        self.tuples.iter().filter_map(|tuple| tuple.open).max()
    }

    /// What the person says: its own words, those of an open way, or its activities.
    pub fn words(&self) -> Option<String> {
        let of_tuple = || {
            let mut tuples: Vec<&Tuple> = self.tuples.iter().filter(|tuple| tuple.note.is_some()).collect();
            tuples.sort_by_key(|tuple| tuple.open != Some(true));
            tuples.first().and_then(|tuple| tuple.note.clone())
        };
        let activities = || (!self.activities.is_empty()).then(|| self.activities.join(", "));
        self.note.clone().or_else(of_tuple).or_else(activities)
    }

    /// As `application/pidf+xml`.
    pub fn to_xml(&self) -> Vec<u8> {
        let mut out = format!(
            "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\r\n<presence xmlns=\"urn:ietf:params:xml:ns:pidf\" entity=\"{}\">",
            escape(&self.entity)
        );
        for tuple in &self.tuples {
            out.push_str(&format!("<tuple id=\"{}\"><status>", escape(&tuple.id)));
            if let Some(open) = tuple.open {
                out.push_str(if open { "<basic>open</basic>" } else { "<basic>closed</basic>" });
            }
            out.push_str("</status>");
            push_element(&mut out, "contact", tuple.contact.as_deref());
            push_element(&mut out, "note", tuple.note.as_deref());
            out.push_str("</tuple>");
        }
        push_element(&mut out, "note", self.note.as_deref());
        out.push_str("</presence>\r\n");
        out.into_bytes()
    }
}

fn push_element(out: &mut String, name: &str, text: Option<&str>) {
    if let Some(text) = text {
        out.push_str(&format!("<{name}>{}</{name}>", escape(text)));
    }
}

fn tuple(element: &Element) -> Result<Tuple, BodyError> {
    let basic = element.child("status").and_then(|status| status.child("basic"));
    let open = match basic.map(|basic| basic.text().to_ascii_lowercase()).as_deref() {
        Some("open") => Some(true),
        Some("closed") => Some(false),
        None | Some("") => None,
        Some(_) => return Err(BodyError::new("basic", "neither open nor closed")),
    };
    Ok(Tuple {
        id: clip(element.attribute("id").unwrap_or_default()),
        open,
        contact: element.child("contact").map(|contact| clip(contact.text())).filter(|text| !text.is_empty()),
        note: note(element),
    })
}

fn note(element: &Element) -> Option<String> {
    element.all("note").map(|note| clip(note.text())).find(|text| !text.is_empty())
}

/// `activities` is a child of `person`, or of a `status` where older senders put it.
fn collect_activities(element: &Element, found: &mut Vec<String>) {
    for child in &element.children {
        if child.name == "activities" {
            for activity in child.children.iter().filter(|activity| activity.name != "note") {
                let name =
                    if activity.name == "other" { clip(activity.text()) } else { clip(&activity.name) };
                if found.len() < MAX_ACTIVITIES && !found.contains(&name) && name != "unknown" {
                    found.push(name);
                }
            }
        } else {
            collect_activities(child, found);
        }
    }
}
