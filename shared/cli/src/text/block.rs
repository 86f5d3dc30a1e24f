//! What a tool lays out by itself: a head, and lines below it.

use crate::screen::{Screen, Tone};
use crate::visible_lines;

/// A text for a record. What comes from AWS or a node shows its control characters.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    /// The color of the head, which only repeats what the head says.
    pub tone: Option<Tone>,
    /// One line, wrapped where the terminal is too narrow.
    pub head: String,
    /// The lines below.
    pub below: Vec<Below>,
}

/// A line below a head.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Below {
    /// As it is, such as what a program has printed: wrapped, it would be another text.
    Verbatim(String),
    /// A sentence, indented and wrapped.
    Text(String),
}

/// Blanks in front of a sentence.
const INDENT: usize = 8;

impl From<String> for Block {
    fn from(head: String) -> Block {
        Block {
            head,
            ..Block::default()
        }
    }
}

impl Block {
    pub(crate) fn render(&self, screen: Screen) -> String {
        let head = screen.wrap("", INDENT, &visible_lines(&self.head));
        let head = match self.tone {
            // Each line by itself, so that a pager may begin with any.
            Some(tone) => head
                .lines()
                .map(|line| screen.paint(tone, line))
                .collect::<Vec<_>>()
                .join("\n"),
            None => head,
        };
        let below = self.below.iter().map(|line| match line {
            Below::Verbatim(line) => visible_lines(line).into_owned(),
            Below::Text(text) => screen.wrap(&" ".repeat(INDENT), INDENT, &visible_lines(text)),
        });
        let lines: Vec<String> = std::iter::once(head).chain(below).collect();
        lines.join("\n")
    }
}

#[cfg(test)]
mod tests {
    use super::{Below, Block};
    use crate::screen::{Screen, Tone};

    #[test]
    fn sentences_are_wrapped_and_output_is_not() {
        let block = Block {
            tone: Some(Tone::Bad),
            head: "OPEN \u{1b}[2J of a node".to_owned(),
            below: vec![
                Below::Verbatim("    printed by a program, and long".to_owned()),
                Below::Text("what to do about it".to_owned()),
            ],
        };
        let screen = Screen {
            width: Some(20),
            has_colors: false,
        };
        let expected = "OPEN \\u{1b}[2J of a\n        node\n    printed by a program, and long\n        what to do\n        about it";
        assert_eq!(block.render(screen), expected);
    }
}
