//! The color of a row.

use serde_json::Value;

use crate::screen::Tone;

/// Patches that are not in force on a node.
const LACKING: [&str; 3] = [
    "/missing_count",
    "/failed_count",
    "/installed_pending_reboot_count",
];

/// Returns the color of a row, which repeats what one of its cells says.
pub(super) fn tone(record: &Value) -> Option<Tone> {
    let is = |at: &str, word: &str| record.pointer(at).is_some_and(|value| value == word);
    let is_patch_state = is("/kind", "patch_state");
    let counts = |at: &&str| record.pointer(at).is_some_and(|n| n.as_i64() > Some(0));
    if is("/class", "newly_denied")
        || record["denied"] == true
        || is("/answer", "denied")
        || is("/kind", "denied_call") && record["n_denied"] != 0
        || is("/transcript/none", "upload_failed")
        || is("/status", "altered")
        || is("/status", "missing")
        || is("/verdict", "fail")
        || is_patch_state && LACKING.iter().any(counts)
    {
        Some(Tone::Bad)
    } else if is("/class", "unknown")
        || is("/answer", "unknown")
        || is("/kind", "denied_call")
        || is("/agent/ping", "ConnectionLost")
        || is("/state", "unknown")
        || is("/verdict", "unknown")
        || is("/transcript/none", "unread")
        || is("/status", "unproved")
        || is_patch_state && !record["reason"].is_null()
    {
        Some(Tone::Doubtful)
    } else {
        None
    }
}
