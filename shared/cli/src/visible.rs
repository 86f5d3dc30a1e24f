//! Text that shows what it holds. Names, tags and messages come from AWS, files and other people: one with an escape, or a
//! character that turns the direction of text, would be taken for something else by a terminal, a spreadsheet or a reader.

use std::borrow::Cow;

/// Returns the text with an escape such as `\u{1b}` in place of every character that is not seen but does something.
#[must_use]
pub fn visible(text: &str) -> Cow<'_, str> {
    escaped(text, is_hidden)
}

/// Returns the same, but leaves line feeds and tabs: of text that is made of lines, or is to be taken as it is.
#[must_use]
pub fn visible_lines(text: &str) -> Cow<'_, str> {
    escaped(text, |c| is_hidden(c) && c != '\n' && c != '\t')
}

/// Returns whether a character is not seen but does something: control characters (C0, DEL, C1), what turns or joins the
/// direction of text, what has no width, and the line breaks that are not line feeds.
/// <https://www.unicode.org/reports/tr9/#Directional_Formatting_Characters>
/// <https://www.unicode.org/reports/tr36/#Bidirectional_Text_Spoofing>
#[must_use]
pub fn is_hidden(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{61c}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

fn escaped(text: &str, is_escaped: impl Fn(char) -> bool) -> Cow<'_, str> {
    if !text.contains(&is_escaped) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for c in text.chars() {
        if is_escaped(c) {
            shown.extend(c.escape_default());
        } else {
            shown.push(c);
        }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::{is_hidden, visible, visible_lines};

    #[test]
    fn shows_what_does_something_and_leaves_what_is_seen() {
        for hidden in [
            "\u{0}", "\u{7}", "\u{8}", "\r", "\u{1b}", "\u{7f}", "\u{80}", "\u{9b}", "\u{61c}",
            "\u{200b}", "\u{200d}", "\u{200f}", "\u{2028}", "\u{2029}", "\u{202a}", "\u{202e}",
            "\u{2066}", "\u{2069}", "\u{feff}",
        ] {
            for shown in [visible(hidden), visible_lines(hidden)] {
                assert!(
                    shown.starts_with('\\') && !shown.contains(is_hidden),
                    "{shown:?}"
                );
            }
        }
        assert_eq!(
            visible("a\u{1b}[2J\u{202e}b\n\t"),
            "a\\u{1b}[2J\\u{202e}b\\n\\t"
        );
        assert_eq!(visible_lines("a\n\tb\r\n"), "a\n\tb\\r\n");
        let plain = "Größe 大きさ \u{1f600} c:\\u{1b}";
        assert_eq!(visible(plain), plain);
    }
}
