//! The targets: one function each, and which decoders it covers (checked by `cargo xtask tidy`).
//!
//! Touches: the crates below `pure/`. A target asserts what must hold for every input, beside not panicking.

use coap_lite::Packet;
use ed25519_dalek::{Signer, SigningKey};
use lapwing_coap::oscore::{Context as SecurityContext, Header as OscoreHeader};
use lapwing_coap::oscore::{IdContext, Keys, Kid, Master, Replay as SeenNumbers, Reserve, Sequence};
use lapwing_coap::{Assembly, Bitmap, Block, BlockSize, Estimator, Fetch, Message, Next, Writer};
use lapwing_core::cbor::{self, Wire};
use lapwing_core::envelope::{Context, Envelope, Form, Kind, seal};
use lapwing_core::trust::{Delegation, Limits, OnlineKey, Powers, PublicKey, Role, Root};
use lapwing_core::wire::{answer, check_in, claim, report};
use lapwing_core::{
    DeviceId, FleetId, Nonce, Release, SLOT_RECORD_LEN, SLOT_RECORD_OFFSETS, SlotTable, TrustAnchor,
    UnixSeconds, Uptime,
};
use lapwing_delta::{Header, Profile, fuzz_apply, make};
use lapwing_device::Record;
use lapwing_fleet::filter::Filter;
use std::ops::ControlFlow;
use std::sync::LazyLock;

/// Something that must survive any input.
#[derive(Debug)]
pub struct Target {
    /// What `cargo xtask fuzz` calls it.
    pub name: &'static str,
    /// Feeds it.
    pub run: fn(&[u8]),
}

/// All targets.
pub const TARGETS: &[Target] = &[
    Target { name: "root", run: fuzz_root },
    Target { name: "delegation", run: fuzz_delegation },
    Target { name: "release", run: fuzz_release },
    Target { name: "envelope", run: fuzz_envelope },
    Target { name: "anchor", run: fuzz_anchor },
    Target { name: "status", run: fuzz_status },
    Target { name: "offer", run: fuzz_offer },
    Target { name: "answer", run: fuzz_answer },
    Target { name: "check-in", run: fuzz_check_in },
    Target { name: "claim", run: fuzz_claim },
    Target { name: "report", run: fuzz_report },
    Target { name: "slot-table", run: fuzz_slot_table },
    Target { name: "record", run: fuzz_record },
    Target { name: "delta", run: fuzz_delta },
    Target { name: "coap", run: fuzz_coap },
    Target { name: "oscore", run: fuzz_oscore },
    Target { name: "filter", run: fuzz_filter },
];

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Target> {
    TARGETS.iter().find(|target| target.name == name)
}

/// Larger than any message.
const BUFFER_LEN: usize = 16 * 1024;

/// The spelling of the value that `bytes` decode to, if they do.
fn spell<'a, 'b, T: Wire<'b>>(bytes: &'b [u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let value = cbor::decode::<T>(bytes).ok()?;
    let spelled = cbor::encode(&value, buffer);
    assert!(spelled.is_ok(), "what decodes can be spelled");
    spelled.ok()
}

/// What decodes has one spelling: written again it is the same bytes, or fewer if the input held keys
/// that a reader may ignore.
fn spell_again<'b, T: Wire<'b>>(bytes: &'b [u8]) {
    let mut buffer = [0; BUFFER_LEN];
    let again = spell::<T>(bytes, &mut buffer);
    assert!(
        again.is_none_or(|again| again == bytes || again.len() < bytes.len()),
        "two spellings of one value"
    );
}

/// Covers: Root, PublicKey, Algorithm, Role, Limits, Revoked, TlsAnchor, UnixSeconds, cbor::decode.
fn fuzz_root(bytes: &[u8]) {
    spell_again::<Root>(bytes);
}

/// Covers: Delegation, OnlineKey.
fn fuzz_delegation(bytes: &[u8]) {
    spell_again::<Delegation>(bytes);
}

/// Covers: Release, Compatibility, Requirement, VersionRange, Semver, HardwareClass, Name, Digest.
fn fuzz_release(bytes: &[u8]) {
    spell_again::<Release>(bytes);
}

/// Covers: Envelope, Envelope::parse, Protected, Context.
fn fuzz_envelope(bytes: &[u8]) {
    if let Ok(envelope) = Envelope::parse(bytes) {
        let context = Context { kind: Kind::Release, fleet: FLEET, session: None };
        assert!(!envelope.is_signed_by(&KEY.public, &context), "a signature was found by chance");
    }
    spell_again::<Envelope<'_>>(bytes);
}

