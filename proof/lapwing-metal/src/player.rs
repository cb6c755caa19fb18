//! QEMU, told to be a board with a Cortex-M4 and to apply one artifact.
//!
//! Touches: the built program, `qemu-system-arm`, a folder of the caller.
//! Never: builds anything; `cargo xtask` does it before it starts whoever asks.

use std::io;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where cargo puts the program, below the target folder.
const PROGRAM: &str = "thumbv7em-none-eabihf/device/lapwing-metal";
/// An instruction takes a nanosecond, so that the board's clock counts instructions.
const BOARD: &[&str] = &["-M", "mps2-an386", "-icount", "shift=0", "-semihosting-config"];
const QUIET: &[&str] = &["enable=on,target=native", "-nographic", "-monitor", "none", "-serial", "none"];

/// Applies artifacts on a board.
#[derive(Debug, Clone)]
pub struct Player {
    program: PathBuf,
}

/// What came of it, and what it took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Applied {
    /// The image.
    pub target: Vec<u8>,
    /// Instructions, from the call of `apply` to its return.
    pub instructions: u64,
    /// Stack below the call of `apply`, its ports included.
    pub stack_bytes: u64,
    /// What the header asks for.
    pub memory_bytes: u64,
    /// Likewise, for the map.
    pub scratch_bytes: u64,
}

/// Why there is no image.
#[derive(Debug, thiserror::Error)]
pub enum PlayError {
    /// The program was not built.
    #[error("find {PROGRAM}: `cargo xtask test --only targets` builds it")]
    Program,
    /// QEMU or the folder.
    #[error("play the board: {0}")]
    Io(#[from] io::Error),
    /// The program found a reason, or ended without its figures.
    #[error("apply the artifact on the board: {0}")]
    Failed(String),
}

impl Player {
    /// The program that was built in the same target folder as this one.
    ///
    /// # Errors
    /// When it was not built.
    pub fn find() -> Result<Self, PlayError> {
        let me = std::env::current_exe()?;
        let built = me.ancestors().map(|folder| folder.join(PROGRAM)).find(|program| program.is_file());
        Ok(Self { program: built.ok_or(PlayError::Program)? })
    }

    /// Applies `artifact` to `base`; both and the image lie in `folder` meanwhile.
    ///
    /// # Errors
    /// When QEMU cannot be started, or the artifact is refused.
    pub fn apply(&self, base: &[u8], artifact: &[u8], folder: &Path) -> Result<Applied, PlayError> {
        std::fs::write(folder.join("base"), base)?;
        std::fs::write(folder.join("artifact"), artifact)?;
        let mut board = Command::new("qemu-system-arm");
        board.args(BOARD).args(QUIET).arg("-kernel").arg(&self.program).current_dir(folder);
        let output = board.stdin(Stdio::null()).output()?;
        let said = [output.stdout, output.stderr].concat();
        let said = String::from_utf8_lossy(&said).trim().to_owned();
        if !output.status.success() {
            return Err(PlayError::Failed(said));
        }
        let figure = |name: &str| {
            let mut lines = said.lines().filter_map(|line| line.split_once(' '));
            let figure = lines.find(|(what, _)| *what == name).and_then(|(_, number)| number.parse().ok());
            figure.ok_or_else(|| PlayError::Failed(said.clone()))
        };
        Ok(Applied {
            instructions: figure("instructions")?,
            stack_bytes: figure("stack_bytes")?,
            memory_bytes: figure("memory_bytes")?,
            scratch_bytes: figure("scratch_bytes")?,
            target: std::fs::read(folder.join("target"))?,
        })
    }
}
