//! The example pages of the SDK's package, as they are.

use std::path::Path;
use std::time::Duration;

use serde_json::{Value, json};

use super::{ARGUMENTS, ERRORS, package};
use crate::browser::{Driver, Pages};
use crate::error::{Result, RigError};
use crate::process::until;

const DEMO: &str = "examples/demo";

/// A browser for the example pages.
#[derive(Debug)]
pub struct SdkExamples {
    driver: Driver,
    pages: Pages,
}

impl SdkExamples {
    /// Starts the browser in a directory of its own below `dir`. Its camera and microphone are made up.
    pub fn start(dir: &Path) -> Result<Self> {
        let own = dir.join("examples");
        std::fs::create_dir_all(&own)?;
        if !package().join(DEMO).is_dir() {
            return Err(RigError::new("the Web SDK is not installed: run `npm ci` in ui"));
        }
        let driver = Driver::of_chromium(&own, &ARGUMENTS.map(String::from))?;
        driver.before_each_page(ERRORS);
        Ok(Self { driver, pages: Pages::of_folder(package())? })
    }

    /// Opens a page below the folder of the examples, and waits for an element that it makes at the end of its loading to say
    /// something.
    pub fn open(&self, page: &str, server_field: &str) {
        let url = format!("{}{DEMO}/{page}", self.pages.url());
        until("an example page", Duration::from_secs(30), || {
            self.driver.go_to(&url);
            let filled = || self.value(server_field).filter(|value| !value.is_empty());
            until("its server", Duration::from_secs(10), filled).ok()
        })
        .unwrap_or_else(|error| panic!("{page}: {error}"));
    }

    /// Writes into a field.
    pub fn fill(&self, field: &str, text: &str) {
        self.driver.script(
            "document.querySelector(arguments[0]).value = arguments[1]",
            &[json!(field), json!(text)],
        );
    }

    /// Clicks a button as soon as it can be clicked.
    pub fn press(&self, button: &str, patience: Duration) -> Result<()> {
        let script = "const button = document.querySelector(arguments[0])
            if (!button || button.disabled) return false
            button.click()
            return true";
        until(button, patience, || {
            (self.driver.script(script, &[json!(button)]) == json!(true)).then_some(())
        })
    }

    /// Waits until an element says this.
    pub fn says(&self, element: &str, text: &str, patience: Duration) -> Result<()> {
        let script = "return document.querySelector(arguments[0])?.textContent ?? ''";
        let said = || self.driver.script(script, &[json!(element)]);
        until(element, patience, || (said().as_str()?.trim() == text).then_some(()))
            .map_err(|error| RigError::new(format!("{error}: {text:?} is wanted, and it says {}", said())))
    }

    /// A script in the page.
    pub fn ask(&self, script: &str) -> Value {
        self.driver.script(script, &[])
    }

    /// Exceptions and rejections of this page that nobody handled.
    pub fn errors(&self) -> Vec<String> {
        let errors = self.driver.script("return errors", &[]);
        errors.as_array().into_iter().flatten().filter_map(Value::as_str).map(String::from).collect()
    }

    /// A picture of the page.
    pub fn screenshot(&self, file: &Path) -> Result<()> {
        self.driver.screenshot(file)
    }

    fn value(&self, field: &str) -> Option<String> {
        let script = "return document.querySelector(arguments[0])?.value ?? ''";
        self.driver.script(script, &[json!(field)]).as_str().map(str::to_owned)
    }
}
