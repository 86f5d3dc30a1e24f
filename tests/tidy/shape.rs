//! The same shape in every tool, so that whoever knows one finds the way in all: `main.rs` is the table of contents, and
//! a verb's help, flags and body are in the file of its name.

use crate::rules::Rule;
use crate::source::{File, tools};

pub(crate) const SHAPE: [Rule; 4] = [
    ("main_is_a_table_of_contents", main_is_a_table_of_contents),
    ("every_verb_has_its_file", every_verb_has_its_file),
    ("the_same_verb_says_the_same", the_same_verb_says_the_same),
    ("packages_have_every_tool", packages_have_every_tool),
];

/// What packages hold instead of seven programs.
const ONE_PROGRAM: &str = "scripts/dist.d/main.rs";

/// As many lines as fit two screens.
const MAX_LINES_OF_MAIN: usize = 80;

fn main_is_a_table_of_contents(files: &[File]) -> Vec<String> {
    let mains = files
        .iter()
        .filter(|file| file.path.starts_with("tools/") && file.path.ends_with("/src/main.rs"));
    let mut complaints = Vec::new();
    for file in mains {
        let n_lines = file.text.lines().count();
        if n_lines > MAX_LINES_OF_MAIN {
            complaints.push(format!(
                "{}: {n_lines} lines, at most {MAX_LINES_OF_MAIN}",
                file.path
            ));
        }
    }
    complaints
}

fn every_verb_has_its_file(files: &[File]) -> Vec<String> {
    let text = |path: &str| {
        let file = files.iter().find(|file| file.path == path);
        file.map(|file| file.text.as_str())
    };
    let mut complaints = Vec::new();
    for tool in tools(files) {
        let sources = format!("tools/{tool}/src");
        let Some(main) = text(&format!("{sources}/main.rs")) else {
            continue;
        };
        for verb in verbs(main) {
            let path = format!("{sources}/commands/{}.rs", snake_case(&verb));
            let Some(command) = text(&path) else {
                complaints.push(format!("{path} is missing, the file of {verb}"));
                continue;
            };
            for part in [
                format!("pub(crate) struct {verb}Args "),
                "pub(crate) async fn run(".to_owned(),
            ] {
                if !command.contains(&part) {
                    complaints.push(format!("{path}: no `{}`", part.trim_end()));
                }
            }
        }
    }
    complaints
}

/// What `plan` and `apply` do is the same in every tool, and so is what is said of them. What needs no AWS says so alike.
fn the_same_verb_says_the_same(files: &[File]) -> Vec<String> {
    let mut complaints = Vec::new();
    for file in files {
        let Some((_, path)) = file.in_tool() else {
            continue;
        };
        let said = match path {
            "commands/plan.rs" => Some("/// Print the changes that a desired state needs\n"),
            "commands/apply.rs" => {
                Some("/// Apply the plans on stdin and print what was done, with its undo\n")
            }
            _ => None,
        };
        if let Some(said) = said.filter(|said| !file.text.contains(said)) {
            complaints.push(format!("{}: no `{}`", file.path, said.trim_end()));
        }
        if path.starts_with("commands/") && file.text.contains("(offline)") {
            complaints.push(format!("{}: say `without calling AWS`", file.path));
        }
    }
    complaints
}

/// The one program of the packages is built of the tools' sources by releases alone, and calls `main` of each.
fn packages_have_every_tool(files: &[File]) -> Vec<String> {
    let program = files.iter().find(|file| file.path == ONE_PROGRAM);
    let program = program.map_or("", |file| file.text.as_str());
    let mut complaints = Vec::new();
    for tool in tools(files) {
        let call = format!("{}::main()", tool.replace('-', "_"));
        if !program.contains(&format!("\"{tool}\"")) || !program.contains(&call) {
            complaints.push(format!("{ONE_PROGRAM}: no \"{tool}\" that is {call}"));
        }
        let path = format!("tools/{tool}/src/main.rs");
        let main = files.iter().find(|file| file.path == path);
        if main.is_some_and(|main| !main.text.contains("\npub async fn main() -> ExitCode {\n")) {
            complaints.push(format!("{path}: {ONE_PROGRAM} cannot call main"));
        }
    }
    complaints
}

/// Returns the variants of `Verb`; a tool without verbs has one thing to do, which is to run.
fn verbs(main: &str) -> Vec<String> {
    let Some((_, rest)) = main.split_once("enum Verb {\n") else {
        return vec!["Run".to_owned()];
    };
    let block = rest.split_once("\n}").map_or(rest, |(block, _)| block);
    let variants = block.lines().filter_map(|line| line.strip_prefix("    "));
    let variants = variants.filter(|line| line.starts_with(|c: char| c.is_ascii_uppercase()));
    variants
        .map(|line| {
            let end = line.find(|c: char| !c.is_ascii_alphanumeric());
            line[..end.unwrap_or(line.len())].to_owned()
        })
        .collect()
}

