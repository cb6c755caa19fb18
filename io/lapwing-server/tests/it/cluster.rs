//! A PostgreSQL of the tests' own, for the tests that are told of one and those that kill it.
//!
//! Touches: a temporary directory, a process that only this one ends, a socket in that directory.
//! Never: runs as root, which PostgreSQL refuses, or with less than its full care for the disk.

use std::io::Read;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// The directory of the socket of a cluster that stands. With it every test keeps its rows there.
const SOCKET: &str = "LAPWING_TEST_POSTGRES";
/// Where its programs are.
const PROGRAMS: &str = "LAPWING_TEST_POSTGRES_PROGRAMS";
/// Somebody who is not root.
const NOBODY: &str = "65534";
/// Where one listens: the name of its socket, if nothing else.
const PORT: u16 = 5432;
/// Until a cluster takes connections, or until what an earlier one left of its processes is gone.
const TRIES_MAX: usize = 500;

/// A PostgreSQL. Dropped, it is killed.
pub(crate) struct Cluster {
    dir: TempDir,
    port: u16,
    settings: Vec<String>,
    server: Child,
}

impl Cluster {
    /// A new one, if its programs were named.
    pub(crate) fn new() -> Option<Self> {
        Self::with(PORT, |_| vec!["listen_addresses=".to_owned()])
    }

    /// One at another port, with the settings that are made for its directory.
    pub(crate) fn with(port: u16, settings: impl FnOnce(&Path) -> Vec<String>) -> Option<Self> {
        let programs = std::env::var_os(PROGRAMS)?;
        let dir = TempDir::new_in(somewhere_open()).unwrap();
        std::fs::set_permissions(dir.path(), PermissionsExt::from_mode(0o777)).unwrap();
        let data = dir.path().join("data");
        let made = as_nobody(&Path::new(&programs).join("initdb"))
            .args(["--auth=trust", "--username=lapwing", "--encoding=UTF8", "--locale=C.UTF-8", "-D"])
            .arg(&data)
            .stdout(Stdio::null())
            .status();
        assert!(made.unwrap().success());
        let mut settings = settings(dir.path());
        settings.push(format!("port={port}"));
        let server = serve(dir.path(), &settings);
        let cluster = Self { dir, port, settings, server };
        cluster.wait_until_open();
        Some(cluster)
    }

    /// The directory of its socket.
    pub(crate) fn socket(&self) -> &Path {
        self.dir.path()
    }

    /// As when its machine loses power.
    pub(crate) fn kill(&mut self) {
        self.server.kill().unwrap();
        self.server.wait().unwrap();
    }

    /// Stands up again with what was on the disk.
    pub(crate) fn start_again(&mut self) {
        for _ in 0..TRIES_MAX {
            self.server = serve(self.dir.path(), &self.settings);
            // It ends at once while a process of the one before it still lives.
            if self.is_open_before_it_ends() {
                return;
            }
        }
        panic!("the cluster does not start again");
    }

    /// Whether it runs a statement to its end.
    pub(crate) fn takes(&self, statement: &str) -> bool {
        psql(self.socket(), self.port, statement)
    }

    fn is_open_before_it_ends(&mut self) -> bool {
        loop {
            if self.takes("SELECT 1") {
                return true;
            }
            if self.server.try_wait().unwrap().is_some() {
                return false;
            }
        }
    }

    fn wait_until_open(&self) {
        let open = (0..TRIES_MAX).any(|_| self.takes("SELECT 1"));
        assert!(open, "the cluster takes no connections");
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// A program of PostgreSQL's, by somebody who is not root if we are.
fn as_nobody(program: &Path) -> Command {
    if !is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("setpriv");
    command.args(["--reuid", NOBODY, "--regid", NOBODY, "--clear-groups", "--"]).arg(program);
    command
}

/// Where its own user may go: whoever runs the tests may keep their temporary files to themselves.
fn somewhere_open() -> PathBuf {
    let usual = std::env::temp_dir();
    let lets_in = |folder: &Path| std::fs::metadata(folder).is_ok_and(|folder| folder.mode() & 0o001 != 0);
    if !is_root() || usual.ancestors().all(lets_in) { usual } else { PathBuf::from("/tmp") }
}

fn is_root() -> bool {
    std::fs::metadata("/proc/self").map(|us| us.uid() == 0).unwrap()
}

/// Gives a file to whoever the cluster runs as, and nobody else.
pub(crate) fn hand_over(file: &Path) {
    std::fs::set_permissions(file, PermissionsExt::from_mode(0o600)).unwrap();
    if is_root() {
        let nobody = NOBODY.parse().ok();
        std::os::unix::fs::chown(file, nobody, nobody).unwrap();
    }
}

fn serve(dir: &Path, settings: &[String]) -> Child {
    let programs = std::env::var_os(PROGRAMS).unwrap();
    as_nobody(&Path::new(&programs).join("postgres"))
        .args(settings.iter().flat_map(|setting| ["-c", setting]))
        .args(["-c", "max_connections=400", "-c", "logging_collector=off", "-k"])
        .arg(dir)
        .arg("-D")
        .arg(dir.join("data"))
        .stdout(Stdio::null())
        .stderr(std::fs::File::create(dir.join("log")).unwrap())
        .spawn()
        .unwrap()
}

fn psql(socket: &Path, port: u16, statement: &str) -> bool {
    let mut command = Command::new("psql");
    command
        .env("PGPORT", port.to_string())
        .args(["-X", "-q", "-U", "lapwing", "-d", "postgres", "-c", statement, "-h"])
        .arg(socket);
    command.stdout(Stdio::null()).stderr(Stdio::null()).status().unwrap().success()
}

/// Where a server with this data directory keeps its rows, if a cluster stands: in a schema of its own.
pub(crate) fn store_of(dir: &Path) -> Option<String> {
    std::env::var_os(SOCKET).map(|socket| store_in(Path::new(&socket), dir))
}

/// The same, in this cluster.
pub(crate) fn store_in(socket: &Path, dir: &Path) -> String {
    assert!(psql(socket, PORT, &format!("CREATE SCHEMA IF NOT EXISTS {}", schema(dir))));
    address(socket, dir)
}

/// The address of that schema, whether it is there or not.
pub(crate) fn address(socket: &Path, dir: &Path) -> String {
    format!("host={} user=lapwing dbname=postgres options='-c search_path={}'", socket.display(), schema(dir))
}

fn schema(dir: &Path) -> String {
    let name = dir.file_name().unwrap().as_encoded_bytes();
    std::iter::once("w".to_owned()).chain(name.iter().map(|byte| format!("{byte:02x}"))).collect()
}

/// Not a test: the cluster that the tests are told of. It stands until nothing more comes in.
#[test]
#[ignore = "started by whoever runs the tests on PostgreSQL"]
fn stand_until_input_ends() {
    let cluster = Cluster::new().unwrap();
    println!("\ncluster {}", cluster.socket().display());
    std::io::stdin().read_to_end(&mut Vec::new()).unwrap();
}
