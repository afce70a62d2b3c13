//! The tables: one room per region, each law built when it is first asked for.
//!
//! Facts only, in our own words. How they are used is told elsewhere.

mod africa_mideast;
mod americas;
mod asia_pacific;
mod eu;
mod uk;
mod us_california;
mod us_states;

use chrono::NaiveDate;

use super::{
    Clock, Fact, Ground, GroundUse, InForce, Item, Notice, Overlay, Pause, Regime, RegimeId,
    RightRule, Roll, RollReading, Step, Text, Topic, Verified,
};
use crate::model::Right;

/// Builds one version of a regime.
pub(super) type Build = fn() -> Regime;

/// Every table, the older version of a regime before the newer.
pub(super) const TABLES: &[(&str, Build)] = &[
    ("eu_gdpr", eu::gdpr),
    ("fr_overlay", eu::france),
    ("de_overlay", eu::germany),
    ("es_overlay", eu::spain),
    ("uk_gdpr", uk::gdpr_2021),
    ("uk_gdpr", uk::gdpr_2024),
    ("uk_gdpr", uk::gdpr_2026),
    ("uk_gdpr", uk::gdpr_with_complaints),
    ("uk_dpa2018_part3", uk::part3),
    ("us_ca_ccpa", us_california::ccpa_2020),
    ("us_ca_ccpa", us_california::ccpa),
    ("us_ca_delete_act", us_california::delete_act_2026),
    ("us_ca_delete_act", us_california::delete_act_2027),
    ("us_va", us_states::virginia),
    ("us_co", us_states::colorado),
    ("us_ct", us_states::connecticut),
    ("us_ut", us_states::utah),
    ("us_tx", us_states::texas),
    ("us_or", us_states::oregon),
    ("us_mt", us_states::montana),
    ("us_ia", us_states::iowa),
    ("us_de", us_states::delaware),
    ("us_nh", us_states::new_hampshire),
    ("us_nj", us_states::new_jersey),
    ("us_ne", us_states::nebraska),
    ("us_tn", us_states::tennessee),
    ("us_mn", us_states::minnesota),
    ("us_md", us_states::maryland),
    ("us_in", us_states::indiana),
    ("us_ky", us_states::kentucky),
    ("us_ri", us_states::rhode_island),
    ("us_fl", us_states::florida),
    ("us_hipaa", americas::hipaa),
    ("br_lgpd", americas::brazil),
    ("ch_fadp", eu::switzerland),
    ("ca_qc_law25", americas::quebec),
    ("ca_pipeda", americas::canada),
    ("in_dpdp", asia_pacific::india),
    ("kr_pipa", asia_pacific::korea),
    ("jp_appi", asia_pacific::japan),
    ("cn_pipl", asia_pacific::china),
    ("hk_pdpo", asia_pacific::hong_kong),
    ("tw_pdpa", asia_pacific::taiwan),
    ("sg_pdpa", asia_pacific::singapore),
    ("au_privacy_act", asia_pacific::australia),
    ("id_pdp", asia_pacific::indonesia),
    ("vn_pdpl", asia_pacific::vietnam),
    ("th_pdpa", asia_pacific::thailand),
    ("sa_pdpl", africa_mideast::saudi_arabia),
    ("ae_pdpl", africa_mideast::emirates),
    ("tr_kvkk", africa_mideast::turkey),
    ("za_popia", africa_mideast::south_africa),
    ("ke_dpa", africa_mideast::kenya),
    ("ng_ndpa", africa_mideast::nigeria),
];

/// A date of the tables. None of them lies beyond the calendar.
const fn date(year: i32, month: u32, day: u32) -> NaiveDate {
    match NaiveDate::from_ymd_opt(year, month, day) {
        Some(date) => date,
        None => NaiveDate::MIN,
    }
}

/// The day on which all these tables were true.
const AS_OF: NaiveDate = date(2026, 11, 21);

/// A table in its first version.
fn table(id: &'static str, name: &'static str, jurisdiction: &'static str) -> Regime {
    Regime::new(RegimeId::shipped(id), "1", name, jurisdiction, AS_OF)
}

