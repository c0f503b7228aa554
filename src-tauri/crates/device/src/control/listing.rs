//! What the sound system offers at one moment.

use cpal::traits::{DeviceTrait, HostTrait};
use sidetone_media::{DeviceInfo, Direction};

use crate::platform::{Connection, Shown};

/// All devices, each with its description.
#[derive(Default)]
pub(crate) struct Listing {
    entries: Vec<(DeviceInfo, cpal::Device)>,
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
        Ok(Self { entries })
    }

    pub(crate) fn infos(&self) -> impl Iterator<Item = &DeviceInfo> {
        self.entries.iter().map(|(info, _)| info)
    }

    pub(crate) fn device(&self, direction: Direction, id: &str) -> Option<&cpal::Device> {
        self.entries.iter().find(|(info, _)| info.direction == direction && info.id == id).map(|(_, d)| d)
    }

    pub(crate) fn is_same_as(&self, other: &Self) -> bool {
        self.infos().eq(other.infos())
    }
}
