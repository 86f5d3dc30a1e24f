//! What the input and the output may be: IDs as others print them, scripts as editors write them, outputs as files.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use testbed::{Account, Output};

use super::{EXE, account, ends, id, ids, invocations, node, prints, requests, run, runs, tool};

fn written(account: &Account, name: &str, text: impl AsRef<[u8]>) -> String {
    let path = account.home().join(name);
    fs::write(&path, text).unwrap();
    path.to_str().unwrap().to_owned()
}

fn commands(account: &Account) -> Vec<Value> {
    let sent = requests(account, "SendCommand").into_iter();
    sent.map(|call| call["Parameters"]["commands"][0].clone())
        .collect()
}

/// 12: arrays, describe-instances and commas.
#[test]
fn node_ids_are_read_as_aws_prints_them() {
    let account = account(&[node(1), node(2)]);
    let (one, two) = (id(1), id(2));
    for text in [
        json!([one, two]).to_string(),
        json!([[one], [two]]).to_string(),
        json!({"Reservations": [{"Instances": [{"InstanceId": one}, {"InstanceId": two}]}]})
            .to_string(),
        json!({"InstanceInformationList": [{"InstanceId": one}, {"InstanceId": two}]}).to_string(),
        format!("{one},{two}\n"),
        format!("{one}\t{two}\n"),
    ] {
        let output = tool(&account, &["--", "id"]).stdin(text.as_str()).run();
        assert_eq!(invocations(output.assert_status(0)).len(), 2, "{text}");
    }
    let part = json!({"Reservations": [], "NextToken": "x"}).to_string();
    let output = tool(&account, &["--", "id"]).stdin(part).run();
    output.assert_status(2).assert_complains(
        "read nodes from stdin: line 1: the answer is only a part, as its NextToken says",
    );
}

/// 12: 64 KB.
#[test]
fn a_script_that_is_too_large_is_refused_before_it_is_sent() {
    let account = account(&[node(1)]);
    let script = written(&account, "large.sh", "#".repeat(302_900));
    let output = run(&account, [1], &["--script", &script]);
    output
        .assert_status(2)
        .assert_complains(
            "302908 bytes, and Run Command takes 65536 (64 KB), document and parameters together",
        )
        .assert_complains("put the script in S3, and run it with --document AWS-RunRemoteScript");
    assert_eq!(account.writes(), Vec::<Value>::new());
    let fits = written(
        &account,
        "fits.sh",
        format!("#{}\nid\n", "x".repeat(60_000)),
    );
    run(&account, [1], &["--script", &fits]).assert_status(0);
}

/// 12: only SSM knows how large the document is.
#[test]
fn a_script_that_ssm_finds_too_large_has_the_same_cure() {
    let account = account(&[node(1)]);
    let script = written(&account, "edge.sh", "#".repeat((64 << 10) - 8));
    let output = run(&account, [1], &["--script", &script]);
    let found = invocations(output.assert_status(2));
    assert_eq!(found[0]["reason"]["id"], "run.send.failed");
    let fix = found[0]["reason"]["fix"].as_str().unwrap();
    assert!(fix.contains("AWS-RunRemoteScript"), "{fix}");
}

/// 12: `#!` is not seen behind a mark.
#[test]
fn a_byte_order_mark_is_left_out_and_carriage_returns_are_noted() {
    let account = account(&[node(1)]);
    let marked = written(&account, "marked.sh", "\u{feff}#!/bin/bash\nid\n");
    run(&account, [1], &["--script", &marked])
        .assert_status(0)
        .assert_stderr(&format!(
            "ssm-run: script {marked}: it begins with a byte-order mark, which is not sent\n"
        ));
    let ends = written(&account, "crlf.sh", "#!/bin/bash\r\nid\r\n");
    run(&account, [1], &["--script", &ends])
        .assert_status(0)
        .assert_complains("its lines end with CR LF");
    let mut sent = commands(&account);
    sent.sort_by_key(|text| text.as_str().unwrap().len());
    assert_eq!(
        sent,
        [json!("#!/bin/bash\nid\n"), json!("#!/bin/bash\r\nid\r\n")]
    );
}

#[test]
fn a_comment_that_is_cut_is_said() {
    let account = account(&[node(1)]);
    run(&account, [1], &["--comment", "CVE-2026-1", "--", "id"]).assert_stderr("");
    let long =
        "because of what was found last night in the office, and by whom, when and why at all";
    let output = run(&account, [1], &["--comment", long, "--", "id"]);
    output
        .assert_status(0)
        .assert_complains("warning: --comment is cut to 'because of what was found");
    let comment = requests(&account, "SendCommand")[1]["Comment"]
        .as_str()
        .unwrap()
        .to_owned();
    let said = output.stderr.split('\'').nth(1).unwrap();
    assert!(
        comment.ends_with(said) && comment.len() == 100 && said.len() < long.len(),
        "{comment}: {said}"
    );
}

#[test]
fn counts_by_status_come_last_on_stderr() {
    let account = account(&[ends(1, "Failed"), node(2), node(3)]);
    run(&account, [1, 2, 3], &["--", "id"])
        .assert_status(1)
        .assert_stderr("ssm-run: 3 nodes: 2 Success, 1 Failed\n");
    run(&account, [1, 2, 3], &["-q", "--", "id"]).assert_stderr("");
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o777
}

