//! CSAF 2.0 documents, of the profiles security advisory and VEX, as Red Hat and SUSE publish them.
//! <https://docs.oasis-open.org/csaf/csaf/v2.0/csaf-v2.0.html>

use std::collections::{BTreeSet, HashMap};

use anyhow::Context;
use serde::Deserialize;

use super::Reader;
use super::csaf_names::{of_cpe, of_module, of_suse_component, of_suse_product};
use crate::model::advisory::{Advisory, Affected, Event, Line, Scope, is_no_vulnerability, names};
use crate::model::distribution::Ecosystem;
use crate::model::package::{Package, stream};
use crate::model::severity::Severity;

#[derive(Deserialize)]
struct Csaf {
    document: Document,
    #[serde(default)]
    product_tree: Tree,
    #[serde(default)]
    vulnerabilities: Vec<Vulnerability>,
}

#[derive(Deserialize)]
struct Document {
    #[serde(default)]
    title: String,
    aggregate_severity: Option<Text>,
    #[serde(default)]
    references: Vec<Reference>,
    tracking: Tracking,
}

#[derive(Deserialize)]
struct Text {
    text: String,
}

#[derive(Deserialize)]
struct Reference {
    category: Option<String>,
    url: Option<String>,
}

#[derive(Deserialize)]
struct Tracking {
    id: String,
    current_release_date: Option<String>,
}

#[derive(Default, Deserialize)]
struct Tree {
    #[serde(default)]
    branches: Vec<Branch>,
    #[serde(default)]
    relationships: Vec<Relationship>,
}

#[derive(Deserialize)]
struct Branch {
    #[serde(default)]
    branches: Vec<Branch>,
    product: Option<Product>,
}

#[derive(Deserialize)]
struct Product {
    product_id: String,
    product_identification_helper: Option<Helper>,
}

#[derive(Deserialize)]
struct Helper {
    cpe: Option<String>,
    purl: Option<String>,
}

#[derive(Deserialize)]
struct Relationship {
    product_reference: String,
    relates_to_product_reference: String,
    full_product_name: Product,
}

#[derive(Deserialize)]
struct Vulnerability {
    cve: Option<String>,
    title: Option<String>,
    #[serde(default)]
    product_status: Status,
    #[serde(default)]
    scores: Vec<Score>,
    #[serde(default)]
    threats: Vec<Threat>,
}

#[derive(Default, Deserialize)]
struct Status {
    #[serde(default)]
    fixed: Vec<String>,
    /// SUSE's word for products that have the fix.
    #[serde(default)]
    recommended: Vec<String>,
    #[serde(default)]
    first_fixed: Vec<String>,
    #[serde(default)]
    known_affected: Vec<String>,
    /// Versions between which all are affected; who publishes of a distribution names what is fixed instead.
    #[serde(default)]
    first_affected: Vec<String>,
    #[serde(default)]
    last_affected: Vec<String>,
}

#[derive(Deserialize)]
struct Score {
    cvss_v2: Option<Vector>,
    cvss_v3: Option<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    #[serde(rename = "vectorString")]
    vector_string: String,
}

#[derive(Deserialize)]
struct Threat {
    category: String,
    details: String,
}

/// The products of a document by their IDs.
#[derive(Default)]
struct Products<'a> {
    cpes: HashMap<&'a str, &'a str>,
    purls: HashMap<&'a str, &'a str>,
    /// Which component of which product an ID is.
    parts: HashMap<&'a str, (&'a str, &'a str)>,
}

pub(super) fn read(
    reader: &mut Reader<'_>,
    text: &str,
    each: &mut dyn FnMut(Advisory),
) -> anyhow::Result<()> {
    let csaf: Csaf = serde_json::from_str(text).context("it is not CSAF as its schema has it")?;
    let document = &csaf.document;
    if is_no_vulnerability(&document.tracking.id) {
        return Ok(());
    }
    let mut products = Products::default();
    csaf.product_tree
        .branches
        .iter()
        .for_each(|branch| products.add(branch));
    for one in &csaf.product_tree.relationships {
        products.add_product(&one.full_product_name);
        let parts = (
            one.product_reference.as_str(),
            one.relates_to_product_reference.as_str(),
        );
        products
            .parts
            .insert(&one.full_product_name.product_id, parts);
    }
    let day = document.tracking.current_release_date.as_deref();
    let is_self = |one: &&Reference| one.category.as_deref() == Some("self");
    let url = document
        .references
        .iter()
        .find(is_self)
        .and_then(|one| one.url.clone())
        .unwrap_or_default();
    // Of a security advisory the vulnerabilities share the packages, so that one advisory comes of all.
    let (mut affected, mut cves, mut title) = (Vec::new(), Vec::new(), document.title.clone());
    for vulnerability in &csaf.vulnerabilities {
        cves.extend(vulnerability.cve.as_deref());
        if title.is_empty() {
            title = vulnerability.title.clone().unwrap_or_default();
        }
        let severity = severity(document, vulnerability);
        let status = &vulnerability.product_status;
        let fixed = status
            .fixed
            .iter()
            .chain(&status.recommended)
            .chain(&status.first_fixed);
        let mut seen = BTreeSet::new();
        for (id, is_fixed) in fixed
            .map(|id| (id, true))
            .chain(status.known_affected.iter().map(|id| (id, false)))
        {
            let Some((ecosystem, package)) = products.resolve(id) else {
                continue;
            };
            // A fix without its version says nothing.
            if !is_fixed || !package.version.is_empty() {
                reader.cover(&ecosystem, day);
            }
            for name in [&package.name, &package.source.name] {
                let fixed =
                    (is_fixed && !package.version.is_empty()).then(|| package.version.clone());
                let is_new = seen.insert((
                    ecosystem.clone(),
                    name.clone(),
                    fixed.clone(),
                    package.module.clone(),
                ));
                let is_usable = is_fixed == fixed.is_some();
                if is_new && is_usable && reader.wanted.has(&ecosystem.name, name) {
                    affected.push(part(&ecosystem, name, &package, fixed, &severity));
                }
            }
        }
    }
    drop_what_is_fixed(&mut affected);
    if let Some(name) = products.in_between(&csaf.vulnerabilities, reader) {
        let id = &document.tracking.id;
        let unread =
            format!("{id} names a first or last affected version of {name}, which is not read");
        reader.left_out.push(unread);
    }
    if !affected.is_empty() {
        let id = document.tracking.id.clone();
        let (cves, aliases) = names(&id, cves);
        each(Advisory {
            id,
            cves,
            aliases,
            summary: title,
            url,
            affected,
        });
    }
    Ok(())
}

