//! Which agents are installed, by what means, in which version.
//! <https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent.html>

use std::path::Path;
use std::process::Command;

use cli::Reading;

use crate::host::{Installed, Package};

const NAME: &str = "amazon-ssm-agent";
const WINDOWS: &str = "Program Files/Amazon/SSM/amazon-ssm-agent.exe";
const MACOS: &str = "opt/aws/ssm/bin/amazon-ssm-agent";
const BINARY: &str = "usr/bin/amazon-ssm-agent";
const SNAP: &str = "snap/amazon-ssm-agent/current/meta/snap.yaml";
const DPKG: &str = "var/lib/dpkg/status";
/// Where the database of rpm is, on old systems and new.
const RPM: [&str; 2] = ["var/lib/rpm", "usr/lib/sysimage/rpm"];

/// Returns every agent under `root`.
pub(super) fn agents(root: &Path) -> Vec<Installed> {
    let mut found = Vec::new();
    let mut add = |package, version: Reading<String>| {
        if version != Reading::Absent {
            found.push(Installed { package, version });
        }
    };
    let (deb, rpm) = (deb(root), rpm(root));
    let is_packaged = deb != Reading::Absent || rpm != Reading::Absent;
    add(Package::Deb, deb);
    add(Package::Rpm, rpm);
    add(Package::Snap, snap(root));
    if !is_packaged {
        add(Package::Tarball, binary(&root.join(BINARY)));
    }
    add(Package::Macos, binary(&root.join(MACOS)));
    add(Package::Windows, binary(&root.join(WINDOWS)));
    found
}

fn deb(root: &Path) -> Reading<String> {
    read(&root.join(DPKG)).and_then(|status| {
        let stanza = status.split("\n\n").find(|stanza| {
            stanza
                .lines()
                .any(|line| line == format!("Package: {NAME}"))
        });
        let field = |name: &str| {
            let mut lines = stanza?.lines().filter_map(|line| line.split_once(": "));
            lines.find(|(key, _)| *key == name).map(|(_, value)| value)
        };
        match (field("Status"), field("Version")) {
            (Some(status), Some(version)) if status.ends_with(" installed") => {
                Reading::Present(upstream(version))
            }
            _ => Reading::Absent,
        }
    })
}

fn rpm(root: &Path) -> Reading<String> {
    if !RPM.iter().any(|path| root.join(path).is_dir()) {
        return Reading::Absent;
    }
    let output = Command::new("rpm")
        .arg("--root")
        .arg(root)
        .args(["-q", "--qf", "%{VERSION}", NAME])
        .output();
    match output {
        Ok(output) if output.status.success() => {
            Reading::Present(String::from_utf8_lossy(&output.stdout).trim().to_owned())
        }
        // "package amazon-ssm-agent is not installed" is an answer, not an error.
        Ok(output) if String::from_utf8_lossy(&output.stdout).contains("not installed") => {
            Reading::Absent
        }
        Ok(output) => Reading::Unknown(format!(
            "rpm: {}",
            String::from_utf8_lossy(&output.stderr).trim()
        )),
        // A Debian machine may have the directory without the command, and then no package in it.
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Reading::Absent,
        Err(error) => Reading::Unknown(format!("rpm: {error}")),
    }
}

fn snap(root: &Path) -> Reading<String> {
    read(&root.join(SNAP)).and_then(|yaml| {
        let version = yaml.lines().find_map(|line| line.strip_prefix("version:"));
        match version {
            Some(version) => Reading::Present(version.trim().trim_matches(['\'', '"']).to_owned()),
            None => Reading::Unknown("snap.yaml: no version".to_owned()),
        }
    })
}

/// Asks a program that no package manager knows: it prints `SSM Agent version: 3.3.987.0`.
/// <https://docs.aws.amazon.com/systems-manager/latest/userguide/ssm-agent-get-version.html>
fn binary(path: &Path) -> Reading<String> {
    if !path.exists() {
        return Reading::Absent;
    }
    let output = match Command::new(path).arg("-version").output() {
        Ok(output) => output,
        Err(error) => return Reading::Unknown(format!("{}: {error}", path.display())),
    };
    let text = String::from_utf8_lossy(&output.stdout);
    match text.lines().find_map(|line| line.split_once("version: ")) {
        Some((_, version)) => Reading::Present(version.trim().to_owned()),
        None => Reading::Unknown(format!("{} -version: no version", path.display())),
    }
}

/// Returns a Debian version without epoch and revision.
fn upstream(version: &str) -> String {
    let version = version.split_once(':').map_or(version, |(_, rest)| rest);
    let version = version.rsplit_once('-').map_or(version, |(first, _)| first);
    version.to_owned()
}

fn read(path: &Path) -> Reading<String> {
    match std::fs::read_to_string(path) {
        Ok(text) => Reading::Present(text),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Reading::Absent,
        Err(error) => Reading::Unknown(format!("{}: {error}", path.display())),
    }
}
