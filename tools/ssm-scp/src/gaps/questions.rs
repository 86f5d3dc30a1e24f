//! What is asked about ways onto nodes and what keeps them closed, for all accounts alike. Pure.

use crate::guard::session_records;
use crate::guard::{DOCUMENT_ACTIONS, ROLE_ACTIONS, USER_ACTIONS};
use crate::model::{Entry, catalogue};

/// What is asked about, for all places alike.
pub(super) struct Question {
    pub(super) gap: &'static str,
    pub(super) actions: Vec<&'static str>,
    pub(super) leads_to: &'static str,
    pub(super) cure: String,
    pub(super) source: &'static str,
    pub(super) asked: Asked,
}

/// Of whom and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// Principals that no list names. What is denied on some resources only is open on the others.
    Anybody,
    /// The same of records, by name where a desired state names them. Nobody knows otherwise whether a denial on some buckets is
    /// about those that count: landing zones deny it on their own.
    AnybodyOnRecords,
    /// The same of the preferences.
    AnybodyOnPreferences,
    /// The same of the roles that are exempt.
    AnybodyOnExemptRoles,
    /// The same of the users that are exempt.
    AnybodyOnExemptUsers,
    /// Those who are exempt, with a session document that no list names.
    Exempt,
}

impl Asked {
    /// Returns whether the answer of a guard is one for all accounts: whom an account's other policies exempt, it may not protect.
    pub(super) fn holds_anywhere(self) -> bool {
        !matches!(
            self,
            Asked::AnybodyOnExemptRoles | Asked::AnybodyOnExemptUsers
        )
    }
}

/// Returns all questions, those of the catalogue first.
pub(super) fn questions() -> Vec<Question> {
    let ways = catalogue().map(|entry: &Entry| Question {
        gap: entry.way.name(),
        actions: entry.actions.to_vec(),
        leads_to: entry.leads_to,
        cure: format!(
            "add \"{}\" to ways (by default sessions and commands)",
            entry.way.name()
        ),
        source: entry.source,
        asked: Asked::Anybody,
    });
    let mut questions: Vec<Question> = ways.collect();
    questions.push(Question {
        gap: "session_documents",
        actions: vec!["ssm:StartSession"],
        leads_to: "sessions of exempt principals by port forwarding and SSH, which leave no transcript",
        cure: "name the session documents in allowed_documents".to_owned(),
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html",
        asked: Asked::Exempt,
    });
    questions.push(Question {
        gap: "session_records",
        actions: session_records::actions(),
        leads_to: "transcripts removed, or kept for less long, or a trail or alert that is silent",
        cure: "name bucket, key, log group, trail and rule in protect_records".to_owned(),
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-logging.html",
        asked: Asked::AnybodyOnRecords,
    });
    questions.push(Question {
        gap: "preferences",
        actions: DOCUMENT_ACTIONS.to_vec(),
        leads_to: "sessions without logging, or as another user of the node",
        cure: "set protect_preferences".to_owned(),
        source: "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-getting-started-configure-preferences.html",
        asked: Asked::AnybodyOnPreferences,
    });
    questions.push(Question {
        gap: "exempt_principals",
        actions: ROLE_ACTIONS.to_vec(),
        leads_to: "a role that is exempt, or one of its name",
        cure: "set protect_exempt_roles".to_owned(),
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_manage_modify.html",
        asked: Asked::AnybodyOnExemptRoles,
    });
    questions.push(Question {
        gap: "exempt_principals",
        actions: USER_ACTIONS.to_vec(),
        leads_to: "a user that is exempt, or credentials of it",
        cure: "set protect_exempt_roles".to_owned(),
        source: "https://docs.aws.amazon.com/IAM/latest/UserGuide/id_credentials_access-keys.html",
        asked: Asked::AnybodyOnExemptUsers,
    });
    questions
}
