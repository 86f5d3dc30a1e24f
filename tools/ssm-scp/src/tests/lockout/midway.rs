//! Plans whose end is harmless and whose way there is not, and orders of the same changes that are.

use serde_json::{Value, json};

use super::cases::{ADMIN, ALL, SESSIONS, both, but, check, deny, guard, on_w};
use super::scene::{BREAK_GLASS, C, FULL, S, Scene, W, attach, create, detach, update};

/// Returns the names of risks in between.
fn midway(risks: &[String]) -> Vec<String> {
    risks.iter().map(|risk| format!("midway:{risk}")).collect()
}

fn everything() -> Value {
    json!([deny(json!("*"), Value::Null)])
}

#[test]
fn nobody_is_locked_out_on_the_way() {
    check("denied and freed again", &midway(&both(&ALL)), |scene| {
        scene.attached("DenyAll", everything(), &[]);
        vec![attach("DenyAll", W), detach("DenyAll", W)]
    });
    check(
        "what allows is detached and attached again",
        &midway(&both(&ALL)),
        |_| vec![detach(FULL, W), attach(FULL, W)],
    );
    check(
        "two contents, the first for everybody",
        &midway(&both(&["break_glass"])),
        |scene| {
            scene.attached("guard", json!([guard(&[BREAK_GLASS, ADMIN])]), &[W]);
            let nobody = json!([deny(json!(SESSIONS), Value::Null)]);
            vec![
                update("guard", nobody),
                update("guard", json!([guard(&[BREAK_GLASS, ADMIN])])),
            ]
        },
    );
    let extended = |scene: &mut Scene| {
        scene.attached("guard", json!([guard(&[ADMIN])]), &[W]);
        scene
            .principals(C)
            .retain(|one| !one.arn.ends_with("/Admin"));
        [
            attach("guard", S),
            update("guard", json!([guard(&[ADMIN, BREAK_GLASS])])),
        ]
    };
    check(
        "attached to another unit before its exemption is there",
        &["midway:break_glass:C".to_owned()],
        |scene| extended(scene).to_vec(),
    );
    check("exempt first, then attached", &[], |scene| {
        let [attach, update] = extended(scene);
        vec![update, attach]
    });
}

#[test]
fn what_is_denied_before_and_after_is_denied_on_the_way() {
    let off = both(&["guard_off"]);
    let older = |scene: &mut Scene| {
        scene.attached("older", json!([guard(&[BREAK_GLASS])]), &[W]);
        let [create, attach]: [Value; 2] = on_w(json!([guard(&[BREAK_GLASS])])).try_into().unwrap();
        [create, attach, detach("older", W)]
    };
    check("older guard goes first", &off, |scene| {
        let [create, attach, detach] = older(scene);
        vec![create, detach, attach]
    });
    check("older guard goes last", &[], |scene| older(scene).to_vec());
    check("one guard loses what another gets later", &off, |scene| {
        scene.attached("guard", json!([guard(&[BREAK_GLASS])]), &[W]);
        let one = |action: &str| json!([deny(json!(action), but(&[BREAK_GLASS]))]);
        vec![
            update("guard", one("ssm:StartSession")),
            create("guard-2", one("ssm:SendCommand")),
            attach("guard-2", W),
        ]
    });
    // No session is started on a bucket: in the end it is denied on every resource that it has.
    check(
        "older guard goes first, the next spares buckets",
        &off,
        |scene| {
            scene.attached("older", json!([guard(&[BREAK_GLASS])]), &[W]);
            let mut next = guard(&[BREAK_GLASS]);
            next.as_object_mut().unwrap().remove("Resource");
            next["NotResource"] = json!("arn:aws:s3:::*");
            let [create, attach]: [Value; 2] = on_w(json!([next])).try_into().unwrap();
            vec![create, detach("older", W), attach]
        },
    );
    check("one guard loses what another has", &[], |scene| {
        scene.attached("guard", json!([guard(&[BREAK_GLASS])]), &[W]);
        let one = |action: &str| json!([deny(json!(action), but(&[BREAK_GLASS]))]);
        vec![
            create("guard-2", one("ssm:SendCommand")),
            attach("guard-2", W),
            update("guard", one("ssm:StartSession")),
        ]
    });
    check("in parts", &[], |_| {
        let mut changes = on_w(json!([deny(
            json!("ssm:StartSession"),
            but(&[BREAK_GLASS])
        )]));
        changes.extend([
            create(
                "guard-2",
                json!([deny(json!("ssm:SendCommand"), but(&[BREAK_GLASS]))]),
            ),
            attach("guard-2", W),
        ]);
        changes
    });
}

#[test]
fn the_change_is_named() {
    let mut scene = Scene::new();
    scene.attached("DenyAll", everything(), &[]);
    let risks = scene.judged(&[attach("DenyAll", W), detach("DenyAll", W)]);
    let first = &risks[0].message;
    let between = format!("between attach_policy:{W} and the end of the plan: ");
    assert!(
        first.starts_with(&between) && first.contains("statement Deny of DenyAll"),
        "{first}"
    );
}
