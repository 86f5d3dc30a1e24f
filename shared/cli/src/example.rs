//! `--generate example`: a desired state with all of its fields. The values are the tool's; what stands above each is what its JSON
//! Schema says of it, so that there is one description of a field.

use serde_json::Value;

/// Columns of a comment.
const WIDTH: usize = 110;

/// In front of the key of a field that cannot be there together with the others: it is printed as a comment.
const INSTEAD: &str = "//";

/// Returns the example; `document` is the JSON Schema of the tool, in which the desired state is called `desired`.
pub(crate) fn render(document: &Value, values: &Value) -> String {
    let mut page = Page {
        document,
        text: String::new(),
    };
    let desired = page.resolve(&document["$defs"]["desired"]);
    page.comment(0, desired);
    page.value(0, "", desired, values);
    page.text.push('\n');
    page.text
}

struct Page<'d> {
    document: &'d Value,
    text: String,
}

impl<'d> Page<'d> {
    /// Returns what a schema refers to, besides null.
    fn resolve(&self, schema: &'d Value) -> &'d Value {
        let choice = schema["anyOf"].as_array();
        let other = choice.and_then(|all| all.iter().find(|one| one["type"] != "null"));
        let reference = other.unwrap_or(schema)["$ref"].as_str();
        let target = reference.and_then(|to| self.document.pointer(to.strip_prefix('#')?));
        match target {
            Some(target) => self.resolve(target),
            None => schema,
        }
    }

    fn comment(&mut self, depth: usize, schema: &Value) {
        let text = schema["description"].as_str().unwrap_or_default();
        self.lines(depth, text);
    }

    fn lines(&mut self, depth: usize, text: &str) {
        let head = format!("{}// ", "  ".repeat(depth));
        for paragraph in text.split("\n\n").filter(|paragraph| !paragraph.is_empty()) {
            let one_line = paragraph.replace('\n', " ");
            let options = textwrap::Options::new(WIDTH)
                .initial_indent(&head)
                .subsequent_indent(&head);
            let options = options
                .word_splitter(textwrap::WordSplitter::NoHyphenation)
                .break_words(false);
            self.text.push_str(&textwrap::fill(&one_line, options));
            self.text.push('\n');
        }
    }

    /// Says of a field what it is for, which values it may have, and which it has where it is left out.
    fn describe(&mut self, depth: usize, field: &'d Value) {
        let kind = self.resolve(field);
        let described = match field["description"].is_string() {
            true => field,
            false => kind,
        };
        self.comment(depth, described);
        let items = self.resolve(if kind["items"].is_object() {
            &kind["items"]
        } else {
            kind
        });
        let mut facts = Vec::new();
        for one in items["oneOf"].as_array().into_iter().flatten() {
            let (Some(name), Some(what)) = (one["const"].as_str(), one["description"].as_str())
            else {
                continue;
            };
            facts.push(format!("{name}: {}", what.replace('\n', " ")));
        }
        let names: Vec<&str> = items["enum"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
            .collect();
        if !names.is_empty() {
            facts.push(format!("One of {}.", names.join(", ")));
        }
        let default = &field["default"];
        if !default.is_null() && !default.is_object() {
            facts.push(format!("By default {default}."));
        }
        for fact in facts {
            self.lines(depth, &fact);
        }
    }

    /// Writes a value, with `mark` in front of each further line.
    fn value(&mut self, depth: usize, mark: &str, schema: &'d Value, value: &Value) {
        let schema = self.resolve(schema);
        match value {
            Value::Object(fields) if !fields.is_empty() => {
                self.text.push_str("{\n");
                let last = fields.keys().next_back();
                for (key, inner) in fields {
                    self.field(depth + 1, mark, schema, (key, inner), Some(key) == last);
                }
                self.text
                    .push_str(&format!("{mark}{}}}", "  ".repeat(depth)));
            }
            Value::Array(items) if items.iter().any(Value::is_object) => {
                self.text.push('[');
                for (index, item) in items.iter().enumerate() {
                    self.text.push_str(if index == 0 { "" } else { ", " });
                    self.value(depth, mark, &schema["items"], item);
                }
                self.text.push(']');
            }
            Value::Array(items) => {
                let items: Vec<String> = items.iter().map(Value::to_string).collect();
                self.text.push_str(&format!("[{}]", items.join(", ")));
            }
            leaf => self.text.push_str(&leaf.to_string()),
        }
    }

    fn field(
        &mut self,
        depth: usize,
        mark: &str,
        schema: &'d Value,
        (key, value): (&str, &Value),
        is_last: bool,
    ) {
        let instead = key.strip_prefix(INSTEAD);
        let key = instead.unwrap_or(key);
        let mark = if instead.is_some() { INSTEAD } else { mark };
        let field = match schema["properties"].get(key) {
            Some(field) => field,
            None => self.variant(schema, key),
        };
        self.describe(depth, field);
        self.text.push_str(&format!(
            "{mark}{}{}: ",
            "  ".repeat(depth),
            Value::from(key)
        ));
        self.value(depth, mark, field, value);
        // One that is a comment is a field by taking the mark away: what is behind it must fit.
        let is_last = is_last && instead.is_none();
        self.text.push_str(if is_last { "\n" } else { ",\n" });
    }

    /// Returns the schema of a key that is one of several, or any.
    fn variant(&self, schema: &'d Value, key: &str) -> &'d Value {
        let variants = schema["oneOf"].as_array().into_iter().flatten();
        let mut fields = variants.filter_map(|one| Some((one, one["properties"].get(key)?)));
        match fields.next() {
            Some((_, field)) if field["description"].is_string() => field,
            Some((one, _)) => one,
            None => &schema["additionalProperties"],
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::render;

    #[test]
    fn fields_have_what_their_schema_says_above_them() {
        let document = json!({"$defs": {
            "desired": {"$ref": "#/$defs/Desired"},
            "Desired": {"description": "What is wanted.", "properties": {
                "name": {"description": "Its name.", "type": "string", "default": "x"},
                "key": {"anyOf": [{"$ref": "#/$defs/Key"}, {"type": "null"}], "description": "The key."},
                "ways": {"items": {"$ref": "#/$defs/Way"}, "type": "array"}}},
            "Key": {"description": "A key.", "properties": {"alias": {"description": "An alias."}, "arn": {"description": "Or an ARN."}}},
            "Way": {"oneOf": [{"const": "a", "description": "The one."}, {"const": "b", "description": "The\nother."}]},
        }});
        let values =
            json!({"name": "y", "key": {"alias": "z", "//arn": {"deep": [1]}}, "ways": ["a"]});
        let expected = r#"// What is wanted.
{
  // Its name.
  // By default "x".
  "name": "y",
  // The key.
  "key": {
    // An alias.
    "alias": "z",
    // Or an ARN.
//    "arn": {
//      "deep": [1]
//    },
  },
  // a: The one.
  // b: The other.
  "ways": ["a"]
}
"#;
        assert_eq!(render(&document, &values), expected);
    }
}
