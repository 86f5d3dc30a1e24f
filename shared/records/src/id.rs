//! IDs that cannot be wrong: of an account, and of a node.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The ID of an AWS account: 12 digits.
/// <https://docs.aws.amazon.com/accounts/latest/reference/manage-acct-identifiers.html>
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = "^[0-9]{12}$"))]
pub struct AccountId(String);

impl TryFrom<String> for AccountId {
    type Error = String;

    fn try_from(text: String) -> Result<AccountId, String> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(AccountId(text))
        } else {
            Err(format!("'{text}' is not an account ID: expected 12 digits"))
        }
    }
}

impl std::str::FromStr for AccountId {
    type Err = String;

    fn from_str(text: &str) -> Result<AccountId, String> {
        AccountId::try_from(text.to_owned())
    }
}

impl From<AccountId> for String {
    fn from(id: AccountId) -> String {
        id.0
    }
}

impl AsRef<str> for AccountId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// The ID of a node: `i-` of EC2, or `mi-` of a hybrid activation. AWS's pattern takes more letters than hexadecimal digits.
/// <https://docs.aws.amazon.com/systems-manager/latest/APIReference/API_SendCommand.html> (`InstanceIds`)
#[derive(
    Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(try_from = "String", into = "String")]
#[schemars(with = "String", extend("pattern" = r"^(i-(\w{8}|\w{17})|mi-\w{17})$"))]
pub struct InstanceId(String);

impl InstanceId {
    /// Returns whether the node is of a hybrid activation and not an EC2 instance.
    #[must_use]
    pub fn is_hybrid(&self) -> bool {
        self.0.starts_with("mi-")
    }
}

impl TryFrom<String> for InstanceId {
    type Error = String;

    fn try_from(text: String) -> Result<InstanceId, String> {
        let word = |text: &str| text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_');
        let fits = match (text.strip_prefix("mi-"), text.strip_prefix("i-")) {
            (Some(rest), _) => rest.len() == 17 && word(rest),
            (None, Some(rest)) => [8, 17].contains(&rest.len()) && word(rest),
            (None, None) => false,
        };
        match EcsTarget::parse(&text) {
            _ if fits => Ok(InstanceId(text)),
            Some(container) => Err(format!(
                "'{text}' is a {container}, which takes sessions but is not a node: it has neither an agent to update nor commands"
            )),
            None => Err(format!(
                "'{text}' is not a node ID: expected i-0123456789abcdef0 or mi-0123456789abcdef0"
            )),
        }
    }
}

impl std::str::FromStr for InstanceId {
    type Err = String;

    fn from_str(text: &str) -> Result<InstanceId, String> {
        InstanceId::try_from(text.to_owned())
    }
}

impl From<InstanceId> for String {
    fn from(id: InstanceId) -> String {
        id.0
    }
}

impl AsRef<str> for InstanceId {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

/// What sessions of ECS Exec are started on: `ecs:CLUSTER_TASK_CONTAINER`.
/// <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/ecs-exec.html>
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EcsTarget<'a> {
    /// The name of the cluster, which may have underscores.
    pub cluster: &'a str,
    /// The ID of the task.
    pub task: &'a str,
    /// The runtime ID of the container.
    pub container: &'a str,
}

impl<'a> EcsTarget<'a> {
    /// Returns the parts of a session's target, none when it is something else.
    #[must_use]
    pub fn parse(target: &'a str) -> Option<EcsTarget<'a>> {
        let rest = target.strip_prefix("ecs:")?;
        let (rest, container) = rest.rsplit_once('_')?;
        let (cluster, task) = rest.rsplit_once('_')?;
        let is_given = [cluster, task, container]
            .iter()
            .all(|part| !part.is_empty());
        is_given.then_some(EcsTarget {
            cluster,
            task,
            container,
        })
    }
}

impl std::fmt::Display for EcsTarget<'_> {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let EcsTarget { cluster, task, .. } = self;
        write!(
            formatter,
            "container of ECS task {task} in cluster {cluster}"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{AccountId, EcsTarget, InstanceId};

    #[test]
    fn a_container_is_called_what_it_is() {
        let target = "ecs:prod_blue_0123456789abcdef0123456789abcdef_0123456789abcdef-1234567890";
        let expected = EcsTarget {
            cluster: "prod_blue",
            task: "0123456789abcdef0123456789abcdef",
            container: "0123456789abcdef-1234567890",
        };
        assert_eq!(EcsTarget::parse(target), Some(expected));
        for text in [
            "ecs:",
            "ecs:a",
            "ecs:a_b",
            "ecs:_b_c",
            "i-0123abcd",
            "mi-0_1_2",
        ] {
            assert_eq!(EcsTarget::parse(text), None, "{text}");
        }
        let error = target.parse::<InstanceId>().unwrap_err();
        let expected =
            "is a container of ECS task 0123456789abcdef0123456789abcdef in cluster prod_blue";
        assert!(error.contains(expected), "{error}");
    }

    #[test]
    fn an_account_has_twelve_digits() {
        assert!("012345678901".parse::<AccountId>().is_ok());
        for text in [
            "",
            "12345678901",
            "1234567890123",
            "12345678901x",
            "１２３４",
        ] {
            assert!(text.parse::<AccountId>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_node_has_the_id_that_aws_gives() {
        for (text, is_hybrid) in [
            ("i-0123abcd", false),
            ("i-0123456789abcdef0", false),
            ("mi-0123456789abcdef0", true),
        ] {
            assert_eq!(text.parse::<InstanceId>().unwrap().is_hybrid(), is_hybrid);
        }
        for text in [
            "",
            "i-",
            "i-012",
            "mi-0123abcd",
            "i-0123456789abcdef00",
            "i-0123456789abcde-0",
            "x-0123abcd",
        ] {
            assert!(text.parse::<InstanceId>().is_err(), "{text}");
        }
    }
}
