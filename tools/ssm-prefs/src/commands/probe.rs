//! `probe`: one session on one node, and whether its transcript is where the preferences send it.

use std::cell::Cell;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{BufRead, IsTerminal, Write};
use std::time::Duration;

use anyhow::{Context, bail};
use awsconf::{Interrupt, Session};
use cli::{Finding, Outcome, Output, Reading};
use serde_json::Value;

use super::GlobalArgs;
use super::role_records::RoleArgs;
use crate::apply::plugin::Plugin;
use crate::apply::session::{self, Held, Order};
use crate::finding;
use crate::model::{Conversation, ManagedNode, Probe};
use crate::observe::transcripts::{self, Looks};
use crate::observe::{self, Clients, Names};
use crate::probe::{self, Judged, Seen, SessionSeen};
use crate::roles::Roles;
use crate::screen::Nonce;

/// Open a session on a node with the session-manager-plugin and look for its transcript; exit with 1 when it is not where it should be
///
/// The session prints one random word and ends. On a terminal this asks first; elsewhere it acts, as apply does. Of the accounts
/// and regions that the flags name, it is the one that has the node.
#[derive(clap::Args)]
#[command(after_long_help = "Examples:\n  ssm-prefs probe --instance-id i-0123456789abcdef0")]
pub(crate) struct ProbeArgs {
    /// Open the session on the node with this ID
    #[arg(long = "instance-id", alias = "node", value_name = "ID")]
    node: String,
    /// Do not ask on a terminal
    #[arg(long)]
    yes: bool,
    /// Wait this many seconds for the transcript after the end of the session
    #[arg(long, value_name = "SECONDS", default_value_t = 180)]
    patience: u64,
    #[command(flatten)]
    roles: RoleArgs,
}

/// What one probe came to.
type Probed = (Probe, Vec<Finding>, Outcome);

pub(crate) async fn run(
    args: &ProbeArgs,
    global: &GlobalArgs,
    out: &Output,
) -> anyhow::Result<Outcome> {
    out.refuse_closed()?;
    let roles = args.roles.read()?;
    let plugin = Plugin::find().await?;
    if !args.yes {
        ask(&args.node)?;
    }
    let random = [(); 2].map(|()| RandomState::new().build_hasher().finish());
    let nonce = Nonce::new(random);
    let interrupt = Interrupt::listen();
    let fleet = global.fleet(out).await?;
    let is_found = Cell::new(false);
    let work = async |session: &Session, _: &()| {
        let clients = Clients::new(session);
        let node = observe::sessions::node(&clients.ssm, &args.node).await?;
        let Some(node) = node.filter(|_| !interrupt.requested()) else {
            return Ok(None);
        };
        is_found.set(true);
        let run = Run {
            args,
            session,
            order: Order {
                plugin,
                instance_id: &args.node,
                nonce: &nonce,
            },
            node: &node,
            interrupt: &interrupt,
        };
        run.probe(clients, &roles, out).await.map(Some)
    };
    let outcome = fleet
        .visit(out, work, |_, probed: Option<Probed>| {
            let Some((record, findings, outcome)) = probed else {
                return Ok(Outcome::Fine);
            };
            let written = out.write(&record);
            let written = written.and_then(|()| out.write_findings(&findings));
            // A verdict that nobody reads is not a good one.
            written.map_err(|error| cli::lost(&error, "the session has ended; run again"))?;
            Ok(outcome)
        })
        .await?;
    match interrupt.signal() {
        Some(signal) => Ok(Outcome::Interrupted(signal)),
        None if !is_found.get() && outcome == Outcome::Fine => bail!(
            "{}: Systems Manager knows no such node in these accounts and regions",
            args.node
        ),
        None => Ok(outcome),
    }
}

/// Asks on a terminal; elsewhere there is nobody to ask, and the command line says it.
fn ask(node: &str) -> anyhow::Result<()> {
    let (mut stderr, stdin) = (std::io::stderr(), std::io::stdin());
    if !stderr.is_terminal() || !stdin.is_terminal() {
        return Ok(());
    }
    write!(stderr, "Open a session on {}? [y/N] ", cli::visible(node)).context("ask")?;
    stderr.flush().context("ask")?;
    let mut answer = String::new();
    stdin
        .lock()
        .read_line(&mut answer)
        .context("read the answer")?;
    match answer.trim() {
        "y" | "Y" | "yes" => Ok(()),
        _ => bail!("no session was started"),
    }
}

