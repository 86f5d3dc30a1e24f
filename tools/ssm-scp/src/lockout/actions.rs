//! Which actions the lock-out guard asks about, and what they mean: all that a changed statement mentions, parted into classes
//! that no statement distinguishes. Pure.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::rc::Rc;

use iam_policy::{Compiled, Context, Request, reference};
use organization::compile;
use serde_json::Value;

use super::meaning::{self, Meaning};

/// Text that no action or resource is likely to have.
const UNLIKELY: &str = "q7zkw4";

/// Who calls for a class of principals.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Caller {
    Themselves,
    /// A service.
    Service {
        /// Whether it may be one that keeps records of sessions.
        keeps_records: bool,
    },
}

/// Actions that the same statements of some policies are about, all of one meaning.
#[derive(Debug)]
pub(super) struct ActionClass {
    pub(super) meaning: Meaning,
    pub(super) actions: Vec<String>,
    /// Of each its place among all.
    places: Vec<usize>,
}

impl ActionClass {
    /// Returns the action that is asked about, for all of them.
    pub(super) fn example(&self) -> &str {
        &self.actions[0]
    }

    /// Returns whether it matters what such callers lose of them. S3 asks KMS for the key when a node uploads a transcript; but
    /// agents and operators speak to Systems Manager themselves, and to assume a role is what a person does.
    pub(super) fn is_called_by(&self, caller: Caller) -> bool {
        match (caller, self.meaning) {
            (Caller::Themselves, _) | (_, Meaning::Other) => true,
            (Caller::Service { keeps_records }, Meaning::Logging) => {
                let mut actions = self.actions.iter();
                keeps_records && actions.any(|action| action.starts_with("kms:"))
            }
            _ => false,
        }
    }
}

/// The actions, and how policies part them.
pub(super) struct Actions {
    all: Vec<(Meaning, String)>,
    /// By the address of a policy: for each action which statements are about it, as a number.
    marks: RefCell<HashMap<usize, Rc<Vec<u32>>>>,
    classes: RefCell<HashMap<PoliciesKey, Rc<Vec<ActionClass>>>>,
    /// By the text of a policy of a principal, which many may share: as `marks`, with a number of its own.
    own: RefCell<HashMap<String, (usize, Marks)>>,
    /// By the address of a class and the numbers of such policies.
    groups: RefCell<HashMap<(usize, BTreeSet<usize>), Groups>>,
}

/// The addresses of the policies of an account, and of those for its resources.
type PoliciesKey = [BTreeSet<usize>; 2];

/// For each action which statements of a policy are about it, as a number.
type Marks = Rc<Vec<u32>>;

/// Actions of a class, in groups.
pub(super) type Groups = Rc<Vec<Vec<String>>>;

impl Actions {
    /// Returns the actions that some patterns cover, and those whose meaning is known. What the reference does not have may
    /// exist, so that each pattern has an action of its own.
    pub(super) fn of(patterns: &[String]) -> Actions {
        let mut all: BTreeMap<String, (Meaning, String)> = BTreeMap::new();
        let mut add = |meaning: Meaning, name: String| {
            let lower = name.to_ascii_lowercase();
            all.entry(lower).or_insert((meaning, name));
        };
        for (meaning, names) in meaning::known() {
            for name in names {
                add(meaning, (*name).to_owned());
            }
        }
        for pattern in patterns {
            let mut is_known = false;
            for action in reference::actions(pattern) {
                is_known = true;
                add(Meaning::Other, action.full_name());
            }
            if !is_known {
                add(Meaning::Other, sample(pattern));
            }
        }
        Actions {
            all: all.into_values().collect(),
            marks: RefCell::default(),
            classes: RefCell::default(),
            own: RefCell::default(),
            groups: RefCell::default(),
        }
    }

