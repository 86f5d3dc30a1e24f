//! The one HTTPS client of a process: rustls, the system's roots or a bundle of the user's, proxies from the environment.
//! Its connectors are made on first use, so that an offline verb pays nothing for roots it does not need.

mod exchange;
pub(crate) mod outside;
mod trouble;
mod tunnel;
pub(crate) mod unsent;

use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context, bail};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::{HttpConnectorSettings, SharedHttpClient};

use crate::guard::caught;
use crate::profile::Profile;
use exchange::Bounded;
use outside::Outside;

pub(crate) use trouble::{Trouble, Unconnected};

/// For the way to a host, TLS and a proxy's CONNECT included. The SDK's 3.1 seconds are short for a busy proxy, the AWS CLI's
/// 60 long for a host that is not there.
/// <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html> (`--cli-connect-timeout`)
pub(crate) const CONNECT: Duration = Duration::from_secs(10);

/// <https://www.rfc-editor.org/rfc/rfc7468#section-5>
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Returns the client for a profile; `is_patient` says whether calls that AWS throttles are held on to.
///
/// # Errors
/// `AWS_CA_BUNDLE`, or else `ca_bundle` of the profile, names a file that cannot be read or parsed.
pub(crate) fn client_for(profile: &Profile, is_patient: bool) -> anyhow::Result<SharedHttpClient> {
    let of_profile = profile.get("ca_bundle").filter(|path| !path.is_empty());
    let of_profile = of_profile.map(|path| {
        let name = format!("ca_bundle of profile '{}'", profile.name());
        (name, PathBuf::from(path))
    });
    make(bundle().or(of_profile), is_patient, false)
}

/// Returns the client for what is not AWS, or needs no profile.
///
/// # Errors
/// `AWS_CA_BUNDLE` names a file that cannot be read or parsed.
pub(crate) fn client() -> anyhow::Result<SharedHttpClient> {
    make(bundle(), false, false)
}

/// Returns the client for hosts that anybody may name: it connects to no local address.
///
/// # Errors
/// As [`client`].
pub(crate) fn outside_client() -> anyhow::Result<SharedHttpClient> {
    make(bundle(), false, true)
}

/// Returns the bundle of the environment, and what it is called.
fn bundle() -> Option<(String, PathBuf)> {
    let path = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty())?;
    Some(("AWS_CA_BUNDLE".to_owned(), PathBuf::from(path)))
}

fn make(
    bundle: Option<(String, PathBuf)>,
    is_patient: bool,
    is_outside: bool,
) -> anyhow::Result<SharedHttpClient> {
    let context = match bundle {
        Some((name, path)) => trusting(&name, &path)?,
        None => TlsContext::default(),
    };
    // The SDK's own `build_https` ignores HTTPS_PROXY; behind a proxy nothing would be reachable.
    let inner = Builder::new().build_with_connector_fn(move |settings, components| {
        let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
        let mut own = HttpConnectorSettings::builder().connect_timeout(CONNECT);
        if let Some(given) = settings {
            own.set_connect_timeout(given.connect_timeout().or(Some(CONNECT)));
            own.set_read_timeout(given.read_timeout());
        }
        connector = connector.connector_settings(own.build());
        if let Some(sleep) = components.and_then(|components| components.sleep_impl()) {
            connector = connector.sleep_impl(sleep);
        }
        let connector = connector
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone());
        match is_outside {
            true => connector.build_with_resolver(Outside),
            false => connector.build(),
        }
    });
    Ok(SharedHttpClient::new(Bounded { inner, is_patient }))
}

/// Trusts the certificates of a file, and no others.
fn trusting(name: &str, path: &Path) -> anyhow::Result<TlsContext> {
    let shown = path.display();
    let bundle = std::fs::read(path).with_context(|| format!("read {name} {shown}"))?;
    if !bundle
        .windows(CERTIFICATE.len())
        .any(|line| line == CERTIFICATE)
    {
        bail!(
            "{name} {shown}: no certificate in it, which begins with a line -----BEGIN CERTIFICATE-----"
        );
    }
    let roots = TrustStore::empty().with_pem_certificate(bundle);
    let context = TlsContext::builder().with_trust_store(roots).build()?;
    // The certificates are parsed when a connector is made, where those that cannot be are a panic.
    let parsed = caught(|| {
        Connector::builder()
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context.clone())
            .build()
    });
    if parsed.is_err() {
        bail!("{name} {shown}: a certificate in it cannot be parsed");
    }
    Ok(context)
}
