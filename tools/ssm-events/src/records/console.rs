//! Addresses in the AWS console, of the right partition and Region. What goes into them is encoded, so that nothing in it leads
//! elsewhere.
//!
//! <https://docs.aws.amazon.com/awsconsolehelpdocs/latest/gsg/select-region.html>

use records::Transcript;

use crate::records::record::{console_domain, is_plain, partition};

/// Returns the addresses of a transcript, each with what it leads to.
pub(crate) fn transcript(transcript: &Transcript, region: &str) -> Vec<(&'static str, String)> {
    let Some(domain) = partition(region)
        .map(console_domain)
        .filter(|_| is_plain(region))
    else {
        return Vec::new();
    };
    let object = transcript.s3.as_ref().and_then(|object| {
        let (bucket, key) = (
            encoded(object.bucket.as_deref()?, "%"),
            encoded(&object.key, "%"),
        );
        Some((
            "S3",
            format!("https://{region}.{domain}/s3/object/{bucket}?region={region}&prefix={key}"),
        ))
    });
    let stream = transcript.log_stream.as_ref().and_then(|stream| {
        // The console encodes names twice in the fragment, the second time with a dollar sign.
        let (group, name) = (
            encoded(stream.log_group.as_deref()?, "$25"),
            encoded(&stream.name, "$25"),
        );
        let page = format!(
            "cloudwatch/home?region={region}#logsV2:log-groups/log-group/{group}/log-events/{name}"
        );
        Some((
            "CloudWatch Logs",
            format!("https://{region}.{domain}/{page}"),
        ))
    });
    object.into_iter().chain(stream).collect()
}

/// Encodes all but the unreserved characters of RFC 3986, with `mark` in place of the percent sign.
fn encoded(text: &str, mark: &str) -> String {
    let mut made = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                made.push(char::from(byte))
            }
            _ => made.push_str(&format!("{mark}{byte:02X}")),
        }
    }
    made
}

#[cfg(test)]
mod tests {
    use records::{Transcript, TranscriptObject, TranscriptStream};

    use super::transcript;

    #[test]
    fn addresses_are_of_the_partition_and_nothing_in_a_name_leads_elsewhere() {
        let made = Transcript {
            s3: Some(TranscriptObject {
                bucket: Some("logs".to_owned()),
                key: "a b/ann@example.com-0<x>&y=1.log".to_owned(),
            }),
            log_stream: Some(TranscriptStream {
                log_group: Some("/sessions".to_owned()),
                name: "ann-0".to_owned(),
            }),
            ..Transcript::default()
        };
        for (region, domain) in [
            ("eu-central-1", "console.aws.amazon.com"),
            ("cn-north-1", "console.amazonaws.cn"),
            ("us-gov-west-1", "console.amazonaws-us-gov.com"),
        ] {
            let start = format!("https://{region}.{domain}");
            let expected = [
                (
                    "S3",
                    format!(
                        "{start}/s3/object/logs?region={region}&prefix=a%20b%2Fann%40example.com-0%3Cx%3E%26y%3D1.log"
                    ),
                ),
                (
                    "CloudWatch Logs",
                    format!(
                        "{start}/cloudwatch/home?region={region}#logsV2:log-groups/log-group/$252Fsessions/log-events/ann-0"
                    ),
                ),
            ];
            assert_eq!(transcript(&made, region), expected);
        }
        assert_eq!(transcript(&made, "us-iso-east-1"), []);
        assert_eq!(transcript(&made, "x/y"), []);
    }
}
