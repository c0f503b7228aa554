use std::fmt;

use super::HeaderName;

/// The header fields of a message in their order.
///
/// A value is one unfolded line. A value that code sets cannot break out of its line: line ends in it become
/// spaces, white space at its ends goes.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(HeaderName, String)>);

impl Headers {
    pub fn new() -> Self {
        Self::default()
    }

    /// The value of the first field of that name.
    pub fn get(&self, name: &HeaderName) -> Option<&str> {
        self.get_all(name).next()
    }

    /// The values of all fields of that name; a value may itself be a comma-separated list.
    pub fn get_all(&self, name: &HeaderName) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    pub fn has(&self, name: &HeaderName) -> bool {
        self.get(name).is_some()
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn iter(&self) -> impl Iterator<Item = (&HeaderName, &str)> {
        self.0.iter().map(|(name, value)| (name, value.as_str()))
    }

    /// Appends a field.
    pub fn push(&mut self, name: impl Into<HeaderName>, value: impl fmt::Display) {
        self.0.push((name.into(), one_line(value.to_string())));
    }

    /// Puts a field before all others, as a Via or a Record-Route is.
    pub fn push_front(&mut self, name: impl Into<HeaderName>, value: impl fmt::Display) {
        self.0.insert(0, (name.into(), one_line(value.to_string())));
    }

    /// Replaces all fields of that name by one, at the place of the first.
    pub fn set(&mut self, name: impl Into<HeaderName>, value: impl fmt::Display) {
        let name = name.into();
        let value = one_line(value.to_string());
        match self.0.iter().position(|(known, _)| *known == name) {
            Some(first) => {
                let mut index = 0;
                self.0.retain(|(known, _)| {
                    index += 1;
                    index - 1 <= first || *known != name
                });
                if let Some(entry) = self.0.get_mut(first) {
                    entry.1 = value;
                }
            }
            None => self.0.push((name, value)),
        }
    }

    /// Removes all fields of that name; whether there was one.
    pub fn remove(&mut self, name: &HeaderName) -> bool {
        let before = self.0.len();
        self.0.retain(|(known, _)| known != name);
        self.0.len() != before
    }

    /// Replaces the first (topmost) element of a list header such as Via or Route, wherever the list is split into
    /// fields; nothing happens if there is none.
    pub fn replace_first_element(&mut self, name: &HeaderName, element: impl fmt::Display) {
        let Some((_, value)) = self.0.iter_mut().find(|(known, _)| known == name) else { return };
        let rest = super::list::split("list", value).ok().and_then(|parts| {
            let first = parts.first()?;
            let end = first.as_ptr() as usize - value.as_ptr() as usize + first.len();
            value.get(end..).map(str::to_owned)
        });
        *value = one_line(format!("{element}{}", rest.unwrap_or_default()));
    }

    /// Takes the first element of a list header away.
    pub fn remove_first_element(&mut self, name: &HeaderName) {
        let Some(at) = self.0.iter().position(|(known, _)| known == name) else { return };
        let Some((_, value)) = self.0.get_mut(at) else { return };
        let parts = super::list::split("list", value).unwrap_or_default();
        if parts.len() < 2 {
            self.0.remove(at);
        } else {
            *value = parts[1..].join(", ");
        }
    }

    /// Appends a field that was read from the wire and is one line already.
    pub(crate) fn push_parsed(&mut self, name: HeaderName, value: String) {
        self.0.push((name, value));
    }
}

fn one_line(value: String) -> String {
    let value = if value.contains(['\r', '\n']) { value.replace(['\r', '\n'], " ") } else { value };
    match value.trim_matches([' ', '\t']) {
        trimmed if trimmed.len() == value.len() => value,
        trimmed => trimmed.to_owned(),
    }
}

impl<N: Into<HeaderName>, V: fmt::Display> FromIterator<(N, V)> for Headers {
    fn from_iter<I: IntoIterator<Item = (N, V)>>(fields: I) -> Self {
        let mut headers = Headers::new();
        fields.into_iter().for_each(|(name, value)| headers.push(name, value));
        headers
    }
}

impl fmt::Debug for Headers {
    /// Credentials are left out.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let secret = [HeaderName::AUTHORIZATION, HeaderName::PROXY_AUTHORIZATION];
        let shown =
            self.0.iter().map(|(name, value)| (name, if secret.contains(name) { "***" } else { value }));
        f.debug_map().entries(shown).finish()
    }
}
