//! What came out of a run, and what a test may expect of it.

use serde_json::Value;

/// What came out of a run.
#[derive(Debug)]
pub struct Output {
    pub(crate) arguments: String,
    /// Exit status; 128 and the signal's number when a signal ended it.
    pub status: i32,
    /// Everything printed on stdout.
    pub stdout: String,
    /// Everything printed on stderr.
    pub stderr: String,
    /// The actions that were refused because the test took them out of the policy, with their resources.
    pub refused: Vec<Value>,
}

impl Output {
    /// Fails the test, showing both streams, when the exit status is another.
    ///
    /// # Panics
    /// That is its job.
    #[track_caller]
    pub fn assert_status(&self, expected: i32) -> &Output {
        assert_eq!(
            self.status, expected,
            "exit status of {}\n--- stdout\n{}\n--- stderr\n{}",
            self.arguments, self.stdout, self.stderr
        );
        self
    }

    /// Fails the test unless stderr is exactly this.
    ///
    /// # Panics
    /// That is its job.
    #[track_caller]
    pub fn assert_stderr(&self, expected: &str) -> &Output {
        assert_eq!(self.stderr, expected, "stderr of {}", self.arguments);
        self
    }

    /// Fails the test unless stderr contains this.
    ///
    /// # Panics
    /// That is its job.
    #[track_caller]
    pub fn assert_complains(&self, part: &str) -> &Output {
        assert!(
            self.stderr.contains(part),
            "'{part}' is not in what {} says: {}",
            self.arguments,
            self.stderr
        );
        self
    }

    /// Returns the one JSON value on stdout.
    ///
    /// # Panics
    /// There is none, more than one, or something else.
    #[track_caller]
    pub fn json(&self) -> Value {
        let mut records = self.records();
        assert_eq!(
            records.len(),
            1,
            "records of {}: {}{}",
            self.arguments,
            self.stdout,
            self.stderr
        );
        records.remove(0)
    }

    /// Returns the JSON lines on stdout.
    ///
    /// # Panics
    /// A line is not JSON.
    #[track_caller]
    pub fn records(&self) -> Vec<Value> {
        let parse = |line: &str| match serde_json::from_str(line) {
            Ok(value) => value,
            Err(error) => panic!("{error} in this line of {}: {line}", self.arguments),
        };
        self.stdout.lines().map(parse).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::Output;

    fn silent(stdout: &str) -> Output {
        Output {
            arguments: "x".to_owned(),
            status: 0,
            stdout: stdout.to_owned(),
            stderr: "why".to_owned(),
            refused: Vec::new(),
        }
    }

    #[test]
    #[should_panic(expected = "why")]
    fn a_wrong_status_shows_stderr() {
        silent("").assert_status(1);
    }

    #[test]
    #[should_panic(expected = "records of x")]
    fn two_records_are_not_one() {
        silent("1\n2\n").json();
    }
}
