//! What every slot backend promises, asked of this one.

use super::*;
use lapwing_core::Phase;
use lapwing_device::Transfer;
use std::ops::ControlFlow;
use tempfile::TempDir;

const OLD: &[u8] = &[1; 5_000];
const NEW: &[u8] = &[2; 6_000];
const CHECKPOINT_BYTES: u64 = 4_096;

struct Bench {
    dir: TempDir,
}

impl Bench {
    fn new() -> Self {
        Self::running(OLD)
    }

    fn running(image: &[u8]) -> Self {
        let bench = Self { dir: TempDir::new().unwrap() };
        for folder in ["slots/a", "slots/b", "artifact"] {
            fs::create_dir_all(bench.dir.path().join(folder)).unwrap();
        }
        fs::write(bench.device_dir().image(Slot::A), image).unwrap();
        make_table(&bench.device_dir(), Slot::A, Digest::of(image), image.len() as u64).unwrap();
        bench
    }

    fn device_dir(&self) -> DeviceDir {
        DeviceDir::new(self.dir.path().to_owned())
    }

    fn slots(&self, booted: Slot) -> AppSlots {
        AppSlots::open(self.device_dir(), Some(booted)).unwrap().0
    }

    fn table(&self) -> SlotTable {
        read_table(&self.device_dir()).unwrap()
    }

    /// An artifact that makes `image`, and what the brain says about it.
    fn artifact(&self, base: Option<&[u8]>, image: &[u8]) -> (Install, ArtifactFile) {
        self.stored(&made(base.unwrap_or_default(), image, Profile::Kib64), image)
    }

    fn stored(&self, artifact: &[u8], image: &[u8]) -> (Install, ArtifactFile) {
        let transfer =
            Transfer { artifact: Digest::of(artifact), artifact_size_bytes: artifact.len() as u64 };
        let mut file = ArtifactFile::open(&self.device_dir().artifact(), transfer, CHECKPOINT_BYTES).unwrap();
        file.write_at(0, artifact).unwrap();
        file.checkpoint().unwrap();
        (Install { transfer, image: Digest::of(image), image_size_bytes: image.len() as u64 }, file)
    }

    /// The new image, staged in the spare slot.
    fn staged(&self) -> AppSlots {
        let slots = self.slots(Slot::A);
        let (install, artifact) = self.artifact(Some(OLD), NEW);
        let applied = slots.apply(&install, &artifact, Profile::Kib64).unwrap();
        assert!(matches!(applied, Applied::Staged(table) if table == self.table()));
        slots
    }

    /// The new image, running on trial.
    fn on_trial(&self) -> AppSlots {
        self.staged().switch(&Digest::of(NEW), StartLimits::APP).unwrap();
        self.slots(Slot::B)
    }
}

fn made(mut base: &[u8], image: &[u8], profile: Profile) -> Vec<u8> {
    lapwing_delta::make(&mut base, &mut &image[..], profile, &mut |_| ControlFlow::Continue(())).unwrap()
}

#[test]
fn an_image_is_whole_executable_and_staged_before_anybody_is_told() {
    let bench = Bench::new();
    bench.staged();
    let image = bench.device_dir().image(Slot::B);
    assert_eq!(fs::read(&image).unwrap(), NEW);
    assert_eq!(fs::metadata(&image).unwrap().permissions().mode() & 0o777, 0o755);
    let entry = *bench.table().slot(Slot::B);
    assert_eq!((entry.state, entry.image), (SlotState::Staged, Digest::of(NEW)));
    assert_eq!(bench.table().active, Slot::A);
}

#[test]
fn the_spare_slot_is_unbootable_before_its_first_byte_and_after_a_failure() {
    let bench = Bench::new();
    bench.staged();
    let slots = bench.slots(Slot::A);
    // Neither of these is an artifact of this image, and one does not even begin like one.
    let (install, _) = bench.artifact(Some(OLD), NEW);
    let (_, other) = bench.artifact(None, OLD);
    assert!(matches!(slots.apply(&install, &other, Profile::Kib64), Ok(Applied::WrongImage)));
    assert_eq!(bench.table().slot(Slot::B).state, SlotState::Writing);
    let (install, rubbish) = bench.stored(b"rubbish", NEW);
    assert!(matches!(slots.apply(&install, &rubbish, Profile::Kib64), Ok(Applied::Undecodable)));
    assert_eq!(bench.table().slot(Slot::B).state, SlotState::Writing);
    assert!(slots.switch(&Digest::of(NEW), StartLimits::APP).is_err());
}

