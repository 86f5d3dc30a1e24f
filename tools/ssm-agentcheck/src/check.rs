//! Nodes to findings. Pure: the clock is an argument.

pub(crate) mod metadata_defaults;

use cli::{Finding, FindingKind, Outcome, Reading, Severity};
use diagnosis::{Hints, IMDS_DISABLED, Roles, Version, imds_disabled};
use records::{Agent, Evidence, Imds, Node, Timestamp};
use serde_json::{Value, json};

use crate::TOOL;
use crate::model::{Desired, DesiredImds};

/// What is wanting for a better reason, and how it is handed to this tool.
const HINTS: Hints = Hints {
    roles: "pass the output of `ssm-role show` to --roles",
    evidence: "ask AWS instead of a file, or save the nodes with `ssm-agentcheck show --evidence`",
};

/// Whether a node can be reached and is as required.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum NodeVerdict {
    /// It is.
    Pass,
    /// It is not.
    Fail,
    /// Something that matters could not be found out, or not yet.
    Unknown,
    /// It is stopped or on its way up or out; there is nothing to judge.
    Stopped,
    /// The desired state leaves it alone.
    Excluded,
}

/// How many nodes have which verdict, and why.
#[derive(Clone, Debug, Default)]
pub(crate) struct Summary {
    pass: usize,
    fail: usize,
    unknown: usize,
    stopped: usize,
    excluded: usize,
    /// What is wrong with those that fail, each with the number of nodes.
    problems: Vec<(String, usize)>,
    outcome: Outcome,
}

impl Summary {
    pub(crate) fn count(&mut self, findings: &[Finding], verdict: NodeVerdict) {
        self.note(findings);
        match verdict {
            NodeVerdict::Pass => self.pass += 1,
            NodeVerdict::Fail => {
                self.fail += 1;
                for problem in problems(findings) {
                    match self.problems.iter_mut().find(|(one, _)| *one == problem) {
                        Some((_, n)) => *n += 1,
                        None => self.problems.push((problem, 1)),
                    }
                }
            }
            NodeVerdict::Unknown => self.unknown += 1,
            NodeVerdict::Stopped => self.stopped += 1,
            NodeVerdict::Excluded => self.excluded += 1,
        }
    }

    /// Counts findings that are of no node.
    pub(crate) fn note(&mut self, findings: &[Finding]) {
        self.outcome = self.outcome.and(Outcome::of(findings));
    }

    /// Counts something wrong that is not a node's.
    pub(crate) fn found(&mut self) {
        self.outcome = self.outcome.and(Outcome::Found);
    }

    /// Returns how the run ends; nodes that are stopped or were launched a moment ago do not fail it.
    pub(crate) fn outcome(&self) -> Outcome {
        self.outcome
    }
}

impl std::fmt::Display for Summary {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let n_nodes = self.pass + self.fail + self.unknown + self.stopped + self.excluded;
        let plural = if n_nodes == 1 { "" } else { "s" };
        let mut problems = self.problems.clone();
        // The commonest first; of as many nodes, as they came.
        problems.sort_by_key(|(_, n)| std::cmp::Reverse(*n));
        let problems: Vec<String> = problems
            .into_iter()
            .map(|(problem, n)| format!("{n} {problem}"))
            .collect();
        let why = match problems.is_empty() {
            true => String::new(),
            false => format!(" ({})", problems.join(", ")),
        };
        write!(
            formatter,
            "{n_nodes} node{plural}: {} pass, {} fail{why}, {} unknown",
            self.pass, self.fail, self.unknown
        )?;
        if self.stopped > 0 {
            write!(formatter, ", {} not running", self.stopped)?;
        }
        if self.excluded > 0 {
            write!(formatter, ", {} excluded", self.excluded)?;
        }
        Ok(())
    }
}

/// Returns what findings are about, in words: `agent outdated`. A name keeps its capitals.
fn problems(findings: &[Finding]) -> Vec<String> {
    let problems = findings.iter().map(|finding| {
        let title = cli::title(&finding.id);
        let is_name = title.starts_with(NAME) || title[1..].starts_with(char::is_uppercase);
        match is_name {
            true => title.to_owned(),
            false => format!("{}{}", title[..1].to_lowercase(), &title[1..]),
        }
    });
    problems.collect()
}

