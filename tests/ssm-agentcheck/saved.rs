//! Saved answers of the AWS CLI instead of AWS.

use serde_json::{Value, json};
use testbed::{Account, Output, offline};

use super::{EXE, account, node, tool};

/// Saves what the AWS CLI prints, and returns the paths.
fn save(account: &Account) -> (String, String) {
    let (ec2, ssm) = (
        account.home().join("ec2.json"),
        account.home().join("ssm.json"),
    );
    let instances = account.aws(&["ec2", "describe-instances"]);
    let information = account.aws(&["ssm", "describe-instance-information"]);
    std::fs::write(&ec2, format!("{instances:#}")).unwrap();
    std::fs::write(&ssm, format!("{information:#}")).unwrap();
    (
        ec2.to_string_lossy().into_owned(),
        ssm.to_string_lossy().into_owned(),
    )
}

fn run(arguments: &[&str]) -> Output {
    offline(EXE).args(arguments).stdin("{}").run()
}

#[test]
fn the_clis_answers_say_what_aws_says() {
    let account = account(&[
        node(1),
        json!({"instance_id": "i-0000000000000000a", "name": "old", "agent": {"version": "3.1.1.0"}}),
        json!({"instance_id": "i-0000000000000000b", "state": "stopped"}),
        json!({"instance_id": "i-0000000000000000c", "state": "terminated"}),
        json!({"instance_id": "i-0000000000000000d"}),
    ]);
    let (ec2, ssm) = save(&account);
    let live = tool(&account, &["show", "--jq", "del(.launched)"]).run();
    let saved = run(&[
        "show",
        "--nodes",
        &ec2,
        "--nodes",
        &ssm,
        "--jq",
        "del(.launched)",
    ]);
    saved.assert_status(0).assert_stderr("");
    let sorted = |output: &Output| {
        let mut lines: Vec<String> = output.stdout.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&saved), sorted(&live));
    assert_eq!(saved.records().len(), 4);
}

#[test]
fn half_of_the_answers_is_refused() {
    let account = account(&[node(1)]);
    let (ec2, ssm) = save(&account);
    let output = run(&["check", "--nodes", &ec2]);
    output
        .assert_status(2)
        .assert_complains("only EC2's answer is there");
    assert_eq!(output.stdout, "");
    let output = run(&["check", "--nodes", &ssm]);
    output
        .assert_status(2)
        .assert_complains("pass --target ACCOUNT/REGION");
    let target = "111122223333/eu-central-1";
    let output = run(&["show", "--nodes", &ssm, "--target", target]);
    output.assert_status(0);
    assert_eq!(
        output.json()["target"],
        json!({"account": "111122223333", "region": "eu-central-1"})
    );
}

#[test]
fn nodes_come_through_a_pipe_too() {
    let account =
        account(&[json!({"instance_id": "i-0000000000000000a", "agent": {"version": "3.1.1.0"}})]);
    let shown = tool(&account, &["show"]).run();
    let desired = account.home().join("agent.json");
    std::fs::write(&desired, "{}").unwrap();
    let output = offline(EXE)
        .args(["check", "-f", desired.to_str().unwrap(), "--nodes", "-"])
        .stdin(shown.stdout)
        .run();
    output.assert_status(1);
    assert_eq!(output.json()["id"], "agentcheck.version.outdated");
}

