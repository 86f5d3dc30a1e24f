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
        Screen {
            width: width(stdout.is_terminal(), &stdout),
            has_colors: anstream::AutoStream::choice(&stdout) != anstream::ColorChoice::Never,
        }
    }

    /// Returns what stderr is. It has no colors.
    pub(crate) fn of_stderr() -> Screen {
        let stderr = std::io::stderr();
        Screen {
            width: width(stderr.is_terminal(), &stderr),
            has_colors: false,
        }
    }

    /// Returns a sentence wrapped as [`Screen::wrap`] does, with its commands whole, so that they can be copied: those between
    /// backquotes, and what comes next. A terminal goes on with a long one in its next line, without a line break in what is copied.
    pub(crate) fn wrap_around_commands(self, first: &str, rest: usize, text: &str) -> String {
        let Some(width) = self.width else {
            return format!("{first}{text}");
        };
        let glued = |command: &str| command.replace(' ', &GLUE.to_string());
        let (sentence, next) = match text.split_once(NEXT) {
            Some((sentence, next)) => (format!("{sentence}{}", NEXT.trim_end()), Some(next)),
            None => (text.to_owned(), None),
        };
        let pieces = sentence.split('`').enumerate();
        let pieces = pieces.map(|(place, piece)| match place % 2 {
            0 => piece.to_owned(),
            _ => glued(piece),
        });
        let mut text = pieces.collect::<Vec<_>>().join("`");
        if let Some(next) = next {
            text += &format!(" {}", glued(next));
        }
        let blanks = " ".repeat(rest);
        let options = textwrap::Options::new(width)
            .initial_indent(first)
            .subsequent_indent(&blanks)
            .break_words(false)
            .word_separator(textwrap::WordSeparator::AsciiSpace)
            .word_splitter(textwrap::WordSplitter::NoHyphenation);
        textwrap::fill(&text, options).replace(GLUE, " ")
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

/// In place of a blank that is not a place to break a line.
const GLUE: char = '\u{a0}';

/// What is in front of the command that comes next.
const NEXT: &str = "next: ";

/// Returns how wide a terminal is. One that does not say its size, or none of use, is not wrapped for.
fn width(is_terminal: bool, stream: &impl std::os::fd::AsFd) -> Option<usize> {
    let size = is_terminal.then(|| terminal_size::terminal_size_of(stream));
    let width = size.flatten().map(|(width, _)| usize::from(width.0));
    width.filter(|width| *width >= 20)
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
    fn commands_in_sentences_stay_whole() {
        let screen = Screen {
            width: Some(30),
            has_colors: false,
        };
        let text =
            "nothing is written; run `aws sso login` or next: ssm-x plan -f a.json >plan.json";
        let expected = "ssm-x: nothing is written; run\n    `aws sso login` or next:\n    ssm-x plan -f a.json >plan.json";
        assert_eq!(screen.wrap_around_commands("ssm-x: ", 4, text), expected);
        let whole = Screen::default().wrap_around_commands("ssm-x: ", 4, text);
        assert_eq!(whole, format!("ssm-x: {text}"));
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
