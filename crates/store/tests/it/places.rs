//! Where shoppers asked to be recognised: what is queued and counted, what is searched for it, and how it ends.

use base::id::{AccountId, StoreId};
use base::party::PartyId;
use store::membership::KindCount;
use store::payment::Identification;
use wire::api::{self, ConsentPurpose, Part, PaymentStatus, Places, QueryKind};
use wire::bytes::HexArray;
use wire::party::GalleryOperation;
use wire::problem::Code;

use crate::world::*;

const SHOP: StoreId = StoreId::from_bits(MERCHANT.bits());
const RIVAL_SHOP: StoreId = StoreId::from_bits(2);
const HANGZHOU: &str = "杭州";

/// Two people may be searched, or one of whom nobody said to be one.
fn small_budget() -> World {
    let numbers = [("false_match_rate_ppb", "10_000_000"), ("false_match_budget_ppm", "20_000"), ("narrow_match_budget_ppm", "10_000")];
    let world = World::with_rules(&rules_with(&numbers));
    world.store.set_store_city(SHOP, Some((HANGZHOU, part_of(HANGZHOU))), world.now()).expect("is there");
    world
}

impl World {
    fn set_regular(&self, account: AccountId) -> Places {
        let regulars = part_of("regulars");
        self.store.set_regular(account, SHOP, regulars, &mut *self.rng.borrow_mut(), self.now()).expect("has paid there")
    }

    fn unset_regular(&self, account: AccountId) -> Places {
        self.store.unset_regular(account, SHOP, &mut *self.rng.borrow_mut(), self.now()).expect("is a store")
    }

    fn set_city(&self, account: AccountId, city: &str) -> Result<Places, Code> {
        let answer = self.store.set_city(account, city, part_of(city), &mut *self.rng.borrow_mut(), self.now());
        answer.map_err(|error| error.code())
    }

    fn len(&self, part: &str) -> u64 {
        self.store.gallery_len(Some(&part_of(part))).expect("reads")
    }

    /// What a party is to set next, by record; the labels in order.
    fn relabelled(&self) -> Vec<HexArray<16>> {
        let changes = self.store.pending_changes(PartyId::P2, 10).expect("reads");
        let GalleryOperation::Relabel { records } = &changes.last().expect("a change").operation else { panic!("{changes:?}") };
        let mut labels = records[0].partitions.clone();
        labels.sort_by_key(|label| label.0);
        labels
    }

    fn challenge_with(&self, payment: &api::Payment, digits: Option<&str>) -> store::idempotency::Answer {
        let labels = labels(digits.map(part_of));
        self.store.start_challenge(&self.fresh(), TILL, payment.id, labels, &mut *self.rng.borrow_mut(), self.now()).expect("answers")
    }

    /// One look; gives the part that was searched and the payment after it.
    fn look_at(&self, payment: &api::Payment, digits: Option<&str>, found: &Identification) -> (Option<HexArray<16>>, api::Payment) {
        let challenged: api::Payment = resource(&self.challenge_with(payment, digits));
        let answer = self.store.receive_probe(&self.fresh(), TILL, payment.id, &pay_probe(&challenged), self.now()).expect("answers");
        assert_eq!(answer.status, 202);
        (challenged.challenge.expect("open").partition, self.identified(payment.id, found))
    }
}

fn sorted(parts: &[&str]) -> Vec<HexArray<16>> {
    let mut labels: Vec<_> = parts.iter().map(|part| part_of(part)).collect();
    labels.sort_by_key(|label| label.0);
    labels
}

