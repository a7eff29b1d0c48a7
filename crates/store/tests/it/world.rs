//! One world for all tests: a fresh database file, a payee with two tills, a fixed clock, and seeded randomness.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::convert::Infallible;

use base::hash::hash_parts;
use base::id::{AccountId, EnrolmentId, MerchantId, PaymentId, RecordId, StoreId, TerminalId};
use base::money::Currency;
use base::party::PartyId;
use base::secret::Secret;
use base::time::Timestamp;
use ed25519_dalek::SigningKey;
use payments::rules::RuleBook;
use rand_core::{TryCryptoRng, TryRng};
use sha2::{Digest, Sha256};
use store::{Location, Store};
use store::bank_account::Decision;
use store::gallery::NewToken;
use store::idempotency::{Answer, Idempotency};
use store::payment::{Identification, Labels};
use store::setup::NewTerminal;
use wire::api::{self, ConsentPurpose, PaymentStatus};
use wire::bytes::{HexArray, HexBytes};
use wire::party::DeletionConfirmation;
use wire::probe::{ProbeContext, Purpose, SealedProbe, SealedShare};
use wire::problem::{Code, Problem};

use crate::place;

pub const RULES: &str = include_str!("../../../../rules/cn.toml");

/// The rules without the first day in which what is new pays little: these tests open every store with them.
pub fn settled(rules: &str) -> String {
    rules.replace("cooling_off_s = 86_400", "cooling_off_s = 0")
}
pub const START: Timestamp = Timestamp::from_millis(1_795_000_000_000);
pub const MERCHANT: MerchantId = MerchantId::from_bits(1);
pub const TILL: TerminalId = TerminalId::from_bits(11);
pub const OTHER_TILL: TerminalId = TerminalId::from_bits(12);
pub const RIVAL_TILL: TerminalId = TerminalId::from_bits(21);
pub const PASSCODE: &str = "493817";
pub const WRONG: &str = "705284";

/// Deterministic bytes for tests: SHA-256 over a counter.
pub struct TestRng(pub u64);

impl TryRng for TestRng {
    type Error = Infallible;
    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.try_next_u64().map(|number| number as u32)
    }
    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.try_fill_bytes(&mut bytes)?;
        Ok(u64::from_le_bytes(bytes))
    }
    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        for chunk in bytes.chunks_mut(32) {
            self.0 += 1;
            chunk.copy_from_slice(&hash_parts("test", &[&self.0.to_le_bytes()])[..chunk.len()]);
        }
        Ok(())
    }
}

impl TryCryptoRng for TestRng {}

/// A shopper who can pay.
#[derive(Clone, Copy, Debug)]
pub struct Shopper {
    pub account: AccountId,
    pub enrolment: EnrolmentId,
    pub token: [u8; 16],
}

pub struct World {
    pub store: Store,
    pub now: Cell<Timestamp>,
    pub rng: RefCell<TestRng>,
    keys: Cell<u64>,
    phones: RefCell<HashMap<AccountId, String>>,
    _directory: Option<tempfile::TempDir>,
}

impl World {
    pub fn new() -> Self {
        Self::with_rules(RULES)
    }

    pub fn with_rules(rules: &str) -> Self {
        let (place, directory) = place::fresh();
        let mut world = Self::at(&place, rules, 1);
        world._directory = directory;
        world
    }

    /// A world in a place that may hold one already.
    pub fn at(place: &Location, rules: &str, seed: u64) -> Self {
        // Who is new pays little for a day; most tests begin after it.
        let rules = &settled(rules);
        let store = Store::open(place, RuleBook::parse(rules).expect("sound rules"), Secret::new([3; 32])).expect("opens").let_rows_wait();
        let (merchant, rival) = (MERCHANT, MerchantId::from_bits(2));
        for (id, name) in [(merchant, "Noodle House"), (rival, "Rival")] {
            store.register_merchant(id, name, START).expect("registers");
            store.register_store(StoreId::from_bits(id.bits()), id, "Main Street", START).expect("registers");
        }
        for (id, merchant) in [(TILL, merchant), (OTHER_TILL, merchant), (RIVAL_TILL, rival)] {
            let token_sha256 = Sha256::digest(id.to_string()).into();
            let terminal =
                NewTerminal { id, store: StoreId::from_bits(merchant.bits()), token_sha256, public_key: device_key(id).verifying_key() };
            store.register_terminal(&terminal, START).expect("registers");
        }
        Self {
            store,
            now: Cell::new(START),
            rng: RefCell::new(TestRng(seed * 1_000_000)),
            keys: Cell::new(seed * 1_000_000),
            phones: RefCell::default(),
            _directory: None,
        }
    }

