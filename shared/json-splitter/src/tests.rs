//! The objects of streams, whole and damaged.

use crate::scan::Scan;
use crate::source::Buffer;
use crate::{Found, Part, Verdict, objects, parts};

/// Returns the objects, and everything that is wrong, in the order in which it is found. What holds `nul}` cannot be read.
fn found(text: &[u8]) -> (Vec<String>, String) {
    let (mut all, mut wrong) = (Vec::new(), Vec::new());
    let result = objects(&mut &text[..], |found| {
        match found {
            Found::Object(object) | Found::Json(object) => {
                let text = String::from_utf8_lossy(object).into_owned();
                if serde_json::from_str::<serde_json::Value>(&text).is_err() {
                    wrong.push("unreadable".to_owned());
                    return Ok(Verdict::Damaged);
                }
                all.push(text);
            }
            Found::Damaged(spoilt) => wrong.push(spoilt.to_string()),
        }
        Ok(Verdict::Whole)
    });
    wrong.extend(result.err().map(|error| error.to_string()));
    (all, wrong.join("; "))
}

fn check(text: &str, expected: &[&str], damage: &str) {
    // Wherever the parts of 64 bytes begin, the same must come out.
    for shift in 0..70 {
        let (all, error) = found(format!("{}{text}", " ".repeat(shift)).as_bytes());
        assert_eq!(
            (all.as_slice(), error.as_str()),
            (expected.map_to_strings().as_slice(), damage)
        );
    }
}

trait MapToStrings {
    fn map_to_strings(&self) -> Vec<String>;
}

impl MapToStrings for [&str] {
    fn map_to_strings(&self) -> Vec<String> {
        self.iter().map(|text| (*text).to_owned()).collect()
    }
}

#[test]
fn finds_the_objects_of_every_wrapping() {
    check("{\"a\":1}\n{\"b\":{}}", &["{\"a\":1}", "{\"b\":{}}"], "");
    check(
        "[{\"a\":[1]}, {}]\n{\"c\":2}",
        &["{\"a\":[1]}", "{}", "{\"c\":2}"],
        "",
    );
    check(
        "{ \"Records\" : [ {\"a\":1},\n{\"b\":[{}]} ], \"x\": [{}] } {}",
        &["{\"a\":1}", "{\"b\":[{}]}", "{}"],
        "",
    );
    check("{\"Records\":[]}", &[], "");
    check("{\"other\":[{}]}", &["{\"other\":[{}]}"], "");
    check("", &[], "");
}

#[test]
fn brackets_and_quotes_in_strings_are_text() {
    let text = r#"{"a":"}]\"{","b\\":"\\\\","c":"\\\""}"#;
    check(&format!("{text}{text}"), &[text, text], "");
    let long = format!("{{\"a\":\"{}\"}}", "\\\\".repeat(100));
    check(&long, &[&long], "");
}

#[test]
fn damage_is_named_with_its_line_and_ends_nothing() {
    check(
        "{}\n{\"a\":1",
        &["{}"],
        "line 2: the end is missing of what begins here",
    );
    check(
        "{\"Records\":[{},\n{\"a\":\"",
        &["{}"],
        "line 2: the end is missing of what begins here",
    );
    check(
        "{}\n\nhello {}",
        &["{}", "{}"],
        "line 3: expected a JSON object",
    );
    check("{}\n7", &["{}"], "line 2: expected a JSON object");
    check(
        "{\"Records\":[{}, 7, {}]}",
        &["{}", "{}"],
        "line 1: expected a JSON object",
    );
    check("{}}", &["{}"], "line 1: expected a JSON object");
}

/// A quote too many turns texts inside out, until another one turns them back.
#[test]
fn what_lies_between_objects_hides_none() {
    let good = "{\"a\":\"b\"}";
    let text = format!("[{good},{{\"a\":1,}}x\":\"y\"}},{good},{good},{{\"a:\"b\"}},{good}]");
    let (all, wrong) = found(text.as_bytes());
    let n_good = all.iter().filter(|one| *one == good).count();
    assert_eq!(n_good, 4, "{wrong}");
    let end = format!("[{good},{{\"a\":1,}}x\":\"y\"}},{good},{good},\"]");
    let (all, _) = found(end.as_bytes());
    assert_eq!(all.iter().filter(|one| *one == good).count(), 3);
}

#[test]
fn an_object_may_be_larger_than_what_is_read_at_once() {
    let large = format!("{{\"a\":\"{}\"}}", "x".repeat(3 << 20));
    let (all, error) = found(format!("{large}\n{large}\n").as_bytes());
    assert_eq!((all.len(), error.as_str()), (2, ""));
    assert!(all.iter().all(|object| *object == large));
}

