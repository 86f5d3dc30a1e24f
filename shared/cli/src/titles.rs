//! What people call a finding, and search for: a title for each ID. It knows no tool; `data/titles.txt` has the IDs.

use std::collections::HashMap;
use std::sync::LazyLock;

/// An ID and its title a line. `*.` is any tool: of rules that several have.
const TEXT: &str = include_str!("../data/titles.txt");

static TITLES: LazyLock<HashMap<&str, &str>> = LazyLock::new(|| {
    TEXT.lines()
        .filter_map(|line| line.split_once(' '))
        .collect()
});

/// Returns the title of findings of an ID, such as `Session logging off`; the ID where it has none.
#[must_use]
pub fn title(id: &str) -> &str {
    let of_any_tool = || {
        let (_, rule) = id.split_once('.')?;
        TITLES.get(format!("*.{rule}").as_str())
    };
    TITLES.get(id).or_else(of_any_tool).copied().unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::title;

    #[test]
    fn an_id_has_its_own_title_or_that_of_any_tool() {
        assert_eq!(title("prefs.logging.off"), "Session logging off");
        assert_eq!(title("scp.json.syntax"), "Invalid JSON");
        assert_eq!(title("role.json.syntax"), "Invalid JSON");
        assert_eq!(title("x.y.z"), "x.y.z");
    }
}
