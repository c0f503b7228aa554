//! A screen that nobody sees.

use crate::error::{Result, RigError};
use crate::process::{Process, until};
use std::{
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// An X server of its own, without a window manager.
#[derive(Debug)]
pub struct Display {
    name: String,
    memory: PathBuf,
    process: Process,
}

impl Display {
    /// The programs that it needs.
    pub const TOOLS: [&'static str; 3] = ["Xvfb", "import", "xwininfo"];

    /// A screen of this width and height.
    pub fn start(dir: &Path, width: u32, height: u32) -> Result<Self> {
        let mut xvfb = Command::new("Xvfb");
        // It chooses a free number and says which.
        xvfb.args(["-displayfd", "1", "-nolisten", "tcp", "-screen", "0", &format!("{width}x{height}x24")]);
        xvfb.arg("-fbdir").arg(dir);
        let process = Process::spawn("xvfb", &mut xvfb, dir)?;
        let number = until("the display", Duration::from_secs(20), || {
            process.stdout().strip_suffix('\n').map(str::to_owned).filter(|number| !number.is_empty())
        })?;
        Ok(Self { name: format!(":{number}"), memory: dir.join("Xvfb_screen0"), process })
    }

    /// For `DISPLAY`.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The file that is its memory, in the layout of X's window dumps (`XWDFile.h`): what is drawn is there at once.
    pub fn memory(&self) -> &Path {
        &self.memory
    }

    /// For measurements of what drawing costs.
    pub fn process(&self) -> u32 {
        self.process.id()
    }

    /// What the window with this title shows, red, green and blue of each pixel; `None` where there is no such window.
    pub fn window(&self, title: &str, dir: &Path) -> Option<Vec<u8>> {
        let file = dir.join("window.rgb");
        // Where no window has the title, `import` would stop the whole screen and wait for a user who points at one.
        let window = self.window_id(title)?;
        let mut import = Command::new("import");
        import.args(["-display", &self.name, "-silent", "-window", &window, "-depth", "8"]).arg(&file);
        import.output().ok().filter(|output| output.status.success())?;
        std::fs::read(file).ok()
    }

    fn window_id(&self, title: &str) -> Option<String> {
        let mut xwininfo = Command::new("xwininfo");
        xwininfo.args(["-display", &self.name, "-name", title, "-int"]);
        let told = xwininfo.output().ok().filter(|output| output.status.success())?;
        let told = String::from_utf8_lossy(&told.stdout).into_owned();
        let id = told.split_once("Window id: ")?.1.split_whitespace().next()?;
        Some(id.to_owned())
    }

    /// A picture of what is on it, without an empty margin.
    pub fn picture(&self, file: &Path) -> Result<()> {
        let mut import = Command::new("import");
        import.args(["-display", &self.name, "-window", "root", "-trim", "+repage"]).arg(file);
        let status = import.status().map_err(|error| RigError::while_doing("import", error))?;
        if status.success() { Ok(()) } else { Err(RigError::new(format!("import: {status}"))) }
    }
}