fn kept(account: &Account, numbers: &[usize], directory: &Path) -> Output {
    let directory = directory.to_str().unwrap();
    run(
        account,
        numbers.iter().copied(),
        &["--out", directory, "--", "id"],
    )
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).unwrap();
    let names = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.collect();
    names.sort();
    names
}

#[test]
fn outputs_are_files_of_ones_own_named_by_node() {
    let account = account(&[
        prints(1, json!({"stdout": "a\n", "stderr": "b\n"})),
        prints(2, json!({"stdout": "c\n"})),
    ]);
    let directory = account.home().join("new/outputs");
    let output = kept(&account, &[1, 2], &directory);
    assert_eq!(invocations(output.assert_status(0)).len(), 2);
    let file = |number: usize, stream: &str| directory.join(format!("{}.{stream}", id(number)));
    let read = |number, stream| fs::read_to_string(file(number, stream)).unwrap();
    assert_eq!([read(1, "stdout"), read(1, "stderr")], ["a\n", "b\n"]);
    assert_eq!([read(2, "stdout"), read(2, "stderr")], ["c\n", ""]);
    assert_eq!(names(&directory).len(), 4);
    assert_eq!((mode(&directory), mode(&file(1, "stdout"))), (0o700, 0o600));
}

/// What Run Command cut must not look like all of it.
#[test]
fn an_output_that_was_cut_is_called_so() {
    let long = "0123456789\n".repeat(3_000);
    let account = account(&[prints(1, json!({"stdout": long, "stderr": "b\n"})), node(2)]);
    let directory = account.home().join("outputs");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join(format!("{}.stdout", id(1))), "of yesterday").unwrap();
    fs::write(
        directory.join(format!("{}.stdout.cut", id(2))),
        "of yesterday",
    )
    .unwrap();
    let output = kept(&account, &[1, 2], &directory);
    output.assert_status(0).assert_complains(&format!(
        "1 output cut by Run Command: the beginning is in {}/ID.stdout.cut or ID.stderr.cut; --output-s3 or --output-log-group keeps all of it",
        directory.display()
    ));
    let expected = [
        (1, "stderr"),
        (1, "stdout.cut"),
        (2, "stderr"),
        (2, "stdout"),
    ];
    let expected = expected.map(|(number, stream)| format!("{}.{stream}", id(number)));
    assert_eq!(names(&directory), expected);
    let part = fs::read_to_string(directory.join(&expected[1])).unwrap();
    assert!(part.starts_with(&long[..23_000]) && part.len() < long.len());
}

#[test]
fn a_link_is_replaced_and_not_followed() {
    let account = account(&[prints(1, json!({"stdout": "a\n"}))]);
    let directory = account.home().join("outputs");
    fs::create_dir(&directory).unwrap();
    let elsewhere = PathBuf::from(written(&account, "elsewhere", "mine"));
    let file = directory.join(format!("{}.stdout", id(1)));
    symlink(&elsewhere, &file).unwrap();
    kept(&account, &[1], &directory).assert_status(0);
    assert_eq!(fs::read_to_string(&elsewhere).unwrap(), "mine");
    assert_eq!(fs::read_to_string(&file).unwrap(), "a\n");
    let link = account.home().join("link");
    symlink(&directory, &link).unwrap();
    kept(&account, &[1], &link)
        .assert_status(2)
        .assert_complains("it is a symbolic link: name the directory itself");
    assert_eq!(runs(&account), [(id(1), 1)]);
}

/// The output of an earlier run must not look like that of this one.
#[test]
fn a_node_of_which_nothing_is_known_has_no_file() {
    let account = account(&[
        json!({"instance_id": id(1), "state": "stopped", "agent": {"version": "3.3.987.0"}}),
    ]);
    let directory = account.home().join("outputs");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join(format!("{}.stdout", id(1))), "of yesterday").unwrap();
    kept(&account, &[1], &directory).assert_status(2);
    assert_eq!(names(&directory), [""; 0]);
}

#[test]
fn a_directory_that_cannot_be_written_is_an_error_before_anything_is_sent() {
    let account = account(&[node(1)]);
    let file = PathBuf::from(written(&account, "file", ""));
    for (directory, why) in [
        (file.as_path(), "exists"),
        (Path::new("/proc/nope"), "No such file"),
    ] {
        kept(&account, &[1], directory)
            .assert_status(2)
            .assert_complains(&format!("--out {}: ", directory.display()))
            .assert_complains(why);
    }
    assert_eq!(account.writes(), Vec::<Value>::new());
}

/// A limit on the size of files, in place of a full disk.
#[test]
fn an_output_that_cannot_be_kept_is_an_error_that_says_how_to_go_on() {
    let account = account(&[prints(1, json!({"stdout": "x".repeat(2000)}))]);
    let directory = account.home().join("outputs");
    let script = "trap '' XFSZ; ulimit -f 1; exec \"$0\" \"$@\"";
    let output = account
        .tool("/bin/sh")
        .args([
            "-c",
            script,
            EXE,
            "--out",
            directory.to_str().unwrap(),
            "--",
            "id",
        ])
        .stdin(ids([1]))
        .run();
    output
        .assert_status(2)
        .assert_complains(&format!("{}.stdout: File too large", id(1)))
        .assert_complains("nothing more was sent; `ssm-run --resume ");
    assert_eq!(invocations(&output)[0]["stdout"], "x".repeat(2000));
    assert_eq!(names(&directory), [""; 0], "half a file is none");
}
