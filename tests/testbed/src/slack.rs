//! A Slack of our own on loopback, or another service that takes JSON: it answers as the test says and remembers what it took.
//!
//! <https://docs.slack.dev/messaging/sending-messages-using-incoming-webhooks>,
//! <https://docs.slack.dev/reference/methods/chat.postMessage>

use std::collections::VecDeque;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use serde_json::Value;

/// What the webhook answers.
#[derive(Clone, Copy, Debug)]
pub enum Reply {
    /// By which the service takes a message: 200, `ok`.
    Ok,
    /// A status with a body.
    Status(u16, &'static str),
    /// 429 with `Retry-After`, in seconds.
    RetryAfter(u64),
    /// The connection is closed without an answer.
    Close,
    /// The message is taken, and nobody says so: the connection is closed.
    Lost,
    /// As [`Reply::Ok`], so many seconds later.
    Slow(u64),
    /// 307 to a place.
    Redirect(&'static str),
    /// A status with a body of so many bytes.
    Long(u16, usize),
}

/// Which service it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Service {
    #[default]
    Webhook,
    Bot,
    Json,
}

/// One request.
#[derive(Clone, Debug)]
pub struct Post {
    /// The message.
    pub message: Value,
    /// When it came.
    pub at: Instant,
    /// Whether the service has it now, whether or not the sender knows.
    pub taken: bool,
    /// The line of the request and the headers, in lower case.
    pub head: String,
}

#[derive(Default)]
struct State {
    replies: VecDeque<Reply>,
    always: Option<Reply>,
    posts: Vec<Post>,
    service: Service,
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
        Slack::of(Service::Webhook)
    }

    /// Returns Slack's Web API, which takes everything that a bot posts.
    ///
    /// # Panics
    /// As [`Slack::start`].
    #[must_use]
    pub fn bot() -> Slack {
        Slack::of(Service::Bot)
    }

    /// Returns a service that takes any JSON with 202, as PagerDuty does.
    ///
    /// # Panics
    /// As [`Slack::start`].
    #[must_use]
    pub fn json() -> Slack {
        Slack::of(Service::Json)
    }

    /// Returns the address of a service that is down, and that [`Slack::up`] starts: of a port below those that the system hands out, so
    /// that nobody else takes it meanwhile.
    ///
    /// # Panics
    /// No port is free.
    #[must_use]
    pub fn down() -> String {
        let first = 10_000 + std::process::id() % 20_000;
        let mut addresses = (first..first + 1_000).map(|port| format!("127.0.0.1:{port}"));
        let found = addresses.find(|address| TcpListener::bind(address).is_ok());
        found.expect("a free port on loopback")
    }

    /// Returns a webhook, or Slack's Web API, at an address of [`Slack::down`].
    ///
    /// # Panics
    /// The port is taken.
    #[must_use]
    pub fn up(address: &str, is_bot: bool) -> Slack {
        let listener = TcpListener::bind(address).expect("listen on loopback");
        let service = if is_bot {
            Service::Bot
        } else {
            Service::Webhook
        };
        Slack::at(listener, service)
    }

    fn of(service: Service) -> Slack {
        let listener = TcpListener::bind("127.0.0.1:0").expect("listen on loopback");
        Slack::at(listener, service)
    }

    fn at(listener: TcpListener, service: Service) -> Slack {
        let address = listener.local_addr().expect("the address of a listener");
        let state = Arc::new(Mutex::new(State {
            service,
            ..State::default()
        }));
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

    /// Returns host and port.
    #[must_use]
    pub fn address(&self) -> &str {
        let rest = self.url.trim_start_matches("http://");
        rest.split('/').next().unwrap_or_default()
    }

    /// Answers the next requests so, one after another.
    pub fn reply(&self, replies: &[Reply]) {
        self.with(|state| state.replies.extend(replies));
    }

    /// Answers so until it is changed, once what [`Slack::reply`] was given is used up.
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
        let (mut line, mut head, mut length) = (String::new(), String::new(), 0);
        loop {
            line.clear();
            if reader.read_line(&mut line).ok()? == 0 {
                return None;
            }
            let header = line.trim().to_lowercase();
            if header.is_empty() {
                break;
            }
            head.push_str(&header);
            head.push('\n');
            if let Some(value) = header.strip_prefix("content-length:") {
                length = value.trim().parse().ok()?;
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).ok()?;
        let message = serde_json::from_slice(&body).unwrap_or(Value::Null);
        let (reply, service, number) = {
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
            let taken = matches!(reply, Reply::Ok | Reply::Lost | Reply::Slow(_));
            state.posts.push(Post {
                message,
                at: Instant::now(),
                taken,
                head,
            });
            (reply, state.service, state.posts.len())
        };
        if let Reply::Slow(seconds) = reply {
            std::thread::sleep(Duration::from_secs(seconds));
        }
        let (status, extra, text) = match (reply, service) {
            (Reply::Ok | Reply::Slow(_), Service::Webhook) => (200, String::new(), "ok".to_owned()),
            (Reply::Ok | Reply::Slow(_), Service::Bot) => {
                let text = format!(
                    r#"{{"ok":true,"channel":"C0123456789","ts":"1764000000.{number:06}"}}"#
                );
                (200, String::new(), text)
            }
            (Reply::Ok | Reply::Slow(_), Service::Json) => {
                let text = r#"{"status":"success","message":"Event processed"}"#;
                (202, String::new(), text.to_owned())
            }
            (Reply::Status(status, text), _) => (status, String::new(), text.to_owned()),
            (Reply::RetryAfter(seconds), service) => {
                let text = match service {
                    Service::Bot => r#"{"ok":false,"error":"ratelimited"}"#,
                    Service::Webhook | Service::Json => "rate_limited",
                };
                let after = format!("Retry-After: {seconds}\r\n");
                (429, after, text.to_owned())
            }
            (Reply::Redirect(to), _) => (307, format!("Location: {to}\r\n"), String::new()),
            (Reply::Long(status, n_bytes), _) => (status, String::new(), "x".repeat(n_bytes)),
            (Reply::Close | Reply::Lost, _) => {
                return stream.shutdown(std::net::Shutdown::Both).ok();
            }
        };
        // Slack's webhooks say so of their `ok`, too.
        let is_json = service != Service::Webhook && !text.starts_with('<');
        let of_type = if is_json {
            "application/json"
        } else {
            "text/html"
        };
        let answer = format!(
            "HTTP/1.1 {status} X\r\n{extra}Content-Type: {of_type}\r\nContent-Length: {}\r\n\r\n{text}",
            text.len()
        );
        // At once: a second part would wait 40 milliseconds for the first one's acknowledgement.
        writer.write_all(answer.as_bytes()).ok()?;
    }
}
