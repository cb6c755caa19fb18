//! Decides by the slot table which image to become, writes that down, and becomes it.
//!
//! Touches: `table_file`, `os`. Entered from: `main`, and `supervise` in the child.
//! Never: ends while an image could still be started. If no record of the table counts it writes
//! nothing and starts the image that lies there longest: only the spare is ever written, so the
//! older image was confirmed, whatever the table said. The agent rebuilds the table.

use crate::flags::{DigestCheck, Job};
use crate::os::{self, Access, Errno, File, Path};
use crate::outcome::{Outcome, complain, say};
use crate::table_file::TableFile;
use core::ffi::CStr;
use lapwing_core::{Hasher, Return, Slot, SlotEntry, SlotTable};

/// Becomes an image. Comes back only if that is impossible.
pub(crate) fn run(job: &Job) -> Outcome {
    let root = match Path::absolute(job.root) {
        Ok(root) => root,
        Err(why) => {
            complain("open", job.root, why);
            return Outcome::NoRoot;
        }
    };
    let launch = Launch { job, root };
    let path = launch.root.join(&["/slot-table"]);
    let file = TableFile::open(path.as_c_str()).inspect_err(|why| complain("open", path.as_c_str(), *why));
    match file.ok().and_then(|file| Some((file.read()?, file))) {
        Some((table, file)) => launch.by_table(table, &file),
        None => launch.without_table(),
    }
}

struct Launch<'a> {
    job: &'a Job,
    root: Path,
}

impl Launch<'_> {
    fn by_table(&self, mut table: SlotTable, file: &TableFile) -> Outcome {
        for _ in Slot::ALL {
            let why = if self.is_another_image(&table) {
                say(&[b"slot ", table.active.name().as_bytes(), b" does not hold the image that was staged"]);
                Return::ImageDiffers
            } else {
                let (slot, spent) = spend(table, file);
                table = spent;
                if self.become_image(slot).is_of_the_machine() {
                    return Outcome::Short;
                }
                if slot != table.active {
                    // The confirmed slot failed where no try could be written: the other is the last hope.
                    self.become_image(table.active);
                    break;
                }
                Return::NotStartable
            };
            match table.not_startable(why) {
                Ok(next) => table = keep(next, file),
                Err(_) => break,
            }
        }
        nothing_to_start()
    }

    fn without_table(&self) -> Outcome {
        say(&[b"the slot table is not readable; starting the image that lies there longest"]);
        let [a, b] = Slot::ALL.map(|slot| os::changed_at(self.image(slot).as_c_str()));
        let b_first = a.is_none() || b.is_some_and(|b| Some(b) < a);
        let first = if b_first { Slot::B } else { Slot::A };
        for slot in [first, first.other()] {
            if self.become_image(slot).is_of_the_machine() {
                return Outcome::Short;
            }
        }
        nothing_to_start()
    }

    fn become_image(&self, slot: Slot) -> Errno {
        let image = self.image(slot);
        let name = if slot == Slot::A { c"a" } else { c"b" };
        let variables = [(c"LAPWING_ROOT", self.root.as_c_str()), (c"LAPWING_SLOT", name)];
        let why = match variables.into_iter().try_for_each(|(name, value)| os::set_variable(name, value)) {
            Ok(()) => self.job.args.become_image(image.as_c_str()),
            Err(why) => why,
        };
        complain("start", image.as_c_str(), why);
        why
    }

    fn image(&self, slot: Slot) -> Path {
        self.root.join(&["/slots/", slot.name(), "/image"])
    }

    /// Whether a first start must not happen, if that is to be checked.
    fn is_another_image(&self, table: &SlotTable) -> bool {
        self.job.digest == DigestCheck::BeforeFirstStart
            && table.is_first_start()
            && !holds(self.image(table.active).as_c_str(), table.slot(table.active))
    }
}

fn holds(image: &CStr, entry: &SlotEntry) -> bool {
    const PIECE_BYTES: usize = 16 * 1024;
    let Ok(file) = File::open(image, Access::Read) else { return false };
    let (mut hasher, mut piece, mut offset) = (Hasher::new(), [0; PIECE_BYTES], 0);
    while offset <= entry.image_size_bytes {
        match file.read_at(&mut piece, offset) {
            Ok(0) => break,
            Ok(length) => {
                hasher.update(&piece[..length]);
                offset += length as u64;
            }
            Err(_) => return false,
        }
    }
    offset == entry.image_size_bytes && hasher.finish() == entry.image
}

/// The slot to start and the table it is started by, once the try is on disk.
fn spend(table: SlotTable, file: &TableFile) -> (Slot, SlotTable) {
    let start = table.start();
    let Some(next) = start.store else { return (start.slot, table) };
    match file.store(next) {
        Ok(stored) => (start.slot, stored),
        Err(why) => {
            complain("write down a try in", c"slot-table", why);
            (table.fallback(), table)
        }
    }
}

/// The table after a change that only tells what happened: it holds for this start even unwritten.
fn keep(next: SlotTable, file: &TableFile) -> SlotTable {
    file.store(next).unwrap_or_else(|why| {
        complain("write", c"slot-table", why);
        next
    })
}

fn nothing_to_start() -> Outcome {
    say(&[b"no slot can be started"]);
    Outcome::NothingToStart
}
