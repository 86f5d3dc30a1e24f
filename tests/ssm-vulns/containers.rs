//! Advisories in whatever they are kept in, recognized by content, never by name.

use std::io::Write;
use std::process::{Command, Stdio};

use serde_json::json;
use testbed::repository;

use crate::{Directory, listed, matched, node, osv};

/// Packs by Python's own libraries, which know nothing of ours.
fn packed(program: &str, content: &str) -> Vec<u8> {
    let python = repository().join(".venv/bin/python");
    let mut child = Command::new(python)
        .args(["-c", program])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child
        .stdin
        .take()
        .unwrap()
        .write_all(content.as_bytes())
        .unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{program}");
    output.stdout
}

const GZIP: &str =
    "import sys, gzip; sys.stdout.buffer.write(gzip.compress(sys.stdin.buffer.read()))";
const XZ: &str =
    "import sys, lzma; sys.stdout.buffer.write(lzma.compress(sys.stdin.buffer.read()))";
const ZIP: &str = "import io, sys, zipfile\nb = io.BytesIO()\nwith zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:\n z.writestr('deep/a.json', sys.stdin.read())\n z.writestr('deep/', '')\nsys.stdout.buffer.write(b.getvalue())";
/// A frame of zstd with one raw block, as RFC 8878 has it: Python has no zstd of its own everywhere.
const ZSTD: &str = "import sys, struct; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(b'\\x28\\xb5\\x2f\\xfd\\xa0' + struct.pack('<I', len(d)) + struct.pack('<I', len(d) << 3 | 1)[:3] + d)";

#[test]
fn every_container_is_read_whatever_its_name() {
    let advisory = osv("DSA-1", "Debian:12", "a", "2", json!({})).to_string();
    let input = node("debian", "12", &["deb\ta\t1"]);
    let directory = Directory::new();
    for (what, program) in [("gzip", GZIP), ("xz", XZ), ("zip", ZIP), ("zstd", ZSTD)] {
        let path = directory.write(
            &format!("{what}/without an extension"),
            packed(program, &advisory),
        );
        for path in [path.as_path(), path.parent().unwrap()] {
            let output = matched(path, &input, &[]);
            output.assert_status(1);
            assert_eq!(listed(&output), ["DSA-1 a 2"], "{what}");
        }
    }
    // Lines, arrays, several values, and a byte-order mark.
    let lines = format!("\u{feff}{advisory}\n\n{advisory}");
    let array = format!("[{advisory}, {advisory}]");
    for (what, content) in [
        ("lines", lines),
        ("an array", array),
        ("values", format!("{advisory}{advisory}")),
    ] {
        let path = directory.write("x", content);
        assert_eq!(
            listed(matched(&path, &input, &[]).assert_status(1)),
            ["DSA-1 a 2"],
            "{what}"
        );
    }
}

/// Values that are longer than what is read at once, and many that are shorter.
#[test]
fn a_database_of_any_size_is_read_whole() {
    let directory = Directory::new();
    let long = osv(
        "DSA-1",
        "Debian:12",
        "a",
        "2",
        json!({"details": "d".repeat(3 << 20)}),
    )
    .to_string();
    let short: Vec<String> = (0..4000)
        .map(|n| {
            osv(
                &format!("CVE-2024-{n:04}"),
                "Debian:12",
                "b",
                "2",
                json!({"details": "d".repeat(500)}),
            )
            .to_string()
        })
        .collect();
    let input = node("debian", "12", &["deb\ta\t1", "deb\tb\t1"]);
    for (what, content) in [
        (
            "lines",
            format!("{}\n{long}\n{}", short.join("\n"), short.join("\n")),
        ),
        ("an array", format!("[{},{long}]", short.join(","))),
    ] {
        let output = matched(&directory.write("x", content), &input, &[]);
        assert_eq!(output.assert_status(1).records().len(), 4001, "{what}");
    }
}