#[test]
fn what_is_no_node_is_refused_with_its_path() {
    let account = account(&[]);
    let path = account.home().join("nodes.json");
    for (text, complaint) in [
        (
            "{}",
            "expected node records, or the answer of `aws ec2 describe-instances`",
        ),
        (
            r#"{"Reservations": [{"OwnerId": "111122223333", "Instances": [{"InstanceId": 7}]}]}"#,
            "$.Reservations[0].Instances[0].InstanceId: invalid type: integer `7`",
        ),
        (
            r#"{"kind": "node""#,
            "EOF while parsing an object at line 1",
        ),
        (
            r#"{"kind": "node", "nodes": []}"#,
            "$.nodes: unknown field `nodes`",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let output = run(&["show", "--nodes", path.to_str().unwrap()]);
        output.assert_status(2).assert_complains(complaint);
        assert_eq!(output.stdout, "");
    }
}

/// What is not in half of a list may be in the other half: neither "SSM has never seen it" nor "EC2 has forgotten it".
#[test]
fn an_answer_with_next_token_is_incomplete() {
    let account = account(&[node(1), node(2), node(3)]);
    let (ec2, ssm) = save(&account);
    let cut = |path: &str, list: &str| {
        let text = std::fs::read_to_string(path).unwrap();
        let mut answer: Value = serde_json::from_str(&text).unwrap();
        answer["NextToken"] = json!("AAEAAXYZ");
        answer[list].as_array_mut().unwrap().truncate(2);
        let name = format!("{path}.cut");
        std::fs::write(&name, answer.to_string()).unwrap();
        name
    };
    let pages = [
        (
            ec2.clone(),
            cut(&ssm, "InstanceInformationList"),
            "aws ssm describe-instance-information",
        ),
        (cut(&ec2, "Reservations"), ssm, "aws ec2 describe-instances"),
    ];
    for (ec2, ssm, what) in pages {
        let output = run(&["check", "--nodes", &ec2, "--nodes", &ssm]);
        output.assert_status(2);
        let [record] = &output.records()[..] else {
            panic!("{}", output.stdout)
        };
        assert_eq!(record["kind"], "unreachable");
        assert_eq!(record["target"]["account"], json!(account.id()));
        let error = record["error"].as_str().unwrap();
        let expected = format!("`{what}` ends with a NextToken, so nothing can be said of i-");
        assert!(error.contains(&expected), "{error}");
        assert!(
            output.stderr.contains("2 nodes: 2 pass"),
            "{}",
            output.stderr
        );
    }
}

#[test]
fn a_next_token_without_any_place_is_refused() {
    let account = account(&[]);
    let path = account.home().join("ssm.json");
    let text = r#"{"InstanceInformationList": [], "NextToken": "AAEAAXYZ"}"#;
    std::fs::write(&path, text).unwrap();
    let path = path.to_str().unwrap();
    run(&["show", "--nodes", path])
        .assert_status(2)
        .assert_complains("ends with a NextToken");
    let output = run(&[
        "show",
        "--nodes",
        path,
        "--target",
        "111122223333/eu-central-1",
    ]);
    output.assert_status(2);
    assert_eq!(output.json()["kind"], "unreachable");
    // The last page of a list has an empty one in some SDKs.
    let text = r#"{"InstanceInformationList": [], "NextToken": ""}"#;
    std::fs::write(path, text).unwrap();
    run(&["show", "--nodes", path]).assert_status(0);
}

/// Neither answer names whose credentials the agent has.
#[test]
fn a24_a_node_without_profile_and_role_has_credentials_of_nobody_knows_whom() {
    let home = testbed::Home::create();
    let path = home.path().join("nodes.json");
    let ec2 = json!({"Reservations": [{"OwnerId": "111122223333", "Instances": [{"InstanceId": "i-0000000000000000a",
        "State": {"Name": "running"}, "Placement": {"AvailabilityZone": "eu-central-1a"}, "IamInstanceProfile": null,
        "MetadataOptions": null, "Tags": null}]}]});
    let ssm = json!({"InstanceInformationList": [{"InstanceId": "i-0000000000000000a", "PingStatus": "Online",
        "IamRole": null}], "NextToken": null});
    std::fs::write(&path, format!("{ec2}\n{ssm}")).unwrap();
    let output = run(&["show", "--nodes", path.to_str().unwrap()]);
    output.assert_status(0).assert_stderr("");
    assert_eq!(output.json()["managed_by"], "unknown");
}

/// PowerShell's `>` writes UTF-16 with a byte order mark, Notepad one of UTF-8.
#[test]
fn saved_answers_are_read_in_the_encodings_that_windows_writes() {
    let account = account(&[node(1)]);
    let (ec2, ssm) = save(&account);
    let plain = run(&["show", "--nodes", &ec2, "--nodes", &ssm]);
    plain.assert_status(0);
    type Encode = fn(&str) -> Vec<u8>;
    let encodings: [(&str, Encode); 4] = [
        ("UTF-8 with BOM", |text| {
            format!("\u{feff}{text}").into_bytes()
        }),
        ("UTF-16LE with BOM", |text| {
            let marked = format!("\u{feff}{text}");
            marked.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }),
        ("UTF-16BE with BOM", |text| {
            let marked = format!("\u{feff}{text}");
            marked.encode_utf16().flat_map(u16::to_be_bytes).collect()
        }),
        ("UTF-16LE", |text| {
            text.encode_utf16().flat_map(u16::to_le_bytes).collect()
        }),
    ];
    for (name, encode) in encodings {
        let encoded = |path: &str| {
            let text = std::fs::read_to_string(path).unwrap().replace('\n', "\r\n");
            let path = format!("{path}.encoded");
            std::fs::write(&path, encode(&text)).unwrap();
            path
        };
        let output = run(&["show", "--nodes", &encoded(&ec2), "--nodes", &encoded(&ssm)]);
        output.assert_status(0).assert_stderr("");
        assert_eq!(output.stdout, plain.stdout, "{name}");
    }
}

#[test]
fn what_is_not_json_is_refused_as_what_it_is() {
    let home = testbed::Home::create();
    let path = home.path().join("nodes");
    for (text, complaint) in [
        (
            "Reservations:\n- Instances:\n  - InstanceId: i-1\n",
            "it is YAML",
        ),
        ("---\nReservations: []\n", "it is YAML"),
        ("- InstanceId: i-1\n", "it is YAML"),
        (
            "----------------------\n|  DescribeInstances  |\n",
            "it is a table",
        ),
        (
            "INSTANCEINFORMATIONLIST\t3.3.987.0\tweb\n",
            "it is the CLI's text output",
        ),
        (
            "// saved on Monday\n{\"Reservations\": []}\n",
            "JSON has no comments",
        ),
        (
            "{\"Reservations\": [\n  # none\n]}\n",
            "JSON has no comments",
        ),
        (
            "{\"Reservations\": [] /* none */}\n",
            "JSON has no comments",
        ),
    ] {
        std::fs::write(&path, text).unwrap();
        let output = run(&["show", "--nodes", path.to_str().unwrap()]);
        output.assert_status(2).assert_complains(complaint);
        assert_eq!(output.stdout, "");
        // A desired state is read as a whole, by other code.
        let output = offline(EXE)
            .args(["check", "--nodes", "/dev/null"])
            .stdin(text)
            .run();
        // It may have the comments of JSONC; then its fields are not those of a desired state.
        let complaint = match text.starts_with("//") || text.contains("/*") {
            true => "unknown field `Reservations`",
            false => complaint,
        };
        output.assert_status(2).assert_complains(complaint);
    }
}

/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_InstanceInformation.html> (SourceType)
#[test]
fn nodes_of_other_clouds_are_shown_as_what_they_are() {
    let home = testbed::Home::create();
    let path = home.path().join("ssm.json");
    let node = |number: usize, source: &str| json!({"InstanceId": format!("mi-{number:017x}"), "PingStatus": "Online", "SourceType": source});
    let ssm = json!({"InstanceInformationList": [
        node(1, "AWS::SSM::ManagedInstance"),
        node(2, "Microsoft.Compute/virtualMachines"),
        node(3, "compute.googleapis.com/Instance"),
    ]});
    std::fs::write(&path, ssm.to_string()).unwrap();
    let target = "111122223333/eu-central-1";
    let output = run(&[
        "show",
        "--nodes",
        path.to_str().unwrap(),
        "--target",
        target,
    ]);
    output.assert_status(0).assert_stderr("");
    let records = output.records();
    let shown: Vec<_> = records
        .iter()
        .map(|record| (&record["managed_by"], &record["source"]))
        .collect();
    assert_eq!(
        json!(shown),
        json!([
            ["hybrid", "AWS::SSM::ManagedInstance"],
            ["cloud-connector", "Microsoft.Compute/virtualMachines"],
            ["cloud-connector", "compute.googleapis.com/Instance"],
        ])
    );
}
