//! Reads the machine that this runs on: packages, service, agent's data and log, metadata service, endpoints, clock.
//! Never writes, and never calls AWS with credentials.

mod installed;

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::Context;
use awsconf::Metadata;
use cli::{Reading, Target};
use diagnosis::{Capability, Version};
use futures_util::future::{join, join_all, join3};
use records::Timestamp;
use serde::Deserialize;

use crate::agent_log::{self, LogVerdict};
use crate::host::{Endpoint, Host, Identity, Installed, Package, Registration, Service};

/// Where the agent keeps the ID of a hybrid activation.
/// <https://github.com/aws/amazon-ssm-agent/blob/mainline/agent/managedInstances/registration/instance_info.go>
const HYBRID_REGISTRATION: [&str; 3] = [
    "var/lib/amazon/ssm/Vault/Store/RegistrationKey",
    "ProgramData/Amazon/SSM/Vault/Store/RegistrationKey",
    "opt/aws/ssm/data/Vault/Store/RegistrationKey",
];
const LOGS: [&str; 3] = [
    "var/log/amazon/ssm/amazon-ssm-agent.log",
    "ProgramData/Amazon/SSM/Logs/amazon-ssm-agent.log",
    "opt/aws/ssm/logs/amazon-ssm-agent.log",
];
/// What is written beside the log while the agent hibernates.
const HIBERNATION: &str = "hibernate.log";
/// More than enough for the last start of an agent, of a log that may be large.
const LOG_TAIL: u64 = 4 << 20;

/// What to look at instead of the machine, for tests and for images that are mounted somewhere.
#[derive(Clone, Debug)]
pub(crate) struct Redirect {
    pub(crate) root: PathBuf,
    pub(crate) metadata_endpoint: Option<String>,
    pub(crate) endpoint_url: Option<String>,
}

/// Returns everything that the machine shows.
///
/// # Errors
/// The metadata endpoint is not a URL. What cannot be read is `Unknown`.
pub(crate) async fn observe(redirect: &Redirect, now: Timestamp) -> anyhow::Result<Host> {
    let metadata = Metadata::new(redirect.metadata_endpoint.as_deref())?;
    let agents = installed::agents(&redirect.root);
    let hybrid = hybrid(&redirect.root);
    let (identity, domain) = match hybrid {
        // A hybrid node has no metadata service to ask.
        Reading::Present(_) => (Reading::Absent, Reading::Absent),
        _ => {
            join(
                identity(&metadata, redirect),
                metadata.get("/latest/meta-data/services/domain"),
            )
            .await
        }
    };
    let region = match (&hybrid, &identity) {
        (Reading::Present((_, region)), _) => Some(region.clone()),
        (_, Reading::Present(identity)) => Some(identity.target.region.clone()),
        _ => None,
    };
    let domain = domain.present().cloned();
    let (endpoints, clock_skew_seconds) = match region {
        Some(region) => {
            let suffix =
                domain.unwrap_or_else(|| awsdata::partition_of(&region).dns_suffix.to_owned());
            network(redirect, &agents, &region, &suffix, now).await
        }
        // The finding about the metadata service says it all.
        None => (Vec::new(), Reading::Absent),
    };
    Ok(Host {
        name: hostname(&redirect.root),
        service: service(&redirect.root, &agents),
        registration: match hybrid {
            Reading::Present((instance_id, _)) => registration(&redirect.root, Some(instance_id)),
            Reading::Unknown(reason) => Reading::Unknown(reason),
            Reading::Absent => registration(&redirect.root, None),
        },
        agents,
        identity,
        endpoints,
        clock_skew_seconds,
    })
}

