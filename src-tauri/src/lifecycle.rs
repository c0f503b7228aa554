//! When the window shows, and how the app ends: first hang up and unregister, within a bound, then go.

use crate::backend::Backend;
use std::time::Duration;
use tauri::{AppHandle, Manager, RunEvent, Webview, Window, WindowEvent, async_runtime, webview};

/// The window of `tauri.conf.json`.
pub(crate) const MAIN: &str = "main";
/// The far ends and registrars have this long to answer.
const GOODBYE: Duration = Duration::from_secs(4);

/// The window is hidden until its page is there, so that no blank one flashes up.
pub(crate) fn show_when_loaded(webview: &Webview, load: &webview::PageLoadPayload<'_>) {
    if load.event() == webview::PageLoadEvent::Finished {
        let _ = webview.window().show();
    }
}

/// The window goes at once, with the small ones; the app follows when all calls have ended.
pub(crate) fn end_when_closed(window: &Window, event: &WindowEvent) {
    match event {
        WindowEvent::CloseRequested { api, .. } if window.label() == MAIN => {
            api.prevent_close();
            for window in window.app_handle().webview_windows().values() {
                let _ = window.hide();
            }
            let app = window.app_handle().clone();
            async_runtime::spawn(end(app));
        }
        WindowEvent::Destroyed => {
            if let Some(backend) = window.app_handle().try_state::<Backend>() {
                backend.detach(window.label());
            }
        }
        _ => {}
    }
}

/// A system that stops the program gets the same farewell as a user who closes the window.
pub(crate) fn end_on_signal(app: &AppHandle) {
    let app = app.clone();
    async_runtime::spawn(async move {
        asked_to_stop().await;
        end(app).await;
    });
}

/// Whatever ended the event loop: nothing stays registered.
pub(crate) fn end_before_exit(app: &AppHandle, event: RunEvent) {
    if matches!(event, RunEvent::Exit) {
        async_runtime::block_on(farewell(app));
    }
}

async fn end(app: AppHandle) {
    farewell(&app).await;
    app.exit(0);
}

async fn farewell(app: &AppHandle) {
    let Some(backend) = app.try_state::<Backend>() else { return };
    if tokio::time::timeout(GOODBYE, backend.shut_down()).await.is_err() {
        tracing::warn!("the engine did not close within {} s", GOODBYE.as_secs());
    }
}

#[cfg(unix)]
async fn asked_to_stop() {
    use tokio::signal::unix::{Signal, SignalKind, signal};
    async fn wait(signal: Option<Signal>) {
        match signal {
            Some(mut signal) => drop(signal.recv().await),
            None => std::future::pending().await,
        }
    }
    let listen = |kind| signal(kind).ok();
    tokio::select! {
        () = wait(listen(SignalKind::interrupt())) => {}
        () = wait(listen(SignalKind::terminate())) => {}
        () = wait(listen(SignalKind::hangup())) => {}
    }
}

#[cfg(not(unix))]
async fn asked_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}
