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
    /// The same without the path of a role, for records that have only the session's ARN, in which there is none. `None` where nothing
    /// but `*` would be left of the name, which is every role.
    without_path: Option<Vec<String>>,
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
        let short = text.split_once(":role/").and_then(|(account, role)| {
            let name = role.rsplit('/').next().unwrap_or_default();
            let is_name = name.bytes().any(|byte| byte != b'*');
            is_name.then(|| parts(&format!("{account}:role/{name}")))
        });
        Ok(PrincipalPattern {
            parts: parts(&text),
            without_path: short,
            text,
        })
    }
}

impl PrincipalPattern {
    /// Returns the pattern as it is written.
    pub(super) fn text(&self) -> &str {
        &self.text
    }

    /// Returns whether a record is of such a principal, by one of its whole names: what a rule mutes must be sure.
    pub(super) fn fits(&self, record: &Value, event: &Event) -> bool {
        let arn = text(&record["userIdentity"]["arn"]);
        let whole = [event.who.principal.as_str(), arn.as_str()];
        whole
            .iter()
            .any(|one| !one.is_empty() && wildcard(&self.parts, one))
    }

    /// Returns whether a record may be of such a principal, also where the pattern or the record leaves out the path of the role: a use
    /// of a principal for emergencies must not be missed.
    pub(super) fn may_fit(&self, record: &Value, event: &Event) -> bool {
        self.fits(record, event) || self.may_be(&event.who.principal)
    }

    /// Returns whether an ARN may be that of such a principal, or of a session of it.
    pub(super) fn may_be(&self, arn: &str) -> bool {
        // Of a session without its issuer the role is known by its name only.
        let of_session = || {
            let role = role_of_session(arn)?;
            let without_path = self.without_path.as_ref()?;
            Some(wildcard(without_path, &role))
        };
        let of_issuer = || Some(wildcard(&self.parts, &role_without_path(arn)?));
        wildcard(&self.parts, arn) || of_session() == Some(true) || of_issuer() == Some(true)
    }

    /// Returns the partition, the account and the name of the pattern.
    fn fields(&self) -> [&str; 3] {
        let mut fields = self.text.splitn(6, ':');
        let partition = fields.nth(1).unwrap_or_default();
        let account = fields.nth(2).unwrap_or_default();
        [partition, account, fields.next().unwrap_or_default()]
    }

    /// Returns whether principals of an account may be meant: of no other partition either, whose principals may have the same names.
    fn is_in(&self, account: &str, partition: &str) -> bool {
        let [of_partition, of_account, _] = self.fields();
        wildcard(&parts(of_partition), partition) && wildcard(&parts(of_account), account)
    }

    /// Returns whether roles of an account may be meant.
    pub(super) fn may_have_roles(&self, account: &str, partition: &str) -> bool {
        let [_, _, name] = self.fields();
        let is_other = ["user/", "root"].iter().any(|kind| name.starts_with(kind));
        !is_other && self.is_in(account, partition)
    }

    /// Returns the roles of an account that are meant: those of the ones that exist, and one that is written out, which may be gone.
    pub(super) fn roles(&self, account: &str, partition: &str, existing: &[String]) -> Vec<String> {
        if !self.may_have_roles(account, partition) {
            return Vec::new();
        }
        let of_sessions = self.text.split_once(":assumed-role/");
        let of_role = of_sessions.and_then(|_| role_of_session(&self.text));
        let pattern = of_role.and_then(|text| PrincipalPattern::try_from(text).ok());
        let pattern = pattern.as_ref().unwrap_or(self);
        let found = existing.iter().filter(|arn| pattern.may_be(arn)).cloned();
        let mut found: Vec<String> = found.collect();
        let [_, _, name] = pattern.fields();
        let is_whole = name.starts_with("role/") && !name.contains('*');
        let written = format!("arn:{partition}:iam::{account}:{name}");
        if is_whole && !found.contains(&written) {
            found.push(written);
        }
        found
    }

    /// Returns whether it takes the users of an account to know which of them are meant.
    pub(super) fn may_have_users(&self, account: &str, partition: &str) -> bool {
        let [_, _, name] = self.fields();
        let kind = name.split('/').next().unwrap_or_default();
        let is_open = name.contains('*') && wildcard(&parts(kind), "user");
        is_open && self.is_in(account, partition)
    }

