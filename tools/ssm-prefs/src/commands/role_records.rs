//! The roles that `plan` and `check` judge: records of `ssm-role show` in files.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::ensure;
use organization::Organization;

use crate::roles::{RoleRecords, Roles};

/// Records of roles, to find out whose sessions would be refused.
#[derive(clap::Args)]
pub(crate) struct RoleArgs {
    /// Check the roles of nodes in FILE, as `ssm-role show` prints them
    #[arg(long, value_name = "FILE")]
    roles: Option<PathBuf>,
    /// Check the roles of people who start sessions in FILE, as `ssm-role show --operators` prints them
    #[arg(long, value_name = "FILE")]
    operators: Option<PathBuf>,
    /// Check those roles also against the service and resource control policies in FILE, as `ssm-scp show` prints them
    #[arg(long, value_name = "FILE")]
    organization: Option<PathBuf>,
}

impl RoleArgs {
    /// Reads the files that the flags name.
    ///
    /// # Errors
    /// A file that cannot be read, or with nothing in it.
    pub(super) fn read(&self) -> anyhow::Result<Roles> {
        Ok(Roles {
            nodes: self.roles.as_deref().map(nodes).transpose()?,
            operators: match &self.operators {
                Some(path) => read(path)?,
                None => RoleRecords::default(),
            },
            organization: match &self.organization {
                Some(path) => Some(Arc::new(Organization::read(path)?.judge())),
                None => None,
            },
        })
    }
}

fn nodes(path: &Path) -> anyhow::Result<RoleRecords> {
    let records = read(path)?;
    ensure!(
        !records.are_of_operators(),
        "role records from {}: they are of operators; pass them with --operators",
        path.display()
    );
    Ok(records)
}

fn read(path: &Path) -> anyhow::Result<RoleRecords> {
    let kind = ("host_management", "ssm-role");
    let (records, unreachable) = cli::read_shown(path, "role records", kind)?;
    Ok(RoleRecords::new(records, unreachable))
}