fn texts(list: &[&'static str]) -> Vec<Text> {
    list.iter().map(|text| Text::Borrowed(text)).collect()
}

/// A custom right, by the name its law gives it.
fn own(name: &'static str) -> Right {
    Right::Custom(Text::Borrowed(name))
}

impl Regime {
    /// A table of ours once it is filled: where it lists nothing, which may mean that nobody looked,
    /// it does not judge.
    /// Settled here, before anything can be left out.
    pub(super) fn opened(mut self) -> Self {
        self.any_right = self.rights.is_empty();
        let listed = |usage: &GroundUse| self.grounds.iter().any(|g| g.uses.contains(usage));
        self.any_ground = GroundUse::ALL.into_iter().filter(|u| !listed(u)).collect();
        self
    }
}

/// Filling a table, one line per fact.
impl Regime {
    fn in_force_from(mut self, from: NaiveDate, verified: Verified) -> Self {
        self.in_force = InForce {
            from: Some(from),
            until: None,
            verified,
        };
        self
    }

    fn texts(mut self, instruments: &[&'static str]) -> Self {
        self.instruments = texts(instruments);
        self
    }

    fn words(
        mut self,
        subject: &'static str,
        controller: &'static str,
        processor: &'static str,
        authority: &'static str,
    ) -> Self {
        self.words.subject = subject.into();
        self.words.controller = controller.into();
        self.words.processor = processor.into();
        self.words.authority = authority.into();
        self
    }

    fn grants<const N: usize>(
        self,
        id: &'static str,
        rights: [Right; N],
        article: &'static str,
        verified: Verified,
    ) -> Self {
        self.grants_rule(RightRule::new(id, rights, article, verified))
    }

    fn grants_rule(mut self, rule: RightRule) -> Self {
        self.rights.push(rule);
        self
    }

    fn clock(mut self, clock: Clock) -> Self {
        self.clocks.push(clock);
        self
    }

    fn pause(mut self, pause: Pause) -> Self {
        self.pauses.push(pause);
        self
    }

    fn may<const N: usize>(
        self,
        uses: [GroundUse; N],
        code: &'static str,
        article: &'static str,
        letter: &'static str,
        verified: Verified,
    ) -> Self {
        self.ground_rule(Ground::new(code, uses, article, letter, verified))
    }

    fn ground_rule(mut self, ground: Ground) -> Self {
        self.grounds.push(ground);
        self
    }

    fn sends(mut self, notice: Notice) -> Self {
        self.notices.push(notice);
        self
    }

    fn fact(
        mut self,
        topic: Topic,
        text: &'static str,
        article: &'static str,
        verified: Verified,
    ) -> Self {
        let facts = self.facts.entry(topic).or_default();
        facts.push(Fact::new(text, article, verified));
        self
    }

    fn reads_roll(
        mut self,
        name: &'static str,
        roll: Roll,
        article: &'static str,
        verified: Verified,
    ) -> Self {
        let reading = RollReading::new(name, roll, article, verified);
        self.roll_readings.push(reading);
        self
    }

    fn appeals(mut self, internal: bool, external: &'static str, verified: Verified) -> Self {
        self.appeal.internal = internal;
        self.appeal.external = external.into();
        self.appeal.verified = verified;
        self
    }
}

/// Filling an overlay.
impl Overlay {
    fn clock(mut self, clock: Clock) -> Self {
        self.clocks.push(clock);
        self
    }

    fn pause(mut self, pause: Pause) -> Self {
        self.pauses.push(pause);
        self
    }

    fn ground_rule(mut self, ground: Ground) -> Self {
        self.grounds.push(ground);
        self
    }

    fn fact(
        mut self,
        topic: Topic,
        text: &'static str,
        article: &'static str,
        verified: Verified,
    ) -> Self {
        let facts = self.facts.entry(topic).or_default();
        facts.push(Fact::new(text, article, verified));
        self
    }
}

fn item(id: &'static str, says: &'static str) -> Item {
    Item::new(id, says)
}

/// A letter whose items say what they are about.
fn notice<const N: usize>(
    step: Step,
    items: [(&'static str, &'static str); N],
    article: &'static str,
    verified: Verified,
) -> Notice {
    let items = items.map(|(id, says)| Item::new(id, says));
    Notice::new(step, items, article, verified)
}
