//! Everything random comes from one seed: splitmix64.
//!
//! Touches: nothing. Source: Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014.

/// A stream of numbers.
#[derive(Debug, Clone)]
pub struct Numbers(u64);

impl Numbers {
    /// The stream of this seed.
    #[must_use]
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number up to `most`.
    pub fn up_to(&mut self, most: u64) -> u64 {
        most.checked_add(1).map_or(self.number(), |end| self.number() % end)
    }

    /// Yes, this often in a thousand.
    pub fn happens(&mut self, permille: u16) -> bool {
        self.number() % 1000 < u64::from(permille)
    }
}
