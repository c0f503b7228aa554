use serde_json::{Value, json};
use sidetone_testkit::browser::{Driver, ENTER};
use sidetone_testkit::until;
use std::time::Duration;

/// Longest wait for anything that a user would see at once.
const SOON: Duration = Duration::from_secs(20);

/// The UI by its `data-testid`s.
pub(crate) struct Page<'a> {
    pub(crate) driver: &'a Driver,
}

impl Page<'_> {
    pub(crate) fn is_shown(&self, id: &str) -> bool {
        let script = "const all = [...document.querySelectorAll(arguments[0])];
            return all.some((one) => one.checkVisibility())";
        self.driver.script(script, &[selector(id)]) == json!(true)
    }

    /// The text of the first one; empty where there is none.
    pub(crate) fn text(&self, id: &str) -> String {
        self.string("return document.querySelector(arguments[0])?.innerText ?? ''", &[selector(id)])
    }

    /// The contract's word behind a status.
    pub(crate) fn status(&self, id: &str) -> String {
        self.string("return document.querySelector(arguments[0])?.dataset.status ?? ''", &[selector(id)])
    }

    /// What a meter shows, dB.
    pub(crate) fn meter(&self, id: &str) -> f64 {
        let script =
            "return Number(document.querySelector(arguments[0])?.getAttribute('aria-valuenow') ?? NaN)";
        self.driver.script(script, &[selector(id)]).as_f64().unwrap_or(f64::NAN)
    }

    pub(crate) fn click(&self, id: &str) {
        self.wait_for(id);
        self.driver.click(&css(id));
    }

    /// As the tabulator does, at once.
    pub(crate) fn focus(&self, id: &str) {
        self.wait_for(id);
        self.driver.script("document.querySelector(arguments[0]).focus()", &[selector(id)]);
    }

    /// Puts the focus into the dial field, types, presses Enter.
    pub(crate) fn dial(&self, callee: &str) {
        self.click("dial-field");
        self.driver.type_keys(callee);
        self.driver.type_keys(ENTER);
        let empty = "return document.querySelector(arguments[0]).value === ''";
        let field = [selector("dial-field")];
        self.wait("the dial field is free again", || self.driver.script(empty, &field) == json!(true));
    }

    /// Waits until what the page says now is drawn.
    pub(crate) fn settle(&self) {
        let drawn = "const done = arguments[0];
            requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 250)))";
        self.driver.post("/execute/async", &json!({ "script": drawn, "args": [] }));
    }

    /// Chooses an option as a user's change does.
    pub(crate) fn choose(&self, id: &str, value: &str) {
        self.wait_for(id);
        let script = "const field = document.querySelector(arguments[0]);
            field.value = arguments[1];
            field.dispatchEvent(new Event('change', { bubbles: true }))";
        self.driver.script(script, &[selector(id), json!(value)]);
    }

    /// Whether text is lighter than what is behind it.
    pub(crate) fn is_dark(&self) -> bool {
        let script = "const light = (colour) => colour.match(/[\\d.]+/g).slice(0, 3).reduce((sum, part) => sum + +part, 0);
            const style = getComputedStyle(document.body);
            return light(style.color) > light(style.backgroundColor)";
        self.driver.script(script, &[]) == json!(true)
    }

    pub(crate) fn wait_for(&self, id: &str) {
        self.wait(&format!("{id} is shown"), || self.is_shown(id));
    }

    pub(crate) fn wait_for_status(&self, id: &str, status: &str) {
        self.wait(&format!("{id} is {status}"), || self.status(id) == status);
    }

    /// # Panics
    /// With the whole page's text where it does not come true.
    pub(crate) fn wait(&self, what: &str, mut check: impl FnMut() -> bool) {
        if let Err(error) = until(what, SOON, || check().then_some(())) {
            panic!("{error}\n--- page\n{}", self.string("return document.body.innerText", &[]));
        }
    }

    fn string(&self, script: &str, arguments: &[Value]) -> String {
        self.driver.script(script, arguments).as_str().unwrap_or_default().to_owned()
    }
}

fn css(id: &str) -> String {
    format!("[data-testid=\"{id}\"]")
}

fn selector(id: &str) -> Value {
    json!(css(id))
}
