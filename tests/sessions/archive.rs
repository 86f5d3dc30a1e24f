//! A log archive: bucket and keys of another account. What `plan` prints for their owner is put there, and sessions leave their
//! transcripts; each statement that is missing is missed.

use serde_json::{Value, json};
use testbed::{Account, Output, Sandbox, repository};

use super::service_control::{RESOURCE_CONTROL, attach, create_policy, enable_resource_control};

const NODE: &str = "i-0000000000000000a";
const GRANT: &str = r#"{"instance_profiles": {"grant_preferences": true}}"#;

/// An account with a node, and the one that keeps its transcripts.
struct Scene {
    member: Account,
    owner: Account,
    bucket: String,
    bucket_key: String,
    session_key: String,
}

impl Scene {
    fn new() -> Scene {
        let (member, owner) = (Sandbox::start().account(), Sandbox::start().account());
        let id = member.id();
        member.seed(&json!({
            "roles": [{"account": id, "name": "web", "trust": "ec2.amazonaws.com", "instance_profile": true,
                "managed_policies": ["arn:aws:iam::aws:policy/AmazonSSMManagedInstanceCore"]}],
            "nodes": [{"account": id, "region": "us-east-1", "instance_id": NODE, "profile": "web", "agent": {"version": "3.3.2299.0"}}],
        }));
        let bucket = format!("archive-{}", owner.id());
        owner.aws(&["s3api", "create-bucket", "--bucket", &bucket]);
        let key = || {
            let made = owner.aws(&["kms", "create-key"]);
            made["KeyMetadata"]["Arn"].as_str().unwrap().to_owned()
        };
        let (bucket_key, session_key) = (key(), key());
        let default = json!({"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": bucket_key});
        let rules = json!({"Rules": [{"ApplyServerSideEncryptionByDefault": default}]}).to_string();
        let put = ["s3api", "put-bucket-encryption", "--bucket", &bucket];
        owner.aws(
            &[
                &put[..],
                &["--server-side-encryption-configuration", &rules],
            ]
            .concat(),
        );
        Scene {
            member,
            owner,
            bucket,
            bucket_key,
            session_key,
        }
    }

    fn desired(&self) -> String {
        let s3 = json!({"bucket": self.bucket, "prefix": "ssm", "account": self.owner.id(), "kms_key": self.bucket_key});
        json!({"kms_key": {"arn": self.session_key}, "s3": s3}).to_string()
    }

    fn run(&self, tool: &str, arguments: &[&str], input: &str) -> Output {
        let run = self
            .member
            .tool(repository().join("target/debug").join(tool));
        run.args(arguments).stdin(input).run()
    }

    /// Carries a plan out and returns it.
    fn applied(&self, tool: &str, arguments: &[&str], desired: &str) -> Value {
        let plan = self.run(tool, &[&["plan"], arguments].concat(), desired);
        plan.assert_status(0);
        self.run(tool, &["apply"], &plan.stdout).assert_status(0);
        plan.json()
    }

    /// Grants the roles of nodes what the preferences need, as far as they can be read.
    fn grant_roles(&self) {
        let shown = self.run("ssm-prefs", &["show"], "").stdout;
        let path = self.member.home().join("shown.json");
        std::fs::write(&path, shown).unwrap();
        self.applied("ssm-role", &["--prefs", path.to_str().unwrap()], GRANT);
    }

