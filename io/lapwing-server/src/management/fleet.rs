//! The fleet as a whole: which configurations stand in the field, and which of them do not come up with what.
//!
//! Touches: the orchestrator's look at all devices. Every count comes with what it is a part of and since when.
//! Never: lists devices; filters do.

use super::auth::{Action, authorise};
use crate::app::App;
use crate::limits::{CONFIGURATIONS_MAX, TRIED_DAYS_MAX};
use crate::orchestrator::{Started, Starts, configurations, starts};
use crate::problem::Problem;
use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::HeaderMap;
use lapwing_fleet::EVERYONE;
use lapwing_fleet::rollout::Dimension;
use serde::{Deserialize, Serialize};
use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

/// Which configurations.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Wanted {
    /// So many of the most frequent ones; 10 if not given.
    #[param(minimum = 1, maximum = 1000)]
    top: Option<usize>,
    /// Of the devices in this group only.
    group: Option<String>,
}

/// Configurations, the most frequent first.
#[derive(Serialize, ToSchema)]
#[schema(as = Configurations)]
pub(super) struct ConfigurationsAnswer {
    configurations: Vec<ConfigurationAnswer>,
    /// Devices of all configurations.
    devices: u32,
    /// How many configurations there are.
    kinds: usize,
}

/// Devices that differ in nothing that an update may notice.
#[derive(Serialize, ToSchema)]
#[schema(as = Configuration)]
pub(super) struct ConfigurationAnswer {
    /// `hardware` with its revision, `region`, `version`, `connectivity` and `use`; `-` for what is not known.
    is: BTreeMap<&'static str, String>,
    devices: u32,
}

/// Count the configurations that stand in the field.
#[utoipa::path(get, path = "/api/v1/fleet/configurations", security(("token" = ["viewer"])), params(Wanted),
    responses((status = 200, body = ConfigurationsAnswer)))]
pub(super) async fn list(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    wanted: Result<Query<Wanted>, QueryRejection>,
) -> Result<Json<ConfigurationsAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let Query(Wanted { top, group }) = wanted?;
    let top = top.unwrap_or(10);
    if !(1..=CONFIGURATIONS_MAX).contains(&top) {
        return Err(Problem::bad_request("range", format!("top is 1 to {CONFIGURATIONS_MAX}")));
    }
    let counted = configurations(&app, group.as_deref().unwrap_or(EVERYONE)).await?;
    let (devices, kinds) = (counted.values().sum(), counted.len());
    let mut frequent: Vec<_> = counted.into_iter().collect();
    frequent.sort_by_key(|(_, devices)| Reverse(*devices));
    frequent.truncate(top);
    let configuration = |(kind, devices): (Vec<String>, u32)| ConfigurationAnswer {
        is: Dimension::ALL.iter().map(|dimension| dimension.label()).zip(kind).collect(),
        devices,
    };
    let configurations = frequent.into_iter().map(configuration).collect();
    Ok(Json(ConfigurationsAnswer { configurations, devices, kinds }))
}

/// How far to look back.
#[derive(Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
pub(super) struct Back {
    /// Days; 30 if not given.
    #[param(minimum = 1, maximum = 366)]
    days: Option<u32>,
}

/// First starts of new images, those that failed most often first.
#[derive(Serialize, ToSchema)]
#[schema(as = BootFailures)]
pub(super) struct BootFailuresAnswer {
    boot_failures: Vec<BootFailureAnswer>,
    /// Attempts count from then on.
    since: u64,
}

/// Devices that did not come up with one version on one hardware behind one bootloader.
#[derive(Serialize, ToSchema)]
#[schema(as = BootFailure)]
pub(super) struct BootFailureAnswer {
    version: String,
    /// The id of the hardware class; `-` if it was never said.
    hardware: String,
    /// What people call that.
    hardware_name: Option<String>,
    bootloader: u32,
    /// Attempts that ended so.
    failed: u32,
    /// Attempts that came as far as the switch, these among them.
    switched: u32,
}

/// Count the devices that did not come up with a new image, by release, hardware and bootloader.
#[utoipa::path(get, path = "/api/v1/fleet/boot-failures", security(("token" = ["viewer"])), params(Back),
    responses((status = 200, body = BootFailuresAnswer)))]
pub(super) async fn boot_failures(
    State(app): State<Arc<App>>,
    headers: HeaderMap,
    back: Result<Query<Back>, QueryRejection>,
) -> Result<Json<BootFailuresAnswer>, Problem> {
    authorise(&app, &headers, Action::ReadFleet).await?;
    let days = back?.0.days.unwrap_or(30);
    if !(1..=TRIED_DAYS_MAX).contains(&days) {
        return Err(Problem::bad_request("range", format!("days is 1 to {TRIED_DAYS_MAX}")));
    }
    let since = lapwing_core::UnixSeconds(app.now().0.saturating_sub(u64::from(days) * 86_400));
    let names = &app.orchestrator.steering().names;
    let mut failed: Vec<_> =
        starts(&app, since).await?.into_iter().filter(|(_, starts)| starts.failed > 0).collect();
    failed.sort_by_key(|(_, starts)| Reverse(starts.failed));
    failed.truncate(CONFIGURATIONS_MAX);
    let row = |(of, starts): (Started, Starts)| BootFailureAnswer {
        hardware_name: names.get(&of.hardware).cloned(),
        version: of.version.to_string(),
        hardware: of.hardware,
        bootloader: of.bootloader,
        failed: starts.failed,
        switched: starts.switched,
    };
    Ok(Json(BootFailuresAnswer { boot_failures: failed.into_iter().map(row).collect(), since: since.0 }))
}
