//! The list of accounts to work in: from a file or stdin in any form that one has at hand, or from Organizations.

use std::collections::BTreeSet;

use anyhow::{Context, bail};
use aws_sdk_organizations::types::AccountState;
use records::{AccountId, Entity, EntityType};
use serde_json::Value;

use crate::arguments::AccountsFrom;
use crate::{Session, describe};

/// An account to work in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Account {
    pub(crate) id: String,
    /// The IDs of the organizational units above it, the root first; `None` when the list does not say.
    pub(crate) units: Option<Vec<String>>,
}

/// Accounts in the order of their list, and those of it in which nothing can be done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Accounts {
    pub(crate) active: Vec<Account>,
    /// Suspended ones and the like, with their state.
    pub(crate) inactive: Vec<(String, String)>,
}

impl Accounts {
    /// Returns the accounts that the flag names.
    ///
    /// # Errors
    /// The list cannot be read, is empty, or has something else in it.
    pub(crate) async fn read(from: &AccountsFrom, home: &Session) -> anyhow::Result<Accounts> {
        let accounts = match from {
            AccountsFrom::Organization => organization(home).await?,
            AccountsFrom::Stdin => {
                let text = std::io::read_to_string(std::io::stdin().lock());
                let text = text.context("read accounts from stdin")?;
                parse(&text).context("read accounts from stdin")?
            }
            AccountsFrom::File(path) => {
                let action = || format!("read accounts from {}", path.display());
                let is_id = path.to_string_lossy().parse::<records::AccountId>().is_ok();
                if is_id && !path.exists() {
                    bail!(
                        "--accounts: there is no file {path}; IDs come on stdin: echo {path} | .. --accounts -",
                        path = path.display()
                    );
                }
                let text = std::fs::read_to_string(path).with_context(action)?;
                parse(&text).with_context(action)?
            }
        };
        if accounts.active.is_empty() {
            bail!("--accounts: no active account in the list");
        }
        Ok(accounts)
    }

    fn push(&mut self, id: &str, state: Option<&str>, units: Option<Vec<String>>) {
        match state {
            None | Some("ACTIVE") => self.active.push(Account {
                id: id.to_owned(),
                units,
            }),
            Some(state) => self.inactive.push((id.to_owned(), state.to_owned())),
        }
    }

    /// Keeps the first of each account.
    fn once(mut self) -> Accounts {
        let mut seen = BTreeSet::new();
        self.active
            .retain(|account| seen.insert(account.id.clone()));
        self
    }
}

/// <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html>
async fn organization(home: &Session) -> anyhow::Result<Accounts> {
    let client = aws_sdk_organizations::Client::new(&home.config);
    let mut accounts = Accounts::default();
    let mut token = None;
    loop {
        let page = client.list_accounts().set_next_token(token).send().await;
        let page = page.map_err(|error| describe("ListAccounts", error))?;
        for account in page.accounts() {
            let id = account.id().context("ListAccounts: account without ID")?;
            let state = account.state().map(AccountState::as_str);
            accounts.push(id, state, units(account.paths()));
        }
        match page.next_token {
            Some(next) => token = Some(next),
            None => return Ok(accounts),
        }
    }
}

/// Returns the units of an account's path, `o-a1/r-b2/ou-b2-c3/111122223333/`.
fn units<T: AsRef<str>>(paths: &[T]) -> Option<Vec<String>> {
    let path = paths.first()?.as_ref();
    let units = path
        .split('/')
        .filter(|part| part.starts_with("r-") || part.starts_with("ou-"));
    Some(units.map(str::to_owned).collect())
}

/// Reads IDs one a line, with comments after `#`, or JSON: IDs, accounts as Organizations prints them, its whole answers,
/// or entities as `ssm-scp show` prints them.
fn parse(text: &str) -> anyhow::Result<Accounts> {
    let mut accounts = Accounts::default();
    if !text.trim_start().starts_with(['{', '[', '"']) {
        for (line, number) in text.lines().zip(1..) {
            let id = line.split('#').next().unwrap_or_default().trim();
            if id.is_empty() {
                continue;
            }
            anyhow::ensure!(
                id.parse::<AccountId>().is_ok(),
                "line {number}: expected an account ID of 12 digits, found '{id}'"
            );
            accounts.push(id, None, None);
        }
        return Ok(accounts.once());
    }
    let values = serde_json::Deserializer::from_str(text).into_iter::<Value>();
    let mut entities = Vec::new();
    for value in values {
        add(&mut accounts, &mut entities, &value?)?;
    }
    for entity in &entities {
        add_entity(&mut accounts, entity, &entities)?;
    }
    Ok(accounts.once())
}

