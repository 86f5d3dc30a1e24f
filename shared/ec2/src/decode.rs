//! EC2's XML answers into what they say, [`Ec2Error`]s included. Unknown elements are passed over, as EC2 adds some every month.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_types::error::ErrorMetadata;

use crate::xml::{Document, Element};
use crate::{Ec2Error, Instance, MetadataDefaults, MetadataOptions};

mod association;
mod network;
mod security;

pub(crate) use association::{association, associations};
pub(crate) use network::{regions, route_tables, vpc_endpoints};
pub(crate) use security::security_groups;

/// One page of a list.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Page<T> {
    pub(crate) items: Vec<T>,
    pub(crate) next_token: Option<String>,
}

/// Returns what one HTTP answer to the operation `name` says.
pub(crate) fn answer<T>(
    response: &HttpResponse,
    name: &str,
    decoder: fn(&[u8]) -> Result<T, BoxError>,
) -> Result<T, OrchestratorError<Ec2Error>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        decoder(body).map_err(|error| {
            OrchestratorError::response(format!("{name}: not the expected XML: {error}").into())
        })
    } else {
        Err(OrchestratorError::operation(Ec2Error(error(
            response.status().as_u16(),
            body,
        ))))
    }
}

/// Returns a page whose items are in the element `set`, which is there even when it is empty.
fn page<T>(
    body: &[u8],
    set: &str,
    mut item: impl FnMut(&mut Element<'_, '_>, &mut Vec<T>) -> Result<(), BoxError>,
) -> Result<Page<T>, BoxError> {
    let mut document = Document::new(text_of(body)?);
    let mut root = document.root()?;
    let mut page = Page {
        items: Vec::new(),
        next_token: None,
    };
    let mut is_there = false;
    while let Some(mut tag) = root.next_tag()? {
        match tag.local() {
            "nextToken" => page.next_token = text(&mut tag)?,
            name if name == set => {
                is_there = true;
                while_item(&mut tag, |one| item(one, &mut page.items))?;
            }
            _ => {}
        }
    }
    match is_there {
        true => Ok(page),
        false => Err(format!("answer without {set}").into()),
    }
}

/// Returns one page of `DescribeInstances`.
pub(crate) fn instances(body: &[u8]) -> Result<Page<Instance>, BoxError> {
    page(body, "reservationSet", |reservation, instances| {
        while let Some(mut tag) = reservation.next_tag()? {
            if tag.local() == "instancesSet" {
                while_item(&mut tag, |item| {
                    instances.push(instance(item)?);
                    Ok(())
                })?;
            }
        }
        Ok(())
    })
}

fn instance(item: &mut Element<'_, '_>) -> Result<Instance, BoxError> {
    let mut instance = Instance::default();
    while let Some(mut tag) = item.next_tag()? {
        match tag.local() {
            "instanceId" => instance.instance_id = text(&mut tag)?.unwrap_or_default(),
            "instanceState" => instance.state = child(&mut tag, "name")?.unwrap_or_default(),
            "launchTime" => instance.launch_time = text(&mut tag)?,
            "imageId" => instance.image_id = text(&mut tag)?,
            "platformDetails" => instance.platform_details = text(&mut tag)?,
            "iamInstanceProfile" => instance.iam_instance_profile_arn = child(&mut tag, "arn")?,
            "metadataOptions" => instance.metadata_options = metadata_options(&mut tag)?,
            "vpcId" => instance.vpc_id = text(&mut tag)?,
            "subnetId" => instance.subnet_id = text(&mut tag)?,
            "ipAddress" => instance.public_ip = text(&mut tag)?,
            "privateIpAddress" => instance.private_ip = text(&mut tag)?,
            "groupSet" => instance.security_groups = children(&mut tag, "groupId")?,
            "networkInterfaceSet" => while_item(&mut tag, |_| {
                instance.n_interfaces += 1;
                Ok(())
            })?,
            "tagSet" => while_item(&mut tag, |item| {
                let (mut key, mut value) = (String::new(), String::new());
                while let Some(mut tag) = item.next_tag()? {
                    match tag.local() {
                        "key" => key = text(&mut tag)?.unwrap_or_default(),
                        "value" => value = text(&mut tag)?.unwrap_or_default(),
                        _ => {}
                    }
                }
                instance.tags.insert(key, value);
                Ok(())
            })?,
            _ => {}
        }
    }
    if instance.instance_id.is_empty() || instance.state.is_empty() {
        return Err("instance without instanceId or instanceState".into());
    }
    Ok(instance)
}

