//! The page of `report --html` as a browser shows it: headless Chromium, named by `CHROMIUM` or installed. Where there is none it is
//! installed as for the scripts, and if that cannot be the tests fail, unless `WITHOUT_CHROMIUM` says that nobody looks at the page here.

#[path = "page_sessions.rs"]
mod sessions;

use std::path::PathBuf;
use std::process::Command;

use serde_json::json;
use testbed::{Home, offline, repository};

use crate::EXE;

/// Names under which Chromium is installed.
const NAMES: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

fn browser() -> Option<PathBuf> {
    if std::env::var_os("WITHOUT_CHROMIUM").is_some() {
        eprintln!("WITHOUT_CHROMIUM: nobody looks at the page");
        return None;
    }
    if let Some(named) = std::env::var_os("CHROMIUM") {
        return Some(named.into());
    }
    let installed = || {
        let install = repository().join("tests/ansible/packages.sh");
        let _ = Command::new(install).arg("chromium").status();
        found()
    };
    let browser = found().or_else(installed);
    Some(browser.expect("no Chromium: install it, name it by CHROMIUM, or set WITHOUT_CHROMIUM to leave the page unseen"))
}

fn found() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    let mut places = folders
        .iter()
        .flat_map(|folder| NAMES.map(|name| folder.join(name)));
    places.find(|place| place.is_file())
}

/// Returns records of so many sessions of seven people, the last of whom was denied one as well.
fn sessions(n: usize) -> String {
    let people = ["ann", "bob", "carol", "dave", "eve", "frank", "mallory"];
    let record = |n: usize, name: &str, minute: usize| {
        let (who, session) = (people[n % 7], format!("s-{n:05}"));
        let minutes = n * 13 + minute;
        let time = format!(
            "2026-11-{:02}T{:02}:{:02}:00Z",
            1 + minutes / 1440,
            minutes / 60 % 24,
            minutes % 60
        );
        json!({"eventName": name, "eventSource": "ssm.amazonaws.com", "eventTime": time, "awsRegion": "eu-central-1",
            "recipientAccountId": "111122223333", "eventID": format!("e-{n}-{name}"),
            "userIdentity": {"type": "AssumedRole", "arn": format!("arn:aws:sts::111122223333:assumed-role/Ops/{who}@example.com"),
                "sessionContext": {"sessionIssuer": {"arn": "arn:aws:iam::111122223333:role/Ops"}}},
            "requestParameters": {"target": format!("i-{:017x}", n % 40), "sessionId": session}, "responseElements": {"sessionId": session}})
    };
    let mut lines: Vec<String> = (0..n)
        .flat_map(|n| {
            [
                record(n, "StartSession", 0),
                record(n, "TerminateSession", 9),
            ]
        })
        .map(|record| record.to_string())
        .collect();
    if n > 1 {
        let mut denied = record(6, "StartSession", 0);
        denied["errorCode"] = "AccessDenied".into();
        denied["eventID"] = "e-denied".into();
        lines.push(denied.to_string());
    }
    lines.join("\n")
}

struct Page {
    browser: PathBuf,
    home: Home,
}

impl Page {
    /// Writes the page of some records; `None` where nobody is to look at it.
    fn of(records: &str, status: i32) -> Option<Page> {
        Page::with(records, "", status)
    }

    /// As [`Page::of`], with what `sessions` has printed, if that is something.
    fn with(records: &str, sessions: &str, status: i32) -> Option<Page> {
        let browser = browser()?;
        let home = Home::create();
        let known = home.path().join("sessions.jsonl");
        std::fs::write(&known, sessions).unwrap();
        let mut report = offline(EXE).args(["report", "--html"]);
        if !sessions.is_empty() {
            report = report.args(["--sessions"]).args([&known]);
        }
        let made = report.stdin(records).run();
        made.assert_status(status);
        std::fs::write(home.path().join("page.html"), made.stdout).unwrap();
        Some(Page { browser, home })
    }

    /// Has the page do something once it is there.
    fn then(self, script: &str) -> Page {
        let file = self.home.path().join("page.html");
        let page = std::fs::read_to_string(&file).unwrap();
        std::fs::write(&file, format!("{page}<script>{script}</script>")).unwrap();
        self
    }

