//! The parts of a URL, as they are written.

/// Returns a URL up to its path, and the rest.
pub(crate) fn split(url: &str) -> (&str, &str) {
    let host = url.find("://").map_or(0, |at| at + 3);
    let end = url[host..].find(['/', '?', '#']);
    url.split_at(end.map_or(url.len(), |at| host + at))
}

/// Returns the host of a URL with its port, and without a user.
pub(crate) fn host_and_port(url: &str) -> &str {
    let start = split(url).0;
    let authority = start.split_once("://").map_or(start, |(_, rest)| rest);
    authority.rsplit('@').next().unwrap_or_default()
}