fn part(
    ecosystem: &Ecosystem,
    name: &str,
    package: &Package,
    fixed: Option<String>,
    severity: &Severity,
) -> Affected {
    Affected {
        ecosystem: ecosystem.clone(),
        name: name.to_owned(),
        line: Line {
            modules: if package.module.is_empty() {
                Vec::new()
            } else {
                vec![stream(&package.module).to_owned()]
            },
            scope: Scope::Any,
        },
        ranges: vec![Event::until(fixed)],
        versions: Vec::new(),
        severity: severity.clone(),
    }
}

/// A document names what is affected by name only, also where some other version of it is fixed.
fn drop_what_is_fixed(affected: &mut Vec<Affected>) {
    let key = |one: &Affected| {
        (
            one.ecosystem.name.clone(),
            one.name.clone(),
            one.line.modules.clone(),
        )
    };
    let has_fix = |one: &&Affected| {
        one.ranges
            .iter()
            .flatten()
            .any(|event| matches!(event, Event::Fixed(_)))
    };
    let fixed: BTreeSet<_> = affected
        .iter()
        .filter(has_fix)
        .filter(|one| one.ecosystem.paid.is_none())
        .map(key)
        .collect();
    affected.retain(|one| has_fix(&one) || !fixed.contains(&key(one)));
}

fn severity(document: &Document, vulnerability: &Vulnerability) -> Severity {
    let impact = vulnerability
        .threats
        .iter()
        .filter(|one| one.category == "impact")
        .map(|one| one.details.as_str());
    let aggregate = document
        .aggregate_severity
        .iter()
        .map(|one| one.text.as_str());
    let vectors = vulnerability
        .scores
        .iter()
        .flat_map(|one| [&one.cvss_v3, &one.cvss_v2])
        .flatten();
    Severity::of(
        impact.chain(aggregate),
        vectors.map(|one| one.vector_string.as_str()),
    )
}

impl<'a> Products<'a> {
    fn add(&mut self, branch: &'a Branch) {
        branch.branches.iter().for_each(|inner| self.add(inner));
        if let Some(product) = &branch.product {
            self.add_product(product);
        }
    }

    fn add_product(&mut self, product: &'a Product) {
        let Some(helper) = &product.product_identification_helper else {
            return;
        };
        let id = product.product_id.as_str();
        if let Some(cpe) = &helper.cpe {
            self.cpes.insert(id, cpe);
        }
        if let Some(purl) = &helper.purl {
            self.purls.insert(id, purl);
        }
    }

    /// Returns a package that is installed and that a document names the first or the last affected version of.
    fn in_between(&self, all: &'a [Vulnerability], reader: &Reader<'_>) -> Option<String> {
        let status = all.iter().map(|one| &one.product_status);
        let mut ids = status.flat_map(|one| one.first_affected.iter().chain(&one.last_affected));
        ids.find_map(|id| {
            let (ecosystem, package) = self.resolve(id)?;
            let names = [package.name, package.source.name];
            let mut names = names.into_iter();
            names.find(|name| reader.wanted.has(&ecosystem.name, name))
        })
    }

    /// Returns the distribution and the package that an ID is about.
    fn resolve(&self, id: &'a str) -> Option<(Ecosystem, Package)> {
        let (component, product) = self.parts.get(id).copied().unwrap_or((id, id));
        // A package of a module is a component of the module, which is one of the distribution.
        let mut host = product;
        let mut module = None;
        while let Some((inner, outer)) = self.parts.get(host) {
            module = self.purls.get(inner).and_then(|purl| of_module(purl));
            host = outer;
        }
        let ecosystem = of_suse_product(host).or_else(|| of_cpe(self.cpes.get(host)?))?;
        let mut package = match self.purls.get(component) {
            Some(purl) => Package::of_purl(purl)?,
            None if ecosystem.name.contains("SUSE:") => of_suse_component(component)?,
            None => return None,
        };
        if package.arch == "src" {
            package.source = (package.name.clone(), package.version.clone()).into();
        }
        if let (true, Some(module)) = (package.module.is_empty(), module) {
            package.module = module;
        }
        Some((ecosystem, package))
    }
}
