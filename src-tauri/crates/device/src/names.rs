//! Names as ids.

use std::collections::HashMap;

/// Longest name that is kept, in characters.
const LONGEST: usize = 120;

/// Makes names that tell one thing from another.
#[derive(Debug, Default)]
pub(crate) struct Names(HashMap<String, u32>);

impl Names {
    /// `name` without what cannot be shown, and numbered from the second of its kind on.
    pub(crate) fn unique(&mut self, name: &str) -> String {
        let plain: String = name.trim().chars().filter(|c| !c.is_control()).take(LONGEST).collect();
        let plain = if plain.is_empty() { "unnamed".to_owned() } else { plain };
        let count = self.0.entry(plain.clone()).or_insert(0);
        *count += 1;
        if *count == 1 { plain } else { format!("{plain} #{count}") }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_told_apart_and_can_be_shown() {
        let mut names = Names::default();
        let given: Vec<String> =
            ["Cam", "Cam", " Cam\0\n ", "", "Other"].map(|name| names.unique(name)).into();
        assert_eq!(given, ["Cam", "Cam #2", "Cam #3", "unnamed", "Other"]);
        assert!(names.unique(&"é".repeat(1_000)).chars().count() <= LONGEST);
    }
}