    pub fn now(&self) -> Timestamp {
        self.now.get()
    }

    pub fn wait_ms(&self, millis: u64) {
        self.now.set(self.now().plus_millis(millis));
    }

    /// A fresh idempotency key.
    pub fn fresh(&self) -> Idempotency {
        self.keys.set(self.keys.get() + 1);
        keyed(&format!("key {}", self.keys.get()))
    }

    pub fn new_account(&self, phone: &str, passcode: &str) -> Answer {
        let new = api::NewAccount { name: secret("李雷"), phone: secret(phone), passcode: secret(passcode) };
        self.store.create_account(&self.fresh(), &new, part_of(phone), &mut *self.rng.borrow_mut(), self.now()).expect("answers")
    }

    pub fn account(&self, phone: &str) -> AccountId {
        let account = resource::<api::Me>(&self.new_account(phone, PASSCODE)).id;
        self.phones.borrow_mut().insert(account, phone.to_owned());
        account
    }

    pub fn consent(&self, account: AccountId, purpose: ConsentPurpose, granted: bool) -> Answer {
        let text_sha256 = payments::consent::current_texts("zh")
            .expect("known")
            .into_iter()
            .find(|text| text.purpose == purpose)
            .expect("every purpose")
            .text_sha256;
        self.store
            .record_consent(
                &self.fresh(),
                account,
                &api::NewConsent { purpose, text_sha256, granted },
                &mut *self.rng.borrow_mut(),
                self.now(),
            )
            .expect("answers")
    }

    pub fn top_up(&self, account: AccountId, amount_minor: i64) -> Answer {
        self.store
            .top_up(&self.fresh(), account, &api::NewTopUp { amount_minor }, &mut *self.rng.borrow_mut(), self.now())
            .expect("answers")
    }

    /// On staff's word.
    pub fn new_enrolment(&self, account: AccountId) -> Answer {
        let phone = self.phones.borrow().get(&account).cloned().expect("opened here");
        self.store.allow_enrolment(&phone, self.now()).expect("has an account");
        self.store.create_enrolment(&self.fresh(), account, None, &mut *self.rng.borrow_mut(), self.now()).expect("answers")
    }

    /// Sends the template of an enrolment whose challenge is open.
    pub fn send_template(&self, enrolment: &api::Enrolment, token: [u8; 16]) -> Answer {
        let probe = enrol_probe(enrolment);
        self.store
            .receive_template(&self.fresh(), TILL, enrolment.id, &probe, &[new_token(token)], &mut *self.rng.borrow_mut(), self.now())
            .expect("answers")
    }

    /// All parties apply what is queued for them.
    pub fn parties_catch_up(&self) {
        for party in PartyId::ALL {
            for change in self.store.pending_changes(party, 100).expect("reads") {
                let records = match &change.operation {
                    wire::party::GalleryOperation::Delete { records } => records.clone(),
                    _ => Vec::new(),
                };
                let deletions: Vec<_> = records
                    .into_iter()
                    .map(|record| DeletionConfirmation {
                        party,
                        record,
                        sequence: change.sequence,
                        destroyed_at: self.now(),
                        signature: HexArray([party.number(); 64]),
                    })
                    .collect();
                self.store
                    .acknowledge_change(party, change.sequence, &deletions, &mut *self.rng.borrow_mut(), self.now())
                    .expect("acknowledges");
            }
        }
    }

