//! Giving a party back its gallery from the other two: one that lost its disk, whose journal is older than the log, or that
//! missed a refresh.
//!
//! 1. The party says how far its own log is; the helpers tell it everything after that, and every record that is there,
//!    without a row. What they say must be the same, byte for byte.
//! 2. It says which rows it lacks, the helpers which of those they lack themselves, and all three agree on a hash of what is
//!    left, so that nobody can be asked for different records ([`mpc::protocol::rebuild`] says why).
//! 3. The helpers give those rows. Each is sealed under a fresh key and kept as it comes, so that a run that breaks off is
//!    gone on with by the next.
//! 4. One transaction makes the journal that of the others; deletions that this party had missed are carried out and signed
//!    before it serves again.

use base::hash::hash_parts;
use mpc::network::{Lanes, Neighbour, Network};
use mpc::protocol::Session;
use mpc::protocol::agree::agree;
use mpc::protocol::rebuild::{give, take};
use mpc::prss::Prss;
use mpc::share::Row;
use wire::bytes::HexArray;
use wire::party::{PartyAnswer, PartyRefusal};
use wire::upkeep::Rebuild;

use crate::apply::no_randomness;
use crate::error::{Refusal, Stopped};
use crate::gallery::snapshot::{LogState, root_after};
use crate::identify::random;
use crate::journal::StoredRecord;
use crate::link::NOT_POISONED;
use crate::opening;
use crate::row_seal::{self, RowKey, fresh_key};
use crate::run_network::RunNetwork;
use crate::service::{Reached, Service, State};
use crate::staging::Takeover;
use crate::store::Store;
use crate::takeover::{Head, Malformed, pages, read_page};

/// Which protocol the correlated randomness is for.
const LABEL: &str = "handsel/rebuild/v1";
/// Rows and what all agree on go over this lane.
const ROWS_LANE: u32 = 0;
/// Logs and lists go over this one.
const LISTS_LANE: u32 = 1;
/// The sign that a page has come.
const COME: [u8; 1] = [1];
/// Records whose need of a row is told at once.
const NEEDS_AT_ONCE: usize = 8192;

impl Service {
    /// Takes part in rebuilding `command.party`.
    pub(crate) fn rebuild(&self, command: &Rebuild) -> Result<PartyAnswer, Refusal> {
        let _upkeep = self.begin_upkeep()?;
        let is_lost = command.party == self.config.party;
        let network = self.mesh.begin(command.session, self.config.peer_timeout)?;
        let done = if is_lost { self.recover(command, &network) } else { self.help(command, &network) };
        match done.map_err(|stopped| stopped.refusal(command.session)) {
            Ok((log, rows)) => {
                network.finish();
                tracing::info!(party = %self.config.party, rebuilt = %command.party, sequence = log.sequence, rows, "rebuilt");
                Ok(PartyAnswer::Rebuilt { sequence: log.sequence, gallery_root: HexArray(log.root), rows })
            }
            Err(refusal) => {
                network.give_up(refusal.code);
                Err(refusal)
            }
        }
    }

    /// A helper's part.
    fn help(&self, command: &Rebuild, network: &RunNetwork) -> Result<(LogState, u64), Stopped> {
        let lost = command.party;
        let (towards, other) = match self.config.party == lost.next() {
            true => (Neighbour::Previous, Neighbour::Next),
            false => (Neighbour::Next, Neighbour::Previous),
        };
        let name = opening::name(command.session, LABEL);
        let salt = opening::open(self.config.party, network, &name, random()?, &[])?.salt;
        let mut lists = network.open(LISTS_LANE)?;
        let (snapshot, store) = {
            let mut state = self.state.lock().expect(NOT_POISONED);
            self.settle(&mut state)?;
            (state.gallery.snapshot(), Store::view(&self.config.directory)?)
        };
        let log = snapshot.log();
        let theirs = Head::from_bytes(&lists.receive(towards)?)?.log;
        let takeover = what_is_missing(&store, log, theirs)?;
        let pages = pages(&takeover);
        let head = Head { log, from: takeover.from, pages: pages.len() as u32 };
        lists.send(towards, head.to_bytes())?;
        for page in &pages {
            lists.send(towards, page.clone())?;
            lists.receive(towards)?;
        }
        let count = takeover.records.len();
        let needed = receive_flags(lists.as_mut(), towards, count)?;
        let void: Vec<_> = snapshot.void_records().collect();
        let given: Vec<bool> = takeover.records.iter().map(|(record, _)| !void.contains(&record.record)).collect();
        send_flags(lists.as_mut(), towards, &given)?;
        send_flags(lists.as_mut(), other, &given)?;
        let others = receive_flags(lists.as_mut(), other, count)?;
        let slots: Vec<u32> =
            (0..count).filter(|at| needed[*at] && given[*at] && others[*at]).map(|at| takeover.records[at].0.slot).collect();

        let mut lane = network.open(ROWS_LANE)?;
        let prss = Prss::new(&network.keys(), &salt, LABEL, ROWS_LANE);
        let mut session = Session::new(self.config.party, prss, lane.as_mut());
        agree(&mut session, &[digest_of(&head, &pages, &slots)])?;
        give(&mut session, lost, slots.len(), snapshot.dimensions(), |at| snapshot.row(slots[at]))?;
        // The lost party is through with it.
        lists.receive(towards)?;
        Ok((log, slots.len() as u64))
    }

