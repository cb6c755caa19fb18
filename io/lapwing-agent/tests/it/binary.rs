//! `lapwing-agent` as a program: its exit codes, its signals, and a child that it runs.

use crate::device::{Device, image};
use lapwing_core::{Slot, SlotState};
use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::process::{Child, ChildStderr, Command, Output, Stdio};

fn agent(device: &Device, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_lapwing-agent"));
    command.args(words).arg("--config").arg(device.path("agent.toml")).stdin(Stdio::null());
    command
}

fn output(device: &Device, words: &[&str]) -> Output {
    agent(device, words).output().unwrap()
}

/// An agent that runs, and what it says. It is ended with the test.
struct Running {
    child: Child,
    lines: BufReader<ChildStderr>,
}

impl Running {
    fn start(device: &Device, arguments: &[&str]) -> Self {
        let mut command = agent(device, &["run"]);
        let mut child = command.arg("--").args(arguments).stderr(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stderr.take().unwrap());
        Self { child, lines }
    }

    /// Waits for a line with these words.
    fn says(&mut self, words: &str) -> String {
        loop {
            let mut line = String::new();
            assert_ne!(self.lines.read_line(&mut line).unwrap(), 0, "it ended without saying `{words}`");
            if line.contains(words) {
                return line;
            }
        }
    }

    fn signal(&self, name: &str) {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-s", name, &pid]).status().unwrap().success());
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn exit_codes_tell_what_is_wrong() {
    let device = Device::provisioned(&image("good", 0, 100));
    let code = |words: &[&str]| output(&device, words).status.code();
    assert_eq!(code(&["run", "--check-config"]), Some(0));
    assert_eq!(code(&["--help"]), Some(0));
    assert_eq!(code(&["walk"]), Some(2));
    assert_eq!(code(&["run", "--json"]), Some(2));
    assert_eq!(code(&["status"]), Some(4));
    assert_eq!(code(&["trigger"]), Some(4));
    fs::write(device.path("agent.toml"), "nonsense = 1\n").unwrap();
    let wrong = output(&device, &["run", "--check-config"]);
    assert_eq!(wrong.status.code(), Some(3));
    // The whole chain of causes, with the key that nobody knows.
    assert!(String::from_utf8_lossy(&wrong.stderr).contains("nonsense"), "{wrong:?}");
}

#[test]
fn a_configuration_is_checked_against_the_machine() {
    let device = Device::provisioned(&image("good", 0, 100));
    let config = fs::read_to_string(device.path("agent.toml")).unwrap();
    let complaint = |config: &str| {
        fs::write(device.path("agent.toml"), config).unwrap();
        let wrong = output(&device, &["run", "--check-config"]);
        assert_eq!(wrong.status.code(), Some(3), "{wrong:?}");
        String::from_utf8_lossy(&wrong.stderr).into_owned()
    };
    for how in ["launcher", "child"] {
        let config = config.replace("\"exit\"", &format!("\"{how}\"\nlauncher = \"no-launcher\""));
        assert!(complaint(&config).contains("no-launcher is not a program"));
    }
    // A file that nobody may execute is no launcher either.
    let elsewhere = config.replace("\"exit\"", "\"launcher\"\nlauncher = \"claim-token\"");
    assert!(complaint(&elsewhere).contains("claim-token is not a program"));
    assert!(complaint(&format!("device_dir = \"trust\"\n{config}")).contains("trust holds no slots"));
    fs::remove_dir(device.path("slots/b")).unwrap();
    assert!(complaint(&config).contains("holds no slots"));
}

#[test]
fn signals_change_the_log_level_and_end_the_run() {
    let device = Device::provisioned(&image("good", 0, 100));
    let mut running = Running::start(&device, &[]);
    running.says("slot a runs image");
    running.signal("USR1");
    assert!(output(&device, &["trigger"]).status.success());
    running.says("DEBUG");
    let status = output(&device, &["status", "--json"]);
    assert!(String::from_utf8_lossy(&status.stdout).contains("\"slot\":\"a\""), "{status:?}");
    running.signal("TERM");
    assert!(running.child.wait().unwrap().success());
    assert!(fs::read_to_string(device.path("running")).unwrap().ends_with(" ended"));
}

#[test]
fn a_killed_run_is_known_for_a_crash_by_the_next_one() {
    let device = Device::provisioned(&image("good", 0, 100));
    let mut running = Running::start(&device, &[]);
    running.says("slot a runs image");
    drop(running);
    assert!(!fs::read_to_string(device.path("running")).unwrap().ends_with(" ended"));
}

/// The launcher as far as this test needs it: it says the slot and becomes the image.
const LAUNCHER: &str = "#!/bin/sh\nroot=$3\nshift 4\nLAPWING_ROOT=$root LAPWING_SLOT=a \
                        exec \"$root/slots/a/image\" \"$@\"\n";

#[test]
fn a_program_that_is_a_child_gets_its_arguments_and_ends_with_the_agent() {
    let program = b"#!/bin/sh\necho \"$LAPWING_SLOT $*\" > \"$LAPWING_ROOT/said\"\nexec sleep 600\n";
    let device = Device::provisioned(program);
    fs::write(device.path("launcher"), LAUNCHER).unwrap();
    for file in [device.path("launcher"), device.image(Slot::A)] {
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let config = fs::read_to_string(device.path("agent.toml")).unwrap();
    let config = config.replace("how = \"exit\"", "how = \"child\"\nlauncher = \"launcher\"");
    fs::write(device.path("agent.toml"), config).unwrap();
    let mut running = Running::start(&device, &["one", "two words"]);
    running.says("slot a runs image");
    let children = format!("/proc/{0}/task/{0}/children", running.child.id());
    let child: u32 = fs::read_to_string(children).unwrap().trim().parse().unwrap();
    // The program has said its line as soon as it has become `sleep`.
    while !fs::read(format!("/proc/{child}/cmdline")).unwrap().starts_with(b"sleep") {
        std::thread::yield_now();
    }
    assert_eq!(fs::read_to_string(device.path("said")).unwrap(), "a one two words\n");
    running.signal("TERM");
    assert!(running.child.wait().unwrap().success());
    assert!(!std::path::Path::new(&format!("/proc/{child}")).exists());
    assert_eq!(device.table().slot(Slot::A).state, SlotState::Confirmed);
}
