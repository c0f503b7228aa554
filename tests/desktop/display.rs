use crate::picture;
use sidetone_testkit::{Process, until};
use std::{path::Path, process::Command, time::Duration};

/// A screen that nobody sees.
pub(crate) struct Display {
    name: String,
    _process: Process,
}

impl Display {
    pub(crate) fn start(dir: &Path) -> Self {
        let mut xvfb = Command::new("Xvfb");
        // It chooses a free number and says which.
        xvfb.args(["-displayfd", "1", "-screen", "0", "1280x800x24", "-nolisten", "tcp"]);
        let process = Process::spawn("xvfb", &mut xvfb, dir).unwrap();
        let number = until("the display", Duration::from_secs(20), || {
            process.stdout().strip_suffix('\n').map(str::to_owned).filter(|number| !number.is_empty())
        });
        Self { name: format!(":{}", number.unwrap()), _process: process }
    }

    /// For `DISPLAY`.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A picture of the app's window.
    pub(crate) fn picture(&self, name: &str) {
        let file = picture(name);
        let mut import = Command::new("import");
        import.args(["-display", &self.name, "-window", "root", "-trim", "+repage"]).arg(&file);
        let status = import.status().unwrap();
        assert!(status.success(), "import: {status}");
    }
}
