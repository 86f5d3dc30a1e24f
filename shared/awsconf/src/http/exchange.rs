//! One request and its answer, below the SDK's retries: bounded in time and size, held on to while AWS throttles, and taken
//! only from AWS.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::sync::Once;
use std::time::Duration;

use aws_smithy_runtime_api::client::connector_metadata::ConnectorMetadata;
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient,
    SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::{HttpRequest, HttpResponse};
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::body::SdkBody;
use aws_smithy_types::byte_stream::ByteStream;
use aws_smithy_types::retry::ErrorKind;

use super::trouble::{NoTunnel, Trouble, Unconnected, stranger, throttling};
use super::tunnel::refusal;
use super::unsent::is_unsent;
use crate::clock::{Deadline, Stopwatch, scaled, sleep};

/// From the first byte sent to the last byte received, a slow upload apart. The AWS CLI waits for 60 seconds, too, but
/// again for each byte. <https://docs.aws.amazon.com/cli/latest/userguide/cli-configure-options.html> (`--cli-read-timeout`)
const ATTEMPT: Duration = Duration::from_secs(60);

/// What a slow line uploads in a second; the packages of functions are megabytes.
const BYTES_A_SECOND: u64 = 64 * 1024;

/// A machine that runs tests is not quicker than AWS: the divisor of the tests, unless it is a large one, leaves it time.
const SLACK: u32 = 30;

/// The longest answers of AWS are pages of a few MB; what does not end is not kept in memory.
const LONGEST_ANSWER: usize = 64 * 1024 * 1024;

/// What others than AWS answer to a message is a word or a page, or the message again, as Slack does: more of it is not read.
const LONGEST_WORD: usize = 1024 * 1024;

/// How long to go on after the SDK's last attempt was throttled. Buckets of requests fill up within seconds; whoever else
/// empties them may take a minute. <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
const THROTTLED: Duration = Duration::from_secs(90);
const FIRST_PAUSE: Duration = Duration::from_secs(2);
/// That of the SDKs. <https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html>
const LONGEST_PAUSE: Duration = Duration::from_secs(20);

/// A client whose exchanges are bounded.
#[derive(Debug)]
pub(super) struct Bounded {
    pub(super) inner: SharedHttpClient,
    /// Whether calls that are throttled are held on to.
    pub(super) is_patient: bool,
}

impl HttpClient for Bounded {
    fn http_connector(
        &self,
        settings: &HttpConnectorSettings,
        components: &RuntimeComponents,
    ) -> SharedHttpConnector {
        SharedHttpConnector::new(Connector {
            inner: self.inner.http_connector(settings, components),
            is_patient: self.is_patient,
        })
    }

    fn connector_metadata(&self) -> Option<ConnectorMetadata> {
        self.inner.connector_metadata()
    }
}

#[derive(Debug)]
struct Connector {
    inner: SharedHttpConnector,
    is_patient: bool,
}

impl HttpConnector for Connector {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (inner, is_patient) = (self.inner.clone(), self.is_patient);
        HttpConnectorFuture::new(async move {
            // Only clients of AWS's APIs send it: requests to Slack, metadata services and the like are bounded by who sends
            // them, and answered by whoever they are for.
            let Some(attempt) = request.headers().get("amz-sdk-request") else {
                let host = host(&request);
                let is_post = request.method() == "POST";
                let response = inner.call(request).await?;
                return match is_post {
                    true => begun(response).await,
                    false => kept(response, &host).await,
                };
            };
            let is_patient = is_patient && is_last(attempt);
            call(&inner, request, is_patient).await
        })
    }
}

/// Calls an API of AWS. A call that is still throttled in the SDK's last attempt goes on here: the SDK would also have to
/// give unreachable hosts that many attempts.
async fn call(
    inner: &SharedHttpConnector,
    mut request: HttpRequest,
    is_patient: bool,
) -> Result<HttpResponse, ConnectorError> {
    let mut deadline = None;
    let mut pause = FIRST_PAUSE;
    loop {
        let again = request.try_clone().filter(|_| is_patient);
        let host = host(&request);
        let response = exchange(inner, request).await?;
        let (Some(again), Some(code)) = (again, throttling(&response)) else {
            return Ok(response);
        };
        let deadline = *deadline.get_or_insert_with(|| Deadline::after(THROTTLED));
        if deadline.has_passed() {
            return Ok(response);
        }
        note_once(&host, &code);
        sleep(jittered(pause)).await;
        pause = (2 * pause).min(LONGEST_PAUSE);
        request = again;
    }
}

/// Says why nothing seems to happen, once: whoever is throttled is throttled in many calls.
fn note_once(host: &str, code: &str) {
    static SAID: Once = Once::new();
    SAID.call_once(|| {
        let limit = THROTTLED.as_secs();
        cli::warn(&format!(
            "AWS throttles these calls ({code} from {host}): waiting, up to {limit} s for each"
        ));
    });
}