#[test]
fn a_record_counts_in_a_part_until_all_three_confirmed_that_it_left() {
    let world = small_budget();
    let alice = world.shopper("13800000001", 1_000);
    assert_eq!(world.pay(alice, 100).status, PaymentStatus::Paid);
    let shops = world.set_regular(alice.account).shops;
    assert_eq!((shops.len(), shops[0].store, shops[0].regular_since), (1, SHOP, Some(world.now())));
    assert_eq!(world.relabelled(), sorted(&["13800000001", HANGZHOU, "regulars"]), "a regular stands in the store's city too");
    assert_eq!((world.len("regulars"), world.len(HANGZHOU)), (1, 1), "counted before any party has it");
    assert_eq!(world.set_regular(alice.account), world.store.places(alice.account).expect("reads"), "again: no other change");
    let queued = world.store.gallery_sequence().expect("reads").queued;
    world.parties_catch_up();

    assert_eq!(world.unset_regular(alice.account).shops[0].regular_since, None);
    assert_eq!(world.store.gallery_sequence().expect("reads").queued, queued + 1);
    assert_eq!(world.relabelled(), sorted(&["13800000001"]));
    for party in PartyId::ALL {
        assert_eq!((world.len("regulars"), world.len(HANGZHOU)), (1, 1), "before {party} has confirmed");
        world.store.acknowledge_change(party, queued + 1, &[], &mut *world.rng.borrow_mut(), world.now()).expect("applies");
    }
    assert_eq!((world.len("regulars"), world.len(HANGZHOU), world.len("13800000001")), (0, 0, 1));

    // Taken back and asked for again while the parties are behind: the last word counts.
    world.set_regular(alice.account);
    world.unset_regular(alice.account);
    world.set_regular(alice.account);
    world.parties_catch_up();
    assert_eq!(world.len("regulars"), 1);
    let one = |kind| KindCount { kind, parts: 1, records: 1, largest: 1 };
    assert_eq!(world.store.partition_kinds().expect("reads"), [Part::City, Part::Regulars, Part::PhoneSuffix].map(one));
    let rows = world.store.queries(alice.account, None, 100).expect("reads").data;
    let told: Vec<_> = rows.iter().filter(|row| row.place.is_some()).map(|row| (row.kind, row.outcome.as_str())).collect();
    let (added, removed) = ((QueryKind::PlaceAdded, "added"), (QueryKind::PlaceRemoved, "removed"));
    assert_eq!(told, [added, removed, added, removed, added]);
    assert!(rows.iter().filter_map(|row| row.place.as_deref()).all(|place| place == "Noodle House, Main Street"));
}

#[test]
fn only_who_has_paid_there_by_the_face_becomes_a_regular() {
    let world = small_budget();
    let alice = world.shopper("13800000001", 1_000);
    let refused = |account, store| {
        let answer = world.store.set_regular(account, store, part_of("regulars"), &mut *world.rng.borrow_mut(), world.now());
        answer.expect_err("refused").code()
    };
    assert_eq!(refused(alice.account, SHOP), Code::NotFound, "no payment there");
    world.pay(alice, 100);
    assert_eq!(refused(alice.account, RIVAL_SHOP), Code::NotFound, "a payment elsewhere");
    assert_eq!(refused(alice.account, StoreId::from_bits(99)), Code::NotFound);
    world.store.delete_enrolment(alice.account, alice.enrolment, world.now()).expect("deletes");
    assert_eq!(refused(alice.account, SHOP), Code::NotFound, "no face");
    world.parties_catch_up();
    assert_eq!(refused(alice.account, SHOP), Code::NotFound, "no face");
    assert_eq!(world.store.unset_regular(alice.account, StoreId::from_bits(99), &mut *world.rng.borrow_mut(), world.now()).expect_err("no such store").code(), Code::NotFound);
}

#[test]
fn it_ends_with_the_face_and_does_not_come_back() {
    let world = small_budget();
    let alice = world.shopper("13800000001", 1_000);
    world.pay(alice, 100);
    world.set_city(alice.account, HANGZHOU).expect("a city");
    world.set_regular(alice.account);
    // The parties have none of it yet, and then the deletion comes behind it.
    world.store.delete_enrolment(alice.account, alice.enrolment, world.now()).expect("deletes");
    let left = world.store.places(alice.account).expect("reads");
    assert_eq!((left.city, left.shops[0].regular_since), (None, None));
    assert_eq!((world.len("regulars"), world.len(HANGZHOU)), (1, 1), "counted until it is destroyed");
    world.parties_catch_up();
    assert_eq!((world.len("regulars"), world.len(HANGZHOU), world.len("13800000001")), (0, 0, 0));

    let enrolment: api::Enrolment = resource(&world.new_enrolment(alice.account));
    assert_eq!(world.send_template(&enrolment, [9; 16]).status, 202);
    world.parties_catch_up();
    assert_eq!((world.len("regulars"), world.len("13800000001")), (0, 1), "asked anew or not at all");
}

