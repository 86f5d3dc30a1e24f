//! Advisories in a tar, as Red Hat publishes its CSAF and VEX: `csaf_vex_2024-11-28.tar.zst`.
//! <https://redhatproductsecurity.github.io/security-data-guidelines/csaf-vex/>

use serde_json::json;

use crate::containers::{GZIP, XZ, ZSTD, packed};
use crate::{Directory, listed, matched, node, osv};

const UNREAD: &str = "vulns.advisories.unread";

/// Makes a tar by Python's library of the lines of stdin, by a program that has `tar`, `lines` and `add(name, line, **fields)`.
fn tar(format: &str, more: &str, program: &str) -> Vec<u8> {
    let lines = ["a", "b"].map(|name| osv(name, "Debian:12", name, "2", json!({})).to_string());
    let program = format!(
        "import io, sys, tarfile\n\
         lines = sys.stdin.read().split('\\n')\n\
         b = io.BytesIO()\n\
         def add(name, line='', **fields):\n\
         \x20one = tarfile.TarInfo(name)\n\
         \x20one.size, one.mtime = len(line), 1700000000\n\
         \x20for field, value in fields.items(): setattr(one, field, value)\n\
         \x20tar.addfile(one, io.BytesIO(line.encode()))\n\
         with tarfile.open(fileobj=b, mode='w', format=tarfile.{format}_FORMAT{more}) as tar:\n\
         \x20{program}\n\
         sys.stdout.buffer.write(b.getvalue())"
    );
    packed(&program, &lines.join("\n"))
}

/// Returns what is found with a tar, and why something is not read.
fn found(tar: &[u8]) -> (Vec<String>, String) {
    let directory = Directory::new();
    let input = node("debian", "12", &["deb\ta\t1", "deb\tb\t1"]);
    let output = matched(&directory.write("a", tar), &input, &[]);
    let records = output.records();
    let gaps = records.iter().filter(|one| one["kind"] == "gap");
    let reasons: Vec<&str> = gaps
        .map(|gap| gap["reason"]["message"].as_str().unwrap())
        .collect();
    output.assert_status(if reasons.is_empty() { 1 } else { 2 });
    (listed(&output), reasons.join("\n"))
}

#[test]
fn a_tar_of_any_form_is_read_whatever_it_is_packed_by() {
    for (form, more) in [
        ("USTAR", ""),
        ("GNU", ""),
        ("PAX", ""),
        // As `git archive` begins.
        ("PAX", ", pax_headers={'comment': 'c'}"),
    ] {
        let long = match form {
            "USTAR" => "'d' * 90 + '/' + 'a' * 90",
            _ => "'a' * 300",
        };
        let program = format!(
            "add('./x/', type=tarfile.DIRTYPE); add({long}, lines[0]); add('./x/b.json', lines[1]); add('./.git/x', 'x'); add('x/README.md', 'x')"
        );
        let plain = tar(form, more, &program);
        let text = String::from_utf8(plain.clone()).unwrap();
        let all = [
            ("tar", plain),
            ("tar.gz", packed(GZIP, &text)),
            ("tar.xz", packed(XZ, &text)),
            ("tar.zst", packed(ZSTD, &text)),
        ];
        for (what, bytes) in all {
            let (found, unread) = found(&bytes);
            assert_eq!(found, ["a a 2", "b b 2"], "{what} {form}{more}: {unread}");
        }
    }
}

#[test]
fn names_that_lead_elsewhere_are_names() {
    for name in ["/etc/a", "../../a", "a/../../b"] {
        let tar = tar(
            "GNU",
            "",
            &format!("add('{name}', lines[0]); add('b', lines[1])"),
        );
        assert_eq!(found(&tar).0, ["a a 2", "b b 2"], "{name}");
    }
}

#[test]
fn a_member_that_is_not_a_file_is_a_gap() {
    let link = "it is a link, which is not followed";
    for (member, reason) in [
        ("'x', type=tarfile.SYMTYPE, linkname='b'", link),
        ("'x', type=tarfile.SYMTYPE, linkname='/etc/passwd'", link),
        ("'x', type=tarfile.LNKTYPE, linkname='b'", link),
        ("'x', type=tarfile.FIFOTYPE", "it is not a file"),
        ("'x', type=tarfile.CHRTYPE", "it is not a file"),
        (
            "'x', lines[0], pax_headers={'GNU.sparse.major': '1', 'GNU.sparse.minor': '0'}",
            "it is sparse",
        ),
        ("'x', 'not an advisory'", "a:x is neither JSON nor XML"),
        ("'x'", "it is empty"),
        (
            "'x', lines[0][:99]",
            "it is not JSON, or the end is missing",
        ),
    ] {
        let program = format!("add('a', lines[0]); add({member}); add('b', lines[1])");
        let (found, unread) = found(&tar("PAX", "", &program));
        assert_eq!(found, ["a a 2", "b b 2", UNREAD], "{member}");
        assert!(
            unread.contains("1 file in it is not read")
                && unread.contains(&format!("a:x ({reason}")),
            "{member}: {unread}"
        );
    }
    // GNU's own sparse files, of a kind of their own.
    let mut sparse = tar("GNU", "", "add('x', lines[0]); add('b', lines[1])");
    sparse[156] = b'S';
    // One part, from the beginning: where it is, how long it is, and the length of the whole.
    let n_bytes: [u8; 12] = sparse[124..136].try_into().unwrap();
    sparse[386..398].copy_from_slice(b"00000000000\0");
    sparse[398..410].copy_from_slice(&n_bytes);
    sparse[483..495].copy_from_slice(&n_bytes);
    let sum: u32 = sparse[..512].iter().map(|byte| u32::from(*byte)).sum();
    let of_itself: u32 = sparse[148..156].iter().map(|byte| u32::from(*byte)).sum();
    sparse[148..156].copy_from_slice(format!("{:06o}\0 ", sum - of_itself + 8 * 32).as_bytes());
    let (found, unread) = found(&sparse);
    assert_eq!(found, ["b b 2", UNREAD]);
    assert!(unread.contains("it is sparse"), "{unread}");
}

