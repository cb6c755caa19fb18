//! The memory, the scratch area and the order of writes are what they are said to be.
//!
//! Touches: `crate::support`.
//! Never: measures the process; memory is what is given.

use crate::heap;
use crate::support::{Machine, Program, Seed, Written, made, memory_bytes, quiet};
use core::ops::ControlFlow;
use lapwing_delta::{
    ApplyError, Artifact, Base, Header, MakeError, NoScratch, PortError, Ports, Profile, Scratch, Stage,
    Target, apply, make, make_memory_bytes,
};

struct Case {
    base: Vec<u8>,
    target: Vec<u8>,
    artifact: Vec<u8>,
}

impl Case {
    fn new() -> Self {
        let base = Seed(20).image(60_000);
        let target = Seed(21).edited(&base, 300);
        let artifact = made(Some(&base), &target, Profile::Kib64);
        Self { base, target, artifact }
    }

    fn header(&self) -> Header {
        Header::read(&mut self.artifact.as_slice()).unwrap()
    }

    fn apply(
        &self,
        memory_bytes: usize,
        scratch: &mut dyn Scratch,
        resume_from: u64,
    ) -> Result<Vec<u8>, ApplyError> {
        let mut artifact = self.artifact.as_slice();
        let header = Header::read(&mut artifact).unwrap();
        let mut written = Written::default();
        let ports =
            Ports { base: &mut self.base.as_slice(), artifact: &mut artifact, scratch, target: &mut written };
        apply(
            &header,
            ports,
            &mut vec![0xA5; memory_bytes],
            resume_from,
            &mut |_| ControlFlow::Continue(()),
        )?;
        Ok(written.0)
    }
}

#[test]
fn the_memory_required_is_enough_and_a_byte_less_is_refused() {
    let case = Case::new();
    let header = case.header();
    let mut scratch = vec![0; header.scratch_bytes() as usize];
    let needed = header.required_memory_bytes();
    assert_eq!(case.apply(needed, &mut scratch.as_mut_slice(), 0).as_ref(), Ok(&case.target));
    assert_eq!(case.apply(needed - 1, &mut scratch.as_mut_slice(), 0), Err(ApplyError::Memory));
}

#[test]
fn the_map_needs_scratch_or_as_much_memory_to_spare() {
    let case = Case::new();
    let header = case.header();
    let [needed, map] = [header.required_memory_bytes(), header.scratch_bytes() as usize];
    assert!(map > 64 * 12, "the map fills more than one window");
    assert_eq!(case.apply(needed + map, &mut NoScratch, 0).as_ref(), Ok(&case.target));
    assert_eq!(case.apply(needed + map - 1, &mut NoScratch, 0), Err(ApplyError::ScratchSize));
    let mut scratch = vec![0; map - 1];
    assert_eq!(case.apply(needed, &mut scratch.as_mut_slice(), 0), Err(ApplyError::ScratchSize));
}

#[test]
fn every_profile_keeps_its_word_with_the_map_in_memory() {
    let base = Seed(22).image(1_300_000);
    let target = Seed(23).edited(&base, 300);
    for profile in [Profile::Kib64, Profile::Kib256, Profile::Mib1] {
        let header = Header::read(&mut made(Some(&base), &target, profile).as_slice()).unwrap();
        assert!(memory_bytes(&header) <= profile.memory_bytes());
        assert!(memory_bytes(&header) > profile.memory_bytes() * 9 / 10, "memory is there to be used");
    }
}

#[test]
fn resuming_at_any_byte_writes_the_rest() {
    let base = Seed(24).image(700);
    let target = Seed(25).edited(&base, 5);
    let case = Case { artifact: made(Some(&base), &target, Profile::Kib64), base, target };
    let memory = memory_bytes(&case.header());
    for from in 0..=case.target.len() {
        let rest = case.apply(memory, &mut NoScratch, from as u64);
        assert!(rest.as_deref() == Ok(&case.target[from..]), "from {from}");
    }
    let beyond = case.target.len() as u64 + 1;
    assert_eq!(case.apply(memory, &mut NoScratch, beyond), Err(ApplyError::ResumePoint));
}

