//! One session on one node: starts it, has the plugin type into it, and ends it, however that went. It is the one thing that is
//! done without a plan; it leaves a transcript and nothing else.

use std::time::Duration;

use anyhow::Context;
use aws_sdk_ssm::Client;
use awsconf::{Interrupt, Session, call_error, describe, scaled};
use tokio::time::timeout;

use super::plugin::{Answer, Plugin, Running};
use crate::model::Conversation;
use crate::observe::sessions;
use crate::screen::{Nonce, Screen};

/// From the start of the plugin to the first thing that the session shows: the agent reads preferences, asks KMS, S3 and
/// CloudWatch Logs, and makes a user on the first session of a node.
const OPEN_WITHIN: Duration = Duration::from_secs(180);
/// Silence after which a prompt is taken for complete: what is typed into a shell that starts another may be lost.
const SETTLED_AFTER: Duration = Duration::from_secs(1);
/// For the echo of what was typed; then it is typed again.
const ECHO_WITHIN: Duration = Duration::from_secs(30);
const N_TRIES: usize = 3;
/// For the plugin to end after `exit`; TerminateSession ends the session in any case.
const EXIT_WITHIN: Duration = Duration::from_secs(30);

/// Whom the session is with, and what is typed into it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Order<'a> {
    pub(crate) plugin: Plugin,
    pub(crate) instance_id: &'a str,
    pub(crate) nonce: &'a Nonce,
}

/// What came of a session.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) session_id: String,
    /// `None` when a signal came between.
    pub(crate) conversation: Option<Conversation>,
    /// Why the session may still be open.
    pub(crate) left_open: Option<String>,
}

/// Holds a session: `echo` with what is to be found in the transcript, and `exit`.
///
/// # Errors
/// StartSession is refused, or the plugin cannot be started; no session is left then either.
pub(crate) async fn hold(
    client: &Client,
    session: &Session,
    order: Order<'_>,
    interrupt: &Interrupt,
) -> anyhow::Result<Held> {
    let Order {
        instance_id, nonce, ..
    } = order;
    let started = client
        .start_session()
        .target(instance_id)
        .reason(nonce.purpose())
        .send();
    let started = match interrupt.unless_given_up(started).await {
        Some(Ok(started)) => started,
        Some(Err(error)) => {
            let error = describe(format!("StartSession {instance_id}"), error);
            let call = call_error(&error);
            if call.is_some_and(|call| call.code() == Some("TargetNotConnected")) {
                anyhow::bail!(
                    "{error}; `ssm-agentcheck check --instance-id {instance_id}` says why"
                );
            }
            // Without an answer there may be a session all the same.
            if !call.is_some_and(awsconf::CallError::is_refusal) {
                end_by_purpose(client, instance_id, nonce).await?;
            }
            return Err(error);
        }
        None => {
            end_by_purpose(client, instance_id, nonce).await?;
            anyhow::bail!("StartSession {instance_id}: given up at the second signal");
        }
    };
    let session_id = started.session_id().unwrap_or_default().to_owned();
    let answer = Answer {
        session_id: &session_id,
        token: started.token_value().unwrap_or_default(),
        stream_url: started.stream_url().unwrap_or_default(),
    };
    let conversation = async {
        let mut running = order.plugin.start(session, instance_id, &answer).await?;
        let talked = tokio::select! {
            biased;
            talked = talk(&mut running, &session_id, nonce) => Some(talked),
            () = interrupt.wait() => None,
        };
        running.end().await;
        anyhow::Ok(talked)
    };
    let conversation = conversation.await;
    let ended = interrupt
        .unless_given_up(end(client, &session_id))
        .await
        .unwrap_or_else(|| Err(anyhow::anyhow!("TerminateSession {session_id}: given up")));
    let left_open = ended.err().map(|error| format!("{error:#}"));
    // The SDK tries again when an answer is lost, and has started another session before then. Whoever may not list sessions
    // has that one end by its idle timeout.
    let others = end_by_purpose(client, instance_id, nonce);
    let _ = interrupt.unless_given_up(others).await;
    let conversation = conversation.with_context(|| match &left_open {
        Some(reason) => format!("session {session_id}, which could not be ended ({reason})"),
        None => format!("session {session_id}, which was ended"),
    })?;
    Ok(Held {
        session_id,
        conversation,
        left_open,
    })
}

async fn end(client: &Client, session_id: &str) -> anyhow::Result<()> {
    let ended = client.terminate_session().session_id(session_id).send();
    let ended = ended.await;
    ended.map_err(|error| describe(format!("TerminateSession {session_id}"), error))?;
    Ok(())
}

/// Ends the session whose ID was never heard, if there is one: its reason says whose it is.
async fn end_by_purpose(client: &Client, instance_id: &str, nonce: &Nonce) -> anyhow::Result<()> {
    let open = sessions::open_for(client, instance_id, &nonce.purpose()).await;
    let open = open.with_context(|| {
        format!(
            "the answer of StartSession {instance_id} was lost, and a session with the reason '{}' may be open",
            nonce.purpose()
        )
    })?;
    for session_id in open {
        end(client, &session_id).await?;
    }
    Ok(())
}

/// What a wait for the plugin's output ended with.
#[derive(Debug, PartialEq, Eq)]
enum Heard {
    It,
    Silence,
    End,
}

async fn talk(running: &mut Running, session_id: &str, nonce: &Nonce) -> Conversation {
    let mut screen = Screen::of(session_id);
    let shows_something = |screen: &Screen| !screen.shown().is_empty();
    match listen(running, &mut screen, OPEN_WITHIN, shows_something).await {
        Heard::It => {}
        Heard::End => return screen.ended(),
        Heard::Silence => return screen.silent(OPEN_WITHIN.as_secs()),
    }
    if settle(running, &mut screen).await == Heard::End {
        return screen.ended();
    }
    for _ in 0..N_TRIES {
        running.type_line(&nonce.command()).await;
        let shows_nonce = |screen: &Screen| screen.shown().contains(nonce.text());
        match listen(running, &mut screen, ECHO_WITHIN, shows_nonce).await {
            Heard::It => {
                running.type_line("exit").await;
                listen(running, &mut screen, EXIT_WITHIN, |_| false).await;
                return Conversation::Ran;
            }
            Heard::End => return screen.ended(),
            Heard::Silence => {}
        }
    }
    screen.silent(ECHO_WITHIN.as_secs())
}

/// Listens until the screen is as asked for, or for so long.
async fn listen(
    running: &mut Running,
    screen: &mut Screen,
    within: Duration,
    is_it: impl Fn(&Screen) -> bool,
) -> Heard {
    let listening = async {
        while !is_it(screen) {
            match running.next().await {
                Some(chunk) => screen.push(&chunk),
                None => return Heard::End,
            }
        }
        Heard::It
    };
    timeout(scaled(within), listening)
        .await
        .unwrap_or(Heard::Silence)
}

/// Listens until nothing more comes; what never falls silent is typed into all the same.
async fn settle(running: &mut Running, screen: &mut Screen) -> Heard {
    let settling = async {
        loop {
            match timeout(scaled(SETTLED_AFTER), running.next()).await {
                Ok(Some(chunk)) => screen.push(&chunk),
                Ok(None) => return Heard::End,
                Err(_) => return Heard::Silence,
            }
        }
    };
    timeout(scaled(ECHO_WITHIN), settling)
        .await
        .unwrap_or(Heard::Silence)
}
