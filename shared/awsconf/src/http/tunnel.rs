//! A proxy that does not let an HTTPS connection through. The HTTP client says no more than that, so the proxy is asked once
//! more, and what it answers is reported.

use std::io::{Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_types::body::SdkBody;

use super::trouble::{Trouble, stranger};

/// It has answered a moment ago.
const PATIENCE: Duration = Duration::from_secs(5);

/// Enough for the title of a page.
const LONGEST: u64 = 16 * 1024;

/// Where the proxy for HTTPS is.
struct Proxy {
    host: String,
    authorization: String,
}

/// Returns what the proxy of the environment answers to a connection to `host`, when `error` says that it refuses; `None`
/// when it is about something else, or the proxy is out of reach now.
pub(super) async fn refusal(error: &ConnectorError, host: &str) -> Option<Trouble> {
    if !is_refusal(error) {
        return None;
    }
    let names = ["HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy"];
    let mut urls = names.iter().filter_map(|name| std::env::var(name).ok());
    let proxy = parse(&urls.find(|url| !url.is_empty())?)?;
    let target = match host.rsplit_once(':') {
        Some((_, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => host.to_owned(),
        _ => format!("{host}:443"),
    };
    let name = proxy.host.clone();
    let answer = tokio::task::spawn_blocking(move || ask(&proxy, &target).ok());
    stranger(&response(&answer.await.ok()??)?, &name)
}

fn is_refusal(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        let words = cause.to_string();
        words.contains("tunnel error: unsuccessful")
            || words.contains("tunnel error: proxy authorization required")
    })
}

/// Reads `http://user:password@host:port`; a proxy behind TLS is not asked.
fn parse(url: &str) -> Option<Proxy> {
    let rest = match url.split_once("://") {
        Some(("http", rest)) => rest,
        Some(_) => return None,
        None => url,
    };
    let authority = rest.split('/').next().unwrap_or_default();
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let authorization = match user {
        "" => String::new(),
        // What is encoded would have to be decoded first.
        user if user.contains('%') => return None,
        user => format!(
            "Proxy-Authorization: Basic {}\r\n",
            aws_smithy_types::base64::encode(user)
        ),
    };
    let host = match host.rsplit_once(':') {
        Some(_) => host.to_owned(),
        None => format!("{host}:80"),
    };
    Some(Proxy {
        host,
        authorization,
    })
}

fn ask(proxy: &Proxy, target: &str) -> std::io::Result<Vec<u8>> {
    let address = proxy.host.to_socket_addrs()?.next();
    let address = address.ok_or(std::io::ErrorKind::NotFound)?;
    let mut stream = TcpStream::connect_timeout(&address, PATIENCE)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    let authorization = &proxy.authorization;
    let request = format!("CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{authorization}\r\n");
    stream.write_all(request.as_bytes())?;
    let mut answer = Vec::new();
    // A proxy that keeps the connection is not waited for longer than this; what it has sent is what counts.
    let _ = stream.take(LONGEST).read_to_end(&mut answer);
    Ok(answer)
}

/// Reads an answer as it is on the wire.
fn response(bytes: &[u8]) -> Option<HttpResponse> {
    let text = String::from_utf8_lossy(bytes);
    let (head, body) = text.split_once("\r\n\r\n")?;
    let mut lines = head.lines();
    let status: u16 = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let body = SdkBody::from(body.to_owned());
    let mut response = HttpResponse::new(status.try_into().ok()?, body);
    for (name, value) in lines.filter_map(|line| line.split_once(':')) {
        // Names and values that are not headers are left out.
        let _ = response
            .headers_mut()
            .try_insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
    Some(response)
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_where_the_proxy_is() {
        let proxy = parse("http://me:canary@proxy.example:3128/").unwrap();
        assert_eq!(proxy.host, "proxy.example:3128");
        // https://www.rfc-editor.org/rfc/rfc7617
        assert_eq!(
            proxy.authorization,
            "Proxy-Authorization: Basic bWU6Y2FuYXJ5\r\n"
        );
        assert_eq!(parse("proxy.example").unwrap().host, "proxy.example:80");
        assert!(parse("https://proxy.example").is_none());
    }
}
