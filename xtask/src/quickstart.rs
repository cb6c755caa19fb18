//! Finds the quickstart of the README: the fenced `sh` block behind its marker.
//!
//! Touches: nothing; text in, script out.

const MARKER: &str = "<!-- quickstart -->";

/// The commands of the quickstart.
///
/// # Errors
/// When the marker or its block is missing, or the block holds no command.
pub(crate) fn script(readme: &str) -> Result<String, String> {
    let after = readme.split_once(MARKER).ok_or(format!("no {MARKER} in the README"))?.1;
    let fence = after.trim_start().strip_prefix("```sh\n");
    let block = fence.and_then(|rest| rest.split_once("```")).ok_or("no sh block behind the marker")?.0;
    let is_command = |line: &str| !line.trim().is_empty() && !line.trim().starts_with('#');
    if block.lines().any(is_command) { Ok(block.to_owned()) } else { Err("it holds no command yet".into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_block_behind_the_marker_is_the_script() {
        let readme = "```sh\ngit clone x\n```\n<!-- quickstart -->\n\n```sh\n# see\ntrue\n```\nmore";
        assert_eq!(script(readme).as_deref(), Ok("# see\ntrue\n"));
    }

    #[test]
    fn a_missing_or_empty_block_is_said() {
        assert!(script("nothing").is_err());
        assert!(script("<!-- quickstart -->\ntext").is_err());
        assert!(script("<!-- quickstart -->\n```sh\n# later\n```").is_err());
    }
}
