//! Why no command is sent to a node. Pure.

use diagnosis::Hints;
use records::{Node, Timestamp};

use crate::run_spec::TOO_LARGE;
use records::Reason;

/// What to do for a user of this tool where more would have to be known.
const HINTS: Hints = Hints {
    roles: "let `ssm-agentcheck check` look at it, with what `ssm-role show` prints",
    evidence: "let `ssm-agentcheck check` look at it",
};

/// Returns why no command reaches a node; none when no reason is known. One that no session reaches may poll
/// ec2messages.
pub(crate) fn unreachable(node: &Node, now: Timestamp) -> Option<Reason> {
    let cause = diagnosis::diagnose(node, None, now, &HINTS)?;
    if cause.takes_commands {
        return None;
    }
    Some(Reason {
        id: cause.id(),
        message: cause.message,
        fix: cause.fix,
    })
}

/// Returns the reason for an ID that neither SSM nor EC2 knows.
pub(crate) fn unknown() -> Reason {
    Reason::new(
        "run.node.unknown",
        "neither SSM nor EC2 knows it in this account and region",
        "check the ID, account and region",
    )
}

/// Returns the reason for a node that SSM refuses though it calls it online.
pub(crate) fn refused(message: &str) -> Reason {
    Reason::new(
        "run.node.refused",
        format!("SSM takes no command for it: {message}"),
        "wait a moment and run again; it may just have stopped",
    )
}

/// Returns the reason for nodes that could not be looked up.
pub(crate) fn not_read(error: &anyhow::Error) -> Reason {
    Reason::new(
        "run.node.unreadable",
        format!("whether it can be reached could not be read: {error:#}"),
        "allow the caller to read it, or give records of ssm-agentcheck show",
    )
}

/// Returns the reason for nodes in an account or region that no session could be opened for.
pub(crate) fn no_session(error: &anyhow::Error) -> Reason {
    Reason::new(
        "run.target.unreachable",
        format!("{error:#}"),
        "use credentials of its account, or --assume-role 'arn:{partition}:iam::{account}:role/NAME'",
    )
}

/// Returns the reason for nodes whose command SSM did not take.
pub(crate) fn not_taken(error: &anyhow::Error) -> Reason {
    let message = format!("{error:#}");
    // The document counts as well, so that SSM may refuse what is just below the limit.
    let fix = match message.contains("MaxDocumentSizeExceeded") {
        true => TOO_LARGE,
        false => "fix the named cause, then run again",
    };
    Reason::new("run.send.failed", message, fix)
}

/// Returns the reason for nodes whose command may have been taken; sending it again could run it twice.
pub(crate) fn unclear(error: &anyhow::Error) -> Reason {
    Reason::new(
        "run.send.unclear",
        format!("whether its command was taken is not known: {error:#}"),
        "look for it with `aws ssm list-commands` before it is sent again",
    )
}

/// Returns the reason for nodes left out because too many others failed.
pub(crate) fn limit(n_failed: usize, max: usize) -> Reason {
    Reason::new(
        "run.wave.limit",
        format!("{n_failed} nodes of its wave or the one before failed, {max} may"),
        "look at what failed, then run again on the rest",
    )
}

/// Returns the reason for nodes that the run which is resumed had not reached, when nothing more is to be sent.
pub(crate) fn not_reached() -> Reason {
    Reason::new(
        "run.resume.not_reached",
        "the run had not reached it",
        "give --resume with the same command to run it there, too",
    )
}

/// Returns the reason for nodes left out because of Ctrl-C.
pub(crate) fn interrupted() -> Reason {
    Reason::new(
        "run.wave.interrupted",
        "the run was interrupted before it was its turn",
        "run again, or --resume with a command of this run",
    )
}

/// Returns the reason for nodes whose command had not ended when Ctrl-C was; `uncanceled` is why it goes on.
pub(crate) fn left(uncanceled: Option<&str>) -> Reason {
    let command = uncanceled.map_or_else(
        || " and its command canceled".to_owned(),
        |why| format!(", but its command could not be canceled: {why}"),
    );
    Reason::new(
        "run.invocation.interrupted",
        format!("the run was interrupted{command}; this is how it stood at last"),
        "--resume with the command shows what became of it",
    )
}

/// Returns the reason for nodes whose command was sent and whose end could not be read.
pub(crate) fn lost(error: &str) -> Reason {
    Reason::new(
        "run.invocation.unknown",
        format!("what became of it could not be read: {error}"),
        "--resume with the command shows what became of it",
    )
}

/// Returns the reason for nodes whose output is cut though it was to be whole.
pub(crate) fn not_whole(error: &str) -> Reason {
    Reason::new(
        "run.output.unreadable",
        format!("the whole output could not be read: {error}"),
        "let the node's role write there and the caller read there",
    )
}

/// Returns the reason for a scanned node of which SSM does not say what was found.
pub(crate) fn without_patch_state() -> Reason {
    Reason::new(
        "run.patch_state.missing",
        "the scan ran, but SSM reported no result of it",
        "look with `aws ssm describe-instance-patch-states` in a while",
    )
}

/// Returns the reason for scanned nodes whose results could not be read.
pub(crate) fn no_patch_state(error: &str) -> Reason {
    Reason::new(
        "run.patch_state.unreadable",
        format!("the scan has run, but its result could not be read: {error}"),
        "allow the caller ssm:DescribeInstancePatchStates",
    )
}
