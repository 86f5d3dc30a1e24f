//! What is said on a terminal to who has typed half of a command, or looks where there is nothing.

use testbed::Sandbox;

use super::on_terminal;

/// With nothing piped in, a terminal gets what an empty pipe gets: what to pass, and where it comes from.
#[test]
fn a_missing_input_is_named_with_its_source() {
    let account = Sandbox::start().account();
    for (command, expected) in [
        (
            "ssm-prefs apply",
            "read plans from stdin: no input: pipe in what `ssm-prefs plan` prints, or pass it with -f FILE",
        ),
        (
            "ssm-prefs plan",
            "pass -f FILE, a desired state, of which `ssm-prefs --generate example` prints an example",
        ),
        (
            "ssm-scp plan",
            "`ssm-scp --generate example` prints an example",
        ),
        (
            "ssm-events plan",
            "`ssm-events --generate example` prints an example",
        ),
        (
            "ssm-run -- uname -r",
            "read nodes from stdin: no input: pipe in what `ssm-agentcheck show` prints, or node IDs",
        ),
        (
            "ssm-events report",
            "read records from stdin: no input: pipe in what `ssm-events history` prints, or pass records with -f FILE",
        ),
        (
            "ssm-events history -",
            "ssm-events: read records from stdin: no input: pipe in records of CloudTrail, or name their files",
        ),
        (
            "ssm-scp replay --guard $DESIRED/scp.json",
            "read CloudTrail records: no input: pipe in what `ssm-events history` prints, or name its file",
        ),
        (
            "ssm-vulns match --advisories none",
            "read records of ssm-run or SBOMs from stdin: no input: pipe them in, or pass them with -f FILE",
        ),
        (
            "ssm-scp lint",
            "read what to lint from stdin: no input: name files, or pipe JSON in",
        ),
    ] {
        let desired = testbed::repository().join("scripts/rollout.d");
        let command = command.replace("$DESIRED", desired.to_str().unwrap());
        let output = on_terminal(&account, 200, &command).run();
        output.assert_status(2);
        assert!(
            output.stdout.contains(expected),
            "{command}: {}",
            output.stdout
        );
    }
    assert!(account.writes().is_empty());
}

/// Silence could be anything: a region without nodes says so, and where there may be some.
#[test]
fn an_empty_region_is_not_silent() {
    let account = Sandbox::start().account();
    let shown = |command: &str| {
        let output = on_terminal(&account, 200, command).run();
        output.assert_status(0);
        output.stdout
    };
    assert_eq!(
        shown("ssm-agentcheck show --region us-west-2"),
        "ssm-agentcheck: 0 nodes in us-west-2\nssm-agentcheck: next: ssm-agentcheck show --region all\n"
    );
    assert_eq!(
        shown("ssm-agentcheck show --region us-west-2,us-east-1"),
        "ssm-agentcheck: 0 nodes in 2 accounts and regions\n"
    );
    assert_eq!(shown("ssm-agentcheck show -q"), "");
    // Into a pipe nothing is nothing.
    let piped = account.tool(super::binary("ssm-agentcheck").as_os_str());
    piped
        .args(["show"])
        .run()
        .assert_status(0)
        .assert_stderr("");
}
