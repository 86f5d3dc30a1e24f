//! Reads the preferences document, its default and its latest version, and the other Session documents.

use std::time::Duration;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::{DocumentFormat, DocumentKeyValuesFilter, DocumentStatus};
use awsconf::{Deadline, reading};
use cli::Reading;
use records::{Document, DocumentVersion, SessionDocument};

use super::{document_call, parse};
use crate::model::DOCUMENT;

/// Longest time that a new document version may take to become active.
const ACTIVE_WITHIN: Duration = Duration::from_secs(60);

/// Reads both versions that matter. `GetDocument` alone would show the default one and hide a newer one.
pub(crate) async fn document(client: &Client) -> Reading<Document> {
    let described = client.describe_document().name(DOCUMENT).send().await;
    let description = match reading(
        document_call("DescribeDocument"),
        &["InvalidDocument"],
        described,
    ) {
        Reading::Present(answer) => answer.document,
        Reading::Absent => return Reading::Absent,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    let Some(description) = description else {
        return Reading::Unknown(format!(
            "{}: empty answer",
            document_call("DescribeDocument")
        ));
    };
    let default_version = description.default_version().unwrap_or("1").to_owned();
    let latest_version = description
        .latest_version()
        .unwrap_or(&default_version)
        .to_owned();
    let default = match version(client, &default_version).await {
        Reading::Present(version) => version,
        Reading::Absent => return Reading::Absent,
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    if latest_version == default_version {
        return Reading::Present(Document {
            latest: default.clone(),
            default,
        });
    }
    version(client, &latest_version)
        .await
        .and_then(|latest| Reading::Present(Document { default, latest }))
}

async fn version(client: &Client, version: &str) -> Reading<DocumentVersion> {
    let answer = client
        .get_document()
        .name(DOCUMENT)
        .document_version(version)
        .document_format(DocumentFormat::Json)
        .send()
        .await;
    let answer = reading(document_call("GetDocument"), &["InvalidDocument"], answer);
    answer.and_then(|answer| {
        let content = parse(&format!("{DOCUMENT} version {version}"), answer.content());
        content.and_then(|content| {
            Reading::Present(DocumentVersion {
                version: version.to_owned(),
                content,
            })
        })
    })
}

/// Waits until the latest version can be used.
///
/// # Errors
/// The document fails, or is not active within a minute.
pub(crate) async fn wait_until_active(client: &Client) -> anyhow::Result<()> {
    let deadline = Deadline::after(ACTIVE_WITHIN);
    loop {
        let answer = client
            .describe_document()
            .name(DOCUMENT)
            .document_version("$LATEST")
            .send()
            .await;
        // A document of a moment ago may not show yet.
        let answer = reading(
            document_call("DescribeDocument"),
            &["InvalidDocument"],
            answer,
        );
        let status = match &answer {
            Reading::Unknown(reason) => anyhow::bail!("{reason}"),
            Reading::Absent => None,
            Reading::Present(answer) => answer.document().and_then(|document| document.status()),
        };
        match status {
            Some(DocumentStatus::Active) => return Ok(()),
            Some(DocumentStatus::Failed) => anyhow::bail!("{DOCUMENT} failed to become active"),
            status if deadline.has_passed() => {
                anyhow::bail!(
                    "{DOCUMENT} is still {status:?} after {} s",
                    ACTIVE_WITHIN.as_secs()
                )
            }
            _ => awsconf::sleep(Duration::from_millis(200)).await,
        }
    }
}

/// Reads every Session document that a session could name instead of the preferences, AWS's own included.
pub(crate) async fn session_documents(client: &Client) -> Reading<Vec<SessionDocument>> {
    let filter = DocumentKeyValuesFilter::builder()
        .key("DocumentType")
        .values("Session")
        .build();
    let mut pages = client
        .list_documents()
        .filters(filter)
        .into_paginator()
        .items()
        .send();
    let mut documents = Vec::new();
    loop {
        match pages.try_next().await {
            Ok(Some(identifier)) => {
                let name = identifier.name().unwrap_or_default().to_owned();
                let owner = identifier.owner().unwrap_or_default().to_owned();
                if name != DOCUMENT {
                    let answer = client
                        .get_document()
                        .name(&name)
                        .document_format(DocumentFormat::Json)
                        .send()
                        .await;
                    let answer =
                        reading(format!("GetDocument {name}"), &["InvalidDocument"], answer);
                    let content = answer.and_then(|answer| parse(&name, answer.content()));
                    documents.push(SessionDocument {
                        name,
                        owner,
                        content,
                    });
                }
            }
            Ok(None) => break,
            Err(error) => {
                return Reading::Unknown(format!(
                    "{:#}",
                    awsconf::describe("ListDocuments", error)
                ));
            }
        }
    }
    documents.sort_by(|a, b| a.name.cmp(&b.name));
    Reading::Present(documents)
}