    /// Returns the classes into which the policies of an account part the actions, those for its resources among them: whoever is
    /// spared may keep one of two actions by these. The policies must outlive this.
    pub(super) fn classes(
        &self,
        policies: &[&Compiled],
        resource_control: &[&Compiled],
    ) -> Rc<Vec<ActionClass>> {
        let address = |policy: &&Compiled| std::ptr::from_ref::<Compiled>(policy).addr();
        let key = [policies, resource_control].map(|policies| {
            let addresses: BTreeSet<usize> = policies.iter().map(address).collect();
            addresses
        });
        if let Some(classes) = self.classes.borrow().get(&key) {
            return Rc::clone(classes);
        }
        let marks = |policies: &[&Compiled]| -> Vec<Marks> {
            let policies = policies.iter();
            let marks = policies.map(|policy| self.marks(address(policy), policy));
            marks.collect()
        };
        let (marks, of_resources) = (marks(policies), marks(resource_control));
        let mut classes: BTreeMap<(Meaning, Vec<u32>), ActionClass> = BTreeMap::new();
        for (index, (meaning, name)) in self.all.iter().enumerate() {
            // They say nothing of actions that none of them governs.
            let governs = || {
                let request = Request::on_unknown_resource(name, Context::partial());
                request.is_resource_controlled()
            };
            let of_resources = match !of_resources.is_empty() && governs() {
                true => of_resources.as_slice(),
                false => &[],
            };
            let marks = marks.iter().chain(of_resources);
            let marks = marks.map(|marks| marks[index]).collect();
            let class = classes
                .entry((*meaning, marks))
                .or_insert_with(|| ActionClass {
                    meaning: *meaning,
                    actions: Vec::new(),
                    places: Vec::new(),
                });
            class.actions.push(name.clone());
            class.places.push(index);
        }
        let classes = Rc::new(classes.into_values().collect::<Vec<_>>());
        self.classes.borrow_mut().insert(key, Rc::clone(&classes));
        classes
    }

    fn marks(&self, address: usize, policy: &Compiled) -> Marks {
        if let Some(marks) = self.marks.borrow().get(&address) {
            return Rc::clone(marks);
        }
        let marks = Rc::new(self.numbered(policy, true));
        self.marks.borrow_mut().insert(address, Rc::clone(&marks));
        marks
    }

    /// Returns for each action which statements of a policy are about it, as a number. What those that are about some resources
    /// take of an action, goes by the types of resources that it has.
    fn numbered(&self, policy: &Compiled, by_types: bool) -> Vec<u32> {
        let some: Vec<bool> = policy.statements_about_some_resources().collect();
        let mut numbers: HashMap<(Vec<bool>, Vec<&str>), u32> = HashMap::new();
        let marks = self.all.iter().map(|(_, name)| {
            let next = numbers.len() as u32;
            let about: Vec<bool> = policy.statements_about(name).collect();
            let mut pairs = about.iter().zip(&some);
            let types = match by_types && pairs.any(|(about, some)| *about && *some) {
                true => types(name),
                false => Vec::new(),
            };
            *numbers.entry((about, types)).or_insert(next)
        });
        marks.collect()
    }

    /// Returns the actions of a class in groups that no statement of some documents distinguishes. What is not a policy parts
    /// nothing.
    pub(super) fn parted<'d>(
        &self,
        class: &ActionClass,
        documents: impl Iterator<Item = &'d Value>,
    ) -> Groups {
        let marks: BTreeMap<usize, Rc<Vec<u32>>> = documents
            .filter_map(|document| self.own_marks(&document.to_string()))
            .collect();
        let key = (
            class.actions.as_ptr().addr(),
            marks.keys().copied().collect(),
        );
        if let Some(groups) = self.groups.borrow().get(&key) {
            return Rc::clone(groups);
        }
        let mut groups: BTreeMap<Vec<u32>, Vec<String>> = BTreeMap::new();
        for (action, place) in class.actions.iter().zip(&class.places) {
            let marks = marks.values().map(|marks| marks[*place]).collect();
            groups.entry(marks).or_default().push(action.clone());
        }
        let groups: Groups = Rc::new(groups.into_values().collect());
        self.groups.borrow_mut().insert(key, Rc::clone(&groups));
        groups
    }

    fn own_marks(&self, text: &str) -> Option<(usize, Rc<Vec<u32>>)> {
        if let Some((number, marks)) = self.own.borrow().get(text) {
            return Some((*number, Rc::clone(marks)));
        }
        let marks = Rc::new(self.numbered(&compile("", text).ok()?, false));
        let mut own = self.own.borrow_mut();
        let number = own.len();
        own.insert(text.to_owned(), (number, Rc::clone(&marks)));
        Some((number, marks))
    }
}

fn types(action: &str) -> Vec<&'static str> {
    let types = reference::action(action).map_or(&[][..], |action| &action.resources);
    types.iter().map(|one| one.of.arn).collect()
}

/// Returns actions in words: single ones by name, more of a service by their number.
pub(super) fn in_words<'a>(actions: impl Iterator<Item = &'a str>) -> String {
    const MOST: usize = 5;
    let mut services: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for action in actions {
        let service = action.split(':').next().unwrap_or_default();
        services.entry(service).or_default().push(action);
    }
    let mut words: Vec<String> = services
        .iter()
        .take(MOST)
        .map(|(service, actions)| match actions.as_slice() {
            [one] => (*one).to_owned(),
            [one, two] => format!("{one}, {two}"),
            several => format!("{} actions of {service}", several.len()),
        })
        .collect();
    if services.len() > MOST {
        words.push(format!("those of {} more services", services.len() - MOST));
    }
    words.join(", ")
}

