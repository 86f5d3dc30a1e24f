//! Starts the local AWS once per test process and ends it with the process.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::run::TIME_DIVISOR;
use crate::{Account, http, repository};

static SANDBOX: OnceLock<Sandbox> = OnceLock::new();
static N_ACCOUNTS: AtomicU32 = AtomicU32::new(0);

/// The local AWS of this test process.
pub struct Sandbox {
    url: String,
    address: SocketAddr,
    // Holds the write end of the server's stdin. A static is never dropped; the kernel closes the pipe when the test
    // process ends in whatever way, and the server ends with it.
    _server: Child,
}

impl Sandbox {
    /// Returns the sandbox, which the first call starts.
    ///
    /// # Panics
    /// There is no `.venv`, or the server does not come up.
    pub fn start() -> &'static Sandbox {
        SANDBOX.get_or_init(spawn)
    }

    /// Returns the URL to use as `AWS_ENDPOINT_URL`.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns a fresh, empty account, so that tests running side by side do not meet.
    pub fn account(&'static self) -> Account {
        let n = N_ACCOUNTS.fetch_add(1, Ordering::Relaxed);
        // Twelve digits: process IDs have at most seven (PID_MAX_LIMIT is 2^22), and a leading 1 keeps zeros inside.
        let id = format!("1{:07}{:04}", std::process::id() % 10_000_000, n % 10_000);
        Account::new(self, &id)
    }

    /// Sends one request to the server and returns the answer's body.
    ///
    /// # Panics
    /// The server does not answer, or not with 200.
    pub(crate) fn control(&self, method: &str, path: &str, body: &str) -> String {
        self.request(method, path, "Content-Type: application/json\r\n", body)
    }

    pub(crate) fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> String {
        match http::request(self.address, method, path, headers, body) {
            Ok((200, answer)) => answer,
            Ok((status, answer)) => panic!("{method} {path}: {status} {answer}"),
            Err(error) => panic!("{method} {path}: {error}"),
        }
    }
}

fn spawn() -> Sandbox {
    let python = repository().join(".venv/bin/python");
    assert!(
        python.exists(),
        "no {}: run `make test`, or `make venv` first",
        python.display()
    );
    let mut server = Command::new(python)
        .args(["tests/sandbox/sandbox.py", "--exit-with-stdin"])
        .current_dir(repository())
        // The developer's AWS settings are none of its business.
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("SSM_TIME_DIVISOR", TIME_DIVISOR.to_string())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .expect("start tests/sandbox/sandbox.py");
    let stdout = server.stdout.take().expect("stdout is piped");
    let mut line = String::new();
    BufReader::new(stdout)
        .read_line(&mut line)
        .expect("read the sandbox's URL");
    let url = line.trim().to_owned();
    let address = url
        .strip_prefix("http://")
        .and_then(|host| host.parse().ok());
    let Some(address) = address else {
        panic!("tests/sandbox/sandbox.py printed '{url}', expected http://127.0.0.1:PORT");
    };
    Sandbox {
        url,
        address,
        _server: server,
    }
}

#[cfg(test)]
mod tests {
    use super::Sandbox;

    #[test]
    fn there_is_one_sandbox_and_every_account_is_new() {
        let (a, b) = (Sandbox::start().account(), Sandbox::start().account());
        assert_ne!(a.id(), b.id());
        for account in [&a, &b] {
            assert_eq!(account.id().len(), 12, "{}", account.id());
            assert!(account.id().bytes().all(|b| b.is_ascii_digit()));
            assert_eq!(account.calls(), Vec::<serde_json::Value>::new());
        }
    }

    #[test]
    #[should_panic(expected = "no such control URL")]
    fn says_what_the_server_refuses() {
        Sandbox::start().control("GET", "/_sandbox/nothing", "");
    }
}
