//! Which module of a crate needs which: side by side, none may need itself through others, at any level. A part may use
//! what holds it, as Rust's own modules do.

use std::collections::{BTreeMap, BTreeSet};

use crate::modules::{Path, absolute, crates, inline, texts, uses};
use crate::rules::Rule;
use crate::source::{File, JOBS};

pub(crate) const STRUCTURE: [Rule; 4] = [
    ("modules_form_no_circle", modules_form_no_circle),
    ("nothing_calls_main", nothing_calls_main),
    ("the_model_is_the_ground", the_model_is_the_ground),
    ("observing_writes_no_record", observing_writes_no_record),
];

/// Above the model: what it must not know.
const ABOVE_MODEL: [&str; 9] = [
    "apply",
    "arguments",
    "ask",
    "check",
    "commands",
    "observe",
    "plan",
    "schema",
    "verbs",
];

/// Who needs whom in turn can only be understood, changed and tested together.
fn modules_form_no_circle(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, needs) in crates(files) {
        // By what holds them: which part needs which other.
        let mut levels: BTreeMap<Path, BTreeMap<String, BTreeSet<String>>> = BTreeMap::new();
        for (module, needed) in &needs {
            for other in needed {
                let n_common = module.iter().zip(other).take_while(|(a, b)| a == b).count();
                if let (Some(from), Some(to)) = (module.get(n_common), other.get(n_common)) {
                    let level = levels.entry(module[..n_common].to_vec()).or_default();
                    level.entry(from.clone()).or_default().insert(to.clone());
                }
            }
        }
        for (level, parts) in levels {
            let mut reported = BTreeSet::new();
            for part in parts.keys() {
                let Some(circle) = circle(&parts, part) else {
                    continue;
                };
                if reported.insert(circle.iter().cloned().collect::<BTreeSet<_>>()) {
                    let place = [std::slice::from_ref(&name), level.as_slice()]
                        .concat()
                        .join("/");
                    complaints.push(format!("{place}: {}", circle.join(" -> ")));
                }
            }
        }
    }
    complaints
}

/// `main.rs` calls everything; a function there that others call closes a circle.
fn nothing_calls_main(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, modules) in texts(files) {
        let of_main = |path: &Path| match path.as_slice() {
            [one] => !modules.contains_key(path) && one.starts_with(|c: char| c.is_lowercase()),
            _ => false,
        };
        for (module, code) in modules.iter().filter(|(module, _)| !module.is_empty()) {
            let named = uses(code, false).into_iter().chain(inline(code));
            let named = named.filter_map(|path| absolute(&modules, module, &path));
            for path in named.filter(|path| name.starts_with("tools/") && of_main(path)) {
                complaints.push(format!(
                    "{name}: {} calls {}",
                    module.join("::"),
                    path.join("::")
                ));
            }
        }
    }
    complaints
}

/// What is there to be decided about does not know who decides, reads or writes.
fn the_model_is_the_ground(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for (name, needs) in crates(files) {
        if !name.starts_with("tools/") {
            continue;
        }
        for (module, needed) in &needs {
            let is_model = ["model", "desired"].contains(&part(module));
            for other in needed.iter().map(part) {
                if is_model && ABOVE_MODEL.contains(&other) {
                    complaints.push(format!("{name}: {} needs {other}", module.join("::")));
                }
            }
        }
    }
    complaints
}

/// Returns the part of a tool, or of one of its jobs, that a module belongs to.
fn part(module: &Path) -> &str {
    let mut names = module.iter().map(String::as_str);
    let is_part = |name: &&str| !JOBS.contains(name);
    names.find(is_part).unwrap_or_default()
}

/// Observing returns what it found; whoever called writes the record.
fn observing_writes_no_record(files: &[File]) -> Vec<String> {
    let words = [
        ".write(",
        ".write_row(",
        ".write_text(",
        ".write_json_lines(",
    ];
    let observing = |file: &&File| {
        file.in_tool()
            .is_some_and(|(_, name)| name.starts_with("observe"))
    };
    let observing = files.iter().filter(observing);
    observing.flat_map(|file| file.lines_with(&words)).collect()
}

