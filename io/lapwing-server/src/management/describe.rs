//! The API's description: what the handlers say of themselves, and what holds for all of them.
//!
//! Touches: utoipa. The same text is the golden file formats/management.openapi.json.
//! Never: describes a path that is not served, for the router itself is asked.

use super::auth::{Action, authorise};
use super::routes;
use crate::app::App;
use crate::problem::{KINDS, PROBLEM_JSON, Problem, ProblemAnswer, type_of};
use axum::extract::State;
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};
use std::sync::{Arc, LazyLock};
use utoipa::PartialSchema;

/// The description, as it is served.
pub(super) static DESCRIPTION: LazyLock<Value> = LazyLock::new(describe);

/// This description, as OpenAPI 3.1.
#[utoipa::path(get, path = "/api/v1/openapi.json", security(()), responses((status = 200, body = Value)))]
pub(super) async fn openapi(State(app): State<Arc<App>>, headers: HeaderMap) -> Result<Response, Problem> {
    authorise(&app, &headers, Action::ReadDescription).await?;
    Ok(([(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))], spelled()).into_response())
}

fn spelled() -> String {
    format!("{:#}\n", *DESCRIPTION)
}

const ABOUT: &str = "What operators, their tools and the console ask of a Lapwing server. Every answer is JSON, \
every refusal `application/problem+json` (RFC 9457) with a `type` that programs can rely on and an `advice` where \
there is one. Lists come in pages: hand `cursor` back until it is `null`. Reads carry an `ETag`; `If-None-Match` saves \
the download. A `POST` with an `Idempotency-Key` may be repeated for a day, or until the server restarts, and is done \
once. A command on something with a generation wants `If-Match` with the tag of what was read: 428 without it, 412 if \
it has changed since, 409 if it cannot be done in its present state. Times \
are seconds since 1970. `Lapwing-Reason` says why a command is given, for the audit.";

fn describe() -> Value {
    let mut api = serde_json::to_value(routes().into_openapi()).unwrap_or_default();
    api["info"] = json!({
        "title": "Lapwing management API",
        "version": "1",
        "description": ABOUT,
        "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
    });
    let types: Vec<String> = KINDS.iter().map(|(code, _)| type_of(code)).collect();
    let mut problem = serde_json::to_value(ProblemAnswer::schema()).unwrap_or_default();
    problem["properties"]["type"]["enum"] = json!(types);
    api["components"]["schemas"]["Problem"] = problem;
    for (code, meaning) in KINDS.iter().filter(|(code, _)| COMMON.contains(code)) {
        let content = json!({ PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } });
        api["components"]["responses"][*code] = json!({ "description": meaning, "content": content });
    }
    let scheme = json!({ "type": "http", "scheme": "bearer", "description": "A token, by its role." });
    api["components"]["securitySchemes"] = json!({ "token": scheme });
    for (path, operations) in api["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in operations.as_object_mut().into_iter().flatten() {
            complete(path, method, operation);
        }
    }
    api
}

/// Kinds of problem that many operations share, each standing for those with its status.
const COMMON: &[&str] = &[
    "busy",
    "disk-full",
    "forbidden",
    "idempotency-busy",
    "idempotency-mismatch",
    "internal",
    "media-type",
    "not-acceptable",
    "not-found",
    "refused",
    "slow-body",
    "too-large",
    "unauthorised",
];

