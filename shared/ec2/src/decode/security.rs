//! Security groups.

use aws_smithy_runtime_api::box_error::BoxError;

use super::{Element, Page, children, page, text, while_item};
use crate::{SecurityGroup, SecurityRule};

/// Returns one page of `DescribeSecurityGroups`.
pub(crate) fn security_groups(body: &[u8]) -> Result<Page<SecurityGroup>, BoxError> {
    page(body, "securityGroupInfo", |item, groups| {
        let mut group = SecurityGroup::default();
        while let Some(mut tag) = item.next_tag()? {
            match tag.local() {
                "groupId" => group.group_id = text(&mut tag)?.unwrap_or_default(),
                "ipPermissions" => group.ingress = rules(&mut tag)?,
                "ipPermissionsEgress" => group.egress = rules(&mut tag)?,
                _ => {}
            }
        }
        groups.push(group);
        Ok(())
    })
}

fn rules(list: &mut Element<'_, '_>) -> Result<Vec<SecurityRule>, BoxError> {
    let mut rules = Vec::new();
    while_item(list, |item| {
        rules.push(rule(item)?);
        Ok(())
    })?;
    Ok(rules)
}

fn rule(item: &mut Element<'_, '_>) -> Result<SecurityRule, BoxError> {
    let mut rule = SecurityRule::default();
    while let Some(mut tag) = item.next_tag()? {
        match tag.local() {
            "ipProtocol" => rule.protocol = text(&mut tag)?.unwrap_or_default(),
            "fromPort" => rule.from_port = port(&mut tag)?,
            "toPort" => rule.to_port = port(&mut tag)?,
            "ipRanges" => rule.blocks.extend(children(&mut tag, "cidrIp")?),
            "ipv6Ranges" => rule.blocks.extend(children(&mut tag, "cidrIpv6")?),
            "prefixListIds" => rule.prefix_lists = children(&mut tag, "prefixListId")?,
            "groups" => rule.groups = children(&mut tag, "groupId")?,
            _ => {}
        }
    }
    Ok(rule)
}

fn port(tag: &mut Element<'_, '_>) -> Result<Option<i32>, BoxError> {
    Ok(text(tag)?.map(|text| text.parse()).transpose()?)
}

#[cfg(test)]
mod tests {
    use super::security_groups;
    use crate::{SecurityGroup, SecurityRule};

    #[test]
    fn rules_say_ports_and_whom_they_let_through() {
        let body = br#"<DescribeSecurityGroupsResponse><requestId>r</requestId><securityGroupInfo><item>
            <ownerId>111122223333</ownerId><groupId>sg-1</groupId><groupName>web</groupName><vpcId>vpc-1</vpcId>
            <ipPermissions><item><ipProtocol>tcp</ipProtocol><fromPort>443</fromPort><toPort>443</toPort>
            <groups><item><userId>111122223333</userId><groupId>sg-2</groupId></item></groups>
            <ipRanges><item><cidrIp>10.0.0.0/8</cidrIp><description>d</description></item></ipRanges>
            <ipv6Ranges><item><cidrIpv6>::/0</cidrIpv6></item></ipv6Ranges>
            <prefixListIds><item><prefixListId>pl-1</prefixListId></item></prefixListIds></item></ipPermissions>
            <ipPermissionsEgress><item><ipProtocol>-1</ipProtocol><groups/><ipRanges/><prefixListIds/></item></ipPermissionsEgress>
            </item></securityGroupInfo><nextToken>t</nextToken></DescribeSecurityGroupsResponse>"#;
        let page = security_groups(body).unwrap();
        let texts = |texts: &[&str]| texts.iter().map(|text| (*text).to_owned()).collect();
        let expected = SecurityGroup {
            group_id: "sg-1".to_owned(),
            ingress: vec![SecurityRule {
                protocol: "tcp".to_owned(),
                from_port: Some(443),
                to_port: Some(443),
                blocks: texts(&["10.0.0.0/8", "::/0"]),
                prefix_lists: texts(&["pl-1"]),
                groups: texts(&["sg-2"]),
            }],
            egress: vec![SecurityRule {
                protocol: "-1".to_owned(),
                ..SecurityRule::default()
            }],
        };
        assert_eq!(page.items, [expected]);
        assert_eq!(page.next_token.as_deref(), Some("t"));
    }
}
