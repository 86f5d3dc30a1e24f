//! Plans that do the same in several accounts and regions: the first is shown, of the others only where they are.

use serde_json::Value;

use super::alike::Place;
use super::plan::plan;
use crate::screen::{Screen, Tone};

/// The plans that were shown, each without the names of its account and region, and with its place.
#[derive(Debug, Default)]
pub(crate) struct Plans(Vec<(String, Place)>);

impl Plans {
    /// Returns the text of a plan.
    pub(crate) fn render(&mut self, record: &Value, screen: Screen) -> String {
        // As wide as it is: a name that is longer would wrap the same line elsewhere.
        let wide = plan(record, Screen::default());
        let Some((head, body)) = wide.split_once('\n') else {
            return plan(record, screen);
        };
        let place = Place::of(&record["target"]);
        let body = place.anywhere(body);
        match self.0.iter().find(|(known, _)| *known == body) {
            Some((_, before)) => {
                let head = screen.paint(Tone::Strong, head);
                let same = format!(
                    "the same changes as in {before}, but for the names of the account and the region"
                );
                format!("{head}\n{}", screen.wrap("  ", 2, &same))
            }
            None => {
                self.0.push((body, place));
                plan(record, screen)
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::Plans;
    use crate::screen::Screen;

    fn plan(account: &str, region: &str, days: u32) -> Value {
        let arn = format!("arn:aws:kms:{region}:{account}:alias/x");
        json!({"kind": "plan", "tool": "ssm-x", "target": {"account": account, "region": region}, "changes": [
            {"id": "a", "action": "make", "resource": "x", "from": null, "to": {"arn": arn, "days": days}, "why": "it is missing"}]})
    }

    #[test]
    fn what_many_plans_do_is_shown_once() {
        let mut plans = Plans::default();
        let mut shown = |account: &str, region: &str, days: u32| {
            plans.render(&plan(account, region, days), Screen::default())
        };
        let first = shown("111122223333", "eu-west-1", 7);
        assert!(
            first.contains("arn:aws:kms:eu-west-1:111122223333:alias/x"),
            "{first}"
        );
        for (account, region) in [("111122223333", "us-east-1"), ("444455556666", "eu-west-1")] {
            let expected = format!(
                "ssm-x {account}/{region}: 1 change\n  the same changes as in 111122223333/eu-west-1, but for the names of the \
                 account and the region"
            );
            assert_eq!(shown(account, region, 7), expected);
        }
        // What differs in anything else is there to be read.
        let other = shown("111122223333", "us-west-2", 8);
        assert!(other.contains("days: 8"), "{other}");
        let nothing = json!({"kind": "plan", "tool": "ssm-x", "target": {"account": "1", "region": "r"}, "changes": []});
        for _ in 0..2 {
            let text = plans.render(&nothing, Screen::default());
            assert_eq!(text, "ssm-x 1/r: nothing to change");
        }
    }

    /// A plan that names the region of another one does something else.
    #[test]
    fn a_plan_that_names_another_place_is_shown() {
        let mut plans = Plans::default();
        let first = plan("111122223333", "eu-west-1", 7);
        let mut second = plan("111122223333", "us-east-1", 7);
        second["changes"] = first["changes"].clone();
        let shown = [first, second].map(|plan| plans.render(&plan, Screen::default()));
        assert!(
            shown.iter().all(|text| text.contains("alias/x")),
            "{shown:?}"
        );
    }
}