    /// Returns the names of the users of an account that are meant, as the event history has them: those of the ones that exist, one
    /// that is written out, which may be gone, and `root`.
    pub(super) fn users(&self, account: &str, partition: &str, existing: &[String]) -> Vec<String> {
        if !self.is_in(account, partition) {
            return Vec::new();
        }
        let [_, _, name] = self.fields();
        let is_found = |arn: &&String| wildcard(&self.parts, arn);
        let mut found: Vec<&str> = existing
            .iter()
            .filter(is_found)
            .map(String::as_str)
            .collect();
        if name.starts_with("user/") && !name.contains('*') {
            found.push(name);
        }
        let names = found.into_iter().filter_map(|arn| arn.rsplit('/').next());
        let mut names: Vec<String> = names.map(str::to_owned).collect();
        let root = format!("arn:{partition}:iam::{account}:root");
        if wildcard(&self.parts, &root) {
            names.push("root".to_owned());
        }
        names
    }
}

/// Returns the ARN of a role without its path.
fn role_without_path(arn: &str) -> Option<String> {
    let (account, role) = arn.split_once(":role/")?;
    let (_, name) = role.rsplit_once('/')?;
    Some(format!("{account}:role/{name}"))
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
        // Of break-glass, and of a rule.
        for (pattern, record, may, is) in [
            (
                "arn:aws:iam::*:role/security/break-glass",
                &issued,
                true,
                true,
            ),
            (
                "arn:aws:iam::*:role/security/break-glass",
                &bare,
                true,
                false,
            ),
            ("arn:aws:iam::111122223333:role/break-*", &bare, true, false),
            (
                "arn:aws:iam::444455556666:role/break-*",
                &bare,
                false,
                false,
            ),
            ("arn:aws:iam::*:role/break-glass", &issued, true, false),
            ("arn:aws:iam::*:role/break-gl*", &issued, true, false),
            ("arn:aws:iam::*:role/*break-glass", &issued, true, true),
            ("arn:aws:iam::*:role/automation/*", &issued, false, false),
            ("arn:aws:iam::*:role/automation/*", &bare, false, false),
            ("arn:aws:iam::*:role/*", &issued, true, true),
            (
                "arn:aws:sts::*:assumed-role/*/anna@example.com",
                &issued,
                true,
                true,
            ),
            ("arn:aws:iam::*:role/glass", &bare, false, false),
            ("arn:aws:iam::*:user/emergency", &user, true, true),
            ("arn:aws:iam::*:root", &root, true, true),
            ("arn:aws:iam::*:*", &nobody, false, false),
        ] {
            let parsed = PrincipalPattern::try_from(pattern.to_owned()).unwrap();
            let event = Event::of(record);
            assert_eq!(
                (parsed.may_fit(record, &event), parsed.fits(record, &event)),
                (may, is),
                "{pattern} {record}"
            );
        }
        let existing = [
            "arn:aws:iam::111122223333:role/security/break-glass",
            "arn:aws:iam::111122223333:role/Ops",
        ]
        .map(str::to_owned);
        let (glass, gone) = (&*existing[0], "arn:aws:iam::111122223333:role/gone");
        for (pattern, expected) in [
            ("arn:aws:iam::*:role/security/break-*", vec![glass]),
            ("arn:aws:iam::*:role/gone", vec![gone]),
            ("arn:aws:iam::111122223333:role/g*", vec![]),
            (
                "arn:aws:iam::444455556666:role/security/break-glass",
                vec![],
            ),
            ("arn:aws:iam::*:user/emergency", vec![]),
            ("arn:aws:iam::*:root", vec![]),
            ("arn:aws:sts::*:assumed-role/gone/anna", vec![gone]),
            ("arn:aws:iam::*:*", vec![glass, &*existing[1]]),
        ] {
            let parsed = PrincipalPattern::try_from(pattern.to_owned()).unwrap();
            let roles = parsed.roles("111122223333", "aws", &existing);
            assert_eq!(roles, expected, "{pattern}");
        }
        let existing = [
            "arn:aws:iam::111122223333:user/ops/anna",
            "arn:aws:iam::111122223333:user/emergency-2",
        ]
        .map(str::to_owned);
        for (pattern, is_listed, expected) in [
            ("arn:aws:iam::*:user/emergency", false, vec!["emergency"]),
            (
                "arn:aws:iam::111122223333:user/ops/gone",
                false,
                vec!["gone"],
            ),
            ("arn:aws:iam::444455556666:user/emergency", false, vec![]),
            ("arn:aws:iam::444455556666:user/*", false, vec![]),
            ("arn:aws:iam::*:user/emergency-*", true, vec!["emergency-2"]),
            ("arn:aws:iam::*:user/ops/*", true, vec!["anna"]),
            ("arn:aws:iam::*:root", false, vec!["root"]),
            (
                "arn:aws:iam::*:*",
                true,
                vec!["anna", "emergency-2", "root"],
            ),
            ("arn:aws:iam::*:role/*", false, vec![]),
        ] {
            let parsed = PrincipalPattern::try_from(pattern.to_owned()).unwrap();
            let found = parsed.users("111122223333", "aws", &existing);
            let is_found = parsed.may_have_users("111122223333", "aws");
            assert_eq!(
                (is_found, found),
                (is_listed, expected.into_iter().map(str::to_owned).collect()),
                "{pattern}"
            );
        }
        for wrong in ["*", "break-glass", "arn:aws:iam", "arn:aws:iam::1:role/a?"] {
            assert!(
                PrincipalPattern::try_from(wrong.to_owned()).is_err(),
                "{wrong}"
            );
        }
    }

    #[test]
    fn what_is_written_out_is_looked_up_in_the_partition_where_it_would_be() {
        let role = |partition: &str| vec![format!("arn:{partition}:iam::111122223333:role/gone")];
        let root = || vec!["root".to_owned()];
        let gone = || vec!["gone".to_owned()];
        for (pattern, partition, roles, users) in [
            ("arn:aws-*:iam::*:root", "aws-us-gov", vec![], root()),
            ("arn:aws-*:iam::*:root", "aws-cn", vec![], root()),
            ("arn:aws-*:iam::*:root", "aws", vec![], vec![]),
            ("arn:aws*:iam::*:root", "aws", vec![], root()),
            ("arn:aws:iam::*:root", "aws-cn", vec![], vec![]),
            ("arn:aws-cn:iam::*:root", "aws-cn", vec![], root()),
            (
                "arn:aws-*:iam::*:role/gone",
                "aws-cn",
                role("aws-cn"),
                vec![],
            ),
            ("arn:*:iam::1*:role/gone", "aws", role("aws"), vec![]),
            ("arn:aws-*:iam::*:role/gone", "aws", vec![], vec![]),
            (
                "arn:aws-*:sts::*:assumed-role/gone/anna",
                "aws-us-gov",
                role("aws-us-gov"),
                vec![],
            ),
            ("arn:aws-cn:iam::*:user/gone", "aws", vec![], vec![]),
            ("arn:aws-cn:iam::*:user/gone", "aws-cn", vec![], gone()),
            ("arn:aws-*:iam::*:user/gone", "aws", vec![], vec![]),
            ("arn:aws*:iam::*:user/gone", "aws", vec![], gone()),
        ] {
            let parsed = PrincipalPattern::try_from(pattern.to_owned()).unwrap();
            let found = (
                parsed.roles("111122223333", partition, &[]),
                parsed.users("111122223333", partition, &[]),
            );
            assert_eq!(found, (roles, users), "{pattern} {partition}");
        }
    }

    #[test]
    fn what_there_is_of_another_partition_is_not_listed() {
        for (pattern, partition, has_roles, has_users) in [
            ("arn:aws-cn:iam::*:role/break-*", "aws", false, false),
            ("arn:aws-cn:iam::*:role/break-*", "aws-cn", true, false),
            ("arn:aws-cn:iam::*:user/break-*", "aws", false, false),
            ("arn:aws-cn:iam::*:user/break-*", "aws-cn", false, true),
            ("arn:aws*:iam::*:*", "aws-us-gov", true, true),
        ] {
            let parsed = PrincipalPattern::try_from(pattern.to_owned()).unwrap();
            let found = (
                parsed.may_have_roles("111122223333", partition),
                parsed.may_have_users("111122223333", partition),
            );
            assert_eq!(found, (has_roles, has_users), "{pattern} {partition}");
        }
    }
}
