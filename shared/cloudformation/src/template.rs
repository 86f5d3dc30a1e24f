//! The parts of a template, in the order in which AWS's pages write them.
//! <https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/template-anatomy.html>

use serde_json::{Map, Value, json};

use crate::{is_mistakable, value};

/// Name of the parameter that says in which region a stack also makes what has no region.
const HOME_REGION: &str = "HomeRegion";
/// Name of the condition on it.
const IN_HOME_REGION: &str = "InHomeRegion";

/// A template that is being written.
#[derive(Clone, Debug, Default)]
pub struct Template {
    description: String,
    parameters: Map<String, Value>,
    conditions: Map<String, Value>,
    resources: Map<String, Value>,
    mistakable: Option<Mistakable>,
}

/// A resource that no template can say.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0} holds '{{{{resolve:', which CloudFormation takes for a reference to a secret")]
pub struct Mistakable(String);

/// One resource.
#[derive(Clone, Debug, Default)]
pub struct Resource {
    kind: &'static str,
    properties: Value,
    depends_on: Vec<&'static str>,
    is_kept: bool,
    is_new: bool,
    condition: Option<&'static str>,
}

impl Resource {
    /// Returns a resource of a type such as `AWS::KMS::Key` that is always made, and deleted with its stack. The properties are
    /// as AWS documents them for the type; references in their texts become functions.
    #[must_use]
    pub fn new(kind: &'static str, properties: Value) -> Resource {
        Resource {
            kind,
            properties,
            ..Resource::default()
        }
    }

    /// Returns whether it has properties; null is a resource that nobody asked for.
    #[must_use]
    pub fn is_wanted(&self) -> bool {
        !self.properties.is_null()
    }

    /// Returns the resource, made after those of these logical IDs.
    #[must_use]
    pub fn after(mut self, depends_on: &[&'static str]) -> Resource {
        self.depends_on.extend(depends_on);
        self
    }

    /// Returns the resource, kept when its stack is deleted: it holds what cannot be had again. When the creation of the
    /// stack itself is rolled back it is deleted, for then it holds nothing and would be in the way of the next try.
    /// <https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-attribute-deletionpolicy.html>
    #[must_use]
    pub fn kept(mut self) -> Resource {
        self.is_kept = true;
        self
    }

    /// Returns the resource, of a type that AWS documents and cfn-lint does not know yet: it is silenced.
    /// <https://github.com/aws-cloudformation/cfn-lint/blob/main/README.md#metadata>
    #[must_use]
    pub fn new_to_cfn_lint(mut self) -> Resource {
        self.is_new = true;
        self
    }

    /// Returns the resource, made under this condition only.
    #[must_use]
    pub fn when(mut self, condition: &'static str) -> Resource {
        self.condition = Some(condition);
        self
    }
}

impl Template {
    /// Returns a template without resources.
    #[must_use]
    pub fn new(description: &str) -> Template {
        Template {
            description: description.to_owned(),
            ..Template::default()
        }
    }

    /// Adds a parameter as AWS writes it: `{"Type": "String", ..}`.
    pub fn parameter(&mut self, name: &str, declaration: Value) {
        self.parameters.insert(name.to_owned(), declaration);
    }

    /// Adds a condition, an intrinsic function.
    pub fn condition(&mut self, name: &str, function: Value) {
        self.conditions.insert(name.to_owned(), function);
    }

    /// Returns the condition that holds in one region: there the stack makes what is of the whole account, since the stacks
    /// of two regions cannot both make it. A parameter names the region, unless it is fixed.
    pub fn home_region(&mut self, fixed: Option<&str>) -> &'static str {
        let home = match fixed {
            Some(region) => json!(region),
            None => {
                let description =
                    "Region whose stack makes what belongs to the whole account, such as roles";
                self.parameter(
                    HOME_REGION,
                    json!({ "Type": "String", "Description": description, "AllowedPattern": "[a-z]{2,}(-[a-z]+)+-\\d+" }),
                );
                json!({ "Ref": HOME_REGION })
            }
        };
        self.condition(
            IN_HOME_REGION,
            json!({ "Fn::Equals": [{ "Ref": "AWS::Region" }, home] }),
        );
        IN_HOME_REGION
    }

