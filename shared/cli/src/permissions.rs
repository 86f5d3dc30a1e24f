//! What a tool needs of IAM, for `--generate policy`: each tool has one table, of which this makes policy documents. It knows no
//! service; the tests hold every row to what the tools really call.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::IoArgs;

/// The table of a tool.
#[derive(Clone, Copy, Debug)]
pub struct Permissions {
    /// The verbs that only read.
    pub reads: &'static [&'static str],
    /// The verbs that write; what they read beforehand is in their grants, too.
    pub writes: &'static [&'static str],
    /// The rows, in parts, as some are the same for every tool.
    pub grants: &'static [&'static [Grant]],
    /// Reads a desired state and returns what it names, so that the policy is about nothing else.
    pub names: fn(&IoArgs) -> anyhow::Result<Names>,
}

impl Permissions {
    /// Those of a tool that calls nobody.
    pub const NONE: Permissions = Permissions {
        reads: &[],
        writes: &[],
        grants: &[],
        names: |_| Ok(Names::new()),
    };
}

/// What stands in the place of `{placeholder}` in the ARNs of a table. One that is not here is any, `*`; one without values is
/// something that is not asked for, and the ARNs with it are left out.
pub type Names = BTreeMap<&'static str, Vec<String>>;

/// Actions that the same verbs need, on the same resources and for the same reason.
#[derive(Clone, Copy, Debug)]
pub struct Grant {
    sid: &'static str,
    verbs: &'static [&'static str],
    actions: &'static [&'static str],
    resources: &'static [&'static str],
    condition: Option<(&'static str, &'static str, &'static str)>,
    when: When,
    why: &'static str,
}

/// Which flag makes a grant necessary.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum When {
    /// None: it always is.
    Always,
    /// `--assume-role`, whose values are the resources.
    AssumeRole,
    /// `--session-tag` beside it.
    SessionTag,
    /// `--accounts org`.
    AccountsOrg,
    /// `--region all`.
    RegionAll,
    /// A flag of the tool, which `--with` names, and the value with which it does, if it is one value only.
    Flag(&'static str),
    /// Any of several flags of the tool.
    AnyFlag(&'static [&'static str]),
}

impl When {
    /// Returns the flags, of which any one does; `always` where it takes none.
    fn flags(&self) -> &[&'static str] {
        match self {
            When::Always => &["always"],
            When::AssumeRole => &["--assume-role"],
            When::SessionTag => &["--session-tag"],
            When::AccountsOrg => &["--accounts org"],
            When::RegionAll => &["--region all"],
            When::Flag(flag) => std::slice::from_ref(flag),
            When::AnyFlag(flags) => flags,
        }
    }

    /// Returns whether `--with` means it by this word: a flag without hyphens, and without its value.
    fn is_named(&self, with: &str) -> bool {
        let mut words = self.flags().iter().map(|flag| {
            let flag = flag.trim_start_matches('-');
            flag.split(' ').next()
        });
        *self != When::Always && words.any(|word| word == Some(with))
    }
}

impl Grant {
    /// Returns a grant to these verbs; to all that call AWS if none is named.
    #[must_use]
    pub const fn new(
        sid: &'static str,
        verbs: &'static [&'static str],
        actions: &'static [&'static str],
        resources: &'static [&'static str],
        why: &'static str,
    ) -> Grant {
        Grant {
            sid,
            verbs,
            actions,
            resources,
            condition: None,
            when: When::Always,
            why,
        }
    }

    /// Returns the grant under a condition: operator, key and value.
    #[must_use]
    pub const fn under(
        self,
        operator: &'static str,
        key: &'static str,
        value: &'static str,
    ) -> Grant {
        Grant {
            condition: Some((operator, key, value)),
            ..self
        }
    }

    /// Returns the grant for runs with a flag only.
    #[must_use]
    pub const fn when(self, when: When) -> Grant {
        Grant { when, ..self }
    }
}

