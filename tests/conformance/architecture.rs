//! The tables of ARCHITECTURE.md: which tool has which verbs, flags and words.

use std::collections::BTreeSet;

use crate::{TOOLS, Tool};

/// Returns the cells of the rows below a head.
fn rows(head: &str) -> Vec<Vec<String>> {
    let text = std::fs::read_to_string(testbed::repository().join("ARCHITECTURE.md")).unwrap();
    let (_, below) = text.split_once(&format!("\n| {head} | ")).unwrap();
    let rows = below
        .lines()
        .skip(2)
        .take_while(|line| line.starts_with('|'));
    let cells = |row: &str| row.split('|').map(|cell| cell.trim().to_owned()).collect();
    let rows: Vec<Vec<String>> = rows.map(cells).collect();
    assert!(rows.len() > 2, "{head}");
    rows
}

/// Returns what stands between backquotes.
fn quoted(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn is_of(tool: Tool, cell: &str) -> bool {
    let is_named = quoted(cell).contains(&tool.name);
    cell == "every tool" || is_named != cell.starts_with("all but ")
}

/// Returns what the table has for a tool.
fn listed(tool: Tool, head: &str) -> BTreeSet<String> {
    let rows = rows(head);
    let own = rows.iter().filter(|row| is_of(tool, &row[2]));
    let words = own.flat_map(|row| quoted(&row[1]));
    words.map(str::to_owned).collect()
}

/// Returns the flags of a help, from the first of these headings on.
fn flags(help: &str, headings: &[&str]) -> BTreeSet<String> {
    let lines = help.lines().skip_while(|line| !headings.contains(line));
    let lines = lines.take_while(|line| *line != "Examples:");
    let flag = |line: &str| {
        let (short, long) = line.trim_start().split_once("--")?;
        let is_flag = short.is_empty() || short.ends_with(", ") && short.starts_with('-');
        let name = long.split([' ', '=', '[']).next()?;
        (is_flag && !["help", "version"].contains(&name)).then(|| format!("--{name}"))
    };
    lines.filter_map(flag).collect()
}

fn help(tool: Tool, verb: &[&str]) -> String {
    tool.offline(&[verb, &["--help"]].concat()).run().stdout
}

#[test]
fn its_table_of_verbs_is_that_of_the_tools() {
    for tool in TOOLS {
        let verbs: BTreeSet<String> = tool.verbs.iter().map(|&verb| verb.to_owned()).collect();
        assert_eq!(listed(tool, "verb"), verbs, "{}", tool.name);
    }
}

/// Returns the flags with which a verb needs an action that may change something; `always` where it needs none.
fn writing_flags(tool: Tool, verb: &str) -> BTreeSet<String> {
    const READING: [&str; 7] = [
        "AssumeRole",
        "Decrypt",
        "Describe",
        "Get",
        "List",
        "Lookup",
        "Receive",
    ];
    let printed = tool.offline(&["--generate", "permissions"]).run();
    let rows = printed.records().into_iter().filter(|row| {
        let has = |list: &str, is_it: &dyn Fn(&str) -> bool| {
            let list = row[list].as_array().unwrap().iter();
            list.map(|one| one.as_str().unwrap()).any(is_it)
        };
        let writes = |action: &str| {
            let name = action.split(':').next_back().unwrap();
            name != "TagSession" && !READING.iter().any(|word| name.starts_with(word))
        };
        has("verbs", &|one| one == verb) && has("actions", &writes)
    });
    rows.map(|row| row["when"].as_str().unwrap().to_owned())
        .collect()
}

/// By what the tools say that they need of IAM.
#[test]
fn its_table_says_which_verbs_write() {
    let mut n_writers = 0;
    for tool in TOOLS {
        for row in rows("verb").iter().filter(|row| is_of(tool, &row[2])) {
            let cell = &row[4];
            let here: Vec<&str> = quoted(cell)
                .into_iter()
                .filter(|words| !words.starts_with("ssm-") || words.starts_with(tool.name))
                .collect();
            for verb in quoted(&row[1]) {
                let flags = writing_flags(tool, verb);
                let what = format!("{} {verb}: {cell}: {flags:?}", tool.name);
                if flags.is_empty() {
                    assert!(cell.starts_with('-') && here.is_empty(), "{what}");
                    continue;
                }
                n_writers += 1;
                if cell.starts_with('-') {
                    let is_named = |flag: &String| here.iter().any(|words| words.contains(flag));
                    assert!(flags.iter().all(is_named), "{what}");
                }
            }
        }
    }
    // apply of five, probe, send, check and history.
    assert_eq!(n_writers, 9);
}

#[test]
fn its_table_of_flags_is_that_of_the_tools() {
    for tool in TOOLS {
        let flags = flags(&help(tool, &[]), &["AWS:", "Input and output:"]);
        assert_eq!(listed(tool, "flag"), flags, "{}", tool.name);
    }
}

#[test]
fn its_table_of_flags_of_verbs_is_that_of_the_tools() {
    for row in rows("flag of a verb") {
        let of = quoted(&row[2]);
        for (tool, verb) in TOOLS
            .iter()
            .flat_map(|tool| tool.verbs.iter().map(move |verb| (*tool, *verb)))
        {
            let is_listed =
                of.contains(&verb) || of.contains(&format!("{} {verb}", tool.name).as_str());
            let flags = flags(&help(tool, &[verb]), &["Options:"]);
            for flag in quoted(&row[1]) {
                assert_eq!(
                    flags.contains(flag),
                    is_listed,
                    "{} {verb} {flag}",
                    tool.name
                );
            }
        }
    }
}

#[test]
fn its_words_are_those_of_the_tools() {
    let rows = rows("flag");
    let words = |flag: &str| -> BTreeSet<String> {
        let row = rows.iter().find(|row| quoted(&row[1]) == [flag]).unwrap();
        let words = quoted(&row[3]).into_iter();
        words
            .filter(|word| !word.starts_with('-'))
            .map(str::to_owned)
            .collect()
    };
    // Each tool has some of the words, and each word is one of some tool.
    let (mut formats, mut artefacts) = (BTreeSet::new(), BTreeSet::new());
    for tool in TOOLS {
        let help = help(tool, &[]);
        let values = help.lines().filter_map(|line| {
            let (word, _) = line.strip_prefix("          - ")?.split_once(':')?;
            Some(word.to_owned())
        });
        formats.extend(values);
        let values = help.rsplit_once("[possible values: ").unwrap().1;
        let values = values.split_once(']').unwrap().0.split(", ");
        let values = values.map(|value| value.trim().to_owned());
        artefacts.extend(values);
    }
    assert_eq!(words("--output"), formats);
    assert_eq!(words("--generate"), artefacts);
}
