//! What the page may ask of the app. They carry; none decides.

use crate::{backend::Backend, files, popout, up::Up};
use serde_json::Value;
use sidetone_api::{Failure, Reply, StreamId};
use std::{path::PathBuf, time::Duration};
use tauri::{
    AppHandle, State, WebviewWindow,
    ipc::{Channel, Response},
};

/// A page that asks for pictures and gets none asks again after this: it may have gone.
const LONGEST_POLL: Duration = Duration::from_secs(20);

/// One of the vocabulary's commands. Taken as plain JSON, so that a malformed one is answered by a `Failure` too.
#[tauri::command]
pub(crate) async fn command(backend: State<'_, Backend>, command: Value) -> Result<Reply, Failure> {
    let command =
        serde_json::from_value(command).map_err(|error| Failure::invalid("command", error.to_string()))?;
    backend.engine().await?.command(command).await
}

/// The state and every event after it, into `channel`. A later call replaces an earlier one of the same window: it has one page.
#[tauri::command]
pub(crate) async fn attach(
    backend: State<'_, Backend>,
    window: WebviewWindow,
    channel: Channel<Up>,
) -> Result<(), Failure> {
    backend.attach(window.label(), channel).await
}

/// The folder of a call's recording, `path` being the history's. A window's matter: a browser may be on a machine of its own.
#[tauri::command]
pub(crate) async fn show_recording(path: PathBuf) -> Result<(), Failure> {
    files::show_recording(path).await
}

/// Shows a stream in a small window of its own.
#[tauri::command]
pub(crate) async fn pop_out(
    app: AppHandle,
    stream_id: StreamId,
    hash: String,
    title: String,
) -> Result<(), Failure> {
    popout::open(&app, &stream_id, &hash, &title)
}

/// Closes the small window whose page asks for it.
#[tauri::command]
pub(crate) async fn close_pop_out(window: WebviewWindow) -> Result<(), Failure> {
    popout::close(&window)
}

/// Where one socket for pictures can be opened, once.
#[tauri::command]
pub(crate) async fn frames(backend: State<'_, Backend>) -> Result<String, Failure> {
    backend.frames().await
}

/// Where that socket cannot be opened: the same over Tauri's own protocol, one frame a question.
#[tauri::command]
pub(crate) async fn open_frames(backend: State<'_, Backend>, window: WebviewWindow) -> Result<(), Failure> {
    backend.open_link(window.label()).await
}

/// What is sent into the socket.
#[tauri::command]
pub(crate) async fn ask_frames(
    backend: State<'_, Backend>,
    window: WebviewWindow,
    request: String,
) -> Result<(), Failure> {
    backend.link(window.label())?.ask(&request).await;
    Ok(())
}

/// What comes out of it next; nothing where that takes long.
#[tauri::command]
pub(crate) async fn next_frame(
    backend: State<'_, Backend>,
    window: WebviewWindow,
) -> Result<Response, Failure> {
    let link = backend.link(window.label())?;
    match tokio::time::timeout(LONGEST_POLL, link.next()).await {
        Ok(Some(next)) => Ok(Response::new(next)),
        Ok(None) => Err(Failure::not_found("link", window.label())),
        Err(_) => Ok(Response::new(Vec::new())),
    }
}

#[tauri::command]
pub(crate) async fn close_frames(backend: State<'_, Backend>, window: WebviewWindow) -> Result<(), Failure> {
    backend.close_link(window.label());
    Ok(())
}
