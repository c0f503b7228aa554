//! The shell: one window around the engine. The only code that knows Tauri.
//!
//! It starts the engine and the embedded gateway, carries the page's commands down and the engine's events up, and ends
//! calls and registrations before it goes. Everything else is in the crates below `src-tauri/crates`.

mod arguments;
mod backend;
mod commands;
mod display;
mod files;
mod lifecycle;
mod log;
mod pages;
mod popout;
mod up;

use arguments::Start;
use backend::Backend;
use std::process::ExitCode;

/// Runs the app until its window is closed.
pub fn run() -> ExitCode {
    match arguments::parse(std::env::args().skip(1)) {
        Start::Window => open(),
        Start::Print(text) => log::say(&text, ExitCode::SUCCESS),
        Start::Refuse(text) => log::say(&text, ExitCode::from(2)),
    }
}

fn open() -> ExitCode {
    display::prepare();
    log::start();
    if let Err(reason) = display::check() {
        return log::say(&reason, ExitCode::FAILURE);
    }
    let app = tauri::Builder::default()
        .invoke_handler(tauri::generate_handler![
            commands::command,
            commands::attach,
            commands::frames,
            commands::open_frames,
            commands::ask_frames,
            commands::next_frame,
            commands::close_frames,
            commands::pop_out,
            commands::close_pop_out,
            commands::show_recording
        ])
        .on_page_load(lifecycle::show_when_loaded)
        .on_window_event(lifecycle::end_when_closed)
        .setup(|app| {
            Backend::start(app.handle());
            lifecycle::end_on_signal(app.handle());
            Ok(())
        })
        .build(tauri::generate_context!());
    match app {
        Ok(app) => {
            app.run(lifecycle::end_before_exit);
            ExitCode::SUCCESS
        }
        Err(error) => log::say(&format!("the window cannot be opened: {error}"), ExitCode::FAILURE),
    }
}
