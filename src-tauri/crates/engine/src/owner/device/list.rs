//! Devices as a user picks them.

use sidetone_api::DeviceView;
use sidetone_media::DeviceInfo;
use sidetone_media::device::{Direction, Selection};

/// What needs no hardware and has entries of its own.
const SYNTHETIC: [&str; 3] = ["silence", "tone", "null"];

pub(super) fn is_hardware(info: &DeviceInfo) -> bool {
    !SYNTHETIC.contains(&info.id.as_str())
}

pub(super) fn choices(direction: Direction, list: &[DeviceInfo]) -> Vec<DeviceView> {
    let synthetic = |selection: &str, name: &str| DeviceView {
        selection: selection.into(),
        name: name.into(),
        is_default: false,
        hardware: false,
    };
    let mut views = Vec::new();
    if list.iter().any(|info| info.direction == direction) {
        views.push(DeviceView { hardware: true, ..synthetic("default", "System default") });
    }
    views.extend(list.iter().filter(|info| info.direction == direction).map(|info| DeviceView {
        selection: format!("device:{}", info.id),
        name: info.name.clone(),
        is_default: info.is_default,
        hardware: true,
    }));
    match direction {
        Direction::Input => views.extend([synthetic("tone", "Test tone"), synthetic("silence", "Silence")]),
        Direction::Output => views.push(synthetic("null", "No sound")),
    }
    views
}

/// The name of what a selection would open now.
pub(super) fn would_open(selection: &Selection, direction: Direction, list: &[DeviceInfo]) -> Option<String> {
    let mut devices = list.iter().filter(|info| info.direction == direction);
    match selection {
        Selection::Default => devices.find(|info| info.is_default).map(|info| info.name.clone()),
        Selection::Device(id) => devices.find(|info| info.id == *id).map(|info| info.name.clone()),
        synthetic => Some(synthetic.to_string()),
    }
}