/// Returns the shortest way from a part to itself.
fn circle(parts: &BTreeMap<String, BTreeSet<String>>, start: &str) -> Option<Vec<String>> {
    let mut ways = std::collections::VecDeque::from([vec![start.to_owned()]]);
    let mut seen = BTreeSet::new();
    while let Some(way) = ways.pop_front() {
        for next in way.last().and_then(|last| parts.get(last))? {
            let mut longer = way.clone();
            longer.push(next.clone());
            if next == start {
                return Some(longer);
            }
            if seen.insert(next.clone()) && parts.contains_key(next) {
                ways.push_back(longer);
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::{
        modules_form_no_circle, nothing_calls_main, observing_writes_no_record,
        the_model_is_the_ground,
    };
    use crate::source::File;

    fn sources(files: &[(&str, &str)]) -> Vec<File> {
        let file = |(path, text): &(&str, &str)| File {
            path: format!("tools/ssm-x/src/{path}"),
            text: (*text).to_owned(),
            executable: false,
        };
        files.iter().map(file).collect()
    }

    #[test]
    fn a_circle_is_named_with_its_way() {
        let files = sources(&[
            ("main.rs", "mod a;\nmod b;\nmod c;\nuse a::A;\n"),
            (
                "a.rs",
                "use std::fmt;\nuse crate::{\n    b::{self, B},\n};\n",
            ),
            ("b.rs", "pub(crate) struct B;\nfn f() { super::c::g(); }\n"),
            ("c.rs", "use crate::a::A as Other;\n"),
        ]);
        assert_eq!(
            modules_form_no_circle(&files),
            ["tools/ssm-x: a -> b -> c -> a"]
        );
        let without = &files[..3];
        assert!(modules_form_no_circle(without).is_empty());
    }

    #[test]
    fn a_circle_of_parts_and_one_through_what_is_handed_on_count() {
        let files = sources(&[
            (
                "apply.rs",
                "mod send;\nmod wave;\npub(crate) use wave::Wave;\n",
            ),
            ("apply/send.rs", "use super::Wave;\n"),
            ("apply/wave.rs", "use super::send::send;\n"),
        ]);
        assert_eq!(
            modules_form_no_circle(&files),
            ["tools/ssm-x/apply: send -> wave -> send"]
        );
        let files = sources(&[
            ("apply.rs", "mod send;\n"),
            ("apply/send.rs", "use crate::observe::read;\n"),
            ("observe.rs", "mod past;\n"),
            ("observe/past.rs", "use crate::apply::Place;\n"),
        ]);
        assert_eq!(
            modules_form_no_circle(&files),
            ["tools/ssm-x: apply -> observe -> apply"]
        );
    }

    #[test]
    fn what_holds_a_part_tests_and_comments_do_not_count() {
        let files = sources(&[
            (
                "a.rs",
                "mod part;\nuse part::P;\n// use crate::b::B;\npub(crate) struct A;\n",
            ),
            ("a/part.rs", "use super::A;\n"),
            ("b.rs", "use crate::a::A;\n"),
            ("a_tests.rs", "use crate::b::B;\n"),
        ]);
        assert!(modules_form_no_circle(&files).is_empty());
    }

    #[test]
    fn a_model_that_looks_up_is_seen() {
        let files = sources(&[
            ("model.rs", "use crate::check::Finding;\n"),
            ("check.rs", ""),
        ]);
        let complaints = the_model_is_the_ground(&files);
        assert_eq!(complaints, ["tools/ssm-x: model needs check"]);
        let files = sources(&[
            ("alerts/model.rs", "use crate::alerts::check::Finding;\n"),
            ("alerts/check.rs", ""),
        ]);
        let complaints = the_model_is_the_ground(&files);
        assert_eq!(complaints, ["tools/ssm-x: alerts::model needs check"]);
        let files = sources(&[("model.rs", "use crate::desired::D;\n"), ("desired.rs", "")]);
        assert!(the_model_is_the_ground(&files).is_empty());
    }

    #[test]
    fn a_call_of_main_is_seen_and_its_constants_are_not() {
        let files = sources(&[
            ("main.rs", "mod a;\n"),
            ("a.rs", "use crate::{TOOL, run};\n"),
        ]);
        assert_eq!(nothing_calls_main(&files), ["tools/ssm-x: a calls run"]);
    }

    #[test]
    fn an_observer_that_writes_is_seen() {
        let files = sources(&[
            ("observe/a.rs", "fn f() { out.write(&record)?; }\n"),
            ("apply.rs", "fn f() { out.write(&record)?; }\n"),
        ]);
        assert_eq!(
            observing_writes_no_record(&files),
            ["tools/ssm-x/src/observe/a.rs:1: .write("]
        );
    }
}
