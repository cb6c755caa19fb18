// @generated from formats/management.openapi.json by `npm run types`.
export interface paths {
    "/api/v1/access": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Search the access log. */
        get: operations["get_access"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/affected": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the releases whose bill of materials has a component or a licence, and the devices that run them. */
        get: operations["get_affected"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the audit. */
        get: operations["get_audit"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/blobs/{digest}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Take an image in, under its SHA-256. What is there already is not read again. */
        put: operations["put_blobs_digest"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/caller": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Say whose token this is, and what it is good for. */
        get: operations["get_caller"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/changes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Follow what happens, as server-sent events: each of the log's events is one, with its id. Begins with what
         *     happens from now on, or behind `Last-Event-ID`. An event `gap` says that some were let go meanwhile.
         */
        get: operations["get_changes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/claim-tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the claim tokens. */
        get: operations["get_claim_tokens"];
        put?: never;
        /** Make a token that lets new devices in. */
        post: operations["post_claim_tokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/claim-tokens/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take a claim token back. Devices that it let in stay. */
        delete: operations["delete_claim_tokens_name"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/clock/confirm": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Say that the server's clock is right, after it jumped. */
        post: operations["post_clock_confirm"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the devices. */
        get: operations["get_devices"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show all that is known of a device. */
        get: operations["get_devices_id"];
        put?: never;
        post?: never;
        /** Forget a device and all that is known of it. */
        delete: operations["delete_devices_id"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}/admit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a device out of quarantine, or back in after it was forgotten. */
        post: operations["post_devices_id_admit"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}/context": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a device in with a security context for CoAP. It needs no claim then. */
        post: operations["post_devices_id_context"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}/facts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Set facts of a device: they take the place of what it reports. */
        post: operations["post_devices_id_facts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}/pin": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Keep a device at a version, or let it move again. */
        post: operations["post_devices_id_pin"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}/replace": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a device claim its place once with a new secret. */
        post: operations["post_devices_id_replace"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}/retry": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Let a device try again what failed before. */
        post: operations["post_devices_id_retry"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}/update-now": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Offer a device its update at its next check-in, whatever it waits for. */
        post: operations["post_devices_id_update_now"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/devices/{id}/why": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Say why a device is not updating: the first of all reasons. */
        get: operations["get_devices_id_why"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/docs": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This description, as a page for people. */
        get: operations["get_docs"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/events": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the event log. */
        get: operations["get_events"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet/boot-failures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Count the devices that did not come up with a new image, by release, hardware and bootloader. */
        get: operations["get_fleet_boot_failures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/fleet/configurations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Count the configurations that stand in the field. */
        get: operations["get_fleet_configurations"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/groups": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the groups. */
        get: operations["get_groups"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/groups/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a group and the devices it lists. */
        get: operations["get_groups_name"];
        /** Make a group, or change one. */
        put: operations["put_groups_name"];
        post?: never;
        /** Let a group go. Its devices stay. */
        delete: operations["delete_groups_name"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/identity": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show who this server is, and what it believes. */
        get: operations["get_identity"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/log-level": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Change how much is logged. */
        put: operations["put_log_level"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/openapi.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** This description, as OpenAPI 3.1. */
        get: operations["get_openapi_json"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/overview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the fleet in numbers, or the part of it that a filter means. */
        get: operations["get_overview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/plans": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the plans, each in its newest revision. */
        get: operations["get_plans"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/plans/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a plan. */
        get: operations["get_plans_name"];
        /** Give a plan its next revision. */
        put: operations["put_plans_name"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/releases/{digest}/attestations": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what is attested of a release's image. */
        get: operations["get_releases_digest_attestations"];
        put?: never;
        /** Attest something of a release's image. It takes the place of an earlier one of its predicate type. */
        post: operations["post_releases_digest_attestations"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/releases/{digest}/notes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the notes of a release. */
        get: operations["get_releases_digest_notes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/releases/{digest}/sbom": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show the bill of materials of a release, as it was pushed. */
        get: operations["get_releases_digest_sbom"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/releases/{digest}/signatures": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the keys that signed a release. */
        get: operations["get_releases_digest_signatures"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/retention": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show what is kept ready for devices, and what would go. */
        get: operations["get_retention"];
        put?: never;
        /** Do now what housekeeping would do. */
        post: operations["post_retention"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the rollouts, the newest first. */
        get: operations["get_rollouts"];
        put?: never;
        /** Write a rollout. It is a draft and offers nothing yet. */
        post: operations["post_rollouts"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts/{id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a rollout: phases, counts, and the evidence if it was stopped. Its tag begins with its generation. */
        get: operations["get_rollouts_id"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts/{id}/approve": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Agree that a rollout starts. Whoever made it cannot. */
        post: operations["post_rollouts_id_approve"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts/{id}/cancel": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a rollout. Devices that have not switched stay on what they run. */
        post: operations["post_rollouts_id_cancel"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts/{id}/history": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show what happened to a rollout, the newest first. */
        get: operations["get_rollouts_id_history"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts/{id}/outcomes": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show what became of a rollout's devices: by kind, by hour, by cause, and against its gate. */
        get: operations["get_rollouts_id_outcomes"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts/{id}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Make no more offers. Devices on their way go on. */
        post: operations["post_rollouts_id_pause"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts/{id}/preview": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Say who would get it now, later and never, and what is in the way of its start. */
        get: operations["get_rollouts_id_preview"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts/{id}/recall": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End a rollout and bring back who took it, by its recall version. Needs a reason. */
        post: operations["post_rollouts_id_recall"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts/{id}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Go on after a pause, a brake or a halt. Needs a reason. */
        post: operations["post_rollouts_id_resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/rollouts/{id}/start": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a rollout, if preflight finds nothing in the way. */
        post: operations["post_rollouts_id_start"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/session": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /**
         * Sign in to the console: the token becomes a cookie for half a day, good only with the header
         *     `Lapwing-Console`.
         */
        post: operations["post_session"];
        /** Sign out of the console. */
        delete: operations["delete_session"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the tokens. */
        get: operations["get_tokens"];
        put?: never;
        /** Make a token, and show it this once. */
        post: operations["post_tokens"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/tokens/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** Take a token back; its next request is refused. */
        delete: operations["delete_tokens_name"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/trust/delegation": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Give the server a delegation. */
        put: operations["put_trust_delegation"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/trust/root": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Give the server a root document. */
        put: operations["put_trust_root"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/version-sets": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the version sets. */
        get: operations["get_version_sets"];
        put?: never;
        /** Publish a version set. The same one again changes nothing. */
        post: operations["post_version_sets"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/version-sets/{version}/release": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Offer a version set that was held. */
        post: operations["post_version_sets_version_release"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/version-sets/{version}/withdraw": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Offer a version set no more; devices that have not switched do not. */
        post: operations["post_version_sets_version_withdraw"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the webhooks. */
        get: operations["get_webhooks"];
        put?: never;
        /** Make a webhook, and show its secret this once. */
        post: operations["post_webhooks"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/{name}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Show a webhook. */
        get: operations["get_webhooks_name"];
        put?: never;
        post?: never;
        /** Take a webhook away, with what was set aside for it. */
        delete: operations["delete_webhooks_name"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/{name}/dead-letters": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List what a webhook would not take. */
        get: operations["get_webhooks_name_dead_letters"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/{name}/dead-letters/redeliver": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a webhook once more what it would not take, now. */
        post: operations["post_webhooks_name_dead_letters_redeliver"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/{name}/pause": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Tell a webhook nothing until it is resumed. */
        post: operations["post_webhooks_name_pause"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/{name}/resume": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Tell a webhook what happened since it was paused, or try at once what it did not take. */
        post: operations["post_webhooks_name_resume"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/api/v1/webhooks/{name}/test": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Send a webhook a message of the type `lapwing.webhook.test`, now. */
        post: operations["post_webhooks_name_test"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/debug/profile/cpu": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Take a profile of time: folded stacks, one a line, as flame graph tools read them. */
        get: operations["get_debug_profile_cpu"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/debug/profile/heap": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Take a profile of memory: what is allocated now and by whom, as jemalloc writes it; jeprof and
         *     `go tool pprof` read it.
         */
        get: operations["get_debug_profile_heap"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/healthz": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /**
         * Ask how the server is: 200 when all is well, when a person should look soon, and while the server waits
         *     for its first root document; 503 when nothing can be signed or written.
         */
        get: operations["get_healthz"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/metrics": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the metrics, as Prometheus does. */
        get: operations["get_metrics"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /** @description A request of a device, and how it ended. */
        Access: {
            /** @description From where; empty if that is not known. */
            address: string;
            /** @description Who it said it was. */
            device?: string | null;
            request: string;
            /** Format: int32 */
            status: number;
            /** Format: int64 */
            time: number;
        };
        /** @description Requests of devices, the newest first. */
        AccessLog: {
            cursor?: string | null;
            requests: components["schemas"]["Access"][];
        };
        /** @description Devices by version over time. */
        AdoptionCurve: {
            /** @description Points in time, evenly apart, the last one now. */
            times: number[];
            /** @description In the order of what runs now, then what ran before. */
            versions: components["schemas"]["AdoptionLine"][];
        };
        /** @description One version over time. */
        AdoptionLine: {
            /** @description How many devices ran it at each point. */
            devices: number[];
            version?: string | null;
        };
        /** @description Releases that hold what was looked for. */
        Affected: {
            /** @description More components fit than an answer looks at: ask for less. */
            cut: boolean;
            releases: components["schemas"]["AffectedRelease"][];
        };
        /** @description A part of its image. */
        AffectedPart: {
            /** @description By which order its version was compared: `semver` or `debian`. */
            compared_as?: string | null;
            licence: string;
            name: string;
            purl: string;
            version: string;
        };
        /** @description A release that holds what was looked for, and who runs it. */
        AffectedRelease: {
            component: string;
            /**
             * Format: int64
             * @description How many devices run its image.
             */
            devices: number;
            parts: components["schemas"]["AffectedPart"][];
            release: string;
            /** @description Which; of very many the first. */
            running: string[];
            /** @description `open`, `held` or `withdrawn`. */
            state: string;
            version: string;
        };
        /** @description An artifact, and what becomes of it. */
        Artifact: {
            artifact: string;
            /** @description The version it starts from; none for a full image, or where no release has that image any more. */
            from?: string | null;
            goes: boolean;
            /** @description SHA-256 of the image that it makes. Several versions may have it. */
            image: string;
            is_delta: boolean;
            /** Format: int64 */
            made: number;
            /** Format: int32 */
            profile: number;
            /** Format: int64 */
            size_bytes: number;
            to?: string | null;
            why: string;
        };
        /** @description One device trying one release. */
        Attempt: {
            /** Format: int64 */
            artifact_size_bytes: number;
            /** @description Whether the image is to blame. */
            blamed: boolean;
            /** @description Why it failed; docs/reference/causes.md lists them. */
            cause?: string | null;
            /** Format: int64 */
            deadline: number;
            delta: boolean;
            /** Format: int64 */
            ended?: number | null;
            forgiven: boolean;
            /** Format: int64 */
            id: number;
            /** Format: int64 */
            opened: number;
            /** Format: int32 */
            percent: number;
            release: string;
            /**
             * Format: int64
             * @description The rollout that brought it, if one did.
             */
            rollout?: number | null;
            state: string;
            version?: string | null;
        };
        /** @description What is attested of a release's image. */
        Attestation: {
            /** @description SHA-256 of the document. */
            document: string;
            /** @description What kind of statement it is: a URI. */
            predicate_type: string;
        };
        /** @description Commands, the oldest first. */
        Audit: {
            commands: components["schemas"]["AuditedCommand"][];
            cursor?: string | null;
            head: components["schemas"]["AuditHead"];
        };
        /** @description Where the chain ends. Noted elsewhere, it shows later that nothing was cut off. */
        AuditHead: {
            digest: string;
            /** Format: int64 */
            number: number;
        };
        /** @description Something that a person or their tool told the server. Formats/audit.md says how its digest is made. */
        AuditedCommand: {
            action: string;
            /** @description As JSON. */
            after?: string | null;
            /** @description As JSON. */
            before?: string | null;
            digest: string;
            /** Format: int64 */
            number: number;
            role: string;
            subject: string;
            /** Format: int64 */
            time: number;
            /** @description The name of the token, and its role then. */
            who: string;
            why?: string | null;
        };
        /** @description Devices that did not come up with one version on one hardware behind one bootloader. */
        BootFailure: {
            /** Format: int32 */
            bootloader: number;
            /**
             * Format: int32
             * @description Attempts that ended so.
             */
            failed: number;
            /** @description The id of the hardware class; `-` if it was never said. */
            hardware: string;
            /** @description What people call that. */
            hardware_name?: string | null;
            /**
             * Format: int32
             * @description Attempts that came as far as the switch, these among them.
             */
            switched: number;
            version: string;
        };
        /** @description First starts of new images, those that failed most often first. */
        BootFailures: {
            boot_failures: components["schemas"]["BootFailure"][];
            /**
             * Format: int64
             * @description Attempts count from then on.
             */
            since: number;
        };
        /** @description Who asks. */
        Caller: {
            name: string;
            role: components["schemas"]["Role"];
        };
        /** @description A claim token, without its secret. */
        ClaimToken: {
            /**
             * Format: int32
             * @description Claims it was made for.
             */
            count: number;
            /** Format: int64 */
            expires: number;
            /** @description Whether it lets anybody in. */
            good: boolean;
            /** Format: int64 */
            made: number;
            name: string;
            /**
             * Format: int32
             * @description Claims it is still good for.
             */
            remaining: number;
        };
        /** @description A claim token to be made. */
        ClaimTokenOrder: {
            /**
             * Format: int32
             * @description Devices that it lets in.
             */
            count: number;
            /**
             * Format: int64
             * @description For how long.
             */
            expires_in_s: number;
        };
        /** @description Claim tokens, the oldest first. */
        ClaimTokens: {
            claim_tokens: components["schemas"]["ClaimToken"][];
            cursor?: string | null;
        };
        /** @description A jump of the clock. */
        ClockJump: {
            /** Format: int64 */
            from: number;
            /** Format: int64 */
            to: number;
        };
        /** @description Devices that differ in nothing that an update may notice. */
        Configuration: {
            /** Format: int32 */
            devices: number;
            /** @description `hardware` with its revision, `region`, `version`, `connectivity` and `use`; `-` for what is not known. */
            is: {
                [key: string]: string;
            };
        };
        /** @description Configurations, the most frequent first. */
        Configurations: {
            configurations: components["schemas"]["Configuration"][];
            /**
             * Format: int32
             * @description Devices of all configurations.
             */
            devices: number;
            /** @description How many configurations there are. */
            kinds: number;
        };
        /** @description An event that a webhook would not take. */
        DeadLetter: {
            event: components["schemas"]["Event"];
            /** @description How the last try ended. */
            last: string;
            /**
             * Format: int64
             * @description When it was set aside.
             */
            time: number;
        };
        /** @description Events that a webhook would not take, the oldest first. */
        DeadLetters: {
            dead_letters: components["schemas"]["DeadLetter"][];
        };
        /** @description All that is known of a device. */
        Device: {
            /** @description The newest first. */
            attempts: components["schemas"]["Attempt"][];
            /** @description Its present boot. */
            boot?: string | null;
            /** Format: int32 */
            bootloader?: number | null;
            /** Format: int32 */
            delegation_version: number;
            /** @description Whatever else it reports, by name. */
            facts?: {
                [key: string]: string;
            } | null;
            /** Format: int64 */
            first_seen: number;
            /** @description What holds it back, by its own word. */
            gates: string[];
            /** @description The id of its hardware class, once it has said it. */
            hardware?: string | null;
            /** @description What people call that. */
            hardware_name?: string | null;
            health: components["schemas"]["DeviceHealth"][];
            id: string;
            /** Format: int64 */
            last_seen: number;
            /** @description What people set, in place of what it reports. */
            noted: {
                [key: string]: string;
            };
            /** @description The version it is kept at, if any. */
            pinned?: string | null;
            /** Format: int32 */
            profile?: number | null;
            /** @description Why it is in quarantine, if it is. */
            quarantined?: string | null;
            /** Format: int32 */
            root_version: number;
            running: components["schemas"]["Running"][];
            update_now: boolean;
            why: components["schemas"]["Why"];
        };
        /** @description How a device was on one version. */
        DeviceHealth: {
            /** Format: int32 */
            boots: number;
            /** Format: int32 */
            crashes: number;
            /** Format: int32 */
            errors: number;
            /** @description `unknown`, `good` or `failing`. */
            health: string;
            running: string;
            /** Format: int32 */
            watchdog_resets: number;
        };
        /** @description What people know of a device. */
        DeviceNotes: {
            /**
             * @description Values by the names of facts: `tier`, `consent`, `zone`, `site`, or any other. `null` lets what the device
             *     reports count again.
             */
            facts: {
                [key: string]: string | null;
            };
        };
        /** @description Devices in the order of their ids. With a filter a page may be short although the list goes on. */
        Devices: {
            cursor?: string | null;
            devices: components["schemas"]["Device"][];
        };
        /** @description Images and deltas that were fetched. */
        Downloads: {
            /** Format: int64 */
            delta: number;
            /** Format: int64 */
            full: number;
            /** Format: int64 */
            full_percent?: number | null;
        };
        /** @description An event as it was logged. */
        Event: {
            /** Format: int64 */
            attempt?: number | null;
            blame?: string | null;
            cause?: string | null;
            detail?: string | null;
            device?: string | null;
            /**
             * Format: int64
             * @description Its place in the log.
             */
            id: number;
            name: string;
            /**
             * Format: int32
             * @description The device's own number for it; none for what the server noticed itself.
             */
            number?: number | null;
            release?: string | null;
            /** Format: int64 */
            time: number;
        };
        /** @description Events, the oldest first. */
        Events: {
            cursor?: string | null;
            events: components["schemas"]["Event"][];
        };
        /** @description A fact and its values. */
        FactCount: {
            fact: string;
            values: components["schemas"]["ValueCount"][];
        };
        /** @description A group. */
        Group: {
            /** @description The devices it lists; only where one group is asked for. */
            devices?: string[];
            /** @description Whom it means, if it is not a list. */
            filter?: string | null;
            /** @description How many it lists, if it is one. */
            listed?: number | null;
            name: string;
            purpose: string;
            /** Format: int64 */
            revision: number;
        };
        /** @description A group as people write it. */
        GroupOrder: {
            /** @description ... or these devices. */
            devices?: string[] | null;
            /** @description Who is in it: what a filter means ... */
            filter?: string | null;
            /** @description `production`, or `testing` for devices that nobody relies on. */
            purpose?: string;
            /**
             * Format: int64
             * @description The revision that the change was made from; zero for a new group.
             */
            revision?: number;
        };
        /** @description Groups, by name. */
        Groups: {
            cursor?: string | null;
            groups: components["schemas"]["Group"][];
        };
        /** @description A kind of devices that gets no more offers. */
        HaltedStratum: {
            evidence: Record<string, never>;
            sentence: string;
            stratum: string;
        };
        /** @description How the server is; a problem as well, of the first reason, unless all is well. */
        Health: {
            advice?: string | null;
            clock_jump?: components["schemas"]["ClockJump"] | null;
            /**
             * Format: int64
             * @description The smallest of 30, 14 and 7 days that the delegation's end is nearer than.
             */
            delegation_alarm_days?: number | null;
            /** Format: int64 */
            delegation_left_s?: number | null;
            detail?: string | null;
            /** Format: int64 */
            disk_free_bytes?: number | null;
            reasons: components["schemas"]["HealthReason"][];
            state: components["schemas"]["HealthState"];
            /** Format: int32 */
            status?: number | null;
            title?: string | null;
            type?: string | null;
        };
        /** @description Something that is not well. */
        HealthReason: {
            advice: string;
            /** @description A kind of problem. */
            code: string;
            detail: string;
        };
        /**
         * @description `new` waits for its first root document; `failing` cannot do its work.
         * @enum {string}
         */
        HealthState: "new" | "ok" | "degraded" | "failing";
        /** @description A version of a trust document and how many devices hold it. */
        HoldCount: {
            /** Format: int64 */
            devices: number;
            /**
             * Format: int32
             * @description Zero for none.
             */
            version: number;
        };
        /** @description Who this server is, and what it believes. */
        Identity: {
            /** Format: int64 */
            delegation_not_after?: number | null;
            /** Format: int32 */
            delegation_version: number;
            device_url: string;
            fleet?: string | null;
            online_key: components["schemas"]["OnlineKey"];
            /** @description Ids of release keys that are believed no more. */
            revoked_keys: string[];
            /** @description Who may sign what; none before there is a root document. */
            roles: components["schemas"]["TrustRole"][];
            /** Format: int32 */
            root_version: number;
            /** @description SHA-256 of the device plane's public key, for root documents. */
            tls_spki_sha256: string;
        };
        /** @description How much is logged. */
        LogLevel: {
            /** @description As `--log` has it, `info` for example. */
            level: string;
        };
        /** @description A document that was uploaded. */
        NewAttestation: {
            /** @description SHA-256 of an in-toto statement about the image, in JSON, in a DSSE envelope or without. */
            document: string;
        };
        /** @description A claim token, shown this once. */
        NewClaimToken: {
            /** Format: int32 */
            count: number;
            /** Format: int64 */
            expires: number;
            /** @description What lists call it. */
            name: string;
            /** @description The secret, 32 hexadecimal digits. */
            token: string;
        };
        /** @description A security context, shown this once. */
        NewContext: {
            /** @description Where the server listens for it, by the name that it knows of itself. */
            coap_url: string;
            /** @description How the device's messages name it: 2 to 10 hexadecimal digits. */
            kid: string;
            /**
             * @description The device's secret, 64 hexadecimal digits. It opens both channels: keys for CoAP are derived from it, and over
             *     HTTPS it is sent.
             */
            secret: string;
        };
        /** @description A token, shown this once. */
        NewToken: {
            /** Format: int64 */
            expires?: number | null;
            name: string;
            role: components["schemas"]["Role"];
            /** @description The secret, 64 hexadecimal digits. */
            token: string;
        };
        /** @description A webhook with its secret, shown this once. */
        NewWebhook: components["schemas"]["Webhook"] & {
            /** @description What verifies the signatures of its messages, as Standard Webhooks spells it; none for a broker. */
            secret?: string | null;
        };
        /** @description The time that is signed from now on. */
        Now: {
            /** Format: int64 */
            now: number;
        };
        /** @description The key that the delegation must name. */
        OnlineKey: {
            algorithm: string;
            id: string;
            public: string;
        };
        /** @description The fleet in numbers. */
        Overview: {
            /** Format: int64 */
            at: number;
            curve: components["schemas"]["AdoptionCurve"];
            /** @description Devices by the version of the delegation that they hold, the newest first. */
            delegations: components["schemas"]["HoldCount"][];
            /** Format: int64 */
            devices: number;
            /** @description What filters can ask for, with the most frequent values. */
            facts: components["schemas"]["FactCount"][];
            /** Format: int64 */
            quarantined: number;
            /** @description Devices by the version of the root document that they hold, the newest first. */
            roots: components["schemas"]["HoldCount"][];
            /**
             * Format: int64
             * @description Devices that missed their check-in.
             */
            silent: number;
            /**
             * Format: int64
             * @description Devices that are unwell by their own word.
             */
            unwell: number;
            /**
             * Format: int64
             * @description Devices with an update on its way.
             */
            updating: number;
            /** @description What runs, the most frequent first. */
            versions: components["schemas"]["VersionCount"][];
            /** @description Why devices are not updating, the most frequent reason first. */
            why: components["schemas"]["WhyCount"][];
        };
        /** @description A phase of a rollout. */
        Phase: {
            /** @description Whom it is for. */
            for: string;
            name: string;
            /** Format: int64 */
            soak_s: number;
            /** @description `pending`, `admitting`, `soaking`, `gating` or `passed`. */
            stage: string;
            /**
             * Format: int64
             * @description When its soak ends.
             */
            until?: number | null;
        };
        /** @description Where a device is kept. */
        Pin: {
            /** @description `null` lets it move again. */
            version?: string | null;
        };
        /** @description Plans: the built-in ones first. */
        Plans: {
            cursor?: string | null;
            plans: Record<string, never>[];
        };
        /** @description A problem as it is spelled. */
        Problem: {
            /** @description What can be done about it. */
            advice?: string;
            /** @description What is wrong this time. */
            detail: string;
            /** @description Where in the body that was sent, as a JSON pointer. */
            pointer?: string;
            /**
             * Format: int32
             * @description The status again, for whoever reads the body alone.
             */
            status: number;
            /** @description The status in words, the same for every problem of one status. */
            title: string;
            /**
             * @description `urn:lapwing:problem:` and the kind.
             * @enum {string}
             */
            type: "urn:lapwing:problem:agreed-already" | "urn:lapwing:problem:base64url" | "urn:lapwing:problem:built-in" | "urn:lapwing:problem:busy" | "urn:lapwing:problem:claim-token" | "urn:lapwing:problem:clock-jump" | "urn:lapwing:problem:count" | "urn:lapwing:problem:cursor" | "urn:lapwing:problem:cut-short" | "urn:lapwing:problem:database-away" | "urn:lapwing:problem:delegation-ends" | "urn:lapwing:problem:delegation-over" | "urn:lapwing:problem:digest" | "urn:lapwing:problem:disk-full" | "urn:lapwing:problem:disk-low" | "urn:lapwing:problem:document" | "urn:lapwing:problem:document-missing" | "urn:lapwing:problem:document-too-large" | "urn:lapwing:problem:duplicate" | "urn:lapwing:problem:fact" | "urn:lapwing:problem:filter" | "urn:lapwing:problem:forbidden" | "urn:lapwing:problem:heap-profile" | "urn:lapwing:problem:idempotency-busy" | "urn:lapwing:problem:idempotency-key" | "urn:lapwing:problem:idempotency-mismatch" | "urn:lapwing:problem:image-missing" | "urn:lapwing:problem:image-size" | "urn:lapwing:problem:image-too-large" | "urn:lapwing:problem:in-use" | "urn:lapwing:problem:internal" | "urn:lapwing:problem:json" | "urn:lapwing:problem:log-level" | "urn:lapwing:problem:login" | "urn:lapwing:problem:media-type" | "urn:lapwing:problem:members" | "urn:lapwing:problem:mixed-versions" | "urn:lapwing:problem:name" | "urn:lapwing:problem:name-taken" | "urn:lapwing:problem:no-coap" | "urn:lapwing:problem:no-delegation" | "urn:lapwing:problem:no-log" | "urn:lapwing:problem:no-offer" | "urn:lapwing:problem:no-recall" | "urn:lapwing:problem:no-root" | "urn:lapwing:problem:not-acceptable" | "urn:lapwing:problem:not-found" | "urn:lapwing:problem:not-now" | "urn:lapwing:problem:note" | "urn:lapwing:problem:open" | "urn:lapwing:problem:other-secret" | "urn:lapwing:problem:overlap" | "urn:lapwing:problem:own-work" | "urn:lapwing:problem:plan" | "urn:lapwing:problem:precondition" | "urn:lapwing:problem:preflight" | "urn:lapwing:problem:profiling" | "urn:lapwing:problem:query" | "urn:lapwing:problem:range" | "urn:lapwing:problem:reason" | "urn:lapwing:problem:refused" | "urn:lapwing:problem:revision" | "urn:lapwing:problem:sealing" | "urn:lapwing:problem:seq-not-newer" | "urn:lapwing:problem:slow-body" | "urn:lapwing:problem:stale" | "urn:lapwing:problem:store" | "urn:lapwing:problem:too-large" | "urn:lapwing:problem:twice" | "urn:lapwing:problem:unauthorised" | "urn:lapwing:problem:undecodable" | "urn:lapwing:problem:unknown-device" | "urn:lapwing:problem:untrusted" | "urn:lapwing:problem:url" | "urn:lapwing:problem:version" | "urn:lapwing:problem:withdrawn" | "urn:lapwing:problem:wrong-token";
        };
        /** @description A version set that is published. */
        PublishedVersionSet: {
            releases: components["schemas"]["Release"][];
            version: string;
        };
        /** @description What became of events sent again. */
        Redelivery: {
            /**
             * Format: int64
             * @description Still set aside.
             */
            left: number;
            /** Format: int64 */
            taken: number;
        };
        /** @description A release. */
        Release: {
            /** @description Which build made the image. */
            build?: string | null;
            component: string;
            digest: string;
            /** @description The ids of the hardware classes it is for. */
            hardware: string[];
            /** @description What people call them, in the same order. */
            hardware_names: (string | null)[];
            image: string;
            /** Format: int64 */
            image_size_bytes: number;
            /** @description Of its notes: ask for them under `/api/v1/releases/{digest}/notes`. */
            notes?: string | null;
            /** @description Of its bill of materials: ask for it under `/api/v1/releases/{digest}/sbom`. */
            sbom?: string | null;
            /** Format: int64 */
            seq: number;
            /** @description Which flavour it is, for example `debug`. */
            variant?: string | null;
            version: string;
        };
        /** @description What a release says to people. */
        ReleaseNotes: {
            notes: string;
        };
        /** @description A key that signed a release. */
        ReleaseSignature: {
            algorithm: string;
            /** @description Whether it is a release key of the present root document, and the signature is good. */
            believed: boolean;
            /** @description Its id. */
            key: string;
        };
        /** @description What is kept ready for devices. */
        Retention: {
            /** @description The least useful first. */
            artifacts: components["schemas"]["Artifact"][];
            /** Format: int64 */
            artifacts_bytes: number;
            /** Format: int64 */
            budget_bytes: number;
            downloads: components["schemas"]["Downloads"];
            /**
             * Format: int64
             * @description What would go.
             */
            going_bytes: number;
            /** @description Artifacts that went, if that was asked for. */
            gone?: number | null;
        };
        /**
         * @description What a token is good for. Each role may do all that the one before it may.
         * @enum {string}
         */
        Role: "viewer" | "operator" | "release-manager" | "admin";
        /** @description A rollout. */
        Rollout: {
            /** @description Who agreed that it starts. */
            approvers: string[];
            /** @description Who made it, by the name of a token. */
            author: string;
            counts?: components["schemas"]["RolloutCounts"] | null;
            /** @description What it was halted on; enough to work it out again. */
            evidence?: Record<string, never> | null;
            /**
             * Format: int64
             * @description Commands so far; the next one says that it has seen this.
             */
            generation: number;
            group: string;
            /** @description Kinds of devices that it was halted for alone. */
            halted_strata: components["schemas"]["HaltedStratum"][];
            /** Format: int64 */
            id: number;
            /** Format: int64 */
            made: number;
            phases: components["schemas"]["Phase"][];
            plan: string;
            /** Format: int32 */
            plan_revision: number;
            /** @description `feature` or `security`; security overtakes. */
            priority: string;
            /** Format: int32 */
            rate_per_minute: number;
            /** @description The version that brings devices back. */
            recall?: string | null;
            state: string;
            version: string;
            /** @description Why it does not go on, if it does not. */
            why?: string | null;
        };
        /** @description A cause and whom it met. */
        RolloutCause: {
            /** @description Whether the image is to blame. */
            blamed: boolean;
            cause: string;
            /** Format: int32 */
            devices: number;
            /** @description The first of them. */
            shown: string[];
        };
        /** @description What goes with a command. */
        RolloutCommand: {
            /** @description For a start: findings of preflight that do not matter, by code. */
            accept?: string[];
            /** @description For those who read the history. Needed to resume and to recall. */
            reason?: string;
        };
        /** @description Devices of a rollout, each counted once, by its newest attempt. */
        RolloutCounts: {
            /**
             * Format: int32
             * @description Of those judged, silence among them.
             */
            failed: number;
            /**
             * Format: int32
             * @description Those that said so within an hour.
             */
            failed_early: number;
            /**
             * Format: int32
             * @description Ended with no bearing on the release.
             */
            gone: number;
            /** Format: int32 */
            granted: number;
            /**
             * Format: int32
             * @description In the group when the rollout was made.
             */
            group: number;
            /** Format: int32 */
            in_flight: number;
            /**
             * Format: int32
             * @description At their deadline.
             */
            judged: number;
            /** Format: double */
            on_new_percent: number;
            /**
             * Format: int32
             * @description Seen lately, for which what is open is open.
             */
            reachable: number;
            /** Format: int32 */
            rolled_back: number;
            /** Format: double */
            rolled_back_percent: number;
            /** Format: int32 */
            switched: number;
            /**
             * Format: int32
             * @description Failed with many others at one site, which says little.
             */
            uncounted: number;
        };
        /** @description A fact and what became of the devices by its values. */
        RolloutDimension: {
            dimension: string;
            values: components["schemas"]["RolloutValue"][];
        };
        /** @description Devices alike that failed in one hour. */
        RolloutFailure: {
            /** @description The version before; `-` for what was never published here. */
            base: string;
            /**
             * Format: int32
             * @description Ended without a switch, or in silence.
             */
            failed: number;
            /**
             * Format: int32
             * @description Devices alike that were offered it, in all hours.
             */
            granted: number;
            /** @description `-` for devices that do not say. */
            model: string;
            /** @description `-` for devices that do not say. */
            region: string;
            /** Format: int32 */
            rolled_back: number;
            /**
             * Format: int64
             * @description When the hour begins.
             */
            time: number;
        };
        /** @description A reason and the devices it concerns. */
        RolloutFinding: {
            code: string;
            /** Format: int32 */
            devices: number;
            sentence: string;
            /** @description The first of them. */
            shown: string[];
        };
        /** @description What a rollout has shown, beside what it has to show. */
        RolloutGate: {
            /**
             * Format: int32
             * @description What may fail within an hour, and in all.
             */
            allowed_early_ppm: number;
            /** Format: int32 */
            allowed_ppm: number;
            /**
             * Format: int32
             * @description The lowest that its devices exclude so far; none if they exclude nothing.
             */
            excluded_ppm?: number | null;
            /**
             * Format: int32
             * @description The failure rate that the present phase has to exclude, in parts of a million.
             */
            excludes_ppm: number;
            /**
             * Format: int64
             * @description How strongly the counts speak against that: so many to one, in thousandths.
             */
            odds_early_milli: number;
            /** Format: int64 */
            odds_milli: number;
        };
        /** @description Something that happened to a rollout. */
        RolloutHappened: {
            /** @description For halts. */
            evidence?: Record<string, never> | null;
            name: string;
            /** Format: int64 */
            time: number;
            words: string;
        };
        /** @description What devices say of their health. */
        RolloutHealth: {
            /** Format: int64 */
            crashes: number;
            /** Format: int32 */
            devices: number;
            /** Format: int32 */
            unwell: number;
            /** Format: int64 */
            watchdog_resets: number;
            /** Format: int32 */
            with_errors: number;
        };
        /** @description What happened to a rollout. */
        RolloutHistory: {
            history: components["schemas"]["RolloutHappened"][];
        };
        /** @description What happened in one hour. */
        RolloutHour: {
            /** Format: int32 */
            confirmed: number;
            /** Format: int32 */
            failed: number;
            /** Format: int32 */
            offered: number;
            /** Format: int32 */
            rolled_back: number;
            /** Format: int32 */
            switched: number;
            /** Format: int64 */
            time: number;
        };
        /** @description A rollout to be made. */
        RolloutOrder: {
            /**
             * @description Take devices to another major version, or to a release that its maker calls breaking. Somebody else has to
             *     approve the rollout then.
             */
            approve_breaking?: boolean;
            /** @description Bring a variant other than the plain one to a group in production. Somebody else has to approve it too. */
            approve_variant?: boolean;
            group?: string;
            /** @description The name of a plan. */
            plan: string;
            /** @description A version set that is held and brings devices back. */
            recall?: string | null;
            /** @description A version set that is held. */
            version: string;
        };
        /** @description What became of the devices of a rollout, each counted once, by its newest attempt. */
        RolloutOutcomes: {
            by: components["schemas"]["RolloutDimension"][];
            causes: components["schemas"]["RolloutCause"][];
            /** @description Devices alike that failed in one hour; the most first. */
            failures: components["schemas"]["RolloutFailure"][];
            gate?: components["schemas"]["RolloutGate"] | null;
            /** @description Devices on the new version, by their own word. */
            health_after: components["schemas"]["RolloutHealth"];
            /** @description Devices of this rollout that run something else. */
            health_before: components["schemas"]["RolloutHealth"];
            /** @description By the hour in which it happened. */
            hours: components["schemas"]["RolloutHour"][];
            /** @description What its first share covers, and what it covered so far. */
            strata: components["schemas"]["RolloutStratum"][];
        };
        /** @description What a rollout would do. */
        RolloutPreview: {
            /**
             * Format: int32
             * @description People who must agree before it starts, whoever made it not among them.
             */
            approvals: number;
            /**
             * Format: int64
             * @description All soaks together; evidence may take longer.
             */
            at_least_s: number;
            /**
             * Format: int32
             * @description In the group when the rollout was made.
             */
            devices: number;
            /** @description What is in the way of its start. */
            findings: components["schemas"]["RolloutFinding"][];
            group: string;
            /** Format: int32 */
            have_it: number;
            /**
             * Format: int32
             * @description Get it in a later one, or wait for something that passes by itself.
             */
            later: number;
            /**
             * Format: int32
             * @description Never get it as things are.
             */
            never: number;
            /**
             * Format: int32
             * @description Get it in the first phase.
             */
            now: number;
            version: string;
            /** @description Why not in the first phase. */
            why: components["schemas"]["RolloutFinding"][];
        };
        /** @description Devices that a first share has to have judged together. */
        RolloutStratum: {
            /** Format: int32 */
            devices: number;
            /** Format: int32 */
            failed: number;
            /** Format: int32 */
            judged: number;
            /** Format: int32 */
            needed: number;
            stratum: string;
        };
        /** @description The devices with one value. */
        RolloutValue: {
            /** Format: int32 */
            confirmed: number;
            /**
             * Format: int32
             * @description Ended without a switch, or in silence.
             */
            failed: number;
            /**
             * Format: int64
             * @description From the offer to the switch, seconds, of half of the devices.
             */
            fetch_s_median?: number | null;
            /** Format: int32 */
            granted: number;
            /** Format: int32 */
            rolled_back: number;
            /** Format: int32 */
            under_way: number;
            /** @description `-` for devices that do not say. */
            value: string;
        };
        /** @description Rollouts, the newest first. */
        Rollouts: {
            cursor?: string | null;
            rollouts: components["schemas"]["Rollout"][];
        };
        /** @description A component and what runs of it. */
        Running: {
            component: string;
            /** @description The beginning of the digest of the image that runs. */
            digest: string;
            /** @description The beginning of the digest of the image in the other slot. */
            held?: string | null;
            /** @description Its version, if a release has that image. */
            version?: string | null;
        };
        /** @description A token to sign in with. */
        SessionOrder: {
            token: string;
        };
        /** @description A token, without its secret. */
        Token: {
            /** Format: int64 */
            expires?: number | null;
            /**
             * Format: int64
             * @description When it was used last, to the hour.
             */
            last_used?: number | null;
            /** Format: int64 */
            made: number;
            name: string;
            role: string;
        };
        /** @description A token to be made. */
        TokenOrder: {
            /**
             * Format: int64
             * @description For how long it is good; for ever if not given.
             */
            expires_in_s?: number | null;
            /** @description What people call it; the audit names it. Small letters, digits, `.`, `_` and `-`. */
            name: string;
            role: components["schemas"]["Role"];
        };
        /** @description Tokens, by name. The admin token in the server's file is not among them. */
        Tokens: {
            cursor?: string | null;
            tokens: components["schemas"]["Token"][];
        };
        /** @description A public key. */
        TrustKey: {
            algorithm: string;
            id: string;
        };
        /** @description Keys, what they may sign, and until when. */
        TrustRole: {
            keys: components["schemas"]["TrustKey"][];
            /** Format: int64 */
            not_after: number;
            /** @description `root`, `release`, `delegator`, or `online` for the keys that the delegation names. */
            role: string;
            /**
             * Format: int32
             * @description So many of the keys have to sign.
             */
            threshold: number;
        };
        /** @description A value and how many devices have it. */
        ValueCount: {
            /** Format: int64 */
            devices: number;
            value: string;
        };
        /** @description A version and how many devices run it. */
        VersionCount: {
            /** Format: int64 */
            devices: number;
            /** Format: int64 */
            unwell: number;
            /** @description None for what was never published here. */
            version?: string | null;
        };
        /** @description A version set. */
        VersionSet: {
            note: string;
            /** Format: int64 */
            pushed: number;
            releases: components["schemas"]["Release"][];
            /** @description `open`, `held` or `withdrawn`. */
            state: string;
            version: string;
        };
        /** @description A version set to be published. */
        VersionSetOrder: {
            /** @description What people call the hardware classes, by their ids. */
            hardware_names?: {
                [key: string]: string;
            };
            /** @description Keep it without offering it. */
            hold?: boolean;
            note?: string;
            /** @description The signed releases of one version, as base64url. */
            releases: string[];
        };
        /** @description Version sets. */
        VersionSets: {
            cursor?: string | null;
            version_sets: components["schemas"]["VersionSet"][];
        };
        /** @description A webhook. */
        Webhook: {
            /**
             * Format: int64
             * @description Events of the log that it was not asked about yet.
             */
            behind: number;
            /**
             * Format: int64
             * @description Events that it would not take.
             */
            dead_letters: number;
            /**
             * Format: int64
             * @description When it is tried again, if it failed.
             */
            due?: number | null;
            events: string[];
            /**
             * Format: int32
             * @description Tries of the next message that failed.
             */
            failures: number;
            /** @description How the last try ended; empty before the first. */
            last: string;
            /** Format: int64 */
            made: number;
            name: string;
            /** @description Nothing is sent until somebody resumes it. */
            paused: boolean;
            url: string;
        };
        /** @description A webhook to be made. */
        WebhookOrder: {
            /** @description Names of events, or their beginnings up to a dot; all if there is none. */
            events?: string[];
            /** @description What a broker wants to hear, `user:password`. It is never shown. */
            login?: string | null;
            /** @description At most 32 of A-Z a-z 0-9 . _ - + ~ */
            name: string;
            /**
             * @description `https`, or plain `http` on the server's machine; or the broker that messages are published to, `mqtts`, or
             *     plain `mqtt` on the server's machine, with the beginning of their topics as its path.
             */
            url: string;
        };
        /** @description How a test went. */
        WebhookTest: {
            /** @description What came back, in words. */
            outcome: string;
            /** @description Whether the endpoint took it. */
            taken: boolean;
        };
        /** @description Webhooks, by name. */
        Webhooks: {
            cursor?: string | null;
            webhooks: components["schemas"]["Webhook"][];
        };
        /** @description Why a device is not updating. */
        Why: {
            /** @description What a person can do about it. */
            advice?: string | null;
            code: string;
            /**
             * Format: int64
             * @description When it is expected to check in.
             */
            expected?: number | null;
            sentence: string;
            /**
             * Format: int64
             * @description When it is over by itself.
             */
            until?: number | null;
        };
        /** @description A reason and how many devices have it. */
        WhyCount: {
            advice?: string | null;
            code: string;
            /** Format: int64 */
            devices: number;
            /** @description The sentence of one of them. */
            sentence: string;
        };
    };
    responses: {
        /** @description too much at once; `Retry-After` says when to come back */
        busy: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description the server's disk is full; nothing was changed */
        "disk-full": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description the token's role may not do this; the detail names the role that may */
        forbidden: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description a request with this idempotency key is still being answered */
        "idempotency-busy": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description this idempotency key came with another request before */
        "idempotency-mismatch": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description the server failed; its log says how */
        internal: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description the body has another media type than is asked for here */
        "media-type": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description the answer has another media type than `Accept` allows */
        "not-acceptable": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description there is no such thing */
        "not-found": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description the request does not fit: its path, its method or its form */
        refused: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description the body took too long */
        "slow-body": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description the body is larger than its limit */
        "too-large": {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
        /** @description this needs a token */
        unauthorised: {
            headers: {
                [name: string]: unknown;
            };
            content: {
                "application/problem+json": components["schemas"]["Problem"];
            };
        };
    };
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    get_access: {
        parameters: {
            query?: {
                /** @description Those before this one: the `cursor` of the page before. */
                cursor?: string;
                /** @description Those that said they were from this device. */
                device?: string;
                /** @description Those that were answered with this HTTP status. */
                status?: number;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AccessLog"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_affected: {
        parameters: {
            query?: {
                /** @description The name of a component, as bills have it. */
                component?: string;
                /**
                 * @description Versions of it, such as `<3.0.20`, or `>=1.1.0 <1.1.1k`. Those like 1.4.0 compare as semantic versions,
                 *     all others as Debian's.
                 */
                version?: string;
                /** @description The SPDX name of a licence. */
                licence?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Affected"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_audit: {
        parameters: {
            query?: {
                /** @description Those after this one: the `cursor` of the page before, which is the number of its last command. */
                cursor?: string;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Audit"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    put_blobs_digest: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description SHA-256 of the image, 64 hexadecimal digits */
                digest: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/octet-stream": number[];
            };
        };
        responses: {
            /** @description kept */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            /** @description kept already */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            /** @description `digest`: the bytes have another SHA-256 than their name */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_caller: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Caller"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_changes: {
        parameters: {
            query?: never;
            header?: {
                /** @description the id of the last event that was read */
                "Last-Event-ID"?: string | null;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/event-stream": string;
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_claim_tokens: {
        parameters: {
            query?: {
                /** @description Where to go on: the `cursor` of the page before. */
                cursor?: string;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ClaimTokens"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_claim_tokens: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["ClaimTokenOrder"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewClaimToken"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    delete_claim_tokens_name: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description what lists call it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description it lets nobody in any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_clock_confirm: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Now"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_devices: {
        parameters: {
            query?: {
                /** @description Those that this filter holds for; docs/reference/filters.md has the language. */
                filter?: string;
                /** @description Those that stand like this. */
                standing?: "silent" | "quarantined" | "unwell" | "erring" | "crashed" | "stuck" | "updating";
                /** @description Those with this reason, by its code. */
                why?: string;
                /** @description Those that this rollout brought something. */
                rollout?: string;
                /** @description Those that `rollout` counts like this. */
                counted?: "on-new" | "on-old" | "on-its-way" | "rolled-back" | "judged" | "failed" | "elsewise";
                /** @description Those whose newest attempt has one of these states, with commas between them. */
                attempt?: string;
                /** @description Those whose newest attempt ended with one of these causes, with commas between them. */
                cause?: string;
                /** @description Those whose newest attempt was for this version. */
                tried?: string;
                /** @description Those whose newest attempt began from this version; `-` for what was never published here. */
                base?: string;
                /** @description Those whose newest attempt ended in the hour that begins then, in seconds since 1970. */
                ended_hour?: number;
                /** @description Those that hold this version of the root document. */
                root?: number;
                /** @description Those that hold this version of the delegation. */
                delegation?: number;
                /** @description Where to go on: the `cursor` of the page before. */
                cursor?: string;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Devices"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_devices_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description the device */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Device"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    delete_devices_id: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the device */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description forgotten */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_devices_id_admit: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the device */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_devices_id_context: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the device */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewContext"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_devices_id_facts: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the device */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["DeviceNotes"];
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_devices_id_pin: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the device */
                id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["Pin"];
            };
        };
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_devices_id_replace: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the device */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_devices_id_retry: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the device */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_devices_id_update_now: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the device */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_devices_id_why: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description the device */
                id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Why"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_docs: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/html": string;
                };
            };
            401: components["responses"]["unauthorised"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_events: {
        parameters: {
            query?: {
                /** @description Those after this one: the `cursor` of the page before, which is the id of its last event. */
                cursor?: string;
                /** @description Those of one device. */
                device?: string;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Events"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_fleet_boot_failures: {
        parameters: {
            query?: {
                /** @description Days; 30 if not given. */
                days?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["BootFailures"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_fleet_configurations: {
        parameters: {
            query?: {
                /** @description So many of the most frequent ones; 10 if not given. */
                top?: number;
                /** @description Of the devices in this group only. */
                group?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Configurations"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_groups: {
        parameters: {
            query?: {
                /** @description Where to go on: the `cursor` of the page before. */
                cursor?: string;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Groups"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_groups_name: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description the group */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    put_groups_name: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the group */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["GroupOrder"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Group"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `stale` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    delete_groups_name: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the group */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description it is gone */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description `in-use` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_identity: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    put_log_level: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LogLevel"];
            };
        };
        responses: {
            /** @description changed */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `no-log` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_openapi_json: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["unauthorised"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_overview: {
        parameters: {
            query?: {
                /** @description Those that this filter holds for; all if not given. */
                filter?: string;
                /** @description Seconds that the curve shows; a week if not given. */
                span_s?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Overview"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_plans: {
        parameters: {
            query?: {
                /** @description Where to go on: the `cursor` of the page before. */
                cursor?: string;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Plans"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_plans_name: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description the plan */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    put_plans_name: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the plan */
                name: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": Record<string, never>;
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": Record<string, never>;
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `built-in`, `revision` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_releases_digest_attestations: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the release */
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Attestation"][];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_releases_digest_attestations: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description SHA-256 of the release */
                digest: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewAttestation"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Attestation"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `idempotency-busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            /** @description `document-missing`, `document`, `document-too-large`, `idempotency-mismatch` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_releases_digest_notes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the release */
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReleaseNotes"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_releases_digest_sbom: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the release */
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": unknown;
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_releases_digest_signatures: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description SHA-256 of the release */
                digest: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["ReleaseSignature"][];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_retention: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retention"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_retention: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Retention"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_rollouts: {
        parameters: {
            query?: {
                /** @description Where to go on: the `cursor` of the page before. */
                cursor?: string;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollouts"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_rollouts: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolloutOrder"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            /** @description `not-found`: the version, the group or the plan */
            404: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `open`, `withdrawn`, `idempotency-busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_rollouts_id: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description the rollout */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_rollouts_id_approve: {
        parameters: {
            query?: never;
            header: {
                /** @description the tag or the generation that was read */
                "If-Match": string;
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the rollout */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolloutCommand"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `not-now`, `own-work`, `agreed-already`, `idempotency-busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `stale` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description `precondition` */
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_rollouts_id_cancel: {
        parameters: {
            query?: never;
            header: {
                /** @description the tag or the generation that was read */
                "If-Match": string;
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the rollout */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolloutCommand"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `not-now`, `idempotency-busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `stale` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description `precondition` */
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_rollouts_id_history: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description the rollout */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutHistory"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_rollouts_id_outcomes: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description the rollout */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutOutcomes"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_rollouts_id_pause: {
        parameters: {
            query?: never;
            header: {
                /** @description the tag or the generation that was read */
                "If-Match": string;
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the rollout */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolloutCommand"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `not-now`, `idempotency-busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `stale` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description `precondition` */
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_rollouts_id_preview: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description the rollout */
                id: number;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["RolloutPreview"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_rollouts_id_recall: {
        parameters: {
            query?: never;
            header: {
                /** @description the tag or the generation that was read */
                "If-Match": string;
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the rollout */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolloutCommand"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `not-now`, `no-recall`, `idempotency-busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `stale` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description `precondition` */
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_rollouts_id_resume: {
        parameters: {
            query?: never;
            header: {
                /** @description the tag or the generation that was read */
                "If-Match": string;
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the rollout */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolloutCommand"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `not-now`, `idempotency-busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `stale` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description `precondition` */
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_rollouts_id_start: {
        parameters: {
            query?: never;
            header: {
                /** @description the tag or the generation that was read */
                "If-Match": string;
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description the rollout */
                id: number;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["RolloutCommand"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Rollout"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `not-now`, `idempotency-busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `stale` */
            412: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            /** @description `preflight`, `idempotency-mismatch` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `precondition` */
            428: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_session: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SessionOrder"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Caller"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    delete_session: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_tokens: {
        parameters: {
            query?: {
                /** @description Where to go on: the `cursor` of the page before. */
                cursor?: string;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_tokens: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["TokenOrder"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewToken"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `name-taken`, `idempotency-busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    delete_tokens_name: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description what lists call it */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description it is good for nothing any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    put_trust_delegation: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/cbor": number[];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `no-root` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            /** @description `untrusted`: a device would not believe it either */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    put_trust_root: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/cbor": number[];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Identity"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `overlap` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            /** @description `untrusted`: a device would not believe it either */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_version_sets: {
        parameters: {
            query?: {
                /** @description Where to go on: the `cursor` of the page before. */
                cursor?: string;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["VersionSets"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_version_sets: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["VersionSetOrder"];
            };
        };
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PublishedVersionSet"];
                };
            };
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["PublishedVersionSet"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            /** @description `no-root`, `seq-not-newer`, `duplicate`, `idempotency-busy` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description `too-large`, `image-too-large`, `document-too-large` */
            413: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            415: components["responses"]["media-type"];
            /** @description `untrusted`, `mixed-versions`, `twice`, `image-missing`, `image-size`, `document-missing`, `document`, `idempotency-mismatch` */
            422: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_version_sets_version_release: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_version_sets_version_withdraw: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                version: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_webhooks: {
        parameters: {
            query?: {
                /** @description Where to go on: the `cursor` of the page before. */
                cursor?: string;
                /** @description Rows at most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhooks"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_webhooks: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WebhookOrder"];
            };
        };
        responses: {
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["NewWebhook"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            415: components["responses"]["media-type"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_webhooks_name: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description its name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Webhook"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    delete_webhooks_name: {
        parameters: {
            query?: never;
            header?: {
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description its name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description it is told nothing any more */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_webhooks_name_dead_letters: {
        parameters: {
            query?: {
                /** @description At most; 500 if not given. */
                limit?: number;
            };
            header?: never;
            path: {
                /** @description its name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["DeadLetters"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    post_webhooks_name_dead_letters_redeliver: {
        parameters: {
            query?: {
                /** @description At most; 500 if not given. */
                limit?: number;
            };
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description its name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Redelivery"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_webhooks_name_pause: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description its name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_webhooks_name_resume: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description its name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description done */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    post_webhooks_name_test: {
        parameters: {
            query?: never;
            header?: {
                /** @description Makes a repetition harmless. */
                "Idempotency-Key"?: string;
                /** @description Why this is done, for the audit: at most 1,024 bytes of UTF-8. */
                "Lapwing-Reason"?: string;
            };
            path: {
                /** @description its name */
                name: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WebhookTest"];
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            404: components["responses"]["not-found"];
            406: components["responses"]["not-acceptable"];
            408: components["responses"]["slow-body"];
            409: components["responses"]["idempotency-busy"];
            413: components["responses"]["too-large"];
            422: components["responses"]["idempotency-mismatch"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
            507: components["responses"]["disk-full"];
        };
    };
    get_debug_profile_cpu: {
        parameters: {
            query?: {
                /** @description 10 if not given. */
                seconds?: number;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "text/plain": string;
                };
            };
            400: components["responses"]["refused"];
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description `profiling` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_debug_profile_heap: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/octet-stream": number[];
                };
            };
            401: components["responses"]["unauthorised"];
            403: components["responses"]["forbidden"];
            406: components["responses"]["not-acceptable"];
            /** @description `heap-profile` */
            409: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Problem"];
                };
            };
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
    get_healthz: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Health"];
                    "application/problem+json": components["schemas"]["Health"];
                };
            };
            /** @description as `If-None-Match` has it */
            304: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            401: components["responses"]["unauthorised"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/problem+json": components["schemas"]["Health"];
                };
            };
        };
    };
    get_metrics: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/openmetrics-text": string;
                };
            };
            401: components["responses"]["unauthorised"];
            406: components["responses"]["not-acceptable"];
            /** @description the head is larger than 16 KiB */
            431: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
            500: components["responses"]["internal"];
            503: components["responses"]["busy"];
        };
    };
}