#[test]
fn a_delta_for_another_base_and_one_that_is_too_large_are_refused() {
    let bench = Bench::new();
    let slots = bench.slots(Slot::A);
    // A base of this length from which almost all of the image is taken, so that the artifact is a delta.
    let random: Vec<u8> = (0..20_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 13) as u8).collect();
    let (install, artifact) = bench.artifact(Some(&random), &random[1..]);
    assert!(matches!(slots.apply(&install, &artifact, Profile::Kib64), Ok(Applied::Undecodable)));
    let (install, artifact) = bench.stored(&made(&[], NEW, Profile::Kib256), NEW);
    assert!(matches!(slots.apply(&install, &artifact, Profile::Kib64), Ok(Applied::TooLarge)));
}

#[test]
fn nothing_is_written_while_a_trial_is_open() {
    let bench = Bench::new();
    let slots = bench.on_trial();
    let (install, artifact) = bench.artifact(Some(NEW), OLD);
    assert!(matches!(slots.apply(&install, &artifact, Profile::Kib64), Err(Trouble::SlotTable)));
    assert_eq!(fs::read(bench.device_dir().image(Slot::A)).unwrap(), OLD);
    slots.confirm().unwrap();
    let (install, artifact) = bench.artifact(Some(NEW), OLD);
    assert!(matches!(slots.apply(&install, &artifact, Profile::Kib64), Err(Trouble::SlotTable)));
    slots.settle(OldSlot::Keep).unwrap();
    let (install, artifact) = bench.artifact(Some(NEW), OLD);
    assert!(matches!(slots.apply(&install, &artifact, Profile::Kib64), Ok(Applied::Staged(_))));
}

#[test]
fn a_staged_image_is_looked_at_once_more_before_the_switch() {
    for damage in [b"".as_slice(), &NEW[1..], &[3; 6_000], &[2; 6_001]] {
        let bench = Bench::new();
        let slots = bench.staged();
        fs::write(bench.device_dir().image(Slot::B), damage).unwrap();
        assert!(matches!(slots.switch(&Digest::of(NEW), StartLimits::APP), Err(Trouble::Tampered)));
        assert_eq!(bench.table().slot(Slot::B).state, SlotState::Bad);
    }
    let bench = Bench::new();
    let slots = bench.staged();
    fs::remove_file(bench.device_dir().image(Slot::B)).unwrap();
    assert!(matches!(slots.switch(&Digest::of(NEW), StartLimits::APP), Err(Trouble::Tampered)));
}

#[test]
fn only_the_image_that_was_staged_can_be_switched_to() {
    let bench = Bench::new();
    assert!(bench.staged().switch(&Digest::of(OLD), StartLimits::APP).is_err());
    assert_eq!(bench.table().active, Slot::A);
}

#[test]
fn a_trial_is_confirmed_settled_or_rolled_back() {
    let bench = Bench::new();
    let slots = bench.on_trial();
    assert_eq!((bench.table().active, bench.table().phase), (Slot::B, Phase::Trial));
    assert_eq!(slots.confirm().unwrap().phase, Phase::Watched);
    let back = slots.roll_back(OldSlot::MarkBad).unwrap();
    assert_eq!((back.active, back.phase, back.returned), (Slot::A, Phase::Settled, Some(Return::AgentAsked)));
    assert_eq!(back.slot(Slot::B).state, SlotState::Bad);
}

#[test]
fn a_torn_record_leaves_the_table_before_it() {
    let bench = Bench::new();
    bench.staged();
    let before = bench.table();
    let after = bench.slots(Slot::A).switch(&Digest::of(NEW), StartLimits::APP).unwrap();
    let newest = SLOT_RECORD_OFFSETS[usize::try_from(after.generation() & 1).unwrap()];
    let file = OpenOptions::new().write(true).open(bench.device_dir().slot_table()).unwrap();
    file.write_all_at(&[0x55; SLOT_RECORD_LEN / 2], newest).unwrap();
    assert_eq!(bench.table(), before);
}

