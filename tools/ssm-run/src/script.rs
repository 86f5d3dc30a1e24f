//! A script as it is sent, and what is odd about the file that it comes from. Pure.

/// What somebody sees in an editor as the same text, and a shell does not.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Script {
    /// Without a byte-order mark: it says how a file is encoded, and is not part of the script.
    pub(crate) text: String,
    /// What to say before it is sent.
    pub(crate) notes: Vec<&'static str>,
}

const MARKED: &str = "it begins with a byte-order mark, which is not sent";
const CARRIAGE_RETURNS: &str = "its lines end with CR LF; sh takes the CR as a part of each line, and `#!/bin/sh` as the name of another \
     program: convert it, for example with dos2unix";

impl Script {
    /// Returns the script in the text of a file.
    ///
    /// With the mark, `#!` would not be at the beginning, and sh would run what is written for another shell. For PowerShell the
    /// agent writes a mark of its own: agent/fileutil, `ByteOrderMarkEmit`, at <https://github.com/aws/amazon-ssm-agent>. Carriage
    /// returns are sent: a here-document may want them.
    pub(crate) fn of_file(text: &str, is_powershell: bool) -> Script {
        let bare = text.strip_prefix('\u{feff}');
        let mut notes = Vec::new();
        notes.extend(bare.map(|_| MARKED));
        if !is_powershell && text.contains("\r\n") {
            notes.push(CARRIAGE_RETURNS);
        }
        Script {
            text: bare.unwrap_or(text).to_owned(),
            notes,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{CARRIAGE_RETURNS, MARKED, Script};

    #[test]
    fn marks_are_left_out_and_carriage_returns_are_noted_for_sh() {
        for (text, is_powershell, sent, notes) in [
            ("#!/bin/bash\nid\n", false, "#!/bin/bash\nid\n", &[][..]),
            ("\u{feff}#!/bin/bash\n", false, "#!/bin/bash\n", &[MARKED]),
            ("id\r\n", false, "id\r\n", &[CARRIAGE_RETURNS]),
            (
                "\u{feff}id\r\n",
                false,
                "id\r\n",
                &[MARKED, CARRIAGE_RETURNS],
            ),
            ("\u{feff}Get-HotFix\r\n", true, "Get-HotFix\r\n", &[MARKED]),
            ("printf 'a\rb'\n", false, "printf 'a\rb'\n", &[]),
        ] {
            let script = Script::of_file(text, is_powershell);
            assert_eq!(
                (script.text.as_str(), script.notes.as_slice()),
                (sent, notes),
                "{text:?}"
            );
        }
    }
}
