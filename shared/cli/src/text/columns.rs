//! Which fields of a record a table shows. On a narrow terminal the last columns are left out - that of places only where all rows
//! are of one - long texts are cut, and reasons are wrapped.

use super::column::{Column, Shown, column};

/// The table of one kind of record.
#[derive(Debug)]
pub(super) struct Shape {
    /// The `kind` of the records.
    pub(super) kind: &'static str,
    /// What one is, to be counted; empty where the tool counts them by what they say.
    pub(super) noun: &'static str,
    /// The most important first.
    pub(super) columns: &'static [Column],
    /// How one alone is shown.
    pub(super) alone: Alone,
}

/// How a record is shown that is the only one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Alone {
    /// As one of many.
    Row,
    /// A line for each column, none of them cut: the record holds more than anybody reads at a time.
    Lines,
    /// With all that it holds.
    Whole,
}

const REGION: Column = column("REGION", &["/target/region"], Shown::Whole).place();
const ACCOUNT: Column = column("ACCOUNT", &["/target/account"], Shown::Whole).place();
/// Roles of many accounts have the same name.
const OF_PRINCIPAL: Column = column("ACCOUNT", &["/principal"], Shown::Account);
/// A record of the roles of people is made without reading the instances.
const OF_OPERATORS: &str = "/of_operators";
const WHO: Column = column("WHO", &["/session_name", "/principal"], Shown::Tail).subject();

