//! The one HTTPS client of a process: rustls, the system's roots or `AWS_CA_BUNDLE`, proxies from the environment.
//! Its connectors are made on first use, so that an offline verb pays nothing for roots it does not need.

use anyhow::{Context, bail};
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_http_client::{Builder, Connector};
use aws_smithy_runtime_api::client::http::SharedHttpClient;

use crate::guard::caught;

/// <https://www.rfc-editor.org/rfc/rfc7468#section-5>
const CERTIFICATE: &[u8] = b"-----BEGIN CERTIFICATE-----";

/// Returns the client.
///
/// # Errors
/// `AWS_CA_BUNDLE` names a file that cannot be read or parsed.
pub(crate) fn client() -> anyhow::Result<SharedHttpClient> {
    let context = tls_context()?;
    // The SDK's own `build_https` ignores HTTPS_PROXY; behind a proxy nothing would be reachable.
    Ok(
        Builder::new().build_with_connector_fn(move |settings, components| {
            let mut connector = Connector::builder().proxy_config(ProxyConfig::from_env());
            if let Some(settings) = settings {
                connector = connector.connector_settings(settings.clone());
            }
            if let Some(sleep) = components.and_then(|components| components.sleep_impl()) {
                connector = connector.sleep_impl(sleep);
            }
            connector
                .tls_provider(Provider::Rustls(CryptoMode::Ring))
                .tls_context(context.clone())
                .build()
        }),
    )
}

fn tls_context() -> anyhow::Result<TlsContext> {
    let Some(path) = std::env::var_os("AWS_CA_BUNDLE").filter(|path| !path.is_empty()) else {
        return Ok(TlsContext::default());
    };
    let path = std::path::PathBuf::from(path);
    let bundle =
        std::fs::read(&path).with_context(|| format!("read AWS_CA_BUNDLE {}", path.display()))?;
    if !bundle
        .windows(CERTIFICATE.len())
        .any(|line| line == CERTIFICATE)
    {
        bail!(
            "AWS_CA_BUNDLE {}: no certificate in it, which begins with a line -----BEGIN CERTIFICATE-----",
            path.display()
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
        bail!(
            "AWS_CA_BUNDLE {}: a certificate in it cannot be parsed",
            path.display()
        );
    }
    Ok(context)
}
