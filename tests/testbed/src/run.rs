//! Runs one binary in an environment that holds only what the test says, and keeps everything that came out of it.

use std::ffi::{OsStr, OsString};
use std::io::{Read, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::Sandbox;
use crate::home::Home;
use crate::output::Output;
use crate::permissions::{self, Held};
use crate::schema;
use crate::signals;

// Longer than any run on a busy machine; a binary that hangs must fail its test, not stop all of them.
const PATIENCE: Duration = Duration::from_secs(120);

/// What the waits of the tools, and the delays of the local AWS, are divided by: a minute of AWS's is two seconds.
pub const TIME_DIVISOR: u32 = 30;

/// One run of a binary, being prepared.
pub struct Run {
    command: Command,
    program: String,
    stdin: Option<String>,
    stdout_closed: bool,
    /// Where the calls are held to the policy that the tool prints.
    held_in: Option<&'static Sandbox>,
    /// An action that is taken out of that policy.
    without: Option<String>,
    /// The desired state that the policy is about.
    narrowed_by: Option<PathBuf>,
    // Kept until the run is over.
    _home: Option<Home>,
}

/// Prepares a run without keys, region and endpoint, for verbs that need neither credentials nor network.
pub fn offline(exe: impl AsRef<OsStr>) -> Run {
    let home = Home::create();
    let mut run = Run::bare(exe.as_ref(), home.path());
    run._home = Some(home);
    run
}

impl Run {
    /// Prepares a run with an empty environment but for `HOME`, `PATH` and `TERM`.
    pub(crate) fn bare(exe: &OsStr, home: &Path) -> Run {
        let mut command = signals::reaching(exe);
        command
            .env_clear()
            .current_dir(home)
            .env("HOME", home)
            .env("PATH", "/usr/bin:/bin")
            .env("TERM", "dumb")
            // Nothing may look for an instance's metadata service: that is a network call, and seconds of waiting.
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("SSM_TIME_DIVISOR", TIME_DIVISOR.to_string());
        Run {
            command,
            program: exe.to_string_lossy().into_owned(),
            stdin: None,
            stdout_closed: false,
            held_in: None,
            without: None,
            narrowed_by: None,
            _home: None,
        }
    }

    /// Has the calls of a tool held to the policy that it prints for this run: what that does not allow fails the test.
    #[must_use]
    pub(crate) fn held_in(mut self, sandbox: &'static Sandbox) -> Run {
        self.held_in = Some(sandbox);
        self
    }

    /// Takes an action out of that policy, so that the calls that need it are refused.
    #[must_use]
    pub fn without(mut self, action: &str) -> Run {
        self.without = Some(action.to_owned());
        self
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Run {
        self.command.args(arguments);
        self
    }

    /// Holds the run to the policy that is about this desired state only.
    #[must_use]
    pub fn narrowed_by(mut self, desired: &Path) -> Run {
        self.narrowed_by = Some(desired.to_owned());
        self
    }

    /// Sets an environment variable.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Run {
        self.command.env(name, value);
        self
    }

    /// Removes an environment variable.
    #[must_use]
    pub fn env_remove(mut self, name: &str) -> Run {
        self.command.env_remove(name);
        self
    }

    /// Sets what the binary reads on stdin; without this it is /dev/null.
    #[must_use]
    pub fn stdin(mut self, text: impl Into<String>) -> Run {
        self.stdin = Some(text.into());
        self
    }

    /// Makes the reader of stdout go away before the binary writes: `ssm-x show | true`.
    #[must_use]
    pub fn stdout_closed(mut self) -> Run {
        self.stdout_closed = true;
        self
    }

    /// Makes the binary start with a signal ignored, as `nohup` does.
    #[must_use]
    pub fn ignoring(mut self, signal: &str) -> Run {
        self.command = signals::ignoring(&self.command, signal);
        self
    }

    /// Starts the binary without waiting for it; its stdin is closed. For tests that signal a running process.
    ///
    /// # Panics
    /// The binary cannot be started.
    pub fn spawn(mut self) -> Running {
        let exe = PathBuf::from(&self.program);
        let held = self.held_in.and_then(|sandbox| {
            permissions::hold(
                sandbox,
                &self.command,
                &exe,
                (self.narrowed_by.as_deref(), self.without.as_deref()),
            )
        });
        if let Some(held) = &held {
            self.command.env("AWS_SDK_UA_APP_ID", held.application_id());
        }
        let child = self.launch();
        Running {
            held,
            arguments: self.arguments(),
            program: self.command.get_program().into(),
            words: self.command.get_args().map(OsStr::to_owned).collect(),
            started: start(child, self.stdin.unwrap_or_default(), self.stdout_closed),
            _home: self._home,
        }
    }

    /// Runs the binary to its end.
    ///
    /// # Panics
    /// It cannot be started, prints what is not UTF-8 or no record of its schema, or does not end in time.
    pub fn run(self) -> Output {
        self.spawn().wait()
    }

    fn launch(&mut self) -> Child {
        let stdin = match self.stdin {
            Some(_) => Stdio::piped(),
            None => Stdio::null(),
        };
        self.command
            .stdin(stdin)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap_or_else(|error| panic!("start {}: {error}", self.program))
    }

    fn arguments(&self) -> String {
        let words: Vec<OsString> = std::iter::once(self.command.get_program())
            .chain(self.command.get_args())
            .map(OsStr::to_owned)
            .collect();
        words.join(OsStr::new(" ")).to_string_lossy().into_owned()
    }
}

type Reader = std::thread::JoinHandle<Vec<u8>>;

struct Started {
    child: Child,
    stdout: Option<Reader>,
    stderr: Option<Reader>,
}

/// A binary that was started.
pub struct Running {
    arguments: String,
    program: PathBuf,
    words: Vec<OsString>,
    started: Started,
    held: Option<Held>,
    _home: Option<Home>,
}

impl Running {
    /// Returns the process ID.
    pub fn id(&self) -> u32 {
        self.started.child.id()
    }

    /// Waits for the end of what was killed and returns what came out: its last line may be half a record.
    ///
    /// # Panics
    /// It prints what is not UTF-8, or does not end in time.
    pub fn wait_killed(mut self) -> Output {
        let status = wait(&mut self.started.child, &self.arguments);
        Output {
            refused: Vec::new(),
            arguments: self.arguments,
            status: 128 + status.signal().unwrap_or(0),
            stdout: text(self.started.stdout),
            stderr: text(self.started.stderr),
        }
    }

    /// Waits for the end and returns what came out.
    ///
    /// # Panics
    /// It prints what is not UTF-8, a record that its own schema does not have, or does not end in time.
    pub fn wait(mut self) -> Output {
        let status = wait(&mut self.started.child, &self.arguments);
        let mut output = Output {
            refused: Vec::new(),
            arguments: self.arguments,
            // As a shell reports it.
            status: status
                .code()
                .unwrap_or_else(|| 128 + status.signal().unwrap_or(0)),
            stdout: text(self.started.stdout),
            stderr: text(self.started.stderr),
        };
        schema::hold(&self.program, &self.words, &output.stdout);
        if let Some(held) = &self.held {
            output.refused = held.judge();
        }
        output
    }
}

fn start(mut child: Child, input: String, stdout_closed: bool) -> Started {
    let stdout = child.stdout.take().filter(|_| !stdout_closed).map(reader);
    let stderr = child.stderr.take().map(reader);
    if let Some(mut stdin) = child.stdin.take() {
        // From a thread of its own: a binary that prints before it has read everything would wait for us for ever.
        std::thread::spawn(move || {
            // It need not read its input, for example when its arguments are wrong.
            let _ = stdin.write_all(input.as_bytes());
        });
    }
    Started {
        child,
        stdout,
        stderr,
    }
}

fn reader(mut stream: impl Read + Send + 'static) -> Reader {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        stream
            .read_to_end(&mut bytes)
            .expect("read what a binary prints");
        bytes
    })
}