/// Covers: TrustAnchor::open_release, TrustAnchor::open_status, TrustAnchor::open_offer.
///
/// Once as it comes, and once signed well, so that what stands behind the signatures is reached too.
fn fuzz_anchor(bytes: &[u8]) {
    let (device, nonce) = (&KEY.device, Nonce([7; 8]));
    let open = |kind: Kind, envelope: &[u8]| match kind {
        Kind::Root => ANCHOR.advance(envelope).is_ok(),
        Kind::Delegation => ANCHOR.delegate(envelope).is_ok(),
        Kind::Release => ANCHOR.open_release(envelope).is_ok(),
        Kind::Status => ANCHOR.open_status(envelope, device, nonce).is_ok(),
        Kind::Offer => ANCHOR.open_offer(envelope, device, nonce).is_ok(),
    };
    for kind in [Kind::Root, Kind::Delegation, Kind::Release, Kind::Status, Kind::Offer] {
        assert!(!open(kind, bytes), "an unsigned object was believed");
        let session = matches!(kind, Kind::Status | Kind::Offer).then_some((device, nonce));
        let mut buffer = [0; BUFFER_LEN];
        if let Some(envelope) = signed(Context { kind, fleet: FLEET, session }, bytes, &mut buffer) {
            open(kind, envelope);
        }
    }
}

/// Covers: Status.
fn fuzz_status(bytes: &[u8]) {
    spell_again::<answer::Status>(bytes);
}

/// Covers: Offer, Travel.
fn fuzz_offer(bytes: &[u8]) {
    spell_again::<answer::Offer>(bytes);
}

/// Covers: Answer, WaitReason.
fn fuzz_answer(bytes: &[u8]) {
    spell_again::<answer::Answer<'_>>(bytes);
}

/// Covers: CheckIn, ComponentState, HealthRow, ShortDigest.
///
/// A gate of a newer device reads as one of the host's, so a spelling settles after the first reading.
fn fuzz_check_in(bytes: &[u8]) {
    let (mut first, mut second) = ([0; BUFFER_LEN], [0; BUFFER_LEN]);
    let Some(once) = spell::<check_in::CheckIn<'_>>(bytes, &mut first) else { return };
    assert_eq!(Some(once), spell::<check_in::CheckIn<'_>>(once, &mut second), "the spelling does not settle");
}

/// Covers: Claim, Facts, NamedFacts.
fn fuzz_claim(bytes: &[u8]) {
    spell_again::<claim::Claim<'_>>(bytes);
}

/// Covers: Report, Event.
fn fuzz_report(bytes: &[u8]) {
    spell_again::<report::Report>(bytes);
}

/// Covers: SlotTable::decode.
fn fuzz_slot_table(bytes: &[u8]) {
    let record = |offset: u64| {
        let mut record = [0; SLOT_RECORD_LEN];
        let there = bytes.iter().skip(usize::try_from(offset).unwrap_or(usize::MAX));
        record.iter_mut().zip(there).for_each(|(to, from)| *to = *from);
        record
    };
    let mut records = SLOT_RECORD_OFFSETS.map(record);
    let Ok(table) = SlotTable::decode(&records) else { return };
    let newer = table.store(|offset, bytes| {
        let place = SLOT_RECORD_OFFSETS.iter().position(|known| *known == offset);
        records[place.unwrap_or(0)] = *bytes;
        Ok::<_, ()>(())
    });
    assert!(newer.is_ok_and(|newer| SlotTable::decode(&records) == Ok(newer)), "a stored table was lost");
}

/// Covers: Record, Record::decode, Installed, Floor, Ledger, Refusal, Candidate, Attempt, Stage.
fn fuzz_record(bytes: &[u8]) {
    let Ok(record) = Record::decode(bytes) else { return };
    let mut buffer = [0; BUFFER_LEN];
    let again = record.encode(&mut buffer).ok().map(Record::decode);
    assert_eq!(again, Some(Ok(record)), "a saved record was lost");
}

/// Covers: Header::read, apply::apply.
///
/// As it comes; behind a good header, so that the body is reached; and as damage to a good artifact.
fn fuzz_delta(bytes: &[u8]) {
    fuzz_apply(&BASE, bytes);
    let made = ARTIFACTS.iter().map(|artifact| (BASE.as_slice(), artifact.as_slice()));
    for (base, artifact) in made.chain(PROGRAMS) {
        let mut rest = artifact;
        let head_len = if Header::read(&mut rest).is_ok() { artifact.len() - rest.len() } else { 0 };
        fuzz_apply(base, &[&artifact[..head_len], bytes].concat());
        let mut damaged = artifact.to_vec();
        for hit in bytes.chunks_exact(3) {
            let at = usize::from(hit[0]) << 8 | usize::from(hit[1]);
            damaged[at % artifact.len()] ^= hit[2];
        }
        fuzz_apply(base, &damaged);
    }
}

/// Covers: Filter::parse.
fn fuzz_filter(bytes: &[u8]) {
    let text = String::from_utf8_lossy(bytes);
    match Filter::parse(&text) {
        Ok(filter) => {
            let spelled = filter.to_string();
            assert_eq!(Filter::parse(&spelled).as_ref(), Ok(&filter), "a filter has two meanings");
            let device = [("region", "eu"), ("version", "1.2.3"), ("tag", "lab"), ("tag", "")];
            let _ = filter.holds(&device);
        }
        Err(error) => assert!((1..=text.chars().count() + 1).contains(&error.at), "it points nowhere"),
    }
}

macro_rules! program {
    ($name:literal) => {
        (
            include_bytes!(concat!("../../formats/vectors/delta/", $name, ".old")).as_slice(),
            include_bytes!(concat!("../../formats/vectors/delta/", $name, ".delta")).as_slice(),
        )
    };
}

/// Deltas of programs, which have layouts and references.
const PROGRAMS: [(&[u8], &[u8]); 3] = [program!("x86-64"), program!("aarch64"), program!("thumb-2")];

static BASE: LazyLock<Vec<u8>> =
    LazyLock::new(|| (0..3000_u32).map(|at| at.wrapping_mul(at ^ 0x2545).to_le_bytes()[1]).collect());

/// A full image, and a delta whose map has copies, gaps and corrections.
static ARTIFACTS: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| {
    let mut image = [&BASE[1200..], b"something new", &BASE[..2000]].concat();
    image.iter_mut().step_by(97).for_each(|byte| *byte = byte.wrapping_add(4));
    let made = [&[], BASE.as_slice()]
        .map(|mut base| make(&mut base, &mut &image[..], Profile::Kib64, &mut |_| ControlFlow::Continue(())));
    made.into_iter().flatten().collect()
});