/// Cut between two members, within one, within its header and before the end, and what is behind that.
#[test]
fn a_tar_that_is_cut_damaged_or_goes_on_is_a_gap() {
    let whole = tar("GNU", "", "add('a', lines[0]); add('b', lines[1])");
    let second = 512
        + 512
            * (whole[512..]
                .windows(2)
                .position(|two| two == [0, 0])
                .unwrap()
                / 512
                + 1);
    // Its last member is filled up to a length of tape by itself, so that it ends as an archive does.
    let of_zeros = tar(
        "GNU",
        "",
        "add('a', lines[0]); add('b', lines[1]); add('README.md', '\\0' * 2048); tar.fileobj.write(b'\\0' * 1024); tar.closed = True",
    );
    let (first_only, both) = (&["a a 2", UNREAD][..], &["a a 2", "b b 2", UNREAD][..]);
    for (what, bytes, expected) in [
        ("between", whole[..second].to_vec(), first_only),
        ("in the header", whole[..second + 300].to_vec(), first_only),
        ("in the member", whole[..second + 600].to_vec(), first_only),
        ("before the end", whole[..2 * second].to_vec(), both),
        ("in the end", whole[..2 * second + 300].to_vec(), both),
        (
            "behind zeros of a member",
            of_zeros[..of_zeros.len() - 1024].to_vec(),
            both,
        ),
        ("two of them", whole.repeat(2), both),
        ("text behind", [&whole[..], b"{}"].concat(), both),
        (
            "a damaged header",
            [&whole[..second + 1], b"x", &whole[second + 2..]].concat(),
            first_only,
        ),
    ] {
        let (found, unread) = found(&bytes);
        assert_eq!(found, expected, "{what}: {unread}");
    }
    // The end is one block of zeros, and blocks that fill up the tape.
    for n_bytes in [512, 1024, 4096] {
        let bytes = [&whole[..2 * second], &vec![0; n_bytes][..]].concat();
        assert_eq!(found(&bytes).0, ["a a 2", "b b 2"], "{n_bytes}");
    }
}

/// What describes a member is held as a whole: 3 GiB of a name are 3 MiB of a tar that is packed.
#[test]
fn a_member_whose_description_is_too_long_is_a_gap() {
    for (form, program) in [
        ("GNU", "add('x' * (1 << 20), lines[1])"),
        (
            "PAX",
            "add('x', lines[1], pax_headers={'comment': 'x' * (1 << 20)})",
        ),
    ] {
        let program = format!("add('a', lines[0]); {program}; add('b', lines[1])");
        let (found, unread) = found(&tar(form, "", &program));
        assert_eq!(found, ["a a 2", UNREAD], "{form}");
        let reason = "the names of a member take more than 1048576 bytes";
        assert!(unread.contains(reason), "{form}: {unread}");
    }
    // What describes several members, or is content, is not added up.
    for form in ["GNU", "PAX"] {
        let program = "[add(n * (1 << 19), n * (1 << 21)) for n in 'xy']; add('a', lines[0]); add('b', lines[1])";
        let (found, unread) = found(&tar(form, "", program));
        assert_eq!(found, ["a a 2", "b b 2", UNREAD], "{form}");
        assert!(unread.contains("2 files in it are not read"), "{form}");
    }
}

/// Only the first ones are named, and all of them are counted.
#[test]
fn members_that_are_not_read_are_counted() {
    let (found, unread) = found(&tar(
        "GNU",
        "",
        "[add('x%d' % n, 'x') for n in range(9)]; add('a', lines[0])",
    ));
    assert_eq!(found, ["a a 2", UNREAD]);
    assert!(
        unread.contains("9 files in it are not read: ") && unread.ends_with(", 4 more"),
        "{unread}"
    );
    assert!(
        unread.contains("a:x4 (") && !unread.contains("a:x5 ("),
        "{unread}"
    );
}