/// A stream of records with one change in one of them, as one line or as lines: every other record comes out.
#[test]
fn three_thousand_mutants_hide_no_good_record() {
    let record = |id: &str| {
        format!(
            "{{\"eventVersion\":\"1.11\",\"userIdentity\":{{\"type\":\"IAMUser\",\"tags\":[{{\"key\":\"a\"}},{{\"key\":\"b\"}}]}},\"eventName\":\"StartSession\",\
             \"requestParameters\":{{\"target\":\"i-0\",\"note\":\"a \\\"quoted\\\" \\\\ {{[\",\"sizes\":[1,-2.5e3,true,null]}},\"eventID\":\"e-{id}\"}}"
        )
    };
    let mut numbers = testbed::Random::new(17);
    let mut random = |below: usize| numbers.below(below);
    let mut n_damaged = 0;
    for round in 0..3_000 {
        let mut odd = record("odd").into_bytes();
        let at = random(odd.len());
        match random(6) {
            0 => odd.truncate(at),
            1 => {
                odd.remove(at);
            }
            2 => odd.insert(at, b"\0\"\\{}[]:,x0\xff\x1f\n"[random(14)]),
            3 => odd[at] ^= 1 << random(8),
            4 => odd
                .drain(at..(at + 20).min(record("odd").len()))
                .for_each(drop),
            _ => odd[at] = b"\0\"\\{}[]:,x0\xff\x1f\n"[random(14)],
        }
        let good: Vec<String> = ["a", "b", "c", "d"].map(record).into();
        let joined = |separator: &str| {
            let mut text = good[0].clone().into_bytes();
            for part in [
                &odd[..],
                good[1].as_bytes(),
                good[2].as_bytes(),
                good[3].as_bytes(),
            ] {
                text.extend(separator.as_bytes());
                text.extend(part);
            }
            text
        };
        let text = match round % 3 {
            0 => [b"{\"Records\":[", &joined(",")[..], b"]}"].concat(),
            1 => joined("\n"),
            _ => [
                b"{\n  \"Records\": [\n    ",
                &joined(",\n    ")[..],
                b"\n  ]\n}\n",
            ]
            .concat(),
        };
        let (all, wrong) = found(&text);
        for one in &good {
            let n = all.iter().filter(|found| *found == one).count();
            let text = String::from_utf8_lossy(&text);
            assert_eq!(n, 1, "round {round}: {wrong}\n{text}");
        }
        n_damaged += usize::from(!wrong.is_empty());
    }
    assert!(n_damaged > 1_000, "{n_damaged}");
}

#[test]
fn a_slow_stream_is_handed_on_object_by_object() {
    struct Slow(Vec<&'static [u8]>, std::rc::Rc<std::cell::Cell<usize>>);
    impl std::io::Read for Slow {
        fn read(&mut self, into: &mut [u8]) -> std::io::Result<usize> {
            if self.0.is_empty() {
                return Ok(0);
            }
            let next = self.0.remove(0);
            into[..next.len()].copy_from_slice(next);
            self.1.set(self.1.get() + 1);
            Ok(next.len())
        }
    }
    let n_read = std::rc::Rc::new(std::cell::Cell::new(0));
    let mut slow = Slow(
        vec![b"{\"a\":\"\\", b"\"\"}\n", b"{\"b\":", b"2}\n"],
        n_read.clone(),
    );
    let mut seen = Vec::new();
    objects(&mut slow, |found| {
        assert!(
            matches!(found, Found::Object(_) | Found::Json(_)),
            "{found:?}"
        );
        seen.push(n_read.get());
        Ok(Verdict::Whole)
    })
    .unwrap();
    assert_eq!(
        seen,
        [2, 4],
        "an object is handed on as soon as it is there"
    );
}

#[test]
fn damage_does_not_cost_memory() {
    // A quote that is missing, and megabytes behind it on the same line.
    let good = format!("{{\"eventVersion\":\"1\",\"x\":\"{}\"}}", "y".repeat(1000));
    let text = format!(
        "[{{\"eventVersion\":\"1}},{}]",
        vec![good.as_str(); 5_000].join(",")
    );
    let (all, wrong) = found(text.as_bytes());
    assert_eq!(all.len(), 5_000, "{wrong}");
}

#[test]
fn a_nest_without_an_end_does_not_cost_memory_and_what_follows_is_found() {
    let nest = "{\"a\":".repeat(4 << 20);
    let text = format!("{{\"a\":0}}\n{nest}\n{{\"a\":1}}\n{{\"a\":2}}\n");
    let mut source = text.as_bytes();
    let (mut scan, mut input) = (Scan::default(), Buffer::default());
    let (mut all, mut n_damaged, mut most) = (Vec::new(), 0, 0);
    let mut each = |part: Part<'_>| {
        match part {
            Part::Alone(Found::Object(object) | Found::Json(object)) => {
                all.push(String::from_utf8_lossy(object).into_owned())
            }
            Part::Alone(Found::Damaged(_)) => n_damaged += 1,
            Part::Item(_) | Part::Around(_) => panic!("there is no list"),
        }
        Ok(Verdict::Whole)
    };
    loop {
        let n_read = input.fill(&mut source).unwrap();
        most = most.max(input.filled().len());
        scan.blocks(input.filled(), &mut each).unwrap();
        if n_read == 0 {
            scan.last(input.filled(), &mut each).unwrap();
            break;
        }
        scan.look_ahead(input.filled(), &mut each).unwrap();
        scan.forget(&mut input);
    }
    assert!(n_damaged > 0);
    assert!(most < 12 << 20, "{most} of {} bytes were kept", text.len());
    assert_eq!(all.first().map(String::as_str), Some("{\"a\":0}"));
    assert_eq!(all.last().map(String::as_str), Some("{\"a\":2}"));
}