async fn identity(metadata: &Metadata, redirect: &Redirect) -> Reading<Identity> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Document {
        instance_id: String,
        account_id: String,
        region: String,
    }
    let endpoint = redirect.metadata_endpoint.as_deref();
    // Each waits for seconds where nobody answers.
    let (document, roles, v1) = join3(
        metadata.get("/latest/dynamic/instance-identity/document"),
        metadata.get("/latest/meta-data/iam/security-credentials/"),
        awsconf::probe(endpoint.unwrap_or("http://169.254.169.254")),
    )
    .await;
    let document = match document {
        Reading::Present(text) => match serde_json::from_str::<Document>(&text) {
            Ok(document) => document,
            Err(error) => return Reading::Unknown(format!("instance identity document: {error}")),
        },
        Reading::Absent => return Reading::Unknown("no instance identity document".to_owned()),
        Reading::Unknown(reason) => return Reading::Unknown(reason),
    };
    Reading::Present(Identity {
        instance_id: document.instance_id,
        target: Target {
            account: document.account_id,
            region: document.region,
        },
        role: roles.map(|names| names.lines().next().unwrap_or_default().to_owned()),
        is_v1_allowed: match v1 {
            Ok(probed) => Reading::Present(probed.status != 401),
            Err(error) => Reading::Unknown(format!("{error:#}")),
        },
    })
}

/// Tries the endpoints that this agent needs, and compares clocks with the first that sends the time.
async fn network(
    redirect: &Redirect,
    agents: &[Installed],
    region: &str,
    suffix: &str,
    now: Timestamp,
) -> (Vec<Endpoint>, Reading<i64>) {
    let is_new = |agent: &Installed| {
        let version = agent.version.present().and_then(|text| text.parse().ok());
        version
            .is_some_and(|version: Version| version >= Capability::CommandsOverSsmmessages.since())
    };
    let mut services = vec!["ssm", "ssmmessages"];
    if !agents.is_empty() && !agents.iter().all(is_new) {
        services.push("ec2messages");
    }
    let probes = services.iter().map(async |service| {
        let url = match &redirect.endpoint_url {
            Some(url) => url.clone(),
            None => format!("https://{service}.{region}.{suffix}"),
        };
        awsconf::probe(&url).await
    });
    let (mut endpoints, mut skew) = (Vec::new(), Reading::Absent);
    for (service, probed) in services.iter().zip(join_all(probes).await) {
        if let (Ok(probed), Reading::Absent) = (&probed, &skew) {
            skew = clock_skew(probed.header("date"), now);
        }
        endpoints.push(Endpoint {
            service: (*service).to_owned(),
            error: probed.err().map(|error| format!("{error:#}")),
        });
    }
    (endpoints, skew)
}

fn clock_skew(date: Option<&str>, now: Timestamp) -> Reading<i64> {
    let Some(date) = date else {
        return Reading::Unknown("the answer has no Date header".to_owned());
    };
    match jiff::fmt::rfc2822::parse(date) {
        Ok(theirs) => Reading::Present(now.seconds() - theirs.timestamp().as_second()),
        Err(error) => Reading::Unknown(format!("Date header '{date}': {error}")),
    }
}

fn hostname(root: &Path) -> String {
    let name = std::fs::read_to_string(root.join("etc/hostname")).unwrap_or_default();
    match name.trim() {
        "" => "localhost".to_owned(),
        name => name.to_owned(),
    }
}

/// Returns ID and region of a hybrid activation.
fn hybrid(root: &Path) -> Reading<(String, String)> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Key {
        #[serde(rename = "instanceID")]
        instance_id: String,
        region: String,
    }
    for path in HYBRID_REGISTRATION.map(|path| root.join(path)) {
        let text = match std::fs::read_to_string(&path) {
            Ok(text) => text,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => continue,
            Err(error) => return Reading::Unknown(format!("{}: {error}", path.display())),
        };
        return match serde_json::from_str::<Key>(&text) {
            // Clearing a registration leaves the file with empty values.
            Ok(key) if key.instance_id.is_empty() => Reading::Absent,
            Ok(key) => Reading::Present((key.instance_id, key.region)),
            Err(error) => Reading::Unknown(format!("{}: {error}", path.display())),
        };
    }
    Reading::Absent
}

