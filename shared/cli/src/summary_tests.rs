//! The last lines of runs of all kinds.

use serde_json::json;

use super::{Next, Shown};
use crate::typed::{Carried, Typed};

fn carried(flags: &str) -> Carried {
    Carried {
        flags: flags.to_owned(),
        is_narrower: false,
    }
}

#[test]
fn an_apply_ends_with_counts_and_the_way_back() {
    let mut shown = Shown::default();
    let done = json!({"results": [{"status": "done"}, {"status": "failed"}, {"status": "done"}], "undo": null});
    shown.results.add(&done);
    let lines = |shown: &Shown| shown.lines("ssm-x", None, &Typed::default());
    assert_eq!(lines(&shown), ["2 done, 1 failed"]);
    let undo = json!({"results": [{"status": "done"}], "undo": {"changes": []}});
    shown.results.add(&undo);
    shown.n_unreachable = 1;
    let mut expected = [
        "3 done, 1 failed in 2 plans; 1 account or region could not be read",
        "to undo this, pipe the plan above into ssm-x apply",
    ];
    assert_eq!(lines(&shown), expected);
    assert_eq!(shown.undo().unwrap(), "\n{\"changes\":[]}");
    // Of several plans, or where something was there already, it cannot be recovered.
    shown.is_plan_kept = true;
    assert!(shown.undo().is_some());
    let mut one = Shown {
        is_plan_kept: true,
        ..Shown::default()
    };
    one.results.add(&undo);
    expected[0] = "1 done";
    expected[1] = "to undo this: ` --recover | jq -c '.undo // empty' | ssm-x apply`";
    let of_file = one.lines("ssm-x", Some("plan.json".as_ref()), &Typed::default());
    assert_eq!(of_file, expected);
    assert_eq!(one.undo(), None);
    let mut of_stdin = Shown {
        is_plan_kept: true,
        ..Shown::default()
    };
    of_stdin.results.add(&undo);
    assert_eq!(
        lines(&of_stdin)[1],
        "FILE is the plan that was read from stdin"
    );
    let unchanged =
        json!({"results": [{"status": "done"}, {"status": "unchanged"}], "undo": {"changes": []}});
    one.results.add(&unchanged);
    one.results.n_plans = 1;
    assert!(one.undo().is_some());
    let mut nothing = Shown::default();
    nothing.results.add(&json!({"results": [], "undo": null}));
    assert_eq!(lines(&nothing), ["nothing to do"]);
}

/// What was judged is not always what is on stdin.
#[test]
fn the_next_command_reads_what_it_is_about() {
    let typed = Typed {
        everywhere: String::new(),
        places: " --region r".to_owned(),
        whole: "ssm-x sing --region r -f in.jsonl".to_owned(),
        carried: [
            ("dance".to_owned(), carried(" --on-ice")),
            (
                "rest".to_owned(),
                Carried {
                    is_narrower: true,
                    ..Carried::default()
                },
            ),
        ]
        .into(),
    };
    let of = |next: Next, file: Option<&str>| {
        let shown = Shown {
            has_shown: true,
            next: Some(next),
            ..Shown::default()
        };
        let mut typed = typed.clone();
        if file.is_none() {
            typed.whole = typed.whole.replace(" -f in.jsonl", "");
        }
        let file = file.map(std::path::Path::new);
        shown.lines("ssm-x", file, &typed).concat()
    };
    let guard = || Next::VerbOf("impact", Some("the guard.json".into()));
    for (next, file, expected) in [
        (
            guard(),
            Some("in.jsonl"),
            "ssm-x impact -f 'the guard.json' --region r",
        ),
        (
            Next::VerbOf("impact", None),
            Some("in.jsonl"),
            "ssm-x impact -f FILE --region r",
        ),
        (
            Next::Again("--html >x.html"),
            Some("in.jsonl"),
            "ssm-x sing --region r -f in.jsonl --html >x.html",
        ),
        (
            Next::Again("--html >x.html"),
            None,
            "ssm-x sing --region r -f FILE --html >x.html",
        ),
        (
            Next::Saved("songs", "report --songs"),
            Some("in.jsonl"),
            "ssm-x sing --region r -f in.jsonl >songs.jsonl; ssm-x report --songs songs.jsonl -f in.jsonl",
        ),
        (Next::Other("ssm-y check"), None, "ssm-y check --region r"),
        (Next::Bare("dance"), None, "ssm-x dance --on-ice --region r"),
        (
            Next::Verb("dance"),
            Some("in.jsonl"),
            "ssm-x dance -f in.jsonl --on-ice --region r",
        ),
        (
            Next::SavedFor("songs", "ssm-y check --songs"),
            None,
            "ssm-x sing --region r >songs.jsonl; ssm-y check --songs songs.jsonl -f FILE --region r",
        ),
    ] {
        let lines = of(next, file);
        let next = lines.rsplit_once("next: ").unwrap().1;
        assert_eq!(next, expected);
    }
    // One that would be about more.
    assert_eq!(of(Next::Verb("rest"), Some("in.jsonl")), "");
    assert_eq!(
        of(Next::VerbOf("rest", None), Some("in.jsonl")),
        "FILE is a file with the inputnext: ssm-x rest -f FILE --region r"
    );
    let lines = of(Next::VerbOf("plan", None), Some("in.jsonl"));
    let expected = "FILE is a desired state, of which `ssm-x --generate example` prints an examplenext: ssm-x plan -f FILE --region r";
    assert_eq!(lines, expected);
}