    /// The lost party's part.
    fn recover(&self, command: &Rebuild, network: &RunNetwork) -> Result<(LogState, u64), Stopped> {
        let name = opening::name(command.session, LABEL);
        let salt = opening::open(self.config.party, network, &name, random()?, &[])?.salt;
        let mut lists = network.open(LISTS_LANE)?;
        let mut state = self.state.lock().expect(NOT_POISONED);
        let mine = state.store.log()?;
        for neighbour in BOTH {
            lists.send(neighbour, Head { log: mine, from: 0, pages: 0 }.to_bytes())?;
        }
        let head = Head::from_bytes(&receive_alike(lists.as_mut())?)?;
        let (takeover, pages) = self.receive_takeover(lists.as_mut(), &head, mine)?;
        let wanted = self.tell_needs(lists.as_mut(), &state, &takeover)?;
        let slots: Vec<u32> = wanted.iter().map(|at| takeover.records[*at].0.slot).collect();

        let mut lane = network.open(ROWS_LANE)?;
        let prss = Prss::new(&network.keys(), &salt, LABEL, ROWS_LANE);
        let mut session = Session::new(self.config.party, prss, lane.as_mut());
        agree(&mut session, &[digest_of(&head, &pages, &slots)])?;
        take(&mut session, slots.len(), usize::from(self.config.dimensions), |first, rows| {
            self.keep_rebuilt(&mut state, &takeover, &wanted[first..first + rows.len()], &rows)?;
            self.step("some rows of a rebuild");
            Ok::<_, Stopped>(())
        })?;
        state.store.take_over(&takeover)?;
        self.step("journal of a rebuild");
        self.reload(&mut state)?;
        self.finish_deletions(&mut state)?;
        *self.reached.lock().expect(NOT_POISONED) = Reached::by(state.gallery.now());
        for neighbour in BOTH {
            lists.send(neighbour, COME.into())?;
        }
        Ok((head.log, slots.len() as u64))
    }

    /// The helpers' log and records, which both tell alike.
    fn receive_takeover(&self, lists: &mut dyn Network, head: &Head, mine: LogState) -> Result<(Takeover, Vec<Vec<u8>>), Stopped> {
        if head.log.sequence < mine.sequence {
            let detail = format!("this party is at change {}, its helpers at {}: they are behind", mine.sequence, head.log.sequence);
            return Err(Refusal::new(PartyRefusal::GalleryOutOfStep, detail).into());
        }
        let mut takeover = Takeover { from: head.from, ..Takeover::default() };
        let mut pages = Vec::new();
        for _ in 0..head.pages {
            let page = receive_alike(lists)?;
            read_page(&page, &mut takeover, self.clock.now())?;
            pages.push(page);
            for neighbour in BOTH {
                lists.send(neighbour, COME.into())?;
            }
        }
        check(&takeover, head, mine)?;
        Ok((takeover, pages))
    }

    /// Tells the helpers which rows are lacking here; gives the numbers of those that both have.
    fn tell_needs(&self, lists: &mut dyn Network, state: &State, takeover: &Takeover) -> Result<Vec<usize>, Stopped> {
        let place = state.gallery.place().clone();
        let source = state.source(&place);
        let mut needed = Vec::with_capacity(takeover.records.len());
        for records in takeover.records.chunks(NEEDS_AT_ONCE) {
            let lacks = |(record, _): &(StoredRecord, _)| Ok(!source.has_row(record.record, record.epoch)?);
            let some = records.iter().map(lacks).collect::<rusqlite::Result<Vec<bool>>>()?;
            BOTH.into_iter().try_for_each(|neighbour| send_flags(lists, neighbour, &some))?;
            needed.extend(some);
        }
        for neighbour in BOTH {
            let given = receive_flags(lists, neighbour, needed.len())?;
            needed.iter_mut().zip(given).for_each(|(needed, given)| *needed &= given);
        }
        Ok((0..needed.len()).filter(|at| needed[*at]).collect())
    }

