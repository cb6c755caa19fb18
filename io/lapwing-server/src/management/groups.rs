//! Groups: which devices people speak of together.
//!
//! Touches: their rows. A change says which revision it was made from.
//! Never: lets a group go while a rollout is for it.

use super::auth::{Action, authorise, recorded};
use super::paging::{Page, cut};
use super::read_json;
use crate::app::App;
use crate::limits::GROUP_DEVICES_MAX;
use crate::orchestrator::look;
use crate::problem::Problem;
use crate::store::{drop_group, groups, put_group};
use axum::Json;
use axum::body::Body;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use lapwing_core::DeviceId;
use lapwing_fleet::filter::Filter;
use lapwing_fleet::{EVERYONE, Group, GroupName, Members, Purpose};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::collections::BTreeSet;
use std::sync::Arc;
use utoipa::ToSchema;

/// A group as people write it.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(as = GroupOrder)]
pub(super) struct Written {
    /// Who is in it: what a filter means ...
    filter: Option<String>,
    /// ... or these devices.
    devices: Option<Vec<String>>,
    /// `production`, or `testing` for devices that nobody relies on.
    #[serde(default = "production")]
    #[schema(value_type = String)]
    purpose: Purpose,
    /// The revision that the change was made from; zero for a new group.
    #[serde(default)]
    revision: u64,
}

fn production() -> Purpose {
    Purpose::Production
}

/// A group.
#[derive(Serialize, ToSchema)]
#[schema(as = Group)]
pub(super) struct GroupAnswer {
    name: String,
    /// Whom it means, if it is not a list.
    filter: Option<String>,
    /// How many it lists, if it is one.
    listed: Option<usize>,
    /// The devices it lists; only where one group is asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(nullable = false)]
    devices: Option<Vec<String>>,
    purpose: &'static str,
    revision: u64,
}

/// Groups, by name.
#[derive(Serialize, ToSchema)]
#[schema(as = Groups)]
pub(super) struct GroupsAnswer {
    groups: Vec<GroupAnswer>,
    cursor: Option<String>,
}

/// List the groups.
#[utoipa::path(get, path = "/api/v1/groups", security(("token" = ["viewer"])), params(Page),
    responses((status = 200, body = GroupsAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    page: Result<Query<Page>, QueryRejection>,
) -> Result<Json<GroupsAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(page) = page?;
    let (groups, cursor) = cut(app.store.read(groups).await?, &page, |(group, _)| group.name.to_string())?;
    Ok(Json(GroupsAnswer { groups: groups.iter().map(describe).collect(), cursor }))
}

/// Show a group and the devices it lists.
#[utoipa::path(get, path = "/api/v1/groups/{name}", security(("token" = ["viewer"])),
    params(("name" = String, Path, description = "the group")), responses((status = 200, body = GroupAnswer)))]
pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<Json<GroupAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let groups = app.store.read(groups).await?;
    let found = groups.iter().find(|(group, _)| group.name.as_str() == name).ok_or_else(no_such_group)?;
    let mut described = describe(found);
    if let Members::Listed(devices) = &found.0.members {
        described.devices = Some(devices.iter().map(ToString::to_string).collect());
    }
    Ok(Json(described))
}

/// Make a group, or change one.
#[utoipa::path(put, path = "/api/v1/groups/{name}", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "the group")), request_body = Written,
    responses((status = 201, body = GroupAnswer), (status = 200, body = GroupAnswer),
    (status = 409, description = "`stale`")))]
pub(super) async fn put(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<GroupAnswer>), Problem> {
    let caller = authorise(&app, &headers, Action::ManageDevices).await?;
    let name = parse_name(&name)?;
    let Written { filter, devices, purpose, revision } = read_json(&app, &headers, body).await?;
    let members = match (filter, devices) {
        (Some(filter), None) => Members::Meant(parse_filter(&filter)?),
        (None, Some(devices)) => Members::Listed(parse_devices(&devices)?),
        _ => return Err(Problem::bad_request("members", "give either a filter or a list of devices")),
    };
    let group = Group { name, members, purpose };
    let row = group.clone();
    let after = json!({ "purpose": purpose, "revision": revision.saturating_add(1) });
    let command = caller.did("group.put", &group.name, app.now()).after(after);
    if !recorded(&app, command, move |c| put_group(c, &row, revision)).await? {
        return Err(Problem::conflict("stale", "the group has changed since; look again"));
    }
    look(&app).await?;
    let status = if revision == 0 { StatusCode::CREATED } else { StatusCode::OK };
    Ok((status, Json(describe(&(group, revision.saturating_add(1))))))
}

/// Let a group go. Its devices stay.
#[utoipa::path(delete, path = "/api/v1/groups/{name}", security(("token" = ["operator"])),
    params(("name" = String, Path, description = "the group")),
    responses((status = 204, description = "it is gone"), (status = 409, description = "`in-use`")))]
pub(super) async fn delete(
    State(app): State<Arc<App>>,
    Path(name): Path<String>,
    headers: HeaderMap,
) -> Result<StatusCode, Problem> {
    let caller = authorise(&app, &headers, Action::ManageDevices).await?;
    let name = parse_name(&name)?;
    let steering = app.orchestrator.steering();
    let used =
        steering.live.iter().any(|live| live.rollout.charter.group == name && !live.rollout.state.is_final());
    if used {
        return Err(Problem::conflict("in-use", "a rollout is for this group")
            .advice("`lapwing rollout list` shows it; cancel it first"));
    }
    let command = caller.did("group.delete", &name, app.now());
    if !recorded(&app, command, move |c| drop_group(c, &name)).await? {
        return Err(no_such_group());
    }
    look(&app).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn describe((group, revision): &(Group, u64)) -> GroupAnswer {
    let (filter, listed) = match &group.members {
        Members::Meant(filter) => (Some(filter.to_string()), None),
        Members::Listed(devices) => (None, Some(devices.len())),
    };
    GroupAnswer {
        name: group.name.to_string(),
        filter,
        listed,
        devices: None,
        purpose: group.purpose.label(),
        revision: *revision,
    }
}

fn parse_name(name: &str) -> Result<GroupName, Problem> {
    if name == EVERYONE {
        return Err(Problem::bad_request("name", "every device is in `everyone` already"));
    }
    name.parse().map_err(|_| {
        Problem::bad_request("name", "a group's name has at most 32 letters, digits, and . _ - + ~")
    })
}

fn parse_filter(text: &str) -> Result<Filter, Problem> {
    let filter = Filter::parse(text)?;
    if filter.asks_for("group") {
        return Err(Problem::bad_request("filter", "the filter of a group cannot ask for groups"));
    }
    Ok(filter)
}

fn parse_devices(devices: &[String]) -> Result<BTreeSet<DeviceId>, Problem> {
    if devices.len() > GROUP_DEVICES_MAX {
        let detail = format!("a group lists at most {GROUP_DEVICES_MAX} devices; use a filter");
        return Err(Problem::bad_request("range", detail));
    }
    let parsed: Result<_, _> = devices.iter().map(|id| id.parse()).collect();
    parsed.map_err(|_| Problem::bad_request("name", "a device's id is not spelled right"))
}

fn no_such_group() -> Problem {
    Problem::not_found("no such group").advice("`lapwing group list` shows them")
}
