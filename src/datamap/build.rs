//! The builder: the same map, written in Rust.

use crate::law::RetentionDuty;
use crate::model::{Category, Ground, IdentifierKind, Purpose, Use};

use super::map::{
    Column, DataMap, Exemption, FileOf, JsonPath, KeptWhile, Link, Place, Retention, RetentionRule,
    RowErasure, SCHEMA, SoftDelete, Table, Target, UseEnd, Via, When, Whose,
};
use super::{Plain, Strategy};

impl Default for DataMap {
    fn default() -> Self {
        Self::new()
    }
}

impl DataMap {
    /// A map of nothing yet.
    ///
    /// ```
    /// use datarights::datamap::{Column, DataMap, Link, Table};
    /// use datarights::model::{Category, IdentifierKind};
    ///
    /// let map = DataMap::new()
    ///     .table("users", Table::people()
    ///         .column("email", Column::of(Category::Contact).identifies(IdentifierKind::Mail).rectifiable())
    ///         .column("password", Column::of(Category::Credentials).secret()))
    ///     .table("orders", Table::new()
    ///         .link("customer", Link::rows(["user_id"], "users"))
    ///         .column("note", Column::of(Category::Contract)))
    ///     .exempt_columns("users", ["id"], "a number of ours")
    ///     .exempt("countries", "a list");
    /// map.validate()?;
    /// assert_eq!(DataMap::from_toml(&map.to_toml()?)?, map);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub const fn new() -> Self {
        Self {
            schema: SCHEMA,
            tables: std::collections::BTreeMap::new(),
            exempt: Vec::new(),
            unused: Vec::new(),
        }
    }

    /// With a table; one of the same name is replaced.
    #[must_use]
    pub fn table(mut self, name: impl Into<String>, table: Table) -> Self {
        self.tables.insert(name.into(), table);
        self
    }

    /// Without a table that was looked at and holds nothing of a person.
    #[must_use]
    pub fn exempt(self, table: impl Into<String>, reason: impl Into<String>) -> Self {
        self.exempt_columns(table, [""; 0], reason)
    }

    /// Without columns of a table that hold nothing of a person.
    #[must_use]
    pub fn exempt_columns<C: Into<String>>(
        mut self,
        table: impl Into<String>,
        columns: impl IntoIterator<Item = C>,
        reason: impl Into<String>,
    ) -> Self {
        self.exempt.push(Exemption {
            table: table.into(),
            columns: columns.into_iter().map(Into::into).collect(),
            reason: reason.into(),
        });
        self
    }
}

impl DataMap {
    /// The data of this database is never put to this use.
    #[must_use]
    pub fn never_used_for(mut self, what: Use) -> Self {
        self.unused.push(what);
        self
    }
}

impl Table {
    /// Restricted rows hold this value in this column.
    #[must_use]
    pub fn restricted_by(mut self, column: impl Into<String>, equals: impl Into<Plain>) -> Self {
        self.restrict = Some(When {
            column: column.into(),
            equals: equals.into(),
        });
        self
    }

    /// When this use ends, this column is set to this value.
    #[must_use]
    pub fn ending(mut self, of: Use, column: impl Into<String>, set: impl Into<Plain>) -> Self {
        self.ends.push(UseEnd {
            of,
            column: column.into(),
            set: set.into(),
        });
        self
    }

    /// A table whose rows lead to a person by links, and are deleted.
    pub fn new() -> Self {
        Self::default()
    }

    /// A table whose rows are people.
    pub fn people() -> Self {
        Self {
            person: true,
            ..Self::default()
        }
    }

    /// Under a title for people.
    #[must_use]
    pub fn titled(mut self, title: impl Into<String>) -> Self {
        self.title = Some(title.into());
        self
    }

    /// Used for this.
    #[must_use]
    pub fn used_for(mut self, purpose: Purpose) -> Self {
        self.purposes.push(purpose);
        self
    }

    /// With a link of that name.
    #[must_use]
    pub fn link(mut self, name: impl Into<String>, link: Link) -> Self {
        self.links.insert(name.into(), link);
        self
    }

    /// With a column.
    #[must_use]
    pub fn column(mut self, name: impl Into<String>, column: Column) -> Self {
        self.columns.insert(name.into(), column);
        self
    }

    /// These columns together name the person in free text.
    #[must_use]
    pub fn named_by<C: Into<String>>(mut self, columns: impl IntoIterator<Item = C>) -> Self {
        self.names
            .push(columns.into_iter().map(Into::into).collect());
        self
    }

