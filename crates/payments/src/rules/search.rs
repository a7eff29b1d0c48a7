//! Which part of the gallery a look is compared with: the first in the pack's order that is small enough.

use wire::api::Part;

use super::RulePack;

impl RulePack {
    /// How many people of `part` may be searched without one more thing. A look at a part that nobody has said to be in is a
    /// stranger's more often than not, so that such a part has a smaller budget of false matches.
    pub fn people_max(&self, part: Part) -> u64 {
        let gallery = &self.gallery;
        let budget_ppm = if part.is_narrow() { gallery.narrow_match_budget_ppm } else { gallery.false_match_budget_ppm };
        u64::try_from(u128::from(budget_ppm) * 1000 / u128::from(gallery.false_match_rate_ppb)).unwrap_or(u64::MAX)
    }

    /// The part that a look is compared with before anybody is asked for digits, and how many people are in it: the first in
    /// order that is small enough; `None` if the digits are needed. A part without anybody is passed over, unless it is the
    /// whole gallery. `count` says how many people are in a part, at least whether there are more than [`RulePack::people_max`].
    ///
    /// # Errors
    /// What `count` says.
    pub fn part_without_digits<E>(&self, mut count: impl FnMut(Part) -> Result<u64, E>) -> Result<Option<(Part, u64)>, E> {
        for part in self.gallery.search_order.iter().copied().filter(|part| *part != Part::PhoneSuffix) {
            let people = count(part)?;
            if people <= self.people_max(part) && (people > 0 || part == Part::Gallery) {
                return Ok(Some((part, people)));
            }
        }
        Ok(None)
    }

    /// What is wrong with the pack's numbers about searching, in words for whoever edits the file.
    pub(super) fn search_contradiction(&self) -> Option<&'static str> {
        let (gallery, order) = (&self.gallery, &self.gallery.search_order);
        let widest_first = order.is_sorted_by_key(|part| Part::ALL.iter().position(|other| other == part));
        let checks = [
            (gallery.false_match_rate_ppb == 0, "no matcher has a false-match rate of 0"),
            (gallery.narrow_match_budget_ppm > gallery.false_match_budget_ppm, "narrow_match_budget_ppm is above false_match_budget_ppm"),
            (order.first() != Some(&Part::Gallery), "search_order does not begin with the whole gallery"),
            (order.last() != Some(&Part::PhoneSuffix), "search_order does not end with phone_suffix: whoever is enrolled must be found"),
            (
                !widest_first || order.windows(2).any(|two| two[0] == two[1]),
                "search_order is not from the widest to the narrowest, each once",
            ),
        ];
        checks.into_iter().find_map(|(wrong, reason)| wrong.then_some(reason))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rules::RuleBook;

    const CN: &str = include_str!("../../../../rules/cn.toml");

    /// One in a thousand comparisons matches: twenty people may be searched, or five of whom nobody said to be one.
    fn pack() -> RulePack {
        let text = [
            ("false_match_rate_ppb = 1_300", "false_match_rate_ppb = 1_000_000"),
            ("narrow_match_budget_ppm = 1_000", "narrow_match_budget_ppm = 5_000"),
        ]
        .iter()
        .fold(CN.to_owned(), |text, (from, to)| text.replace(from, to));
        RuleBook::parse(&text).expect("sound").packs[0].clone()
    }

    #[test]
    fn the_widest_part_that_is_small_enough_is_searched() {
        let pack = pack();
        assert_eq!(Part::ALL.map(|part| pack.people_max(part)), [20, 5, 5, 20]);
        use Part::{City, Gallery, Regulars};
        // Everybody, the city's, the store's regulars.
        for (sizes, expected) in [
            ([0, 0, 0], Some((Gallery, 0))),
            ([20, 5, 5], Some((Gallery, 20))),
            ([21, 5, 5], Some((City, 5))),
            ([21, 6, 5], Some((Regulars, 5))),
            ([21, 6, 6], None),
            ([21, 0, 3], Some((Regulars, 3))),
            ([21, 0, 0], None),
            ([21, 6, 0], None),
            ([21, 1, 0], Some((City, 1))),
            ([u64::MAX; 3], None),
        ] {
            let mut counted = Vec::new();
            let found = pack.part_without_digits(|part| {
                counted.push(part);
                Ok::<_, ()>(sizes[Part::ALL.iter().position(|other| *other == part).expect("one of them")])
            });
            assert_eq!(found, Ok(expected), "{sizes:?}");
            assert!(!counted.contains(&Part::PhoneSuffix), "nobody has given digits");
        }
        assert_eq!(pack.part_without_digits(|_| Err("gone")), Err("gone"));
    }

    #[test]
    fn the_bound_is_the_budget_over_the_rate() {
        let mut pack = pack();
        for (rate_ppb, budget_ppm, people) in [
            (1_000, 10_000, 10_000),
            (1_000, 20_000, 20_000),
            (100, 10_000, 100_000),
            (1_000_000_000, 999_999, 0),
            (3, 1, 333),
            (1, u64::MAX, u64::MAX),
        ] {
            (pack.gallery.false_match_rate_ppb, pack.gallery.false_match_budget_ppm) = (rate_ppb, budget_ppm);
            assert_eq!(pack.people_max(Part::Gallery), people, "{budget_ppm} at {rate_ppb} ppb");
            assert_eq!(pack.people_max(Part::PhoneSuffix), people);
        }
    }

    #[test]
    fn a_pack_may_leave_kinds_out_and_must_end_with_the_digits() {
        let with = |order: &str| RuleBook::parse(&CN.replace(r#"["gallery", "city", "regulars", "phone_suffix"]"#, order));
        let pack = with(r#"["gallery", "phone_suffix"]"#).expect("only the digits").packs[0].clone();
        let too_many = |part| Ok::<_, ()>(if part == Part::Gallery { u64::MAX } else { 1 });
        assert_eq!(pack.part_without_digits(too_many), Ok(None), "a city is not searched where the pack does not name it");
        for (order, reason) in [
            (r#"["gallery", "city"]"#, "does not end with phone_suffix"),
            (r#"["city", "phone_suffix"]"#, "does not begin with the whole gallery"),
            (r#"["gallery", "regulars", "city", "phone_suffix"]"#, "widest"),
            (r#"["gallery", "city", "city", "phone_suffix"]"#, "each once"),
            (r#"["gallery", "street", "phone_suffix"]"#, "unknown variant"),
            ("[]", "begin"),
        ] {
            let error = with(order).expect_err(order).to_string();
            assert!(error.contains(reason), "{order}: {error}");
        }
        let error =
            RuleBook::parse(&CN.replace("narrow_match_budget_ppm = 1_000", "narrow_match_budget_ppm = 20_001")).expect_err("larger");
        assert!(error.to_string().contains("narrow_match_budget_ppm"), "{error}");
    }

    #[test]
    fn what_may_be_searched_changes_with_the_pack_in_force() {
        let later = CN.replace("2026-11-01", "2027-01-01").replace(r#""city", "regulars", "#, "");
        let book = RuleBook::parse(&format!("{CN}\n{later}")).expect("two packs");
        let midnight = 1_798_732_800_000;
        for (millis, parts) in [(midnight - 1, 4), (midnight, 2)] {
            let pack = book.in_force(base::time::Timestamp::from_millis(millis)).expect("in force");
            assert_eq!(pack.gallery.search_order.len(), parts);
        }
    }
}
