//! EC2's XML answers into what they say, [`Ec2Error`]s included. Unknown elements are passed over, as EC2 adds some every month.

use aws_smithy_runtime_api::client::orchestrator::{HttpResponse, OrchestratorError};
use aws_smithy_types::error::ErrorMetadata;
use aws_smithy_xml::decode::{Document, ScopedDecoder, XmlDecodeError, try_data};

use crate::{Ec2Error, Instance, MetadataOptions};

mod association;
mod network;

pub(crate) use association::{association, associations};
pub(crate) use network::{route_tables, vpc_endpoints};

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
    decoder: fn(&[u8]) -> Result<T, XmlDecodeError>,
) -> Result<T, OrchestratorError<Ec2Error>> {
    let body = response.body().bytes().unwrap_or_default();
    if response.status().is_success() {
        whole(name, body)
            .and_then(decoder)
            .map_err(|error| OrchestratorError::response(error.into()))
    } else {
        Err(OrchestratorError::operation(Ec2Error(error(
            response.status().as_u16(),
            body,
        ))))
    }
}

/// The decoder takes the end of the text for the end of every open element: items would be missing without a word.
fn whole<'a>(name: &str, body: &'a [u8]) -> Result<&'a [u8], XmlDecodeError> {
    match body
        .trim_ascii_end()
        .ends_with(format!("</{name}Response>").as_bytes())
    {
        true => Ok(body),
        false => Err(XmlDecodeError::custom(format!(
            "expected a whole {name}Response"
        ))),
    }
}

/// Returns a page whose items are in the element `set`, which is there even when it is empty.
fn page<T>(
    body: &[u8],
    set: &str,
    mut item: impl FnMut(&mut ScopedDecoder<'_, '_>, &mut Vec<T>) -> Result<(), XmlDecodeError>,
) -> Result<Page<T>, XmlDecodeError> {
    let mut document = Document::try_from(body)?;
    let mut root = document.root_element()?;
    let mut page = Page {
        items: Vec::new(),
        next_token: None,
    };
    let mut is_there = false;
    while let Some(mut tag) = root.next_tag() {
        match tag.start_el().local() {
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
        false => Err(XmlDecodeError::custom(format!("answer without {set}"))),
    }
}

/// Returns one page of `DescribeInstances`.
pub(crate) fn instances(body: &[u8]) -> Result<Page<Instance>, XmlDecodeError> {
    page(body, "reservationSet", |reservation, instances| {
        while let Some(mut tag) = reservation.next_tag() {
            if tag.start_el().matches("instancesSet") {
                while_item(&mut tag, |item| {
                    instances.push(instance(item)?);
                    Ok(())
                })?;
            }
        }
        Ok(())
    })
}

fn instance(item: &mut ScopedDecoder<'_, '_>) -> Result<Instance, XmlDecodeError> {
    let mut instance = Instance::default();
    while let Some(mut tag) = item.next_tag() {
        match tag.start_el().local() {
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
            "tagSet" => while_item(&mut tag, |item| {
                let (mut key, mut value) = (String::new(), String::new());
                while let Some(mut tag) = item.next_tag() {
                    match tag.start_el().local() {
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
        return Err(XmlDecodeError::custom(
            "instance without instanceId or instanceState",
        ));
    }
    Ok(instance)
}

fn metadata_options(
    options: &mut ScopedDecoder<'_, '_>,
) -> Result<MetadataOptions, XmlDecodeError> {
    let mut found = MetadataOptions::default();
    while let Some(mut tag) = options.next_tag() {
        match tag.start_el().local() {
            "state" => found.state = text(&mut tag)?,
            "httpTokens" => found.http_tokens = text(&mut tag)?,
            "httpEndpoint" => found.http_endpoint = text(&mut tag)?,
            "httpPutResponseHopLimit" => {
                let limit = text(&mut tag)?.map(|text| text.parse()).transpose();
                found.http_put_response_hop_limit = limit.map_err(XmlDecodeError::unhandled)?;
            }
            _ => {}
        }
    }
    Ok(found)
}

/// Returns code and message of an error document, or a message with the HTTP status when something else than EC2 answered.
fn error(status: u16, body: &[u8]) -> ErrorMetadata {
    let mut found = ErrorMetadata::builder();
    let mut decode = || -> Result<(), XmlDecodeError> {
        let mut document = Document::try_from(body)?;
        let mut builder = std::mem::take(&mut found);
        while let Some(element) = document.next_start_element() {
            if !element.matches("Error") {
                continue;
            }
            let mut error = document.scoped_to(element);
            while let Some(mut tag) = error.next_tag() {
                match tag.start_el().local() {
                    "Code" => builder = builder.code(text(&mut tag)?.unwrap_or_default()),
                    "Message" => builder = builder.message(text(&mut tag)?.unwrap_or_default()),
                    _ => {}
                }
            }
            break;
        }
        found = builder;
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
    list: &mut ScopedDecoder<'_, '_>,
    mut each: impl FnMut(&mut ScopedDecoder<'_, '_>) -> Result<(), XmlDecodeError>,
) -> Result<(), XmlDecodeError> {
    while let Some(mut tag) = list.next_tag() {
        if tag.start_el().matches("item") {
            each(&mut tag)?;
        }
    }
    Ok(())
}

fn child(parent: &mut ScopedDecoder<'_, '_>, name: &str) -> Result<Option<String>, XmlDecodeError> {
    let mut found = None;
    while let Some(mut tag) = parent.next_tag() {
        if tag.start_el().matches(name) {
            found = text(&mut tag)?;
        }
    }
    Ok(found)
}

/// Returns the text of an element; an empty one is none, as in `<nextToken/>` on the last page.
fn text(tag: &mut ScopedDecoder<'_, '_>) -> Result<Option<String>, XmlDecodeError> {
    let text = try_data(tag)?;
    Ok(if text.is_empty() {
        None
    } else {
        Some(text.into_owned())
    })
}

#[cfg(test)]
#[path = "decode_tests.rs"]
mod tests;
