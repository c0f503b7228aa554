//! What a page tells: a list of events that only grows.

use std::{
    cell::{Cell, RefCell},
    time::Duration,
};

use serde_json::{Value, json};

use super::Driver;
use crate::error::{Result, RigError};
use crate::process::until;

/// Read in order: each wait goes on where the last one ended.
#[derive(Debug)]
pub(crate) struct Log {
    /// The list, as the page's script names it.
    list: &'static str,
    events: RefCell<Vec<Value>>,
    passed: Cell<usize>,
}

impl Log {
    pub(crate) fn of(list: &'static str) -> Self {
        Self { list, events: RefCell::default(), passed: Cell::default() }
    }

    /// Waits for the next event that fits, after those of earlier waits.
    pub(crate) fn wait_for(
        &self,
        driver: &Driver,
        what: &str,
        patience: Duration,
        fits: impl Fn(&Value) -> bool,
    ) -> Result<Value> {
        let next = || {
            self.read(driver);
            let events = self.events.borrow();
            while let Some(event) = events.get(self.passed.get()) {
                self.passed.set(self.passed.get() + 1);
                if fits(event) {
                    return Some(event.clone());
                }
            }
            None
        };
        until(what, patience, next).map_err(|error| {
            RigError::new(format!("{error}; the browser told {}", json!(*self.events.borrow())))
        })
    }

    /// Everything that was told so far.
    pub(crate) fn events(&self, driver: &Driver) -> Vec<Value> {
        self.read(driver);
        self.events.borrow().clone()
    }

    fn read(&self, driver: &Driver) {
        let known = self.events.borrow().len();
        let news = driver.script(&format!("return {}.slice(arguments[0])", self.list), &[json!(known)]);
        self.events.borrow_mut().extend(news.as_array().cloned().unwrap_or_default());
    }
}
