//! Comma-separated values (RFC 4180) that a spreadsheet takes for text, never for a formula.

use anyhow::Context;
use records::Severity;

use super::Report;
use crate::visible;

const FINDINGS: [&str; 7] = [
    "severity", "id", "account", "region", "resource", "message", "fix",
];

/// Returns findings, a row each, and a row for what could not be read.
pub(super) fn findings(report: &Report) -> anyhow::Result<String> {
    let of_finding = report.findings.iter().map(|finding| {
        let severity = match finding.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
            Severity::Info => "info",
        };
        let target = finding.target.as_ref();
        let account = target.map_or("", |target| &target.account);
        let region = target.map_or("", |target| &target.region);
        [
            severity,
            &finding.id,
            account,
            region,
            &finding.resource,
            &finding.message,
            &finding.fix,
        ]
    });
    let of_unreachable = report.unreachable.iter().map(|one| {
        let target = &one.target;
        [
            "error",
            "unreachable",
            &target.account,
            &target.region,
            "",
            &one.error,
            "",
        ]
    });
    table(FINDINGS, of_finding.chain(of_unreachable))
}

/// Returns rows below their header.
///
/// # Errors
/// None that is known: writing into memory does not fail.
pub(crate) fn table<'r, H, R>(header: H, rows: impl Iterator<Item = R>) -> anyhow::Result<String>
where
    H: IntoIterator<Item = &'r str>,
    R: IntoIterator<Item = &'r str>,
{
    let mut writer = csv::Writer::from_writer(Vec::new());
    writer.write_record(header)?;
    for row in rows {
        writer.write_record(row.into_iter().map(inert))?;
    }
    let bytes = writer.into_inner().context("write rows")?;
    Ok(String::from_utf8(bytes)?)
}

/// Returns a cell that is text for a spreadsheet too, which takes one that begins like these for a formula, some also where they are of
/// full width.
/// <https://owasp.org/www-community/attacks/CSV_Injection>
#[must_use]
pub fn inert(cell: &str) -> String {
    let cell = visible(cell);
    if cell.starts_with(['=', '+', '-', '@', '＝', '＋', '－', '＠']) {
        format!("'{cell}")
    } else {
        cell.into_owned()
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::report;
    use super::findings;

    #[test]
    fn what_begins_like_a_formula_is_text() {
        for begin in ["=", "+", "-", "@", "＝", "＋", "－", "＠"] {
            assert_eq!(super::inert(&format!("{begin}1")), format!("'{begin}1"));
        }
        assert_eq!(super::inert("\u{202e}\0\u{1b}a"), "\\u{202e}\\u{0}\\u{1b}a");
    }

    #[test]
    fn a_row_each_whose_cells_are_text() {
        let expected = "severity,id,account,region,resource,message,fix\n\
            error,x.key.absent,111122223333,eu-central-1,'=alias/a,\"it is \"\"so\"\" & <so>\\u{1b}\",mend it\n\
            info,x.key.note,111122223333,eu-central-1,alias/b,\"it is \"\"so\"\" & <so>\\u{1b}\",mend it\n\
            warning,x.log.unknown,111122223333,eu-central-1,log,\"it is \"\"so\"\" & <so>\\u{1b}\",mend it\n\
            warning,x.json.odd,,,\"a b/c.json:3:9 $.a[\"\" $\"\"]\",\"it is \"\"so\"\" & <so>\\u{1b}\",mend it\n\
            error,unreachable,111122223333,eu-west-1,,denied,\n";
        assert_eq!(findings(&report()).unwrap(), expected);
    }
}
