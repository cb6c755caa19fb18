//! What happens to a fleet: how bad the release is, how devices check in, and what else goes wrong.
//!
//! Touches: nothing. Rates are parts of ten thousand.

use std::fmt;

/// What good releases do too: devices that come back and say so, and devices never heard of again.
pub(super) const BASE_LOUD: u64 = 20;
/// See [`BASE_LOUD`].
pub(super) const BASE_SILENT: u64 = 30;

/// One story.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Story {
    /// How bad the release is, beside what good ones do.
    pub failing: Failing,
    /// How often devices ask.
    pub check_ins: CheckIns,
    /// What else goes wrong.
    pub trouble: Trouble,
    /// Who decides.
    pub ruling: Ruling,
}

/// How a release fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Failing {
    /// On so many of ten thousand devices.
    pub rate: u64,
    /// How one learns of it.
    pub style: Style,
    /// Only on one rare hardware revision.
    pub only_rare: bool,
}

/// How one learns of a failure.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Style {
    /// The device comes back and says so.
    Loud,
    /// Every other one does.
    Half,
    /// It is never heard of again.
    Silent,
}

/// How often devices ask by themselves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CheckIns {
    /// Once an hour.
    Hourly,
    /// Once a day.
    Daily,
}

/// What else goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Trouble {
    /// Nothing.
    None,
    /// Sites go dark for hours, and once in a while two fifths of the network.
    Outages,
    /// One device in ten has a clock that runs at a half to three times the right speed.
    Clocks,
}

/// Who decides.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ruling {
    /// The real fleet brain.
    Lapwing,
    /// Stops when failures among the finished pass one and a half times the usual rate.
    RawRatio,
    /// Stops when failures among the finished pass ten percent.
    Percentage,
}

impl fmt::Display for Story {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failing { rate, style, only_rare } = self.failing;
        let style = match style {
            _ if rate == 0 => "good",
            Style::Loud => "loud",
            Style::Half => "half",
            Style::Silent => "silent",
        };
        let check_ins = if self.check_ins == CheckIns::Daily { "daily" } else { "hourly" };
        let ruling = match self.ruling {
            Ruling::Lapwing => "lapwing",
            Ruling::RawRatio => "raw 1.5x",
            Ruling::Percentage => "10 percent",
        };
        let trouble = match self.trouble {
            Trouble::None => "",
            Trouble::Outages => ", outages",
            Trouble::Clocks => ", wrong clocks",
        };
        let where_ = if only_rare { " of one revision" } else { "" };
        write!(f, "{ruling}: {} %{where_} {style}, {check_ins}{trouble}", rate / 100)
    }
}
