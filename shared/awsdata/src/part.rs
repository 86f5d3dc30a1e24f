//! Saved answers of AWS that are only a part of all there is: what is not in one may be in the rest.

use serde_json::{Map, Value};

/// What to do about one. The AWS CLI reads all pages unless a flag says otherwise.
/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-usage-pagination.html>
pub const SAVE_ALL: &str = "save it again without --no-paginate, --max-items and other limits; where the other pages were saved too, \
                            join them and drop the token";

/// Returns whether the token of an answer says that others follow it.
#[must_use]
pub fn is_cut(token: Option<&str>) -> bool {
    token.is_some_and(|token| !token.is_empty())
}

/// Returns the member by which an answer says that it is only a part; `None` for a whole one.
#[must_use]
pub fn sign_of_part(answer: &Map<String, Value>) -> Option<&'static str> {
    let tokens = ["NextToken", "nextToken", "NextContinuationToken"];
    let text = |name: &&str| is_cut(answer.get(*name).and_then(Value::as_str));
    let is_cut = answer.get("IsTruncated") == Some(&Value::Bool(true));
    let token = tokens.into_iter().find(text);
    token.or(is_cut.then_some("IsTruncated"))
}

/// Returns what to say of an answer that is only a part; `None` for a whole one.
#[must_use]
pub fn part(answer: &Map<String, Value>) -> Option<String> {
    let sign = sign_of_part(answer)?;
    Some(format!(
        "the answer is only a part, as its {sign} says: {SAVE_ALL}"
    ))
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{part, sign_of_part};

    #[test]
    fn an_answer_says_by_any_of_its_members_that_there_is_more() {
        for (answer, sign) in [
            (json!({"NextToken": null}), None),
            (json!({"NextToken": ""}), None),
            (json!({"IsTruncated": false}), None),
            (json!({"NextToken": "x"}), Some("NextToken")),
            (json!({"nextToken": "x"}), Some("nextToken")),
            (
                json!({"NextContinuationToken": "x", "IsTruncated": true}),
                Some("NextContinuationToken"),
            ),
            (json!({"IsTruncated": true}), Some("IsTruncated")),
        ] {
            let Value::Object(members) = &answer else {
                panic!("{answer}");
            };
            assert_eq!(sign_of_part(members), sign, "{answer}");
            assert_eq!(part(members).is_some(), sign.is_some(), "{answer}");
        }
    }
}
