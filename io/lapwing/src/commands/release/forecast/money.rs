//! Money on the command line: decimals in, `$27,070.31` out, exact in between.
//!
//! Touches: nothing. Never: a float.

use lapwing_fleet::MicroMoney;

const DECIMALS: usize = 6;
const MICRO: u64 = 1_000_000;

/// Reads `0.50`.
pub(super) fn parse(text: &str) -> Result<MicroMoney, String> {
    let wrong = || format!("`{text}` is no amount such as 0.50, with at most {DECIMALS} decimals");
    let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(part) || part.len() > DECIMALS {
        return Err(wrong());
    }
    let whole: u64 = whole.parse().map_err(|_| wrong())?;
    let part: u64 = format!("{part:0<DECIMALS$}").parse().map_err(|_| wrong())?;
    let micro = whole.checked_mul(MICRO).and_then(|whole| whole.checked_add(part));
    micro.map(MicroMoney).ok_or_else(wrong)
}

/// Writes it with two decimals.
pub(super) fn show(currency: &str, MicroMoney(micro): MicroMoney) -> String {
    let cents = micro.saturating_add(MICRO / 200) / (MICRO / 100);
    format!("{currency}{}.{:02}", grouped(cents / 100), cents % 100)
}

/// A number with commas.
pub(super) fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let comma = |at: usize| at > 0 && (digits.len() - at).is_multiple_of(3);
    digits
        .chars()
        .enumerate()
        .flat_map(|(at, digit)| comma(at).then_some(',').into_iter().chain([digit]))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_exact() {
        assert_eq!(parse("0.50"), Ok(MicroMoney(500_000)));
        assert_eq!(parse("15000"), Ok(MicroMoney(15_000_000_000)));
        assert_eq!(parse("0.000001"), Ok(MicroMoney(1)));
        for wrong in ["", ".5", "1.", "-1", "1e3", "0.0000001", "1,5", "99999999999999999999"] {
            assert!(parse(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn amounts_read_well() {
        assert_eq!(show("$", MicroMoney(27_070_312_500)), "$27,070.31");
        assert_eq!(show("EUR ", MicroMoney(5_000)), "EUR 0.01");
        assert_eq!(grouped(0), "0");
        assert_eq!(grouped(999), "999");
        assert_eq!(grouped(1_000_000), "1,000,000");
    }
}