/// What a policy is for: the flags of `--generate policy`, whose help is without this line.
#[derive(Clone, Debug, Default, clap::Args)]
pub(crate) struct Scope {
    /// Print what these verbs need: `read` for all that only read, `apply` for apply and what it reads, or the name of one verb
    /// [default: all verbs]
    #[arg(long = "for", value_name = "read|apply|VERB")]
    verb: Option<String>,
    /// Allow only what this desired state names
    #[arg(short, long, value_name = "FILE")]
    pub(crate) file: Option<std::path::PathBuf>,
    /// Allow the regions that are named, or, with `all`, to list those that are enabled
    #[arg(long = "region", value_name = "REGION", value_delimiter = ',')]
    regions: Vec<String>,
    /// Allow to assume this role, for runs with the same flag; repeat for several
    #[arg(long = "assume-role", value_name = "ARN")]
    assume_roles: Vec<String>,
    /// Allow session tags, for runs with the same flag
    #[arg(
        long = "session-tag",
        value_name = "KEY=VALUE",
        requires = "assume_roles"
    )]
    session_tags: Vec<String>,
    /// Allow to list the accounts of the organization (org), for runs with the same flag
    #[arg(long, value_name = "org")]
    accounts: Option<String>,
    /// Allow what this flag of the tool needs, without its hyphens; repeat for several
    #[arg(long = "with", value_name = "FLAG")]
    with: Vec<String>,
    /// Print ARNs of this partition
    #[arg(long, value_name = "NAME", default_value = "aws")]
    partition: String,
}

impl Scope {
    /// Returns the scope of one verb, named in front of `--generate`.
    pub(crate) fn of_verb(self, verb: &str) -> Scope {
        Scope {
            verb: Some(verb.to_owned()),
            ..self
        }
    }

    fn has(&self, when: When) -> bool {
        match when {
            When::Always => true,
            When::AssumeRole => !self.assume_roles.is_empty(),
            When::SessionTag => !self.assume_roles.is_empty() && !self.session_tags.is_empty(),
            When::AccountsOrg => self.accounts.as_deref() == Some("org"),
            When::RegionAll => self.regions.iter().any(|region| region == "all"),
            When::Flag(_) | When::AnyFlag(_) => self.with.iter().any(|with| when.is_named(with)),
        }
    }
}

impl Permissions {
    /// Returns the policy document for a scope and what a desired state names; `has_verb` says which verbs there are, those that call
    /// nothing included.
    ///
    /// # Errors
    /// No such verb, or a flag that needs nothing.
    pub(crate) fn policy(
        &self,
        scope: &Scope,
        mut names: Names,
        has_verb: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Value> {
        let verbs = self.verbs(scope.verb.as_deref(), has_verb)?;
        for with in &scope.with {
            let grants = self.grants.iter().copied().flatten();
            let whens = grants.map(|grant| grant.when);
            let mut whens = whens.filter(|when| when.is_named(with));
            let Some(first) = whens.next() else {
                anyhow::bail!(
                    "--with {with}: this flag needs nothing that the policy lacks without it"
                );
            };
            let is_of_tool = |when: When| matches!(when, When::Flag(_) | When::AnyFlag(_));
            if !is_of_tool(first) && !whens.any(is_of_tool) {
                anyhow::bail!("--with {with}: pass {} in its place", first.flags()[0]);
            }
        }
        names.insert("partition", vec![scope.partition.clone()]);
        if !scope.regions.is_empty() && !scope.has(When::RegionAll) {
            names.insert("region", scope.regions.clone());
        }
        let roles = scope.assume_roles.iter().map(|role| {
            let role = role.replace("{partition}", &scope.partition);
            role.replace("{account}", "*")
        });
        names.insert("assumed_role", roles.collect());
        let grants = self.grants.iter().copied().flatten();
        let mut statements: Vec<Value> = Vec::new();
        for grant in grants {
            let is_meant = grant.verbs.iter().any(|verb| verbs.contains(verb))
                || (grant.verbs.is_empty() && !verbs.is_empty());
            let resources = grant.resources(&names);
            if !is_meant || !scope.has(grant.when) || resources.is_empty() {
                continue;
            }
            let statement = grant.statement(resources);
            // What a desired state would narrow, and what a flag needs of all, are the same without one.
            let is_same = |one: &Value| {
                ["Action", "Resource", "Condition"]
                    .iter()
                    .all(|key| one[key] == statement[key])
            };
            if !statements.iter().any(is_same) {
                statements.push(statement);
            }
        }
        let whole = json!({
            "Version": "2012-10-17",
            "Statement": statements,
        });
        Ok(match n_characters(&whole) <= MAX_CHARACTERS {
            true => whole,
            false => joined(whole),
        })
    }

    /// Returns the rows of the table as JSON, with what they are for.
    pub(crate) fn rows(&self) -> Vec<Value> {
        let all: Vec<&str> = self.reads.iter().chain(self.writes).copied().collect();
        let grants = self.grants.iter().copied().flatten();
        let row = |grant: &Grant| {
            json!({
                "sid": grant.sid,
                "verbs": if grant.verbs.is_empty() { &all } else { grant.verbs },
                "actions": grant.actions,
                "resources": grant.resources,
                "condition": grant.block(),
                "when": grant.when.flags().join(" or "),
                "why": grant.why,
            })
        };
        grants.map(row).collect()
    }

    fn verbs(
        &self,
        wanted: Option<&str>,
        has_verb: impl Fn(&str) -> bool,
    ) -> anyhow::Result<Vec<&'static str>> {
        let all = || self.reads.iter().chain(self.writes).copied();
        Ok(match wanted {
            None => all().collect(),
            Some("read") => self.reads.to_vec(),
            Some(verb) => {
                anyhow::ensure!(
                    has_verb(verb),
                    "--for '{verb}': expected read, apply or another verb of the tool"
                );
                all().filter(|one| *one == verb).collect()
            }
        })
    }
}

