//! Filters on records made up for them.

use super::Filter;

fn check(code: &str, json: &str, expected: &[&str]) {
    check_all(code, &[json], expected);
}

fn check_all(code: &str, texts: &[&str], expected: &[&str]) {
    let mut lines = Vec::new();
    Filter::compile(code)
        .unwrap()
        .run_all(texts, |value| {
            lines.push(value.json());
            Ok(())
        })
        .unwrap();
    assert_eq!(lines, expected);
}

#[test]
fn yields_any_number_of_values_and_keeps_key_order() {
    check(".b[]", r#"{"b":[1,"x"]}"#, &["1", r#""x""#]);
    check("select(.z == 1)", r#"{"z":1,"a":2}"#, &[r#"{"z":1,"a":2}"#]);
    check("empty", "{}", &[]);
}

#[test]
fn rows_become_csv_and_tsv() {
    let row = r#"["a,b","say \"x\"",1,true,null,"t\tn"]"#;
    check(
        "@csv",
        row,
        &[r#""\"a,b\",\"say \"\"x\"\"\",1,true,,\"t\tn\"""#],
    );
    check("@tsv", row, &[r#""a,b\tsay \"x\"\t1\ttrue\t\tt\\tn""#]);
    let filter = Filter::compile("@tsv").unwrap();
    let error = filter.run(r#"{"a":1}"#, |_| Ok(())).unwrap_err();
    assert!(
        format!("{error:#}").contains("expected table row"),
        "{error:#}"
    );
}

#[test]
fn the_environment_is_a_variable() {
    let path = std::env::var("PATH").unwrap();
    let path = serde_json::to_string(&path).unwrap();
    check("$ENV.PATH", "{}", &[&path]);
    check("$ENV | has(\"NO_SUCH_VARIABLE\")", "{}", &["false"]);
}

/// <https://jqlang.org/manual/#io>
#[test]
fn input_and_inputs_take_the_records_behind() {
    let records = ["1", "2", "3", "4", "5"];
    check_all("[., input]", &records[..4], &["[1,2]", "[3,4]"]);
    check_all("[., inputs] | length", &records, &["5"]);
    check_all(". + first(inputs)", &records[..2], &["3"]);
    check_all("reduce inputs as $one (.; . + $one)", &records, &["15"]);
    check_all("inputs", &["1"], &[]);
    for (code, expected) in [
        ("[inputs]", true),
        ("\"\\(input.id)\"", true),
        (".content.inputs | .inputs2", false),
        ("{inputs: .content[\"inputs\"]}", false),
        (". as $input | $input", false),
        ("select(.stdout | contains(\"bad input\"))", false),
        ("def input: 1; input", false),
        ("# input\n.", false),
        ("def input: 1; inputs", true),
    ] {
        let filter = Filter::compile(code).unwrap();
        assert_eq!(filter.reads_on(), expected, "{code}");
    }
}

#[test]
fn names_what_it_does_not_understand() {
    let message = |code| format!("{:#}", Filter::compile(code).map(|_| ()).unwrap_err());
    assert!(
        message("nonsense").contains("nonsense"),
        "{}",
        message("nonsense")
    );
    assert!(message(".[").contains("expected"), "{}", message(".["));
}

/// <https://jqlang.org/manual/#sql-style-operators>, <https://jqlang.org/manual/#streaming>
#[test]
fn what_jq_defines_and_jaq_does_not_is_there() {
    let nodes = r#"[{"id":"a","n":1},{"id":"b","n":2}]"#;
    check("INDEX(.id) | .b.n", nodes, &["2"]);
    check("INDEX(.[]; .n) | keys", nodes, &[r#"["1","2"]"#]);
    check(".[0].id | IN(\"a\", \"c\")", nodes, &["true"]);
    check("IN(.[].n; 3)", nodes, &["false"]);
    check("ascii", "65", &["\"A\""]);
    check("input_filename", "{}", &["null"]);
    check(
        "tostream",
        r#"{"a":[1,{"b":[]}],"c":null}"#,
        &[
            r#"[["a",0],1]"#,
            r#"[["a",1,"b"],[]]"#,
            r#"[["a",1,"b"]]"#,
            r#"[["a",1]]"#,
            r#"[["c"],null]"#,
            r#"[["c"]]"#,
        ],
    );
    check("tostream", "1", &["[[],1]"]);
}

#[test]
fn an_error_shows_the_beginning_of_a_value() {
    let error = |code: &str, record: &str| {
        let filter = Filter::compile(code).unwrap();
        format!("{:#}", filter.run(record, |_| Ok(())).unwrap_err())
    };
    let long = format!(r#"{{"text":"{}","list":[1,2]}}"#, "é\\n".repeat(900));
    for code in ["tonumber", ". - 1", ".text.id"] {
        let error = error(code, &long);
        assert!(error.contains('é') && error.contains(".. "), "{error}");
        assert!(error.starts_with("--jq: cannot "), "{error}");
        assert!(error.contains("; a filter is given one record"), "{error}");
        assert!(error.chars().count() < 250, "{error}");
    }
    let said = error(&format!("error(\"{}\")", "x".repeat(200)), "{}");
    assert!(said.contains(&"x".repeat(200)), "{said}");
}
