//! The server's management plane, from the outside.
//!
//! Touches: plain HTTP to loopback, the file that holds the admin token.
//! Never: sends the token anywhere but to loopback, or shows it in an argument, a URL or a message.

use crate::durable;
use crate::exit::{Code, Refusal};
use crate::output::progress_bar;
use anyhow::{Context, Result};
use clap::Args;
use serde_json::Value;
use std::fs::File;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;
use ureq::http::{Request, Response, StatusCode, Uri};
use ureq::{AsSendBody, Body, SendBody};

/// What the server calls a signature that it does not believe.
const UNTRUSTED: &str = "urn:lapwing:problem:untrusted";
const TOKEN_BYTES_MAX: usize = 1024;
/// Rows of a list asked for at a time.
const PAGE_ROWS_MAX: usize = 500;
const ANSWER_BYTES_MAX: u64 = 64 * 1024 * 1024;
const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);
/// Longest silence of the server. Nothing it is asked for here takes long.
const SILENCE_MAX: Duration = Duration::from_secs(120);

/// Which server, and who asks.
#[derive(Args, Clone)]
pub(crate) struct ManagementArgs {
    /// The server's management address, on loopback. From elsewhere, through a tunnel such as `ssh -L`.
    #[arg(
        long,
        visible_alias = "server",
        value_name = "URL",
        env = "LAPWING_SERVER",
        default_value = "http://127.0.0.1:8440"
    )]
    management: String,
    #[command(flatten)]
    token: TokenArgs,
    /// Why, for the server's audit and for the history of a rollout.
    #[arg(long, value_name = "TEXT")]
    reason: Option<String>,
}

impl ManagementArgs {
    /// Why, as whoever asks says.
    pub(crate) fn reason(&self) -> Option<&str> {
        self.reason.as_deref()
    }

    /// The server, not asked anything yet.
    pub(crate) fn open(&self) -> Result<Management> {
        let server = Management::open(&self.management, &self.token)?;
        Ok(Management { reason: self.reason.clone(), ..server })
    }
}

/// Who asks.
#[derive(Args, Clone)]
pub(crate) struct TokenArgs {
    /// The file with the token: the admin token that the server wrote into its data directory, or one that
    /// `lapwing token make` made.
    #[arg(long, value_name = "FILE", env = "LAPWING_TOKEN_FILE", default_value = "lapwing-data/admin-token")]
    token_file: PathBuf,
}

/// The server.
pub(crate) struct Management {
    base: String,
    token: String,
    reason: Option<String>,
    agent: ureq::Agent,
}

impl Management {
    /// The server at `url`, not asked anything yet.
    pub(crate) fn open(url: &str, token: &TokenArgs) -> Result<Self> {
        check_address(url)?;
        let config = ureq::Agent::config_builder()
            .http_status_as_error(false)
            .proxy(None)
            .max_redirects(0)
            .timeout_connect(Some(CONNECT_TIMEOUT))
            .timeout_per_read(Some(SILENCE_MAX))
            .timeout_per_write(Some(SILENCE_MAX))
            .build();
        let base = url.trim_end_matches('/').to_owned();
        Ok(Self { base, token: read_token(&token.token_file)?, reason: None, agent: config.new_agent() })
    }

    /// Asks for something.
    pub(crate) fn get(&self, path: &str) -> Result<Value> {
        self.send("GET", path, &[], ())
    }

    /// Asks for a list, page by page: its rows stand under `name`; at most so many.
    pub(crate) fn list(&self, path: &str, name: &str, wanted: usize) -> Result<Vec<Value>> {
        let (mut rows, mut cursor) = (Vec::new(), String::new());
        let joint = if path.contains('?') { '&' } else { '?' };
        while rows.len() < wanted {
            let limit = PAGE_ROWS_MAX.min(wanted - rows.len());
            let page = self.get(&format!("{path}{joint}limit={limit}{cursor}"))?;
            rows.extend(page[name].as_array().cloned().unwrap_or_default());
            match page["cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={}", path_part(next)),
                None => break,
            }
        }
        Ok(rows)
    }

    /// Tells it something.
    pub(crate) fn post(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("POST", path, &[("content-type", "application/json")], body.to_string())
    }

    /// Tells it something about what was read at this generation.
    pub(crate) fn command(&self, path: &str, generation: u64, body: &Value) -> Result<Value> {
        let tag = format!("\"{generation}\"");
        let head = [("content-type", "application/json"), ("if-match", tag.as_str())];
        self.send("POST", path, &head, body.to_string())
    }

    /// Gives it what it shall keep under this path.
    pub(crate) fn put_json(&self, path: &str, body: &Value) -> Result<Value> {
        self.send("PUT", path, &[("content-type", "application/json")], body.to_string())
    }

    /// Gives it a signed document.
    pub(crate) fn put(&self, path: &str, body: &[u8]) -> Result<Value> {
        self.send("PUT", path, &[("content-type", "application/cbor")], body)
    }

    /// Tells it to forget something.
    pub(crate) fn delete(&self, path: &str) -> Result<Value> {
        self.send("DELETE", path, &[], ())
    }

    /// Gives it a file, with a progress bar where somebody watches.
    pub(crate) fn put_file(&self, path: &str, file: &Path) -> Result<Value> {
        let reading = || format!("read {}", file.display());
        let source = File::open(file).with_context(reading)?;
        let size = source.metadata().with_context(reading)?.len();
        let name = file.file_name().unwrap_or_default().to_string_lossy();
        let bar = progress_bar(size, &name);
        let mut source = bar.wrap_read(source);
        let length = size.to_string();
        // The server looks at the head first, so that a refusal does not cost the upload.
        let head = [("content-length", length.as_str()), ("expect", "100-continue")];
        let answer = self.send("PUT", path, &head, SendBody::from_reader(&mut source));
        bar.finish_and_clear();
        answer
    }

    fn send(&self, method: &str, path: &str, head: &[(&str, &str)], body: impl AsSendBody) -> Result<Value> {
        let asking = || format!("ask the server at {}", self.base);
        let mut request = Request::builder().method(method).uri(format!("{}{path}", self.base));
        request = request.header("authorization", format!("Bearer {}", self.token));
        if let Some(reason) = &self.reason {
            request = request.header("lapwing-reason", reason.as_bytes());
        }
        for (name, value) in head {
            request = request.header(*name, *value);
        }
        let request = request.body(body).with_context(asking)?;
        let answer = self.agent.run(request).map_err(|error| self.silence(&error))?;
        read_answer(answer).with_context(asking)
    }

    fn silence(&self, error: &ureq::Error) -> anyhow::Error {
        Refusal::new(Code::Unreachable, format!("ask the server at {}: {error}", self.base))
            .advice("is `lapwing serve` running, and is --server its management address?")
            .into()
    }
}