    fn run(&self, flags: &[&str], address: &str) -> (String, String) {
        let url = format!("file://{}/page.html{address}", self.home.path().display());
        let ran = Command::new(&self.browser)
            .args([
                "--headless",
                "--no-sandbox",
                "--disable-gpu",
                "--enable-logging=stderr",
                "--virtual-time-budget=5000",
            ])
            .args(flags)
            .arg(url)
            .env("HOME", self.home.path())
            .output()
            .unwrap();
        let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
        (text(ran.stdout), text(ran.stderr))
    }

    /// Returns what the browser has made of the page, without an error of its script.
    fn shown(&self, address: &str) -> String {
        let (page, log) = self.run(&["--dump-dom"], address);
        assert!(!log.contains("CONSOLE"), "{log}");
        page
    }

    fn n_printed_pages(&self, address: &str) -> usize {
        let file = self.home.path().join("page.pdf");
        self.run(&[&format!("--print-to-pdf={}", file.display())], address);
        let bytes = std::fs::read(&file).unwrap();
        let text = String::from_utf8_lossy(&bytes).into_owned();
        let counts = text.split("/Count ").skip(1);
        let number = |rest: &str| {
            rest.split(|c: char| !c.is_ascii_digit())
                .next()?
                .parse()
                .ok()
        };
        counts.filter_map(number).max().unwrap()
    }
}

/// Returns the part of the page with this ID, and how many rows it has.
fn part<'p>(page: &'p str, id: &str) -> (&'p str, usize) {
    let (_, rest) = page.split_once(&format!("id=\"{id}\"")).unwrap();
    let end = rest.find("</section>").unwrap();
    (
        &rest[..end],
        rest[..end].matches("<tr").count().saturating_sub(1),
    )
}

#[test]
fn a_page_without_records_says_so() {
    let Some(page) = Page::of("", 0) else { return };
    let shown = page.shown("");
    assert!(
        part(&shown, "t-sessions")
            .0
            .contains("No session in these records.")
    );
    assert!(shown.contains("aria-labelledby=\"h-gaps\" hidden"));
}

#[test]
fn a_page_has_a_row_a_session_and_its_address_keeps_zone_and_grouping() {
    let Some(page) = Page::of(&sessions(1), 0) else {
        return;
    };
    let shown = page.shown("");
    assert_eq!(part(&shown, "t-sessions").1, 1);
    assert!(part(&shown, "t-sessions").0.contains("2026-11-01 00:00:00"));
    let berlin = page.shown("#zone=Europe%2FBerlin&by=person");
    assert!(
        part(&berlin, "t-sessions")
            .0
            .contains("2026-11-01 01:00:00")
    );
    let timeline = part(&berlin, "timeline").0;
    assert!(
        timeline.contains("1 row, one per person") && timeline.contains("Times in Europe/Berlin")
    );
    assert!(
        !timeline.contains(" UTC"),
        "no time is called UTC that is not"
    );
    assert!(page.n_printed_pages("") <= 2);
}

#[test]
fn a_page_of_3000_sessions_is_by_person_and_a_link_keeps_the_filter() {
    let Some(page) = Page::of(&sessions(3_000), 0) else {
        return;
    };
    let shown = page.shown("");
    let (table, n_rows) = part(&shown, "t-sessions");
    assert!(n_rows == 500 && table.contains("Showing 500 of 3,000 rows"));
    assert_eq!(part(&shown, "t-principals").1, 7);
    assert_eq!(part(&shown, "t-refused").1, 1);
    let filtered = page.shown("#filter=mallory");
    assert_eq!(part(&filtered, "t-sessions").1, 428);
    assert!(
        part(&filtered, "n-sessions")
            .0
            .contains("428 of 3,000 in total")
    );
    // The figures are those of what is shown.
    let figures = |page: &str, text: &str| {
        let (_, rest) = page.split_once("id=\"figures\"").unwrap();
        let figures = &rest[..rest.find("</dl>").unwrap()];
        let (_, rest) = figures.split_once(&format!(">{text}<")).unwrap();
        let (_, value) = rest.split_once("<dd>").unwrap();
        value.split('<').next().unwrap().to_owned()
    };
    assert_eq!(figures(&shown, "sessions"), "3,000");
    assert_eq!(figures(&filtered, "sessions"), "428");
    assert_eq!(figures(&filtered, "people and roles"), "1");
    // A day of its own, in the timeline as well.
    let day = page.shown("#day=2026-11-02");
    let of_day = part(&day, "t-sessions").1;
    assert!((100..=120).contains(&of_day), "{of_day}");
    assert!(part(&day, "timeline").0.contains("Timeline from 2026-11-0"));
    // Figures, timeline, seven people and forty nodes; the sessions where somebody asks for them.
    let n_pages = page.n_printed_pages("");
    assert!(n_pages <= 10, "{n_pages} pages");
    let n_all = page.n_printed_pages("#print=all");
    assert!(n_all > 60, "{n_all} pages");
}