fn text(reader: Option<Reader>) -> String {
    let bytes = reader.map_or_else(Vec::new, |reader| reader.join().expect("join a reader"));
    String::from_utf8(bytes).expect("a binary prints UTF-8")
}

fn wait(child: &mut Child, arguments: &str) -> ExitStatus {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if let Some(status) = child.try_wait().expect("wait for a binary") {
            return status;
        }
        if Instant::now() > deadline {
            let _ = child.kill();
            panic!("{arguments}: still running after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(2));
    }
}

#[cfg(test)]
mod tests {
    use super::offline;

    fn shell(script: &str) -> super::Run {
        offline("/bin/sh").args(["-c", script])
    }

    #[test]
    fn passes_on_status_and_both_streams() {
        let output = shell("echo out; echo err >&2; exit 3").run();
        output
            .assert_status(3)
            .assert_stderr("err\n")
            .assert_complains("rr");
        assert_eq!(output.stdout, "out\n");
        assert_eq!(shell("kill -INT $$").run().status, 130);
    }

    #[test]
    fn the_environment_holds_only_what_the_test_says() {
        let output = shell("env | cut -d= -f1 | sort")
            .env("GIVEN", "1")
            .env_remove("TERM")
            .run();
        // The shell itself adds PWD, and some add SHLVL, _ and OLDPWD.
        let names: Vec<&str> = output
            .stdout
            .lines()
            .filter(|name| !["PWD", "SHLVL", "_", "OLDPWD"].contains(name))
            .collect();
        assert_eq!(
            names,
            [
                "AWS_EC2_METADATA_DISABLED",
                "GIVEN",
                "HOME",
                "PATH",
                "SSM_TIME_DIVISOR"
            ]
        );
    }

    #[test]
    fn home_is_empty_and_goes_away_after_the_run() {
        let output = shell("ls -A; pwd").run();
        let home = output.stdout.trim();
        assert!(home.starts_with('/') && !home.contains('\n'), "{home}");
        assert!(!std::path::Path::new(home).exists());
    }

    #[test]
    fn large_input_does_not_block() {
        let text = "0123456789abcdef".repeat(65_536);
        let output = offline("/bin/cat").stdin(text.clone()).run();
        assert!(output.assert_status(0).stdout == text);
        offline("/bin/true").stdin(text).run().assert_status(0);
    }

    #[test]
    fn a_closed_stdout_reaches_the_binary() {
        let output = shell("sleep 0.1; trap '' PIPE; echo x || exit 9")
            .stdout_closed()
            .run();
        output.assert_status(9);
    }

    #[test]
    fn reads_records() {
        let output = offline("/bin/cat").stdin("{\"a\":1}\n{\"a\":2}\n").run();
        assert_eq!(output.records()[1]["a"], 2);
        let single = offline("/bin/cat").stdin("{\"a\":1}\n").run();
        assert_eq!(single.json()["a"], 1);
    }
}
