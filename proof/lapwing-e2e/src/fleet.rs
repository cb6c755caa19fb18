//! A server with its signing side, set up as the README tells an operator to, on loopback.
//!
//! Touches: a temporary folder, the programs `lapwing` and `lapwing-launcher`, the management plane.
//! Never: reaches into a program; it uses what users have.

use crate::binaries::Binaries;
use crate::device::Device;
use crate::process::{Process, wait_until};
use anyhow::{Context, Result, bail};
use lapwing_link::Asker;
use serde_json::Value;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::Duration;

/// What the devices of these tests are.
pub const HARDWARE: &str = "acme.example/beacon";
const START_PATIENCE: Duration = Duration::from_secs(20);

/// A fleet: its folder, its server, its keys.
#[derive(Debug)]
pub struct Fleet {
    server: Option<Process>,
    binaries: Binaries,
    dir: PathBuf,
    management_url: String,
    device_addr: String,
    coap_addr: String,
}

impl Fleet {
    /// Makes keys, starts a server, and enrols it.
    ///
    /// # Errors
    /// When a program fails; its words are in the error.
    pub fn start(binaries: &Binaries, dir: &Path) -> Result<Self> {
        Self::start_asked_every(1, binaries, dir)
    }

    /// The same with a server that is asked by each device every so many seconds.
    ///
    /// # Errors
    /// When a program fails; its words are in the error.
    pub fn start_asked_every(interval_s: u32, binaries: &Binaries, dir: &Path) -> Result<Self> {
        let mut fleet = Self::without_server(binaries, dir)?;
        let data = fleet.data();
        let config = |addresses: [&str; 3]| server_config(&data, interval_s, addresses);
        fs::write(fleet.server_config(), config(["127.0.0.1:0"; 3]))?;
        fleet.start_server()?;
        // From here on the addresses stay, so that a server that was killed can be started again.
        let management = fleet.management_url.trim_start_matches("http://");
        let fixed = [&fleet.device_addr, &fleet.coap_addr, management];
        fs::write(fleet.server_config(), config(fixed))?;
        fleet.enrol()?;
        Ok(fleet)
    }

    /// Makes keys, and enrols a server that runs already: its operators' address, and its data in `server`
    /// below `dir`.
    ///
    /// # Errors
    /// When a program fails; its words are in the error.
    pub fn join(binaries: &Binaries, dir: &Path, management: SocketAddr) -> Result<Self> {
        let mut fleet = Self::without_server(binaries, dir)?;
        fleet.management_url = format!("http://{management}");
        fleet.enrol()?;
        Ok(fleet)
    }

    fn without_server(binaries: &Binaries, dir: &Path) -> Result<Self> {
        let fleet = Self {
            server: None,
            binaries: binaries.clone(),
            dir: dir.to_owned(),
            management_url: String::new(),
            device_addr: String::new(),
            coap_addr: String::new(),
        };
        fs::create_dir_all(fleet.logs())?;
        Ok(fleet)
    }

    fn enrol(&self) -> Result<()> {
        self.lapwing(&["key", "init", "--dir", &self.signing()])?;
        self.lapwing(&[&["key", "enroll", "--dir", &self.signing()], &*self.management()].concat())?;
        Ok(())
    }

    /// Starts the server again after [`Self::kill_server`].
    ///
    /// # Errors
    /// When it does not come up.
    pub fn start_server(&mut self) -> Result<()> {
        let mut command = self.command();
        let config = self.server_config();
        command.args(["serve", "--json", "--config"]).arg(&config);
        let log = self.logs().join("server.log");
        let seen = fs::read_to_string(&log).map_or(0, |text| text.len());
        let mut server = Process::start(command, &log)?;
        let addresses = wait_until(START_PATIENCE, || {
            if let Some(status) = server.ended()? {
                bail!("the server ended with {status}: {}", server.log());
            }
            Ok(server.log().get(seen..).unwrap_or_default().lines().find_map(addresses))
        });
        [self.device_addr, self.coap_addr, self.management_url] = addresses.context("wait for the server")?;
        self.server = Some(server);
        Ok(())
    }

    /// Ends the server without warning.
    ///
    /// # Errors
    /// When it cannot be reaped.
    pub fn kill_server(&mut self) -> Result<()> {
        self.server.take().map_or(Ok(()), |mut server| server.kill())
    }

