//! What happens to open devices, told to whoever asked for it.

use std::fmt;

use sidetone_media::{DeviceFault, DeviceInfo, DeviceNews, Direction};

/// Names one open source or sink of a [`Hardware`](crate::Hardware), for as long as that lives.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EndpointId(pub(crate) u64);

impl fmt::Display for EndpointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A change that a user may want to see. The streams have already coped with it.
#[derive(Debug, Clone, PartialEq, Eq)]
#[non_exhaustive]
pub enum DeviceEvent {
    /// Devices came, went or changed their default; `list` gives the new state.
    ListChanged,
    /// There is nothing to open for this endpoint yet; it is silent and opens what comes.
    Missing { endpoint: EndpointId, direction: Direction, reason: String },
    /// The device in use is gone or stalled; the endpoint is silent until one of the next three.
    Lost { endpoint: EndpointId, device: DeviceInfo, fault: DeviceFault },
    /// The chosen device cannot be used, the default one is used in its place.
    Fallback { endpoint: EndpointId, wanted: String, device: DeviceInfo },
    /// The chosen device is in use again, or the lost default device is back.
    Recovered { endpoint: EndpointId, device: DeviceInfo },
    /// The endpoint follows the system's default and that is another device now.
    DefaultChanged { endpoint: EndpointId, device: DeviceInfo },
}

impl DeviceEvent {
    /// The same in the words of the trait.
    pub(crate) fn news(&self) -> DeviceNews {
        let Some(direction) = self.direction() else { return DeviceNews::ListChanged };
        let (device, trouble) = match self {
            Self::ListChanged | Self::Missing { .. } | Self::Lost { .. } => (None, true),
            Self::Fallback { device, .. } => (Some(device.clone()), true),
            Self::Recovered { device, .. } | Self::DefaultChanged { device, .. } => {
                (Some(device.clone()), false)
            }
        };
        DeviceNews::Open { direction, text: self.to_string(), device, trouble }
    }

    /// The endpoint it is about, if it is about one.
    pub fn endpoint(&self) -> Option<EndpointId> {
        match self {
            Self::ListChanged => None,
            Self::Missing { endpoint, .. }
            | Self::Lost { endpoint, .. }
            | Self::Fallback { endpoint, .. }
            | Self::Recovered { endpoint, .. }
            | Self::DefaultChanged { endpoint, .. } => Some(*endpoint),
        }
    }

    /// Which way the samples of that endpoint go.
    pub fn direction(&self) -> Option<Direction> {
        match self {
            Self::ListChanged => None,
            Self::Missing { direction, .. } => Some(*direction),
            Self::Lost { device, .. }
            | Self::Fallback { device, .. }
            | Self::Recovered { device, .. }
            | Self::DefaultChanged { device, .. } => Some(device.direction),
        }
    }
}

impl fmt::Display for DeviceEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ListChanged => f.write_str("the list of audio devices changed"),
            Self::Missing { direction, reason, .. } => write!(f, "no audio {direction}: {reason}"),
            Self::Lost { device, fault, .. } => write!(f, "{}: {fault}", device.name),
            Self::Fallback { wanted, device, .. } => {
                write!(f, "{wanted} cannot be used, using {}", device.name)
            }
            Self::Recovered { device, .. } => write!(f, "{} is back", device.name),
            Self::DefaultChanged { device, .. } => {
                write!(f, "the default audio {} is now {}", device.direction, device.name)
            }
        }
    }
}
