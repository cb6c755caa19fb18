//! Chances and how they are added up: `squash` turns evidence into a chance, `stretch` turns it back.
//!
//! Touches: nothing; the tables are computed when this is compiled.
//! Never: uses a fraction, so that every machine gets the same bits.

/// Evidence beyond this is cut off. Evidence is the logarithm of the odds, in 256ths.
pub(crate) const EVIDENCE_MAX: i32 = 3071;

/// A chance of one half; chances are in 65536ths.
pub(crate) const HALF: u32 = 1 << 15;

/// 65536 / (1 + e^-x) for x from -12 to 0 in steps of one half.
const KNOTS: [u32; 25] = [
    1, 1, 1, 2, 3, 5, 8, 13, 22, 36, 60, 98, 162, 267, 439, 720, 1179, 1921, 3108, 4971, 7812, 11955, 17625,
    24743, 32768,
];

/// The chance that goes with some evidence: 1 to 65535.
#[inline]
pub(crate) const fn squash(evidence: i32) -> u32 {
    let evidence = if evidence > EVIDENCE_MAX {
        EVIDENCE_MAX
    } else if evidence < -EVIDENCE_MAX {
        -EVIDENCE_MAX
    } else {
        evidence
    };
    let low = half_squash(evidence.wrapping_abs().wrapping_neg());
    if evidence > 0 { 65536u32.wrapping_sub(low) } else { low }
}

/// `squash` for evidence of 0 and below.
#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "masked")]
#[inline]
const fn half_squash(evidence: i32) -> u32 {
    let above = (evidence + EVIDENCE_MAX + 1) as u32 & 0xFFF;
    let (knot, part) = (above as usize >> 7, above & 127);
    let next = if knot < 24 { knot + 1 } else { 24 };
    let knot = if knot < 24 { knot } else { 24 };
    (KNOTS[knot] * (128 - part) + KNOTS[next] * part) >> 7
}

const FINE: [i16; 1024] = inverse::<1024>(0);
const COARSE: [i16; 512] = inverse::<512>(6);

/// For each chance below one half, in steps of `1 << step`, the evidence that goes with it.
#[expect(clippy::indexing_slicing, clippy::arithmetic_side_effects, reason = "runs in the compiler")]
const fn inverse<const N: usize>(step: u32) -> [i16; N] {
    let mut table = [0; N];
    let (mut index, mut evidence) = (0, -EVIDENCE_MAX);
    while index < N {
        let middle = ((index as u32) << step) + ((1 << step) >> 1);
        while squash(evidence) < middle && evidence < 0 {
            evidence += 1;
        }
        table[index] = evidence as i16;
        index += 1;
    }
    table
}

/// The evidence that goes with a chance below 65536.
#[expect(clippy::indexing_slicing, reason = "masked")]
#[inline]
pub(crate) const fn stretch(chance: u32) -> i32 {
    let is_high = chance >= HALF;
    let low = if is_high { 65535u32.wrapping_sub(chance) } else { chance };
    let evidence =
        if low < 1024 { FINE[low as usize & 1023] as i32 } else { COARSE[low as usize >> 6 & 511] as i32 };
    if is_high { evidence.wrapping_neg() } else { evidence }
}
