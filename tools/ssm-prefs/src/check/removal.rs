//! Who could remove a transcript today, or shorten how long it is kept: by the roles that were given, the policies of bucket and
//! keys, and the locks. Pure. What was not read leaves it open: nothing here ever says "nobody" for "not known".

mod people;

use cli::{Finding, Reading, Target};
use iam_policy::{Arn, Context, glob, one_or_many};
use records::Feature;
use serde_json::Value;
use transcripts::{DESTROYS_KEY, Guard, Need, STOPS_TRAIL};

use self::people::{Able, People, Subject, Way, removable};
use crate::finding::{info, warning};
use crate::model::{Bucket, Desired, Key, LogGroup, Observed, RetentionMode, is_aws_managed};
use crate::policies::statements;
use crate::resource_state::LIFECYCLE_RULE;
use crate::roles::Roles;
use crate::session_document::{Inputs, expand};

const LOOK_THERE: &str = "look at the policies of that account";

const REMOVES: &str = "remove transcripts or shorten how long they are kept";

/// Adds who could remove or shorten what the document in force has written, a finding for each thing that holds it.
pub(super) fn removal(
    content: &Value,
    desired: &Desired,
    observed: &Observed,
    (roles, target): (&Roles, &Target),
    findings: &mut Vec<Finding>,
) {
    let inputs = Inputs::of(content);
    let people = People::of(roles, target);
    let partition = awsdata::partition_of(&target.region).name;
    let bucket_name = inputs.text("s3BucketName");
    let archive = bucket_name.and_then(|name| observed.archived(name));
    if let (Some(name), Some(archive)) = (bucket_name, archive) {
        let message = format!(
            "who could remove transcripts there, or shorten how long they are kept, is known in account {} only, which it belongs to",
            archive.account
        );
        findings.push(info("bucket.removable", name, message, LOOK_THERE));
    } else if let Some(name) = bucket_name {
        bucket((name, partition), &observed.bucket, &people, findings);
        expires_early(name, desired, (observed, target), findings);
    }
    if let Some(name) = inputs.text("cloudWatchLogGroupName") {
        log_group((name, partition), &observed.log_group, &people, findings);
    }
    for (arn, key) in keys(observed) {
        of_key(&arn, key, &people, findings);
    }
    for trail in observed.trails.present().into_iter().flatten() {
        if trail.logging.present() == Some(&true) {
            of_trail(&trail.arn, &people, findings);
        }
    }
}

fn need(action: &'static str, resource: &str, guard: &Guard) -> Need {
    let mut need = Need::plain(Feature::S3Log, action, Some(resource));
    need.context = Context::partial()
        .with("aws:SecureTransport", "true")
        .with("aws:ViaAWSService", "false");
    if let Some(arn) = Arn::parse(resource).filter(|arn| arn.service == "kms") {
        need.context = need.context.with("kms:CallerAccount", arn.account);
    }
    let owner = Arn::parse(resource).map(|arn| arn.account);
    need.owner = owner.filter(|owner| !owner.is_empty()).map(str::to_owned);
    need.guard = guard.clone();
    need
}