/// A part of a path that cannot leave its place.
pub(crate) fn path_part(text: &str) -> String {
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"._-~".contains(&b);
    text.bytes().map(|b| if plain(b) { char::from(b).to_string() } else { format!("%{b:02X}") }).collect()
}

fn check_address(url: &str) -> Result<()> {
    let wrong = || {
        Refusal::new(Code::Usage, format!("read `{url}`: it is not a URL"))
            .advice("like http://127.0.0.1:8440")
    };
    let uri: Uri = url.parse().map_err(|_| wrong())?;
    let host = uri.host().unwrap_or_default().trim_matches(['[', ']']);
    let loopback = host == "localhost" || host.parse().is_ok_and(|address: IpAddr| address.is_loopback());
    if uri.scheme_str() == Some("http") && loopback {
        return Ok(());
    }
    let what = format!("ask the server at {url}: the admin token goes to http://127.0.0.1 or localhost only");
    let advice = "open a tunnel: ssh -L 8440:127.0.0.1:8440 HOST, then use http://127.0.0.1:8440";
    Err(Refusal::new(Code::Policy, what).advice(advice).into())
}

fn read_token(path: &Path) -> Result<String> {
    let missing = |_| {
        Refusal::new(Code::NotFound, format!("read the admin token {}", path.display()))
            .advice("name the file with --token-file or LAPWING_TOKEN_FILE; the server wrote it into its data directory")
    };
    let text = durable::read_at_most(path, TOKEN_BYTES_MAX).map_err(missing)?;
    let token = String::from_utf8_lossy(&text).trim().to_owned();
    let plain = !token.is_empty() && token.bytes().all(|b| b.is_ascii_graphic());
    let wrong = || {
        Refusal::new(Code::Usage, format!("read the admin token {}: it is not one", path.display()))
            .advice("copy the server's admin-token again, whole: one line of 64 digits")
    };
    plain.then_some(token).ok_or_else(|| wrong().into())
}

fn read_answer(mut answer: Response<Body>) -> Result<Value> {
    let status = answer.status();
    let text = answer.body_mut().with_config().limit(ANSWER_BYTES_MAX).read_to_string()?;
    let body: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if status.is_success() {
        return Ok(body);
    }
    Err(refusal(status, &body).into())
}

/// What the server's refusal means here.
fn refusal(status: StatusCode, problem: &Value) -> Refusal {
    let detail = problem["detail"].as_str().or(problem["title"].as_str()).unwrap_or("no reason given");
    let plain = |text: &str| -> String { text.chars().filter(|c| !c.is_control()).collect() };
    let (code, advice) = match status {
        StatusCode::UNAUTHORIZED => {
            let advice = "--token-file names the file with a good token; `lapwing token list` shows those that there are";
            return Refusal::new(Code::Policy, format!("be let in: {}", plain(detail))).advice(advice);
        }
        StatusCode::FORBIDDEN => {
            (Code::Policy, "ask an admin for a token with that role: `lapwing token make`")
        }
        StatusCode::NOT_FOUND => (Code::NotFound, "is it spelled right, and is --server the right one?"),
        StatusCode::CONFLICT | StatusCode::PRECONDITION_FAILED => {
            (Code::Conflict, "look at what is there already")
        }
        _ if problem["type"] == UNTRUSTED => {
            (Code::Verification, "sign it with keys that the server's root names")
        }
        StatusCode::SERVICE_UNAVAILABLE | StatusCode::BAD_GATEWAY | StatusCode::GATEWAY_TIMEOUT => {
            (Code::Unreachable, "try again in a moment")
        }
        status if status.is_client_error() => (Code::Policy, "docs/reference/cli.md says what is allowed"),
        _ => (Code::Failure, "the server's log says what happened"),
    };
    // The server knows better, if it says.
    Refusal::new(code, plain(detail)).advice(problem["advice"].as_str().map_or(advice.to_owned(), plain))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_token_leaves_for_loopback_only() {
        for good in ["http://127.0.0.1:8440", "http://localhost:1/", "http://[::1]:8440", "http://127.9.9.9"]
        {
            assert!(check_address(good).is_ok(), "{good}");
        }
        for bad in [
            "http://10.0.0.1:8440",
            "http://example.com",
            "http://127.0.0.1.example.com",
            "http://127.0.0.1@example.com",
            "https://127.0.0.1",
            "ftp://localhost",
            "localhost:8440",
            "",
        ] {
            assert!(check_address(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn a_part_of_a_path_stays_one_part() {
        assert_eq!(path_part("pump-7.a_b~c"), "pump-7.a_b~c");
        assert_eq!(path_part("a/../b?c#d e+"), "a%2F..%2Fb%3Fc%23d%20e%2B");
    }
}