#[test]
fn a_change_waits_for_the_launcher_to_let_go_of_the_table() {
    let bench = Bench::new();
    let slots = bench.on_trial();
    let held = File::open(bench.device_dir().slot_table()).unwrap();
    held.lock().unwrap();
    let confirming = std::thread::spawn(move || slots.confirm().map(|table| table.phase));
    // The other thread cannot have changed anything as long as the lock is held.
    assert_eq!(decode(&held).unwrap().phase, Phase::Trial);
    held.unlock().unwrap();
    assert_eq!(confirming.join().unwrap(), Ok(Phase::Watched));
}

#[test]
fn without_a_table_only_a_slot_that_somebody_named_can_be_taken_for_running() {
    let bench = Bench::new();
    fs::remove_file(bench.device_dir().slot_table()).unwrap();
    assert!(matches!(AppSlots::open(bench.device_dir(), None), Err(SlotsError::NotProvisioned)));
    let (_, table) = AppSlots::open(bench.device_dir(), Some(Slot::A)).unwrap();
    assert_eq!(table, bench.table());
    assert_eq!(fs::metadata(bench.device_dir().slot_table()).unwrap().len(), SLOT_TABLE_LEN);
}

/// Bytes that hardly compress.
fn noise(size_bytes: usize) -> Vec<u8> {
    let mut state = 1_u32;
    let mut next = || {
        state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (state >> 24) as u8
    };
    (0..size_bytes).map(|_| next()).collect()
}

/// An apply that ends at some byte of the artifact leaves what a power cut there would leave: the image so
/// far, and the output counter that this returns.
fn ended_at(bench: &Bench, artifact: &[u8], image: &[u8], end: usize) -> u64 {
    let (install, mut file) = bench.stored(artifact, image);
    let data = OpenOptions::new().write(true).open(bench.device_dir().artifact().join("data")).unwrap();
    data.set_len(end as u64).unwrap();
    assert!(matches!(bench.slots(Slot::A).apply(&install, &file, Profile::Kib64), Ok(Applied::Undecodable)));
    let mode = fs::metadata(bench.device_dir().image(Slot::B)).unwrap().permissions().mode();
    assert_eq!(mode & 0o111, 0, "half an image cannot be executed");
    file.write_at(0, artifact).unwrap();
    file.applied_bytes()
}

#[test]
fn an_apply_goes_on_where_a_cut_ended_it_and_writes_nothing_twice() {
    let image = noise(100_000);
    let artifact = made(&[], &image, Profile::Kib64);
    let mut counters = Vec::new();
    for end in (1_000..artifact.len()).step_by(9_973) {
        let bench = Bench::new();
        counters.push(ended_at(&bench, &artifact, &image, end));
        let path = bench.device_dir().image(Slot::B);
        // Held by a second name, so that a new file cannot get its number.
        let begun = bench.dir.path().join("begun");
        fs::hard_link(&path, &begun).unwrap();
        let (install, file) = bench.stored(&artifact, &image);
        let applied = bench.slots(Slot::A).apply(&install, &file, Profile::Kib64);
        assert!(matches!(applied, Ok(Applied::Staged(_))), "{end}: {applied:?}");
        assert_eq!(fs::read(&path).unwrap(), image, "{end}");
        let [inode, inode_begun] = [&path, &begun].map(|path| fs::metadata(path).unwrap().ino());
        assert_eq!(inode == inode_begun, counters.last() != Some(&0), "{end}");
    }
    assert!(counters.is_sorted() && counters.first() == Some(&0), "{counters:?}");
    assert!(counters.last().is_some_and(|last| *last > 80_000), "{counters:?}");
}