fn bucket(
    (name, partition): (&str, &str),
    reading: &Reading<Bucket>,
    people: &People<'_>,
    findings: &mut Vec<Finding>,
) {
    let unread = |reason: &String| Bucket {
        region: String::new(),
        encryption: Reading::Unknown(reason.clone()),
        versioning: Reading::Unknown(reason.clone()),
        public_access_block: Reading::Unknown(reason.clone()),
        policy: Reading::Unknown(reason.clone()),
        expirations: Reading::Unknown(reason.clone()),
        object_lock: Reading::Unknown(reason.clone()),
    };
    let bucket = &match reading {
        Reading::Absent => return,
        Reading::Present(bucket) => bucket.clone(),
        Reading::Unknown(reason) => unread(reason),
    };
    let arn = format!("arn:{partition}:s3:::{name}");
    let object = format!("{arn}/session.log");
    let guard = Guard::Bucket {
        name: arn.clone(),
        policy: bucket.policy.clone(),
        is_foreign: false,
    };
    // The ARN of a bucket does not say whose it is.
    let own = |mut need: Need| {
        need.owner = Some(people.target.account.clone());
        need
    };
    let on_bucket = |action| own(need(action, &arn, &guard));
    let on_object = |action| own(need(action, &object, &guard));
    let retention = bucket.object_lock.present().and_then(|lock| lock.retention);
    let mut effect = REMOVES;
    let (state, ways) = match (
        retention.map(|retention| retention.mode),
        &bucket.object_lock,
    ) {
        (Some(RetentionMode::Compliance), _) => {
            effect = "take the lock from transcripts to come";
            (
                "nobody can remove those that are locked".to_owned(),
                vec![Way(vec![on_bucket("s3:PutBucketObjectLockConfiguration")])],
            )
        }
        (Some(RetentionMode::Governance), _) => (
            "transcripts are locked in governance mode, which a permission gets around".to_owned(),
            vec![
                Way(vec![
                    on_object("s3:BypassGovernanceRetention"),
                    on_object("s3:DeleteObjectVersion"),
                ]),
                Way(vec![on_bucket("s3:PutBucketObjectLockConfiguration")]),
            ],
        ),
        (None, lock) => {
            let mut ways = vec![Way(vec![on_object("s3:DeleteObjectVersion")])];
            let state = match (lock, &bucket.versioning) {
                (Reading::Unknown(reason), _) | (_, Reading::Unknown(reason)) => {
                    format!(
                        "whether transcripts are locked, or versions kept, was not read: {reason}"
                    )
                }
                (_, Reading::Present(true)) => "no transcript is locked".to_owned(),
                (_, Reading::Present(false) | Reading::Absent) => {
                    ways = vec![
                        Way(vec![on_object("s3:DeleteObject")]),
                        Way(vec![on_object("s3:PutObject")]),
                    ];
                    "no transcript is locked, and without versions an upload under the same name replaces it".to_owned()
                }
            };
            ways.push(Way(vec![on_bucket("s3:PutLifecycleConfiguration")]));
            (state, ways)
        }
    };
    let mut able = people.by(&ways);
    let_in(&bucket.policy, &ways, people, &mut able);
    if retention.is_none() && matches!(bucket.versioning, Reading::Unknown(_)) {
        able.perhaps_as_well(people.by(&[
            Way(vec![on_object("s3:DeleteObject")]),
            Way(vec![on_object("s3:PutObject")]),
        ]));
    }
    let subject = Subject {
        id: "bucket.removable",
        resource: name,
        effect,
        state: &state,
        remedy: "lock transcripts with s3.object_lock",
    };
    findings.push(removable(&subject, &ways, &able));
}

/// Adds whom a policy of a resource lets in, but for the account itself, whose own policies decide there.
fn let_in(policy: &Reading<Value>, ways: &[Way], people: &People<'_>, able: &mut Able) {
    let actions: Vec<&str> = ways.iter().flat_map(Way::actions).collect();
    for statement in policy.present().map(statements).unwrap_or_default() {
        let is_named = one_or_many(&statement["Action"]).iter().any(|pattern| {
            let pattern = pattern.as_str().unwrap_or_default().to_lowercase();
            let mut actions = actions.iter();
            actions.any(|action| glob(&pattern, &action.to_lowercase()))
        });
        let bears = is_named || statement.get("NotAction").is_some();
        if statement["Effect"] != "Allow" || !bears {
            continue;
        }
        let principals = match &statement["Principal"] {
            Value::Object(kinds) => kinds.values().flat_map(one_or_many).collect(),
            everybody => vec![everybody],
        };
        for principal in principals.into_iter().filter_map(Value::as_str) {
            match (principal, statement.get("Condition")) {
                ("*", Some(_)) => able.name("whoever meets a condition of its policy"),
                ("*", None) => able.name("everybody"),
                (name, _) => people.let_in(name, ways, able),
            }
        }
    }
}