#[test]
fn a_city_may_be_named_before_the_face_and_changed_later() {
    let world = small_budget();
    world.store.set_store_city(RIVAL_SHOP, Some(("上海", part_of("上海"))), world.now()).expect("is there");
    let account = world.account("13800000001");
    assert_eq!(world.set_city(account, "Atlantis").expect_err("no store is there"), Code::NotFound);
    let places = world.set_city(account, HANGZHOU).expect("a city");
    assert_eq!((places.city.as_deref(), places.cities), (Some(HANGZHOU), vec!["上海".to_owned(), HANGZHOU.to_owned()]));
    assert_eq!(world.store.gallery_sequence().expect("reads").queued, 0, "there is no record to move");
    world.consent(account, ConsentPurpose::Payment, true);
    let enrolment: api::Enrolment = resource(&world.new_enrolment(account));
    assert_eq!(world.send_template(&enrolment, [9; 16]).status, 202);
    let changes = world.store.pending_changes(PartyId::P1, 10).expect("reads");
    let GalleryOperation::Enrol { records, .. } = &changes[0].operation else { panic!("{changes:?}") };
    let mut labels = records[0].partitions.clone();
    labels.sort_by_key(|label| label.0);
    assert_eq!(labels, sorted(&["13800000001", HANGZHOU]), "one row, in both parts from the beginning");

    world.set_city(account, "上海").expect("a city");
    assert_eq!((world.len(HANGZHOU), world.len("上海")), (1, 1), "in both until the parties have moved it");
    world.parties_catch_up();
    assert_eq!((world.len(HANGZHOU), world.len("上海")), (0, 1));
    let unset = world.store.unset_city(account, &mut *world.rng.borrow_mut(), world.now()).expect("takes back");
    world.parties_catch_up();
    assert_eq!((unset.city, world.len("上海")), (None, 0));
}

#[test]
fn regulars_follow_their_store_to_another_city() {
    let world = small_budget();
    let alice = world.shopper("13800000001", 1_000);
    world.pay(alice, 100);
    world.set_regular(alice.account);
    world.store.set_store_city(SHOP, Some(("宁波", part_of("宁波"))), world.now()).expect("is there");
    assert_eq!(world.relabelled(), sorted(&["13800000001", "宁波", "regulars"]));
    world.parties_catch_up();
    assert_eq!((world.len(HANGZHOU), world.len("宁波"), world.len("regulars")), (0, 1, 1));
    world.store.set_store_city(SHOP, None, world.now()).expect("is there");
    world.parties_catch_up();
    assert_eq!((world.len("宁波"), world.len("regulars")), (0, 1));
    assert_eq!(world.store.set_store_city(StoreId::from_bits(99), None, world.now()).expect_err("no such store").code(), Code::NotFound);
}