#[test]
fn a_page_with_gaps_begins_with_them() {
    let gap = json!({"kind": "finding", "id": "events.history.unread", "severity": "error", "target": null,
        "resource": "s3://audit/x.json.gz", "message": "could not be read to its end", "fix": ""});
    let Some(page) = Page::of(&format!("{}\n{gap}", sessions(1)), 2) else {
        return;
    };
    let shown = page.shown("");
    assert!(!shown.contains("aria-labelledby=\"h-gaps\" hidden"));
    assert!(part(&shown, "gaps").0.contains("s3://audit/x.json.gz"));
    let refused = part(&shown, "t-grouped").0;
    assert!(refused.contains("No refused attempt was read, but not everything was read."));
    assert!(!refused.contains("No attempt was refused in these records."));
}

#[test]
fn refused_attempts_are_a_row_a_person() {
    let record = |n: usize, who: &str, service: &str| {
        json!({"eventName": "StartSession", "eventSource": format!("{service}.amazonaws.com"), "eventID": format!("e-{n}"),
            "eventTime": format!("2026-11-01T10:{n:02}:00Z"), "awsRegion": "eu-central-1", "recipientAccountId": "111122223333",
            "errorCode": "AccessDenied", "userIdentity": {"type": "IAMUser", "arn": format!("arn:aws:iam::111122223333:user/{who}")},
            "requestParameters": {"target": format!("i-{:017x}", n % 6)}})
    };
    let all = (0..10).map(|n| record(n, "mallory", "ssm"));
    let all = all.chain([record(10, "eve", "athena")]);
    let records: Vec<String> = all.map(|record| record.to_string()).collect();
    let Some(page) = Page::of(&records.join("\n"), 0) else {
        return;
    };
    let shown = page.shown("");
    let (_, rest) = shown.split_once("id=\"t-grouped\"").unwrap();
    let grouped = &rest[..rest.find("id=\"each\"").unwrap()];
    assert_eq!(grouped.matches("<tr").count(), 1 + 2, "{grouped}");
    assert!(
        grouped.contains("✕ DENIED </span>10") && grouped.contains("and 2 more"),
        "{grouped}"
    );
    assert!(grouped.contains("StartSession of athena"), "{grouped}");
    assert_eq!(part(&shown, "t-refused").1, 11);
}

/// A session of `sessions`, with what is known of its transcript.
fn known(n: usize, transcript: &serde_json::Value) -> String {
    json!({"kind": "session", "target": {"account": "111122223333", "region": "eu-central-1"}, "session_id": format!("s-{n:05}"),
        "principal": "p", "session_name": null, "node": null, "node_name": null, "document": null, "started": null, "resumed": [],
        "ended": null, "how_it_ended": null, "ended_by": null, "duration_seconds": null, "reason": null, "source_address": null,
        "mfa": null, "event_id": "e", "person": null, "transcript": transcript})
    .to_string()
}

