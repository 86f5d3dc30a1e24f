//! `send` and the Lambda function to a service or a proxy that repeats what is secret: nothing of it is printed or kept.

use serde_json::json;
use testbed::Reply;

use crate::destinations::{CANARIES, Scene};
use crate::sending::event;
use crate::{DESIRED, WEBHOOK, account, tool};

/// What they answer, in each spelling; `{}` is what the request asks for.
const ANSWERS: [(u16, &str); 10] = [
    (404, "Cannot POST {}"),
    (403, "<h1>example.com{} is blocked</h1>"),
    (404, r#"{"path": "{json}"}"#),
    (403, r#"{"path": "{unicode}"}"#),
    (403, "url={percent}&reason=blocked"),
    (404, "url={twice}"),
    (404, "<p>No {html} here</p>"),
    (404, "no hook {last}"),
    (503, "upstream {} failed"),
    (400, "invalid_blocks in {}"),
];

fn spelled(text: &str, path: &str) -> &'static str {
    let percent = path.replace('/', "%2F");
    let text = text
        .replace("{json}", &path.replace('/', "\\/"))
        .replace("{unicode}", &path.replace('/', "\\u002f"))
        .replace("{twice}", &percent.replace('%', "%25"))
        .replace("{percent}", &percent)
        .replace("{last}", path.rsplit('/').next().unwrap())
        .replace("{html}", &path.replace('/', "&#x2F;"))
        .replace("{}", path);
    Box::leak(text.into_boxed_str())
}

#[test]
fn no_part_of_a_secret_that_an_answer_repeats_is_printed_or_kept() {
    for scene in Scene::all() {
        let path = match scene.name {
            "webhook" => "/services/T0/B0/c4n4ry",
            "bot" => "/api/chat.postMessage/xoxb-b0t",
            _ => "/hooks/c4n4ry?key=r0ut1ng&token=h34d3r",
        };
        for (index, (status, text)) in ANSWERS.into_iter().enumerate() {
            let text = spelled(text, path);
            scene.service.always(Reply::Status(status, text));
            // Its streams are looked at by the scene.
            let said = scene.send(&event(&format!("e-{index}")), &["--retry-for", "0"]);
            said.assert_status(2);
            let whole = format!("{}{}", said.stdout, said.stderr);
            assert!(whole.contains(&format!("HTTP {status} ")), "{whole}");
        }
        for name in ["deliveries.jsonl", "queue.jsonl"] {
            let kept = std::fs::read_to_string(scene.spool().join(name)).unwrap();
            for canary in CANARIES {
                assert!(!kept.contains(canary), "{} {name}: {kept}", scene.name);
            }
        }
    }
}

/// A value that AWS refuses it may quote.
#[test]
fn what_eventbridge_repeats_of_the_webhook_is_not_printed() {
    let account = account();
    let plan = tool(&account, &["plan"]).stdin(DESIRED).run();
    let message = format!("Value '{WEBHOOK}' at 'invocationEndpoint' failed to satisfy constraint");
    account.fault(json!({"service": "events", "operation": "CreateApiDestination", "kind": "error", "status": 400,
        "code": "ValidationException", "message": message, "times": -1}));
    let applied = tool(&account, &["apply"]).stdin(plan.stdout).run();
    applied.assert_status(2);
    let whole = format!("{}{}", applied.stdout, applied.stderr);
    assert!(
        whole.contains("ValidationException: Value '..' at"),
        "{whole}"
    );
    assert!(!whole.contains("c4n4ry"), "{whole}");
}
