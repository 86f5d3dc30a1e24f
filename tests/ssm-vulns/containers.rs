//! Advisories in whatever they are kept in, recognized by content, never by name.

use std::io::Write;
use std::process::{Command, Stdio};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::json;
use testbed::repository;

use crate::{Directory, listed, matched, node, osv};

/// Packs by Python's own libraries, which know nothing of ours.
pub(super) fn packed(program: &str, content: &str) -> Vec<u8> {
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

pub(super) const GZIP: &str =
    "import sys, gzip; sys.stdout.buffer.write(gzip.compress(sys.stdin.buffer.read()))";
pub(super) const XZ: &str =
    "import sys, lzma; sys.stdout.buffer.write(lzma.compress(sys.stdin.buffer.read()))";
const ZIP: &str = "import io, sys, zipfile\nb = io.BytesIO()\nwith zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:\n z.writestr('deep/a.json', sys.stdin.read())\n z.writestr('deep/', '')\nsys.stdout.buffer.write(b.getvalue())";
/// A frame of zstd with one raw block, as RFC 8878 has it: Python has no zstd of its own everywhere.
pub(super) const ZSTD: &str = "import sys, struct; d = sys.stdin.buffer.read(); sys.stdout.buffer.write(b'\\x28\\xb5\\x2f\\xfd\\xa0' + struct.pack('<I', len(d)) + struct.pack('<I', len(d) << 3 | 1)[:3] + d)";

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

/// `cat a.zst b.zst` is a file of its own, and so is it of gzip and xz.
#[test]
fn what_is_packed_in_several_parts_is_read_whole() {
    let directory = Directory::new();
    let input = node("debian", "12", &["deb\ta\t1", "deb\tb\t1"]);
    let of = |name: &str| osv(name, "Debian:12", name, "2", json!({})).to_string();
    for (what, program) in [("gzip", GZIP), ("xz", XZ), ("zstd", ZSTD)] {
        let parts = [packed(program, &of("a")), packed(program, &of("b"))];
        let path = directory.write(what, parts.concat());
        let output = matched(&path, &input, &[]);
        assert_eq!(
            listed(output.assert_status(1)),
            ["a a 2", "b b 2"],
            "{what}"
        );
        // What follows and is none is not read, and not passed over.
        let path = directory.write(what, [&parts.concat()[..], b"more"].concat());
        let output = matched(&path, &input, &[]);
        output.assert_status(2);
        let found = listed(&output);
        assert!(
            found.contains(&"vulns.advisories.unread".to_owned()),
            "{what}: {found:?}"
        );
    }
    let skipped = b"\x50\x2a\x4d\x18\x03\0\0\0xyz";
    let path = directory.write("skipped", [&skipped[..], &packed(ZSTD, &of("a"))].concat());
    assert_eq!(
        listed(matched(&path, &input, &[]).assert_status(1)),
        ["a a 2"]
    );
}

#[test]
fn a_part_of_an_archive_that_cannot_be_read_says_nothing_of_the_others() {
    let directory = Directory::new();
    let input = node("debian", "12", &["deb\ta\t1"]);
    let advisory = osv("DSA-1", "Debian:12", "a", "2", json!({})).to_string();
    let zip = |names: &str| {
        let program = format!(
            "import io, sys, zipfile\nb = io.BytesIO()\nwith zipfile.ZipFile(b, 'w') as z:\n for name, text in {names}:\n  z.writestr(name, text)\n z.writestr('z.json', sys.stdin.read())\nsys.stdout.buffer.write(b.getvalue().replace(b'good sum', b'evil sum'))"
        );
        let path = directory.write("a.zip", packed(&program, &advisory));
        listed(&matched(&path, &input, &[]))
    };
    let unread = "vulns.advisories.unread";
    // As in a directory, what lies beside advisories is left out.
    let beside = "[('README.md', 'x'), ('a/.git/x', 'x'), ('LICENSE', 'x'), ('db/NOTICE.txt', 'x'), ('__MACOSX/._a.json', 'x')]";
    assert_eq!(zip(beside), ["DSA-1 a 2"]);
    assert_eq!(zip("[('a.json', '{')]"), ["DSA-1 a 2", unread], "half JSON");
    assert_eq!(
        zip("[('a.json', '\"good sum\"')]"),
        ["DSA-1 a 2", unread],
        "another checksum"
    );
    assert_eq!(
        zip("[('a.json', ''), ('b.json', 'x')]"),
        ["DSA-1 a 2", unread]
    );
}

/// Each way of packing, small entries and large ones, out of a file and out of another archive.
#[test]
fn entries_of_a_zip_are_read_whatever_they_are_packed_by() {
    let directory = Directory::new();
    let input = node("debian", "12", &["deb\ta\t1", "deb\tb\t1", "deb\tc\t1"]);
    let of = |name: &str, more: usize| {
        let details = json!({"details": "d".repeat(more)});
        osv(name, "Debian:12", name, "2", details).to_string()
    };
    let names = "['a', 'b', 'c']";
    let all = [of("a", 1), of("b", 2 << 20), of("c", 1)].join("\n");
    for (what, pack) in [
        ("deflated", "zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED)"),
        ("stored", "zipfile.ZipFile(b, 'w', zipfile.ZIP_STORED)"),
    ] {
        let program = format!(
            "import io, sys, zipfile\nb = io.BytesIO()\nwith {pack} as z:\n for name, text in zip({names}, sys.stdin.read().split('\\n')):\n  z.writestr(name + '.json', text)\nsys.stdout.buffer.write(b.getvalue())"
        );
        let zip = packed(&program, &all);
        let path = directory.write("a.zip", &zip);
        let expected = ["a a 2", "b b 2", "c c 2"];
        assert_eq!(
            listed(matched(&path, &input, &[]).assert_status(1)),
            expected,
            "{what}"
        );
        let again = "import io, sys, zipfile, base64\nb = io.BytesIO()\nwith zipfile.ZipFile(b, 'w') as z:\n z.writestr('x', base64.b64decode(sys.stdin.read()))\nsys.stdout.buffer.write(b.getvalue())";
        let text = STANDARD.encode(&zip);
        let path = directory.write("b.zip", packed(again, &text));
        assert_eq!(
            listed(matched(&path, &input, &[]).assert_status(1)),
            expected,
            "{what}, in another"
        );
    }
}

/// What an archive says of an entry, and what is in it.
#[test]
fn an_entry_of_a_zip_that_is_damaged_is_a_gap() {
    let directory = Directory::new();
    let input = node("debian", "12", &["deb\ta\t1", "deb\tb\t1"]);
    let of = |name: &str| osv(name, "Debian:12", name, "2", json!({})).to_string();
    let zip = packed(
        "import io, sys, zipfile\nb = io.BytesIO()\nwith zipfile.ZipFile(b, 'w', zipfile.ZIP_DEFLATED) as z:\n for name, text in zip('ab', sys.stdin.read().split('\\n')):\n  z.writestr(name + '.json', text)\nsys.stdout.buffer.write(b.getvalue())",
        &[of("a"), of("b")].join("\n"),
    );
    let directory_at = zip
        .windows(4)
        .position(|four| four == b"PK\x01\x02")
        .unwrap();
    // Of the first entry: a byte of its content, its checksum, its two lengths, its flag that it is encrypted, its method.
    for (what, at, bits) in [
        ("content", 45, 0xff),
        ("checksum", directory_at + 16, 1),
        ("packed length", directory_at + 20, 1),
        ("length", directory_at + 24, 1),
        ("encryption", directory_at + 8, 1),
        ("method", directory_at + 10, 1),
        ("place", directory_at + 42, 1),
    ] {
        let mut changed = zip.clone();
        changed[at] ^= bits;
        let output = matched(&directory.write("a.zip", changed), &input, &[]);
        output.assert_status(2);
        assert_eq!(
            listed(&output),
            ["b b 2", "vulns.advisories.unread"],
            "{what}"
        );
    }
    let output = matched(
        &directory.write("a.zip", &zip[..zip.len() - 30]),
        &input,
        &[],
    );
    output.assert_status(2);
    assert!(listed(&output).contains(&"vulns.advisories.unread".to_owned()));
    // What is not in the list of entries: one of each name and one archive of a file are read.
    let of_one_name = packed(
        "import io, sys, warnings, zipfile\nwarnings.simplefilter('ignore')\nb = io.BytesIO()\nwith zipfile.ZipFile(b, 'w') as z:\n for text in sys.stdin.read().split('\\n'):\n  z.writestr('x.json', text)\nsys.stdout.buffer.write(b.getvalue())",
        &[of("a"), of("b")].join("\n"),
    );
    let end = zip.len() - 22;
    let mut counts_one = zip.clone();
    (counts_one[end + 8], counts_one[end + 10]) = (1, 1);
    let of_c = packed(ZIP, &of("c"));
    for (bytes, expected, reason) in [
        (
            of_one_name,
            &["b b 2"][..],
            "several entries of it have one name, of which one is read",
        ),
        (
            counts_one,
            &["a a 2"],
            "it has more entries than its end says",
        ),
        (
            [&of_c[..], &zip].concat(),
            &["a a 2", "b b 2"],
            "what is before it in its file is not read",
        ),
        (
            [&zip[..], b"{}"].concat(),
            &["a a 2", "b b 2"],
            "what is behind its end is not read",
        ),
    ] {
        let again = "import io, sys, zipfile, base64\nb = io.BytesIO()\nwith zipfile.ZipFile(b, 'w') as z:\n z.writestr('x', base64.b64decode(sys.stdin.read()))\nsys.stdout.buffer.write(b.getvalue())";
        let within = packed(again, &STANDARD.encode(&bytes));
        for bytes in [bytes, within] {
            let output = matched(&directory.write("a.zip", bytes), &input, &[]);
            output.assert_status(2);
            let expected = [expected, &["vulns.advisories.unread"]].concat();
            assert_eq!(listed(&output), expected, "{reason}");
            assert!(
                output.stdout.contains(reason),
                "{reason}: {}",
                output.stdout
            );
        }
    }
    // A comment is a part of it.
    let mut with_comment = [&zip[..], b"of the day"].concat();
    with_comment[end + 20] = 10;
    let output = matched(&directory.write("a.zip", with_comment), &input, &[]);
    assert_eq!(listed(output.assert_status(1)), ["a a 2", "b b 2"]);
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