/// What is not known is not taken for a transcript where few rows are printed.
#[test]
fn on_paper_are_the_sessions_that_are_not_known_to_have_their_transcript() {
    let transcript = |none: Option<&str>, missing_in: &[&str], message: Option<&str>| {
        let object = json!({"bucket": "b", "key": "k"});
        json!({"s3": if none.is_none() { object } else { json!(null) }, "log_stream": null, "bytes": null, "encrypted": null,
            "none": none, "missing_in": missing_in, "message": message})
    };
    let mut lines = Vec::new();
    for n in 0..40 {
        lines.push(match n {
            0 => known(n, &json!(null)),
            1 => known(n, &transcript(Some("unread"), &[], Some("it is too old"))),
            2 => known(n, &transcript(None, &["s3://b/p/"], Some("one is missing"))),
            3 => known(
                n,
                &transcript(None, &[], Some("its encryption could not be read")),
            ),
            4 => known(
                n,
                &transcript(
                    Some("upload_failed"),
                    &["s3://b/p/"],
                    Some("it is not there"),
                ),
            ),
            5 => known(n, &transcript(Some("unread"), &[], Some("no access"))),
            6 => known(n, &transcript(Some("preferences_off"), &[], None)),
            7 => known(n, &transcript(Some("too_recent"), &[], None)),
            8 => known(n, &transcript(Some("port"), &[], Some("AWS logs none"))),
            9 => known(n, &transcript(Some("still_open"), &[], None)),
            // Not in the file at all.
            10 => continue,
            _ => known(n, &transcript(None, &[], None)),
        });
    }
    let print = "window.dispatchEvent(new Event('beforeprint'));";
    let Some(page) = Page::with(&sessions(40), &lines.join("\n"), 0) else {
        return;
    };
    let page = page.then(print);
    let shown = page.shown("");
    let (table, n_rows) = part(&shown, "t-sessions");
    let printed: Vec<usize> = (0..40)
        .filter(|n| table.contains(&format!("s-{n:05}")))
        .collect();
    assert_eq!(printed, [0, 1, 2, 3, 4, 5, 6, 7, 10]);
    assert_eq!(n_rows, 9);
    let note = part(&shown, "n-sessions").0;
    assert!(
        note.contains("Printed: 3 without the transcript that they should have, and 6 of which that is not known"),
        "{note}"
    );
    let n_pages = page.n_printed_pages("");
    assert!(n_pages <= 10, "{n_pages} pages");
    // Where nothing is known of any, no list would say so.
    let Some(page) = Page::of(&sessions(40), 0) else {
        return;
    };
    let shown = page.then(print).shown("");
    let (table, n_rows) = part(&shown, "n-sessions");
    assert!(
        table.contains("whether they have transcripts is not known"),
        "{table}"
    );
    assert_eq!(n_rows, 0);
}

/// Buttons, so that keys reach them as well.
#[test]
fn a_tile_shows_its_rows_alone() {
    let Some(page) = Page::of(&sessions(30), 0) else {
        return;
    };
    let n = |page: &str| (part(page, "t-sessions").1, part(page, "t-refused").1);
    assert_eq!(n(&page.shown("")), (30, 1));
    assert_eq!(n(&page.shown("#only=denied")), (0, 1));
    assert_eq!(n(&page.shown("#only=failed")), (0, 0));
    assert_eq!(n(&page.shown("#only=sessions")), (30, 0));
    assert_eq!(n(&page.shown("#only=nonsense")), (30, 1));
    assert_eq!(n(&page.shown("#only=sessions&filter=mallory")), (4, 0));
    let pressed = page.then(
        "const tile = () => document.querySelector('#figures button[data-only=denied]'); tile().focus(); tile().click();
        document.title = [document.activeElement === tile(), tile().getAttribute('aria-pressed'), location.hash].join(' ');",
    );
    let shown = pressed.shown("");
    assert_eq!(n(&shown), (0, 1));
    assert!(
        shown.contains("<title>true true #only=denied</title>"),
        "{}",
        &shown[..2_000]
    );
    // The figures of what a tile leaves out stay, so that another can be chosen.
    let (_, figures) = shown.split_once("id=\"figures\"").unwrap();
    assert!(figures.contains(">sessions</button></dt><dd>30</dd>"));
    // Once more, and all are there again.
    let again = pressed.then("tile().click();").shown("");
    assert_eq!(n(&again), (30, 1));
}