    /// Adds a resource under its logical ID.
    pub fn resource(&mut self, logical_id: &str, resource: Resource) {
        if is_mistakable(&resource.properties) {
            self.mistakable = Some(Mistakable(logical_id.to_owned()));
        }
        let mut written = Map::new();
        written.insert("Type".to_owned(), json!(resource.kind));
        if let Some(condition) = resource.condition {
            written.insert("Condition".to_owned(), json!(condition));
        }
        if !resource.depends_on.is_empty() {
            written.insert("DependsOn".to_owned(), json!(resource.depends_on));
        }
        if resource.is_kept {
            written.insert("DeletionPolicy".to_owned(), json!("RetainExceptOnCreate"));
            written.insert("UpdateReplacePolicy".to_owned(), json!("Retain"));
        }
        if resource.is_new {
            let known = json!({ "cfn-lint": { "config": { "ignore_checks": ["E3006"] } } });
            written.insert("Metadata".to_owned(), known);
        }
        written.insert("Properties".to_owned(), value(&resource.properties));
        self.resources
            .insert(logical_id.to_owned(), Value::Object(written));
    }

    /// Returns the template; sections without content are left out.
    ///
    /// # Errors
    /// A resource holds a text that CloudFormation would take for something else.
    pub fn finish(self) -> Result<Value, Mistakable> {
        if let Some(mistakable) = self.mistakable {
            return Err(mistakable);
        }
        let mut template = json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": self.description,
        });
        let sections = [
            ("Parameters", self.parameters),
            ("Conditions", self.conditions),
            ("Resources", self.resources),
        ];
        for (name, section) in sections {
            if !section.is_empty() {
                template[name] = Value::Object(section);
            }
        }
        Ok(template)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{Resource, Template};

    #[test]
    fn a_template_has_the_sections_that_it_needs() {
        let mut template = Template::new("Logs");
        template.resource(
            "Group",
            Resource::new("AWS::Logs::LogGroup", json!({ "LogGroupName": "x" })),
        );
        let bare = json!({
            "AWSTemplateFormatVersion": "2010-09-09",
            "Description": "Logs",
            "Resources": { "Group": { "Type": "AWS::Logs::LogGroup", "Properties": { "LogGroupName": "x" } } },
        });
        assert_eq!(template.clone().finish().unwrap(), bare);
        let home = template.home_region(None);
        let role = Resource::new("AWS::IAM::Role", json!({})).when(home);
        template.resource("Role", role.after(&["Group"]).kept());
        let full = template.finish().unwrap();
        assert_eq!(
            full["Resources"]["Role"],
            json!({
                "Type": "AWS::IAM::Role", "Condition": "InHomeRegion", "DependsOn": ["Group"],
                "DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain", "Properties": {},
            })
        );
        assert_eq!(full["Parameters"]["HomeRegion"]["Type"], "String");
    }
    #[test]
    fn a_fixed_home_region_is_no_parameter() {
        let mut template = Template::new("Trail");
        template.home_region(Some("eu-central-1"));
        let written = template.finish().unwrap();
        assert_eq!(
            written["Conditions"]["InHomeRegion"],
            json!({ "Fn::Equals": [{ "Ref": "AWS::Region" }, "eu-central-1"] })
        );
        assert!(written.get("Parameters").is_none());
    }

    #[test]
    fn refuses_text_that_would_be_taken_for_a_dynamic_reference() {
        let mut template = Template::new("Logs");
        let properties = json!({ "Content": ["echo {{resolve:ssm:x}}"] });
        template.resource(
            "Preferences",
            Resource::new("AWS::SSM::Document", properties),
        );
        let refused = template.finish().unwrap_err().to_string();
        assert!(
            refused.starts_with("Preferences holds '{{resolve:'"),
            "{refused}"
        );
    }
}
