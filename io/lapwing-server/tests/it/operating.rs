//! What operators need of a running server: profiles, patience with slow clients, an end in good order.

use crate::world::{World, config, start};
use lapwing_core::Digest;
use lapwing_server::StartError;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_cpu_profile_is_taken_while_the_server_works() {
    // A device that asks without end is what this test wants.
    let world = World::with(|config| config.device_messages_per_hour = u32::MAX).await;
    let device = world.device("d1").await;
    let profile = world.get("/debug/profile/cpu?seconds=1");
    let work = async {
        loop {
            world.check_in(&device, &device.asking(b"any")).await.expect(200);
        }
    };
    let profile = tokio::select! {
        profile = profile => profile.expect(200),
        () = work => unreachable!(),
    };
    let text = String::from_utf8(profile.body).unwrap();
    let counted = |line: &str| line.rsplit(' ').next().is_some_and(|count| count.parse::<u32>().is_ok());
    assert!(!text.is_empty() && text.lines().all(counted), "{text}");
    world.get("/debug/profile/cpu?seconds=x").await.expect(400);
}

#[tokio::test]
async fn a_heap_profile_says_what_it_needs() {
    let world = World::new().await;
    let says = world.get("/debug/profile/heap").await;
    match std::env::var_os("_RJEM_MALLOC_CONF").filter(|_| cfg!(feature = "heap-profile")) {
        Some(_) => assert!(says.expect(200).body.starts_with(b"heap_v2/")),
        None => drop(says.expect(409)),
    }
}

#[tokio::test]
async fn a_data_directory_has_one_server() {
    let world = World::new().await;
    let second = start(config(&world.dir), &world.clock).await;
    assert!(matches!(second, Err(StartError::Busy(_))));
    world.restart().await;
}

#[tokio::test]
async fn a_silent_connection_is_closed() {
    let world = World::with(|config| config.head_timeout_ms = 50).await;
    for address in [world.wires.management, world.wires.devices] {
        let mut silent = TcpStream::connect(address).await.unwrap();
        let mut said = Vec::new();
        assert!(silent.read_to_end(&mut said).await.is_ok_and(|_| said.is_empty()));
    }
}

#[tokio::test]
async fn a_body_that_never_ends_is_given_up() {
    let world = World::with(|config| config.body_timeout_ms = 50).await;
    let mut slow = TcpStream::connect(world.wires.management).await.unwrap();
    let token = std::fs::read_to_string(world.server.admin_token_path()).unwrap();
    let head = format!(
        "POST /api/v1/claim-tokens HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nContent-Length: 9\r\n\r\n{{",
        token.trim()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut said = [0; 12];
    slow.read_exact(&mut said).await.unwrap();
    assert_eq!(&said, b"HTTP/1.1 408");
}

#[tokio::test]
async fn a_request_under_way_ends_in_good_order_at_shutdown() {
    let world = World::new().await;
    let (dir, image) = (world.dir, b"an image");
    let token = std::fs::read_to_string(world.server.admin_token_path()).unwrap();
    let mut slow = TcpStream::connect(world.wires.management).await.unwrap();
    let head = format!(
        "PUT /api/v1/blobs/{} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {}\r\nExpect: 100-continue\r\n\
         Content-Length: {}\r\nConnection: close\r\n\r\n",
        Digest::of(image),
        token.trim(),
        image.len()
    );
    slow.write_all(head.as_bytes()).await.unwrap();
    let mut go_on = [0; 25];
    slow.read_exact(&mut go_on).await.unwrap();
    assert!(go_on.starts_with(b"HTTP/1.1 100"), "the handler reads the body");
    let rest = async {
        slow.write_all(image).await.unwrap();
        let mut said = String::new();
        slow.read_to_string(&mut said).await.unwrap();
        said
    };
    let (said, ()) = tokio::join!(rest, world.server.shutdown());
    assert!(said.starts_with("HTTP/1.1 201"), "{said}");
    let name = Digest::of(image).to_string();
    assert!(dir.path().join("blobs").join(&name[..2]).join(name).exists());
}

#[tokio::test]
async fn a_disk_with_little_room_degrades_health_and_says_what_to_do() {
    let world = World::with(|config| config.disk_free_bytes_min = u64::MAX).await;
    let health = world.get("/healthz").await.expect_plain(200).json();
    assert_eq!((&health["state"], &health["reasons"][0]["code"]), (&"degraded".into(), &"disk-low".into()));
    assert!(health["reasons"][0]["advice"].as_str().unwrap().contains("disk_free_bytes_min"), "{health}");
    let roomy = World::with(|config| config.disk_free_bytes_min = 0).await;
    assert_eq!(roomy.get("/healthz").await.expect(200).json()["state"], "ok");
}