/// Sends a request and returns the whole answer, if it is one of AWS.
async fn exchange(
    inner: &SharedHttpConnector,
    request: HttpRequest,
) -> Result<HttpResponse, ConnectorError> {
    let n_bytes = request.body().content_length().unwrap_or_default();
    let limit = ATTEMPT + Duration::from_secs(n_bytes / BYTES_A_SECOND);
    let limit = (scaled(limit) * SLACK).min(limit);
    let host = host(&request);
    let (what, began) = (what(&request), Stopwatch::start());
    let region = region(&request).map(|region| format!(" {region}"));
    let region = region.unwrap_or_default();
    let report = |ended: &str| {
        let took = began.elapsed().as_millis();
        cli::trace(|| format!("{what}{region} {host}: {ended} in {took} ms"));
    };
    let is_object = request.uri().contains("x-id=GetObject");
    let answered = async {
        let response = match inner.call(request).await {
            Ok(response) => response,
            Err(error) => {
                return Err(match refusal(&error, &host).await {
                    Some(trouble) => {
                        let kind = passing(&trouble);
                        ConnectorError::other(Box::new(NoTunnel(trouble)), kind)
                    }
                    None => unconnected(error, &host),
                });
            }
        };
        // Objects may be longer than memory. S3 says how long each is, and the SDK watches that its bytes keep coming.
        // https://docs.aws.amazon.com/AmazonS3/latest/API/API_GetObject.html
        let is_long = is_object && response.headers().get("content-length").is_some();
        if is_long && response.status().is_success() {
            return Ok(response);
        }
        let response = kept(response, &host).await?;
        match stranger(&response, &host) {
            None => Ok(response),
            Some(trouble) => {
                let kind = passing(&trouble);
                Err(ConnectorError::other(trouble.into(), kind))
            }
        }
    };
    match tokio::time::timeout(limit, answered).await {
        Ok(Ok(response)) => {
            let code = throttling(&response).map(|code| format!(" {code}"));
            report(&format!(
                "{}{}",
                response.status().as_u16(),
                code.unwrap_or_default()
            ));
            Ok(response)
        }
        Ok(Err(error)) => {
            report("no answer");
            Err(error)
        }
        Err(_) => {
            report("no complete answer");
            let trouble = Trouble::NoAnswer {
                host: host.clone(),
                limit,
            };
            Err(ConnectorError::timeout(trouble.into()))
        }
    }
}

/// Returns the operation of a request, with the attempt if it is not the first. It is in a header (JSON), the body (Query) or nowhere
/// but in method and path (REST).
/// <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html> <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>
fn what(request: &HttpRequest) -> String {
    let header = |name| request.headers().get(name).unwrap_or_default();
    let target = header("x-amz-target").rsplit('.').next();
    let of_body = || {
        let body = std::str::from_utf8(request.body().bytes()?).ok()?;
        let action = body.strip_prefix("Action=")?;
        action.split('&').next()
    };
    let target = target.filter(|target| !target.is_empty());
    let operation = match target.or_else(of_body) {
        Some(operation) => operation.to_owned(),
        None => {
            let path = request.uri().split_once("://").map_or("", |(_, rest)| rest);
            let path = path.split_once('/').map_or("", |(_, path)| path);
            let path = path.split('?').next().unwrap_or_default();
            format!("{} /{path}", request.method())
        }
    };
    let attempt = header("amz-sdk-request")
        .split("attempt=")
        .nth(1)
        .and_then(|rest| rest.split(';').next())
        .filter(|attempt| *attempt != "1");
    match attempt {
        Some(attempt) => format!("{operation} (attempt {attempt})"),
        None => operation,
    }
}

/// Returns the region that a request is signed for. That of a host is not always in its name.
/// <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html>
fn region(request: &HttpRequest) -> Option<String> {
    let header = request.headers().get("authorization")?;
    let (_, scope) = header.split_once("Credential=")?;
    // KEY/20261130/us-east-1/ssm/aws4_request
    scope.split('/').nth(2).map(str::to_owned)
}

/// Returns the error with the host that no connection was made to: the client does not name it.
fn unconnected(error: ConnectorError, host: &str) -> ConnectorError {
    match error.is_io() && is_unsent(&error) {
        true => ConnectorError::io(Box::new(Unconnected {
            host: host.to_owned(),
            error,
        })),
        false => error,
    }
}

/// Returns what the SDK does about it: as from AWS, some answers may be others a moment later.
fn passing(trouble: &Trouble) -> Option<ErrorKind> {
    let passes = matches!(
        trouble,
        Trouble::Stranger {
            status: 500 | 502 | 503 | 504,
            ..
        }
    );
    passes.then_some(ErrorKind::TransientError)
}

