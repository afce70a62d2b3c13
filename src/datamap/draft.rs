//! A first map from a catalogue: guesses by names and keys, each for a person to decide.

use std::collections::{BTreeMap, BTreeSet};

use crate::model::{Category, Ground, IdentifierKind};

use super::catalogue::{Catalogue, CatalogueColumn, CatalogueTable, Class};
use super::map::{Column, DataMap, Link, Table, Whose};

/// A map that nobody has decided on yet, and what was guessed in it.
#[derive(Clone, PartialEq, Eq, Debug)]
#[non_exhaustive]
pub struct Draft {
    /// The map. What no name gives away is not in it: [`DataMap::check`] names it, until somebody
    /// has described or exempted it.
    pub map: DataMap,
    /// What to look at.
    pub guesses: Vec<Guess>,
}

/// Something that was guessed.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
#[non_exhaustive]
pub struct Guess {
    /// The table.
    pub table: String,
    /// The column or the link, where it is one.
    pub member: Option<String>,
    /// What was guessed.
    pub said: &'static str,
}

/// What a column's name gives away.
struct Hint {
    words: &'static [&'static str],
    category: Category,
    said: &'static str,
}

/// In this order: the first that fits is taken.
const HINTS: &[Hint] = &[
    Hint {
        words: &[
            "password", "passwd", "token", "secret", "api_key", "apikey", "salt", "hash", "pin",
        ],
        category: Category::Credentials,
        said: "a secret, by its name",
    },
    Hint {
        words: &["mail", "email"],
        category: Category::Contact,
        said: "a mail address, by its name",
    },
    Hint {
        words: &["phone", "mobile", "telephone", "tel", "fax"],
        category: Category::Contact,
        said: "a phone number, by its name",
    },
    Hint {
        words: &[
            "address", "street", "city", "zip", "zipcode", "postcode", "postal", "country", "state",
        ],
        category: Category::Contact,
        said: "an address, by its name",
    },
    Hint {
        words: &["ip", "useragent", "device", "cookie", "browser"],
        category: Category::Device,
        said: "a device, by its name",
    },
    Hint {
        words: &[
            "iban", "bic", "card", "bank", "vat", "tax", "salary", "total", "amount", "billing",
        ],
        category: Category::Financial,
        said: "money, by its name",
    },
    Hint {
        words: &[
            "lat",
            "latitude",
            "lon",
            "lng",
            "longitude",
            "location",
            "geo",
        ],
        category: Category::Location,
        said: "a place, by its name",
    },
    Hint {
        words: &[
            "name",
            "firstname",
            "lastname",
            "surname",
            "nickname",
            "birth",
            "birthday",
            "birthdate",
            "born",
            "gender",
            "sex",
            "passport",
            "ssn",
            "picture",
            "pic",
            "photo",
            "avatar",
        ],
        category: Category::Identity,
        said: "who somebody is, by its name",
    },
    Hint {
        words: &[
            "note",
            "notes",
            "comment",
            "message",
            "body",
            "content",
            "text",
            "bio",
            "description",
            "subject",
            "log",
        ],
        category: Category::Correspondence,
        said: "free text, by its name: people may be named in it",
    },
    Hint {
        words: &[
            "login", "user", "username", "language", "locale", "timezone",
        ],
        category: Category::Account,
        said: "an account, by its name",
    },
];

/// Words in the name of a key that say: this person only had to do with the row.
const MENTIONS: &[&str] = &[
    "assigned",
    "assign",
    "assignee",
    "manager",
    "head",
    "lead",
    "leader",
    "lock",
    "locked",
    "approved",
    "approver",
    "reviewed",
    "reviewer",
    "updated",
    "modified",
    "deleted",
    "closed",
    "supervisor",
    "reports",
    "reportsto",
    "support",
    "rep",
    "agent",
    "by",
    "referrer",
    "parent",
];

