//! One change: look, write, look again. A write that failed may have worked, and one that worked may not show yet.

use std::time::Duration;

use awsconf::{Deadline, Interrupt, call_error};
use cli::{Change, ChangeStatus, Output, Plan};
use serde_json::Value;

use crate::compare::{Comparison, compare};
use crate::{Resources, Tried};

/// Between two looks or two tries: it grows from the first to the last.
const FIRST_PAUSE: Duration = Duration::from_millis(300);
const LAST_PAUSE: Duration = Duration::from_secs(5);

/// A pause that grows, so that the quick case is quick and the slow one does not cost hundreds of calls.
struct Pause(Duration);

impl Pause {
    fn new() -> Pause {
        Pause(FIRST_PAUSE)
    }

    /// Waits; returns early when a signal comes.
    async fn wait(&mut self, interrupt: &Interrupt) {
        let duration = awsconf::scaled(self.0);
        self.0 = (self.0 * 3 / 2).min(LAST_PAUSE);
        // Whether the time is up or a signal has come makes no difference here.
        let _ = interrupt.within(duration).await;
    }
}

/// Makes one change; `made` are the resources that this run has made itself.
pub(crate) async fn attempt<R: Resources>(
    resources: &R,
    plan: &Plan<R::Action>,
    change: &Change<R::Action>,
    made: Vec<&str>,
    interrupt: &Interrupt,
    out: &Output,
) -> Tried<R::Action> {
    let Some(before) = interrupt.unless_given_up(look(resources, change)).await else {
        return Tried::because(ChangeStatus::Skipped, "interrupted");
    };
    let is_own = made.contains(&change.resource.as_str());
    match compare(resources, plan, change, &before) {
        Comparison::Satisfied => return Tried::new(ChangeStatus::Unchanged),
        Comparison::Unread(reason) => return Tried::because(ChangeStatus::Failed, reason),
        Comparison::Differs(reason) if !is_own => {
            return Tried::because(ChangeStatus::Failed, reason);
        }
        Comparison::Pending | Comparison::Differs(_) => {}
    }
    let mut before = match before {
        Ok(before) => before,
        Err(error) => return Tried::because(ChangeStatus::Failed, format!("{error:#}")),
    };
    if let Some(reason) = resources.keeps(change, &before) {
        return Tried::because(ChangeStatus::Kept, reason);
    }
    let attempt = Attempt {
        resources,
        change,
        interrupt,
        found: resources.state(change, &before).unwrap_or_default(),
    };
    let mut state = attempt.found.clone();
    let mut deadline = None;
    let mut pause = Pause::new();
    loop {
        let written = interrupt
            .unless_given_up(resources.write(change, &before))
            .await;
        let error = match written {
            None => {
                return attempt.unknown(
                    "the call was given up, and whether AWS carried it out is unknown".to_owned(),
                );
            }
            Some(Ok(())) => return attempt.confirm().await,
            Some(Err(error)) => error,
        };
        let seen = match attempt.after(&error).await {
            After::Ended(tried) => return *tried,
            After::Unwritten(seen) => seen,
        };
        // Some of its calls have worked, or somebody else's did: it goes on from there.
        let reached = resources.state(change, &seen).unwrap_or_default();
        let has_moved = reached != state && reached != attempt.found;
        if has_moved && !interrupt.requested() {
            (before, state) = (seen, reached);
            continue;
        }
        let Some(within) = awsconf::passes_within(&error) else {
            return attempt.failed(&error, &seen);
        };
        let deadline = *deadline.get_or_insert_with(|| {
            out.note(&format!("waiting, as this passes by itself: {error:#}"));
            Deadline::after(within)
        });
        if deadline.has_passed() {
            return attempt.failed(&error, &seen);
        }
        pause.wait(interrupt).await;
        if interrupt.requested() {
            return attempt.failed(&error, &seen);
        }
        before = seen;
    }
}

async fn look<R: Resources>(resources: &R, change: &Change<R::Action>) -> anyhow::Result<R::Seen> {
    let mut seen = resources.look(&[change]).await;
    seen.pop()
        .unwrap_or_else(|| Err(anyhow::anyhow!("nothing was read")))
}

/// What a look after a write that ended in an error shows.
enum After<A, S> {
    /// There is nothing more to do about the change.
    Ended(Box<Tried<A>>),
    /// It has not been made, or not all of it.
    Unwritten(S),
}

/// One change that is being written.
struct Attempt<'a, R: Resources> {
    resources: &'a R,
    change: &'a Change<R::Action>,
    interrupt: &'a Interrupt,
    /// The state before the first write.
    found: Value,
}

