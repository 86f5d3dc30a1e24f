//! The AWS CLI and the programs beside the local AWS, loaded once per test process: each would take most of a second to start.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::home::Home;
use crate::repository;

static SERVER: OnceLock<Server> = OnceLock::new();
const PATIENCE: Duration = Duration::from_secs(120);

struct Server {
    socket: PathBuf,
    // As in sandbox.rs: the server ends when the write end of its stdin is closed, with this process.
    _server: Child,
}

/// Returns the interpreter, and the words before those of a call that is made in place of a program: `aws`, or a file of
/// tests/sandbox.
///
/// # Panics
/// The server does not come up.
pub(crate) fn in_place_of(program: &str) -> (PathBuf, [OsString; 5]) {
    let server = SERVER.get_or_init(serve);
    let words = [
        // Neither site packages nor variables of Python: it imports nothing that is not its own, and starts at once.
        "-SE".into(),
        script().into(),
        "call".into(),
        server.socket.clone().into(),
        program.into(),
    ];
    (python(), words)
}

fn python() -> PathBuf {
    repository().join(".venv/bin/python")
}

fn script() -> PathBuf {
    repository().join("tests/sandbox/preloaded.py")
}

fn serve() -> Server {
    // Short, for the path of a socket has at most 107 bytes, and removed by the server.
    let socket = std::env::temp_dir().join(format!("ssm-preloaded-{}", std::process::id()));
    let _ = std::fs::remove_file(&socket);
    let home = Home::create();
    let server = Command::new(python())
        .arg(script())
        .arg("serve")
        .arg(&socket)
        .current_dir(repository())
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        // The developer's settings are none of its business.
        .env("HOME", home.path())
        .stdin(Stdio::piped())
        .spawn()
        .expect("start tests/sandbox/preloaded.py");
    let deadline = Instant::now() + PATIENCE;
    while !socket.exists() {
        assert!(
            Instant::now() < deadline,
            "tests/sandbox/preloaded.py does not come up"
        );
        std::thread::sleep(Duration::from_millis(10));
    }
    Server {
        socket,
        _server: server,
    }
}
