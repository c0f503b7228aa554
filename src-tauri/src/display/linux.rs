use std::{env, path::Path};

const RENDERER: &str = "WEBKIT_DISABLE_DMABUF_RENDERER";

/// WebKitGTK's default renderer draws through the GPU; where there is none it costs twice the processor time of the software
/// one. Must be the first thing that the program does.
pub(crate) fn prepare() {
    if env::var_os(RENDERER).is_none() && !Path::new("/dev/dri").exists() {
        // SAFETY: called first of all, while this thread is the only one, so nobody reads the environment meanwhile.
        #[allow(unsafe_code)]
        unsafe {
            env::set_var(RENDERER, "1");
        }
    }
}

/// # Errors
/// Why no window can open here, and what to do instead.
pub(crate) fn check() -> Result<(), String> {
    gtk::init().map_err(|_| {
        let named = ["WAYLAND_DISPLAY", "DISPLAY"]
            .iter()
            .filter_map(|name| {
                env::var(name).ok().filter(|value| !value.is_empty()).map(|value| format!("{name}={value}"))
            })
            .collect::<Vec<_>>();
        let reason = if named.is_empty() {
            "neither WAYLAND_DISPLAY nor DISPLAY is set".to_owned()
        } else {
            format!("{} does not answer", named.join(" "))
        };
        format!("there is no display: {reason}. `sidetone-cli gateway` serves the same pages to a browser.")
    })
}
