//! HTTPS in front of what speaks HTTP on loopback.

use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::repository;

/// HTTPS with a certificate of its own; it ends with its stdin.
pub struct Front {
    process: Child,
    url: String,
    certificate: PathBuf,
}

impl Front {
    /// Puts HTTPS in front of `behind`, host and port; the certificate for 127.0.0.1 is written to `directory`.
    ///
    /// # Panics
    /// It does not start.
    #[must_use]
    pub fn start(behind: &str, directory: &Path) -> Front {
        let certificate = directory.join("front.pem");
        let mut process = Command::new(repository().join(".venv/bin/python"))
            .arg(repository().join("tests/configuration/tls_front.py"))
            .args([Path::new(behind), &certificate])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("start the front");
        let mut port = String::new();
        let stdout = process.stdout.take().expect("the front has a stdout");
        BufReader::new(stdout)
            .read_line(&mut port)
            .expect("the front prints its port");
        let url = format!("https://127.0.0.1:{}", port.trim());
        Front {
            process,
            url,
            certificate,
        }
    }

    /// Returns scheme, host and port.
    #[must_use]
    pub fn url(&self) -> &str {
        &self.url
    }

    /// Returns the file of the certificate.
    #[must_use]
    pub fn certificate(&self) -> &Path {
        &self.certificate
    }
}

impl Drop for Front {
    fn drop(&mut self) {
        drop(self.process.stdin.take());
        let _ = self.process.wait();
    }
}
