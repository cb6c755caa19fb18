//! Bills of materials: what an image is made of, as CycloneDX or SPDX says it in JSON.
//!
//! Touches: the bytes of one document. Source: CycloneDX 1.2 and later, ECMA-424; SPDX 2.2 and 2.3.
//! Never: believes a bill; the release that names its digest was signed.

use crate::limits::{BILL_COMPONENTS_MAX, BILL_TEXT_BYTES_MAX};
use serde::Deserialize;

/// A part that a bill names.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) name: String,
    /// Empty if the bill does not say.
    pub(crate) version: String,
    /// As it is written there, several with blanks between; empty if the bill does not say.
    pub(crate) licence: String,
    /// Its package URL; empty if the bill does not say.
    pub(crate) purl: String,
}

/// Why a document is not taken for a bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BillError {
    #[error("it is no CycloneDX 1.2 or later and no SPDX 2, in JSON")]
    Form,
    #[error("it names a component without a name")]
    Nameless,
    #[error("it names more than {BILL_COMPONENTS_MAX} components")]
    TooMany,
    #[error("a name, version or licence in it has more than {BILL_TEXT_BYTES_MAX} bytes")]
    TooLong,
}

/// Which form a document has. What both forms name is never in one document.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Head {
    bom_format: Option<String>,
    spec_version: Option<String>,
    spdx_version: Option<String>,
}

/// The parts that a bill names, each as often as it does.
pub(crate) fn parts(bytes: &[u8]) -> Result<Vec<Part>, BillError> {
    let head: Head = read(bytes)?;
    let parts = match head {
        Head { bom_format: Some(form), spec_version: Some(version), spdx_version: None }
            if form == "CycloneDX" && is_since_1_2(&version) =>
        {
            let CycloneDx { metadata, components } = read(bytes)?;
            let mut parts = Vec::new();
            metadata.and_then(|about| about.component).into_iter().for_each(|one| one.flatten(&mut parts));
            components.into_iter().for_each(|one| one.flatten(&mut parts));
            parts
        }
        Head { bom_format: None, spdx_version: Some(version), .. }
            if ["SPDX-2.2", "SPDX-2.3"].contains(&version.as_str()) =>
        {
            read::<Spdx>(bytes)?.packages.into_iter().map(Package::part).collect()
        }
        _ => return Err(BillError::Form),
    };
    let texts = |part: &Part| [part.name.len(), part.version.len(), part.licence.len(), part.purl.len()];
    match &parts {
        parts if parts.len() > BILL_COMPONENTS_MAX => Err(BillError::TooMany),
        parts if parts.iter().any(|part| part.name.is_empty()) => Err(BillError::Nameless),
        parts if parts.iter().flat_map(texts).any(|len| len > BILL_TEXT_BYTES_MAX) => Err(BillError::TooLong),
        _ => Ok(parts),
    }
}

fn read<'de, T: Deserialize<'de>>(bytes: &'de [u8]) -> Result<T, BillError> {
    serde_json::from_slice(bytes).map_err(|_| BillError::Form)
}

fn is_since_1_2(version: &str) -> bool {
    version.strip_prefix("1.").and_then(|minor| minor.parse::<u8>().ok()).is_some_and(|minor| minor >= 2)
}