/// What AWS writes with a capital.
const NAME: &str = "Default Host Management";

/// Returns the row of a node in the table for people.
pub(crate) fn row(node: &Node, findings: &[Finding], verdict: NodeVerdict) -> Value {
    let mut row = json!(node);
    row["kind"] = "checked_node".into();
    row["problems"] = problems(findings).into();
    row["verdict"] = json!(verdict);
    row
}

/// Returns everything that is wrong with one node, and the verdict. Of the reasons why it cannot be reached there is one.
pub(crate) fn check(
    desired: &Desired,
    roles: Option<&Roles>,
    node: &Node,
    now: Timestamp,
) -> (Vec<Finding>, NodeVerdict) {
    let mut findings = Vec::new();
    if let Some(tag) = desired.exclude.tag_of(&node.tags) {
        findings.push(finding(
            node,
            "node.excluded",
            Severity::Info,
            format!("tag {tag} excludes it: its agent is neither judged nor updated"),
            "nothing; `ssm-role check` finds excluded nodes that Systems Manager manages"
                .to_owned(),
        ));
        return (findings, NodeVerdict::Excluded);
    }
    let why = diagnosis::diagnose(node, roles, now, &HINTS);
    if !node.is_running() {
        // What is on its way up or out is nobody's concern.
        if let Some("stopped" | "stopping") = node.state.as_deref() {
            findings.extend(why.map(|cause| cause.into_finding(node)));
        }
        return (findings, NodeVerdict::Stopped);
    }
    check_imds(&desired.imds, node, &mut findings);
    if let Some(agent) = &node.agent {
        check_version(desired, node, agent, &mut findings);
        if node.is_online() {
            check_age(desired, node, agent, now, &mut findings);
        }
    }
    match why {
        // The metadata options say it.
        Some(cause) if cause.problem == IMDS_DISABLED => {}
        Some(cause) => findings.push(cause.into_finding(node)),
        None => check_connection(node, &mut findings),
    }
    check_evidence(node, &mut findings);
    let verdict = verdict(&findings);
    (findings, verdict)
}

fn verdict(findings: &[Finding]) -> NodeVerdict {
    let is_open = |finding: &Finding| {
        finding.id.ends_with(".unknown")
            || ["just_launched", "dhmc_pending"]
                .iter()
                .any(|end| finding.id.ends_with(end))
    };
    match findings {
        [] => NodeVerdict::Pass,
        findings if findings.iter().all(is_open) => NodeVerdict::Unknown,
        _ => NodeVerdict::Fail,
    }
}

fn check_imds(desired: &DesiredImds, node: &Node, findings: &mut Vec<Finding>) {
    let Some(Imds {
        endpoint,
        tokens,
        hop_limit,
    }) = &node.imds
    else {
        return;
    };
    let (Some(endpoint), Some(tokens), Some(hop_limit)) = (endpoint, tokens, hop_limit) else {
        findings.push(finding(
            node,
            "imds.unknown",
            Severity::Warning,
            "EC2 does not report the metadata options of this instance".to_owned(),
            format!("look at them: {}", describe_options(node)),
        ));
        return;
    };
    if endpoint == "disabled" {
        findings.push(imds_disabled(node).into_finding(node));
        return;
    }
    if desired.require_v2 && tokens != "required" {
        findings.push(finding(node, "imds.v1_allowed", Severity::Warning,
            format!("IMDSv1 is allowed (tokens are {tokens}): any process that can be made to fetch a URL gets the role's credentials"),
            format!("require IMDSv2: {} --http-endpoint enabled --http-tokens required", node.options_command())));
    }
    if *hop_limit < desired.min_hop_limit {
        findings.push(finding(node, "imds.hop_limit", Severity::Warning,
            format!("the hop limit is {hop_limit}, {} is required: an agent in a container cannot get a token", desired.min_hop_limit),
            format!("raise it: {} --http-put-response-hop-limit {}", node.options_command(), desired.min_hop_limit)));
    }
}

