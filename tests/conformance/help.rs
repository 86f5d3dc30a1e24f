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
