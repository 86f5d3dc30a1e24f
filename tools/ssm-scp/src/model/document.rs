//! Policy documents of principals, each kept once: an organization has hundreds of thousands of roles, and most have the same few.

use std::borrow::Borrow;
use std::cell::RefCell;
use std::collections::HashSet;
use std::ops::Deref;
use std::rc::Rc;

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::Value;

/// A policy as it was read, which others may have, too.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) struct Document(Rc<Value>);

impl Deref for Document {
    type Target = Value;

    fn deref(&self) -> &Value {
        &self.0
    }
}

impl Borrow<Value> for Document {
    fn borrow(&self) -> &Value {
        &self.0
    }
}

impl From<Value> for Document {
    fn from(value: Value) -> Document {
        Document(Rc::new(value))
    }
}

impl Serialize for Document {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        self.0.serialize(serializer)
    }
}

impl<'de> Deserialize<'de> for Document {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Document, D::Error> {
        Value::deserialize(deserializer).map(Document::from)
    }
}

/// All documents that were read so far.
#[derive(Debug, Default)]
pub(crate) struct Documents(RefCell<HashSet<Document>>);

impl Documents {
    /// Returns the document with this content that is there already, or adds it.
    pub(crate) fn shared(&self, value: Value) -> Document {
        let mut known = self.0.borrow_mut();
        if let Some(document) = known.get(&value) {
            return document.clone();
        }
        let document = Document::from(value);
        known.insert(document.clone());
        document
    }
}

#[cfg(test)]
mod tests {
    use std::rc::Rc;

    use serde_json::json;

    use super::Documents;

    #[test]
    fn what_is_the_same_is_kept_once() {
        let documents = Documents::default();
        let [one, same, other] = [
            json!({"a": [1, 2]}),
            json!({"a": [1, 2]}),
            json!({"a": [2, 1]}),
        ]
        .map(|value| documents.shared(value));
        assert!(Rc::ptr_eq(&one.0, &same.0));
        assert_ne!(one, other);
        assert_eq!(documents.0.borrow().len(), 2);
    }
}