fn snake_case(name: &str) -> String {
    let mut snake = String::new();
    for letter in name.chars() {
        if letter.is_ascii_uppercase() && !snake.is_empty() {
            snake.push('_');
        }
        snake.push(letter.to_ascii_lowercase());
    }
    snake
}

#[cfg(test)]
mod tests {
    use super::{
        every_verb_has_its_file, main_is_a_table_of_contents, packages_have_every_tool,
        the_same_verb_says_the_same,
    };
    use crate::source::File;

    fn tool(files: &[(&str, &str)]) -> Vec<File> {
        let manifest = [("Cargo.toml", "")];
        let files = manifest.iter().chain(files);
        files
            .map(|(path, text)| File {
                path: format!("tools/ssm-x/{path}"),
                text: (*text).to_owned(),
                executable: false,
            })
            .collect()
    }

    #[test]
    fn a_long_main_is_seen() {
        let lines = |n| "//! x\n".repeat(n);
        assert!(main_is_a_table_of_contents(&tool(&[("src/main.rs", &lines(80))])).is_empty());
        assert_eq!(
            main_is_a_table_of_contents(&tool(&[("src/main.rs", &lines(81))])),
            ["tools/ssm-x/src/main.rs: 81 lines, at most 80"]
        );
    }

    #[test]
    fn a_verb_whose_file_is_missing_or_has_another_shape_is_seen() {
        let main = "enum Verb {\n    /// x\n    Show,\n    DryRun(A),\n    Plan {\n        a: b,\n    },\n}\n";
        let whole = |name: &str| {
            format!("pub(crate) struct {name}Args {{}}\npub(crate) async fn run() {{}}\n")
        };
        let (show, dry_run) = (whole("Show"), whole("DryRun"));
        let files = |plan: &'static str| {
            tool(&[
                ("src/main.rs", main),
                ("src/commands/show.rs", &show),
                ("src/commands/dry_run.rs", &dry_run),
                ("src/commands/plan.rs", plan),
            ])
        };
        assert_eq!(
            every_verb_has_its_file(&files("pub(crate) struct PlanArgs {}\nfn run() {}\n")),
            ["tools/ssm-x/src/commands/plan.rs: no `pub(crate) async fn run(`"]
        );
        assert_eq!(
            every_verb_has_its_file(&files("")[..4]),
            ["tools/ssm-x/src/commands/plan.rs is missing, the file of Plan"]
        );
    }

    #[test]
    fn other_words_for_the_same_are_seen() {
        let files = tool(&[
            ("src/commands/apply.rs", "/// Do what plans say\n"),
            ("src/commands/lint.rs", "/// Find mistakes (offline)\n"),
            (
                "src/commands/plan.rs",
                "/// Print the changes that a desired state needs\n",
            ),
        ]);
        assert_eq!(
            the_same_verb_says_the_same(&files),
            [
                "tools/ssm-x/src/commands/apply.rs: no `/// Apply the plans on stdin and print what was done, with \
                 its undo`",
                "tools/ssm-x/src/commands/lint.rs: say `without calling AWS`",
            ]
        );
    }

    #[test]
    fn a_tool_that_packages_lack_is_seen() {
        let main = "\npub async fn main() -> ExitCode {\n}\n";
        let with = |program: &str, main: &str| {
            let mut files = tool(&[("src/main.rs", main)]);
            files.push(File {
                path: "scripts/dist.d/main.rs".to_owned(),
                text: program.to_owned(),
                executable: false,
            });
            packages_have_every_tool(&files)
        };
        let whole = "\"ssm-x\" => ssm_x::main(),\n";
        assert!(with(whole, main).is_empty());
        for lacking in [
            "",
            "\"ssm-y\" => ssm_x::main(),",
            "\"ssm-x\" => ssm_y::main(),",
        ] {
            assert_eq!(
                with(lacking, main),
                ["scripts/dist.d/main.rs: no \"ssm-x\" that is ssm_x::main()"]
            );
        }
        assert_eq!(
            with(whole, &main.replace("pub ", "")),
            ["tools/ssm-x/src/main.rs: scripts/dist.d/main.rs cannot call main"]
        );
    }

    #[test]
    fn a_tool_without_verbs_runs() {
        assert_eq!(
            every_verb_has_its_file(&tool(&[("src/main.rs", "struct Args {}\n")])),
            ["tools/ssm-x/src/commands/run.rs is missing, the file of Run"]
        );
    }
}