    /// An account with consent, an enrolled face and money.
    pub fn shopper(&self, phone: &str, balance_minor: i64) -> Shopper {
        let account = self.account(phone);
        self.consent(account, ConsentPurpose::Payment, true);
        let enrolment: api::Enrolment = resource(&self.new_enrolment(account));
        let token = part_of(phone).0;
        assert_eq!(self.send_template(&enrolment, token).status, 202);
        self.parties_catch_up();
        if balance_minor > 0 {
            assert_eq!(self.top_up(account, balance_minor).status, 201);
        }
        Shopper { account, enrolment: enrolment.id, token }
    }

    pub fn new_payment(&self, amount_minor: i64) -> api::Payment {
        self.new_payment_with(amount_minor, api::Capture::Automatic)
    }

    pub fn new_payment_with(&self, amount_minor: i64, capture: api::Capture) -> api::Payment {
        let new = api::NewPayment { amount_minor, currency: Currency::CNY, merchant_reference: Some("table 5".into()), terminal: None, capture, metadata: None };
        resource(&self.store.create_payment(&self.fresh(), TILL, &new, &mut *self.rng.borrow_mut(), self.now()).expect("answers"))
    }

    pub fn challenge(&self, payment: PaymentId) -> Answer {
        self.store.start_challenge(&self.fresh(), TILL, payment, labels(None), &mut *self.rng.borrow_mut(), self.now()).expect("answers")
    }

    /// A payment whose look is with the parties.
    pub fn being_checked(&self, amount_minor: i64) -> PaymentId {
        self.being_checked_with(amount_minor, api::Capture::Automatic)
    }

    pub fn being_checked_with(&self, amount_minor: i64, capture: api::Capture) -> PaymentId {
        let payment = self.new_payment_with(amount_minor, capture);
        let challenged: api::Payment = resource(&self.challenge(payment.id));
        let answer = self.store.receive_probe(&self.fresh(), TILL, payment.id, &pay_probe(&challenged), self.now()).expect("answers");
        assert_eq!(resource::<api::Payment>(&answer).status, PaymentStatus::BeingChecked);
        payment.id
    }

    pub fn identified(&self, payment: PaymentId, found: &Identification) -> api::Payment {
        self.store.identified(payment, found, &mut *self.rng.borrow_mut(), self.now(), &mut || {}).expect("was being checked")
    }

    /// The whole way up to the parties' answer.
    pub fn look(&self, amount_minor: i64, found: &Identification) -> api::Payment {
        self.identified(self.being_checked(amount_minor), found)
    }

    pub fn pay(&self, shopper: Shopper, amount_minor: i64) -> api::Payment {
        self.look(amount_minor, &Identification::Token(shopper.token))
    }

    pub fn passcode(&self, payment: PaymentId, passcode: &str) -> Answer {
        self.store.enter_passcode(&self.fresh(), TILL, payment, &secret(passcode), self.now()).expect("answers")
    }

    pub fn refund(&self, payment: PaymentId, amount_minor: Option<i64>) -> Answer {
        self.store
            .refund(&self.fresh(), TILL, payment, &api::NewRefund { amount_minor }, &mut *self.rng.borrow_mut(), self.now())
            .expect("answers")
    }

    /// The merchant asks for this bank account, and staff approves it; it is in force a day later.
    pub fn bank_account(&self, number: &str) -> wire::settlement::BankAccount {
        let asked: wire::settlement::BankAccount = resource(&self.request_bank_account(MERCHANT, number));
        self.store.decide_bank_account(asked.id, Decision::Approve, "Chen", "asked back by phone", self.now()).expect("it waits")
    }

    pub fn request_bank_account(&self, merchant: MerchantId, number: &str) -> Answer {
        let new = wire::settlement::NewBankAccount {
            holder_name: "Noodle House Ltd".into(),
            bank_code: "102100099996".into(),
            account_number: secret(number),
        };
        self.store.request_bank_account(&self.fresh(), merchant, &new, &mut *self.rng.borrow_mut(), self.now()).expect("answers")
    }

