//! A desk to work at: a directory, and the tool run in it.
//!
//! Touches: a temporary directory, which goes when the desk does.

use crate::clerk::{self, Clerk};
use serde_json::Value;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

/// The directory.
pub(crate) struct Desk {
    dir: tempfile::TempDir,
    server: Option<(String, String)>,
}

impl Desk {
    /// An empty one.
    pub(crate) fn empty() -> Self {
        Self { dir: tempfile::tempdir().unwrap(), server: None }
    }

    /// One with keys, root 1 and a delegation of a key that nobody holds.
    pub(crate) fn ready() -> Self {
        let desk = Self::empty();
        desk.json("key init");
        desk.json(&format!("key root create --issued 2026-01-01 --tls-server {}", "11".repeat(32)));
        desk.json(&format!("key delegate --online {}", "22".repeat(32)));
        desk
    }

    /// This desk, talking to `clerk`.
    pub(crate) fn at(mut self, clerk: &Clerk) -> Self {
        self.put("token", clerk::TOKEN);
        self.talk_to(&clerk.url, "token");
        self
    }

    /// From here on, commands ask this server.
    pub(crate) fn talk_to(&mut self, url: &str, token_file: &str) {
        self.server = Some((url.to_owned(), token_file.to_owned()));
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        self.dir.path()
    }

    /// Puts a file on it.
    pub(crate) fn put(&self, name: &str, bytes: impl AsRef<[u8]>) -> PathBuf {
        let path = self.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, bytes).unwrap();
        path
    }

    /// The bytes of a file on it.
    pub(crate) fn bytes(&self, name: &str) -> Vec<u8> {
        std::fs::read(self.path().join(name)).unwrap()
    }

    /// The tool, about to run here with an environment of its own.
    pub(crate) fn command(&self) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_lapwing"));
        command
            .current_dir(self.path())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default());
        if let Some((url, token_file)) = &self.server {
            command.env("LAPWING_SERVER", url).env("LAPWING_TOKEN_FILE", token_file);
        }
        command
    }

    /// Runs `lapwing LINE`.
    pub(crate) fn run(&self, line: &str) -> Output {
        self.command().args(line.split_whitespace()).output().unwrap()
    }

    /// Runs `lapwing --json LINE`, which must succeed, and gives what it said.
    pub(crate) fn json(&self, line: &str) -> Value {
        let output = self.run(&format!("--json {line}"));
        assert!(output.status.success(), "{line}: {}", String::from_utf8_lossy(&output.stderr));
        serde_json::from_slice(&output.stdout).unwrap()
    }

    /// Runs `lapwing LINE`, which must fail with this code, and gives its complaint.
    pub(crate) fn refused(&self, line: &str, code: i32) -> String {
        let output = self.run(line);
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        assert_eq!(output.status.code(), Some(code), "{line}: {complaint}");
        complaint
    }
}

/// The exit codes that `docs/reference/cli.md` promises.
pub(crate) mod code {
    pub(crate) const USAGE: i32 = 2;
    pub(crate) const POLICY: i32 = 3;
    pub(crate) const NOT_FOUND: i32 = 4;
    pub(crate) const UNREACHABLE: i32 = 5;
    pub(crate) const VERIFICATION: i32 = 6;
    pub(crate) const CONFLICT: i32 = 7;
}
