//! What in a command looks like a secret. Pure.
//!
//! Parameters of a command are kept for 30 days, shown to everybody who may call ListCommands, and part of the events
//! about its status.
//! <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_Command.html> (Parameters)
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/monitoring-systems-manager-event-examples.html>

/// Words that, followed by `=` or `:` and a value, name a secret.
const NAMES: [&str; 8] = [
    "password",
    "passwd",
    "passphrase",
    "secret",
    "secret_key",
    "token",
    "api_key",
    "apikey",
];
/// What tokens of well-known services begin with, and how many characters follow at least.
const TOKENS: [(&str, usize); 7] = [
    ("ghp_", 30),
    ("github_pat_", 30),
    ("glpat-", 16),
    ("xoxb-", 20),
    ("xoxp-", 20),
    ("sk_live_", 16),
    ("hooks.slack.com/services/", 16),
];

/// Returns what a text seems to hold, each kind once. The secret itself is never part of it.
pub(crate) fn found(text: &str) -> Vec<&'static str> {
    let lower = text.to_ascii_lowercase();
    let kinds = [
        ("an AWS access key", has_access_key(text)),
        ("a private key", lower.contains("private key-----")),
        ("a password or token", has_named(&lower)),
        ("a token", has_token(text)),
        ("a URL with a password", has_url_password(text)),
        (
            "an authorization header",
            lower.contains("authorization: bearer ") || lower.contains("authorization: basic "),
        ),
    ];
    let found = kinds.into_iter().filter(|(_, is_there)| *is_there);
    found.map(|(kind, _)| kind).collect()
}

/// Long-term and temporary keys.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html> (unique ID prefixes)
fn has_access_key(text: &str) -> bool {
    ["AKIA", "ASIA"].iter().any(|prefix| {
        text.match_indices(prefix).any(|(at, _)| {
            let before = text[..at].chars().next_back();
            let key = text[at..].bytes().take_while(|b| is_key_byte(*b)).count();
            key == 20 && !before.is_some_and(|c| c.is_ascii_alphanumeric())
        })
    })
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_uppercase() || byte.is_ascii_digit()
}

/// A value that the node looks up itself - `$NAME`, `$(..)`, `{{ssm:..}}`, a backquote - is not a secret.
fn has_named(lower: &str) -> bool {
    NAMES.iter().any(|name| {
        lower.match_indices(name).any(|(at, _)| {
            let rest = lower[at + name.len()..].trim_start_matches(['"', '\'']);
            let Some(value) = rest.strip_prefix(['=', ':']) else {
                return false;
            };
            let value = value.trim_start_matches([' ', '"', '\'']);
            let first = value.chars().next();
            let is_written = first.is_some_and(|c| !c.is_whitespace() && !"$`{<-\\/".contains(c));
            is_written
                && value
                    .split_whitespace()
                    .next()
                    .is_some_and(|word| word.len() >= 4)
        })
    })
}

fn has_token(text: &str) -> bool {
    TOKENS.iter().any(|(prefix, at_least)| {
        text.match_indices(prefix).any(|(at, _)| {
            let rest = text[at + prefix.len()..].bytes();
            let in_token = |b: &u8| b.is_ascii_alphanumeric() || b"-_/".contains(b);
            rest.take_while(in_token).count() >= *at_least
        })
    })
}

fn has_url_password(text: &str) -> bool {
    text.match_indices("://").any(|(at, _)| {
        let authority = text[at + 3..]
            .split(|c: char| c.is_whitespace() || "/?#\"'".contains(c))
            .next()
            .unwrap_or_default();
        let user = authority.rsplit_once('@').map(|(user, _)| user);
        let password = user.and_then(|user| user.split_once(':'));
        password.is_some_and(|(_, password)| !password.is_empty() && !password.starts_with('$'))
    })
}

#[cfg(test)]
mod tests {
    use super::found;

    #[test]
    fn sees_what_looks_like_a_secret() {
        for (text, kind) in [
            (
                "aws configure set x AKIAIOSFODNN7EXAMPLE",
                "an AWS access key",
            ),
            ("-----BEGIN RSA PRIVATE KEY-----\nMII", "a private key"),
            ("mysql --password=hunter22 -e x", "a password or token"),
            ("export DB_PASSWORD='hunter22'", "a password or token"),
            ("{\"token\": \"abcdef123\"}", "a password or token"),
            (
                "git clone https://x:ghp_0123456789abcdefghijklmnopqrstuvwxyz@github.com/a/b",
                "a token",
            ),
            (
                "curl https://user:pa55@example.com/",
                "a URL with a password",
            ),
            (
                "curl -H 'Authorization: Bearer abc'",
                "an authorization header",
            ),
        ] {
            assert!(found(text).contains(&kind), "{text}: {:?}", found(text));
        }
    }

    #[test]
    fn leaves_ordinary_commands_alone() {
        for text in [
            "rpm -qa --queryformat '%{NAME}\\n'",
            "grep -c password: /etc/nsswitch.conf",
            "mysql --password=\"$(cat /root/pw)\"",
            "PASSWORD=$1 run",
            "curl http://169.254.169.254/latest/api/token",
            "curl -sS https://example.com/a:b@c",
            "tool --token={{ssm:/app/token}}",
            "echo AKIA",
            "chage -l root | grep 'Password expires'",
            "",
        ] {
            assert_eq!(found(text), [""; 0], "{text}");
        }
    }
}
