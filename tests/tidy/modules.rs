//! The modules of the crates of the product, and what each needs, read from their text.

use std::collections::{BTreeMap, BTreeSet};

use crate::source::File;

/// Of the names of a path: `["observe", "nodes"]` for `observe/nodes.rs`, none for the root of a crate.
pub(crate) type Path = Vec<String>;

/// What the modules of one crate need, by module.
pub(crate) type Needs = BTreeMap<Path, BTreeSet<Path>>;

/// Returns what the modules of each crate need.
pub(crate) fn crates(files: &[File]) -> BTreeMap<String, Needs> {
    let texts = texts(files).into_iter();
    texts
        .map(|(name, modules)| (name, needs(&modules)))
        .collect()
}

/// Returns the code of the modules of each crate; the name of a crate is its directory.
pub(crate) fn texts(files: &[File]) -> BTreeMap<String, BTreeMap<Path, String>> {
    let mut texts: BTreeMap<String, BTreeMap<Path, String>> = BTreeMap::new();
    for file in files.iter().filter(|file| file.is_rust()) {
        let Some((name, path)) = file.path.split_once("/src/") else {
            continue;
        };
        if !name.starts_with("tools/") && !name.starts_with("shared/") {
            continue;
        }
        // Tests may look at everything.
        if path.ends_with("tests.rs") {
            continue;
        }
        let mut module: Path = path
            .trim_end_matches(".rs")
            .split('/')
            .map(str::to_owned)
            .collect();
        if module.last().is_some_and(|last| last == "mod") || path == "main.rs" || path == "lib.rs"
        {
            module.pop();
        }
        let code: Vec<&str> = file.code().map(|(_, line)| line).collect();
        let modules = texts.entry(name.to_owned()).or_default();
        modules.insert(module, code.join("\n"));
    }
    texts
}

fn needs(modules: &BTreeMap<Path, String>) -> Needs {
    let mut exports: BTreeMap<(Path, String), Path> = BTreeMap::new();
    for (module, code) in modules {
        for path in uses(code, true) {
            if let (Some(name), Some(path)) = (path.last(), absolute(modules, module, &path)) {
                exports.insert((module.clone(), name.clone()), path);
            }
        }
    }
    let mut needs = Needs::new();
    for (module, code) in modules {
        let named = uses(code, false).into_iter().chain(inline(code));
        let needed = named
            .filter_map(|path| absolute(modules, module, &path))
            .map(|path| home(modules, &exports, path));
        needs.insert(module.clone(), needed.collect());
    }
    needs
}

/// Returns a path from the root of the crate; none for one that leads into another crate.
pub(crate) fn absolute(
    modules: &BTreeMap<Path, String>,
    module: &Path,
    path: &[String],
) -> Option<Path> {
    let mut base = module.clone();
    let mut rest = path;
    match path.first()?.as_str() {
        "crate" => {
            base.clear();
            rest = &path[1..];
        }
        "self" => rest = &path[1..],
        "super" => {
            while let Some(("super", after)) = rest.split_first().map(|(a, b)| (a.as_str(), b)) {
                base.pop();
                rest = after;
            }
        }
        first => {
            let child = [base.as_slice(), &[first.to_owned()]].concat();
            modules.get(&child)?;
        }
    }
    base.extend_from_slice(rest);
    Some(base)
}

/// Returns the module that a path leads to, through what modules hand on by `pub use`.
fn home(
    modules: &BTreeMap<Path, String>,
    exports: &BTreeMap<(Path, String), Path>,
    mut path: Path,
) -> Path {
    // More hops than anybody writes; `pub use` in a ring would go on for ever.
    for _ in 0..8 {
        let n_module = (0..=path.len())
            .rev()
            .find(|n| modules.contains_key(&path[..*n]) || *n == 0)
            .unwrap_or_default();
        let module = path[..n_module].to_vec();
        let handed_on = path
            .get(n_module)
            .and_then(|name| exports.get(&(module.clone(), name.clone())));
        match handed_on {
            Some(to) => path = [to.as_slice(), &path[n_module + 1..]].concat(),
            None => return module,
        }
    }
    Path::new()
}

/// Returns the paths of `use`, each on its own; those of `pub use` only if asked for.
pub(crate) fn uses(code: &str, only_public: bool) -> Vec<Path> {
    let mut found = Vec::new();
    for statement in code.split(';') {
        let Some((before, tree)) = statement.rsplit_once("use ") else {
            continue;
        };
        let visibility = before.rsplit('\n').next().unwrap_or_default().trim();
        let is_public = visibility.starts_with("pub");
        if is_public || visibility.is_empty() && !only_public {
            expand(&[], tree, &mut found);
        }
    }
    found
}

/// Takes `a::{b, c::d}` apart.
fn expand(prefix: &[String], tree: &str, found: &mut Vec<Path>) {
    let (mut depth, mut start) = (0, 0);
    let mut parts = Vec::new();
    for (at, letter) in tree.char_indices() {
        match letter {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&tree[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&tree[start..]);
    for part in parts.iter().map(|part| part.trim()) {
        let (head, inner) = match part.split_once('{') {
            Some((head, inner)) => (head, inner.strip_suffix('}')),
            None => (part.split(" as ").next().unwrap_or_default(), None),
        };
        let names = head
            .split("::")
            .map(str::trim)
            .filter(|name| !name.is_empty());
        let mut path = prefix.to_vec();
        path.extend(names.map(str::to_owned));
        match inner {
            Some(inner) => expand(&path, inner, found),
            None if part.is_empty() => {}
            None => found.push(path),
        }
    }
}

/// Returns the paths that begin with `crate::` or `super::`, wherever they stand.
pub(crate) fn inline(code: &str) -> Vec<Path> {
    let mut found = Vec::new();
    for root in ["crate::", "super::"] {
        for (at, _) in code.match_indices(root) {
            let is_part = |c: char| c.is_alphanumeric() || c == '_' || c == ':';
            if code[..at].ends_with(is_part) {
                continue;
            }
            let path: String = code[at..].chars().take_while(|c| is_part(*c)).collect();
            let names = path.split("::").filter(|name| !name.is_empty());
            found.push(names.map(str::to_owned).collect());
        }
    }
    found
}
