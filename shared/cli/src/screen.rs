//! What stdout is for text: how wide, and whether it has colors. Asked once, before anything is printed.

use std::io::IsTerminal;

use anstyle::{AnsiColor, Style};

/// Where text goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Screen {
    /// Columns of the terminal; none where lines may have any length.
    pub(crate) width: Option<usize>,
    /// Whether colors are shown.
    pub(crate) has_colors: bool,
}

/// What a color says. It only repeats what the text says, for who cannot see it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Failed, denied, open.
    Bad,
    /// Unknown, or perhaps bad.
    Doubtful,
    /// Done.
    Good,
    /// Another value than before.
    Changed,
    /// A heading.
    Strong,
    /// Beside the point.
    Faint,
}

impl Screen {
    /// Returns what stdout is. Colors follow `NO_COLOR`, `CLICOLOR_FORCE` and `TERM`. <https://no-color.org>
    pub(crate) fn of_stdout() -> Screen {
        let stdout = std::io::stdout();
        let is_terminal = stdout.is_terminal();
        let width = is_terminal
            .then(terminal_size::terminal_size)
            .flatten()
            .map(|(width, _)| usize::from(width.0));
        Screen {
            // A terminal that does not say its size, or none of use, is not wrapped for.
            width: width.filter(|width| *width >= 20),
            has_colors: anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never,
        }
    }

    /// Returns text with a color, where there are colors.
    pub(crate) fn paint(self, tone: Tone, text: &str) -> String {
        if !self.has_colors {
            return text.to_owned();
        }
        let color = |color: AnsiColor| Style::new().fg_color(Some(color.into()));
        let style = match tone {
            Tone::Bad => color(AnsiColor::Red).bold(),
            Tone::Doubtful => color(AnsiColor::Yellow),
            Tone::Good => color(AnsiColor::Green),
            Tone::Changed => color(AnsiColor::Cyan),
            Tone::Strong => Style::new().bold(),
            Tone::Faint => Style::new().dimmed(),
        };
        format!("{style}{text}{style:#}")
    }

    /// Returns text wrapped at words, its first line behind `first` and the others behind as many blanks as `rest`. A word that is
    /// longer than a line, such as an ARN, goes on in the next one.
    pub(crate) fn wrap(self, first: &str, rest: usize, text: &str) -> String {
        let Some(width) = self.width else {
            return format!("{first}{text}");
        };
        let blanks = " ".repeat(rest);
        let options = textwrap::Options::new(width)
            .initial_indent(first)
            .subsequent_indent(&blanks)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        textwrap::fill(text, options)
    }
}

#[cfg(test)]
mod tests {
    use super::{Screen, Tone};

    #[test]
    fn text_is_wrapped_at_words_with_a_hanging_indent() {
        let screen = Screen {
            width: Some(20),
            has_colors: false,
        };
        let text = "one two three four arn:aws:iam::111122223333:role/x";
        let expected = "* one two three four\n    arn:aws:iam::111\n    122223333:role/x";
        assert_eq!(screen.wrap("* ", 4, text), expected);
        assert_eq!(Screen::default().wrap("* ", 4, text), format!("* {text}"));
    }

    #[test]
    fn colors_take_no_room() {
        let screen = Screen {
            width: Some(20),
            has_colors: true,
        };
        let red = screen.paint(Tone::Bad, "error");
        assert_eq!(red, "\u{1b}[1m\u{1b}[31merror\u{1b}[0m");
        let wrapped = screen.wrap("", 2, &format!("{red} twelve chars here"));
        assert_eq!(wrapped, format!("{red} twelve chars\n  here"));
        assert_eq!(Screen::default().paint(Tone::Bad, "error"), "error");
    }
}
