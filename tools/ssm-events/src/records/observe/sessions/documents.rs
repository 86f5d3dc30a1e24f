//! The documents that sessions were started with: of each the versions, and the content of those that were in force.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use aws_sdk_ssm::Client;
use aws_sdk_ssm::types::DocumentFormat;
use awsconf::{describe, reading};
use records::Reading;

use super::Pace;
use crate::records::sessions::{Book, Document, Facts, Logging, PREFERENCES, Version, in_force};

pub(super) async fn read(client: &Client, book: &Book, facts: &mut Facts) {
    let mut starts = BTreeMap::<&str, BTreeSet<Option<i64>>>::new();
    for session in &book.sessions {
        let name = session.document.as_deref().unwrap_or(PREFERENCES);
        if name == PREFERENCES || !name.starts_with("AWS-") {
            starts.entry(name).or_default().insert(session.started);
        }
    }
    for (name, starts) in starts {
        let mut document = versions(client, name).await;
        if let Reading::Present(versions) = &mut document {
            let needed: BTreeSet<usize> = starts
                .into_iter()
                .flat_map(|at| in_force(versions, at))
                .collect();
            let mut pace = Pace::begin();
            for place in needed {
                pace.step().await;
                let version = &mut versions[place];
                version.logging = content(client, name, version.number).await;
            }
        }
        facts.documents.insert(name.to_owned(), document);
    }
}

async fn versions(client: &Client, name: &str) -> Document {
    let (mut pace, mut token, mut versions) = (Pace::begin(), None, Vec::new());
    loop {
        pace.step().await;
        let page = client
            .list_document_versions()
            .name(name)
            .set_next_token(token);
        let page = page.send().await;
        let call = format!("ListDocumentVersions {name}");
        let page = match reading(call, &["InvalidDocument"], page) {
            Reading::Present(page) => page,
            Reading::Absent => return Reading::Absent,
            Reading::Unknown(reason) => return Reading::Unknown(reason),
        };
        versions.extend(page.document_versions().iter().map(|one| {
            Version {
                number: one
                    .document_version()
                    .and_then(|number| number.parse().ok())
                    .unwrap_or(0),
                created: one.created_date().map(|date| date.secs()),
                is_default: one.is_default_version(),
                logging: Reading::Absent,
            }
        }));
        token = page.next_token;
        if token.is_none() {
            return Reading::Present(versions);
        }
    }
}

async fn content(client: &Client, name: &str, number: u64) -> Reading<Rc<Logging>> {
    let answer = client
        .get_document()
        .name(name)
        .document_version(number.to_string())
        .document_format(DocumentFormat::Json)
        .send()
        .await;
    let answer = match answer {
        Ok(answer) => answer,
        Err(error) => {
            let error = describe(format!("GetDocument {name} version {number}"), error);
            return Reading::Unknown(format!("{error:#}"));
        }
    };
    match serde_json::from_str(answer.content().unwrap_or_default()) {
        Ok(content) => Reading::Present(Rc::new(Logging::of(&content))),
        Err(error) => Reading::Unknown(format!("{name} version {number} is not JSON: {error}")),
    }
}
