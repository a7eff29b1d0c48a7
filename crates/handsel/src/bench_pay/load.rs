//! The load: many connections, each one payment at a time, in plain HTTP/1.1 so that the load itself costs little.

use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use memchr::memmem;
use rustix::time::{Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinSet;

use crate::bench_pay::world::{AMOUNT_MINOR, Chosen, World, till_key};
use crate::run::{Failure, failed};

/// How requests come.
#[derive(Clone, Copy)]
pub enum Pace {
    /// The next one as soon as one is answered.
    Closed { connections: usize },
    /// At this rate, at random moments, whatever the answers take; a late start counts as part of the answer's time.
    Open { connections: usize, per_s: f64 },
}

/// What one run took.
pub struct Measured {
    latencies_us: Vec<u64>,
    took: Duration,
}

impl Measured {
    /// From single times, in microseconds.
    pub fn new(mut latencies_us: Vec<u64>, took: Duration) -> Self {
        latencies_us.sort_unstable();
        Self { latencies_us, took }
    }

    pub fn count(&self) -> usize {
        self.latencies_us.len()
    }

    pub fn per_s(&self) -> f64 {
        self.count() as f64 / self.took.as_secs_f64()
    }

    /// The time that a share of `part`, 0 to 1, of all did not exceed.
    pub fn percentile_ms(&self, part: f64) -> f64 {
        let at = ((self.count() as f64 * part) as usize).min(self.count().saturating_sub(1));
        self.latencies_us.get(at).map_or(0.0, |micros| *micros as f64 / 1000.0)
    }
}

/// Pays for `time`; to one merchant, if `hot`.
#[expect(clippy::disallowed_methods, reason = "measures")]
pub async fn run(world: &World, pace: Pace, time: Duration, hot: bool) -> Result<Measured, Failure> {
    let (connections, moments) = match pace {
        Pace::Closed { connections } => (connections, None),
        Pace::Open { connections, per_s } => (connections, Some(moments(per_s, time)?)),
    };
    let begin = Instant::now();
    let tokens: Arc<[String]> = world.tokens.clone().into();
    let (mut tasks, mut turns) = (JoinSet::new(), Vec::new());
    for _ in 0..connections {
        // Numbers that no other connection and no other run uses.
        let first = world.next.fetch_add(1 << 32, Ordering::Relaxed);
        let client = Client {
            stream: TcpStream::connect(world.address).await.map_err(failed("the platform does not answer"))?,
            tokens: tokens.clone(),
            hot,
        };
        let (turn, due) = unbounded_channel();
        turns.push(turn);
        tasks.spawn(client.pay(first, moments.as_ref().map(|_| due), begin + time));
    }
    if let Some(moments) = &moments {
        pace_out(moments, &turns).await.map_err(failed("no clock"))?;
    }
    drop(turns);
    let mut latencies = Vec::new();
    while let Some(done) = tasks.join_next().await {
        latencies.extend(done.map_err(failed("a connection broke"))??);
    }
    Ok(Measured::new(latencies, begin.elapsed()))
}

/// When requests are due within `time`: `per_s` a second, at the random moments of people who know nothing of each other (a Poisson process),
/// as pgbench draws them for the peer.
fn moments(per_s: f64, time: Duration) -> Result<Vec<Duration>, Failure> {
    let (mut moments, mut due) = (Vec::new(), 0.0);
    loop {
        let random = getrandom::u64().map_err(failed("the system has no randomness"))?;
        // Above 0 and below 1.
        let share = ((random >> 11) as f64 + 0.5) / (1_u64 << 53) as f64;
        due -= share.ln() / per_s;
        if due >= time.as_secs_f64() {
            return Ok(moments);
        }
        moments.push(Duration::from_secs_f64(due));
    }
}

/// Says to one connection after the other when its next request is due, at that time. The runtime's own timers would be late by a millisecond
/// or two, as long as an answer takes, and a thread that sleeps would wake this one for every request.
#[expect(clippy::disallowed_methods, reason = "measures")]
#[expect(deprecated, reason = "the clock stays the same descriptor for as long as it is watched")]
async fn pace_out(moments: &[Duration], turns: &[UnboundedSender<Instant>]) -> std::io::Result<()> {
    let clock = rustix::time::timerfd_create(TimerfdClockId::Monotonic, TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC)?;
    let clock = AsyncFd::new(clock)?;
    let begin = Instant::now();
    for (moment, turn) in moments.iter().zip(turns.iter().cycle()) {
        let due = begin + *moment;
        let wait = due.saturating_duration_since(Instant::now());
        if !wait.is_zero() {
            let once = Itimerspec { it_interval: Timespec::default(), it_value: timespec(wait) };
            rustix::time::timerfd_settime(clock.get_ref(), TimerfdTimerFlags::empty(), &once)?;
            // It rings once; setting it again makes it silent.
            clock.readable().await?.clear_ready();
        }
        // A connection that broke is told of by its own task.
        let _ = turn.send(due);
    }
    Ok(())
}

fn timespec(time: Duration) -> Timespec {
    Timespec { tv_sec: time.as_secs() as i64, tv_nsec: time.subsec_nanos().into() }
}

struct Client {
    stream: TcpStream,
    tokens: Arc<[String]>,
    hot: bool,
}

impl Client {
    #[expect(clippy::disallowed_methods, reason = "measures")]
    async fn pay(mut self, first: u64, mut turns: Option<UnboundedReceiver<Instant>>, end: Instant) -> Result<Vec<u64>, Failure> {
        self.stream.set_nodelay(true).map_err(failed("a connection broke"))?;
        let (mut latencies, mut bytes) = (Vec::new(), Vec::new());
        for number in first.. {
            let due = match &mut turns {
                Some(turns) => turns.recv().await,
                None => Some(Instant::now()).filter(|now| *now < end),
            };
            let Some(due) = due else { break };
            self.write_request(number, &mut bytes);
            self.stream.write_all(&bytes).await.map_err(failed("a connection broke"))?;
            self.read_answer(&mut bytes).await?;
            latencies.push(due.elapsed().as_micros() as u64);
        }
        Ok(latencies)
    }

    fn write_request(&self, number: u64, request: &mut Vec<u8>) {
        let (shop, payer) = Chosen::of(number).among(self.tokens.len());
        let (shop, token) = (if self.hot { 1 } else { shop }, &self.tokens[payer]);
        let body = format!(r#"{{"payment":{{"amount_minor":{AMOUNT_MINOR},"currency":"CNY"}},"token":"{token}"}}"#);
        let key = till_key(shop);
        request.clear();
        write!(
            request,
            "POST /v1/bench/payments HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n\
             Idempotency-Key: {number:016x}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        )
        .expect("memory takes it");
    }

    /// Reads one answer, which must be a payment that was paid.
    async fn read_answer(&mut self, answer: &mut Vec<u8>) -> Result<(), Failure> {
        answer.clear();
        loop {
            if self.stream.read_buf(answer).await.map_err(failed("a connection broke"))? == 0 {
                return Err(Failure("the platform hung up".into()));
            }
            if let Some(whole) = whole_answer(answer) {
                let is_paid = answer.starts_with(b"HTTP/1.1 200") && memmem::find(&answer[whole..], br#""status":"paid""#).is_some();
                return if is_paid { Ok(()) } else { Err(Failure(format!("no payment: {}", String::from_utf8_lossy(answer)))) };
            }
        }
    }
}

/// Where the body begins, once all of it is there.
fn whole_answer(answer: &[u8]) -> Option<usize> {
    const LEN: &[u8] = b"\r\ncontent-length: ";
    let begin = memmem::find(answer, b"\r\n\r\n")? + 4;
    let head = &answer[..begin];
    let len = &head[memmem::find(head, LEN)? + LEN.len()..];
    let len: usize = std::str::from_utf8(&len[..memchr::memchr(b'\r', len)?]).ok()?.parse().ok()?;
    (answer.len() >= begin + len).then_some(begin)
}
