use sidetone_media::{DeviceError, Direction, VideoInfo, VideoKind, VideoSelection};
use xcap::{Monitor, Window, XCapError};

use crate::names::Names;

/// Windows that are listed at most.
const MOST_WINDOWS: usize = 200;
/// Smaller ones are parts of the desktop that nobody wants to show.
const SMALLEST_WINDOW: u32 = 32;

pub(super) struct Entry {
    /// The name that the system gives it, numbered where two have the same.
    pub(super) id: String,
    pub(super) name: String,
    pub(super) monitor: Monitor,
    is_main: bool,
}

pub(super) fn failed(error: &XCapError) -> DeviceError {
    DeviceError::Backend { reason: format!("screen: {error}") }
}

fn screens() -> Result<Vec<Entry>, DeviceError> {
    let mut names = Names::default();
    let entry = |monitor: Monitor| {
        let name = monitor.name().unwrap_or_default();
        let id = names.unique(&name);
        let is_main = monitor.is_primary().unwrap_or(false);
        let name = match (monitor.width(), monitor.height()) {
            (Ok(width), Ok(height)) => format!("{id} ({width}x{height})"),
            _ => id.clone(),
        };
        Entry { id, name, monitor, is_main }
    };
    let mut screens: Vec<Entry> =
        Monitor::all().map_err(|error| failed(&error))?.into_iter().map(entry).collect();
    screens.sort_by_key(|entry| !entry.is_main);
    Ok(screens)
}

/// The screen of this id, the main one where it is empty.
pub(super) fn screen(id: &str) -> Result<Entry, DeviceError> {
    let mut found = screens()?.into_iter();
    let entry = if id.is_empty() { found.next() } else { found.find(|entry| entry.id == id) };
    entry.ok_or_else(|| match id {
        "" => DeviceError::Backend { reason: "screen: none is there".into() },
        id => DeviceError::NotFound { selection: format!("screen:{id}"), direction: Direction::Input },
    })
}

/// The window of this id and its name.
pub(super) fn window(id: &str) -> Result<(Window, String), DeviceError> {
    let is_it = |window: &Window| window.id().is_ok_and(|its| its.to_string() == id);
    let found = Window::all().map_err(|error| failed(&error))?.into_iter().find(is_it);
    let window = found.ok_or_else(|| DeviceError::NotFound {
        selection: format!("window:{id} (it was closed, or is of another session)"),
        direction: Direction::Input,
    })?;
    let name = title(&window).unwrap_or_else(|| format!("window {id}"));
    Ok((window, name))
}

/// What a window is called; `None` for what is not for users.
fn title(window: &Window) -> Option<String> {
    let is_large = |side: Result<u32, XCapError>| side.is_ok_and(|side| side >= SMALLEST_WINDOW);
    if !is_large(window.width()) || !is_large(window.height()) {
        return None;
    }
    let text = |text: Result<String, XCapError>| text.ok().filter(|text| !text.trim().is_empty());
    let name = match (text(window.title()), text(window.app_name())) {
        (Some(title), Some(app)) if title != app => format!("{title} ({app})"),
        (Some(name), _) | (None, Some(name)) => name,
        (None, None) => return None,
    };
    Some(Names::default().unique(&name))
}

pub(super) fn list() -> Result<Vec<VideoInfo>, DeviceError> {
    let screen = |entry: Entry| VideoInfo {
        selection: VideoSelection::Screen(entry.id),
        name: entry.name,
        kind: VideoKind::Screen,
    };
    let mut infos: Vec<VideoInfo> = screens()?.into_iter().map(screen).collect();
    // Without a window manager there is no list of windows, which is no reason to hide the screens.
    let windows = Window::all().inspect_err(|error| tracing::debug!("no list of windows: {error}"));
    infos.extend(windows.unwrap_or_default().iter().take(MOST_WINDOWS).filter_map(|window| {
        Some(VideoInfo {
            selection: VideoSelection::Window(window.id().ok()?.to_string()),
            name: title(window)?,
            kind: VideoKind::Window,
        })
    }));
    Ok(infos)
}
