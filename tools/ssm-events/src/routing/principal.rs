//! Patterns of principals.

use schemars::JsonSchema;
use serde::Deserialize;
use serde_json::Value;

use crate::event_pattern::wildcard;
use crate::records::record::{Event, text};

/// The ARN of a role, user, role session or root user; `*` matches any characters.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(try_from = "String")]
#[schemars(with = "String")]
pub(crate) struct PrincipalPattern {
    parts: Vec<String>,
    /// The same without the path of a role, for records that have only the session's ARN, in which there is none.
    without_path: Vec<String>,
    text: String,
}

fn parts(text: &str) -> Vec<String> {
    text.split('*').map(str::to_owned).collect()
}

impl TryFrom<String> for PrincipalPattern {
    type Error = String;

    fn try_from(text: String) -> Result<PrincipalPattern, String> {
        let n_fields = text.splitn(6, ':').count();
        if !text.starts_with("arn:") || n_fields < 6 || text.contains('?') {
            return Err(format!(
                "'{text}' is not a pattern of ARNs such as arn:aws:iam::*:role/break-glass-*"
            ));
        }
        let short = text.split_once(":role/").map(|(account, role)| {
            let name = role.rsplit('/').next().unwrap_or_default();
            format!("{account}:role/{name}")
        });
        Ok(PrincipalPattern {
            parts: parts(&text),
            without_path: parts(short.as_deref().unwrap_or(&text)),
            text,
        })
    }
}

impl PrincipalPattern {
    /// Returns the pattern as it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether a record is of such a principal.
    pub(crate) fn fits(&self, record: &Value, event: &Event) -> bool {
        let arn = text(&record["userIdentity"]["arn"]);
        let whole = [event.who.principal.as_str(), arn.as_str()];
        if whole
            .iter()
            .any(|one| !one.is_empty() && wildcard(&self.parts, one))
        {
            return true;
        }
        // Of a session without its issuer the role is known by its name only.
        role_of_session(&event.who.principal)
            .is_some_and(|role| wildcard(&self.without_path, &role))
    }
}

/// Returns the ARN of the role of a session, without the path.
fn role_of_session(arn: &str) -> Option<String> {
    let (account, session) = arn.split_once(":assumed-role/")?;
    let role = session.split('/').next()?;
    Some(format!(
        "{}:role/{role}",
        account.replacen(":sts:", ":iam:", 1)
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::PrincipalPattern;
    use crate::records::record::Event;

    #[test]
    fn a_principal_is_found_under_each_of_its_names() {
        let issued = json!({"userIdentity": {"type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/break-glass/anna@example.com",
            "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/security/break-glass"}}}});
        let bare = json!({"userIdentity": {"type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/break-glass/anna@example.com"}});
        let user = json!({"userIdentity": {"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/emergency"}});
        let root =
            json!({"userIdentity": {"type": "Root", "arn": "arn:aws:iam::111122223333:root"}});
        let nobody = json!({"source": "aws.ssm", "detail-type": "x", "detail": {}});
        for (pattern, record, expected) in [
            ("arn:aws:iam::*:role/security/break-glass", &issued, true),
            ("arn:aws:iam::*:role/security/break-glass", &bare, true),
            ("arn:aws:iam::111122223333:role/break-*", &bare, true),
            ("arn:aws:iam::444455556666:role/break-*", &bare, false),
            ("arn:aws:iam::*:role/break-glass", &issued, false),
            ("arn:aws:iam::*:role/*break-glass", &issued, true),
            (
                "arn:aws:sts::*:assumed-role/*/anna@example.com",
                &issued,
                true,
            ),
            ("arn:aws:iam::*:role/glass", &bare, false),
            ("arn:aws:iam::*:user/emergency", &user, true),
            ("arn:aws:iam::*:root", &root, true),
            ("arn:aws:iam::*:*", &nobody, false),
        ] {
            let parsed = PrincipalPattern::try_from(pattern.to_owned()).unwrap();
            assert_eq!(
                parsed.fits(record, &Event::of(record)),
                expected,
                "{pattern} {record}"
            );
        }
        for wrong in ["*", "break-glass", "arn:aws:iam", "arn:aws:iam::1:role/a?"] {
            assert!(
                PrincipalPattern::try_from(wrong.to_owned()).is_err(),
                "{wrong}"
            );
        }
    }
}