/// Adds an account of `ssm-scp show` with the units above it; other entities are only above accounts.
fn add_entity(accounts: &mut Accounts, entity: &Entity, entities: &[Entity]) -> anyhow::Result<()> {
    if entity.r#type != EntityType::Account {
        return Ok(());
    }
    let id: AccountId = entity.id.parse().map_err(anyhow::Error::msg)?;
    let mut above = Vec::new();
    let mut at = entity.parent.as_deref();
    // Records may be edited; a circle must not hang.
    while let Some(unit) = at.filter(|_| above.len() < entities.len()) {
        above.insert(0, unit.to_owned());
        let parent = entities.iter().find(|entity| entity.id == unit);
        at = parent.and_then(|entity| entity.parent.as_deref());
    }
    accounts.push(id.as_ref(), None, Some(above));
    Ok(())
}

fn add(accounts: &mut Accounts, entities: &mut Vec<Entity>, value: &Value) -> anyhow::Result<()> {
    if let Some(list) = value.as_array().or_else(|| value["Accounts"].as_array()) {
        return list.iter().try_for_each(|one| add(accounts, entities, one));
    }
    if value["kind"] == "entity" {
        entities.push(cli::from_value(value)?);
        return Ok(());
    }
    // `ssm-scp show` prints the policies as well, whose attachments are with the entities.
    if value["kind"] == "policy" {
        return Ok(());
    }
    if value.is_string() {
        accounts.push(account_id(value, value)?, None, None);
        return Ok(());
    }
    let id = account_id(&value["Id"], value)?;
    // Status retires in favour of State on 2026-09-09; saved answers may still have only the older one.
    // https://docs.aws.amazon.com/organizations/latest/APIReference/API_Account.html
    let state = value["State"].as_str().or_else(|| value["Status"].as_str());
    let paths: Vec<&str> = value["Paths"]
        .as_array()
        .map(|paths| paths.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default();
    accounts.push(id, state, units(&paths));
    Ok(())
}

fn account_id<'v>(id: &'v Value, of: &Value) -> anyhow::Result<&'v str> {
    id.as_str().filter(|id| id.parse::<AccountId>().is_ok()).with_context(|| {
        let text: String = of.to_string().chars().take(80).collect();
        format!("expected account IDs of 12 digits or what `aws organizations list-accounts` prints, found {text}")
    })
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Accounts, parse};

    fn ids(accounts: &Accounts) -> Vec<&str> {
        accounts.active.iter().map(|one| one.id.as_str()).collect()
    }

    #[test]
    fn reads_ids_one_a_line_each_once() {
        let text = "# prod\n111111111111\n012345678901 # old\n\n111111111111\n";
        assert_eq!(ids(&parse(text).unwrap()), ["111111111111", "012345678901"]);
        let wrong = format!("{:#}", parse("111111111111\n12345\n").unwrap_err());
        assert_eq!(
            wrong,
            "line 2: expected an account ID of 12 digits, found '12345'"
        );
    }

    #[test]
    fn reads_what_organizations_answers_without_those_that_are_closed() {
        let text = r#"{"Accounts":[{"Id":"111111111111","State":"ACTIVE","Paths":["o-a/r-b/ou-b-c/111111111111/"]},
            {"Id":"222222222222","Status":"SUSPENDED"}]} "333333333333" ["444444444444"]"#;
        let accounts = parse(text).unwrap();
        assert_eq!(
            ids(&accounts),
            ["111111111111", "333333333333", "444444444444"]
        );
        assert_eq!(
            accounts.active[0].units,
            Some(vec!["r-b".to_owned(), "ou-b-c".to_owned()])
        );
        assert_eq!(
            accounts.inactive,
            [("222222222222".to_owned(), "SUSPENDED".to_owned())]
        );
        assert!(parse(r#"{"Name":"x"}"#).is_err());
        // What could not be read may hold accounts.
        assert!(parse(r#"{"kind":"unreachable"}"#).is_err());
    }

    #[test]
    fn entities_say_the_units_above_an_account() {
        let entity = |id: &str, is: &str, parent: Option<&str>| {
            json!({"kind": "entity", "id": id, "type": is, "name": id, "parent": parent, "path": id,
                "management": false, "policies": []})
        };
        let root = entity("r-b", "root", None);
        let unit = entity("ou-b-c", "organizational_unit", Some("r-b"));
        let account = entity("111111111111", "account", Some("ou-b-c"));
        let policy =
            json!({"kind": "policy", "policy_type": "service_control_policy", "id": "p-1"});
        for text in [
            format!("{policy}\n{account}\n{unit}\n{root}"),
            json!([root, unit, account]).to_string(),
        ] {
            let accounts = parse(&text).unwrap();
            assert_eq!(
                accounts.active[0].units,
                Some(vec!["r-b".to_owned(), "ou-b-c".to_owned()])
            );
        }
        let wrong = entity("11111111111", "account", None).to_string();
        assert!(parse(&wrong).is_err());
    }
}