impl Grant {
    /// Returns the ARNs with what stands in their placeholders, each once.
    fn resources(&self, names: &Names) -> Vec<String> {
        let mut filled = Vec::new();
        for resource in self.resources {
            for arn in fill(resource, names) {
                // Any name, and whatever follows it.
                let arn = arn.replace("**", "*");
                if !filled.contains(&arn) {
                    filled.push(arn);
                }
            }
        }
        filled
    }

    fn statement(&self, mut resources: Vec<String>) -> Value {
        let resource = match resources.len() {
            1 => json!(resources.remove(0)),
            _ => json!(resources),
        };
        let mut statement = json!({
            "Sid": self.sid,
            "Effect": "Allow",
            "Action": self.actions,
            "Resource": resource,
        });
        if self.condition.is_some() {
            statement["Condition"] = self.block();
        }
        statement
    }

    /// Returns the Condition element, null without one.
    fn block(&self) -> Value {
        match self.condition {
            None => Value::Null,
            Some((operator, key, value)) => json!({ operator: { key: value } }),
        }
    }
}

/// The characters of a managed policy, without whitespace.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html#reference_iam-quotas-entity-length>
const MAX_CHARACTERS: usize = 6_144;

/// Returns how many characters count.
fn n_characters(policy: &Value) -> usize {
    let text = policy.to_string();
    text.chars().filter(|c| !c.is_whitespace()).count()
}

/// Returns a policy that allows the same in fewer statements: those about the same resources under the same condition are one.
fn joined(mut policy: Value) -> Value {
    let mut statements: Vec<Value> = Vec::new();
    let given = policy["Statement"].as_array_mut().map(std::mem::take);
    for mut statement in given.into_iter().flatten() {
        let like = |one: &&mut Value| {
            one["Resource"] == statement["Resource"] && one["Condition"] == statement["Condition"]
        };
        let Some(before) = statements.iter_mut().find(like) else {
            statements.push(statement);
            continue;
        };
        if let (Some(actions), Some(more)) = (
            before["Action"].as_array_mut(),
            statement["Action"].as_array_mut(),
        ) {
            more.retain(|action| !actions.contains(action));
            actions.append(more);
        }
    }
    policy["Statement"] = Value::Array(statements);
    policy
}

/// Returns an ARN for each combination of what stands in its placeholders.
fn fill(pattern: &str, names: &Names) -> Vec<String> {
    // What follows a dollar sign is a variable of IAM: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
    let mut braces = pattern.match_indices('{').map(|(at, _)| at);
    let Some(at) = braces.find(|at| !pattern[..*at].ends_with('$')) else {
        return vec![pattern.to_owned()];
    };
    let (before, rest) = (&pattern[..at], &pattern[at + 1..]);
    let Some((name, after)) = rest.split_once('}') else {
        return vec![pattern.to_owned()];
    };
    let any = [String::from("*")];
    let values = names.get(name).map_or(&any[..], Vec::as_slice);
    let ends = fill(after, names);
    let combine = |value: &String| {
        let begin = format!("{before}{value}");
        ends.iter()
            .map(move |end| format!("{begin}{end}"))
            .collect::<Vec<_>>()
    };
    values.iter().flat_map(combine).collect()
}

#[cfg(test)]
#[path = "permissions_tests.rs"]
mod tests;