/// Returns the answer with its body in memory.
async fn kept(mut response: HttpResponse, host: &str) -> Result<HttpResponse, ConnectorError> {
    if response.body().bytes().is_some() {
        return Ok(response);
    }
    let mut body = ByteStream::new(response.take_body());
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| ConnectorError::io(error.into()))?;
        if bytes.len() + chunk.len() > LONGEST_ANSWER {
            let host = host.to_owned();
            let trouble = Trouble::Endless {
                host,
                limit: LONGEST_ANSWER,
            };
            return Err(ConnectorError::other(trouble.into(), None));
        }
        bytes.extend_from_slice(&chunk);
    }
    *response.body_mut() = SdkBody::from(bytes);
    Ok(response)
}

/// Returns the answer with the beginning of its body in memory, and lets go of the rest.
async fn begun(mut response: HttpResponse) -> Result<HttpResponse, ConnectorError> {
    let mut body = ByteStream::new(response.take_body());
    let mut bytes = Vec::new();
    while let Some(chunk) = body.next().await {
        let chunk = chunk.map_err(|error| ConnectorError::io(error.into()))?;
        let room = LONGEST_WORD - bytes.len();
        bytes.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if bytes.len() == LONGEST_WORD {
            break;
        }
    }
    *response.body_mut() = SdkBody::from(bytes);
    Ok(response)
}

/// Returns host and port of a request.
fn host(request: &HttpRequest) -> String {
    crate::address::host_and_port(request.uri()).to_owned()
}

/// Returns whether a header such as `attempt=3; max=3` is of the last attempt.
fn is_last(attempt: &str) -> bool {
    let value = |name: &str| {
        let mut pairs = attempt
            .split(';')
            .filter_map(|pair| pair.trim().split_once('='));
        pairs.find(|pair| pair.0 == name)?.1.parse::<u32>().ok()
    };
    value("attempt") >= value("max")
}

/// Returns half of a pause and something of the other half, so that those who were throttled together do not come back together.
fn jittered(pause: Duration) -> Duration {
    let random = RandomState::new().build_hasher().finish() % 1_000;
    pause / 2 + pause.mul_f64(random as f64 / 2_000.0)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use aws_smithy_runtime_api::client::orchestrator::HttpRequest;

    use super::{SdkBody, host, is_last, jittered, region, what};

    #[test]
    fn reads_which_attempt_it_is() {
        assert!(is_last("attempt=3; max=3"));
        assert!(is_last("ttl=20260101T000000Z; attempt=1; max=1"));
        assert!(!is_last("attempt=2; max=3"));
    }

    #[test]
    fn a_host_is_without_path_and_password() {
        for (uri, expected) in [
            ("http://127.0.0.1:80/?x-id=GetObject", "127.0.0.1:80"),
            ("https://me:canary@proxy", "proxy"),
        ] {
            assert_eq!(host(&HttpRequest::get(uri).unwrap()), expected);
        }
    }

    #[test]
    fn a_region_is_that_of_the_signature() {
        let mut request = HttpRequest::get("http://127.0.0.1:80/").unwrap();
        assert_eq!(region(&request), None);
        let signed = "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20261130/eu-west-1/ssm/aws4_request, SignedHeaders=host, Signature=0";
        request.headers_mut().insert("authorization", signed);
        assert_eq!(region(&request).as_deref(), Some("eu-west-1"));
    }

    #[test]
    fn an_operation_is_found_in_each_protocol() {
        let json = |attempt: &'static str| {
            let mut request = HttpRequest::get("https://ssm.us-east-1.amazonaws.com/").unwrap();
            let headers = request.headers_mut();
            headers.insert("x-amz-target", "AmazonSSM.GetDocument");
            headers.insert("amz-sdk-request", attempt);
            request
        };
        assert_eq!(what(&json("attempt=1; max=3")), "GetDocument");
        assert_eq!(
            what(&json("ttl=x; attempt=2; max=3")),
            "GetDocument (attempt 2)"
        );
        let mut query = HttpRequest::get("https://iam.amazonaws.com/").unwrap();
        *query.body_mut() = SdkBody::from("Action=GetRole&Version=2010-05-08&RoleName=a");
        assert_eq!(what(&query), "GetRole");
        let rest = HttpRequest::get("https://b.s3.amazonaws.com/k?list-type=2").unwrap();
        assert_eq!(what(&rest), "GET /k");
    }

    #[test]
    fn a_pause_is_between_its_half_and_itself() {
        let pause = Duration::from_secs(20);
        let pauses: Vec<Duration> = (0..100).map(|_| jittered(pause)).collect();
        assert!(pauses.iter().all(|one| *one >= pause / 2 && *one <= pause));
        assert!(pauses.iter().any(|one| *one != pauses[0]));
    }
}