    /// Has the owner make the policy of a bucket or key of its own statement and these.
    fn allow(&self, resource: &str, statements: &[Value]) {
        let mut all = statements.to_vec();
        let is_key = resource.contains(":kms:");
        if is_key {
            let root = format!("arn:aws:iam::{}:root", self.owner.id());
            all.push(json!({"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}));
        }
        let policy = json!({"Version": "2012-10-17", "Statement": all}).to_string();
        let mut command = match is_key {
            true => vec![
                "kms",
                "put-key-policy",
                "--policy-name",
                "default",
                "--key-id",
                resource,
            ],
            false => vec!["s3api", "put-bucket-policy", "--bucket", &self.bucket],
        };
        if all.is_empty() {
            self.owner
                .aws(&["s3api", "delete-bucket-policy", "--bucket", &self.bucket]);
            return;
        }
        command.extend(["--policy", &policy]);
        self.owner.aws(&command);
    }

    fn leaves_a_transcript(&self) -> bool {
        self.member.session(NODE)["s3"]["written"] == true
    }
}

#[test]
fn what_plan_prints_for_the_owner_is_what_sessions_need() {
    let scene = Scene::new();
    let plan = scene.applied("ssm-prefs", &[], &scene.desired());
    let changes = plan["changes"].as_array().unwrap();
    assert_eq!(changes.len(), 1, "{plan}");
    assert_eq!(changes[0]["action"], "create_document");
    let owners: Vec<(String, Vec<Value>)> = plan["for_owners"]
        .as_array()
        .unwrap()
        .iter()
        .map(|owner| {
            assert_eq!(owner["account"], scene.owner.id());
            let resource = owner["resource"].as_str().unwrap().to_owned();
            (resource, owner["statements"].as_array().unwrap().clone())
        })
        .collect();
    let expected = [
        format!("arn:aws:s3:::{}", scene.bucket),
        scene.bucket_key.clone(),
        scene.session_key.clone(),
    ];
    let named: Vec<&String> = owners.iter().map(|(resource, _)| resource).collect();
    assert_eq!(named, expected.iter().collect::<Vec<_>>());
    assert!(
        !scene.leaves_a_transcript(),
        "nobody has allowed anything yet"
    );
    for (resource, statements) in &owners {
        scene.allow(resource, statements);
    }
    scene.grant_roles();
    assert!(
        scene.leaves_a_transcript(),
        "{}",
        scene.member.session(NODE)
    );
    // What the owner shows of the bucket now is judged, whatever the desired state says of it.
    let mut unsaid: Value = serde_json::from_str(&scene.desired()).unwrap();
    unsaid["s3"].as_object_mut().unwrap().remove("kms_key");
    let roles = scene.member.home().join("roles.json");
    std::fs::write(&roles, scene.run("ssm-role", &["show"], "").stdout).unwrap();
    let check = ["check", "--roles", roles.to_str().unwrap()];
    let found = scene
        .run("ssm-prefs", &check, &unsaid.to_string())
        .records();
    let of_key = |one: &&Value| one["id"] == "prefs.role.s3_kms_unknown";
    let of_key: Vec<&Value> = found.iter().filter(of_key).collect();
    assert_eq!(of_key.len(), 2, "{found:?}");
    for one in of_key {
        let message = one["message"].as_str().unwrap();
        assert!(message.contains("depends on the key policy"), "{message}");
    }
    // None of the statements is too many, but what only reads the key of the sessions.
    for (resource, statements) in &owners {
        for left_out in statements {
            let sid = left_out["Sid"].as_str().unwrap();
            if sid.starts_with("SessionKeyFor") {
                continue;
            }
            let rest: Vec<Value> = statements
                .iter()
                .filter(|one| *one != left_out)
                .cloned()
                .collect();
            scene.allow(resource, &rest);
            assert!(!scene.leaves_a_transcript(), "without {sid} of {resource}");
        }
        scene.allow(resource, statements);
    }
    assert!(scene.leaves_a_transcript());
    let mut without_acl = owners[0].1.clone();
    without_acl[0]["Action"] = json!("s3:PutObject");
    scene.allow(&owners[0].0, &without_acl);
    assert!(!scene.leaves_a_transcript(), "agents send an ACL");
    let writes = scene.member.writes();
    let of_others = writes
        .iter()
        .filter(|call| call["service"] == "s3" || call["service"] == "kms");
    assert_eq!(of_others.count(), 0, "nothing of the owner is changed");
}

/// What the role may do by itself is judged while its owner lets nobody read the bucket; what that allows is not known.
#[test]
fn a_bucket_that_cannot_be_read_leaves_the_roles_own_side_to_be_judged() {
    let scene = Scene::new();
    scene.applied("ssm-prefs", &[], &scene.desired());
    let roles = scene.member.home().join("roles.json");
    std::fs::write(&roles, scene.run("ssm-role", &["show"], "").stdout).unwrap();
    let check = ["check", "--roles", roles.to_str().unwrap()];
    let ids = || {
        let found = scene.run("ssm-prefs", &check, &scene.desired()).records();
        let pairs = found.into_iter().map(|one| {
            format!(
                "{} {}",
                one["severity"].as_str().unwrap(),
                one["id"].as_str().unwrap()
            )
        });
        pairs.collect::<Vec<_>>()
    };
    let before = ids();
    for id in [
        "warning prefs.bucket.unknown",
        "error prefs.role.s3_put",
        "error prefs.role.s3_encryption",
        "error prefs.role.s3_kms",
    ] {
        assert!(before.iter().any(|one| one == id), "{id}: {before:?}");
    }
}

/// The account that owns the bucket decides which resource control policies govern it, whoever uploads.
#[test]
fn resource_control_policies_of_the_archive_govern_its_bucket() {
    let scene = Scene::new();
    let management = Sandbox::start().account();
    let (id, suffix) = (management.id(), &management.id()[8..]);
    let named = [id, scene.member.id(), scene.owner.id()].map(|id| json!({"id": id, "name": id}));
    let unit = |name: &str, account: &Account| json!({"id": format!("ou-{suffix}-{name}"), "name": name, "accounts": [account.id()]});
    management.seed(&json!({"accounts": named, "organization": {"management_account": id, "id": format!("o-org{suffix}"),
        "root_id": format!("r-{suffix}"), "ous": [unit("workloads", &scene.member), unit("archives", &scene.owner)]}}));
    let plan = scene.applied("ssm-prefs", &[], &scene.desired());
    for owner in plan["for_owners"].as_array().unwrap() {
        let statements = owner["statements"].as_array().unwrap();
        scene.allow(owner["resource"].as_str().unwrap(), statements);
    }
    scene.grant_roles();
    enable_resource_control(&management, &[scene.member.id(), scene.owner.id()]);
    let statement = json!({"Sid": "No", "Effect": "Deny", "Principal": "*", "Action": "s3:PutObject", "Resource": "*",
        "Condition": {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/web"}}});
    let policy = create_policy(&management, RESOURCE_CONTROL, &statement);
    for (account, is_denied) in [(&scene.member, false), (&scene.owner, true)] {
        attach(&management, "attach-policy", &policy, account.id());
        let home = scene.member.home();
        let write =
            |name: &str, shown: Output| std::fs::write(home.join(name), shown.stdout).unwrap();
        let scp = repository().join("target/debug/ssm-scp");
        write("organization", management.tool(scp).args(["show"]).run());
        write("roles", scene.run("ssm-role", &["show"], ""));
        let check = [
            "check",
            "--roles",
            "roles",
            "--organization",
            "organization",
        ];
        let found = scene.run("ssm-prefs", &check, &scene.desired()).records();
        let of_upload = found.iter().find(|one| one["id"] == "prefs.role.s3_put");
        let text = of_upload.map(|one| format!("{} {}", one["message"], one["fix"]));
        assert_eq!(text.is_some(), is_denied, "{found:?}");
        assert!(text.is_none_or(|text| text.contains("(No) of the resource control policy")));
        assert_eq!(!scene.leaves_a_transcript(), is_denied);
        attach(&management, "detach-policy", &policy, account.id());
    }
}
