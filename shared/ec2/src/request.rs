//! The operation as the SDK's generated clients build it: the form that is sent, signing, retries, interceptors.

use std::fmt::Write;

use aws_runtime::auth::{SigV4OperationSigningConfig, sigv4};
use aws_runtime::invocation_id::InvocationIdInterceptor;
use aws_runtime::request_info::RequestInfoInterceptor;
use aws_runtime::retries::classifiers::AwsErrorCodeClassifier;
use aws_runtime::service_clock_skew::{ServiceClockSkewClassifier, ServiceClockSkewInterceptor};
use aws_runtime::user_agent::{ApiMetadata, UserAgentInterceptor};
use aws_smithy_runtime::client::orchestrator::operation::Operation;
use aws_smithy_runtime::client::retries::classifiers::{
    HttpStatusCodeClassifier, TransientErrorClassifier,
};
use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::auth::static_resolver::StaticAuthSchemeOptionResolver;
use aws_smithy_runtime_api::client::auth::{AuthSchemeOptionResolverParams, SharedAuthScheme};
use aws_smithy_runtime_api::client::behavior_version::BehaviorVersion;
use aws_smithy_runtime_api::client::identity::SharedIdentityResolver;
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponentsBuilder;
use aws_smithy_runtime_api::client::runtime_plugin::StaticRuntimePlugin;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::config_bag::Layer;
use aws_smithy_types::retry::RetryConfig;
use aws_types::region::SigningRegion;
use aws_types::{SdkConfig, SigningName};

use crate::{Ec2Error, Filter, decode, endpoint};

/// Returns the body of a request without parameters, in EC2's query protocol.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/Query-Requests.html>
pub(crate) fn form(action: &str) -> String {
    format!("Action={action}&Version=2016-11-15")
}

/// Returns the body of the request for the first page of what matches every filter.
pub(crate) fn list(action: &str, max_results: u16, filters: &[Filter<'_>]) -> String {
    let mut form = form(action);
    push(&mut form, "MaxResults", &max_results.to_string());
    for (n_filter, (name, values)) in (1..).zip(filters) {
        push(&mut form, &format!("Filter.{n_filter}.Name"), name);
        for (n_value, value) in (1..).zip(*values) {
            push(
                &mut form,
                &format!("Filter.{n_filter}.Value.{n_value}"),
                value,
            );
        }
    }
    form
}

/// Returns the operation with everything that the configuration says, ready to be invoked any number of times.
pub(crate) fn operation<T: std::fmt::Debug + Send + Sync + 'static>(
    config: &SdkConfig,
    name: &'static str,
    decoder: fn(&[u8]) -> Result<T, BoxError>,
) -> Operation<String, T, Ec2Error> {
    let retries = config
        .retry_config()
        .cloned()
        .unwrap_or_else(RetryConfig::standard);
    let mut builder = Operation::builder()
        .service_name("EC2")
        .operation_name(name)
        .behavior_version(BehaviorVersion::v2026_01_12())
        .endpoint_url(&endpoint::url(config))
        .standard_retry(&retries)
        .retry_classifier(HttpStatusCodeClassifier::default())
        .retry_classifier(TransientErrorClassifier::<Ec2Error>::new())
        .retry_classifier(AwsErrorCodeClassifier::<Ec2Error>::new())
        .retry_classifier(ServiceClockSkewClassifier::<Ec2Error>::new())
        .with_connection_poisoning()
        .interceptor(ServiceClockSkewInterceptor::new())
        .interceptor(RequestInfoInterceptor::new())
        .interceptor(UserAgentInterceptor::new())
        .interceptor(InvocationIdInterceptor::new())
        .runtime_plugin(signing(config));
    if let Some(client) = config.http_client() {
        builder = builder.http_client(client);
    }
    if let Some(sleep) = config.sleep_impl() {
        builder = builder.sleep_impl(sleep);
    }
    if let Some(time_source) = config.time_source() {
        builder = builder.time_source(time_source);
    }
    if let Some(timeouts) = config.timeout_config() {
        builder = builder.timeout_config(timeouts.clone());
    }
    builder
        .serializer(request)
        .deserializer(move |response| decode::answer(response, name, decoder))
        .build()
}

fn request(form: String) -> Result<HttpRequest, BoxError> {
    let mut request = HttpRequest::new(SdkBody::from(form));
    request.set_method("POST")?;
    request.set_uri("/")?;
    request
        .headers_mut()
        .insert("content-type", "application/x-www-form-urlencoded");
    Ok(request)
}

fn signing(config: &SdkConfig) -> StaticRuntimePlugin {
    let mut layer = Layer::new("ec2");
    layer.store_put(AuthSchemeOptionResolverParams::new(()));
    layer.store_put(SigV4OperationSigningConfig::default());
    layer.store_put(SigningName::from_static("ec2"));
    layer.store_put(ApiMetadata::new("ec2", env!("CARGO_PKG_VERSION")));
    if let Some(region) = config.region() {
        layer.store_put(SigningRegion::from(region.clone()));
        layer.store_put(region.clone());
    }
    if let Some(name) = config.app_name() {
        layer.store_put(name.clone());
    }
    let mut components = RuntimeComponentsBuilder::new("ec2");
    components.set_auth_scheme_option_resolver(Some(StaticAuthSchemeOptionResolver::new(vec![
        sigv4::SCHEME_ID,
    ])));
    components.push_auth_scheme(SharedAuthScheme::new(sigv4::SigV4AuthScheme::new()));
    if let Some(cache) = config.identity_cache() {
        components.set_identity_cache(Some(cache));
    }
    if let Some(provider) = config.credentials_provider() {
        components.set_identity_resolver(sigv4::SCHEME_ID, SharedIdentityResolver::new(provider));
    }
    StaticRuntimePlugin::new()
        .with_config(layer.freeze())
        .with_runtime_components(components)
}

/// Adds a parameter to a form.
pub(crate) fn push(form: &mut String, name: &str, value: &str) {
    form.push('&');
    form.push_str(name);
    form.push('=');
    for byte in value.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                form.push(char::from(byte))
            }
            // Writing to a string cannot fail.
            _ => drop(write!(form, "%{byte:02X}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::list;

    #[test]
    fn filters_are_numbered_from_one_and_escaped() {
        let body = list(
            "DescribeInstances",
            1000,
            &[
                ("instance-state-name", &["running", "stopped"]),
                ("tag:Team", &["R&D ä"]),
            ],
        );
        assert_eq!(
            body,
            "Action=DescribeInstances&Version=2016-11-15&MaxResults=1000&Filter.1.Name=instance-state-name\
             &Filter.1.Value.1=running&Filter.1.Value.2=stopped&Filter.2.Name=tag%3ATeam&Filter.2.Value.1=R%26D%20%C3%A4"
        );
    }
}
