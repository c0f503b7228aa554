//! One use of a device: what the settings say of it, and what is open.

use super::list::would_open;
use sidetone_api::DeviceChoice;
use sidetone_media::DeviceInfo;
use sidetone_media::device::{Direction, Selection};

/// What a device is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in super::super) enum Role {
    Microphone,
    Speaker,
    /// Where incoming calls ring, if not on the speaker.
    Ringer,
}

impl Role {
    pub(super) fn direction(self) -> Direction {
        match self {
            Self::Microphone => Direction::Input,
            Self::Speaker | Self::Ringer => Direction::Output,
        }
    }

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Microphone => "microphone",
            Self::Speaker => "speaker",
            Self::Ringer => "ringer",
        }
    }
}

#[derive(Debug)]
pub(super) struct Slot {
    pub(super) role: Role,
    /// What the settings say; empty where there is no such device.
    selection: String,
    /// `device:ID`s for `default`, best first.
    preferred: Vec<String>,
    /// Somebody speaks or listens.
    pub(super) wanted: bool,
    /// Grows with every opening and closing: an opening that comes back late is thrown away.
    pub(super) generation: u64,
    pub(super) open: bool,
    /// What was asked of the system.
    pub(super) asked: Option<Selection>,
    pub(super) effective: Option<String>,
    pub(super) problem: Option<String>,
}

impl Slot {
    pub(super) fn new(role: Role, selection: &str, preferred: &[String]) -> Self {
        Self {
            role,
            selection: selection.to_owned(),
            preferred: preferred.to_vec(),
            wanted: false,
            generation: 0,
            open: false,
            asked: None,
            effective: None,
            problem: None,
        }
    }

    /// Takes what the settings say now.
    pub(super) fn set(&mut self, selection: &str, preferred: &[String]) {
        self.selection = selection.to_owned();
        self.preferred = preferred.to_vec();
    }

    /// What to open now: of `default`, the first preferred device that is there.
    pub(super) fn target(&self, list: &[DeviceInfo]) -> Option<Selection> {
        if self.selection.is_empty() {
            return None;
        }
        let selection = self.selection.parse::<Selection>().ok()?;
        if selection != Selection::Default {
            return Some(selection);
        }
        let is_there = |preferred: &Selection| match preferred {
            Selection::Device(id) => {
                list.iter().any(|info| info.direction == self.role.direction() && info.id == *id)
            }
            _ => false,
        };
        let mut preferred = self.preferred.iter().filter_map(|text| text.parse::<Selection>().ok());
        Some(preferred.find(is_there).unwrap_or(selection))
    }

    pub(super) fn choice(&self, list: &[DeviceInfo]) -> DeviceChoice {
        let would_be = || would_open(&self.target(list)?, self.role.direction(), list);
        DeviceChoice {
            selection: self.selection.clone(),
            effective: self.effective.clone().or_else(would_be),
            problem: self.problem.clone(),
        }
    }

    /// It is wanted, and not what it should be: not open, or another one has come that is preferred.
    pub(super) fn is_to_be_opened_again(&self, list: &[DeviceInfo]) -> bool {
        let failed = !self.open && self.problem.is_some();
        self.wanted && (failed || self.asked != self.target(list))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn device(id: &str, direction: Direction) -> DeviceInfo {
        DeviceInfo { id: id.into(), name: id.into(), direction, is_default: id == "b" }
    }

    #[test]
    fn of_default_the_first_preferred_device_that_is_there_is_taken() {
        let list =
            [device("a", Direction::Output), device("b", Direction::Input), device("c", Direction::Input)];
        let mut slot = Slot::new(Role::Microphone, "default", &["device:a".into(), "device:c".into()]);
        assert_eq!(slot.target(&list), Some(Selection::Device("c".into())));
        assert_eq!(slot.choice(&list).effective.as_deref(), Some("c"));
        assert_eq!(slot.target(&list[..2]), Some(Selection::Default));
        assert_eq!(slot.choice(&list[..2]).effective.as_deref(), Some("b"));
        slot.set("device:b", &["device:c".into()]);
        assert_eq!(slot.target(&list), Some(Selection::Device("b".into())));
    }

    #[test]
    fn no_ringer_is_nothing_to_open() {
        let slot = Slot::new(Role::Ringer, "", &[]);
        assert_eq!(slot.target(&[]), None);
        assert_eq!(slot.choice(&[device("b", Direction::Output)]), DeviceChoice::default());
    }
}
