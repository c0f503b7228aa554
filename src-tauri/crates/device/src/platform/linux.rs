//! Linux: the PulseAudio protocol where a server answers (PipeWire speaks it too), else ALSA.

use std::time::{Duration, Instant};

use cpal::traits::{DeviceTrait, HostTrait};
use cpal::{ErrorKind, HostId};

use sidetone_media::{DeviceInfo, Direction};

use super::Connection;

const PULSE: &str = "pulse";
const ALSA: &str = "alsa";
/// A server that was there and is not is being restarted: so long, its sound card is not taken from it.
const RESTART: Duration = Duration::from_secs(15);

/// Chooses between the two hosts.
#[derive(Debug, Default)]
pub(crate) struct Connector {
    pulse_seen: Option<Instant>,
}

impl Connector {
    /// Connects to the sound server, or to ALSA where there is none, or says why not.
    pub(crate) fn connect(&mut self, now: Instant) -> Result<Connection, String> {
        match cpal::host_from_id(HostId::PulseAudio) {
            Ok(host) => {
                self.pulse_seen = Some(now);
                Ok(Connection { host, prefix: PULSE })
            }
            Err(error) => {
                if self.pulse_seen.is_some_and(|seen| now.saturating_duration_since(seen) < RESTART) {
                    return Err(format!("the sound server does not answer: {error}"));
                }
                let host = cpal::host_from_id(HostId::Alsa).map_err(|error| error.to_string())?;
                Ok(Connection { host, prefix: ALSA })
            }
        }
    }

    /// True when a sound server has come up while ALSA is in use. Also notes that a server still lives.
    pub(crate) fn prefers_another(&mut self, current: &Connection, now: Instant) -> bool {
        if current.prefix == PULSE {
            self.pulse_seen = Some(now);
            return false;
        }
        cpal::available_hosts().contains(&HostId::PulseAudio)
    }
}

/// The device as a playback stream is to be opened on it.
///
/// cpal gives all playback streams of one connection the same synchronisation id. The server then starts and stops
/// them together, and refuses one on another sink. So each gets a connection of its own, which ends with it.
pub(crate) fn for_playback(device: &cpal::Device) -> Result<cpal::Device, cpal::Error> {
    let id = device.id()?;
    if id.host() != HostId::PulseAudio {
        return Ok(device.clone());
    }
    cpal::host_from_id(HostId::PulseAudio)?
        .device_by_id(&id)
        .ok_or_else(|| cpal::Error::new(ErrorKind::DeviceNotAvailable))
}

/// What the machine plays is a source of its own, with formats and without pauses.
pub(crate) const SYSTEM_SOUND_FORMATS: Direction = Direction::Input;
pub(crate) const SYSTEM_SOUND_PAUSES: bool = false;

/// Which of these gives what the machine plays: the monitor of the default sink, which both sound servers name so.
pub(crate) fn system_sound(infos: &[&DeviceInfo]) -> Option<usize> {
    let is_sink = |info: &&&DeviceInfo| info.direction == Direction::Output && info.is_default;
    let monitor = format!("{}.monitor", infos.iter().find(is_sink)?.id);
    infos.iter().position(|info| info.direction == Direction::Input && info.id == monitor)
}

/// Which devices of a list to show.
///
/// ALSA lists dozens of plugins for each card, and some even without any card. Shown are `default` and, for
/// each card, the entry that converts formats (`plughw`), by the card's name rather than its number.
pub(crate) struct Shown {
    alsa: bool,
    has_card: bool,
    has_named: bool,
}

impl Shown {
    pub(crate) fn new(prefix: &str, ids: &[String]) -> Self {
        let cards = || ids.iter().filter_map(|id| id.strip_prefix("plughw:CARD="));
        Self {
            alsa: prefix == ALSA,
            has_card: cards().next().is_some(),
            has_named: cards().any(|card| !starts_with_digit(card)),
        }
    }

    pub(crate) fn contains(&self, id: &str) -> bool {
        if !self.alsa {
            return true;
        }
        match id.strip_prefix("plughw:CARD=") {
            Some(card) => !(self.has_named && starts_with_digit(card)),
            None => id == "default" && self.has_card,
        }
    }
}

fn starts_with_digit(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(prefix: &str, ids: &[&str]) -> Vec<String> {
        let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
        let shown = Shown::new(prefix, &ids);
        ids.iter().filter(|id| shown.contains(id)).cloned().collect()
    }

    #[test]
    fn what_the_machine_plays_is_the_monitor_of_the_default_sink() {
        let info = |id: &str, direction, is_default| DeviceInfo {
            id: id.into(),
            name: id.into(),
            direction,
            is_default,
        };
        let (input, output) = (Direction::Input, Direction::Output);
        let all = [
            info("pulse:a.monitor", input, true),
            info("pulse:b.monitor", input, false),
            info("pulse:a", output, false),
            info("pulse:b", output, true),
        ];
        assert_eq!(system_sound(&all.iter().collect::<Vec<_>>()), Some(1));
        assert_eq!(system_sound(&all[..3].iter().collect::<Vec<_>>()), None, "no default sink");
        assert_eq!(system_sound(&[&all[0], &all[3]]), None, "ALSA has no monitors");
    }

    #[test]
    fn alsa_plugins_without_a_card_are_no_devices() {
        assert!(shown(ALSA, &["null", "default", "lavrate", "pulse"]).is_empty());
    }

    #[test]
    fn a_card_is_shown_once_by_name() {
        let ids = ["null", "default", "hw:CARD=PCH,DEV=0", "plughw:CARD=PCH,DEV=0", "plughw:CARD=0,DEV=0"];
        assert_eq!(shown(ALSA, &ids), ["default", "plughw:CARD=PCH,DEV=0"]);
        assert_eq!(shown(ALSA, &["default", "plughw:CARD=0,DEV=0"]).len(), 2);
    }

    #[test]
    fn a_sound_server_shows_all_that_it_lists() {
        assert_eq!(shown(PULSE, &["null", "spk.monitor"]).len(), 2);
    }
}