/// Returns an action that a pattern covers and that no narrower one does.
pub(super) fn sample(pattern: &str) -> String {
    match pattern.contains(':') {
        true => filled(pattern),
        false => format!("{UNLIKELY}:{UNLIKELY}"),
    }
}

/// Returns a resource that a pattern matches, in an account.
pub(crate) fn resource(pattern: &str, account: &str) -> String {
    let mut parts: Vec<String> = pattern.splitn(6, ':').map(str::to_owned).collect();
    if let Some(part) = parts.get_mut(4).filter(|part| *part == "*") {
        account.clone_into(part);
    }
    filled(&parts.join(":"))
}

/// Returns a text that a pattern matches.
pub(super) fn filled(pattern: &str) -> String {
    pattern.replace('*', UNLIKELY).replace('?', "q")
}

#[cfg(test)]
mod tests {
    use iam_policy::Compiled;
    use organization::compile;

    use super::{Actions, Meaning, in_words, resource, sample};

    fn policy(statement: &str) -> Compiled {
        let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statement}]}}"#);
        compile("p", &text).unwrap()
    }

    #[test]
    fn actions_that_no_statement_distinguishes_are_one_class() {
        let patterns = ["*".to_owned(), "newservice:Get*".to_owned()];
        let actions = Actions::of(&patterns);
        let all = policy(r#"{"Effect":"Deny","Action":"*","Resource":"*"}"#);
        let of = |policies: &[&Compiled], meaning: Meaning| -> Vec<usize> {
            let classes = actions.classes(policies, &[]);
            let classes = classes.iter().filter(|class| class.meaning == meaning);
            classes.map(|class| class.actions.len()).collect()
        };
        assert_eq!(of(&[&all], Meaning::Becoming), [5]);
        let other = of(&[&all], Meaning::Other);
        assert!(other.len() == 1 && other[0] > 10_000, "{other:?}");
        let reads =
            policy(r#"{"Effect":"Deny","Action":["s3:Get*","sts:TagSession"],"Resource":"*"}"#);
        assert_eq!(of(&[&all, &reads], Meaning::Becoming), [4, 1]);
        assert_eq!(of(&[&all, &reads], Meaning::Other).len(), 2);
        // Roles, users and whatever else IAM has are types of their own.
        let roles =
            r#"{"Effect":"Deny","Action":"iam:DeleteRo*","Resource":"arn:aws:iam::*:role/x"}"#;
        assert_eq!(of(&[&all, &policy(roles)], Meaning::Other).len(), 2);
        let both = roles.replace("DeleteRo*", "Delete*");
        assert!(of(&[&all, &policy(&both)], Meaning::Other).len() > 5);
        let everywhere = both.replace("arn:aws:iam::*:role/x", "*");
        assert_eq!(of(&[&all, &policy(&everywhere)], Meaning::Other).len(), 2);
        // A resource control policy governs a few services, and S3 is one of them.
        let classes = actions.classes(&[&all], &[&all, &reads]);
        let class = |action: &str| {
            let mut classes = classes.iter();
            classes.position(|class| class.actions.iter().any(|one| one == action))
        };
        assert_ne!(class("s3:GetObject"), class("s3:DeleteObject"));
        assert_ne!(class("s3:DeleteObject"), class("iam:DeleteRole"));
        assert_eq!(class("iam:DeleteRole"), class("ec2:RunInstances"));
    }

    #[test]
    fn many_actions_are_reported_by_their_service() {
        let actions = ["iam:GetRole", "s3:A", "s3:B", "s3:C"];
        assert_eq!(
            in_words(actions.into_iter()),
            "iam:GetRole, 3 actions of s3"
        );
        let many = ["a:x", "b:x", "c:x", "d:x", "e:x", "f:x", "g:x"];
        assert_eq!(
            in_words(many.into_iter()),
            "a:x, b:x, c:x, d:x, e:x, those of 2 more services"
        );
    }

    #[test]
    fn samples_match_their_pattern() {
        assert_eq!(sample("*"), "q7zkw4:q7zkw4");
        assert_eq!(sample("s3:Get*"), "s3:Getq7zkw4");
        assert_eq!(sample("s3:?etObject"), "s3:qetObject");
        assert_eq!(
            resource("arn:aws:iam::*:role/ssm/*", "111122223333"),
            "arn:aws:iam::111122223333:role/ssm/q7zkw4"
        );
        assert_eq!(resource("*", "111122223333"), "q7zkw4");
    }
}
