//! The threads of a swarm: each takes the device that is due next, gives it a turn, and puts it back.
//!
//! Touches: the clock, threads, standard output. A device belongs to one thread at a time.

use super::count::Counts;
use super::library::Library;
use super::member::{Member, Surroundings};
use super::template::Template;
use lapwing_transport::client::{Client, ClientSettings, PlainHttp, ServerUrl, TcpDial};
use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

/// Exchanges at the same time.
const THREADS: usize = 16;
/// How long an answer may take.
const TIMEOUT: Duration = Duration::from_secs(30);
const SAY_EVERY: Duration = Duration::from_secs(5);

/// Who is due when.
struct Due {
    /// By time, milliseconds of the devices' time; then by number.
    queue: Mutex<BinaryHeap<Reverse<(u64, usize)>>>,
    earlier: Condvar,
}

/// A swarm at work.
pub(super) struct Crew {
    members: Vec<Mutex<Member>>,
    servers: Vec<ServerUrl>,
    pace: u32,
    started: Instant,
    due: Due,
    library: Library,
    counts: Counts,
}

impl Crew {
    pub(super) fn new(templates: &[Arc<Template>], members: u32, pace: u32) -> Result<Self, String> {
        let mut made = Vec::new();
        let mut queue = BinaryHeap::new();
        for (number, template) in (0..members as usize).zip(templates.iter().cycle()) {
            made.push(Mutex::new(Member::new(Arc::clone(template), number)?));
            queue.push(Reverse((0, number)));
        }
        Ok(Self {
            members: made,
            servers: templates.iter().map(|template| template.server.clone()).collect(),
            pace,
            started: Instant::now(),
            due: Due { queue: Mutex::new(queue), earlier: Condvar::new() },
            library: Library::default(),
            counts: Counts::default(),
        })
    }

    /// Works until the time is over, or for ever; says every few seconds how it goes.
    pub(super) fn work(&self, longest: Option<Duration>) -> Result<(), String> {
        let is_over = || longest.is_some_and(|longest| self.started.elapsed() >= longest);
        thread::scope(|scope| {
            for _ in 0..THREADS.min(self.members.len()) {
                scope.spawn(|| self.serve(&is_over));
            }
            while !is_over() {
                thread::sleep(SAY_EVERY.min(longest.unwrap_or(SAY_EVERY)));
                println!("{:>6} s  {}", self.started.elapsed().as_secs(), self.counts);
            }
        });
        Ok(())
    }

    /// Time of the devices, milliseconds.
    fn now_ms(&self) -> u64 {
        let elapsed = u64::try_from(self.started.elapsed().as_millis()).unwrap_or(u64::MAX);
        elapsed.saturating_mul(self.pace.into())
    }

    fn serve(&self, is_over: &dyn Fn() -> bool) {
        let clients: Vec<Client> = self.servers.iter().map(client).collect();
        while !is_over() {
            let Some(number) = self.next() else { continue };
            let (Some(member), Some(client)) =
                (self.members.get(number), clients.get(number % clients.len().max(1)))
            else {
                return;
            };
            let around =
                Surroundings { client, library: &self.library, counts: &self.counts, now_ms: self.now_ms() };
            let due_ms = member.lock().unwrap_or_else(PoisonError::into_inner).turn(&around);
            if let Some(due_ms) = due_ms {
                self.due.queue.lock().unwrap_or_else(PoisonError::into_inner).push(Reverse((due_ms, number)));
                self.due.earlier.notify_one();
            }
        }
    }

    /// The next device that is due; waits a little if there is none.
    fn next(&self) -> Option<usize> {
        let mut queue = self.due.queue.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = self.now_ms();
        let wait_ms = match queue.peek() {
            Some(Reverse((due_ms, number))) if *due_ms <= now_ms => {
                let number = *number;
                queue.pop();
                return Some(number);
            }
            Some(Reverse((due_ms, _))) => (due_ms - now_ms).div_ceil(self.pace.into()).min(1_000),
            None => 1_000,
        };
        drop(self.due.earlier.wait_timeout(queue, Duration::from_millis(wait_ms)));
        None
    }
}

fn client(server: &ServerUrl) -> Client {
    let settings = ClientSettings {
        servers: vec![server.clone()],
        plain_http: PlainHttp::LoopbackOnly,
        connect_timeout: TIMEOUT,
        stall_timeout: TIMEOUT,
        exchange_timeout: TIMEOUT,
    };
    Client::new(settings, Arc::new(TcpDial))
}
