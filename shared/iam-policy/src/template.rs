//! Tokens of templates that were never rendered. A policy variable looks alike and is none: its key has a service.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html>

use crate::pattern::is_variable;

/// How tokens begin and end; what begins in the same way is tried from the longest on.
const BRACKETS: [(&str, &str); 14] = [
    ("${", "}"),
    ("#{", "}"),
    ("%{", "}"),
    ("{{", "}}"),
    ("{%", "%}"),
    ("<%", "%>"),
    ("[[", "]]"),
    ("@@", "@@"),
    ("{", "}"),
    ("<", ">"),
    ("(", ")"),
    ("[", "]"),
    ("__", "__"),
    ("$", ""),
];

/// What AWS itself calls the versions of documents, functions and launch templates, which ARNs and conditions name.
const VERSIONS: [&str; 2] = ["DEFAULT", "LATEST"];

/// Returns the first token of a template in a text: `${PARTITION}`, `{{ role }}`, `<account>`, `$ACCOUNT_ID`.
pub(crate) fn token(text: &str) -> Option<&str> {
    let mut rest = text;
    while !rest.is_empty() {
        let before = &text[..text.len() - rest.len()];
        let found = BRACKETS
            .iter()
            .find_map(|(open, close)| bracketed(rest, open, close))
            // A name may have it inside: `svc__PROD__ops`.
            .filter(|(token, _)| {
                let after = &rest[token.len()..];
                let is_whole = (before.is_empty() || before.ends_with(['/', ':', '"']))
                    && (after.is_empty() || after.starts_with(['/', ':', '"', '*']));
                !token.starts_with("__") || is_whole
            });
        let step = match found {
            Some((token, true)) => return Some(token),
            Some((variable, false)) => variable.len(),
            None => rest.chars().next().map_or(1, char::len_utf8),
        };
        rest = &rest[step..];
    }
    None
}

/// Returns whether a text begins like a token that its template has outside of strings.
pub(crate) fn begins_like_token(text: &str) -> bool {
    ["${", "#{", "%{", "{{", "{%", "<%"]
        .iter()
        .any(|open| text.starts_with(open))
}

/// Returns what stands between brackets, brackets included, and whether it is a token.
fn bracketed<'t>(text: &'t str, open: &str, close: &str) -> Option<(&'t str, bool)> {
    let inner = text.strip_prefix(open)?;
    let is_name = |name: &str| {
        name.len() > 1
            && name.starts_with(|first: char| first.is_ascii_uppercase())
            && name
                .bytes()
                .all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit() || byte == b'_')
    };
    if close.is_empty() {
        let end = inner.find(|c: char| !(c.is_ascii_alphanumeric() || c == '_'));
        let name = &inner[..end.unwrap_or(inner.len())];
        return (is_name(name) && !VERSIONS.contains(&name))
            .then(|| (&text[..open.len() + name.len()], true));
    }
    let inside = &inner[..inner.find(close)?];
    let whole = &text[..open.len() + inside.len() + close.len()];
    match open {
        "${" if is_variable(inside) => Some((whole, false)),
        "__" if !is_name(inside) => None,
        // Without a character between them they are brackets and no token.
        _ => (!inside.is_empty()).then_some((whole, true)),
    }
}

#[cfg(test)]
mod tests {
    use super::token;

    #[test]
    fn finds_the_tokens_of_each_language() {
        for (text, expected) in [
            ("arn:${PARTITION}:iam::*:role/Admin", "${PARTITION}"),
            ("arn:aws:iam::${Account}:role/x", "${Account}"),
            // CloudFormation, CDK, Serverless.
            ("arn:${AWS::Partition}:s3:::b", "${AWS::Partition}"),
            ("${Token[AWS.AccountId.4]}", "${Token[AWS.AccountId.4]}"),
            ("arn:aws:s3:::#{AWS::AccountId}", "#{AWS::AccountId}"),
            // Terraform.
            ("${var.role_arn}", "${var.role_arn}"),
            ("${cond ? \"a:b\" : \"c\"}", "${cond ? \"a:b\" : \"c\"}"),
            ("%{ for role in roles }", "%{ for role in roles }"),
            // Jinja, Go, ERB, shell, sed.
            ("arn:aws:iam::{{ account }}:role/x", "{{ account }}"),
            ("{% if x %}", "{% if x %}"),
            ("<%= role %>", "<%= role %>"),
            ("arn:aws:iam::$ACCOUNT_ID:role/x", "$ACCOUNT_ID"),
            ("@@ROLE@@", "@@ROLE@@"),
            ("arn:aws:iam::__ACCOUNT__:role/x", "__ACCOUNT__"),
            // Documentation.
            ("<bucket arn>", "<bucket arn>"),
            ("arn:aws:iam::(account-ID):user/*", "(account-ID)"),
            ("arn:aws:iam::[ACCOUNT]:role/x", "[ACCOUNT]"),
            ("{role}", "{role}"),
            ("${aws:PrincipalTag/a}-${stage}", "${stage}"),
        ] {
            assert_eq!(token(text), Some(expected), "{text}");
        }
    }

    #[test]
    fn policy_variables_and_names_are_no_tokens() {
        for text in [
            "arn:aws:ssm:*:*:session/${aws:userid}-*",
            "${aws:PrincipalTag/a(b}",
            "${aws:PrincipalTag/team, 'none'}",
            "${saml:sub}",
            "${*}${?}${$}",
            "${accounts.google.com:sub}/*",
            "arn:aws:iam::*:role/my__role__name",
            "price in $ and $5",
            "arn:aws:lambda:*:*:function:f:$LATEST",
            "$DEFAULT",
            "a)b(c",
            "()",
            "",
        ] {
            assert_eq!(token(text), None, "{text}");
        }
    }
}