/// A probe in the account and region of its node.
struct Run<'a> {
    args: &'a ProbeArgs,
    session: &'a Session,
    order: Order<'a>,
    node: &'a ManagedNode,
    interrupt: &'a Interrupt,
}

impl Run<'_> {
    async fn probe(&self, clients: Clients, roles: &Roles, out: &Output) -> anyhow::Result<Probed> {
        let document = observe::document(&clients.ssm).await;
        if let Reading::Unknown(reason) = &document {
            bail!("{reason}");
        }
        let document = document.present();
        let judged = self.judged(roles);
        let mut seen = Seen {
            target: &self.session.target,
            instance_id: &self.args.node,
            node: self.node,
            document,
            patience_seconds: self.args.patience,
            session: None,
        };
        let content = document.map(|document| &document.default.content);
        let content = content.filter(|content| !probe::places(content, "").is_empty());
        let Some(content) = content else {
            return Ok(with_target(probe::verdict(&seen, None, &judged), &seen));
        };
        let held = session::hold(&clients.ssm, self.session, self.order, self.interrupt).await?;
        if self.interrupt.requested() {
            out.note(&match &held.left_open {
                None => format!("interrupted: session {} was ended", held.session_id),
                Some(reason) => format!(
                    "interrupted: session {} may be open: {reason}",
                    held.session_id
                ),
            });
        }
        let looks = self.look(&clients, content, &held).await;
        seen.session = Some(SessionSeen {
            session_id: &held.session_id,
            nonce: self.order.nonce.text(),
            conversation: held.conversation.as_ref(),
            document: observe::sessions::document_of(&clients.ssm, &held.session_id).await,
            left_open: held.left_open.as_deref(),
            s3: looks.s3,
            logs: looks.logs,
        });
        let observed = match probe::needs_cause(&seen) {
            true => {
                let names = Names::of(content);
                let mut by_name = observe::ByName::default();
                let observed = by_name.resources(&clients, &names).await;
                Some(observe::other_keys(&clients, observed, &mut by_name).await)
            }
            false => None,
        };
        let verdict = probe::verdict(&seen, observed.as_ref(), &judged);
        Ok(with_target(verdict, &seen))
    }

    /// Waits for the transcript of a session that ran.
    async fn look(&self, clients: &Clients, content: &Value, held: &Held) -> Looks {
        if held.conversation != Some(Conversation::Ran) {
            return Looks::default();
        }
        let places = probe::places(content, &held.session_id);
        let clients = clients.for_bucket(self.session, &places).await;
        let patience = Duration::from_secs(self.args.patience);
        let text = self.order.nonce.text();
        let looks = transcripts::wait(&clients, &places, text, patience, self.interrupt).await;
        match self.interrupt.requested() {
            true => looks.cut_short(),
            false => looks,
        }
    }

    /// Returns what is known of the role of the node, and of whoever starts the session.
    fn judged(&self, roles: &Roles) -> Judged {
        let target = &self.session.target;
        let named = match &roles.nodes {
            Some(nodes) => {
                let iam_role = self.node.iam_role.as_deref();
                let arn = nodes.role_of_node(target, &self.args.node, iam_role);
                arn.map(|arn| (nodes.only(&arn), arn))
            }
            None => Err("no records of roles were given".to_owned()),
        };
        let operator = caller_role(&self.session.caller);
        let operator = operator.and_then(|name| roles.operators.arn_of(target, name));
        let (nodes, of_node) = match named {
            Ok((nodes, arn)) => (Some(nodes), Ok(arn)),
            Err(reason) => (None, Err(reason)),
        };
        Judged {
            of_node,
            knows_caller: operator.is_some(),
            roles: Roles {
                nodes,
                operators: operator
                    .map(|arn| roles.operators.only(&arn))
                    .unwrap_or_default(),
                organization: roles.organization.clone(),
            },
        }
    }
}

/// Returns the name of the role of a session, `None` for a user, whose policies no record holds.
fn caller_role(caller: &str) -> Option<&str> {
    let (_, assumed) = caller.split_once(":assumed-role/")?;
    assumed.split('/').next()
}

fn with_target((record, findings, outcome): Probed, seen: &Seen<'_>) -> Probed {
    (record, finding::at(seen.target, findings), outcome)
}