    pub fn me(&self, account: AccountId) -> api::Me {
        self.store.me(account, self.now()).expect("is there")
    }

    /// The books balance, and customers have `customer_minor` in all.
    pub fn check_books(&self, customer_minor: i64, merchant_minor: i64) {
        let books = self.store.books().expect("transfers and accounts agree");
        assert!(books.balanced(), "{books:?}");
        assert_eq!((books.customer_minor, books.merchant_minor), (customer_minor, merchant_minor));
    }
}

/// The committed rules with other numbers under these names, whatever stood there.
pub fn rules_with(numbers: &[(&str, &str)]) -> String {
    numbers.iter().fold(RULES.to_owned(), |rules, (name, number)| {
        let (before, rest) = rules.split_once(&format!("\n{name} = ")).expect("the rule is there");
        format!("{before}\n{name} = {number}\n{}", rest.split_once('\n').expect("a line").1)
    })
}

pub fn keyed(key: &str) -> Idempotency {
    Idempotency { scope: "test".into(), key: key.into(), request_digest: [1; 32] }
}

pub fn secret(text: &str) -> Secret<String> {
    Secret::new(text.to_owned())
}

pub fn part_of(phone: &str) -> HexArray<16> {
    HexArray(hash_parts("part", &[phone.as_bytes()])[..16].try_into().expect("16 of 32 bytes"))
}

/// Labels as the platform gives them at the store of [`MERCHANT`].
pub fn labels(phone_suffix: Option<HexArray<16>>) -> Labels {
    Labels { phone_suffix, regulars: part_of("regulars") }
}

pub fn device_key(terminal: TerminalId) -> SigningKey {
    SigningKey::from_bytes(&hash_parts("device", &[&terminal.bits().to_le_bytes()]))
}

pub fn resource<T: serde::de::DeserializeOwned>(answer: &Answer) -> T {
    answer.resource().unwrap_or_else(|| panic!("no success: {}", String::from_utf8_lossy(&answer.body)))
}

/// The refusal that an answer is.
pub fn problem(answer: &Answer) -> Problem {
    let problem: Problem =
        serde_json::from_slice(&answer.body).unwrap_or_else(|_| panic!("no refusal: {}", String::from_utf8_lossy(&answer.body)));
    assert_eq!(problem.status, answer.status);
    problem
}

pub fn code(answer: &Answer) -> Code {
    problem(answer).code
}

pub fn new_token(token: [u8; 16]) -> NewToken {
    let record = RecordId::from_bits(u128::from_le_bytes(token));
    NewToken { record, token: HexArray(token), token_sha256: Sha256::digest(token).into() }
}

pub fn context(purpose: Purpose, reference: String, challenge: &api::Challenge) -> ProbeContext {
    ProbeContext {
        purpose,
        reference,
        payee: String::new(),
        amount_minor: 0,
        currency: String::new(),
        nonce: challenge.nonce,
        issued_at: challenge.issued_at,
        expires_at: challenge.expires_at,
        terminal: TILL,
        counter: 1,
        partition: challenge.partition,
        templates: 1,
        dimensions: 128,
    }
}

pub fn sign(context: ProbeContext) -> SealedProbe {
    let share =
        |party: u8| SealedShare { encapsulated_key: HexBytes(vec![party; 32]), ciphertext: HexBytes(b"SEALED-SHARE-BYTES".to_vec()) };
    let key = device_key(context.terminal);
    SealedProbe::sign(context, [share(1), share(2), share(3)], &key)
}

pub fn enrol_probe(enrolment: &api::Enrolment) -> SealedProbe {
    sign(context(Purpose::Enrol, enrolment.id.to_string(), enrolment.challenge.as_ref().expect("waits for its capture")))
}

pub fn pay_probe(payment: &api::Payment) -> SealedProbe {
    let context = context(Purpose::Pay, payment.id.to_string(), payment.challenge.as_ref().expect("is challenged"));
    sign(ProbeContext {
        payee: payment.merchant.to_string(),
        amount_minor: payment.amount_minor,
        currency: payment.currency.code().into(),
        ..context
    })
}