fn log_group(
    (name, partition): (&str, &str),
    reading: &Reading<LogGroup>,
    people: &People<'_>,
    findings: &mut Vec<Finding>,
) {
    let Target { account, region } = people.target;
    let arn = format!("arn:{partition}:logs:{region}:{account}:log-group:{name}");
    let stream = format!("{arn}:log-stream:session");
    // Policies name a log group with and without the ending.
    // https://docs.aws.amazon.com/AmazonCloudWatch/latest/logs/iam-access-control-overview-cwl.html
    let forms = [arn.clone(), format!("{arn}:*")];
    let is_protected = reading
        .present()
        .is_some_and(|group| group.deletion_protection);
    let state = match reading {
        Reading::Absent => return,
        Reading::Unknown(reason) => format!("whether it is protected was not read: {reason}"),
        Reading::Present(_) if is_protected => {
            "the log group is protected from deletion, which a permission turns off".to_owned()
        }
        Reading::Present(_) => "the log group is not protected from deletion".to_owned(),
    };
    let mut ways = Vec::new();
    for form in &forms {
        let on_group = |action| need(action, form, &Guard::None);
        let mut delete = vec![on_group("logs:DeleteLogGroup")];
        if is_protected {
            delete.insert(0, on_group("logs:PutLogGroupDeletionProtection"));
        }
        ways.push(Way(delete));
        ways.push(Way(vec![on_group("logs:PutRetentionPolicy")]));
    }
    // No page says that the protection of the group is one of its streams.
    ways.push(Way(vec![need(
        "logs:DeleteLogStream",
        &stream,
        &Guard::None,
    )]));
    let able = people.by(&ways);
    let subject = Subject {
        id: "log_group.removable",
        resource: name,
        effect: REMOVES,
        state: &state,
        remedy: "set cloudwatch.deletion_protection",
    };
    findings.push(removable(&subject, &ways, &able));
}

/// Returns the keys without which bucket and log group cannot be read, each once. AWS's own cannot be deleted.
fn keys(observed: &Observed) -> Vec<(String, &Reading<Key>)> {
    let of_bucket = observed.bucket.present();
    let of_bucket = of_bucket.and_then(|bucket| bucket.encryption.present()?.kms_key.as_deref());
    let of_group = observed.log_group.present();
    let of_group = of_group.and_then(|group| group.kms_key.as_deref());
    let mut keys: Vec<(String, &Reading<Key>)> = Vec::new();
    let pairs = [
        (of_bucket, &observed.bucket_key),
        (of_group, &observed.log_group_key),
    ];
    for (name, other) in pairs {
        let Some(name) = name.filter(|name| !is_aws_managed(name)) else {
            continue;
        };
        let key = observed.key_of(name, other);
        let arn = key.present().map_or(name, |key| key.arn.as_str());
        if !keys.iter().any(|(known, _)| known == arn) {
            keys.push((arn.to_owned(), key));
        }
    }
    keys
}

fn of_key(arn: &str, reading: &Reading<Key>, people: &People<'_>, findings: &mut Vec<Finding>) {
    let owner = Arn::parse(arn).map_or("", |arn| arn.account);
    if arn.starts_with("arn:") && owner != people.target.account {
        let message = format!(
            "who could delete or disable this key is known in account {owner} only, which it belongs to"
        );
        return findings.push(info("key.removable", arn, message, LOOK_THERE));
    }
    let policy = match reading {
        Reading::Present(key) => key.policy.clone(),
        Reading::Absent => return,
        Reading::Unknown(reason) => Reading::Unknown(reason.clone()),
    };
    let state = match &policy {
        Reading::Unknown(reason) => format!("its key policy was not read: {reason}"),
        _ => "without this key no transcript under it can be read".to_owned(),
    };
    let guard = Guard::Key {
        name: Some(arn.to_owned()),
        policy: policy.clone(),
    };
    let ways = DESTROYS_KEY.map(|action| Way(vec![need(action, arn, &guard)]));
    let mut able = people.by(&ways);
    let_in(&policy, &ways, people, &mut able);
    let subject = Subject {
        id: "key.removable",
        resource: arn,
        effect: "make what the key encrypts unreadable",
        state: &state,
        remedy: "name kms_key.administrators",
    };
    findings.push(removable(&subject, &ways, &able));
}