const SHAPES: [Shape; 18] = [
    Shape {
        kind: "checked_node",
        noun: "",
        columns: &[
            column("NODE", &["/instance_id"], Shown::Whole),
            column("NAME", &["/tags/Name"], Shown::Cut),
            column("PING", &["/agent/ping"], Shown::Whole),
            column("WHY", &["/problems"], Shown::Reason),
            column("AGENT", &["/agent/version"], Shown::Whole),
            column("STATE", &["/state"], Shown::Whole),
            REGION,
            ACCOUNT,
        ],
        alone: Alone::Row,
    },
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
        alone: Alone::Row,
    },
    Shape {
        kind: "session",
        noun: "session",
        columns: &[
            column("SESSION STARTED", &["/started"], Shown::Whole),
            column("DURATION", &["/duration_seconds"], Shown::Duration),
            WHO,
            column("NODE", &["/node"], Shown::Whole).subject(),
            column(
                "TRANSCRIPT",
                &[
                    "/transcript/none",
                    "/transcript/s3/key",
                    "/transcript/log_stream/name",
                ],
                Shown::Cut,
            ),
            column("ENDED", &["/how_it_ended"], Shown::Words),
            column("NAME", &["/node_name"], Shown::Cut),
            column("REASON", &["/reason"], Shown::Cut),
            column("OF TRANSCRIPT", &["/transcript/message"], Shown::Wrapped),
            REGION,
            ACCOUNT,
        ],
        alone: Alone::Row,
    },
    Shape {
        kind: "command",
        noun: "command",
        columns: &[
            column("COMMAND SENT", &["/time"], Shown::Whole),
            column("DOCUMENT", &["/document"], Shown::Whole),
            WHO,
            column("NODES", &["/nodes"], Shown::Ids).subject(),
            column("NAMES", &["/node_names"], Shown::List),
            column("COMMENT", &["/comment"], Shown::Cut),
            REGION,
            ACCOUNT,
        ],
        alone: Alone::Row,
    },
    Shape {
        kind: "refused",
        noun: "refused call",
        columns: &[
            column("REFUSED", &["/time"], Shown::Whole),
            column("CALL", &["/event"], Shown::Whole),
            WHO,
            column("ERROR", &["/error"], Shown::Wrapped),
            column("NODE", &["/node"], Shown::Whole).subject(),
            column("NAME", &["/node_name"], Shown::Cut),
            column("SERVICE", &["/service"], Shown::Whole),
            REGION,
            ACCOUNT,
            column("FROM", &["/source_address"], Shown::Whole),
        ],
        alone: Alone::Row,
    },
    Shape {
        kind: "routing",
        noun: "record",
        columns: &[
            column("CALL", &["/event"], Shown::Whole).subject(),
            column("SEVERITY", &["/severity"], Shown::Whole),
            column("RULE", &["/rule", "/decided_by"], Shown::Whole),
            column("TO", &["/to"], Shown::Ids),
            column("MUTED", &["/muted"], Shown::Wrapped),
            column("EVENT", &["/event_id"], Shown::Cut),
        ],
        alone: Alone::Whole,
    },
    Shape {
        kind: "delivery",
        noun: "message",
        columns: &[
            column("MESSAGE", &["/status"], Shown::Whole),
            column("TO", &["/destination"], Shown::Whole),
            column("EVENT", &["/event_id"], Shown::Whole).subject(),
            column("WHY", &["/note"], Shown::Reason),
        ],
        alone: Alone::Row,
    },
    Shape {
        kind: "call",
        noun: "record",
        columns: &[
            column("TIME", &["/time"], Shown::Whole),
            WHO,
            column("CALL", &["/event"], Shown::Whole),
            column("NODE", &["/nodes"], Shown::Ids).subject(),
            column("RESULT", &["/result"], Shown::Wrapped),
            column("REASON", &["/reason"], Shown::Cut),
            REGION,
            ACCOUNT,
            column("FROM", &["/source_address"], Shown::Whole),
        ],
        alone: Alone::Row,
    },
    Shape {
        kind: "log_integrity",
        noun: "",
        columns: &[
            column("LOG FILES", &["/status"], Shown::Words),
            column("FROM", &["/from"], Shown::Whole).subject(),
            column("TO", &["/to"], Shown::Whole),
            column("FILES", &["/log_files"], Shown::Count),
            column("WHY", &["/message"], Shown::Reason),
            REGION,
            ACCOUNT,
            column("TRAIL", &["/trail"], Shown::Cut),
        ],
        alone: Alone::Row,
    },
    Shape {
        kind: "impact",
        // A row may be about many principals.
        noun: "",
        columns: &[
            column("BECOMES", &["/class"], Shown::Words),
            column("PRINCIPAL", &["/principal"], Shown::Tail).subject(),
            column("ACCOUNT", &["/account"], Shown::Whole),
            column("ACTIONS", &["/actions"], Shown::List),
            column("WHY", &["/why"], Shown::Reason),
        ],
        alone: Alone::Row,
    },
    Shape {
        kind: "simulation",
        noun: "answer",
        columns: &[
            column("ANSWER", &["/answer"], Shown::Whole),
            column("ACTION", &["/action"], Shown::Whole),
            column("PRINCIPAL", &["/principal"], Shown::Tail).subject(),
            OF_PRINCIPAL,
            column("WHY", &["/why"], Shown::Reason),
            column("RESOURCE", &["/resource"], Shown::Cut),
        ],
        alone: Alone::Whole,
    },
    Shape {
        kind: "denied_call",
        noun: "denied action",
        columns: &[
            column("DENIED", &["/n_denied"], Shown::Whole),
            column("PERHAPS", &["/n_unknown"], Shown::Whole),
            column("ACTION", &["/action"], Shown::Whole).subject(),
            column("PRINCIPAL", &["/principal"], Shown::Tail).subject(),
            OF_PRINCIPAL,
            column("LAST", &["/last"], Shown::Whole),
            column("BY", &["/sid", "/policy"], Shown::Cut),
        ],
        alone: Alone::Row,
    },
    Shape {
        kind: "policy",
        noun: "policy",
        columns: &[
            column("POLICY", &["/name"], Shown::Cut),
            column("ID", &["/id"], Shown::Whole),
            column("TYPE", &["/policy_type"], Shown::Words),
            column("CHARACTERS", &["/n_characters"], Shown::Whole),
            column("ATTACHED TO", &["/attached_to"], Shown::Ids),
        ],
        alone: Alone::Row,
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
        alone: Alone::Row,
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
            // The ID in UNKNOWN is the reason in short.
            column("WHY", &["/reason/message"], Shown::Wrapped),
            column("SCANNED", &["/operation_end_time"], Shown::Whole),
            REGION,
            ACCOUNT,
        ],
        alone: Alone::Row,
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
        alone: Alone::Lines,
    },
    Shape {
        kind: "host_management",
        noun: "region",
        columns: &[
            REGION,
            ACCOUNT,
            column(
                "HOST MANAGEMENT",
                &["/default_host_management"],
                Shown::Setting,
            ),
            column("ROLES", &["/roles"], Shown::Count),
            column("INSTANCES", &["/instances"], Shown::Count).unless(OF_OPERATORS),
        ],
        alone: Alone::Lines,
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
        alone: Alone::Lines,
    },
];

impl Shape {
    /// Returns the table for a kind of record that is shown in one.
    pub(super) fn of(kind: &str) -> Option<&'static Shape> {
        SHAPES.iter().find(|one| one.kind == kind)
    }
}
