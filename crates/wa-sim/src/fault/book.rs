//! The faults that wait for their chance.

use super::{Fault, FaultRule};
use crate::names::PhoneNumber;

/// Most faults waiting at once.
pub const MAX_FAULTS: usize = 256;

/// The faults that wait for their chance, oldest first.
#[derive(Debug, Default)]
pub(crate) struct FaultBook {
    rules: Vec<FaultRule>,
    /// One for each rule, in the same order.
    marks: Vec<Mark>,
    last: Place,
}

/// Names a rule as long as it waits; rules that came later have greater ones.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(u64);

#[derive(Debug)]
struct Mark {
    place: Place,
    has_struck: bool,
}

impl FaultBook {
    /// Whether there was room.
    pub(crate) fn add(&mut self, rule: FaultRule) -> bool {
        if self.rules.len() >= MAX_FAULTS {
            return false;
        }
        self.push(rule);
        true
    }

    /// Whether there was room for all of them; otherwise none is added.
    pub(crate) fn add_all(&mut self, rules: &[FaultRule]) -> bool {
        let room = MAX_FAULTS.saturating_sub(self.rules.len());
        let fits = rules.len() <= room;
        if fits {
            for rule in rules {
                self.push(rule.clone());
            }
        }
        fits
    }

    fn push(&mut self, rule: FaultRule) {
        self.last.0 += 1;
        self.rules.push(rule);
        self.marks.push(Mark {
            place: self.last,
            has_struck: false,
        });
    }

    pub(crate) fn clear(&mut self) {
        self.rules.clear();
        self.marks.clear();
    }

    pub(crate) fn rules(&self) -> &[FaultRule] {
        &self.rules
    }

    /// Those that have not struck yet.
    pub(crate) fn untouched(&self) -> impl Iterator<Item = &FaultRule> {
        let marks = self.marks.iter();
        let both = self.rules.iter().zip(marks);
        both.filter(|(_, mark)| !mark.has_struck)
            .map(|(rule, _)| rule)
    }

    /// The first waiting fault that `wanted` takes and that applies to this account.
    pub(crate) fn take<T>(
        &mut self,
        account: Option<PhoneNumber>,
        wanted: impl Fn(&Fault) -> Option<T>,
    ) -> Option<T> {
        self.take_after(Place::default(), account, wanted)
            .map(|(_, taken)| taken)
    }

    /// The same among the rules after one. Going on from place to place gives each rule one chance, however
    /// often it may strike.
    pub(crate) fn take_after<T>(
        &mut self,
        after: Place,
        account: Option<PhoneNumber>,
        wanted: impl Fn(&Fault) -> Option<T>,
    ) -> Option<(Place, T)> {
        let (index, taken) = self
            .rules
            .iter_mut()
            .zip(&self.marks)
            .enumerate()
            .find_map(|(index, (rule, mark))| {
                if mark.place <= after {
                    return None;
                }
                if rule.account.is_some() && rule.account != account {
                    return None;
                }
                let taken = wanted(&rule.fault)?;
                if rule.skip > 0 {
                    rule.skip -= 1;
                    return None;
                }
                Some((index, taken))
            })?;
        let mark = self.marks.get_mut(index)?;
        mark.has_struck = true;
        let place = mark.place;
        if let Some(rule) = self.rules.get_mut(index)
            && let Some(times) = &mut rule.times
        {
            *times = times.saturating_sub(1);
            if *times == 0 {
                self.rules.remove(index);
                self.marks.remove(index);
            }
        }
        Some((place, taken))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fault::Step;

    fn is_hmac(fault: &Fault) -> Option<()> {
        (*fault == Fault::BadHmac).then_some(())
    }

    #[test]
    fn a_fault_strikes_as_often_as_it_says() {
        let mut book = FaultBook::default();
        book.add(FaultRule {
            times: Some(2),
            skip: 1,
            ..FaultRule::once(Fault::BadHmac)
        });
        let strikes: Vec<_> = (0..4).map(|_| book.take(None, is_hmac).is_some()).collect();
        assert_eq!(strikes, [false, true, true, false]);
    }

    #[test]
    fn a_rule_has_one_chance_on_the_way_through_the_book() {
        let mut book = FaultBook::default();
        book.add(FaultRule::always(Fault::BadHmac));
        book.add(FaultRule {
            times: Some(2),
            skip: 1,
            ..FaultRule::once(Fault::BadHmac)
        });
        book.add(Fault::BadHmac.into());
        let mut rounds = [0; 3];
        for round in &mut rounds {
            let mut place = Place::default();
            while let Some((next, ())) = book.take_after(place, None, is_hmac) {
                place = next;
                *round += 1;
            }
        }
        assert_eq!(rounds, [2, 2, 2]);
        assert_eq!(book.rules().len(), 1);
    }

    #[test]
    fn what_has_struck_is_known() {
        let mut book = FaultBook::default();
        book.add(FaultRule::always(Fault::BadHmac));
        book.add(FaultRule::always(Fault::RefuseIk));
        assert_eq!(book.untouched().count(), 2);
        book.take(None, is_hmac);
        let left: Vec<_> = book.untouched().map(|rule| &rule.fault).collect();
        assert_eq!(left, [&Fault::RefuseIk]);
    }

    #[test]
    fn a_fault_of_one_account_spares_the_others() {
        let mine = PhoneNumber::new(15_551_230_001).unwrap();
        let other = PhoneNumber::new(15_551_230_002).unwrap();
        let mut book = FaultBook::default();
        book.add(FaultRule {
            account: Some(mine),
            ..FaultRule::always(Fault::BadHmac)
        });
        assert!(book.take(Some(other), is_hmac).is_none());
        assert!(book.take(None, is_hmac).is_none());
        assert!(book.take(Some(mine), is_hmac).is_some());
        assert!(book.take(Some(mine), is_hmac).is_some());
    }

    #[test]
    fn the_book_is_bounded() {
        let mut book = FaultBook::default();
        for _ in 0..MAX_FAULTS {
            assert!(book.add(Fault::BadHmac.into()));
        }
        assert!(!book.add(Fault::BadHmac.into()));
    }

    #[test]
    fn rules_read_as_flat_json() {
        let rule: FaultRule =
            serde_json::from_str(r#"{"fault":"close_at","step":"server_hello","times":3}"#)
                .unwrap();
        assert_eq!(rule.times, Some(3));
        assert_eq!(
            rule.fault,
            Fault::CloseAt {
                step: Step::ServerHello
            }
        );
        let rule: FaultRule =
            serde_json::from_str(r#"{"fault":"bad_frame_at","step":"online","frame":{"kind":"deep","depth":9},"times":null}"#)
                .unwrap();
        assert_eq!(rule.times, None);
        assert_eq!(
            serde_json::from_str::<FaultRule>(&serde_json::to_string(&rule).unwrap()).unwrap(),
            rule
        );
    }
}