/// Covers: Message::parse, Block::decode.
///
/// What we read coap-lite reads too, and as the same: token, options, payload. A message written again from what was read
/// reads the same; a fetch and a body take any message.
fn fuzz_coap(bytes: &[u8]) {
    let Ok(message) = Message::parse(bytes) else { return };
    assert!(is_read_so_by_others(&message, bytes), "coap-lite reads it otherwise");
    let mut buffer = [0; BUFFER_LEN];
    let Some(len) = write_again(&message, &mut buffer) else { return };
    let again = Message::parse(&buffer[..len]);
    let same = |again: Message<'_>| {
        let header = |m: &Message<'_>| (m.kind, m.code, m.id, m.token);
        header(&again) == header(&message)
            && again.options.iter().eq(message.options.iter())
            && again.payload == message.payload
    };
    assert!(again.is_ok_and(same), "what was written reads otherwise");
    for (_, value) in message.options.iter() {
        let block = Block::decode(value);
        let spelled = block.and_then(|block| Block::decode(&block.encode()?.to_be_bytes()[1..]));
        assert_eq!(block, spelled, "two blocks of one value");
    }
    let _ = Assembly::<1024>::default().take(&message);
    let Ok(bitmap) = Bitmap::resume([0; 3], 10_000) else { return };
    let mut fetch = Fetch::new(bitmap, Estimator::new(1_000), BlockSize::B1024);
    for sequence in 0..4 {
        let _ = fetch.poll(Uptime(0), sequence);
    }
    for (sequence, now) in [(0, 500), (3, 600), (9, 700), (1, 800)] {
        let _ = fetch.take(Uptime(now), sequence, &message);
        assert!(
            matches!(fetch.poll(Uptime(now), now), Next::Ask(_) | Next::Wait(_)),
            "10 000 bytes never came"
        );
    }
}

fn is_read_so_by_others(message: &Message<'_>, bytes: &[u8]) -> bool {
    let Ok(theirs) = Packet::from_bytes(bytes) else { return false };
    let options = theirs
        .options()
        .flat_map(|(number, values)| values.iter().map(move |value| (*number, value.as_slice())));
    let header = (theirs.header.message_id, u8::from(theirs.header.code), theirs.get_token());
    header == (message.id.0, message.code.0, message.token.as_bytes())
        && options.eq(message.options.iter().map(|(number, value)| (number.0, value)))
        && theirs.payload == message.payload
}

fn write_again(message: &Message<'_>, buffer: &mut [u8]) -> Option<usize> {
    let mut writer = Writer::new(buffer, message.kind, message.code, message.id, message.token).ok()?;
    message.options.iter().try_for_each(|(number, value)| writer.option(number, value).map(|_| ())).ok()?;
    writer.finish(message.payload).ok()
}

