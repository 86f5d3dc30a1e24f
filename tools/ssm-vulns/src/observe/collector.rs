//! Reads what `scripts/vulnscan.d/collector.sh` and `collector.ps1` print on a node. Nothing is ever made of a part.

use std::io::Read;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use records::{Invocation, Reason};

use crate::model::package::Package;
use crate::model::system::System;

/// What one node printed, as lines.
#[derive(Debug)]
pub(crate) struct Inventory {
    text: String,
    /// Where the lines of packages are in it.
    packages: std::ops::Range<usize>,
    pub(crate) system: System,
    pub(crate) arch: String,
    /// The kernel that runs.
    pub(crate) kernel: String,
    asks_for_reboot: bool,
}

const HEAD: &str = "ssm-inventory 1 ";
/// An inventory of 20,000 packages has a tenth of it.
const LARGEST: u64 = 32 << 20;
const RETRY: &str = "ask again with --output-s3 s3://BUCKET/PREFIX";

impl Inventory {
    /// Returns the inventory in an invocation, or why there is none.
    pub(crate) fn of(invocation: Invocation) -> Result<Inventory, Reason> {
        if invocation.status != "Success" {
            return Err(failed(invocation));
        }
        if invocation.truncated.stdout {
            return Err(cut("Run Command cut the inventory off"));
        }
        let text = match invocation.stdout.contains('\r') {
            true => invocation.stdout.replace('\r', ""),
            false => invocation.stdout,
        };
        let Some((head, body)) = text
            .strip_prefix(HEAD)
            .and_then(|rest| rest.split_once('\n'))
        else {
            return Err(damaged("the output does not begin as an inventory does"));
        };
        let (text, is_verified) = match head.trim_end() {
            "gzip" => (unpack(body)?, true),
            "plain" => (body.to_owned(), false),
            _ => return Err(damaged("the inventory is of a form that is not known here")),
        };
        Inventory::parse(text, is_verified)
    }

    /// Returns the lines of its packages, without the hotfixes of Windows.
    pub(crate) fn packages(&self) -> impl Iterator<Item = &str> {
        let lines = Lines(&self.text[self.packages.clone()]);
        lines.filter(|line| !line.starts_with("hotfix\t"))
    }

    /// Returns the hotfixes of Windows.
    pub(crate) fn hotfixes(&self) -> impl Iterator<Item = &str> {
        let lines = Lines(&self.text[self.packages.clone()]);
        lines.filter_map(|line| line.strip_prefix("hotfix\t")?.split('\t').next())
    }

    /// Reads the lines behind the first one; `is_verified` once another checksum has been.
    fn parse(text: String, is_verified: bool) -> Result<Inventory, Reason> {
        let missing = || cut("the inventory has no end, or lines are missing before it");
        let whole = text.trim_end_matches('\n');
        let (before, last) = whole.rsplit_once('\n').ok_or_else(missing)?;
        let mut end = last.split('\t');
        let n_lines = memchr::memchr_iter(b'\n', before.as_bytes()).count() + 1;
        if end.next() != Some("end") || end.next() != Some(n_lines.to_string().as_str()) {
            return Err(missing());
        }
        let sum = end.next().and_then(|sum| sum.parse::<u32>().ok());
        if !is_verified
            && sum.is_some_and(|sum| sum != checksum(&text.as_bytes()[..before.len() + 1]))
        {
            return Err(damaged(
                "the inventory has another checksum than it had on the node",
            ));
        }
        // What describes the node stands before its packages. Whatever a node prints, it must not end the scan of the others.
        let mut lines = Lines(before);
        let mut described = |name: &str| {
            let mut fields = lines.next()?.split('\t');
            (fields.next() == Some(name)).then(|| fields.map(str::to_owned).collect::<Vec<_>>())
        };
        let unknown = || damaged("the inventory has lines that none has");
        let os = described("os").ok_or_else(unknown)?;
        let arch = described("arch").ok_or_else(unknown)?;
        let kernel = described("kernel").ok_or_else(unknown)?;
        if !lines.all(is_package) {
            return Err(unknown());
        }
        let begin = before
            .match_indices('\n')
            .nth(2)
            .map_or(before.len(), |(at, _)| at + 1);
        let packages = begin..before.len();
        let field =
            |fields: &[String], index: usize| fields.get(index).cloned().unwrap_or_default();
        let system = System {
            id: field(&os, 0),
            version: field(&os, 1),
            like: field(&os, 2),
            codename: field(&os, 3),
            pretty: field(&os, 4),
            cpe: field(&os, 5),
        };
        Ok(Inventory {
            packages,
            system,
            arch: field(&arch, 0),
            kernel: field(&kernel, 0),
            asks_for_reboot: field(&kernel, 1) == "required",
            text,
        })
    }

    /// Returns whether the distribution asks for a reboot, or a newer kernel waits for one.
    pub(crate) fn is_reboot_pending(&self, newest_kernel: Option<&str>) -> bool {
        self.asks_for_reboot || newest_kernel.is_some_and(|newest| newest != self.kernel)
    }

    /// Returns the newest kernel of the line that runs, as far as the names of packages show.
    pub(crate) fn newest_kernel(&self) -> Option<String> {
        let is_kernel = |line: &&str| {
            let name = line.get(4..).unwrap_or_default();
            name.starts_with("linux") || name.starts_with("kernel")
        };
        let lines = self.packages().filter(is_kernel);
        let packages: Vec<Package> = lines
            .filter_map(|line| Package::of_line(line, &self.arch))
            .collect();
        crate::kernel::newest(&packages, &self.kernel, &self.arch)
    }
}

