//! Devices that check in, and which of them get the offer.
//!
//! Touches: `lapwing_fleet::rollout`, which decides. Who asks first is left to chance.

use super::devices::Devices;
use super::rivals::Rival;
use super::world::{Happening, Ruler, World, is_halted};
use lapwing_fleet::rollout::{BasisPoints, Candidate, NotYet, Open, Rollout, State, Tier};

impl World<'_> {
    /// Those who check in now and may have it get it, in no order but chance.
    pub(super) fn grant(&mut self) {
        let slot = self.tick as usize % self.queues.len();
        let mut queues = std::mem::take(&mut self.queues[slot]);
        match &self.ruler {
            Ruler::Rival(rival) if rival.stopped => {}
            Ruler::Rival(_) => {
                let share = Rival::share(self.tick);
                for queue in &mut queues {
                    while let Some(number) = self.next_within(queue, share) {
                        self.offer(number);
                    }
                }
            }
            Ruler::Brain(rollout) if rollout.state == State::Running => {
                let rollout = rollout.clone();
                self.grant_room(&rollout, &mut queues);
            }
            Ruler::Brain(_) => {}
        }
        self.queues[slot] = queues;
    }

    fn grant_room(&mut self, rollout: &Rollout, queues: &mut [Vec<u32>]) {
        let Some(Open::Shares(shares)) = rollout.open.last() else { return };
        let waiting = |(cell, queue): (usize, &Vec<u32>)| {
            let share = shares[cell];
            queue.len() - queue.partition_point(|number| !self.member(*number).place.is_within(share))
        };
        let mut waiting: Vec<usize> = queues.iter().enumerate().map(waiting).collect();
        let mut all: usize = waiting.iter().sum();
        // Ten minutes have ten minutes' worth of offers.
        let mut minutes = 10;
        let mut room = rollout.room(&self.tally);
        while all > 0 {
            let mut chosen = usize::try_from(self.rng.below(all as u64)).unwrap_or(0);
            let Some(cell) = waiting.iter().position(|here| {
                let found = chosen < *here;
                chosen = chosen.saturating_sub(*here);
                found
            }) else {
                break;
            };
            let Some(number) = self.next_within(&mut queues[cell], shares[cell]) else {
                all -= std::mem::take(&mut waiting[cell]);
                continue;
            };
            let member = self.member(number);
            let candidate = Candidate {
                place: member.place,
                cell: member.cell,
                tier: Tier::General,
                facts: &[],
                downloads_nearby: 0,
            };
            match rollout.admit(&mut room, &candidate) {
                Ok(()) => {
                    waiting[cell] -= 1;
                    all -= 1;
                    self.offer(number);
                }
                Err(reason) => {
                    queues[cell].push(number);
                    match reason {
                        NotYet::StratumInFlight | NotYet::StratumHalted | NotYet::PlaceBeyondShare { .. } => {
                            all -= std::mem::take(&mut waiting[cell]);
                        }
                        NotYet::Rate(_) if minutes > 1 => {
                            minutes -= 1;
                            room = rollout.room(&self.tally);
                        }
                        _ => break,
                    }
                }
            }
        }
    }

    /// The next device of a queue whose place is within `share` and whose site is not dark.
    fn next_within(&self, queue: &mut Vec<u32>, share: BasisPoints) -> Option<u32> {
        let here = |number: &u32| self.member(*number).place.is_within(share);
        let at = queue.iter().rev().take_while(|number| here(number)).position(|number| {
            let site = self.member(*number).site;
            !self.is_dark(site)
        })?;
        Some(queue.remove(queue.len() - 1 - at))
    }

    fn offer(&mut self, number: u32) {
        let cell = self.member(number).cell.index();
        self.tally.cells[cell].granted += 1;
        self.granted += 1;
        let ticks = u32::try_from(self.rng.between(1..=4)).unwrap_or(1);
        self.at(ticks, Happening::Switch(number));
    }
}

/// How many devices what is open reaches.
pub(super) fn reachable(fleet: &Devices, rollout: &Rollout) -> u32 {
    let Some(Open::Shares(shares)) = rollout.open.last() else { return 0 };
    let reached = fleet.by_cell.iter().zip(shares).filter_map(|(numbers, share)| {
        let member = |number: &u32| fleet.members[*number as usize];
        let halted = numbers.first().is_some_and(|first| is_halted(rollout, member(first).cell));
        (!halted).then(|| numbers.partition_point(|number| member(number).place.is_within(*share)))
    });
    u32::try_from(reached.sum::<usize>()).unwrap_or(u32::MAX)
}
