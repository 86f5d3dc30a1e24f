//! A Slack of our own on loopback: an incoming webhook that answers as it is told and remembers what it took.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

use serde_json::Value;

/// What the webhook answers.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// 200, `ok`.
    Ok,
    /// A status with a body.
    Status(u16, &'static str),
    /// 429 with `Retry-After`, in seconds.
    RetryAfter(u64),
    /// The connection is closed without an answer.
    Close,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Post {
    /// The message.
    pub message: Value,
    /// When it came.
    pub at: Instant,
    /// Whether it was answered with 200.
    pub taken: bool,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    always: Option<Reply>,
    posts: Vec<Post>,
}

/// The webhook; it serves until the process ends.
pub struct Slack {
    url: String,
    state: Arc<Mutex<State>>,
}

impl Slack {
    /// Returns a webhook that takes everything.
    ///
    /// # Panics
    /// No port is free.
    #[must_use]
    pub fn start() -> Slack {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen on loopback");
        let address = listener.local_addr().expect("the address of a listener");
        let state = Arc::new(Mutex::new(State::default()));
        let shared = state.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let shared = shared.clone();
                // A client that goes away half way is part of what is tested.
                std::thread::spawn(move || serve(&stream, &shared));
            }
        });
        Slack {
            url: format!("http://{address}/services/T0/B0/c4n4ry"),
            state,
        }
    }

    /// Returns the webhook's URL.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Answers the next requests so, one after another.
    pub fn reply(&self, replies: &[Reply]) {
        self.with(|state| state.replies.extend(replies));
    }

    /// Answers so until told otherwise, once what [`Slack::reply`] was told is used up.
    pub fn always(&self, reply: Reply) {
        self.with(|state| state.always = Some(reply));
    }

    /// Returns everything that came.
    #[must_use]
    pub fn posts(&self) -> Vec<Post> {
        self.with(|state| state.posts.clone())
    }

    /// Returns the messages that were taken.
    #[must_use]
    pub fn messages(&self) -> Vec<Value> {
        self.posts()
            .into_iter()
            .filter(|post| post.taken)
            .map(|post| post.message)
            .collect()
    }

    fn with<T>(&self, work: impl FnOnce(&mut State) -> T) -> T {
        work(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

fn serve(stream: &TcpStream, shared: &Mutex<State>) -> Option<()> {
    let mut reader = BufReader::new(stream);
    let mut writer = stream;
    loop {
        let (mut line, mut length) = (String::new(), 0);
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let header = line.trim().to_lowercase();
            if header.is_empty() {
                break;
            }
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let message = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let reply = {
            let mut state = shared.lock().unwrap_or_else(PoisonError::into_inner);
            let reply = state
                .replies
                .pop_front()
                .or(state.always)
                .unwrap_or(Reply::Ok);
            let reply = if message.is_null() {
                Reply::Status(400, "invalid_payload")
            } else {
                reply
            };
            let taken = matches!(reply, Reply::Ok);
            state.posts.push(Post {
                message,
                at: Instant::now(),
                taken,
            });
            reply
        };
        let (status, extra, text) = match reply {
            Reply::Ok => (200, String::new(), "ok"),
            Reply::Status(status, text) => (status, String::new(), text),
            Reply::RetryAfter(seconds) => {
                (429, format!("Retry-After: {seconds}\r\n"), "rate_limited")
            }
            Reply::Close => return stream.shutdown(std::net::Shutdown::Both).ok(),
        };
        write!(writer, "HTTP/1.1 {status} X\r\n{extra}Content-Type: text/html\r\nContent-Length: {}\r\n\r\n{text}", text.len()).ok()?;
    }
}
