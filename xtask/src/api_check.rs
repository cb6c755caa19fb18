//! Holds the running server to the description of its API, with the token of every role: schemathesis.
//!
//! Touches: the programs `lapwing` and `schemathesis`, a temporary folder, loopback. Examples are bounded and
//! the same in every run. Never: leaves the server running.

use crate::child;
use crate::house::{House, PROFILE};
use crate::set_up::python_folder;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

const ROLES: [&str; 4] = ["viewer", "operator", "release-manager", "admin"];
/// Requests tried for each operation and role, in each phase.
const EXAMPLES_MAX: &str = "8";
/// One never ends, one takes its time on purpose, and nobody makes signed CBOR up; all have tests of their own.
const NOT_TRIED: &str = "^/api/v1/changes$|^/debug/profile/|^/api/v1/trust/";
/// A head that is too large is refused, and a command that does not say what it has seen.
const SETTINGS: &str = "[checks]
negative_data_rejection.expected-statuses = [400, 401, 403, 404, 405, 406, 409, 412, 413, 415, 422, 428, 431]
";

/// Runs it, and says how much was tried.
///
/// # Errors
/// When the server does not start, or an answer is not as described.
pub(crate) fn run(house: &House) -> Result<String, String> {
    let work = std::env::temp_dir().join(format!("lapwing-api-{}", std::process::id()));
    fs::create_dir_all(&work).map_err(|error| error.to_string())?;
    let checked = Served::start(house, &work).and_then(|served| {
        let tried: Vec<String> =
            ROLES.iter().map(|role| served.check(house, role)).collect::<Result<_, _>>()?;
        Ok(tried.join("; "))
    });
    drop(fs::remove_dir_all(&work));
    checked
}

struct Served {
    server: Child,
    work: PathBuf,
    program: PathBuf,
    url: String,
}

impl Served {
    fn start(house: &House, work: &Path) -> Result<Self, String> {
        let failed = |error: std::io::Error| error.to_string();
        let config = house.root.join("examples/quickstart/server.toml");
        fs::copy(config, work.join("server.toml")).map_err(failed)?;
        let program = house.target_folder().join(PROFILE).join("lapwing");
        let mut server = Command::new(&program)
            .args(["serve", "--config", "server.toml", "--json"])
            .current_dir(work)
            .stdout(Stdio::piped())
            .stderr(File::create(work.join("serve.log")).map_err(failed)?)
            .spawn()
            .map_err(failed)?;
        let mut line = String::new();
        let said = server.stdout.take().ok_or("no output")?;
        BufReader::new(said).read_line(&mut line).map_err(failed)?;
        let url = word_behind(&line, "management").ok_or("the server does not say where it listens")?;
        let served = Self { server, work: work.to_owned(), program, url };
        served.lapwing(&["key", "enroll"])?;
        Ok(served)
    }

    fn lapwing(&self, arguments: &[&str]) -> Result<String, String> {
        let mut command = Command::new(&self.program);
        let command = command.args(arguments).current_dir(&self.work).env("LAPWING_SERVER", &self.url);
        child::output(command).ok_or(format!("lapwing {} failed", arguments.join(" ")))
    }

    /// The admin's is the one in the server's file, which nobody can revoke by trying.
    fn token(&self, role: &str) -> Result<String, String> {
        if role == "admin" {
            let text = fs::read_to_string(self.work.join("lapwing-data/admin-token"));
            return text.map(|text| text.trim().to_owned()).map_err(|error| error.to_string());
        }
        let made = self.lapwing(&["--json", "token", "make", "--role", role, "--name", role])?;
        word_behind(&made, "token").ok_or("no token".to_owned())
    }

    fn check(&self, house: &House, role: &str) -> Result<String, String> {
        let token = self.token(role)?;
        let log = self.work.join(format!("{role}.log"));
        let to_log = || File::create(&log).map_err(|error| error.to_string());
        let header = format!("Authorization: Bearer {token}");
        let description = format!("{}/api/v1/openapi.json", self.url);
        let settings = self.work.join("schemathesis.toml");
        fs::write(&settings, SETTINGS).map_err(|error| error.to_string())?;
        let mut command = child::program(house, "python3", &["-m", "schemathesis.cli", "--config-file"]);
        let ended = command
            .arg(&settings)
            .args(["run", &description])
            .args(["--header", &header, "--max-examples", EXAMPLES_MAX, "--seed", "1"])
            .args(["--generation-deterministic", "--continue-on-failure"])
            .args(["--phases", "examples,coverage,fuzzing", "--exclude-path-regex", NOT_TRIED])
            .args(["--exclude-checks", "positive_data_acceptance", "--request-timeout", "30", "--no-color"])
            .env("PYTHONPATH", python_folder(house))
            .current_dir(&self.work)
            .stdout(to_log()?)
            .stderr(Stdio::null())
            .status();
        let text = fs::read_to_string(&log).unwrap_or_default();
        if !ended.is_ok_and(|status| status.success()) {
            return Err(format!("as {role}:\n{text}"));
        }
        let tried = text.lines().find(|line| line.contains(" generated, ")).unwrap_or("?");
        eprintln!("{role}: {}", tried.trim());
        Ok(format!("{role} {}", tried.trim()))
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.server.kill());
        drop(self.server.wait());
    }
}

/// The text that JSON has under a name.
fn word_behind(json: &str, name: &str) -> Option<String> {
    let (_, rest) = json.split_once(&format!("\"{name}\":\""))?;
    rest.split_once('"').map(|(word, _)| word.to_owned())
}
