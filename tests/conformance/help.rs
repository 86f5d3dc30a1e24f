//! What a help lists.

/// Returns the verbs that a help lists. A line that begins further to the right goes on about the verb before.
pub(crate) fn verbs(help: &str) -> Vec<&str> {
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let verbs = listed.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    verbs
        .filter(|verb| !verb.is_empty() && *verb != "help")
        .collect()
}

#[test]
fn a_verb_that_is_not_in_the_table_is_seen() {
    let help = "Use it\n\nCommands:\n  show  Print\n          more\n  new   Do\n  help  Help\n\nOptions:\n  -h\n";
    assert_eq!(verbs(help), ["show", "new"]);
}

/// Verbs that several tools have, in the order of every help: those that only one tool has come behind.
const COMMON: [&str; 6] = ["show", "check", "plan", "apply", "lint", "render"];

#[test]
fn verbs_are_in_one_order() {
    for tool in crate::TOOLS.iter().filter(|tool| tool.can("show")) {
        let common = COMMON.into_iter().filter(|verb| tool.can(verb));
        let common: Vec<&str> = common.collect();
        assert_eq!(&tool.verbs[..common.len()], common, "{}", tool.name);
    }
}

/// Help of a flag says only what the tool at hand has.
#[test]
fn common_flags_name_nothing_that_a_tool_lacks() {
    for tool in crate::TOOLS {
        let help = tool.offline(&["--help"]).run();
        let help = help.assert_status(0).stdout.as_str();
        let values = |begin: &str| {
            let (_, values) = help.rsplit_once(begin).unwrap();
            values.split_once(']').unwrap().0.to_owned()
        };
        let artefacts = values("[possible values: ");
        let has_state = tool.can("plan");
        let calls_aws = tool.first_read.is_some();
        assert_eq!(artefacts.contains("policy"), calls_aws, "{}", tool.name);
        assert_eq!(
            artefacts.contains("permissions"),
            calls_aws,
            "{}",
            tool.name
        );
        assert_eq!(help.contains("--verbose"), calls_aws, "{}", tool.name);
        assert_eq!(
            help.contains("directory of layers"),
            has_state,
            "{}",
            tool.name
        );
        for (format, is_there) in [
            ("junit", has_state),
            ("asff", has_state),
            ("ocsf", has_state),
            ("sarif", has_state || tool.can("match")),
            ("csv", has_state || tool.can("match")),
        ] {
            let line = format!("          - {format}:");
            assert_eq!(help.contains(&line), is_there, "{} {format}", tool.name);
        }
        let verbs = help
            .lines()
            .filter_map(|line| line.strip_prefix("          - "));
        for (line, verb) in verbs.flat_map(|line| {
            let words = line.split([' ', ',']);
            words.map(move |word| (line, word))
        }) {
            let is_verb = COMMON.contains(&verb);
            assert!(!is_verb || tool.can(verb), "{}: {line}", tool.name);
        }
    }
}

/// Help of a flag says only what the verb at hand has.
#[test]
fn common_flags_name_nothing_that_a_verb_lacks() {
    for tool in crate::TOOLS {
        for verb in tool.verbs {
            let help = tool.offline(&[verb, "-h"]).run().stdout;
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            let (_, output) = help.split_once("-o, --output <FORMAT> ").unwrap();
            let (output, _) = output.split_once(" --jq ").unwrap();
            let (about, values) = output.split_once(" [possible values: ").unwrap();
            let values: Vec<&str> = values.trim_end_matches(']').split(", ").collect();
            for format in ["sarif", "junit", "csv", "asff", "ocsf"] {
                let used = tool.offline(&[verb, "-o", format]).run();
                let is_refused = used.stderr.contains(&format!("-o {format} is for "));
                let is_there = values.contains(&format);
                // What the verb needs besides is missed before.
                let is_missed = used.stderr.contains("required arguments were not");
                let is_alike = is_there != is_refused || (is_missed && !is_there);
                assert!(is_alike, "{} {verb} {format}: {}", tool.name, used.stderr);
            }
            let what = format!("{} {verb}: {about}", tool.name);
            let has_report = values.contains(&"sarif");
            assert_eq!(about.contains("as a report"), has_report, "{what}");
            assert_eq!(about.contains("as CSV"), *verb == "show", "{what}");
            let has_file = help.contains("-f, --file");
            let reads = *verb != "show" || tool.name == "ssm-events";
            assert_eq!(has_file, reads, "{what}");
        }
    }
    let agentcheck = &crate::TOOLS[0];
    let wrong = agentcheck.offline(&["show", "-o", "table"]).run();
    wrong
        .assert_status(2)
        .assert_complains("[possible values: json, text, csv]");
    let run = crate::TOOLS.iter().find(|tool| tool.name == "ssm-run");
    let help = run.unwrap().offline(&["-h"]).run().stdout;
    assert!(!help.contains("CSV") && !help.contains("report,"), "{help}");
}

/// What calls nothing has no use for accounts, and does not pretend to.
#[test]
fn offline_verbs_offer_no_flags_of_aws() {
    let mut n_offline = 0;
    for tool in crate::TOOLS {
        for verb in tool.verbs {
            let help = tool.offline(&[verb, "--help"]).run().stdout;
            let help = help.split_whitespace().collect::<Vec<_>>().join(" ");
            let is_offline = help.contains("without calling AWS");
            let is_offered = help.contains("--profile") && help.contains("--max-concurrency");
            assert_eq!(
                is_offered,
                !is_offline && tool.first_read.is_some(),
                "{} {verb}",
                tool.name
            );
            n_offline += usize::from(is_offline);
        }
    }
    assert!(n_offline > 10);
    let agentcheck = &crate::TOOLS[0];
    for flags in [["--accounts", "org"], ["--profile", "nosuch"]] {
        let host = agentcheck.offline(&["host", flags[0], flags[1]]).run();
        agentcheck.complains(&host, "leave --accounts and --profile out");
    }
}

/// Whoever lints policies reads there how old the list of actions is.
#[test]
fn linters_of_policies_print_the_day_of_their_data() {
    let data = testbed::repository().join("shared/iam-policy/data/service_reference.txt");
    let data = std::fs::read_to_string(data).unwrap();
    let date = data.lines().find_map(|line| line.strip_prefix("date "));
    let date = date.expect("the data has a date");
    for name in ["ssm-scp", "ssm-role"] {
        let tool = crate::TOOLS.iter().find(|tool| tool.name == name).unwrap();
        let version = tool.offline(&["lint", "--version"]).run();
        version.assert_status(0).assert_stderr("");
        let whole = tool.offline(&["--version"]).run().stdout;
        let built = whole.strip_prefix(&format!("{name} ")).unwrap().trim_end();
        assert!(built.contains("unknown-linux"), "{built}");
        let expected = format!("{name}-lint {built} with AWS's service reference of {date}\n");
        assert_eq!(version.stdout, expected);
    }
}
