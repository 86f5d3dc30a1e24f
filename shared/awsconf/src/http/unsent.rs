//! Whether a request that got no answer was sent at all.

use super::trouble::NoTunnel;

/// Returns whether an error is that of the way to a host: its name, the route, a refusal, TLS, a proxy that lets nothing through.
/// Nothing was sent then. A connection that breaks, or a time that is up, may come after the request.
#[must_use]
pub fn is_unsent(error: &(dyn std::error::Error + 'static)) -> bool {
    let mut causes = std::iter::successors(Some(error), |error| error.source());
    causes.any(|cause| {
        let of_client = cause.downcast_ref::<hyper_util::client::legacy::Error>();
        cause.is::<NoTunnel>()
            || of_client.is_some_and(hyper_util::client::legacy::Error::is_connect)
    })
}

#[cfg(test)]
mod tests {
    use std::io::{Read, Write};
    use std::net::TcpListener;
    use std::time::Duration;

    use super::is_unsent;
    use crate::http_request::{HttpClient, Request};

    /// Returns the port of a server that answers so, without another word where that is nothing.
    fn server(answer: Option<&'static str>) -> u16 {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let mut kept = Vec::new();
            for mut stream in listener.incoming().flatten() {
                let _ = stream.read(&mut [0; 4096]);
                match answer {
                    Some(answer) => stream.write_all(answer.as_bytes()).unwrap(),
                    None => kept.push(stream),
                }
            }
        });
        port
    }

    async fn is_unsent_to(client: &HttpClient, url: String) -> bool {
        let request = Request {
            method: "POST",
            url,
            body: Some("{}".to_owned()),
            headers: Vec::new(),
            timeout: Some(Duration::from_secs(2)),
        };
        let error = client.send(request).await.unwrap_err();
        is_unsent(error.as_ref())
    }

    #[tokio::test]
    async fn nothing_is_sent_where_there_is_no_way_to_the_host() {
        let client = HttpClient::new().unwrap();
        // Nobody listens on a port of this kind, which needs a privilege.
        assert!(is_unsent_to(&client, "http://127.0.0.1:1/".to_owned()).await);
        let plain = server(Some("HTTP/1.1 400 Bad Request\r\n\r\n"));
        assert!(is_unsent_to(&client, format!("https://127.0.0.1:{plain}/")).await);
        let hung_up = server(Some(""));
        assert!(is_unsent_to(&client, format!("https://127.0.0.1:{hung_up}/")).await);
    }

    #[tokio::test]
    async fn what_breaks_after_the_connection_may_have_been_sent() {
        let client = HttpClient::new().unwrap();
        for answer in [
            Some(""),
            Some("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"),
            None,
        ] {
            let port = server(answer);
            let url = format!("http://127.0.0.1:{port}/");
            assert!(!is_unsent_to(&client, url).await, "{answer:?}");
        }
    }
}