#[test]
fn files_are_named_as_a_shell_takes_them() {
    let shown = Shown {
        has_shown: true,
        next: Some(Next::Verb("check")),
        ..Shown::default()
    };
    let lines = shown.lines("ssm-x", Some("it's mine.json".as_ref()), &Typed::default());
    assert_eq!(lines, [r"next: ssm-x check -f 'it'\''s mine.json'"]);
}

/// A command for another account is worse than none.
#[test]
fn the_next_command_is_for_the_same_places() {
    let typed = Typed {
        everywhere: String::new(),
        places: " --profile shop --region eu-west-1".to_owned(),
        carried: [("plan".to_owned(), carried(" --prefs p.jsonl"))].into(),
        whole: "ssm-x plan -f x.json --profile shop --region eu-west-1 --accept=risk".to_owned(),
    };
    let file = Some("x.json".as_ref());
    let mut planned = Shown::default();
    planned
        .changes
        .add(&json!({"changes": [{"from": null, "to": {}}]}));
    assert_eq!(
        planned.lines("ssm-x", file, &typed)[1],
        "nothing is written yet; next: ssm-x plan -f x.json --profile shop --region eu-west-1 --accept=risk >plan.json && \
         ssm-x apply --profile shop --region eu-west-1 <plan.json"
    );
    // What was on stdin is in some file.
    let of_stdin = &planned.lines("ssm-x", Some("-".as_ref()), &Typed::default())[2];
    assert!(of_stdin.contains(" -f FILE >plan.json"), "{of_stdin}");
    let mut shown = Shown {
        has_shown: true,
        next: Some(Next::Plan),
        ..Shown::default()
    };
    // After an apply there is nothing left to plan.
    assert!(shown.lines("ssm-x", file, &typed).is_empty());
    let mut found = |fix: &str| {
        shown.findings.add(json!({"fix": fix}));
        shown.lines("ssm-x", file, &typed).pop()
    };
    assert_eq!(found("restart the agent"), None);
    let listed = Shown {
        has_shown: true,
        next: Some(Next::Pipe("report")),
        ..Shown::default()
    };
    assert_eq!(
        listed.lines("ssm-x", None, &typed),
        [format!("next: {} | ssm-x report", typed.whole)]
    );
    assert_eq!(
        found("let ssm-y check, plan and apply mend it").unwrap(),
        "next: ssm-y plan -f FILE --profile shop --region eu-west-1"
    );
    assert_eq!(
        found("run plan and apply").unwrap(),
        "next: ssm-x plan -f x.json --prefs p.jsonl --profile shop --region eu-west-1"
    );
}

/// Placeholders are explained, and what a command needs that is not in it is said.
#[test]
fn nothing_of_a_next_command_is_left_to_guess() {
    let mut shown = Shown {
        has_shown: true,
        next: Some(Next::VerbOf(
            "impact --assume-role 'arn:{partition}:iam::{account}:role/NAME'",
            Some("x.json".into()),
        )),
        before_next: vec!["set WEBHOOK first".to_owned()],
        ..Shown::default()
    };
    let lines = |shown: &Shown| shown.lines("ssm-x", Some("x.json".as_ref()), &Typed::default());
    let role = "NAME is a role that may read IAM, in each account";
    assert_eq!(lines(&shown)[..2], ["set WEBHOOK first", role]);
    shown
        .changes
        .add(&json!({"changes": [{"from": null, "to": {}}]}));
    shown.of_apply = " --assume-role 'arn:{partition}:iam::{account}:role/NAME'".to_owned();
    assert_eq!(lines(&shown)[1], role);
    shown.next = None;
    shown.changes = crate::text::Changes::default();
    assert!(lines(&shown).is_empty());
}

/// What a plan says by itself is not said again, and what could not be read is in the last line of counts.
#[test]
fn nothing_to_change_is_said_once_and_what_is_unread_always() {
    let lines = |shown: &Shown| shown.lines("ssm-x", None, &Typed::default());
    let mut planned = Shown::default();
    planned.changes.add(&json!({"changes": []}));
    assert!(lines(&planned).is_empty());
    planned.n_unreachable = 1;
    let unread = "1 account or region could not be read";
    assert_eq!(lines(&planned), [format!("nothing to change; {unread}")]);
    planned.n_unreachable = 0;
    planned.changes.add(&json!({"changes": []}));
    assert_eq!(lines(&planned), ["nothing to change"]);
    let counted = Shown {
        counts: vec![(1, "principal")],
        n_unreachable: 3,
        ..Shown::default()
    };
    let expected = "1 principal; 3 accounts or regions could not be read";
    assert_eq!(lines(&counted), [expected]);
    let narrowed = Shown {
        counts: vec![(2, "node")],
        has_more_columns: true,
        ..Shown::default()
    };
    assert_eq!(lines(&narrowed), ["2 nodes", "more columns: -o csv"]);
}
