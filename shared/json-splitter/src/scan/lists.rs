//! Lists that are taken apart: log files and answers of AWS.

/// Members of an object whose items are objects of their own: of log files and events for functions, of LookupEvents, of
/// ReceiveMessage, of GetQueryResults of CloudTrail Lake.
const LISTS: [&[u8]; 4] = [
    b"\"Records\"",
    b"\"Events\"",
    b"\"Messages\"",
    b"\"QueryResultRows\"",
];

/// Returns whether a key is that of a list which is taken apart.
pub(super) fn is_name(key: &[u8]) -> bool {
    let quoted = LISTS.iter().map(|list| &list[1..list.len() - 1]);
    quoted.into_iter().any(|list| list == key)
}

/// Returns whether an object up to one of its arrays ends with the name of a list of objects.
pub(super) fn is_list(start: &[u8]) -> bool {
    let Some(key) = start.trim_ascii_end().strip_suffix(b":") else {
        return false;
    };
    let key = key.trim_ascii_end();
    LISTS.iter().any(|list| {
        let before = key.strip_suffix(*list).map(<[u8]>::trim_ascii_end);
        before.is_some_and(|before| matches!(before.last(), Some(b'{' | b',')))
    })
}
