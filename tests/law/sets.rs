//! Sets of weekdays, against a plain list.

use chrono::Weekday;
use datarights::law::Weekdays;
use proptest::prelude::*;

fn week() -> [Weekday; 7] {
    std::array::from_fn(|n| Weekday::try_from(n as u8).unwrap())
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]
    /// However often a day is named.
    #[test]
    fn a_set_has_the_days_that_it_was_given(given in prop::collection::vec(0_usize..7, 0..20)) {
        let given: Vec<Weekday> = given.into_iter().map(|n| week()[n]).collect();
        let set = Weekdays::of(given.clone());
        for day in week() {
            prop_assert_eq!(set.has(day), given.contains(&day), "{}", day);
        }
        let listed: Vec<Weekday> = set.into();
        prop_assert_eq!(Weekdays::from(listed), set);
    }
}