/// The lines of a text, as [`str::lines`] finds them in three times the time: a fleet has millions.
struct Lines<'t>(&'t str);

impl<'t> Iterator for Lines<'t> {
    type Item = &'t str;

    fn next(&mut self) -> Option<&'t str> {
        if self.0.is_empty() {
            return None;
        }
        let end = memchr::memchr(b'\n', self.0.as_bytes());
        let (line, behind) = end.map_or((self.0, ""), |at| (&self.0[..at], &self.0[at + 1..]));
        self.0 = behind;
        Some(line.strip_suffix('\r').unwrap_or(line))
    }
}

/// Returns whether a line has a manager and a name.
fn is_package(line: &str) -> bool {
    let managers = ["deb\t", "rpm\t", "apk\t", "win\t", "hotfix\t"];
    let rest = managers.iter().find_map(|one| line.strip_prefix(one));
    rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with('\t'))
}

fn unpack(body: &str) -> Result<String, Reason> {
    let is_base64 = |byte: &u8| !byte.is_ascii_whitespace();
    let body: Vec<u8> = body.bytes().filter(is_base64).collect();
    let lost =
        || damaged("the packed inventory cannot be unpacked: it was cut off or changed on its way");
    let packed = STANDARD.decode(body).map_err(|_| lost())?;
    let mut text = String::with_capacity(packed.len() * 5);
    let unpacked = flate2::read::GzDecoder::new(packed.as_slice())
        .take(LARGEST)
        .read_to_string(&mut text);
    match unpacked {
        Ok(n_read) if (n_read as u64) < LARGEST => Ok(text),
        _ => Err(lost()),
    }
}

/// Returns the checksum of POSIX's cksum.
/// <https://pubs.opengroup.org/onlinepubs/9799919799/utilities/cksum.html>
fn checksum(bytes: &[u8]) -> u32 {
    const TABLE: [u32; 256] = table();
    let step = |crc: u32, byte: u8| (crc << 8) ^ TABLE[usize::from((crc >> 24) as u8 ^ byte)];
    let crc = bytes.iter().fold(0, |crc, byte| step(crc, *byte));
    let length = bytes.len().to_le_bytes();
    let n_bytes = length
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(0, |last| last + 1);
    !length[..n_bytes]
        .iter()
        .fold(crc, |crc, byte| step(crc, *byte))
}

const fn table() -> [u32; 256] {
    let mut table = [0; 256];
    let mut index = 0;
    while index < 256 {
        let mut crc = (index as u32) << 24;
        let mut bit = 0;
        while bit < 8 {
            crc = if crc >> 31 == 1 {
                (crc << 1) ^ 0x04c1_1db7
            } else {
                crc << 1
            };
            bit += 1;
        }
        table[index] = crc;
        index += 1;
    }
    table
}

fn failed(invocation: Invocation) -> Reason {
    if let Some(reason) = invocation.reason {
        return reason;
    }
    // The agent adds a line of its own, which says nothing new.
    let said = |line: &&str| !line.is_empty() && !line.starts_with("failed to run commands");
    let said = invocation
        .stderr
        .lines()
        .rfind(said)
        .map(|line| format!(": {line}"));
    let status = invocation.status_details.unwrap_or(invocation.status);
    let (code, fix) = match invocation.exit_code {
        Some(code) => (
            code.to_string(),
            "run it on the node by hand: it is vulnscan.d/collector.sh in the directory that `ssm-rollout --directory` prints",
        ),
        None => ("none".to_owned(), "ask again"),
    };
    let message = format!(
        "the collector ended with {status}, exit code {code}{}",
        said.unwrap_or_default()
    );
    Reason::new("vulns.inventory.failed", message, fix)
}

fn cut(message: &str) -> Reason {
    Reason::new("vulns.inventory.cut", message, RETRY)
}

fn damaged(message: &str) -> Reason {
    Reason::new(
        "vulns.inventory.damaged",
        message,
        "run the collector and nothing else, or ask again",
    )
}

#[cfg(test)]
mod tests {
    use super::{Inventory, checksum};

    /// As `printf 'a\n' | cksum` prints it, and of nothing, and of more than 255 bytes.
    #[test]
    fn the_checksum_is_that_of_cksum() {
        assert_eq!(checksum(b""), 4_294_967_295);
        assert_eq!(checksum(b"a\n"), 2_418_082_923);
        assert_eq!(checksum(&[b'x'; 300]), 3_786_917_833);
    }

    #[test]
    fn nothing_is_made_of_a_part() {
        let head = "os\tdebian\t12\narch\tamd64\nkernel\t6.1\t\n";
        let parse =
            |text: &str| Inventory::parse(text.to_owned(), false).map_err(|reason| reason.id);
        let good = parse(&format!("{head}deb\ta\t1\nend\t4\t-\n")).unwrap();
        assert_eq!(good.packages().collect::<Vec<_>>(), ["deb\ta\t1"]);
        for (text, expected) in [
            (format!("{head}deb\ta\t1\n"), "vulns.inventory.cut"),
            (format!("{head}end\t4\t-\n"), "vulns.inventory.cut"),
            (String::new(), "vulns.inventory.cut"),
            (
                format!("{head}deb\ta\t1\nend\t4\t77\n"),
                "vulns.inventory.damaged",
            ),
            (
                format!("{head}deb\t\t1\nend\t4\t-\n"),
                "vulns.inventory.damaged",
            ),
            ("os\tx\nend\t1\t-\n".to_owned(), "vulns.inventory.damaged"),
        ] {
            assert_eq!(parse(&text).unwrap_err(), expected, "{text:?}");
        }
    }
}
