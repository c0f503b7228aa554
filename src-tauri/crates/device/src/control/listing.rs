//! What the sound system offers at one moment.

use cpal::traits::{DeviceTrait, HostTrait};
use sidetone_media::{DeviceInfo, Direction};

use crate::platform::{Connection, Shown, system_sound};

/// All devices, each with its description.
#[derive(Default)]
pub(crate) struct Listing {
    entries: Vec<(DeviceInfo, cpal::Device)>,
    /// Gives what the machine plays, under an id of its own.
    system: Option<(DeviceInfo, cpal::Device)>,
}

impl Listing {
    /// Asks the host. Blocks for about a millisecond, or for as long as a sound server hangs.
    pub(crate) fn take(connection: &Connection) -> Result<Self, cpal::Error> {
        let host = &connection.host;
        let devices: Vec<(String, cpal::Device)> = host
            .devices()?
            .filter_map(|device| device.id().ok().map(|id| (id.id().to_owned(), device)))
            .collect();
        let ids: Vec<String> = devices.iter().map(|(id, _)| id.clone()).collect();
        let shown = Shown::new(connection.prefix, &ids);
        let default_input = host.default_input_device().and_then(|device| device.id().ok());
        let default_output = host.default_output_device().and_then(|device| device.id().ok());

        let mut entries: Vec<(DeviceInfo, cpal::Device)> = Vec::new();
        for (id, device) in devices.into_iter().filter(|(id, _)| shown.contains(id)) {
            let Ok(description) = device.description() else { continue };
            for (direction, default) in
                [(Direction::Input, &default_input), (Direction::Output, &default_output)]
            {
                let offered = match direction {
                    Direction::Input => description.supports_input() && device.supports_input(),
                    Direction::Output => description.supports_output() && device.supports_output(),
                };
                if !offered {
                    continue;
                }
                let info = DeviceInfo {
                    id: format!("{}:{id}", connection.prefix),
                    name: description.name().lines().next().unwrap_or(&id).to_owned(),
                    direction,
                    is_default: default.as_ref().is_some_and(|default| default.id() == id),
                };
                entries.push((info, device.clone()));
            }
        }
        entries.sort_by_key(|(info, _)| (info.direction == Direction::Output, !info.is_default));
        let infos: Vec<&DeviceInfo> = entries.iter().map(|(info, _)| info).collect();
        let system = system_sound(&infos).and_then(|at| entries.get(at)).map(|(info, device)| {
            let speaker = entries.iter().map(|(info, _)| info);
            let speaker =
                speaker.filter(|info| info.direction == Direction::Output).find(|info| info.is_default);
            let name = format!("What {} plays", speaker.map_or(&info.name, |speaker| &speaker.name));
            let id = format!("system:{}", info.id);
            (DeviceInfo { id, name, direction: Direction::Input, is_default: true }, device.clone())
        });
        Ok(Self { entries, system })
    }

    pub(crate) fn infos(&self) -> impl Iterator<Item = &DeviceInfo> {
        self.entries.iter().map(|(info, _)| info)
    }

    /// What the machine plays, where that can be had.
    pub(crate) fn system(&self) -> Option<&DeviceInfo> {
        self.system.as_ref().map(|(info, _)| info)
    }

    pub(crate) fn device(&self, direction: Direction, id: &str) -> Option<&cpal::Device> {
        if let Some((_, device)) = self.system.as_ref().filter(|(info, _)| info.id == id) {
            return Some(device);
        }
        self.entries.iter().find(|(info, _)| info.direction == direction && info.id == id).map(|(_, d)| d)
    }

    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.infos().eq(other.infos())
    }
}