/// Adds to an operation what holds for all like it.
fn complete(path: &str, method: &str, operation: &mut Value) {
    let parts: Vec<&str> = path.split('/').filter(|part| !["", "api", "v1"].contains(part)).collect();
    operation["tags"] = json!([parts.first().unwrap_or(&"")]);
    let words = path.split(['/', '-', '.', '{', '}']).filter(|word| !["", "api", "v1"].contains(word));
    operation["operationId"] = json!(std::iter::once(method).chain(words).collect::<Vec<_>>().join("_"));
    let is_public = operation["security"] == json!([{}]);
    let has_body = operation.get("requestBody").is_some();
    let writes = method != "get";
    let common = [
        (true, "406", "not-acceptable"),
        (true, "500", "internal"),
        (true, "503", "busy"),
        (operation.get("parameters").is_some() || has_body || writes, "400", "refused"),
        // A wrong token is refused even where none is needed.
        (true, "401", "unauthorised"),
        (!is_public, "403", "forbidden"),
        (path.contains('{'), "404", "not-found"),
        (method == "post", "409", "idempotency-busy"),
        (method == "post", "422", "idempotency-mismatch"),
        (has_body || method == "post", "408", "slow-body"),
        (has_body || method == "post", "413", "too-large"),
        (has_body, "415", "media-type"),
        (writes, "507", "disk-full"),
    ];
    if method == "post" {
        let schema = json!({ "type": "string", "minLength": 1, "maxLength": 128, "pattern": "^[!-~]+$" });
        parameter(operation, "Idempotency-Key", "Makes a repetition harmless.", schema);
    }
    if writes {
        let about = "Why this is done, for the audit: at most 1,024 bytes of UTF-8.";
        parameter(operation, "Lapwing-Reason", about, json!({ "type": "string" }));
    }
    let Some(responses) = operation["responses"].as_object_mut() else { return };
    for (_, status, code) in common.into_iter().filter(|(applies, ..)| *applies) {
        let shared = json!({ "$ref": format!("#/components/responses/{code}") });
        responses.entry(status).or_insert(shared);
    }
    responses.insert("431".to_owned(), json!({ "description": "the head is larger than 16 KiB" }));
    if method == "get" && responses["200"]["content"].get("application/json").is_some() {
        responses.insert("304".to_owned(), json!({ "description": "as `If-None-Match` has it" }));
    }
    // The one refusal that comes before anybody looked at the request, and therefore without a body.
    let refused = |(status, _): &(&String, &mut Value)| status.as_str() >= "400" && *status != "431";
    for (_, response) in responses.iter_mut().filter(refused) {
        if response.get("$ref").is_none() && response.get("content").is_none() {
            response["content"] =
                json!({ PROBLEM_JSON: { "schema": { "$ref": "#/components/schemas/Problem" } } });
        }
    }
}

fn parameter(operation: &mut Value, name: &str, about: &str, schema: Value) {
    let parameter = json!({ "name": name, "in": "header", "description": about, "schema": schema });
    if let Some(operation) = operation.as_object_mut() {
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        parameters.as_array_mut().into_iter().for_each(|parameters| parameters.push(parameter.clone()));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::Path;

    #[test]
    fn the_golden_file_is_what_is_served() {
        let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../formats/management.openapi.json");
        if std::env::var_os("LAPWING_BLESS").is_some() {
            return std::fs::write(&golden, spelled()).unwrap();
        }
        let held = std::fs::read_to_string(&golden).unwrap_or_default();
        assert!(held == spelled(), "the API changed: write {} anew with LAPWING_BLESS=1", golden.display());
    }

    /// What stands in the reference behind its mark: roles and actions, operations, kinds of problem.
    fn tables() -> String {
        let mut text = "\n## Roles\n\n| Action | Least role |\n| --- | --- |\n".to_owned();
        for action in Action::ALL {
            text += &format!("| {action:?} | {} |\n", action.needs().label());
        }
        text += "\n## Operations\n\n| | Path | Role | |\n| --- | --- | --- | --- |\n";
        for (path, operations) in DESCRIPTION["paths"].as_object().unwrap() {
            for (method, operation) in operations.as_object().unwrap() {
                let role = operation["security"][0]["token"][0].as_str().unwrap_or("anyone");
                let summary = operation["summary"].as_str().unwrap().replace('\n', " ");
                text += &format!("| {} | `{path}` | {role} | {summary} |\n", method.to_uppercase());
            }
        }
        text += "\n## Problems\n\n| `urn:lapwing:problem:` | |\n| --- | --- |\n";
        KINDS.iter().for_each(|(code, meaning)| text += &format!("| `{code}` | {meaning} |\n"));
        text
    }

    #[test]
    fn the_reference_lists_roles_operations_and_problems() {
        const MARK: &str = "<!-- generated -->\n";
        let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs/reference/management-api.md");
        let held = std::fs::read_to_string(&page).unwrap();
        let (by_hand, _) = held.split_once(MARK).unwrap();
        let expected = format!("{by_hand}{MARK}{}", tables());
        if std::env::var_os("LAPWING_BLESS").is_some() {
            return std::fs::write(&page, &expected).unwrap();
        }
        assert!(held == expected, "write {} anew with LAPWING_BLESS=1", page.display());
    }

    #[test]
    fn every_operation_says_who_may_and_what_it_is_for() {
        let operations =
            DESCRIPTION["paths"].as_object().unwrap().values().flat_map(|o| o.as_object().unwrap());
        let mut ids = std::collections::HashSet::new();
        for (_, operation) in operations {
            let id = operation["operationId"].as_str().unwrap();
            assert!(ids.insert(id), "{id} twice");
            assert!(operation["security"].is_array(), "{id}: who may?");
            assert!(operation["summary"].is_string(), "{id}: what is it for?");
        }
        assert!(KINDS.is_sorted_by(|(one, _), (next, _)| one < next));
    }
}
