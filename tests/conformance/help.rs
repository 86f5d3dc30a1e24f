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
        let expected = format!("{name}-lint 0.1.0 with AWS's service reference of {date}\n");
        assert_eq!(version.stdout, expected);
    }
}