/// What stands around lists comes after their items, however long it takes until it ends.
#[test]
fn what_stands_around_lists_is_handed_over() {
    let long = "x".repeat(300_000);
    for (text, expected) in [
        (
            r#"{"Events":[{"a":1},{}],"NextToken":"t"}{"b":2}"#.to_owned(),
            vec![
                r#"item {"a":1}"#,
                "item {}",
                r#"around {"Events":[],"NextToken":"t"}"#,
                r#"alone {"b":2}"#,
            ],
        ),
        (
            r#"[{"a":1}] {"x":[1], "Records" : [ ]}"#.to_owned(),
            vec![r#"alone {"a":1}"#, r#"around {"x":[1], "Records" : []}"#],
        ),
        (
            r#"{"Events":[{"a":1}],"y":{"z":[{}]},"Records":[{"b":2}],"t":1}"#.to_owned(),
            vec![
                r#"item {"a":1}"#,
                r#"item {"b":2}"#,
                r#"around {"Events":[],"y":{"z":[{}]},"Records":[],"t":1}"#,
            ],
        ),
    ] {
        for shift in 0..70 {
            let text = format!("{}{text}", " ".repeat(shift));
            let mut all = Vec::new();
            parts(&mut text.as_bytes(), |part| {
                let shown = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                all.push(match part {
                    Part::Alone(Found::Object(text) | Found::Json(text)) => {
                        format!("alone {}", shown(text))
                    }
                    Part::Item(Found::Object(text) | Found::Json(text)) => {
                        format!("item {}", shown(text))
                    }
                    Part::Around(text) => format!("around {}", shown(text)),
                    Part::Alone(damaged) | Part::Item(damaged) => format!("{damaged:?}"),
                });
                Ok(Verdict::Whole)
            })
            .unwrap();
            assert_eq!(all, expected, "{text}");
        }
    }
    // Of what is long its beginning is kept.
    let text = format!(r#"{{"Events":[{{}}],"y":"{long}","NextToken":"t"}}"#);
    let mut kept = 0;
    parts(&mut text.as_bytes(), |part| {
        if let Part::Around(text) = part {
            kept = text.len();
        }
        Ok(Verdict::Whole)
    })
    .unwrap();
    assert_eq!(kept, crate::LONGEST_AROUND + 1);
}

/// What is nested deeper than anybody reads is not waited for, and what follows is found.
#[test]
fn lists_in_lists_do_not_cost_memory() {
    for end in ["", "]"] {
        let n_levels = 4 << 20;
        let nest = format!("{}{}", "[".repeat(n_levels), end.repeat(n_levels));
        let text = format!("{{\"a\":0}}\n{nest}\n{{\"a\":1}}\n");
        let mut source = text.as_bytes();
        let (mut scan, mut input) = (Scan::default(), Buffer::default());
        let (mut all, mut most) = (Vec::new(), 0);
        let mut each = |part: Part<'_>| {
            if let Part::Alone(Found::Object(object) | Found::Json(object)) = part {
                all.push(String::from_utf8_lossy(object).into_owned());
            }
            Ok(Verdict::Whole)
        };
        while input.fill(&mut source).unwrap() > 0 {
            most = most.max(input.filled().len());
            scan.blocks(input.filled(), &mut each).unwrap();
            scan.look_ahead(input.filled(), &mut each).unwrap();
            scan.forget(&mut input);
        }
        assert!(most <= 1 << 20, "{most} of {} bytes were kept", text.len());
        assert_eq!(all, ["{\"a\":0}", "{\"a\":1}"]);
    }
}