impl DataMap {
    /// Proposes a map of a database. Names and keys are all it knows: it is a beginning for a
    /// person, never an end.
    pub fn draft(catalogue: &Catalogue) -> Draft {
        let mut draft = Draft {
            map: Self::new(),
            guesses: Vec::new(),
        };
        let mut owned: BTreeSet<&str> = BTreeSet::new();
        for (name, table) in &catalogue.tables {
            if looks_like_people(name, table) {
                owned.insert(name);
                draft.map.tables.insert(name.clone(), people(table));
                draft.guess(name, None, "the rows are people, by their columns");
            }
        }
        for (name, table) in &catalogue.tables {
            if draft.by_mail(name, table) {
                owned.insert(name);
            }
        }
        draft.follow_keys(catalogue, &mut owned);
        for (name, table) in &catalogue.tables {
            draft.columns(name, table);
        }
        draft.guesses.sort();
        draft
    }
}

impl Draft {
    fn guess(&mut self, table: &str, member: Option<&str>, said: &'static str) {
        self.guesses.push(Guess {
            table: table.to_owned(),
            member: member.map(str::to_owned),
            said,
        });
    }

    /// A link for each declared key that leads to rows that are somebody's own.
    fn follow_keys<'a>(&mut self, catalogue: &'a Catalogue, owned: &mut BTreeSet<&'a str>) {
        loop {
            let mut found: BTreeMap<&str, Vec<(String, Link)>> = BTreeMap::new();
            for (name, table) in &catalogue.tables {
                for key in &table.foreign_keys {
                    let link_name = key.columns.join("_");
                    let described = self.map.tables.get(name);
                    let known = described.is_some_and(|t| t.links.contains_key(&link_name));
                    if known || !owned.contains(key.table.as_str()) {
                        continue;
                    }
                    let mut link = Link::rows(key.columns.iter(), &key.table);
                    let there = catalogue.tables.get(&key.table);
                    if there.is_none_or(|there| there.key != key.references) {
                        link = link.referencing(key.references.iter());
                    }
                    let itself = key.table == *name;
                    let words = key.columns.iter().flat_map(|column| words(column));
                    let mut words = words.collect::<Vec<_>>();
                    words.push(String::new());
                    let mentions = words.iter().any(|word| MENTIONS.contains(&word.as_str()));
                    if mentions || itself {
                        link = link.mentioned(Ground::new("rights_of_others"));
                    }
                    found.entry(name).or_default().push((link_name, link));
                }
            }
            if found.is_empty() {
                return;
            }
            for (name, links) in found {
                for (link_name, link) in links {
                    let said = if link.whose == Whose::Owned {
                        owned.insert(name);
                        "the row is the person's own: a key leads there"
                    } else {
                        "the row is somebody else's and mentions the person, by the key's name"
                    };
                    self.guess(name, Some(&link_name), said);
                    let table = self.map.tables.entry(name.to_owned()).or_default();
                    table.links.insert(link_name, link);
                }
            }
        }
    }

    /// A link for each mail address outside the tables of people; answers whether there is one.
    fn by_mail(&mut self, name: &str, table: &CatalogueTable) -> bool {
        if self.map.tables.get(name).is_some_and(|table| table.person) {
            return false;
        }
        let mut found = false;
        for column in table.columns.iter().filter(|column| is_mail(column)) {
            let link = Link::identifier(&column.name, IdentifierKind::Mail);
            let described = self.map.tables.entry(name.to_owned()).or_default();
            described.links.insert(format!("{}_of", column.name), link);
            self.guess(
                name,
                Some(&column.name),
                "the row is theirs whose mail address it holds",
            );
            found = true;
        }
        found
    }

    /// What the names of the columns give away, in tables that lead to people.
    fn columns(&mut self, name: &str, table: &CatalogueTable) {
        let Some(described) = self.map.tables.get(name) else {
            return;
        };
        let mentions_only = !described.person
            && described
                .links
                .values()
                .all(|link| link.whose != Whose::Owned);
        if mentions_only {
            return; // the columns are somebody else's
        }
        let linked: BTreeSet<String> = described
            .links
            .values()
            .filter(|link| matches!(link.to, super::Target::Rows { .. }))
            .flat_map(|link| link.columns.iter().cloned())
            .collect();
        for column in &table.columns {
            let known = described_already(&self.map, name, &column.name);
            if known || linked.contains(&column.name) || table.key.contains(&column.name) {
                continue;
            }
            if let Some((drafted, said)) = hinted(column) {
                self.guess(name, Some(&column.name), said);
                if let Some(described) = self.map.tables.get_mut(name) {
                    described.columns.insert(column.name.clone(), drafted);
                }
            }
        }
    }
}

