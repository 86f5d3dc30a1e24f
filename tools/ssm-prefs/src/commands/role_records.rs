//! The roles that `plan` and `check` judge: records of `ssm-role show` in files.

use std::path::PathBuf;

use anyhow::bail;

use crate::preflight::Roles;
use crate::roles;

/// Records of roles, to find out whose sessions would be refused.
#[derive(clap::Args)]
pub(crate) struct RoleArgs {
    /// Judge the roles of nodes in FILE, as `ssm-role show` prints them
    #[arg(long, value_name = "FILE")]
    roles: Option<PathBuf>,
    /// Judge the roles of people who start sessions in FILE, in the same form
    #[arg(long, value_name = "FILE")]
    operators: Option<PathBuf>,
}

impl RoleArgs {
    /// Reads the files that the flags name.
    pub(super) fn read(&self) -> anyhow::Result<Roles> {
        let read = |path: &Option<PathBuf>| -> anyhow::Result<Vec<roles::Role>> {
            let Some(path) = path else {
                return Ok(Vec::new());
            };
            let records = cli::read_records_from(path, "role records")?;
            let roles = roles::roles(&records);
            if roles.is_empty() {
                bail!(
                    "role records from {}: no `roles` in them; pipe in what `ssm-role show` prints",
                    path.display()
                );
            }
            Ok(roles)
        };
        Ok(Roles {
            nodes: read(&self.roles)?,
            operators: read(&self.operators)?,
        })
    }
}