#[derive(Deserialize)]
struct CycloneDx {
    metadata: Option<Metadata>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Metadata {
    component: Option<Component>,
}

#[derive(Deserialize)]
struct Component {
    name: String,
    #[serde(default)]
    version: String,
    #[serde(default)]
    purl: String,
    #[serde(default)]
    licenses: Vec<Licence>,
    #[serde(default)]
    components: Vec<Component>,
}

#[derive(Deserialize)]
struct Licence {
    license: Option<Named>,
    expression: Option<String>,
}

#[derive(Deserialize)]
struct Named {
    id: Option<String>,
    name: Option<String>,
}

impl Component {
    /// This one and those inside it.
    fn flatten(self, into: &mut Vec<Part>) {
        let Self { name, version, purl, licenses, components } = self;
        let licence = |Licence { license, expression }: Licence| {
            expression.or_else(|| license.and_then(|named| named.id.or(named.name)))
        };
        let licences: Vec<String> = licenses.into_iter().filter_map(licence).collect();
        into.push(Part { name, version, licence: licences.join(" "), purl });
        components.into_iter().for_each(|one| one.flatten(into));
    }
}

#[derive(Deserialize)]
struct Spdx {
    #[serde(default)]
    packages: Vec<Package>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Package {
    name: String,
    #[serde(default)]
    version_info: String,
    #[serde(default)]
    license_concluded: String,
    #[serde(default)]
    license_declared: String,
    #[serde(default)]
    external_refs: Vec<Reference>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reference {
    reference_type: String,
    reference_locator: String,
}

impl Package {
    fn part(self) -> Part {
        // What was found stands above what was declared; both may say that nobody knows.
        let says = |licence: &String| !["", "NOASSERTION", "NONE"].contains(&licence.as_str());
        let licence = [self.license_concluded, self.license_declared].into_iter().find(says);
        let purl = self.external_refs.into_iter().find(|one| one.reference_type == "purl");
        Part {
            name: self.name,
            version: self.version_info,
            licence: licence.unwrap_or_default(),
            purl: purl.map_or_else(String::new, |one| one.reference_locator),
        }
    }
}

/// The names in a licence expression, in lower case, each between blanks: what a search looks for.
pub(crate) fn sought(licence: &str) -> String {
    let is_name = |c: char| c.is_ascii_alphanumeric() || "-.+".contains(c);
    let names = licence.split(|c| !is_name(c)).filter(|word| !word.is_empty());
    let names = names.filter(|word| !["AND", "OR", "WITH"].contains(word));
    names.fold(" ".to_owned(), |all, name| format!("{all}{} ", name.to_ascii_lowercase()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn part(name: &str, version: &str, licence: &str, purl: &str) -> Part {
        let [name, version, licence, purl] = [name, version, licence, purl].map(str::to_owned);
        Part { name, version, licence, purl }
    }

    #[test]
    fn both_forms_say_what_an_image_is_made_of() {
        let cyclone = json!({
            "bomFormat": "CycloneDX", "specVersion": "1.6", "serialNumber": "urn:uuid:1", "version": 1,
            "metadata": { "component": { "type": "firmware", "name": "pump", "version": "1.2.0" } },
            "components": [
                { "type": "library", "name": "openssl", "version": "3.0.11-1~deb12u2", "purl": "pkg:deb/openssl",
                  "licenses": [{ "license": { "id": "Apache-2.0" } }],
                  "components": [{ "type": "file", "name": "libcrypto" }] },
                { "type": "library", "name": "zlib", "licenses": [{ "expression": "Zlib OR MIT" }, { "odd": 1 }] },
            ],
        });
        let spdx = json!({
            "spdxVersion": "SPDX-2.3", "dataLicense": "CC0-1.0", "SPDXID": "SPDXRef-DOCUMENT", "name": "x",
            "packages": [
                { "SPDXID": "SPDXRef-1", "name": "openssl", "versionInfo": "3.0.11",
                  "licenseConcluded": "NOASSERTION", "licenseDeclared": "Apache-2.0",
                  "externalRefs": [{ "referenceCategory": "PACKAGE-MANAGER", "referenceType": "purl",
                      "referenceLocator": "pkg:generic/openssl@3.0.11" }] },
                { "SPDXID": "SPDXRef-2", "name": "busybox" },
            ],
        });
        let of = |bill: serde_json::Value| parts(bill.to_string().as_bytes()).unwrap();
        assert_eq!(
            of(cyclone),
            [
                part("pump", "1.2.0", "", ""),
                part("openssl", "3.0.11-1~deb12u2", "Apache-2.0", "pkg:deb/openssl"),
                part("libcrypto", "", "", ""),
                part("zlib", "", "Zlib OR MIT", ""),
            ]
        );
        assert_eq!(
            of(spdx),
            [
                part("openssl", "3.0.11", "Apache-2.0", "pkg:generic/openssl@3.0.11"),
                part("busybox", "", "", "")
            ]
        );
    }

    #[test]
    fn what_is_no_bill_is_refused() {
        let check = |bill: serde_json::Value, error| {
            assert_eq!(parts(bill.to_string().as_bytes()), Err(error), "{bill:.80}");
        };
        let cyclone =
            |components| json!({ "bomFormat": "CycloneDX", "specVersion": "1.5", "components": components });
        check(json!({}), BillError::Form);
        check(json!([]), BillError::Form);
        check(json!({ "bomFormat": "CycloneDX", "specVersion": "1.1" }), BillError::Form);
        check(
            json!({ "bomFormat": "CycloneDX", "specVersion": "1.5", "spdxVersion": "SPDX-2.3" }),
            BillError::Form,
        );
        check(json!({ "spdxVersion": "SPDX-3.0" }), BillError::Form);
        check(cyclone(json!([{ "version": "1" }])), BillError::Form);
        check(cyclone(json!([{ "name": "" }])), BillError::Nameless);
        check(cyclone(json!([{ "name": "x".repeat(BILL_TEXT_BYTES_MAX + 1) }])), BillError::TooLong);
        check(cyclone(json!(vec![json!({ "name": "x" }); BILL_COMPONENTS_MAX + 1])), BillError::TooMany);
        assert_eq!(parts(b"{\"bomFormat\":"), Err(BillError::Form));
        let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
        assert_eq!(parts(deep.as_bytes()), Err(BillError::Form));
    }

    #[test]
    fn a_licence_is_sought_by_each_of_its_names() {
        assert_eq!(
            sought("(GPL-2.0-only WITH Classpath-exception-2.0) OR MIT"),
            " gpl-2.0-only classpath-exception-2.0 mit "
        );
        assert_eq!(sought(""), " ");
    }
}