    /// What an erasure does to the rows.
    #[must_use]
    pub fn erased_by(mut self, erase: RowErasure) -> Self {
        self.erase = erase;
        self
    }

    /// Kept as long as the rows that this link leads to.
    #[must_use]
    pub fn kept_with(mut self, link: impl Into<String>) -> Self {
        self.kept_with = Some(link.into());
        self
    }

    /// Kept while a condition holds.
    #[must_use]
    pub fn kept_while(mut self, condition: KeptWhile) -> Self {
        self.kept_while.push(condition);
        self
    }

    /// Hidden first, by the date in this column, and deleted so many days later.
    #[must_use]
    pub fn soft_deleted(mut self, column: impl Into<String>, days: u32) -> Self {
        self.soft_delete = Some(SoftDelete {
            column: column.into(),
            days,
        });
        self
    }

    /// With a duty to keep the rows for a time.
    #[must_use]
    pub fn retained(mut self, retention: Retention) -> Self {
        self.retention = Some(retention);
        self
    }
}

impl Link {
    fn new<C: Into<String>>(columns: impl IntoIterator<Item = C>, to: Target) -> Self {
        Self {
            columns: columns.into_iter().map(Into::into).collect(),
            path: Vec::new(),
            to,
            when: None,
            whose: Whose::Owned,
            ground: None,
            erase: std::collections::BTreeMap::new(),
        }
    }

    /// These columns name a row of that table by its primary key.
    pub fn rows<C: Into<String>>(
        columns: impl IntoIterator<Item = C>,
        table: impl Into<String>,
    ) -> Self {
        let to = Target::Rows {
            table: table.into(),
            columns: Vec::new(),
        };
        Self::new(columns, to)
    }

    /// This column holds an identifier of the person.
    pub fn identifier(column: impl Into<String>, kind: IdentifierKind) -> Self {
        let to = Target::Identifier {
            kind,
            normal: false,
            at: None,
        };
        Self::new([column.into()], to)
    }

    /// Leads to these columns of the other table instead of its primary key.
    #[must_use]
    pub fn referencing<C: Into<String>>(mut self, names: impl IntoIterator<Item = C>) -> Self {
        if let Target::Rows { columns, .. } = &mut self.to {
            *columns = names.into_iter().map(Into::into).collect();
        }
        self
    }

    /// The column is a JSON document, and the value stands there.
    #[must_use]
    pub fn at_path<P: Into<String>>(mut self, path: impl IntoIterator<Item = P>) -> Self {
        self.path = path.into_iter().map(Into::into).collect();
        self
    }

    /// The instant in this column lies in the identifier's window.
    #[must_use]
    pub fn during(mut self, column: impl Into<String>) -> Self {
        if let Target::Identifier { at, .. } = &mut self.to {
            *at = Some(column.into());
        }
        self
    }

    /// The values stand there in their normal form.
    #[must_use]
    pub fn in_normal_form(mut self) -> Self {
        if let Target::Identifier { normal, .. } = &mut self.to {
            *normal = true;
        }
        self
    }

    /// Only where a column of the row has this value.
    #[must_use]
    pub fn when(mut self, column: impl Into<String>, equals: impl Into<Plain>) -> Self {
        self.when = Some(When {
            column: column.into(),
            equals: equals.into(),
        });
        self
    }

    /// The rows are others' too.
    #[must_use]
    pub const fn shared(mut self) -> Self {
        self.whose = Whose::Shared;
        self
    }

    /// The rows are somebody else's and mention the person; they are counted, on that ground.
    #[must_use]
    pub fn mentioned(mut self, ground: Ground) -> Self {
        self.whose = Whose::Mentioned;
        self.ground = Some(ground);
        self
    }

    /// What an erasure does to a column of rows that are not the person's alone.
    #[must_use]
    pub fn erasing(mut self, column: impl Into<String>, strategy: Strategy) -> Self {
        self.erase.insert(column.into(), strategy);
        self
    }
}

impl Column {
    /// A column that holds this.
    pub fn of(category: Category) -> Self {
        Self {
            category: Some(category),
            ..Self::default()
        }
    }

    /// People are found by it, as an identifier of this kind, and of those named before.
    #[must_use]
    pub fn identifies(mut self, kind: IdentifierKind) -> Self {
        self.identifiers.push(kind);
        self
    }

