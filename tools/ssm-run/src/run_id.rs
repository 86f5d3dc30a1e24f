//! The comment of a command, which says who, why, and to which run it belongs. Pure.
//!
//! SendCommand takes no token of its own that would make it safe to repeat, and `--resume` needs to know what a run has
//! sent. A comment is the one thing of a command that is ours and that ListCommands returns.

use records::Arn;

/// As long as a comment may be.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html> (Comment)
const MAX_COMMENT: usize = 100;
const PREFIX: &str = "ssm-run ";

/// What all commands of a run have in common, such as `6928a3c1d01f`: its second in hexadecimal, then chance.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RunId(String);

impl RunId {
    /// Returns the token of a run that began so many seconds after 1970.
    pub(crate) fn new(began: i64, chance: u64) -> RunId {
        let began = began.cast_unsigned() & 0xffff_ffff;
        RunId(format!("{began:08x}{:04x}", chance & 0xffff))
    }

    /// Returns the run that a comment names, and the number of the command in it.
    pub(crate) fn of_comment(comment: &str) -> Option<(RunId, u32)> {
        let (token, _) = comment.strip_prefix(PREFIX)?.split_once(':')?;
        let (run, number) = token.split_once('.')?;
        let is_hex = run.len() == 12 && run.bytes().all(|b| b.is_ascii_hexdigit());
        Some((RunId(run.to_owned()), number.parse().ok()?)).filter(|_| is_hex)
    }

    /// Returns when it began, in seconds after 1970.
    pub(crate) fn began(&self) -> i64 {
        let seconds = self.0.get(..8);
        seconds
            .and_then(|seconds| i64::from_str_radix(seconds, 16).ok())
            .unwrap_or_default()
    }

    /// Returns the comment of one command, cut to what SSM takes.
    pub(crate) fn comment(&self, number: u32, caller: &str, why: Option<&str>) -> String {
        let mut comment = self.head(number, caller);
        if let Some(why) = why {
            comment.push_str(": ");
            comment.push_str(why);
        }
        comment.chars().take(MAX_COMMENT).collect()
    }

    /// Returns what is left of the reason in the comment of a command, if that is not all.
    pub(crate) fn cut(&self, number: u32, caller: &str, why: &str) -> Option<String> {
        let n_before = self.head(number, caller).chars().count() + ": ".len();
        let n_left = MAX_COMMENT.saturating_sub(n_before);
        (why.chars().count() > n_left).then(|| why.chars().take(n_left).collect())
    }

    fn head(&self, number: u32, caller: &str) -> String {
        format!("{PREFIX}{}.{number}: {}", self.0, principal(caller))
    }
}

/// Returns the part of a caller's ARN that shows people who it is: a user's name, or a role's with its session's.
fn principal(arn: &str) -> &str {
    let resource = Arn::parse(arn).map_or(arn, |arn| arn.resource);
    match resource.strip_prefix("assumed-role/") {
        Some(role) => role,
        None => resource.rsplit('/').next().unwrap_or(resource),
    }
}

#[cfg(test)]
mod tests {
    use super::RunId;

    #[test]
    fn a_comment_has_run_number_who_and_why() {
        let run = RunId::new(0x6928_a3c1, 0xd01f);
        let comment = run.comment(7, "arn:aws:iam::111122223333:user/ops/alice", Some("CVE-1"));
        assert_eq!(comment, "ssm-run 6928a3c1d01f.7: alice: CVE-1");
        assert_eq!(RunId::of_comment(&comment), Some((run.clone(), 7)));
        assert_eq!(run.began(), 0x6928_a3c1);
        let role = "arn:aws:sts::111122223333:assumed-role/Ops/bob@example.com";
        assert_eq!(
            run.comment(1, role, None),
            "ssm-run 6928a3c1d01f.1: Ops/bob@example.com"
        );
        for other in ["", "ssm-run x.1: y", "ssm-run 6928a3c1d01f: y", "by hand"] {
            assert_eq!(RunId::of_comment(other), None, "{other}");
        }
    }

    #[test]
    fn a_long_comment_is_cut_and_keeps_its_token() {
        let run = RunId::new(1, 2);
        let comment = run.comment(3, "arn:aws:iam::1:user/x", Some(&"ü".repeat(200)));
        assert_eq!(comment.chars().count(), 100);
        assert_eq!(RunId::of_comment(&comment), Some((run.clone(), 3)));
        let kept = run.cut(3, "arn:aws:iam::1:user/x", &"ü".repeat(200));
        assert!(comment.ends_with(&format!(": x: {}", kept.unwrap())));
        assert_eq!(run.cut(3, "arn:aws:iam::1:user/x", "CVE-1"), None);
    }
}