fn check_version(desired: &Desired, node: &Node, agent: &Agent, findings: &mut Vec<Finding>) {
    let (floor, capability) = desired.floor();
    let needed_for = capability.map_or_else(String::new, |capability| {
        format!(", which {} needs", capability.name())
    });
    let version = agent.version.as_deref().unwrap_or_default();
    match version.parse::<Version>() {
        Ok(version) if version >= floor => {}
        Ok(version) => findings.push(finding(
            node,
            "version.outdated",
            Severity::Error,
            format!("the agent is {version}, older than {floor}{needed_for}"),
            match &desired.update {
                Some(_) => format!(
                    "let {TOOL} plan and apply update it, or: {}",
                    update_agent(node)
                ),
                None => format!("update it: {}", update_agent(node)),
            },
        )),
        Err(_) => findings.push(finding(
            node,
            "version.unknown",
            Severity::Warning,
            format!("SSM gives '{version}' as the agent's version, which cannot be compared"),
            "run `amazon-ssm-agent -version` on the node".to_owned(),
        )),
    }
}

/// Not asked is not wrong: what one node was not asked, one of its like was.
fn check_connection(node: &Node, findings: &mut Vec<Finding>) {
    let Some(evidence) = &node.evidence else {
        return;
    };
    match &evidence.connection {
        Reading::Present(status) if status == "connected" => {}
        Reading::Present(status) => findings.push(finding(
            node,
            "connection.unknown",
            Severity::Warning,
            format!("SSM gives '{status}' as the connection status, which says nothing"),
            "start a session on it".to_owned(),
        )),
        Reading::Unknown(reason) => findings.push(Finding {
            is_unread: true,
            ..finding(
                node,
                "connection.unknown",
                Severity::Warning,
                format!("whether sessions reach it could not be read: {reason}"),
                "allow the caller to read it, or set connections to none".to_owned(),
            )
        }),
        Reading::Absent => {}
    }
}

/// What could not be read may be the reason why a node does not answer, whatever else was found.
fn check_evidence(node: &Node, findings: &mut Vec<Finding>) {
    let unread = node.evidence.as_ref().map(Evidence::unread);
    let unread = unread.unwrap_or_default();
    if unread.is_empty() || findings.iter().any(|finding| finding.is_unread) {
        return;
    }
    findings.push(Finding {
        is_unread: true,
        ..finding(
            node,
            "evidence.unknown",
            Severity::Warning,
            format!(
                "not all that may keep it from answering could be read: {}",
                unread.join("; ")
            ),
            "allow the caller to read it, then check again".to_owned(),
        )
    });
}

fn check_age(
    desired: &Desired,
    node: &Node,
    agent: &Agent,
    now: Timestamp,
    findings: &mut Vec<Finding>,
) {
    let Some(limit) = desired.max_ping_age_minutes else {
        return;
    };
    match agent.last_ping {
        Some(last) if now.minutes_since(last) <= limit => {}
        Some(last) => findings.push(finding(
            node,
            "ping.inactive",
            Severity::Warning,
            format!(
                "the last ping was {last}, {} minutes ago; {limit} are allowed",
                now.minutes_since(last)
            ),
            "restart the agent and read its errors.log".to_owned(),
        )),
        None => findings.push(finding(
            node,
            "ping.unknown",
            Severity::Warning,
            format!("SSM does not report when the last ping was; {limit} minutes are allowed"),
            "look at the node in Fleet Manager".to_owned(),
        )),
    }
}

fn finding(
    node: &Node,
    problem: &str,
    severity: Severity,
    message: String,
    fix: String,
) -> Finding {
    Finding {
        kind: FindingKind::Finding,
        id: format!("agentcheck.{problem}"),
        severity,
        target: Some(node.target.clone()),
        resource: node.instance_id.clone(),
        message,
        fix,
        is_unread: false,
    }
}

fn describe_options(node: &Node) -> String {
    format!(
        "aws ec2 describe-instances --region {} --instance-ids {}",
        node.target.region, node.instance_id
    )
}

fn update_agent(node: &Node) -> String {
    format!(
        "aws ssm send-command --region {} --document-name AWS-UpdateSSMAgent --instance-ids {}",
        node.target.region, node.instance_id
    )
}

#[cfg(test)]
#[path = "check_tests.rs"]
mod tests;
