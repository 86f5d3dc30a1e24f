//! What is typed into a session, and what the plugin shows of it: its own words, the agent's and the shell's, kept apart. Pure.
//!
//! The plugin's words: `session.go` and `src/datachannel/streaming.go` (HandleChannelClosedMessage) in
//! <https://github.com/aws/session-manager-plugin>. It ends with 0 whatever has happened.

use crate::model::Conversation;

/// How the plugin begins; the ID of the session follows.
const GREETING: &str = "Starting session with SessionId: ";
/// What a shell may print at first, as a message of the day: of more, the last half is kept.
const LONGEST: usize = 64 * 1024;
/// How much of it is quoted as a reason.
const LONGEST_REASON: usize = 1_000;

/// What is typed, and looked for in the transcript.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Nonce(String);

impl Nonce {
    /// Returns one of random numbers.
    pub(crate) fn new(random: [u64; 2]) -> Nonce {
        Nonce(format!("probe-{:016x}{:016x}", random[0], random[1]))
    }

    pub(crate) fn text(&self) -> &str {
        &self.0
    }

    /// Returns the line that prints it: `echo` and such quotes mean the same to every shell of Unix and to PowerShell.
    pub(crate) fn command(&self) -> String {
        format!("echo '{}'", self.0)
    }

    /// Returns the reason that StartSession is given, which sets this session apart from all others and not what is typed.
    pub(crate) fn purpose(&self) -> String {
        format!("ssm-prefs probe {}", &self.0["probe-".len()..][..8])
    }
}

/// What the plugin has printed so far.
#[derive(Clone, Debug)]
pub(crate) struct Screen {
    session_id: String,
    text: String,
    /// Whether the plugin's first line has come, which is not in the text any more.
    has_begun: bool,
}

impl Screen {
    /// Returns the empty screen of a session.
    pub(crate) fn of(session_id: &str) -> Screen {
        Screen {
            session_id: session_id.to_owned(),
            text: String::new(),
            has_begun: false,
        }
    }

    /// Takes what was printed.
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.text.push_str(&String::from_utf8_lossy(bytes));
        let greeting = format!("{GREETING}{}", self.session_id);
        if let Some((_, after)) = self.text.split_once(&greeting) {
            self.text = after.to_owned();
            self.has_begun = true;
        }
        if self.text.len() > LONGEST {
            let from = self.text.ceil_char_boundary(self.text.len() - LONGEST / 2);
            self.text.drain(..from);
        }
    }

    /// Returns what is shown after the plugin's greeting.
    pub(crate) fn shown(&self) -> &str {
        let text = self.text.trim();
        // A part of the greeting is nothing yet.
        let is_greeting = GREETING.starts_with(text) || text.starts_with(GREETING.trim_end());
        match is_greeting && !self.has_begun {
            true => "",
            false => text,
        }
    }

    /// Says what it was when the plugin ended before the nonce was shown.
    pub(crate) fn ended(&self) -> Conversation {
        let shown = self.shown();
        let closed = format!("SessionId: {} : ", self.session_id);
        let exited = format!("Exiting session with sessionId: {}", self.session_id);
        if let Some((_, reason)) = shown.split_once(&closed) {
            return Conversation::Refused(quoted(reason));
        }
        if let Some((words, _)) = shown.split_once(&exited) {
            return Conversation::Refused(match words.trim() {
                "" => "the agent gave no reason".to_owned(),
                words => quoted(words),
            });
        }
        Conversation::NotOpened(match shown {
            "" => "session-manager-plugin exited without output".to_owned(),
            words => format!("session-manager-plugin ended: {}", quoted(words)),
        })
    }

    /// Says what it is when nothing more is shown.
    pub(crate) fn silent(&self, seconds: u64) -> Conversation {
        let said = match self.shown() {
            "" => String::new(),
            words => format!("; it had shown: {}", quoted(words)),
        };
        Conversation::NotOpened(format!(
            "session-manager-plugin showed nothing of the session for {seconds} s and was ended{said}"
        ))
    }
}

/// Returns the end of a text on one line.
fn quoted(text: &str) -> String {
    let words: Vec<&str> = text.split_whitespace().collect();
    let line = words.join(" ");
    let n_over = line.chars().count().saturating_sub(LONGEST_REASON);
    line.chars().skip(n_over).collect()
}

#[cfg(test)]
mod tests {
    use super::{Nonce, Screen};
    use crate::model::Conversation::{self, NotOpened, Refused};

    const GREETING: &str = "\nStarting session with SessionId: me-1\n";

    fn screen(text: &str) -> Screen {
        let mut screen = Screen::of("me-1");
        // A byte at a time, as pipes may.
        for byte in text.bytes() {
            screen.push(&[byte]);
        }
        screen
    }

    fn ended(text: &str) -> Conversation {
        screen(&format!("{GREETING}{text}")).ended()
    }

    #[test]
    fn no_part_of_the_greeting_is_the_sessions() {
        let text = format!("{GREETING}sh-5.2$ ");
        for n_bytes in 0..text.len() {
            let shown = screen(&text[..n_bytes]);
            assert_eq!(
                shown.shown().is_empty(),
                n_bytes <= GREETING.len(),
                "{n_bytes}"
            );
        }
        assert_eq!(screen(&text).shown(), "sh-5.2$");
    }

    #[test]
    fn the_agents_words_are_known_from_the_plugins() {
        let refused = |reason: &str| Refused(reason.to_owned());
        let not_opened = |reason: &str| NotOpened(reason.to_owned());
        for (text, expected) in [
            (
                "\n\nSessionId: me-1 : Encountered error while\ninitiating handshake.\n\n",
                refused("Encountered error while initiating handshake."),
            ),
            (
                "Unable to start command: invalid uid and gid\n\n\nExiting session with sessionId: me-1.\n\n",
                refused("Unable to start command: invalid uid and gid"),
            ),
            (
                "\n\nExiting session with sessionId: me-1.\n\n",
                refused("the agent gave no reason"),
            ),
            (
                "Cannot perform start session: EOF\n",
                not_opened("session-manager-plugin ended: Cannot perform start session: EOF"),
            ),
            (
                "",
                not_opened("session-manager-plugin exited without output"),
            ),
            (
                "\n\nSessionId: other-2 : x\n",
                not_opened("session-manager-plugin ended: SessionId: other-2 : x"),
            ),
        ] {
            assert_eq!(ended(text), expected, "{text:?}");
        }
        let dies = screen("zsh: bad CPU type\n").ended();
        assert_eq!(
            dies,
            not_opened("session-manager-plugin ended: zsh: bad CPU type")
        );
    }

    #[test]
    fn what_is_typed_is_quoted_and_is_not_in_the_reason() {
        let nonce = Nonce::new([1, u64::MAX]);
        assert_eq!(nonce.text(), "probe-0000000000000001ffffffffffffffff");
        assert_eq!(
            nonce.command(),
            "echo 'probe-0000000000000001ffffffffffffffff'"
        );
        assert_eq!(nonce.purpose(), "ssm-prefs probe 00000000");
        assert!(!nonce.purpose().contains(nonce.text()));
    }

    #[test]
    fn what_never_ends_is_not_kept() {
        let mut screen = Screen::of("me-1");
        for _ in 0..100 {
            screen.push("\u{e4}".repeat(4_096).as_bytes());
        }
        assert!(screen.shown().len() <= super::LONGEST);
        screen.push(b"the end");
        assert!(screen.shown().ends_with("the end"));
        let NotOpened(reason) = screen.silent(5) else {
            panic!("{screen:?}");
        };
        assert!(reason.chars().count() < 1_200, "{reason}");
    }
}