/// Covers: Context::open_request, Context::open_answer, Header::parse.
///
/// As it comes, which nobody believes; and sealed well, so that what stands behind the seal is reached.
fn fuzz_oscore(bytes: &[u8]) {
    let (mut device, mut server) = (side(b"d", b"s"), side(b"s", b"d"));
    let (mut sealed, mut plain) = ([0; BUFFER_LEN], [0; BUFFER_LEN]);
    let _ = OscoreHeader::parse(bytes);
    assert!(server.open_request(&mut bytes.to_vec(), &mut plain).is_err(), "a seal was found by chance");
    assert!(device.open_answer(0, &mut bytes.to_vec(), &mut plain).is_err(), "a seal was found by chance");
    let Ok((len, sequence)) = device.seal_request(bytes, &mut sealed) else { return };
    let opened = server.open_request(&mut sealed[..len], &mut plain);
    assert!(opened.as_ref().is_ok_and(|opened| opened.sequence == sequence), "what was sealed opens");
    for len in
        opened.map(|opened| server.seal_answer(opened.ticket, bytes, &mut sealed)).into_iter().flatten()
    {
        assert!(
            device.open_answer(sequence, &mut sealed[..len], &mut plain).is_ok(),
            "what was sealed opens"
        );
    }
}

/// One side of a security context that is not secret.
#[expect(clippy::expect_used, reason = "constants of this file")]
fn side(sender: &[u8], recipient: &[u8]) -> SecurityContext {
    let master = Master { secret: &[42; 16], salt: &[], id_context: IdContext::None };
    let kid = |bytes| Kid::new(bytes).expect("one byte");
    let keys = Keys::derive(&master, kid(sender), kid(recipient)).expect("short values");
    let mut sequence = Sequence::resume(0);
    sequence.reserved(Reserve { up_to: 10 });
    SecurityContext::new(keys, sequence, SeenNumbers::new())
}

const FLEET: FleetId = FleetId([1; 16]);

/// One key in every role, of a fleet that does not exist.
#[expect(clippy::expect_used, reason = "constants of this file")]
static KEY: LazyLock<Key> = LazyLock::new(|| {
    let signing = SigningKey::from_bytes(&[42; 32]);
    let public = PublicKey::ed25519(signing.verifying_key().as_bytes());
    Key { signing, public, device: "fuzz".parse().expect("a short name") }
});

struct Key {
    signing: SigningKey,
    public: PublicKey,
    device: DeviceId,
}

#[expect(clippy::expect_used, reason = "constants of this file")]
static ANCHOR: LazyLock<TrustAnchor> = LazyLock::new(|| {
    let role = || Role { threshold: 1, keys: [0].into_iter().collect() };
    let root = Root {
        fleet: FLEET,
        version: 1,
        issued: UnixSeconds(1),
        not_after: UnixSeconds(u64::MAX),
        keys: [KEY.public.clone()].into_iter().collect(),
        root: role(),
        release: role(),
        delegator: role(),
        limits: Limits { delegation_days_max: 100, security_ceiling: u32::MAX, emergency: false },
        revoked: Default::default(),
        tls_anchors: Default::default(),
    };
    let online = OnlineKey { key: KEY.public.clone(), powers: Powers(u8::MAX) };
    let delegation = Delegation {
        fleet: FLEET,
        version: 1,
        not_before: UnixSeconds(1),
        not_after: UnixSeconds(100 * 24 * 60 * 60),
        keys: [online].into_iter().collect(),
    };
    let anchor = sealed(Kind::Root, &root, |root| TrustAnchor::provisioned(root).ok());
    let anchor = anchor.and_then(|anchor| {
        sealed(Kind::Delegation, &delegation, |delegation| anchor.delegate(delegation).ok())
    });
    anchor.expect("a sound root and delegation")
});

fn sealed<T>(kind: Kind, value: &impl Wire<'static>, open: impl FnOnce(&[u8]) -> Option<T>) -> Option<T> {
    let (mut payload, mut envelope) = ([0; BUFFER_LEN], [0; BUFFER_LEN]);
    let payload = cbor::encode(value, &mut payload).ok()?;
    open(signed(Context { kind, fleet: FLEET, session: None }, payload, &mut envelope)?)
}

fn signed<'a>(context: Context<'_>, payload: &[u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut sign = |message: &[u8]| Some(KEY.signing.sign(message).to_bytes());
    seal(&context, Form::Single, payload, &KEY.public, &mut sign, buffer).ok()
}
