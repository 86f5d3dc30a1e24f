//! Fixture files under `tests/fixtures`. `BLESS=1` rewrites the expected ones, to be reviewed in the diff.

use std::path::{Path, PathBuf};

use serde_json::Value;

/// Returns the root of the repository.
pub fn repository() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let root = here.ancestors().nth(2);
    root.expect("the crate is two directories below the root")
        .to_owned()
}

/// Returns the path of a fixture, such as `ssm-prefs/desired.json`; it need not exist.
pub fn fixture(name: &str) -> PathBuf {
    repository().join("tests/fixtures").join(name)
}

/// Returns the case directories of a subject such as `ssm-prefs` or `ssm-prefs/lint`, in the order of their names.
///
/// # Panics
/// There is none: a test that walks nothing would pass for nothing.
pub fn fixtures(subject: &str) -> Vec<PathBuf> {
    let root = fixture(subject);
    let entries =
        std::fs::read_dir(&root).unwrap_or_else(|error| panic!("read {}: {error}", root.display()));
    let mut cases: Vec<PathBuf> = entries
        .map(|entry| entry.expect("read a directory entry").path())
        .filter(|path| path.is_dir())
        .collect();
    cases.sort();
    assert!(!cases.is_empty(), "no case in {}", root.display());
    cases
}

/// Fails the test unless the file holds this JSON; key order and layout do not matter.
///
/// # Panics
/// That is its job.
#[track_caller]
pub fn expect(path: &Path, actual: &Value) {
    let pretty = format!("{actual:#}\n");
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if serde_json::from_str::<Value>(&expected).is_ok_and(|expected| &expected == actual) {
        return;
    }
    settle(path, &expected, &pretty, blessing());
}

/// Fails the test unless the file holds this text.
///
/// # Panics
/// That is its job.
#[track_caller]
pub fn expect_text(path: &Path, actual: &str) {
    let expected = std::fs::read_to_string(path).unwrap_or_default();
    if expected != actual {
        settle(path, &expected, actual, blessing());
    }
}

fn blessing() -> bool {
    std::env::var_os("BLESS").is_some_and(|value| value == "1")
}

#[track_caller]
fn settle(path: &Path, expected: &str, actual: &str, bless: bool) {
    assert!(
        bless,
        "{} differs (BLESS=1 rewrites it)\n--- expected\n{expected}\n--- actual\n{actual}",
        path.display()
    );
    if let Some(directory) = path.parent() {
        std::fs::create_dir_all(directory).expect("create a fixture directory");
    }
    std::fs::write(path, actual).expect("rewrite a fixture");
}

/// Returns the day that it is in UTC, as `2026-01-31`, for what must not be old.
pub fn today() -> String {
    let date = std::process::Command::new("date")
        .args(["-u", "+%F"])
        .output();
    let text = String::from_utf8(date.unwrap().stdout).unwrap();
    text.trim().to_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{expect, repository, settle};
    use crate::home::Home;

    #[test]
    fn the_repository_is_where_the_workspace_is() {
        assert!(repository().join("Cargo.lock").exists());
    }

    #[test]
    fn layout_and_key_order_do_not_matter() {
        let home = Home::create();
        let path = home.path().join("case.json");
        std::fs::write(&path, "{ \"b\": 2,\n \"a\": 1 }").unwrap();
        expect(&path, &json!({"a": 1, "b": 2}));
    }

    #[test]
    fn blessing_writes_what_is_there_now() {
        let home = Home::create();
        let path = home.path().join("new/case.json");
        settle(&path, "", "{}\n", true);
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "{}\n");
    }

    #[test]
    #[should_panic(expected = "BLESS=1")]
    fn a_difference_is_an_error() {
        expect(&Home::create().path().join("absent.json"), &json!({}));
    }
}
