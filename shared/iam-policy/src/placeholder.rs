//! Texts that were left over from a template or from an example. Only whole words count: a role may be called
//! `exchange-media` or `get-instance-id`.

use crate::arn::Arn;
use crate::template::token;

/// Words that stand where the real name of something should.
const WORDS: [&str; 8] = [
    "changeme",
    "change-me",
    "change_me",
    "replace-me",
    "replace_me",
    "bucket-name",
    "account-id",
    "account_id",
];
/// What AWS's documentation writes for the ID of one of a kind: `key/key-id`.
const IDS: [(&str, &str); 2] = [("instance", "instance-id"), ("key", "key-id")];
/// The same in capitals, which people write to be seen, with other words around them.
const CAPITALS: [&str; 13] = [
    "YOUR_",
    "YOUR-",
    "CHANGEME",
    "CHANGE_ME",
    "CHANGE-ME",
    "REPLACE_",
    "REPLACE-ME",
    "ACCOUNT_ID",
    "ACCOUNT-ID",
    "ACCOUNTID",
    "INSTANCE-ID",
    "KEY-ID",
    "BUCKET-NAME",
];
const ACCOUNTS: [&str; 7] = [
    "account",
    "accountid",
    "account-id",
    "account_id",
    "acct",
    "your-account-id",
    "xxxxxxxxxxxx",
];
const REGIONS: [&str; 3] = ["region", "aws-region", "your-region"];

/// Returns whether a text was left over from a template: `<account>`, `account-id`, `YOUR_ROLE`.
#[must_use]
pub fn is_placeholder(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    token(text).is_some() || has_capitals(text) || has_words(&lower) || is_of_example(&lower)
}

fn has_capitals(text: &str) -> bool {
    CAPITALS.iter().any(|word| {
        let mut found = text.match_indices(word);
        found.any(|(at, _)| {
            let (before, after) = (&text[..at], &text[at + word.len()..]);
            let is_open = word.ends_with(['_', '-']);
            let goes_on = !is_open && after.starts_with(|c: char| c.is_ascii_alphanumeric());
            // Names have it inside: `AUTO-REPLACE_VOLUMES`.
            let is_inside =
                *word == "REPLACE_" && !(before.is_empty() || before.ends_with(['/', ':']));
            !before.ends_with(|c: char| c.is_ascii_uppercase()) && !goes_on && !is_inside
        })
    })
}

fn has_words(lower: &str) -> bool {
    let segments: Vec<&str> = lower.split(['/', ':']).collect();
    let is_id = |pair: &[&str]| {
        IDS.iter()
            .any(|(kind, id)| matches!(pair, [before, here] if before == kind && here == id))
    };
    let is_word = |segment: &&str| {
        WORDS.contains(segment) || segment.starts_with("your-") || segment.starts_with("your_")
    };
    segments.iter().any(is_word) || segments.windows(2).any(is_id)
}

fn is_of_example(lower: &str) -> bool {
    Arn::parse(lower)
        .is_some_and(|arn| REGIONS.contains(&arn.region) || ACCOUNTS.contains(&arn.account))
}

#[cfg(test)]
mod tests {
    use super::is_placeholder;

    #[test]
    fn knows_placeholders_from_variables() {
        for text in [
            "arn:aws:iam::(account-ID):user/*",
            "arn:aws:ec2:region:1:instance/x",
            "arn:aws:ec2:us-east-1:accountid:instance/x",
            "arn:aws:kms:us-east-1:111122223333:key/key-id",
            "arn:aws:ec2:us-east-1:111122223333:instance/instance-id",
            "arn:aws:s3:::bucket-name/*",
            "arn:aws:iam::111122223333:role/your-role",
            "arn:aws:iam::111122223333:role/team-YOUR_ROLE",
            "<role>",
            "YOUR_ROLE",
            "arn:aws:iam::111122223333:role/REPLACE_THIS",
            "arn:aws:iam::111122223333:role/__ROLE__",
            "{role}",
        ] {
            assert!(is_placeholder(text), "{text}");
        }
        for text in [
            "arn:aws:iam::111122223333:role/CROSS_ACCOUNT_IDENTITY",
            "arn:aws:iam::111122223333:role/KEY-IDENTITY",
            "arn:aws:iam::111122223333:role/AUTO-REPLACE_VOLUMES",
            "arn:aws:iam::111122223333:role/svc__PROD__ops",
            "arn:aws:ssm:*:*:session/${aws:userid}-*",
            "arn:aws:iam::*:role/region-ops",
            "*",
            "${aws:PrincipalTag/a(b}",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }

    /// Words within the names that people give, and AWS itself in AmazonEKSNetworkingPolicy.
    #[test]
    fn m1_words_inside_real_names_are_no_placeholders() {
        for name in [
            "exchange-media",
            "change-metrics-ops",
            "lambda-get-instance-id",
            "kms-key-id-rotator",
            "myaccountidentity",
            "example_app",
            "EXAMPLE-App",
            "NEIGHBOUR_TEAM",
        ] {
            let arn = format!("arn:aws:iam::111122223333:role/{name}");
            assert!(!is_placeholder(&arn), "{arn}");
        }
        for text in [
            "arn:aws:ssm:us-east-1:111122223333:parameter/app/instance-id",
            "sgp.eks.amazonaws.com/instance-id",
        ] {
            assert!(!is_placeholder(text), "{text}");
        }
    }
}
