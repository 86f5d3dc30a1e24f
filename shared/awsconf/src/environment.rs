//! The environment in which a program of somebody else's acts as a session does.

use anyhow::Context;
use aws_credential_types::provider::ProvideCredentials;

use crate::Session;

/// What names a profile, whose credentials would be others.
const PROFILES: [&str; 2] = ["AWS_PROFILE", "AWS_DEFAULT_PROFILE"];

impl Session {
    /// Returns variables for a program that is started: the credentials that this session has now, and its region; `None` for
    /// one that must not be there. A role that was assumed by a flag, or a code of MFA, is in no profile.
    ///
    /// # Errors
    /// The credentials cannot be had.
    pub async fn environment(&self) -> anyhow::Result<Vec<(&'static str, Option<String>)>> {
        let provider = self.config.credentials_provider();
        let provider = provider.context("no credentials")?;
        let credentials = provider.provide_credentials().await;
        let credentials = credentials.context("get credentials for another program")?;
        let region = || Some(self.target.region.clone());
        let mut variables = vec![
            (
                "AWS_ACCESS_KEY_ID",
                Some(credentials.access_key_id().to_owned()),
            ),
            (
                "AWS_SECRET_ACCESS_KEY",
                Some(credentials.secret_access_key().to_owned()),
            ),
            (
                "AWS_SESSION_TOKEN",
                credentials.session_token().map(str::to_owned),
            ),
            ("AWS_REGION", region()),
            ("AWS_DEFAULT_REGION", region()),
        ];
        variables.extend(PROFILES.map(|name| (name, None)));
        Ok(variables)
    }
}