#[test]
fn resuming_between_and_within_pieces_writes_the_rest() {
    let case = Case::new();
    let memory = memory_bytes(&case.header());
    for from in [1, 4095, 4096, 4097, 8192, 19_000] {
        let rest = case.apply(memory, &mut NoScratch, from as u64);
        assert!(rest.as_deref() == Ok(&case.target[from..]), "from {from}");
    }
}

#[test]
fn a_progress_function_that_breaks_stops_apply_and_make() {
    let case = Case::new();
    let mut artifact = case.artifact.as_slice();
    let header = Header::read(&mut artifact).unwrap();
    let mut written = Written::default();
    let ports = Ports {
        base: &mut case.base.as_slice(),
        artifact: &mut artifact,
        scratch: &mut NoScratch,
        target: &mut written,
    };
    let mut memory = vec![0; memory_bytes(&header)];
    let stopped = apply(&header, ports, &mut memory, 0, &mut |done| match done {
        8192 => ControlFlow::Break(()),
        _ => ControlFlow::Continue(()),
    });
    assert_eq!(stopped, Err(ApplyError::Stopped));
    assert_eq!(written.0, case.target[..8192]);
    for stage in [Stage::Index, Stage::Match, Stage::Encode, Stage::Choose, Stage::Prove] {
        let stopped = make(&mut &case.base[..], &mut &case.target[..], Profile::Kib64, &mut |at| {
            if at.stage == stage { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!(stopped, Err(MakeError::Stopped), "{stage:?}");
    }
}

#[test]
fn make_asks_whether_to_go_on_at_least_every_64_kib_however_much_has_changed() {
    let base = Seed(27).image(400_000);
    let target = Seed(28).edited(&base, 9000);
    let (mut stage, mut done_bytes, mut matched) = (Stage::Index, 0, 0);
    let made = make(&mut &base[..], &mut &target[..], Profile::Kib64, &mut |at| {
        if at.stage == Stage::Match {
            matched += 1;
            let since = at.done_bytes.saturating_sub(if stage == at.stage { done_bytes } else { 0 });
            assert!(since <= 70_000, "{since} bytes without a word");
        }
        (stage, done_bytes) = (at.stage, at.done_bytes);
        ControlFlow::Continue(())
    });
    assert!(made.is_ok() && matched >= target.len() / 70_000, "{matched} times");
}

/// Fails at the call numbered by its first field.
struct Failing<P>(usize, P);

impl<P> Failing<P> {
    fn port(&mut self) -> Result<&mut P, PortError> {
        self.0 = self.0.checked_sub(1).ok_or(PortError)?;
        Ok(&mut self.1)
    }
}

impl Base for Failing<&[u8]> {
    fn length_bytes(&self) -> u64 {
        self.1.length_bytes()
    }
    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        self.port()?.read_at(offset, out)
    }
}

impl Artifact for Failing<&[u8]> {
    fn read(&mut self, out: &mut [u8]) -> Result<usize, PortError> {
        self.port()?.read(out)
    }
}

impl Target for Failing<Written> {
    fn write(&mut self, bytes: &[u8]) -> Result<(), PortError> {
        self.port()?.write(bytes)
    }
}

#[test]
fn a_port_that_fails_is_named() {
    let case = Case::new();
    let check = |base_calls, artifact_calls, target_calls, expected| {
        let mut artifact = case.artifact.as_slice();
        let header = Header::read(&mut artifact).unwrap();
        let ports = Ports {
            base: &mut Failing(base_calls, case.base.as_slice()),
            artifact: &mut Failing(artifact_calls, artifact),
            scratch: &mut NoScratch,
            target: &mut Failing(target_calls, Written::default()),
        };
        let mut memory = vec![0; memory_bytes(&header)];
        let outcome = apply(&header, ports, &mut memory, 0, &mut |_| ControlFlow::Continue(()));
        assert_eq!(outcome.err(), Some(expected));
    };
    check(3, 99, 99, ApplyError::Base);
    check(99, 1, 99, ApplyError::Artifact);
    check(999, 99, 1, ApplyError::Target);
}

/// Pieces of `base` in another order, as short as is worth a record.
fn shuffled(base: &[u8]) -> Vec<u8> {
    let mut seed = Seed(5);
    let pieces = base.len() / 16;
    (0..pieces).flat_map(|_| base[seed.below(pieces) * 16..][..16].iter().copied()).collect()
}

#[test]
fn the_memory_of_make_is_known_before() {
    let mut seed = Seed(1);
    let noise: Vec<u8> = (0..1 << 15).flat_map(|_| seed.next().to_le_bytes()).collect();
    let code = Seed(2).image(1 << 18);
    let mut program = Program::new(&mut Seed(26), 4000);
    let linked = program.linked(Machine::Aarch64);
    (0..40).for_each(|function| program.grow(function * 95, function as u32));
    let pairs = [
        ("a full image of noise", vec![], noise.clone()),
        ("a full image of code", vec![], code.clone()),
        ("a small change", code.clone(), Seed(3).edited(&code, 40)),
        ("nothing in common", noise.clone(), code),
        ("many records", noise.clone(), shuffled(&noise)),
        ("a program", linked, program.linked(Machine::Aarch64)),
    ];
    for (name, base, target) in pairs {
        for profile in [Profile::Kib64, Profile::Mib1, Profile::Free] {
            let bound = make_memory_bytes(base.len() as u64, target.len() as u64, profile);
            let taken = heap::most_bytes(|| {
                make(&mut base.as_slice(), &mut target.as_slice(), profile, &mut quiet).unwrap();
            });
            assert!(taken <= bound, "{name} at {profile:?}: {taken} bytes, and {bound} were foretold");
        }
    }
}

/// Counts calls, and insists that they stay inside.
struct Counted<P>(usize, P);

impl Base for Counted<&[u8]> {
    fn length_bytes(&self) -> u64 {
        self.1.length_bytes()
    }
    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        self.0 += 1;
        assert!(offset + out.len() as u64 <= self.1.length_bytes(), "a read behind the end of the base");
        self.1.read_at(offset, out)
    }
}

impl Scratch for Counted<&mut [u8]> {
    fn capacity_bytes(&self) -> u64 {
        self.1.capacity_bytes()
    }
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> Result<(), PortError> {
        self.0 += 1;
        self.1.write_at(offset, bytes)
    }
    fn read_at(&mut self, offset: u64, out: &mut [u8]) -> Result<(), PortError> {
        self.0 += 1;
        self.1.read_at(offset, out)
    }
}

#[test]
fn the_work_of_a_hostile_delta_is_bounded_by_its_lengths() {
    let mut program = Program::new(&mut Seed(26), 300);
    let base = program.linked(Machine::Thumb2);
    (0..12).for_each(|function| program.grow(function * 23, function as u32));
    let target = program.linked(Machine::Thumb2);
    let artifact = made(Some(&base), &target, Profile::Kib64);
    let header = Header::read(&mut artifact.as_slice()).unwrap();
    let body = artifact.len() - usize::from(artifact[7]);
    for number in 0..300 {
        let mut seed = Seed(number);
        let mut hostile = artifact.clone();
        for _ in 0..=seed.below(3) {
            let at = usize::from(artifact[7]) + seed.below(body);
            hostile[at] = seed.next() as u8;
        }
        let mut rest = &hostile[usize::from(artifact[7])..];
        let mut area = vec![0; header.scratch_bytes() as usize];
        let mut counted = Counted(0, base.as_slice());
        let mut scratch = Counted(0, area.as_mut_slice());
        let mut written = Written::default();
        let ports =
            Ports { base: &mut counted, artifact: &mut rest, scratch: &mut scratch, target: &mut written };
        let mut memory = vec![0; header.required_memory_bytes()];
        let applied = apply(&header, ports, &mut memory, 0, &mut |_| ControlFlow::Continue(()));
        assert!(applied.is_err() || written.0 == target);
        assert!(written.0.len() <= target.len());
        // A byte of the target looks at one place of the base, and at most asks the map some dozen times.
        assert!(counted.0 <= 2 * target.len() + 2, "{} reads of the base", counted.0);
        assert!(scratch.0 <= 64 * target.len(), "{} accesses of the scratch area", scratch.0);
    }
}
