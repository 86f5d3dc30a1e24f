//! One action less than `history` needs: whichever it is, a record says that there are gaps, and which call was refused.

use crate::buckets::logs;
use crate::{EXE, account};

/// Runs it without an action, then with its whole policy: what makes a table finds it the next time. $PLACE is where log files are.
fn hold(words: &str, action: &str) {
    let account = account();
    let words = words.replace("$PLACE", &logs(&account));
    let run = || account.tool(EXE).args(words.split(' '));
    let refused = run().without(action).run();
    assert!(!refused.refused.is_empty(), "nothing needed {action}");
    refused.assert_status(2);
    let operation = match action.split(':').next_back().unwrap() {
        "ListBucket" => "ListObjectsV2",
        operation => operation,
    };
    let records = refused.records();
    let is_said = records.iter().any(|one| {
        let message = one["message"].as_str().unwrap_or_default();
        one["id"] == "events.history.unread" && message.contains(operation)
    });
    assert!(is_said, "{action}: {}", refused.stdout);
    run().run().assert_status(0);
}

#[test]
fn what_the_event_history_refuses_is_a_gap() {
    hold("history --since 1h", "cloudtrail:LookupEvents");
}

#[test]
fn what_the_bucket_refuses_is_a_gap() {
    for action in ["s3:ListBucket", "s3:GetObject"] {
        hold("history --s3 $PLACE --until 2026-11-04", action);
    }
}

#[test]
fn what_athena_and_its_tables_refuse_is_a_gap() {
    let words =
        "history --s3 $PLACE --until 2026-11-04 --engine athena --query-results s3://results/";
    for action in [
        "athena:GetQueryExecution",
        "athena:GetQueryResults",
        "athena:StartQueryExecution",
        "glue:CreateTable",
        "glue:GetDatabase",
        "glue:GetTable",
        "s3:GetBucketLocation",
        "s3:PutObject",
    ] {
        hold(words, action);
    }
}
