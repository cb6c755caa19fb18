//! Commands that talk to a server, against one that remembers every word.
//!
//! Touches: desks, a clerk.

use crate::clerk::Clerk;
use crate::desk::{Desk, code};
use lapwing_core::{Digest, TrustAnchor};

#[test]
fn a_newcomer_enrols_once_and_may_do_so_again() {
    let (desk, clerk) = (Desk::empty(), Clerk::open());
    let desk = desk.at(&clerk);
    let enrolled = desk.json("key enroll");
    let roots = clerk.asked("PUT /api/v1/trust/root");
    let delegations = clerk.asked("PUT /api/v1/trust/delegation");
    assert_eq!((roots.len(), delegations.len()), (1, 1));
    let anchor = TrustAnchor::provisioned(&roots[0].body).unwrap().delegate(&delegations[0].body).unwrap();
    assert_eq!(enrolled["fleet"].as_str().unwrap(), anchor.root().fleet.to_string());
    desk.json("key enroll");
    assert_eq!(clerk.asked("PUT").len(), 2, "what the server has is not sent again");
}

#[test]
fn no_private_key_and_no_token_is_ever_said() {
    let (desk, clerk) = (Desk::empty(), Clerk::open());
    let desk = desk.at(&clerk);
    let output = desk.run("key enroll");
    let key = String::from_utf8(desk.bytes("lapwing-keys/keys/release.key")).unwrap();
    let secret =
        key.lines().find_map(|line| line.strip_prefix("secret = ")).unwrap().trim_matches('"').to_owned();
    let mut said = [output.stdout, output.stderr].concat();
    clerk.asked("").iter().for_each(|asked| said.extend_from_slice(&asked.body));
    let said = String::from_utf8_lossy(&said).into_owned();
    assert!(!said.contains(&secret) && !said.contains(crate::clerk::TOKEN));
}

#[test]
fn a_release_is_pushed_after_its_image() {
    let (desk, clerk) = (Desk::ready(), Clerk::open());
    let desk = desk.at(&clerk);
    desk.put("image", "program");
    desk.json("release create --sign --image image --hardware a.example/b --release-version 1.0.0 --out r");
    let pushed = desk.json("release push r --image image");
    assert_eq!(pushed["version"], "1.0.0");
    let blobs = clerk.asked("PUT /api/v1/blobs/");
    assert_eq!(blobs[0].line, format!("PUT /api/v1/blobs/{}", Digest::of(b"program")));
    assert_eq!(blobs[0].body, b"program");
    desk.refused("release push r --image image", code::CONFLICT);
}

#[test]
fn a_release_is_pushed_after_the_documents_that_it_names() {
    let (desk, clerk) = (Desk::ready(), Clerk::open());
    let desk = desk.at(&clerk);
    desk.put("image", "program");
    desk.put("bill", "{}");
    desk.put("notes", "mends it");
    let says = "--hardware a.example/b --release-version 1.0.0 --sbom bill --notes notes";
    desk.json(&format!("release create --sign --image image {says} --out r"));
    desk.json("release push r --image image --sbom bill --notes notes");
    let sent: Vec<_> = clerk.asked("PUT /api/v1/blobs/").into_iter().map(|asked| asked.body).collect();
    assert_eq!(sent, [b"program".to_vec(), b"{}".to_vec(), b"mends it".to_vec()]);
    desk.put("other", "{ }");
    desk.refused("release push r --sbom other", code::CONFLICT);
}

#[test]
fn what_devices_would_not_believe_is_not_pushed() {
    let (desk, clerk) = (Desk::ready(), Clerk::open());
    let desk = desk.at(&clerk);
    desk.put("image", "program");
    desk.put("other", "another");
    desk.json("release create --image image --hardware a.example/b --release-version 1.0.0 --out r");
    desk.refused("release push r --image image", code::VERIFICATION);
    desk.json("release sign r");
    desk.refused("release push r --image other", code::CONFLICT);
    assert!(clerk.asked("").is_empty());
}

#[test]
fn a_device_gets_its_claim_token_and_address_from_the_server() {
    let (desk, clerk) = (Desk::empty(), Clerk::open());
    let desk = desk.at(&clerk);
    desk.json("key enroll");
    desk.put("image", "program");
    desk.json("device provision --out dev --id pump-7 --hardware a.example/b --image image");
    assert_eq!(desk.bytes("dev/claim-token"), format!("{}\n", "ab".repeat(16)).into_bytes());
    let config = String::from_utf8(desk.bytes("dev/agent.toml")).unwrap();
    assert!(config.contains("https://127.0.0.1:8443"), "{config}");
}

#[test]
fn a_device_is_not_provisioned_for_a_server_of_no_or_another_fleet() {
    let (desk, clerk) = (Desk::ready(), Clerk::open());
    let desk = desk.at(&clerk);
    desk.put("image", "program");
    desk.refused("device provision --out dev --id p --hardware a.example/b --image image", code::CONFLICT);
    assert!(clerk.asked("POST /api/v1/claim-tokens").is_empty(), "no token is spent on it");
}

#[test]
fn failures_have_the_codes_that_are_documented() {
    let (desk, clerk) = (Desk::empty(), Clerk::open());
    let desk = desk.at(&clerk);
    desk.json("device why pump-7");
    desk.refused("device why pump-8", code::NOT_FOUND);
    desk.refused("device why ../pump", code::USAGE);
    desk.put("wrong-token", "wrong");
    desk.refused("device why pump-7 --token-file wrong-token", code::POLICY);
    desk.refused("device why pump-7 --token-file nowhere", code::NOT_FOUND);
    desk.refused("device why pump-7 --server http://192.0.2.1:8440", code::POLICY);
    let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    desk.refused(&format!("device why pump-7 --server http://{nobody}"), code::UNREACHABLE);
}

#[test]
fn completions_know_every_side_of_the_tool() {
    let desk = Desk::empty();
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = String::from_utf8(desk.run(&format!("completions {shell}")).stdout).unwrap();
        assert!(["provision", "rotate", "watch"].iter().all(|command| script.contains(command)), "{shell}");
    }
}

#[test]
fn complaints_are_json_when_asked_for() {
    let desk = Desk::empty();
    let output = desk.run("--json release inspect nowhere");
    let complaint: serde_json::Value = serde_json::from_slice(&output.stderr).unwrap();
    assert_eq!(complaint["code"], code::NOT_FOUND);
    assert!(output.stdout.is_empty());
}