    /// The server's process, while it runs.
    pub fn server(&mut self) -> Option<&mut Process> {
        self.server.as_mut()
    }

    /// Signs and publishes the beacon of this version, and says how large its image is.
    ///
    /// # Errors
    /// When it cannot be signed or published.
    pub fn push(&self, version: &str) -> Result<u64> {
        self.push_as(version, version)
    }

    /// Signs and publishes the image of one version under another.
    ///
    /// # Errors
    /// When it cannot be signed or published.
    pub fn push_as(&self, image: &str, version: &str) -> Result<u64> {
        self.push_image(&self.binaries.beacon(image)?, version)
    }

    /// Signs and publishes any image, and says how large it is.
    ///
    /// # Errors
    /// When it cannot be signed or published.
    pub fn push_image(&self, image: &Path, version: &str) -> Result<u64> {
        self.publish(image, version, &[])
    }

    /// Signs and publishes any image for a rollout to bring.
    ///
    /// # Errors
    /// When it cannot be signed or published.
    pub fn hold_image(&self, image: &Path, version: &str) -> Result<u64> {
        self.publish(image, version, &["--hold"])
    }

    fn publish(&self, image: &Path, version: &str, how: &[&str]) -> Result<u64> {
        let release = self.dir.join(format!("{version}.release")).display().to_string();
        let (image_text, signing) = (image.display().to_string(), self.signing());
        let what = ["release", "create", "--image", &image_text, "--hardware", HARDWARE];
        let says = ["--release-version", version, "--dir", &signing, "--sign", "--out", &release];
        self.lapwing(&[&what[..], &says[..]].concat())?;
        let push = ["release", "push", "--dir", &signing, &release, "--image", &image_text];
        self.lapwing(&[&push[..], how, &self.management()].concat())?;
        Ok(fs::metadata(image)?.len())
    }

    /// Provisions a device with the beacon of this version, which must have been pushed.
    ///
    /// # Errors
    /// When it cannot be provisioned.
    pub fn provision(&self, id: &str, version: &str) -> Result<Device> {
        self.provision_image(id, &self.binaries.beacon(version)?)
    }

    /// Provisions a device with any image, which must have been pushed.
    ///
    /// # Errors
    /// When it cannot be provisioned.
    pub fn provision_image(&self, id: &str, image: &Path) -> Result<Device> {
        let out = self.provision_with(id, image, &[])?;
        Device::new(id, &out, &self.binaries, &self.logs())
    }

    /// Makes the directory of a device that so many others are like.
    ///
    /// # Errors
    /// When it cannot be provisioned.
    pub fn provision_like(&self, image: &Path, count: u32) -> Result<PathBuf> {
        let count = count.to_string();
        let make = ["--json", "device", "token", "make", "--count", &count];
        let made: Value = serde_json::from_str(&self.lapwing(&[&make[..], &self.management()].concat())?)?;
        let token = made.get("token").and_then(Value::as_str).context("read the claim token")?;
        self.provision_with("like", image, &["--claim-token", token])
    }

    fn provision_with(&self, id: &str, image: &Path, how: &[&str]) -> Result<PathBuf> {
        let out = self.dir.join(id);
        let (out_text, signing) = (out.display().to_string(), self.signing());
        let image = image.display().to_string();
        let who = ["device", "provision", "--out", &out_text, "--id", id, "--hardware", HARDWARE];
        let what = ["--dir", &signing, "--image", &image];
        self.lapwing(&[&who[..], &what[..], how, &self.management()].concat())?;
        Ok(out)
    }

    /// Provisions a device that asks by CoAP, at these addresses one after the other.
    ///
    /// # Errors
    /// When it cannot be provisioned.
    pub fn provision_coap(&self, id: &str, image: &Path, servers: &[&str]) -> Result<Device> {
        let servers: Vec<&str> = servers.iter().flat_map(|server| ["--server", server]).collect();
        let out = self.provision_with(id, image, &[&["--oscore"], &servers[..]].concat())?;
        Device::new(id, &out, &self.binaries, &self.logs())
    }

