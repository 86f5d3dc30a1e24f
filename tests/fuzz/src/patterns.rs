//! Event patterns: no text panics or hangs; what explains agrees with what matches; an event that fits is never passed
//! over for want of the texts that it must have.
#![no_main]

/// The tool is a binary, so its sources are part of this program.
#[path = "../../../tools/ssm-events/src"]
#[allow(dead_code, unused_imports, reason = "a target uses a part of a module")]
mod tool {
    pub(crate) mod event_pattern;
}

use libfuzzer_sys::fuzz_target;
use tool::event_pattern::Pattern;

// The pattern and the event are divided by a zero byte.
fuzz_target!(|data: &[u8]| {
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    let (pattern, event) = text.split_once('\0').unwrap_or((text, "{}"));
    let Ok(pattern) = Pattern::parse(pattern) else {
        return;
    };
    let (matched, explained) = (pattern.matches(event), pattern.explain(event));
    // Explaining looks at every field, and so sees malformed values that deciding may pass by.
    if let (Ok(matched), Ok((explained, fields))) = (&matched, &explained) {
        assert_eq!(matched, explained);
        assert!(*matched || fields.iter().any(|field| !field.matched));
    }
    if let Ok(true) = matched {
        let has_all = pattern
            .literals()
            .iter()
            .all(|set| set.iter().any(|text| event.contains(text)));
        assert!(has_all || event.contains("\\u"));
    }
});
