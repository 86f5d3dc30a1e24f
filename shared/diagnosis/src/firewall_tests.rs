//! Rules of security groups, and what they let through.

use awsdata::{SecurityGroup, SecurityRule, VpcEndpoint};
use records::Network;

use super::firewall;

fn rule(protocol: &str, ports: Option<(i32, i32)>, to: &[&str]) -> SecurityRule {
    let named = |start: &str| -> Vec<String> {
        let mine = to.iter().filter(|name| name.starts_with(start));
        mine.map(|name| (*name).to_owned()).collect()
    };
    let is_block = |name: &&&str| name.contains('/');
    SecurityRule {
        protocol: protocol.to_owned(),
        from_port: ports.map(|(from, _)| from),
        to_port: ports.map(|(_, to)| to),
        blocks: to
            .iter()
            .filter(is_block)
            .map(|name| (*name).to_owned())
            .collect(),
        prefix_lists: named("pl-"),
        groups: named("sg-"),
    }
}

fn network(groups: &[&str]) -> Network {
    Network {
        vpc_id: Some("vpc-1".to_owned()),
        subnet_id: None,
        public_ip: None,
        private_ip: Some("10.1.2.3".to_owned()),
        security_groups: groups.iter().map(|group| (*group).to_owned()).collect(),
    }
}

const HTTPS: Option<(i32, i32)> = Some((443, 443));

#[test]
fn what_goes_out_is_what_any_group_lets_out() {
    let out = |group_id: &str, egress: Vec<SecurityRule>| SecurityGroup {
        group_id: group_id.to_owned(),
        egress,
        ..SecurityGroup::default()
    };
    let groups = [
        out("sg-all", vec![rule("-1", None, &["0.0.0.0/0", "::/0"])]),
        out(
            "sg-https",
            vec![rule("tcp", HTTPS, &["10.0.0.0/8", "pl-1", "sg-2"])],
        ),
        out("sg-range", vec![rule("6", Some((0, 65535)), &["::/0"])]),
        out(
            "sg-udp",
            vec![
                rule("udp", Some((0, 65535)), &["0.0.0.0/0"]),
                rule("icmp", Some((-1, -1)), &["0.0.0.0/0"]),
            ],
        ),
        out(
            "sg-proxy",
            vec![rule("tcp", Some((3128, 3128)), &["10.0.0.9/32"])],
        ),
        out("sg-none", vec![]),
    ];
    for (own, expected, other_ports) in [
        (&["sg-all"][..], &["0.0.0.0/0", "::/0"][..], false),
        (&["sg-https"], &["10.0.0.0/8", "pl-1", "sg-2"], false),
        (&["sg-range"], &["::/0"], false),
        (&["sg-udp"], &[], false),
        (&["sg-none"], &[], false),
        (&["sg-none", "sg-proxy"], &[], true),
        (
            &["sg-none", "sg-https"],
            &["10.0.0.0/8", "pl-1", "sg-2"],
            false,
        ),
    ] {
        let found = firewall(&network(own), &[], &groups).unwrap();
        assert_eq!(found.lets_out_to, expected, "{own:?}");
        assert_eq!(found.lets_out_on_other_ports, other_ports, "{own:?}");
    }
    // Of groups that are not known, nothing is said.
    for own in [&["sg-gone"][..], &["sg-all", "sg-gone"], &[]] {
        assert_eq!(firewall(&network(own), &[], &groups), None, "{own:?}");
    }
}

#[test]
fn endpoints_refuse_only_where_that_is_certain() {
    let check = |ingress: Vec<SecurityRule>, of_endpoint: &[&str], private_ip: Option<&str>| {
        let groups = [
            SecurityGroup {
                group_id: "sg-1".to_owned(),
                ..SecurityGroup::default()
            },
            SecurityGroup {
                group_id: "sg-e".to_owned(),
                ingress,
                ..SecurityGroup::default()
            },
        ];
        let endpoint = VpcEndpoint {
            vpc_id: "vpc-1".to_owned(),
            service_name: "com.amazonaws.eu-central-1.ssm".to_owned(),
            state: "available".to_owned(),
            private_dns_enabled: true,
            policy: None,
            security_groups: of_endpoint.iter().map(|one| (*one).to_owned()).collect(),
        };
        let network = Network {
            private_ip: private_ip.map(str::to_owned),
            ..network(&["sg-1"])
        };
        let found = firewall(&network, &[endpoint], &groups).unwrap();
        match (found.refusing_endpoints.len(), found.unsure_endpoints.len()) {
            (0, 0) => "admits",
            (1, 0) => "refuses",
            (0, 1) => "unsure",
            other => panic!("{other:?}"),
        }
    };
    let address = Some("10.1.2.3");
    for (ingress, expected) in [
        (vec![], "refuses"),
        (vec![rule("tcp", HTTPS, &["10.1.0.0/16"])], "admits"),
        (vec![rule("tcp", HTTPS, &["10.2.0.0/16"])], "refuses"),
        (vec![rule("tcp", HTTPS, &["sg-1"])], "admits"),
        (vec![rule("tcp", HTTPS, &["sg-9"])], "refuses"),
        (vec![rule("-1", None, &["sg-1"])], "admits"),
        (vec![rule("tcp", Some((80, 80)), &["0.0.0.0/0"])], "refuses"),
        (vec![rule("tcp", HTTPS, &["pl-1"])], "unsure"),
        (vec![rule("tcp", HTTPS, &["2001:db8::/32"])], "unsure"),
        (
            vec![
                rule("tcp", HTTPS, &["pl-1"]),
                rule("tcp", HTTPS, &["0.0.0.0/0"]),
            ],
            "admits",
        ),
    ] {
        let what = format!("{ingress:?}");
        assert_eq!(check(ingress, &["sg-e"], address), expected, "{what}");
    }
    let https = || vec![rule("tcp", HTTPS, &["10.1.0.0/16"])];
    assert_eq!(check(https(), &["sg-e"], None), "unsure");
    assert_eq!(check(vec![], &["sg-e", "sg-gone"], address), "unsure");
    assert_eq!(check(vec![], &[], address), "unsure");
}
