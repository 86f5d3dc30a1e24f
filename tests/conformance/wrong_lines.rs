//! The command lines of those who do not know a tool yet.

/// Command lines, and what their messages must say; behind !, what they must not. Desired states are those of `scripts/rollout.d`.
pub(super) const LINES: [(&str, &[&str]); 116] = [
    ("ssm-agentcheck", &["Usage: ssm-agentcheck"]),
    (
        "ssm-prefs show i-02a00000000000001",
        &["unexpected argument", "!use --"],
    ),
    (
        "ssm-role show i-02a00000000000001",
        &["unexpected argument", "!use --"],
    ),
    (
        "ssm-prefs probe i-02a00000000000001",
        &["use --instance-id i-02a00000000000001"],
    ),
    (
        "ssm-agentcheck show --instance-ids i-02a00000000000001",
        &["'--instance-id'", "!stdin"],
    ),
    (
        "ssm-vulns list",
        &["unrecognized subcommand", "!use ssm-vulns"],
    ),
    (
        "ssm-vulns validate",
        &["unrecognized subcommand", "!use ssm-vulns"],
    ),
    (
        "ssm-vulns diff",
        &["unrecognized subcommand", "!use ssm-vulns"],
    ),
    (
        "ssm-vulns match --accounts org",
        &["unexpected argument", "!organization"],
    ),
    (
        "ssm-vulns match --dry-run",
        &["unexpected argument", "!`plan`"],
    ),
    ("ssm-agentcheck show -o xml", &["use -o json"]),
    ("ssm-agentcheck check -o xml", &["use -o junit"]),
    ("ssm-agentcheck list", &["use ssm-agentcheck show"]),
    ("ssm-agentcheck version", &["use ssm-agentcheck --version"]),
    ("ssm-prefs diff", &["use ssm-prefs plan"]),
    (
        "ssm-agentcheck --profile nosuch show",
        &["'nosuch'", "aws configure list-profiles"],
    ),
    (
        "ssm-agentcheck show --region us-east1",
        &["did you mean us-east-1?"],
    ),
    (
        "ssm-agentcheck show --region us-east-1a",
        &["did you mean us-east-1?"],
    ),
    ("ssm-agentcheck show -o table", &["use -o text"]),
    ("ssm-agentcheck show -o yaml", &["use -o json"]),
    ("ssm-agentcheck plan -f agent.json --output=csv", &["@csv"]),
    (
        "ssm-agentcheck show -o sarif",
        &["is for check, host and lint; here, use -o json"],
    ),
    (
        "ssm-agentcheck check -f agent.json -o junit --jq .id",
        &["leave --jq or -o junit out"],
    ),
    ("ssm-agentcheck show -o tsv", &["@tsv"]),
    (
        "ssm-agentcheck show i-02a00000000000001",
        &["use --instance-id i-02a00000000000001"],
    ),
    (
        "ssm-agentcheck show --instance-id 02a00000000000001",
        &["expected i-0123456789abcdef0"],
    ),
    (
        "ssm-agentcheck check -f nosuch.json",
        &[
            "nosuch.json",
            "No such file",
            "name a file that exists; `ssm-agentcheck --generate example` prints one",
        ],
    ),
    (
        "ssm-agentcheck check -f prefs.json",
        &["looks like a desired state of ssm-prefs", "!a directory"],
    ),
    (
        "ssm-prefs plan -f scp.json",
        &["looks like a desired state of ssm-scp", "!a directory"],
    ),
    (
        "ssm-agentcheck check -f .",
        &[
            "desired state of ssm-events",
            "a directory holds layers of one tool",
        ],
    ),
    ("ssm-agentcheck check agent.json", &["use -f agent.json"]),
    (
        "ssm-prefs apply -f prefs.json",
        &["ssm-prefs plan", "found a desired state"],
    ),
    ("ssm-prefs apply", &["the input is empty", "ssm-prefs plan"]),
    ("ssm-prefs plan", &["pass -f FILE"]),
    (
        "ssm-prefs plan --dry-run -f prefs.json",
        &["`plan` is the dry run"],
    ),
    (
        "ssm-role plan -f role.json --apply",
        &["ssm-role plan .. | ssm-role apply"],
    ),
    ("ssm-prefs show --account 222222222222", &["--accounts"]),
    ("ssm-prefs show --regions us-east-1", &["--region"]),
    ("ssm-run uname", &["ssm-run -- uname"]),
    ("ssm-run -- uname", &["ssm-agentcheck show"]),
    (
        "ssm-run --tag Environment -- uname",
        &["expected KEY=VALUE"],
    ),
    (
        "ssm-run --instance-ids i-02a00000000000001 -- uname",
        &["node IDs come on stdin"],
    ),
    ("ssm-run --targets Key=tag:a,Values=b -- uname", &["--tag"]),
    (
        "ssm-events history --since yesterday",
        &["2026-11-01T00:00:00Z"],
    ),
    ("ssm-events history --from 2026-08-01", &["use --since"]),
    (
        "ssm-events history --since 7d --instance-id i-1",
        &["expected i-0123456789abcdef0"],
    ),
    (
        "ssm-events history --since 7d --node i-1",
        &["expected i-0123456789abcdef0"],
    ),
    (
        "ssm-events history nosuch/",
        &[
            "nosuch/",
            "No such file",
            "name files or directories of CloudTrail's logs",
        ],
    ),
    (
        "ssm-role policy --for admin",
        &["instance, operator, command"],
    ),
    (
        "ssm-agentcheck show --jq .foo[",
        &["expected closing bracket"],
    ),
    ("ssm-agentcheck show --debug", &["use -v"]),
    ("ssm-agentcheck show --no-color", &["NO_COLOR=1"]),
    ("ssm-agentcheck show --json", &["use -o json"]),
    (
        "ssm-agentcheck show --accounts 222222222222",
        &["--assume-role 'arn:{partition}:iam::{account}:role/NAME'"],
    ),
    (
        "ssm-agentcheck show --assume-role OrganizationAccountAccessRole",
        &["expected a role ARN"],
    ),
    (
        "ssm-agentcheck show --accounts org",
        &["--accounts needs --assume-role 'arn:{partition}"],
    ),
    ("ssm-scp show --accounts org", &["leave --accounts out"]),
    ("ssm-scp lint", &["the input is empty: name files"]),
    ("ssm-run uname -r", &["ssm-run -- uname"]),
    ("ssm-run uname~-r", &["put the command behind --"]),
    ("ssm-run -- uname -r", &["ssm-agentcheck show"]),
    (
        "ssm-role lint AdministratorAccess",
        &["there is no file AdministratorAccess", "name files"],
    ),
    (
        "ssm-role policy",
        &[
            "--for <WHO>",
            "--for takes one of instance, operator, command",
        ],
    ),
    ("ssm-agentcheck show -q -r", &["--jq <FILTER>"]),
    (
        "ssm-agentcheck --generate completion",
        &["expected man, bash, zsh, fish, schema, example, policy or permissions"],
    ),
    (
        "ssm-scp simulate --principal me",
        &["expected arn:aws:iam::123456789012:role/NAME"],
    ),
    // No guard denies an action that does not exist.
    (
        "ssm-scp simulate --guard scp.json --principal arn:aws:iam::222222222222:role/x --action ssm:StartSesion",
        &["has no action ssm:StartSesion: use ssm:StartSession"],
    ),
    (
        "ssm-scp simulate --guard scp.json --principal arn:aws:iam::222222222222:role/x --action StartSession",
        &["expected one such as ssm:StartSession"],
    ),
    (
        "ssm-role show --jq .kind[]",
        &["one record after the other"],
    ),
    (
        "ssm-scp plan -f prefs.json",
        &["looks like a desired state of ssm-prefs", "!a directory"],
    ),
    (
        "ssm-prefs plan -f prefs.yaml",
        &["prefs.yaml", "it is YAML: write it as JSON"],
    ),
    (
        "ssm-prefs plan -f hash.json",
        &["hash.json", "behind //", "line 1 column 1"],
    ),
    (
        "ssm-role apply -f result.json",
        &["found a result", "jq -c '.undo // empty'"],
    ),
    (
        "ssm-agentcheck --generate powershell",
        &["expected man, bash, zsh, fish, schema, example, policy or permissions"],
    ),
    // Records that say nothing of roles would switch the judgement of roles off.
    (
        "ssm-agentcheck check -f agent.json --roles scp.json",
        &[
            "scp.json: record 1: expected what `ssm-role show` prints, found a desired state of ssm-scp",
        ],
    ),
    (
        "ssm-agentcheck check -f agent.json --roles nothing.json",
        &["nothing.json: the input is empty: pipe in what `ssm-role show` prints"],
    ),
    (
        "ssm-prefs check -f prefs.json --roles scp.json",
        &["expected what `ssm-role show` prints"],
    ),
    (
        "ssm-prefs plan -f prefs.json --operators empty.json",
        &["expected what `ssm-role show` prints, found a value without a kind"],
    ),
    (
        "ssm-prefs plan -f list.json",
        &["list.json: $: invalid type: sequence, expected an object at line 1 column 1"],
    ),
    (
        "ssm-role plan -f list.json",
        &["expected an object", "!struct"],
    ),
    (
        "ssm-agentcheck check -f list.json",
        &["expected an object", "!struct"],
    ),
    (
        "ssm-scp plan -f list.json",
        &["expected an object", "!struct"],
    ),
    (
        "ssm-events plan -f list.json",
        &["expected an object", "!struct"],
    ),
    (
        "ssm-prefs plan -f inner.json",
        &["inner.json: $.kms_key: invalid type: sequence, expected an object"],
    ),
    (
        "ssm-agentcheck plan -f waves.json",
        &[
            "waves.json: $.update.waves: waves must grow",
            "at line 1 column 12",
        ],
    ),
    (
        "ssm-prefs plan -f idle.json",
        &[
            "idle.json: $.idle_timeout_minutes: ",
            "at line 1 column 2",
            "!$.inputs",
        ],
    ),
    (
        "ssm-prefs plan -f layers",
        &[
            "layers/over.json: $.desired.idle_timeout_minutes: ",
            "at line 2 column 13",
        ],
    ),
    (
        "ssm-scp plan -f nobody.json",
        &["nobody.json: $.exempt_principals: name at least one"],
    ),
    (
        "ssm-events plan -f deaf.json",
        &[
            "deaf.json: $.events: name at least one API call",
            "at line 1 column",
        ],
    ),
    (
        "ssm-role render --cloudformation -f profiles.json",
        &[
            "profiles.json: $.instance_profiles: a stack cannot change",
            "at line 1 column 2",
        ],
    ),
    (
        "ssm-prefs plan -f none",
        &["none: there is no file in it whose name ends in .json"],
    ),
    (
        "ssm-run --hosts a -- uname",
        &["node IDs come on stdin", "!as a value"],
    ),
    (
        "ssm-run --foo -- uname",
        &["unexpected argument '--foo'", "!as a value"],
    ),
    ("ssm-run -tag a -- uname", &["!as a value"]),
    (
        "ssm-run --command uname",
        &[
            "put the command behind --: ssm-run -- COMMAND",
            "!as a value",
        ],
    ),
    (
        "ssm-events history --limit 5",
        &["unexpected argument '--limit'", "!as a value"],
    ),
    ("ssm-prefs apply --yes", &["apply never asks"]),
    ("ssm-prefs apply --force", &["make a new one", "!--recover"]),
    (
        "ssm-prefs plan -f prefs.json --out p.json",
        &["ssm-prefs .. >FILE", "!--output"],
    ),
    (
        "ssm-prefs plan -f prefs.json -o p.json",
        &["ssm-prefs .. >p.json"],
    ),
    ("ssm-events report -o html", &["use --html"]),
    (
        "ssm-events history --user bob",
        &["use --principal", "!--assume-role"],
    ),
    (
        "ssm-agentcheck show --tag a=b",
        &["--jq 'select(.tags.KEY", "!--target"],
    ),
    (
        "ssm-agentcheck show --query x",
        &[
            "use --jq",
            "Usage: ssm-agentcheck show [OPTIONS]",
            "!--quiet",
        ],
    ),
    ("ssm-agentcheck status", &["use ssm-agentcheck show"]),
    ("ssm-agentcheck scan", &["use ssm-agentcheck check"]),
    ("ssm-prefs create", &["use ssm-prefs apply"]),
    ("ssm-prefs init", &["use ssm-prefs --generate example"]),
    (
        "ssm-role undo",
        &["jq -c '.undo // empty' result.json | ssm-role apply"],
    ),
    ("ssm-events search", &["use ssm-events history"]),
    ("ssm-vulns scan", &["use ssm-vulns match"]),
    (
        "ssm-vulns init",
        &["unrecognized subcommand", "!use ssm-vulns"],
    ),
    (
        "ssm-agentcheck show --max-concurrency 0",
        &["expected a number, 1 or more"],
    ),
    (
        "ssm-run --timeout 5 -- uname",
        &["expected 30 to 2592000 seconds"],
    ),
    (
        "ssm-vulns sbom -f empty.json",
        &["$: expected a record of ssm-run", "!unknown field"],
    ),
    (
        "ssm-agentcheck show --accounts 222222222222 --assume-role arn:aws:iam::{account}:role/x",
        &["echo 222222222222 | .. --accounts -"],
    ),
];
