//! The UI's bindings, generated from the types.

use crate::{Command, Envelope, Failure, Reply};
use std::{any::TypeId, collections::BTreeMap, collections::HashSet, fmt::Write};
use ts_rs::{Config, TS, TypeVisitor};

/// The text of `ui/src/api/types.ts`: one file, types in alphabetical order.
pub fn bindings() -> String {
    let mut types = Declarations { config: Config::default(), seen: HashSet::new(), text: BTreeMap::new() };
    types.visit::<Command>();
    types.visit::<Reply>();
    types.visit::<Failure>();
    types.visit::<Envelope>();
    let mut out = String::from(
        "// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.\n/* eslint-disable */\n",
    );
    for (docs, declaration) in types.text.values() {
        let _ = write!(out, "\n{docs}export {declaration}\n");
    }
    out
}

struct Declarations {
    config: Config,
    seen: HashSet<TypeId>,
    text: BTreeMap<String, (String, String)>,
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        if T::output_path().is_some() {
            let docs = T::docs().unwrap_or_default();
            self.text.insert(T::ident(&self.config), (docs, T::decl(&self.config)));
        }
        T::visit_generics(self);
        T::visit_dependencies(self);
    }
}
