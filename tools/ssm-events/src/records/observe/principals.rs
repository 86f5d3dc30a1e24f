//! The roles and the users of an account.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListRoles.html>,
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListUsers.html>

use awsconf::{Session, describe};

/// Returns the ARNs of all users, with their paths.
///
/// # Errors
/// A page cannot be read.
pub(crate) async fn of_users(session: &Session) -> anyhow::Result<Vec<String>> {
    let client = aws_sdk_iam::Client::new(&session.config);
    let (mut arns, mut marker) = (Vec::new(), None);
    loop {
        let request = client.list_users().set_marker(marker);
        let page = request.send().await;
        let page = page.map_err(|error| describe("ListUsers", error))?;
        arns.extend(page.users().iter().map(|user| user.arn().to_owned()));
        marker = page.marker;
        if marker.is_none() {
            return Ok(arns);
        }
    }
}

/// Returns the ARNs of all roles, with their paths.
///
/// # Errors
/// A page cannot be read.
pub(crate) async fn of_roles(session: &Session) -> anyhow::Result<Vec<String>> {
    let client = aws_sdk_iam::Client::new(&session.config);
    let (mut arns, mut marker) = (Vec::new(), None);
    loop {
        let request = client.list_roles().set_marker(marker);
        let page = request.send().await;
        let page = page.map_err(|error| describe("ListRoles", error))?;
        arns.extend(page.roles().iter().map(|role| role.arn().to_owned()));
        marker = page.marker;
        if marker.is_none() {
            return Ok(arns);
        }
    }
}
