//! Devices that need no hardware: tone, wav file, silence, null.

mod video;
mod wav;

use crate::device::{
    DeviceInfo, Devices, Direction, Flow, OpenedSink, OpenedSource, Selection, Sink, Source,
};
use crate::error::DeviceError;
use crate::frame::Frame;
use crate::tone::TestTone;

pub use video::open_video;
pub(crate) use wav::to_i16;
pub use wav::{Repeat, WavReader, WavSink, WavSource};

/// The devices of a machine without sound hardware. Hardware [`Devices`] hand selections to it for which
/// [`Selection::is_synthetic`] holds.
///
/// [`Selection::Default`] is silence as a source and null as a sink, so that a call goes on; `effective` says so.
#[derive(Debug, Clone, Copy, Default)]
pub struct Synthetic;

/// Endless silence.
#[derive(Debug, Clone, Copy, Default)]
pub struct SilenceSource;

impl Source for SilenceSource {
    fn read(&mut self, frame: &mut Frame) -> Flow {
        frame.fill(0.0);
        Flow::Live
    }

    fn is_microphone(&self) -> bool {
        false
    }
}

/// Swallows every frame.
#[derive(Debug, Clone, Copy, Default)]
pub struct NullSink;

impl Sink for NullSink {
    fn write(&mut self, _frame: &Frame) {}
}

impl Devices for Synthetic {
    fn list(&self) -> Result<Vec<DeviceInfo>, DeviceError> {
        Ok(vec![
            info("silence", "Silence", Direction::Input, true),
            info("tone", "Test tone (440 Hz)", Direction::Input, false),
            info("null", "No speaker", Direction::Output, true),
        ])
    }

    fn open_source(&self, selection: &Selection) -> Result<OpenedSource, DeviceError> {
        let id = selection.to_string();
        let direction = Direction::Input;
        let (source, name): (Box<dyn Source>, String) = match selection {
            Selection::Default => (Box::new(SilenceSource), "Silence (no microphone)".into()),
            Selection::Silence => (Box::new(SilenceSource), "Silence".into()),
            Selection::Tone { hz } => (Box::new(TestTone::new(*hz)), format!("Tone of {hz} Hz")),
            Selection::File(path) => (Box::new(WavSource::open(path, Repeat::Once)?), file_name(path)),
            Selection::LoopedFile(path) => {
                (Box::new(WavSource::open(path, Repeat::Forever)?), file_name(path))
            }
            // The names under which `list` gives the synthetic sources.
            Selection::Device(id) if id == "silence" => (Box::new(SilenceSource), "Silence".into()),
            Selection::Device(id) if id == "tone" => {
                (Box::new(TestTone::new(440.0)), "Test tone (440 Hz)".into())
            }
            Selection::Device(_) => return Err(DeviceError::NotFound { selection: id, direction }),
            Selection::Null => return Err(DeviceError::WrongDirection { selection: id, direction }),
            Selection::System => {
                let reason = "there is no sound system whose sound could be taken".into();
                return Err(DeviceError::Backend { reason });
            }
        };
        let is_default = *selection == Selection::Default;
        Ok(OpenedSource { source, effective: info(&id, &name, direction, is_default) })
    }

    fn open_sink(&self, selection: &Selection) -> Result<OpenedSink, DeviceError> {
        let id = selection.to_string();
        let direction = Direction::Output;
        let (sink, name): (Box<dyn Sink>, String) = match selection {
            Selection::Default => (Box::new(NullSink), "No speaker".into()),
            Selection::Null => (Box::new(NullSink), "Null".into()),
            Selection::File(path) => (Box::new(WavSink::create(path)?), file_name(path)),
            Selection::Device(id) if id == "null" => (Box::new(NullSink), "No speaker".into()),
            Selection::Device(_) => return Err(DeviceError::NotFound { selection: id, direction }),
            Selection::LoopedFile(_) | Selection::Tone { .. } | Selection::Silence | Selection::System => {
                return Err(DeviceError::WrongDirection { selection: id, direction });
            }
        };
        let is_default = *selection == Selection::Default;
        Ok(OpenedSink { sink, effective: info(&id, &name, direction, is_default) })
    }
}

fn info(id: &str, name: &str, direction: Direction, is_default: bool) -> DeviceInfo {
    DeviceInfo { id: id.to_owned(), name: name.to_owned(), direction, is_default }
}

fn file_name(path: &std::path::Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::frame::SILENCE;

    #[test]
    fn the_default_without_hardware_is_silence_and_null() {
        let mut source = Synthetic.open_source(&Selection::Default).unwrap();
        let mut frame = [1.0; 480];
        assert_eq!(source.source.read(&mut frame), Flow::Live);
        assert_eq!(frame, SILENCE);
        assert!(source.effective.is_default);
        let mut sink = Synthetic.open_sink(&Selection::Default).unwrap();
        sink.sink.write(&frame);
        assert_eq!(sink.sink.finish(), Ok(()));
    }

    #[test]
    fn everything_listed_can_be_opened() {
        for device in Synthetic.list().unwrap() {
            let selection = Selection::Device(device.id.clone());
            match device.direction {
                Direction::Input => drop(Synthetic.open_source(&selection).unwrap()),
                Direction::Output => drop(Synthetic.open_sink(&selection).unwrap()),
            }
        }
    }

    #[test]
    fn a_wrong_direction_or_an_unknown_device_is_named() {
        let error = Synthetic.open_sink(&Selection::Tone { hz: 440.0 }).unwrap_err().to_string();
        assert!(error.contains("tone:440") && error.contains("output"), "{error}");
        let error = Synthetic.open_source(&Selection::Device("pulse:x".into())).unwrap_err().to_string();
        assert!(error.contains("device:pulse:x"), "{error}");
        assert!(Synthetic.open_source(&Selection::Null).is_err());
        let error = Synthetic.open_source(&Selection::File("/none/x.wav".into())).unwrap_err().to_string();
        assert!(error.contains("x.wav"), "{error}");
    }
}