impl<R: Resources> Attempt<'_, R> {
    /// Looks until what was written shows.
    async fn confirm(&self) -> Tried<R::Action> {
        let within = self.resources.service(self.change).shows_within();
        let (deadline, mut pause) = (Deadline::after(within), Pause::new());
        loop {
            let Some(seen) = self.look().await else {
                return self.unknown("was written, but not confirmed: interrupted".to_owned());
            };
            match &seen {
                Ok(seen) if self.resources.is_satisfied(self.change, seen) => {
                    return self.done(seen);
                }
                _ => {}
            }
            if deadline.has_passed() {
                let shown = match seen
                    .as_ref()
                    .map(|seen| self.resources.state(self.change, seen))
                {
                    Ok(Ok(state)) => format!("shows {state}"),
                    Ok(Err(reason)) => format!("fails: {reason}"),
                    Err(error) => format!("fails: {error:#}"),
                };
                let seconds = within.as_secs();
                let error = format!(
                    "not confirmed: was written, but after {seconds} seconds reading it back {shown}"
                );
                // All calls have worked, so a state on the way is one of a moment ago.
                let seen = seen.ok().filter(|seen| {
                    let state = self.resources.state(self.change, seen);
                    !state.is_ok_and(|state| self.resources.is_between(self.change, &state))
                });
                return Tried {
                    inverse: self.inverse_of(seen.as_ref()),
                    ..Tried::because(ChangeStatus::Failed, error)
                };
            }
            pause.wait(self.interrupt).await;
            if self.interrupt.requested() {
                let error =
                    "was written, but not confirmed: interrupted before reading it back showed it";
                return self.unknown(error.to_owned());
            }
        }
    }

    /// Looks at what a write has done that ended in an error.
    async fn after(&self, error: &anyhow::Error) -> After<R::Action, R::Seen> {
        // Of a refusal one look is enough, unless it says that the thing is there, or gone, already: then an earlier call may
        // have done it whose answer was lost, and reads may be behind.
        let patience = match call_error(error) {
            None => Duration::ZERO,
            Some(_) if awsconf::passes_within(error).is_some() => Duration::ZERO,
            Some(call) if call.is_refusal() && !call.code().is_some_and(says_already) => {
                Duration::ZERO
            }
            Some(_) => self.resources.service(self.change).shows_within(),
        };
        let (deadline, mut pause) = (Deadline::after(patience), Pause::new());
        loop {
            let seen = match self.look().await {
                Some(Ok(seen)) => seen,
                Some(Err(unread)) if deadline.has_passed() || self.interrupt.requested() => {
                    return After::Ended(Box::new(self.unknown(format!(
                        "{error:#}; whether it was written is unknown: {unread:#}"
                    ))));
                }
                Some(Err(_)) => {
                    pause.wait(self.interrupt).await;
                    continue;
                }
                None => {
                    return After::Ended(Box::new(self.unknown(format!(
                        "{error:#}; whether it was written is unknown: interrupted"
                    ))));
                }
            };
            if self.resources.is_satisfied(self.change, &seen) {
                return After::Ended(Box::new(self.done(&seen)));
            }
            let state = self.resources.state(self.change, &seen);
            let is_open = state.as_ref().is_ok_and(|state| {
                *state == self.found || self.resources.is_between(self.change, state)
            });
            if !is_open && state.is_ok() {
                return After::Ended(Box::new(self.failed(error, &seen)));
            }
            if deadline.has_passed() || self.interrupt.requested() {
                return match state {
                    Ok(_) => After::Unwritten(seen),
                    Err(reason) => After::Ended(Box::new(self.unknown(format!(
                        "{error:#}; whether it was written is unknown: {reason}"
                    )))),
                };
            }
            pause.wait(self.interrupt).await;
        }
    }

    async fn look(&self) -> Option<anyhow::Result<R::Seen>> {
        let look = look(self.resources, self.change);
        self.interrupt.unless_given_up(look).await
    }

    fn done(&self, seen: &R::Seen) -> Tried<R::Action> {
        Tried {
            inverse: self.inverse_of(Some(seen)),
            ..Tried::new(ChangeStatus::Done)
        }
    }

    /// It failed; what it has changed all the same can be taken back.
    fn failed(&self, error: &anyhow::Error, seen: &R::Seen) -> Tried<R::Action> {
        let state = self.resources.state(self.change, seen);
        let is_changed = state.as_ref().is_ok_and(|state| *state != self.found);
        let error = match (is_changed, &state) {
            (true, Ok(state)) => format!("{error:#}; there is {state} now"),
            _ => format!("{error:#}"),
        };
        Tried {
            inverse: is_changed.then(|| self.inverse_of(Some(seen))).flatten(),
            ..Tried::because(ChangeStatus::Failed, error)
        }
    }

    /// Nobody knows whether it is in force, so the way back is kept.
    fn unknown(&self, error: String) -> Tried<R::Action> {
        Tried {
            inverse: self.inverse_of(None),
            ..Tried::because(ChangeStatus::Unknown, error)
        }
    }

    /// Returns the way back from what is there, or from what was to be there when that is not known or does not show.
    fn inverse_of(&self, seen: Option<&R::Seen>) -> Option<Change<R::Action>> {
        let state = seen.and_then(|seen| self.resources.state(self.change, seen).ok());
        let left = state.filter(|state| *state != self.found);
        let left = left.unwrap_or_else(|| self.change.to.clone());
        self.resources.inverse(self.change, left)
    }
}

/// Returns whether an error code says that a thing is there, or gone, already.
fn says_already(code: &str) -> bool {
    const WORDS: [&str; 7] = [
        "Already",
        "Duplicate",
        "Exist",
        "InUse",
        "NoSuch",
        "NotFound",
        "NotAttached",
    ];
    WORDS.iter().any(|word| code.contains(word))
}
