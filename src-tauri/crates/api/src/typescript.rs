//! The UI's bindings, generated from the types.

use crate::{Command, Envelope, Failure, Reply};
use std::{
    any::{TypeId, type_name},
    collections::{BTreeMap, BTreeSet, HashSet},
    fmt::Write,
};
use ts_rs::{Config, TS, TypeVisitor};

const HEAD: &str = "// Generated from the engine's vocabulary by `cargo xtask bindings`. Do not edit.\n/* eslint-disable */\n";

/// The files of `ui/src/api` by their names: one for each module of this crate that has types, in alphabetical order,
/// and `types.ts`, which has all of them.
pub fn bindings() -> BTreeMap<String, String> {
    let mut types = Declarations { config: Config::default(), seen: HashSet::new(), types: BTreeMap::new() };
    types.visit::<Command>();
    types.visit::<Reply>();
    types.visit::<Failure>();
    types.visit::<Envelope>();
    let modules: BTreeSet<&str> = types.types.values().map(|it| it.module).collect();
    let mut files: BTreeMap<String, String> =
        modules.iter().map(|module| (format!("{module}.ts"), types.file(module))).collect();
    let all = modules.iter().fold(HEAD.to_owned() + "\n", |mut all, module| {
        let _ = writeln!(all, "export type * from \"./{module}\";");
        all
    });
    files.insert("types.ts".into(), all);
    files
}

struct Declaration {
    module: &'static str,
    text: String,
    /// Names of the types in it.
    uses: BTreeSet<String>,
}

struct Declarations {
    config: Config,
    seen: HashSet<TypeId>,
    /// By their names.
    types: BTreeMap<String, Declaration>,
}

impl Declarations {
    fn file(&self, module: &str) -> String {
        let own = || self.types.values().filter(|it| it.module == module);
        let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for name in own().flat_map(|it| &it.uses) {
            if let Some(other) = self.types.get(name).filter(|other| other.module != module) {
                imports.entry(other.module).or_default().insert(name);
            }
        }
        let mut out = HEAD.to_owned();
        if !imports.is_empty() {
            out.push('\n');
        }
        for (from, names) in imports {
            let names: Vec<&str> = names.into_iter().collect();
            let _ = writeln!(out, "import type {{ {} }} from \"./{from}\";", names.join(", "));
        }
        for declaration in own() {
            let _ = write!(out, "\n{}", declaration.text);
        }
        out
    }
}

impl TypeVisitor for Declarations {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if !self.seen.insert(TypeId::of::<T>()) {
            return;
        }
        if T::output_path().is_some() {
            let text = format!("{}export {}\n", T::docs().unwrap_or_default(), T::decl(&self.config));
            let mut uses = Uses { config: &self.config, names: BTreeSet::new() };
            T::visit_dependencies(&mut uses);
            let declaration = Declaration { module: module::<T>(), text, uses: uses.names };
            self.types.insert(T::ident(&self.config), declaration);
        }
        T::visit_generics(self);
        T::visit_dependencies(self);
    }
}

/// The types that one names.
struct Uses<'a> {
    config: &'a Config,
    names: BTreeSet<String>,
}

impl TypeVisitor for Uses<'_> {
    fn visit<T: TS + 'static + ?Sized>(&mut self) {
        if T::output_path().is_some() {
            self.names.insert(T::ident(self.config));
        }
        T::visit_generics(self);
    }
}

/// `account` of `sidetone_api::account::Account`.
fn module<T: ?Sized>() -> &'static str {
    let path = type_name::<T>().split('<').next().unwrap_or_default();
    path.rsplit("::").nth(1).unwrap_or("types")
}