fn of_trail(arn: &str, people: &People<'_>, findings: &mut Vec<Finding>) {
    let owner = Arn::parse(arn).map_or("", |arn| arn.account);
    if owner != people.target.account {
        let message = format!(
            "who could stop this trail, or have it record less, is known in account {owner} only, which it belongs to"
        );
        return findings.push(info("trail.removable", arn, message, LOOK_THERE));
    }
    let ways = STOPS_TRAIL.map(|action| Way(vec![need(action, arn, &Guard::None)]));
    let able = people.by(&ways);
    let subject = Subject {
        id: "trail.removable",
        resource: arn,
        effect: "stop the trail, or have it record less",
        state: "who starts sessions is recorded by it",
        remedy: "use a trail of the organization, which members cannot change",
    };
    findings.push(removable(&subject, &ways, &able));
}

/// Finds rules of others by which transcripts expire before the desired state lets them.
fn expires_early(
    name: &str,
    desired: &Desired,
    (observed, target): (&Observed, &Target),
    findings: &mut Vec<Finding>,
) {
    let s3 = desired.s3.as_ref().and_then(Option::as_ref);
    let Some(s3) = s3.filter(|s3| expand(&s3.bucket, Some(target)) == name) else {
        return;
    };
    let wanted = s3.expire_days.or(s3.object_lock.map(|lock| lock.days));
    let rules = observed.bucket.present();
    let rules = rules.and_then(|bucket| bucket.expirations.present());
    let (Some(wanted), Some(rules)) = (wanted, rules) else {
        return;
    };
    let others = rules.iter().filter(|(id, _)| *id != LIFECYCLE_RULE);
    findings.extend(others.filter(|(_, days)| **days < wanted).map(|(id, days)| {
        let message = format!(
            "lifecycle rule {id} expires what it is about after {days} days, transcripts are to be kept for {wanted}"
        );
        let fix = "remove the rule, or keep it from the prefix of the transcripts";
        warning("bucket.expires_early", name, message, fix)
    }));
}

#[cfg(test)]
mod tests {
    use transcripts::{
        DESTROYS_KEY, OVERWRITES, REMOVES_LOGS, REMOVES_OBJECTS, SHORTENS_BUCKET, STOPS_TRAIL,
    };

    /// What is found here can be denied there: a guard takes the same lists.
    #[test]
    fn every_action_is_one_of_the_lists_that_guards_deny() {
        let (code, _) = include_str!("removal.rs")
            .split_once("#[cfg(test)]")
            .unwrap();
        let mut n_actions = 0;
        for literal in code.split('"').skip(1).step_by(2) {
            let services = ["s3:", "logs:", "kms:", "cloudtrail:"];
            let is_action = services.iter().any(|service| literal.starts_with(service));
            if !is_action || literal == "kms:CallerAccount" {
                continue;
            }
            let lists = [
                &DESTROYS_KEY[..],
                &[OVERWRITES],
                &REMOVES_LOGS,
                &REMOVES_OBJECTS,
                &SHORTENS_BUCKET,
                &STOPS_TRAIL,
            ];
            assert!(lists.concat().contains(&literal), "{literal}");
            n_actions += 1;
        }
        assert!(n_actions > 8, "{n_actions}");
    }
}