#[test]
fn a_regular_needs_no_digits_and_everybody_else_is_asked_for_them() {
    let world = small_budget();
    let [alice, bob] = ["13800000001", "13800000002"].map(|phone| world.shopper(phone, 1_000));
    world.pay(alice, 100);
    world.set_regular(alice.account);
    world.shopper("13800000003", 0);
    world.parties_catch_up();
    let (token, none) = (|shopper: Shopper| Identification::Token(shopper.token), Identification::None);

    // One regular, of the store and of its city: the city is the wider.
    let (part, paid) = world.look_at(&world.new_payment(100), None, &token(alice));
    assert_eq!((part, paid.status), (Some(part_of(HANGZHOU)), PaymentStatus::Paid));
    // A second person in the city: the regulars are searched.
    world.set_city(bob.account, HANGZHOU).expect("a city");
    let (part, paid) = world.look_at(&world.new_payment(100), None, &token(alice));
    assert_eq!((part, paid.status), (Some(part_of("regulars")), PaymentStatus::Paid));

    let payment = world.new_payment(100);
    let (_, missed) = world.look_at(&payment, None, &none);
    assert_eq!((missed.status, missed.phone_suffix_required, missed.refusal), (PaymentStatus::Created, true, None));
    assert_eq!(code(&world.challenge(payment.id)), Code::PhoneSuffixRequired, "not without digits again");
    let (part, paid) = world.look_at(&payment, Some("13800000002"), &token(bob));
    assert_eq!((part, paid.status, paid.phone_suffix_required), (Some(part_of("13800000002")), PaymentStatus::Paid, false));
    // Whoever is enrolled nowhere meets the same until the last answer; so does whoever is like two people.
    for (first, last, refusal) in
        [(&none, &none, Code::NotRecognised), (&Identification::Ambiguous, &none, Code::NotRecognised), (&none, &Identification::Ambiguous, Code::Ambiguous)]
    {
        let payment = world.new_payment(100);
        let (_, again) = world.look_at(&payment, None, first);
        let shown = |payment: &api::Payment| (payment.status, payment.phone_suffix_required, payment.refusal, payment.challenge.is_some());
        assert_eq!(shown(&again), shown(&missed));
        let (_, refused) = world.look_at(&payment, Some("13800000009"), last);
        assert_eq!((refused.status, refused.refusal), (PaymentStatus::Refused, Some(refusal)));
    }
    // After several people were met without digits, the digits are not enough.
    let payment = world.new_payment(100);
    world.look_at(&payment, None, &Identification::Ambiguous);
    assert_eq!(world.look_at(&payment, Some("13800000001"), &token(alice)).1.status, PaymentStatus::AwaitingPasscode);

    let searched = |account| {
        let rows = world.store.queries(account, None, 100).expect("reads").data;
        rows.into_iter().filter_map(|row| row.searched).collect::<Vec<_>>()
    };
    assert_eq!(searched(alice.account), [Part::PhoneSuffix, Part::Regulars, Part::City, Part::Gallery]);
    assert_eq!(searched(bob.account), [Part::PhoneSuffix], "the part in which they were found");

    world.unset_regular(alice.account);
    assert_eq!(world.challenge(world.new_payment(100).id).status, 200, "the last regular counts until the parties have confirmed");
    world.parties_catch_up();
    let (part, _) = world.look_at(&world.new_payment(100), None, &none);
    assert_eq!(part, Some(part_of(HANGZHOU)), "bob is alone in the city now");
    world.store.set_store_city(SHOP, None, world.now()).expect("is there");
    assert_eq!(code(&world.challenge(world.new_payment(100).id)), Code::PhoneSuffixRequired, "nobody is a regular: no search for nothing");
}

#[test]
fn both_searches_count_and_a_restart_forgets_neither() {
    let numbers = [("false_match_rate_ppb", "10_000_000"), ("false_match_budget_ppm", "20_000"), ("narrow_match_budget_ppm", "20_000")];
    let (place, _directory) = crate::place::fresh();
    let (payment, alice) = {
        let world = World::at(&place, &rules_with(&numbers), 1);
        let alice = world.shopper("13800000001", 1_000);
        world.pay(alice, 100);
        let bob = world.shopper("13800000002", 1_000);
        world.pay(bob, 100);
        world.set_regular(alice.account);
        world.set_regular(bob.account);
        world.shopper("13800000003", 0);
        world.parties_catch_up();
        let payment = world.new_payment(100);
        let (part, missed) = world.look_at(&payment, None, &Identification::None);
        assert_eq!((part, missed.phone_suffix_required), (Some(part_of("regulars")), true));
        (payment, alice)
    };
    let world = World::at(&place, &rules_with(&numbers), 2);
    assert_eq!(code(&world.challenge(payment.id)), Code::PhoneSuffixRequired, "what was missed before the restart");
    // Two regulars were searched in vain: with one more person that is above the budget of two.
    let (_, asked) = world.look_at(&payment, Some("13800000001"), &Identification::Token(alice.token));
    assert_eq!(asked.status, PaymentStatus::AwaitingPasscode);
    assert_eq!(resource::<api::Payment>(&world.passcode(payment.id, PASSCODE)).status, PaymentStatus::Paid);
}
