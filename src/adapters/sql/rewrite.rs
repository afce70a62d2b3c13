//! Strategies that no database has: another value of the same form by chance, the network of an
//! address, and what the host does. Rows are read and written one by one.

use std::fmt;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::sync::Arc;

use crate::datamap::{CatalogueColumn, Generalise, Strategy};
use crate::ports::PortError;

use super::dialect::SET;
use super::erase::Change;
use super::fault::SqlFault;
use super::found::Found;
use super::layout::Laid;
use super::text::Replace;

/// A new value for a value, where it needs one.
type NewValue = dyn Fn(&str) -> Option<String> + Send + Sync;
/// The same, where it may fail.
pub(super) type Clean<'a> = dyn Fn(&str) -> Result<Option<String>, PortError> + Send + Sync + 'a;

/// What a host does to a value that stays in its row: the new value, or `None` where the value is
/// one that it has made, or needs no change. Asked again of what it gave, it must say `None`: that
/// is how the search afterwards sees that it was done.
#[derive(Clone)]
pub struct HostStrategy(Arc<NewValue>);

impl HostStrategy {
    /// From a closure.
    pub fn new(replace: impl Fn(&str) -> Option<String> + Send + Sync + 'static) -> Self {
        Self(Arc::new(replace))
    }
}

impl fmt::Debug for HostStrategy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("HostStrategy(..)")
    }
}

impl Found {
    /// Replaces a column in the rows of a set by what a strategy says, row by row; answers in how
    /// many it is to be.
    pub(super) async fn rewrite(
        &mut self,
        table: &Laid,
        set: &str,
        change: &Change,
        replace: bool,
    ) -> Result<u64, PortError> {
        let clean: Box<Clean<'_>> = match &change.strategy {
            Strategy::Random => Box::new(|text| random(text).map(Some)),
            Strategy::Generalise(Generalise::Network) => {
                Box::new(|text| Ok(network(text).filter(|network| network != text)))
            }
            Strategy::Own(name) => {
                let missing = || SqlFault::UnknownStrategy.at(&table.name);
                let own = self.strategies.get(name).cloned().ok_or_else(missing)?;
                Box::new(move |text| Ok((own.0)(text)))
            }
            _ => return Ok(0),
        };
        self.rewrite_by(table, set, &change.column, &*clean, replace)
            .await
    }

    /// The same by what a function says.
    pub(super) async fn rewrite_by(
        &mut self,
        table: &Laid,
        set: &str,
        column: &CatalogueColumn,
        clean: &Clean<'_>,
        replace: bool,
    ) -> Result<u64, PortError> {
        let each = format!("{SET}each");
        self.make_set(table, &each).await?;
        let (before, _) = self.layout.dialect.insert_new();
        let after = self.layout.dialect.unless_known(&each, &table.key);
        let all = format!(
            "{before} {each} ({}) SELECT {} FROM {set} AS s {after}",
            table.key.in_set(""),
            table.key.in_set("s."),
        );
        self.run(self.sql(all), &table.name).await?;
        let most = if replace { Replace::All } else { Replace::None };
        let rows = self
            .replace_found(table, column, &each, clean, (most, false))
            .await?;
        let dropped = self.sql(self.layout.dialect.drop_set(&each));
        self.run(dropped, &table.name).await?;
        Ok(rows)
    }
}

/// Another text of the same form.
fn random(text: &str) -> Result<String, PortError> {
    let mut bytes = vec![0_u8; text.chars().count() * 4];
    getrandom::fill(&mut bytes).map_err(|_| SqlFault::NoRandomness.anywhere())?;
    let mut chances = bytes.chunks_exact(4).map(|chunk| {
        let chunk: [u8; 4] = chunk.try_into().unwrap_or_default();
        u32::from_le_bytes(chunk)
    });
    let mut one_of = |first: char, many: u32| {
        let place = chances.next().unwrap_or_default() % many;
        char::from_u32(u32::from(first) + place).unwrap_or(first)
    };
    Ok(text
        .chars()
        .map(|c| match c {
            c if c.is_numeric() => one_of('0', 10),
            c if c.is_uppercase() => one_of('A', 26),
            c if c.is_alphabetic() => one_of('a', 26),
            c => c,
        })
        .collect())
}

/// The network of an address: /24 or /64. No value where there is no address.
fn network(text: &str) -> Option<String> {
    let bare = text.trim();
    let address = bare.split('/').next().unwrap_or(bare);
    let Ok(address) = address.parse::<IpAddr>() else {
        return Some(String::new());
    };
    let network: IpAddr = match address.to_canonical() {
        IpAddr::V4(short) => {
            let [a, b, c, _] = short.octets();
            let network = Ipv4Addr::new(a, b, c, 0);
            // As it was written: a column may take no other form.
            match address.is_ipv6() {
                true => network.to_ipv6_mapped().into(),
                false => network.into(),
            }
        }
        IpAddr::V6(address) => {
            let [a, b, c, d, ..] = address.segments();
            Ipv6Addr::new(a, b, c, d, 0, 0, 0, 0).into()
        }
    };
    // PostgreSQL writes how many bits count behind it.
    (network != address).then(|| network.to_string())
}

#[cfg(test)]
mod tests {
    use super::{network, random};

    #[test]
    fn the_network_of_an_address_is_its_own_network() {
        for (address, expected) in [
            ("192.0.2.17", "192.0.2.0"),
            ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::"),
            ("::ffff:192.0.2.17", "::ffff:192.0.2.0"),
            ("nonsense", ""),
        ] {
            assert_eq!(network(address).as_deref(), Some(expected), "{address}");
        }
        for done in [
            "192.0.2.0",
            "2001:db8:1:2::",
            "192.0.2.0/32",
            "2001:db8:1:2::/64",
        ] {
            assert_eq!(network(done), None, "{done}");
        }
    }

    #[test]
    fn chance_keeps_the_form() {
        let digits = random("٠١٢ ९८").unwrap_or_default();
        assert!(digits.chars().all(|c| c == ' ' || c.is_ascii_digit()));
        let made = random("Ab-12 Ž").unwrap_or_default();
        let form: String = made
            .chars()
            .map(|c| match c {
                '0'..='9' => '0',
                'A'..='Z' => 'A',
                'a'..='z' => 'a',
                c => c,
            })
            .collect();
        assert_eq!(form, "Aa-00 A");
        assert_ne!(random(&"x".repeat(40)), random(&"x".repeat(40)));
    }
}