fn described_already(map: &DataMap, table: &str, column: &str) -> bool {
    let table = map.tables.get(table);
    table.is_some_and(|table| table.columns.contains_key(column))
}

/// People have a key, a mail address, and a name or a secret.
fn looks_like_people(name: &str, table: &CatalogueTable) -> bool {
    let has = |wanted: &[&str]| {
        let mut words = table.columns.iter().flat_map(|column| words(&column.name));
        words.any(|word| wanted.contains(&word.as_str()))
    };
    let own = words(name);
    let nobody = [
        "setting", "settings", "config", "template", "log", "logs", "reset", "resets",
    ];
    !table.key.is_empty()
        && table.columns.iter().any(is_mail)
        && has(&[
            "first",
            "firstname",
            "last",
            "lastname",
            "surname",
            "password",
            "birth",
        ])
        && table
            .columns
            .iter()
            .filter(|column| is_mail(column))
            .count()
            < 2
        && !own.iter().any(|word| nobody.contains(&word.as_str()))
        && !table
            .columns
            .iter()
            .any(|column| words(&column.name).contains(&"host".to_owned()))
}

/// A table of people: the addresses by which they are found, and their names.
fn people(table: &CatalogueTable) -> Table {
    let mut drafted = Table::people();
    for column in &table.columns {
        let kind = if is_mail(column) {
            IdentifierKind::Mail
        } else if is_phone(column) {
            IdentifierKind::Phone
        } else {
            continue;
        };
        let described = Column::of(Category::Contact).identifies(kind);
        drafted = drafted.column(&column.name, described.rectifiable());
    }
    let part = |part: &str| {
        let named = |column: &&CatalogueColumn| {
            let words = words(&column.name);
            words.join("") == format!("{part}name")
        };
        table.columns.iter().find(named)
    };
    if let (Some(first), Some(last)) = (part("first"), part("last")) {
        drafted = drafted.named_by([&first.name, &last.name]);
    }
    drafted
}

fn is_mail(column: &CatalogueColumn) -> bool {
    let words = words(&column.name);
    column.class == Class::Text && words.iter().any(|word| word == "mail" || word == "email")
}

fn is_phone(column: &CatalogueColumn) -> bool {
    let words = words(&column.name);
    let phone = |word: &String| matches!(word.as_str(), "phone" | "mobile" | "telephone");
    column.class == Class::Text && words.iter().any(phone)
}

fn hinted(column: &CatalogueColumn) -> Option<(Column, &'static str)> {
    let words = words(&column.name);
    let fits = |hint: &&Hint| words.iter().any(|word| hint.words.contains(&word.as_str()));
    let hint = HINTS.iter().find(fits)?;
    let mut drafted = Column::of(hint.category.clone());
    if hint.category == Category::Credentials {
        drafted = drafted.secret();
    }
    let text = matches!(column.class, Class::Text | Class::Bytes);
    if hint.category == Category::Correspondence && text {
        drafted = drafted.free_text();
        if column.class == Class::Bytes {
            drafted = drafted.text();
        }
    }
    Some((drafted, hint.said))
}

/// The words of a name: `first_name`, `firstName` and `FirstName` have two.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut was_lower = false;
    for c in name.chars() {
        if !c.is_alphanumeric() || c.is_uppercase() && was_lower {
            words.push(String::new());
        }
        if c.is_alphanumeric()
            && let Some(word) = words.last_mut()
        {
            word.extend(c.to_lowercase());
        }
        was_lower = c.is_lowercase();
    }
    words.retain(|word| !word.is_empty());
    words
}