/// Returns how the agent stands with Systems Manager as its log says last. A hybrid node has registered once; of one whose log
/// says nothing it is taken that it still is.
fn registration(root: &Path, hybrid: Option<String>) -> Reading<Registration> {
    let known = |instance_id: Option<String>| {
        let hybrid = instance_id.map(|instance_id| Registration::Hybrid { instance_id });
        hybrid.map_or(Reading::Absent, Reading::Present)
    };
    for path in LOGS.map(|path| root.join(path)) {
        let (log, hibernation) = match (tail(&path), tail(&path.with_file_name(HIBERNATION))) {
            (Ok(None), Ok(None)) => continue,
            (Ok(log), Ok(hibernation)) => {
                (log.unwrap_or_default(), hibernation.unwrap_or_default())
            }
            (Err(error), _) | (_, Err(error)) => {
                return match hybrid {
                    Some(_) => known(hybrid),
                    None => Reading::Unknown(format!("{}: {error}", path.display())),
                };
            }
        };
        return match agent_log::last_verdict(&log, &hibernation) {
            Some(LogVerdict::Refused(refused)) => Reading::Present(Registration::Refused {
                line: refused.line,
                profile_line: refused.profile_line,
                instance_id: hybrid,
            }),
            _ if hybrid.is_some() => known(hybrid),
            Some(LogVerdict::InstanceProfile) => Reading::Present(Registration::InstanceProfile),
            Some(LogVerdict::HostManagement) => Reading::Present(Registration::HostManagement),
            Some(LogVerdict::Reports) => Reading::Present(Registration::Reports),
            None => Reading::Absent,
        };
    }
    known(hybrid)
}

/// Returns the end of a file, none when there is none. The agent writes UTF-8; what is not is shown as such.
fn tail(path: &Path) -> std::io::Result<Option<String>> {
    use std::io::{Read, Seek, SeekFrom};
    let mut file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error),
    };
    let length = file.metadata()?.len();
    file.seek(SeekFrom::Start(length.saturating_sub(LOG_TAIL)))?;
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(Some(String::from_utf8_lossy(&bytes).into_owned()))
}

fn service(root: &Path, agents: &[Installed]) -> Reading<Service> {
    let is = |package: Package| agents.iter().any(|agent| agent.package == package);
    if is(Package::Windows) {
        return windows_service();
    }
    let unit = if is(Package::Snap) {
        "snap.amazon-ssm-agent.amazon-ssm-agent.service"
    } else {
        "amazon-ssm-agent.service"
    };
    let shown = Command::new("systemctl")
        .args([
            "show",
            "--property=LoadState,ActiveState,UnitFileState",
            unit,
        ])
        .output();
    let text = match &shown {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout),
        // Without systemd, as in a container or on macOS, only the process itself shows it.
        _ => return process(root),
    };
    let property = |name: &str| {
        let mut lines = text.lines().filter_map(|line| line.split_once('='));
        lines.find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    match property("LoadState") {
        Some("loaded") => Reading::Present(Service {
            name: unit.to_owned(),
            is_running: property("ActiveState") == Some("active"),
            is_enabled: property("UnitFileState").map(|state| state.starts_with("enabled")),
        }),
        Some(_) => Reading::Absent,
        None => Reading::Unknown("systemctl show says nothing of LoadState".to_owned()),
    }
}

fn process(root: &Path) -> Reading<Service> {
    let entries = match std::fs::read_dir(root.join("proc")) {
        Ok(entries) => entries,
        Err(error) => return Reading::Unknown(format!("no systemctl, and /proc: {error}")),
    };
    // The kernel cuts names off after 15 characters.
    let is_agent = |path: PathBuf| {
        std::fs::read_to_string(path.join("comm"))
            .is_ok_and(|name| name.trim() == "amazon-ssm-agen")
    };
    let is_running = entries.flatten().any(|entry| is_agent(entry.path()));
    Reading::Present(Service {
        name: "amazon-ssm-agent".to_owned(),
        is_running,
        is_enabled: None,
    })
}

fn windows_service() -> Reading<Service> {
    const NAME: &str = "AmazonSSMAgent";
    let query = |verb: &str| -> anyhow::Result<String> {
        let output = Command::new("sc").args([verb, NAME]).output();
        let output = output.with_context(|| format!("sc {verb} {NAME}"))?;
        Ok(String::from_utf8_lossy(&output.stdout).into_owned())
    };
    match query("query").and_then(|state| Ok((state, query("qc")?))) {
        Ok((state, configuration)) => Reading::Present(Service {
            name: NAME.to_owned(),
            is_running: state.contains("RUNNING"),
            is_enabled: Some(configuration.contains("AUTO_START")),
        }),
        Err(error) => Reading::Unknown(format!("{error:#}")),
    }
}