    /// Never handed over.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Somebody else's data.
    #[must_use]
    pub const fn of_others(mut self) -> Self {
        self.others = true;
        self
    }

    /// People are named in it.
    #[must_use]
    pub const fn free_text(mut self) -> Self {
        self.free_text = true;
        self
    }

    /// Binary, and text all the same.
    #[must_use]
    pub const fn text(mut self) -> Self {
        self.text = true;
        self
    }

    /// A file, with the columns of its name and media type.
    #[must_use]
    pub fn file(mut self, name: impl Into<String>, media_type: Option<&str>) -> Self {
        self.file = Some(FileOf {
            name: name.into(),
            media_type: media_type.map(Into::into),
        });
        self
    }

    /// What an erasure does to it in rows that stay.
    #[must_use]
    pub fn erased_by(mut self, strategy: Strategy) -> Self {
        self.erase = Some(strategy);
        self
    }

    /// What an erasure does to it at once in rows that must be kept: see [`Column::minimise`].
    #[must_use]
    pub fn minimised_by(mut self, strategy: Strategy) -> Self {
        self.minimise = Some(strategy);
        self
    }

    /// With a part, of a JSON document.
    #[must_use]
    pub fn part(mut self, part: JsonPath) -> Self {
        self.paths.push(part);
        self
    }

    /// A person may have it corrected.
    #[must_use]
    pub const fn rectifiable(mut self) -> Self {
        self.rectify = true;
        self
    }

    /// The same value stands there too.
    #[must_use]
    pub fn copied_to(mut self, table: impl Into<String>, column: impl Into<String>) -> Self {
        self.copies.push(Place {
            table: table.into(),
            column: column.into(),
        });
        self
    }
}

impl JsonPath {
    /// What stands there.
    pub fn at<P: Into<String>>(path: impl IntoIterator<Item = P>) -> Self {
        Self {
            path: path.into_iter().map(Into::into).collect(),
            ..Self::default()
        }
    }

    /// That holds this.
    #[must_use]
    pub fn holding(mut self, category: Category) -> Self {
        self.category = Some(category);
        self
    }

    /// Never handed over.
    #[must_use]
    pub const fn secret(mut self) -> Self {
        self.secret = true;
        self
    }

    /// Somebody else's data.
    #[must_use]
    pub const fn of_others(mut self) -> Self {
        self.others = true;
        self
    }

    /// What an erasure does to it in rows that stay.
    #[must_use]
    pub fn erased_by(mut self, strategy: Strategy) -> Self {
        self.erase = Some(strategy);
        self
    }
}

impl Retention {
    /// A duty that runs from the date in this column.
    pub fn new(from: impl Into<String>, rule: RetentionRule) -> Self {
        Self {
            from: from.into(),
            of: None,
            or: None,
            rule,
            year_close: None,
        }
    }

    /// The column stands in the rows of that table whose link leads here; the latest date counts.
    #[must_use]
    pub fn latest_of(mut self, table: impl Into<String>, link: impl Into<String>) -> Self {
        self.of = Some(Via::new(table, link));
        self
    }

    /// A row without a date counts from this column of its own.
    #[must_use]
    pub fn or(mut self, column: impl Into<String>) -> Self {
        self.or = Some(column.into());
        self
    }

    /// The financial year is closed on this month and day, e.g. `03-31`.
    #[must_use]
    pub fn year_closing(mut self, month_day: impl Into<String>) -> Self {
        self.year_close = Some(month_day.into());
        self
    }
}

impl Via {
    /// The rows of that table which this link of theirs leads from.
    pub fn new(table: impl Into<String>, link: impl Into<String>) -> Self {
        Self {
            table: table.into(),
            link: link.into(),
        }
    }
}

impl KeptWhile {
    /// While a column of the row holds this.
    pub fn new(column: impl Into<String>, equals: impl Into<Plain>, ground: Ground) -> Self {
        Self {
            of: None,
            column: column.into(),
            equals: equals.into(),
            ground,
        }
    }

    /// While it holds for any row of that table whose link leads here.
    #[must_use]
    pub fn any_of(mut self, table: impl Into<String>, link: impl Into<String>) -> Self {
        self.of = Some(Via::new(table, link));
        self
    }
}

impl From<RetentionDuty> for RetentionRule {
    fn from(duty: RetentionDuty) -> Self {
        Self::Own(duty)
    }
}

impl From<&str> for RetentionRule {
    fn from(id: &str) -> Self {
        Self::Named(id.to_owned())
    }
}
