//! Associations of instance profiles with instances.

use aws_smithy_runtime_api::box_error::BoxError;

use super::{Document, Element, Page, child, page, text, text_of};
use crate::InstanceProfileAssociation;

/// Returns one page of `DescribeIamInstanceProfileAssociations`.
pub(crate) fn associations(body: &[u8]) -> Result<Page<InstanceProfileAssociation>, BoxError> {
    page(
        body,
        "iamInstanceProfileAssociationSet",
        |item, associations| {
            associations.push(one(item)?);
            Ok(())
        },
    )
}

/// Returns the answer of `AssociateIamInstanceProfile`, `Replace..` and `Disassociate..`.
pub(crate) fn association(body: &[u8]) -> Result<InstanceProfileAssociation, BoxError> {
    let mut document = Document::new(text_of(body)?);
    let mut root = document.root()?;
    while let Some(mut tag) = root.next_tag()? {
        if tag.local() == "iamInstanceProfileAssociation" {
            return one(&mut tag);
        }
    }
    Err("answer without association".into())
}

fn one(item: &mut Element<'_, '_>) -> Result<InstanceProfileAssociation, BoxError> {
    let mut association = InstanceProfileAssociation::default();
    while let Some(mut tag) = item.next_tag()? {
        match tag.local() {
            "associationId" => association.association_id = text(&mut tag)?.unwrap_or_default(),
            "instanceId" => association.instance_id = text(&mut tag)?.unwrap_or_default(),
            "state" => association.state = text(&mut tag)?.unwrap_or_default(),
            "iamInstanceProfile" => {
                association.profile_arn = child(&mut tag, "arn")?.unwrap_or_default();
            }
            _ => {}
        }
    }
    Ok(association)
}

#[cfg(test)]
mod tests {
    use super::{association, associations};

    const ITEM: &str = "<associationId>iip-assoc-1</associationId><iamInstanceProfile>\
        <arn>arn:aws:iam::111122223333:instance-profile/web</arn><id>AIPA1</id></iamInstanceProfile>\
        <instanceId>i-0000000000000000a</instanceId><state>associating</state>";

    #[test]
    fn a_list_and_a_single_one_say_the_same() {
        let list = format!(
            "<DescribeIamInstanceProfileAssociationsResponse><iamInstanceProfileAssociationSet><item>{ITEM}</item>\
             </iamInstanceProfileAssociationSet></DescribeIamInstanceProfileAssociationsResponse>"
        );
        let single = format!(
            "<AssociateIamInstanceProfileResponse><iamInstanceProfileAssociation>{ITEM}</iamInstanceProfileAssociation>\
             </AssociateIamInstanceProfileResponse>"
        );
        let one = association(single.as_bytes()).unwrap();
        assert_eq!(one.association_id, "iip-assoc-1");
        assert_eq!(one.instance_id, "i-0000000000000000a");
        assert_eq!(one.state, "associating");
        assert_eq!(
            one.profile_arn,
            "arn:aws:iam::111122223333:instance-profile/web"
        );
        assert_eq!(associations(list.as_bytes()).unwrap().items, [one]);
        assert!(
            association(
                b"<AssociateIamInstanceProfileResponse></AssociateIamInstanceProfileResponse>"
            )
            .is_err()
        );
    }
}