fn metadata_options(options: &mut Element<'_, '_>) -> Result<MetadataOptions, BoxError> {
    let mut found = MetadataOptions::default();
    while let Some(mut tag) = options.next_tag()? {
        match tag.local() {
            "state" => found.state = text(&mut tag)?,
            "httpTokens" => found.http_tokens = text(&mut tag)?,
            "httpEndpoint" => found.http_endpoint = text(&mut tag)?,
            "httpPutResponseHopLimit" => {
                let limit = text(&mut tag)?.map(|text| text.parse());
                found.http_put_response_hop_limit = limit.transpose()?;
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Returns the answer of `GetInstanceMetadataDefaults`; without settings of the account its element is empty or missing.
pub(crate) fn metadata_defaults(body: &[u8]) -> Result<MetadataDefaults, BoxError> {
    let mut document = Document::new(text_of(body)?);
    let mut root = document.root()?;
    let mut defaults = MetadataDefaults::default();
    while let Some(mut level) = root.next_tag()? {
        if level.local() != "accountLevel" {
            continue;
        }
        while let Some(mut tag) = level.next_tag()? {
            match tag.local() {
                "httpTokens" => defaults.http_tokens = text(&mut tag)?,
                "httpTokensEnforced" => defaults.http_tokens_enforced = text(&mut tag)?,
                "managedBy" => defaults.managed_by = text(&mut tag)?,
                _ => {}
            }
        }
    }
    Ok(defaults)
}

/// Returns code and message of an error document, or a message with the HTTP status when something else than EC2 answered.
fn error(status: u16, body: &[u8]) -> ErrorMetadata {
    let mut found = ErrorMetadata::builder();
    let mut decode = || -> Result<(), BoxError> {
        let mut document = Document::new(text_of(body)?);
        let mut root = document.root()?;
        while let Some(mut errors) = root.next_tag()? {
            if errors.local() != "Errors" {
                continue;
            }
            let Some(mut error) = errors.next_tag()? else {
                break;
            };
            while let Some(mut tag) = error.next_tag()? {
                let builder = std::mem::take(&mut found);
                found = match tag.local() {
                    "Code" => builder.code(tag.text()?),
                    "Message" => builder.message(tag.text()?),
                    _ => builder,
                };
            }
            break;
        }
        Ok(())
    };
    let decoded = decode();
    let metadata = found.build();
    match (decoded, metadata.code()) {
        (Ok(()), Some(_)) => metadata,
        _ => ErrorMetadata::builder()
            .message(format!(
                "HTTP status {status} without an EC2 error document"
            ))
            .build(),
    }
}

/// Calls `each` for every `item` element of a list.
fn while_item(
    list: &mut Element<'_, '_>,
    mut each: impl FnMut(&mut Element<'_, '_>) -> Result<(), BoxError>,
) -> Result<(), BoxError> {
    while let Some(mut tag) = list.next_tag()? {
        if tag.local() == "item" {
            each(&mut tag)?;
        }
    }
    Ok(())
}

fn child(parent: &mut Element<'_, '_>, name: &str) -> Result<Option<String>, BoxError> {
    let mut found = None;
    while let Some(mut tag) = parent.next_tag()? {
        if tag.local() == name {
            found = text(&mut tag)?;
        }
    }
    Ok(found)
}

/// Returns the texts of one child of each `item` of a list.
fn children(list: &mut Element<'_, '_>, name: &str) -> Result<Vec<String>, BoxError> {
    let mut found = Vec::new();
    while_item(list, |item| {
        found.extend(child(item, name)?);
        Ok(())
    })?;
    Ok(found)
}

/// Returns the text of an element; an empty one is none, as in `<nextToken/>` on the last page.
fn text(tag: &mut Element<'_, '_>) -> Result<Option<String>, BoxError> {
    Ok(Some(tag.text()?).filter(|text| !text.is_empty()))
}

fn text_of(body: &[u8]) -> Result<&str, BoxError> {
    Ok(std::str::from_utf8(body)?)
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