    /// Keeps rows of the records with these numbers: keys first, as at an enrolment.
    fn keep_rebuilt(&self, state: &mut State, takeover: &Takeover, numbers: &[usize], rows: &[Row]) -> Result<(), Refusal> {
        let row_keys = rows.iter().map(|_| fresh_key()).collect::<Result<Vec<RowKey>, _>>().map_err(no_randomness)?;
        let named = numbers.iter().map(|at| (takeover.records[*at].0.record, takeover.records[*at].0.epoch));
        state.keys.insert(named.clone().zip(&row_keys).map(|((record, epoch), key)| (record, epoch, key)))?;
        self.step("some keys of a rebuild");
        let sealed = named.zip(rows).zip(&row_keys).map(|(((record, epoch), row), key)| {
            (record, epoch, row_seal::seal(key, row_seal::Place { party: self.config.party, record, epoch }, row))
        });
        Ok(state.store.keep_rebuilt(&sealed.collect::<Vec<_>>())?)
    }
}

const BOTH: [Neighbour; 2] = [Neighbour::Next, Neighbour::Previous];

/// What a party whose log is at `theirs` lacks of this one's.
fn what_is_missing(store: &Store, log: LogState, theirs: LogState) -> rusqlite::Result<Takeover> {
    let is_mine = store.change(theirs.sequence)?.is_some_and(|change| change.log == theirs);
    let from = if is_mine { theirs.sequence } else { 0 };
    let mut takeover = Takeover { from, changes: store.changes_after(from)?, deletions: store.deletions_after(from)?, records: Vec::new() };
    store.for_each_record(0..log.slots, |mut record| {
        record.sealed = None;
        takeover.records.push((record, Vec::new()));
        Ok::<_, rusqlite::Error>(())
    })?;
    for (record, labels) in &mut takeover.records {
        *labels = store.labels_of(record.record)?;
    }
    Ok(takeover)
}

/// Whether the account hangs together: the chain of roots leads from this party's own to the helpers', and every record has
/// a slot of its own.
fn check(takeover: &Takeover, head: &Head, mine: LogState) -> Result<(), Refusal> {
    let mut root = if takeover.from == 0 { LogState::default() } else { mine };
    let starts_here = takeover.from == 0 || takeover.from == mine.sequence;
    let mut holds = starts_here;
    for change in &takeover.changes {
        holds &= change.log.sequence == root.sequence + 1 && change.log.root == root_after(&root.root, change.log.sequence, &change.digest);
        root = change.log;
    }
    let slots: Vec<u32> = takeover.records.iter().map(|(record, _)| record.slot).collect();
    holds &= root == head.log && slots.is_sorted_by(|one, next| one < next) && slots.last().is_none_or(|last| *last < head.log.slots);
    match holds {
        true => Ok(()),
        false => Err(Refusal::new(PartyRefusal::GalleryOutOfStep, "the helpers' account of their log does not hang together")),
    }
}

fn digest_of(head: &Head, pages: &[Vec<u8>], slots: &[u32]) -> [u8; 32] {
    let slots: Vec<u8> = slots.iter().flat_map(|slot| slot.to_le_bytes()).collect();
    let pages = hash_parts("handsel/rebuild-pages/v1", &pages.iter().map(Vec::as_slice).collect::<Vec<_>>());
    hash_parts("handsel/rebuild/v1", &[&head.to_bytes(), &pages, &slots])
}

/// The next message of both helpers, which must be the same.
fn receive_alike(lists: &mut dyn Network) -> Result<Vec<u8>, Stopped> {
    let (one, other) = (lists.receive(Neighbour::Next)?, lists.receive(Neighbour::Previous)?);
    match one == other {
        true => Ok(one),
        false => {
            let detail = "the two helpers' galleries differ; run `handsel admin gallery bisect`";
            Err(Refusal::new(PartyRefusal::GalleryOutOfStep, detail).into())
        }
    }
}

fn send_flags(lists: &mut dyn Network, to: Neighbour, flags: &[bool]) -> Result<(), mpc::error::Error> {
    flags.chunks(NEEDS_AT_ONCE).try_for_each(|flags| lists.send(to, flags.iter().map(|flag| u8::from(*flag)).collect()))
}

fn receive_flags(lists: &mut dyn Network, from: Neighbour, count: usize) -> Result<Vec<bool>, Stopped> {
    let mut flags = Vec::with_capacity(count);
    while flags.len() < count {
        let some = lists.receive(from)?;
        if some.is_empty() || some.len() > count - flags.len() || some.iter().any(|flag| *flag > 1) {
            return Err(Malformed.into());
        }
        flags.extend(some.into_iter().map(|flag| flag == 1));
    }
    Ok(flags)
}
