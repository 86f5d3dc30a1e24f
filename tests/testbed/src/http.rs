//! One HTTP request over loopback: just enough to steer the sandbox, which answers with `Content-Length` or by closing.

use std::io::{Error, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

// A seeded estate of thousands of nodes takes the server seconds.
const PATIENCE: Duration = Duration::from_secs(60);

/// Returns status and body of the answer; each of the headers ends in CR LF.
pub(crate) fn request(
    address: SocketAddr,
    method: &str,
    path: &str,
    headers: &str,
    body: &str,
) -> Result<(u16, String), Error> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(PATIENCE))?;
    write!(
        stream,
        "{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\
         {headers}Content-Length: {}\r\n\r\n{body}",
        body.len()
    )?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer)?;
    parse(&answer).ok_or_else(|| Error::other(format!("malformed answer to {method} {path}")))
}

fn parse(answer: &[u8]) -> Option<(u16, String)> {
    let head_ends = answer.windows(4).position(|w| w == b"\r\n\r\n")?;
    let head = std::str::from_utf8(&answer[..head_ends]).ok()?;
    let body = &answer[head_ends + 4..];
    let mut lines = head.lines();
    let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
    let length = lines
        .filter_map(|line| line.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .map(|(_, value)| value.trim().parse::<usize>());
    let whole = match length {
        Some(length) => body.get(..length.ok()?)?,
        None => body,
    };
    Some((status, String::from_utf8(whole.to_vec()).ok()?))
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn reads_status_and_body() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}";
        assert_eq!(parse(answer), Some((200, "{}".to_owned())));
        let answer = b"HTTP/1.0 404 NOT FOUND\r\nServer: x\r\n\r\nto the end";
        assert_eq!(parse(answer), Some((404, "to the end".to_owned())));
    }

    #[test]
    fn refuses_an_answer_that_breaks_off() {
        assert_eq!(
            parse(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}"),
            None
        );
        assert_eq!(parse(b"HTTP/1.1 200"), None);
    }
}
