//! Which fields of a record a table shows. On a narrow terminal the last columns are left out, and long texts are cut.

use std::borrow::Cow;

use serde_json::Value;

use super::plain;

/// The table of one kind of record.
#[derive(Debug)]
pub(super) struct Shape {
    /// The `kind` of the records.
    pub(super) kind: &'static str,
    /// What one is, to be counted.
    pub(super) noun: &'static str,
    /// The most important first.
    pub(super) columns: &'static [Column],
    /// Whether one alone is shown with all that it holds.
    pub(super) has_details: bool,
}

/// A title, where in the record its cell is - the first that is there - and how it is shown.
#[derive(Debug)]
pub(super) struct Column {
    pub(super) title: &'static str,
    at: &'static [&'static str],
    shown: Shown,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shown {
    Whole,
    /// Cut where the terminal is too narrow.
    Cut,
    /// What is behind the last slash, such as the name in the ARN of a role.
    Tail,
    /// The account of an ARN.
    Account,
    /// Seconds as hours, minutes and seconds.
    Duration,
    /// How many there are.
    Count,
    /// Items with commas between them, cut where the terminal is too narrow.
    List,
    /// A word of ours, without underscores.
    Words,
}

const fn column(title: &'static str, at: &'static [&'static str], shown: Shown) -> Column {
    Column { title, at, shown }
}

const REGION: Column = column("REGION", &["/target/region"], Shown::Whole);
const ACCOUNT: Column = column("ACCOUNT", &["/target/account"], Shown::Whole);
/// Roles of many accounts have the same name.
const OF_PRINCIPAL: Column = column("ACCOUNT", &["/principal"], Shown::Account);
const WHO: Column = column("WHO", &["/session_name", "/principal"], Shown::Tail);

const SHAPES: [Shape; 15] = [
    Shape {
        kind: "node",
        noun: "node",
        columns: &[
            column("NODE", &["/instance_id"], Shown::Whole),
            column("NAME", &["/tags/Name"], Shown::Cut),
            column("STATE", &["/state"], Shown::Whole),
            column("PING", &["/agent/ping"], Shown::Whole),
            column("AGENT", &["/agent/version"], Shown::Whole),
            column("IMDS", &["/imds/tokens"], Shown::Whole),
            column("MANAGED BY", &["/managed_by"], Shown::Whole),
            REGION,
            ACCOUNT,
            column(
                "PLATFORM",
                &["/platform/name", "/platform/type"],
                Shown::Whole,
            ),
        ],
        has_details: false,
    },
    Shape {
        kind: "session",
        noun: "session",
        columns: &[
            column("SESSION STARTED", &["/started"], Shown::Whole),
            column("DURATION", &["/duration_seconds"], Shown::Duration),
            WHO,
            column("NODE", &["/node"], Shown::Whole),
            column(
                "TRANSCRIPT",
                &[
                    "/transcript/none",
                    "/transcript/s3/key",
                    "/transcript/log_stream/name",
                ],
                Shown::Cut,
            ),
            column("NAME", &["/node_name"], Shown::Cut),
            column("REASON", &["/reason"], Shown::Cut),
            column("OF TRANSCRIPT", &["/transcript/message"], Shown::Cut),
            REGION,
            ACCOUNT,
        ],
        has_details: false,
    },
    Shape {
        kind: "command",
        noun: "command",
        columns: &[
            column("COMMAND SENT", &["/time"], Shown::Whole),
            column("DOCUMENT", &["/document"], Shown::Whole),
            WHO,
            column("NODES", &["/nodes"], Shown::List),
            column("COMMENT", &["/comment"], Shown::Cut),
            REGION,
            ACCOUNT,
        ],
        has_details: false,
    },
    Shape {
        kind: "refused",
        noun: "refused call",
        columns: &[
            column("REFUSED", &["/time"], Shown::Whole),
            column("CALL", &["/event"], Shown::Whole),
            WHO,
            column("ERROR", &["/error"], Shown::Cut),
            column("NODE", &["/node"], Shown::Whole),
            column("SERVICE", &["/service"], Shown::Whole),
            REGION,
            ACCOUNT,
            column("FROM", &["/source_address"], Shown::Whole),
        ],
        has_details: false,
    },
    Shape {
        kind: "call",
        noun: "record",
        columns: &[
            column("TIME", &["/time"], Shown::Whole),
            WHO,
            column("CALL", &["/event"], Shown::Whole),
            column("NODE", &["/nodes"], Shown::List),
            column("RESULT", &["/result"], Shown::Whole),
            column("REASON", &["/reason"], Shown::Cut),
            REGION,
            ACCOUNT,
            column("FROM", &["/source_address"], Shown::Whole),
        ],
        has_details: false,
    },
    Shape {
        kind: "log_integrity",
        noun: "time span",
        columns: &[
            column("LOG FILES", &["/status"], Shown::Words),
            column("FROM", &["/from"], Shown::Whole),
            column("TO", &["/to"], Shown::Whole),
            column("FILES", &["/log_files"], Shown::Count),
            column("WHY", &["/message"], Shown::Cut),
            REGION,
            ACCOUNT,
            column("TRAIL", &["/trail"], Shown::Cut),
        ],
        has_details: false,
    },
    Shape {
        kind: "impact",
        noun: "principal",
        columns: &[
            column("BECOMES", &["/class"], Shown::Words),
            column("PRINCIPAL", &["/principal"], Shown::Tail),
            column("ACCOUNT", &["/account"], Shown::Whole),
            column("ACTIONS", &["/actions"], Shown::List),
            column("WHY", &["/why"], Shown::Cut),
        ],
        has_details: false,
    },
    Shape {
        kind: "simulation",
        noun: "answer",
        columns: &[
            column("ANSWER", &["/answer"], Shown::Whole),
            column("ACTION", &["/action"], Shown::Whole),
            column("PRINCIPAL", &["/principal"], Shown::Tail),
            OF_PRINCIPAL,
            column("WHY", &["/why"], Shown::Cut),
            column("RESOURCE", &["/resource"], Shown::Cut),
        ],
        has_details: true,
    },
    Shape {
        kind: "denied_call",
        noun: "denied action",
        columns: &[
            column("DENIED", &["/n_denied"], Shown::Whole),
            column("PERHAPS", &["/n_unknown"], Shown::Whole),
            column("ACTION", &["/action"], Shown::Whole),
            column("PRINCIPAL", &["/principal"], Shown::Tail),
            OF_PRINCIPAL,
            column("LAST", &["/last"], Shown::Whole),
            column("BY", &["/sid", "/policy"], Shown::Cut),
        ],
        has_details: false,
    },
    Shape {
        kind: "policy",
        noun: "policy",
        columns: &[
            column("POLICY", &["/name"], Shown::Cut),
            column("ID", &["/id"], Shown::Whole),
            column("TYPE", &["/policy_type"], Shown::Words),
            column("CHARACTERS", &["/n_characters"], Shown::Whole),
            column("ATTACHED TO", &["/attached_to"], Shown::List),
        ],
        has_details: false,
    },
    Shape {
        kind: "entity",
        noun: "entity",
        columns: &[
            column("ENTITY", &["/id"], Shown::Whole),
            column("TYPE", &["/type"], Shown::Words),
            column("PATH", &["/path"], Shown::Cut),
            column("POLICIES", &["/policies"], Shown::List),
            column(
                "RESOURCE CONTROL POLICIES",
                &["/resource_control_policies"],
                Shown::List,
            ),
        ],
        has_details: false,
    },
    Shape {
        kind: "patch_state",
        noun: "patch state",
        columns: &[
            column("NODE", &["/instance_id"], Shown::Whole),
            column("UNKNOWN", &["/reason/id"], Shown::Whole),
            column("MISSING", &["/missing_count"], Shown::Whole),
            column("FAILED", &["/failed_count"], Shown::Whole),
            column("REBOOT", &["/installed_pending_reboot_count"], Shown::Whole),
            column("BASELINE", &["/baseline_id"], Shown::Whole),
            column("WHY", &["/reason/message"], Shown::Cut),
            column("SCANNED", &["/operation_end_time"], Shown::Whole),
            REGION,
            ACCOUNT,
        ],
        has_details: false,
    },
    Shape {
        kind: "preferences",
        noun: "region",
        columns: &[
            REGION,
            ACCOUNT,
            column(
                "DOCUMENT",
                &["/document/value/default/version", "/document/state"],
                Shown::Whole,
            ),
            column(
                "KEY",
                &["/document/value/default/content/inputs/kmsKeyId"],
                Shown::Cut,
            ),
            column(
                "BUCKET",
                &["/document/value/default/content/inputs/s3BucketName"],
                Shown::Cut,
            ),
            column(
                "LOG GROUP",
                &["/document/value/default/content/inputs/cloudWatchLogGroupName"],
                Shown::Cut,
            ),
            column(
                "IDLE",
                &["/document/value/default/content/inputs/idleSessionTimeout"],
                Shown::Whole,
            ),
        ],
        has_details: true,
    },
    Shape {
        kind: "host_management",
        noun: "region",
        columns: &[
            REGION,
            ACCOUNT,
            column(
                "DEFAULT",
                &["/default_host_management/status"],
                Shown::Whole,
            ),
            column("ITS ROLE", &["/default_host_management/role"], Shown::Cut),
            column("ROLES", &["/roles"], Shown::Count),
            column("INSTANCES", &["/instances"], Shown::Count),
        ],
        has_details: true,
    },
    Shape {
        kind: "alerts",
        noun: "region",
        columns: &[
            REGION,
            ACCOUNT,
            column("RULE", &["/observed/rule/state"], Shown::Whole),
            column(
                "CONNECTION",
                &[
                    "/observed/connection/value/state",
                    "/observed/connection/state",
                ],
                Shown::Whole,
            ),
            column(
                "DESTINATION",
                &["/observed/destination/state"],
                Shown::Whole,
            ),
            column("FUNCTION", &["/observed/function/state"], Shown::Whole),
            column("TRAIL", &["/observed/trail/state"], Shown::Whole),
            column(
                "WAITING",
                &["/observed/queue/value/n_messages"],
                Shown::Whole,
            ),
        ],
        has_details: true,
    },
];

impl Shape {
    /// Returns the table for a kind of record that is shown in one.
    pub(super) fn of(kind: &str) -> Option<&'static Shape> {
        SHAPES.iter().find(|one| one.kind == kind)
    }
}