    /// Lets a device in that only asks by CoAP.
    ///
    /// # Errors
    /// When the server refuses it.
    pub fn context(&self, agent: &ureq::Agent, id: &str) -> Result<Asker> {
        let request = agent.post(format!("{}/api/v1/devices/{id}/context", self.management_url));
        let mut made = request.header("Authorization", self.bearer()?).send_empty().context("let it in")?;
        let made: Value = serde_json::from_str(&made.body_mut().read_to_string()?)?;
        let bytes = |key: &str| -> Result<Vec<u8>> {
            let hex = made[key].as_str().context("read its context")?;
            let byte = |at| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
            (0..hex.len()).step_by(2).map(|at| byte(at).context("read hexadecimal digits")).collect()
        };
        Ok(Asker::new(&bytes("kid")?, &bytes("secret")?)?)
    }

    fn bearer(&self) -> Result<String> {
        Ok(format!("Bearer {}", fs::read_to_string(self.admin_token())?.trim()))
    }

    /// Where the server answers CoAP.
    ///
    /// # Errors
    /// When it does not run.
    pub fn coap_addr(&self) -> Result<SocketAddr> {
        self.coap_addr.parse().context("find the server's CoAP address")
    }

    /// Where the server answers HTTPS.
    #[must_use]
    pub fn device_addr(&self) -> &str {
        &self.device_addr
    }

    /// All events after this one, oldest first.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn events(&self, after: u64) -> Result<Vec<Value>> {
        let answer = self.get(&format!("/api/v1/events?cursor={after}&limit=500"))?;
        Ok(answer.get("events").and_then(Value::as_array).cloned().unwrap_or_default())
    }

    /// What the management plane says at this path.
    ///
    /// # Errors
    /// When the server does not answer, or not in JSON.
    pub fn get(&self, path: &str) -> Result<Value> {
        Ok(serde_json::from_str(&self.text(path)?)?)
    }

    /// The same, whatever it is.
    ///
    /// # Errors
    /// When the server does not answer.
    pub fn text(&self, path: &str) -> Result<String> {
        let url = format!("{}{path}", self.management_url);
        let request = ureq::get(&url).header("Authorization", self.bearer()?);
        Ok(request.call().context("ask the server")?.body_mut().read_to_string()?)
    }

    /// Runs `lapwing` to its end and gives what it printed.
    ///
    /// # Errors
    /// When it fails; its words are in the error.
    pub fn lapwing(&self, arguments: &[&str]) -> Result<String> {
        let output = self.command().args(arguments).stdin(Stdio::null()).output()?;
        let words = String::from_utf8_lossy(&output.stdout).into_owned();
        if !output.status.success() {
            let complaint = String::from_utf8_lossy(&output.stderr);
            bail!("lapwing {} failed: {words}{complaint}", arguments.join(" "));
        }
        Ok(words)
    }

    /// Arguments that tell `lapwing` where the server is.
    #[must_use]
    pub fn management(&self) -> Vec<&str> {
        vec!["--management", &self.management_url, "--token-file", TOKEN_FILE]
    }

    fn command(&self) -> Command {
        let mut command = Command::new(self.binaries.program("lapwing"));
        command.current_dir(&self.dir);
        command
    }

    fn signing(&self) -> String {
        self.dir.join("signing").display().to_string()
    }

    fn data(&self) -> PathBuf {
        self.dir.join("server")
    }

    fn admin_token(&self) -> PathBuf {
        self.dir.join(TOKEN_FILE)
    }

    fn server_config(&self) -> PathBuf {
        self.dir.join("server.toml")
    }

    fn logs(&self) -> PathBuf {
        self.dir.join("logs")
    }
}

const TOKEN_FILE: &str = "server/admin-token";

fn server_config(data: &Path, interval_s: u32, [device, coap, management]: [&str; 3]) -> String {
    format!(
        "data_dir = {data:?}\ndevice_listen = \"{device}\"\ncoap_listen = \"{coap}\"\nmanagement_listen = \"{management}\"\n\
         check_in_interval_s = {interval_s}\ndelta_ask_again_s = 1\ndelta_patience_s = 60\nretry_first_s = 3600\n"
    )
}

/// Where the server listens, if this line of its output says so: devices, by CoAP, then operators.
fn addresses(line: &str) -> Option<[String; 3]> {
    let said: Value = serde_json::from_str(line).ok()?;
    let text = |key: &str| said.get(key).and_then(Value::as_str).map(str::to_owned);
    Some([text("device_addr")?, text("coap_addr")?, text("management")?])
}
