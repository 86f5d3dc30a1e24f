//! Lists that are taken apart: log files and answers of AWS.

/// Members of an object whose items are objects of their own: of log files and events for functions, of LookupEvents, of
/// ReceiveMessage, of GetQueryResults of CloudTrail Lake.
pub const LISTS: [&str; 4] = ["Records", "Events", "Messages", "QueryResultRows"];

/// Returns whether a key is that of a list which is taken apart.
pub(super) fn is_name(key: &[u8]) -> bool {
    LISTS.iter().any(|list| list.as_bytes() == key)
}

/// Returns whether an object up to one of its arrays ends with the name of a list of objects.
pub(super) fn is_list(start: &[u8]) -> bool {
    let Some(key) = start.trim_ascii_end().strip_suffix(b":") else {
        return false;
    };
    let Some(key) = key.trim_ascii_end().strip_suffix(b"\"") else {
        return false;
    };
    LISTS.iter().any(|list| {
        let before = key.strip_suffix(list.as_bytes());
        let before = before.and_then(|before| before.strip_suffix(b"\""));
        let before = before.map(<[u8]>::trim_ascii_end);
        before.is_some_and(|before| matches!(before.last(), Some(b'{' | b',')))
    })
}