#[test]
fn what_was_counted_and_is_not_there_is_made_anew() {
    let image = noise(50_000);
    let artifact = made(&[], &image, Profile::Kib64);
    let path = |bench: &Bench| bench.device_dir().image(Slot::B);
    let damages: [fn(&Path); 3] = [
        |path| fs::remove_file(path).unwrap(),
        |path| fs::write(path, b"short").unwrap(),
        |path| fs::write(path, [7; 60_000]).unwrap(),
    ];
    for damage in damages {
        let bench = Bench::new();
        assert!(ended_at(&bench, &artifact, &image, artifact.len() - 9_000) > 0);
        damage(&path(&bench));
        let (install, file) = bench.stored(&artifact, &image);
        assert!(matches!(
            bench.slots(Slot::A).apply(&install, &file, Profile::Kib64),
            Ok(Applied::Staged(_))
        ));
        assert_eq!(fs::read(path(&bench)).unwrap(), image);
    }
}

/// A delta that is cut off while it is applied, and what is left of it.
struct Cut {
    base: Vec<u8>,
    image: Vec<u8>,
    artifact: Vec<u8>,
}

impl Cut {
    fn new() -> Self {
        let base = noise(20_000);
        let mut image = [&base[700..], &base[..900]].concat();
        image.iter_mut().step_by(131).for_each(|byte| *byte ^= 0x40);
        let artifact = made(&base, &image, Profile::Kib64);
        assert!(artifact.len() < image.len() / 4, "it is no delta");
        Self { base, image, artifact }
    }

    /// Applies where an apply before left `begun` in the spare slot, and in the file of the counter what
    /// `count` does.
    fn goes_on(&self, begun: &[u8], count: impl FnOnce(&ArtifactFile, &File)) {
        let bench = Bench::running(&self.base);
        let (install, file) = bench.stored(&self.artifact, &self.image);
        let slots = bench.slots(Slot::A);
        slots.change(|table| table.begin_write(slots.booted)).unwrap();
        fs::write(bench.device_dir().image(Slot::B), begun).unwrap();
        let blocks = bench.device_dir().artifact().join("blocks");
        count(&file, &OpenOptions::new().read(true).write(true).open(blocks).unwrap());
        let applied = slots.apply(&install, &file, Profile::Kib64);
        assert!(matches!(applied, Ok(Applied::Staged(_))), "{} bytes were begun: {applied:?}", begun.len());
        assert!(fs::read(bench.device_dir().image(Slot::B)).unwrap() == self.image, "{}", begun.len());
    }
}

#[test]
fn power_cut_at_any_block_of_the_image_ends_in_the_same_image() {
    let cut = Cut::new();
    // In the middle of what is written at a time, too.
    for written in (0..=cut.image.len()).step_by(1_024) {
        let flushed = written - written % CHECKPOINT_BYTES as usize;
        let sound = &cut.image[..flushed];
        let lost = [sound, &vec![0xEE; written - flushed]].concat();
        for begun in [&cut.image[..written], sound, &lost] {
            cut.goes_on(begun, |file, _| file.set_applied_bytes(flushed as u64).unwrap());
        }
        // The counter was not written yet.
        let before = flushed.saturating_sub(CHECKPOINT_BYTES as usize) as u64;
        cut.goes_on(sound, |file, _| file.set_applied_bytes(before).unwrap());
    }
}

#[test]
fn power_cut_at_any_byte_of_the_output_counter_ends_in_the_same_image() {
    const STORED_BYTES: usize = 16;
    let cut = Cut::new();
    for counted in (CHECKPOINT_BYTES..cut.image.len() as u64).step_by(CHECKPOINT_BYTES as usize) {
        for torn_at in 0..=STORED_BYTES {
            cut.goes_on(&cut.image[..counted as usize], |file, blocks| {
                let offset = blocks.metadata().unwrap().len() - STORED_BYTES as u64;
                let [before, after] = [counted - CHECKPOINT_BYTES, counted].map(|bytes| {
                    let mut stored = [0; STORED_BYTES];
                    file.set_applied_bytes(bytes).unwrap();
                    blocks.read_exact_at(&mut stored, offset).unwrap();
                    stored
                });
                let torn = [&after[..torn_at], &before[torn_at..]].concat();
                blocks.write_all_at(&torn, offset).unwrap();
            });
        }
    }
}
