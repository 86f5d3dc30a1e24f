//! The document is shaped as in EC2's API reference, with elements that this crate does not know and escaped characters.

use std::collections::BTreeMap;

use super::{Page, error, instances, metadata_defaults};
use crate::{Instance, MetadataDefaults, MetadataOptions};

const PAGE: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<DescribeInstancesResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
    <requestId>8f7724cf-496f-496e-8fe3-example</requestId>
    <reservationSet>
        <item>
            <reservationId>r-1234567890abcdef0</reservationId>
            <ownerId>123456789012</ownerId>
            <groupSet/>
            <instancesSet>
                <item>
                    <instanceId>i-1234567890abcdef0</instanceId>
                    <imageId>ami-bff32ccc</imageId>
                    <instanceState><code>16</code><name>running</name></instanceState>
                    <privateDnsName>ip-192-168-1-88.eu-west-1.compute.internal</privateDnsName>
                    <launchTime>2018-05-08T16:46:19.000Z</launchTime>
                    <placement><availabilityZone>eu-west-1c</availabilityZone><tenancy>default</tenancy></placement>
                    <subnetId>subnet-56f5f633</subnetId>
                    <vpcId>vpc-11112222</vpcId>
                    <ipAddress>54.194.252.215</ipAddress>
                    <blockDeviceMapping>
                        <item><ebs><volumeId>vol-1</volumeId><status>attached</status></ebs></item>
                    </blockDeviceMapping>
                    <tagSet>
                        <item><key>Name</key><value>R&amp;D &lt;web&gt; &#x1F600; &quot;1&quot;</value></item>
                        <item><key>empty</key><value/></item>
                    </tagSet>
                    <iamInstanceProfile>
                        <arn>arn:aws:iam::123456789012:instance-profile/web/AdminRole</arn>
                        <id>ABCAJEDNCAA64SSD123AB</id>
                    </iamInstanceProfile>
                    <platformDetails>Linux/UNIX</platformDetails>
                    <metadataOptions>
                        <state>applied</state>
                        <httpTokens>required</httpTokens>
                        <httpPutResponseHopLimit>2</httpPutResponseHopLimit>
                        <httpEndpoint>enabled</httpEndpoint>
                        <instanceMetadataTags>disabled</instanceMetadataTags>
                    </metadataOptions>
                    <newThingOfNextYear><instanceId>i-no</instanceId></newThingOfNextYear>
                </item>
                <item>
                    <instanceId>i-0000000000000000b</instanceId>
                    <instanceState><code>80</code><name>stopped</name></instanceState>
                </item>
            </instancesSet>
        </item>
        <item>
            <instancesSet>
                <item>
                    <instanceId>i-0000000000000000c</instanceId>
                    <instanceState><code>0</code><name>pending</name></instanceState>
                    <tagSet/>
                </item>
            </instancesSet>
        </item>
    </reservationSet>
    <nextToken>eyJ2IjoiMiJ9</nextToken>
</DescribeInstancesResponse>
"#;

fn bare(instance_id: &str, state: &str) -> Instance {
    Instance {
        instance_id: instance_id.to_owned(),
        state: state.to_owned(),
        ..Instance::default()
    }
}

#[test]
fn reads_every_instance_of_every_reservation() {
    let text = |text: &str| Some(text.to_owned());
    let first = Instance {
        launch_time: text("2018-05-08T16:46:19.000Z"),
        image_id: text("ami-bff32ccc"),
        platform_details: text("Linux/UNIX"),
        iam_instance_profile_arn: text("arn:aws:iam::123456789012:instance-profile/web/AdminRole"),
        metadata_options: MetadataOptions {
            state: text("applied"),
            http_tokens: text("required"),
            http_put_response_hop_limit: Some(2),
            http_endpoint: text("enabled"),
        },
        vpc_id: text("vpc-11112222"),
        subnet_id: text("subnet-56f5f633"),
        public_ip: text("54.194.252.215"),
        tags: BTreeMap::from([
            ("Name".to_owned(), "R&D <web> \u{1F600} \"1\"".to_owned()),
            ("empty".to_owned(), String::new()),
        ]),
        ..bare("i-1234567890abcdef0", "running")
    };
    let expected = Page {
        items: vec![
            first,
            bare("i-0000000000000000b", "stopped"),
            bare("i-0000000000000000c", "pending"),
        ],
        next_token: text("eyJ2IjoiMiJ9"),
    };
    assert_eq!(instances(PAGE.as_bytes()).unwrap(), expected);
}

#[test]
fn an_empty_token_ends_the_pages() {
    let last =
        "<DescribeInstancesResponse><reservationSet/><nextToken/></DescribeInstancesResponse>";
    assert_eq!(
        instances(last.as_bytes()).unwrap(),
        Page {
            items: Vec::new(),
            next_token: None
        }
    );
}

#[test]
fn a_document_that_breaks_off_is_an_error() {
    for length in [0, 1, PAGE.len() / 4, PAGE.len() / 2, PAGE.len() - 5] {
        let part = &PAGE.as_bytes()[..length];
        assert!(instances(part).is_err(), "{length} bytes");
    }
    assert!(instances(b"<html><body>proxy</body></html>").is_err());
}

#[test]
fn an_instance_without_an_id_is_an_error() {
    let document = "<DescribeInstancesResponse><reservationSet><item><instancesSet><item/></instancesSet></item>\
                    </reservationSet></DescribeInstancesResponse>";
    assert!(instances(document.as_bytes()).is_err());
}

#[test]
fn reads_code_and_message_of_an_error() {
    let document = br#"<?xml version="1.0" encoding="UTF-8"?>
<Response><Errors><Error><Code>UnauthorizedOperation</Code><Message>You are not authorized to perform &quot;this&quot;.</Message>
</Error></Errors><RequestID>ea966190-f9aa-478e-9ede-example</RequestID></Response>"#;
    let found = error(403, document);
    assert_eq!(found.code(), Some("UnauthorizedOperation"));
    assert_eq!(
        found.message(),
        Some("You are not authorized to perform \"this\".")
    );
}

#[test]
fn an_answer_of_something_else_names_the_status() {
    for body in [
        &b"<html>Bad Gateway</html>"[..],
        b"",
        b"\xff\xfe",
        b"<Response><Errors/></Response>",
    ] {
        let found = error(502, body);
        assert_eq!(found.code(), None);
        assert_eq!(
            found.message(),
            Some("HTTP status 502 without an EC2 error document")
        );
    }
}

#[test]
fn metadata_defaults_say_what_the_account_sets() {
    let body = br#"<GetInstanceMetadataDefaultsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/"><requestId>r</requestId>
        <accountLevel><httpTokens>required</httpTokens><httpPutResponseHopLimit>2</httpPutResponseHopLimit>
        <httpTokensEnforced>enabled</httpTokensEnforced><managedBy>declarative-policy</managedBy></accountLevel>
        </GetInstanceMetadataDefaultsResponse>"#;
    let text = |text: &str| Some(text.to_owned());
    let expected = MetadataDefaults {
        http_tokens: text("required"),
        http_tokens_enforced: text("enabled"),
        managed_by: text("declarative-policy"),
    };
    assert_eq!(metadata_defaults(body).unwrap(), expected);
    for nothing in ["<accountLevel/>", ""] {
        let body = format!(
            "<GetInstanceMetadataDefaultsResponse>{nothing}</GetInstanceMetadataDefaultsResponse>"
        );
        assert_eq!(
            metadata_defaults(body.as_bytes()).unwrap(),
            MetadataDefaults::default()
        );
    }
    assert!(metadata_defaults(b"not XML").is_err());
}