impl Column {
    /// Returns the cell of a record, `-` where there is nothing.
    pub(super) fn cell(&self, record: &Value) -> String {
        let mut values = self.at.iter().filter_map(|at| record.pointer(at));
        let Some(value) = values.find(|value| !value.is_null()) else {
            return "-".to_owned();
        };
        let text = plain(value);
        match (self.shown, value) {
            (Shown::Tail, _) => text.rsplit('/').next().unwrap_or_default().to_owned(),
            (Shown::Account, _) => match text.split(':').nth(4) {
                None | Some("") => "-".to_owned(),
                Some(account) => account.to_owned(),
            },
            (Shown::Words, _) => text.replace('_', " "),
            (Shown::Count, Value::Array(items)) => items.len().to_string(),
            (Shown::List, Value::Array(items)) if items.is_empty() => "-".to_owned(),
            (Shown::List, Value::Array(items)) => items
                .iter()
                .map(plain)
                .collect::<Vec<Cow<str>>>()
                .join(", "),
            (Shown::Duration, seconds) => seconds.as_i64().map_or_else(
                || text.into_owned(),
                |seconds| {
                    format!(
                        "{}:{:02}:{:02}",
                        seconds / 3600,
                        seconds / 60 % 60,
                        seconds % 60
                    )
                },
            ),
            _ => text.into_owned(),
        }
    }

    /// Returns whether its cells are cut where the terminal is too narrow.
    pub(super) fn is_cut(&self) -> bool {
        matches!(self.shown, Shown::Cut | Shown::List | Shown::Tail)
    }
}
