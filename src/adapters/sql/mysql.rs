//! MariaDB and MySQL: the tables of the current database.

use std::collections::BTreeSet;

use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use crate::datamap::{Catalogue, CatalogueColumn, Class, Generalise};
use crate::model::IdentifierKind;
use crate::ports::PortError;

use super::dialect::{
    Dialect, EFFECTS, Side, as_they_are, coarser_text, named, names, normal_form,
};
use super::gather;
use super::json::{Part, literal};
use super::layout::Key;
use super::session::{Row, Scalar, Session};
use super::statement::Sql;

pub(super) struct MySql;

/// A row: bytes and counts are fetched as such, all else as text.
pub(super) fn row(row: &sqlx::mysql::MySqlRow) -> Result<Row, sqlx::Error> {
    let value = |index| {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Scalar::Null);
        }
        let name = raw.type_info().name().to_owned();
        Ok(match name.as_str() {
            "BIGINT" | "INT" | "SMALLINT" | "TINYINT" | "MEDIUMINT" => {
                Scalar::Int(row.try_get_unchecked(index)?)
            }
            "BIGINT UNSIGNED" | "INT UNSIGNED" => {
                let number: u64 = row.try_get_unchecked(index)?;
                Scalar::Int(i64::try_from(number).unwrap_or(i64::MAX))
            }
            name if name.ends_with("BLOB") || name.ends_with("BINARY") => {
                Scalar::Bytes(row.try_get_unchecked(index)?)
            }
            _ => Scalar::Text(row.try_get_unchecked(index)?),
        })
    };
    (0..row.len()).map(value).collect()
}

/// The character set of a collation, by which its name begins.
fn characters(collation: &str) -> &str {
    collation.split('_').next().unwrap_or(collation)
}

/// The bytes of a text in UTF-8.
fn utf8_bytes(text: &str) -> String {
    format!("CAST(CONVERT({text} USING utf8mb4) AS BINARY)")
}

#[async_trait::async_trait]
impl Dialect for MySql {
    fn quote(&self, name: &str) -> String {
        format!("`{}`", name.replace('`', "``"))
    }
    fn placeholder(&self, _: usize) -> String {
        "?".to_owned()
    }
    fn typed(&self, place: &str, _: &CatalogueColumn) -> String {
        place.to_owned()
    }
    fn boolean(&self, value: bool, _: &CatalogueColumn) -> &'static str {
        if value { "1" } else { "0" }
    }
    fn text(&self, expression: &str) -> String {
        format!("CAST({expression} AS CHAR)")
    }
    fn fetched(&self, expression: &str, column: &CatalogueColumn) -> String {
        match column.class {
            Class::Bytes => expression.to_owned(),
            Class::Int if column.declared.starts_with("bit") => {
                self.text(&format!("({expression} + 0)"))
            }
            Class::Other if is_place(column) => format!("ST_AsText({expression})"),
            _ => self.text(expression),
        }
    }
    fn bytes(&self, expression: &str, _: Class) -> String {
        format!("octet_length({expression})")
    }
    fn same(&self, one: &str, other: &str, class: Class) -> String {
        match class {
            // Collations call different texts equal; what is bound is UTF-8, whatever a column is.
            Class::Text => format!("({} <=> {})", utf8_bytes(one), utf8_bytes(other)),
            Class::Bytes => format!("(CAST({one} AS BINARY) <=> CAST({other} AS BINARY))"),
            _ => format!("({one} <=> {other})"),
        }
    }
    fn exactly(&self, name: &str, column: &CatalogueColumn) -> Option<String> {
        (column.class == Class::Text).then(|| utf8_bytes(name))
    }
    fn normal(&self, expression: &str, kind: &IdentifierKind) -> String {
        utf8_bytes(&normal_form(expression, kind))
    }
    fn create_set(&self, set: &str, key: &Key, from: &str, numbered: bool) -> Vec<String> {
        let keys = key.selected(self, "t");
        let mut shape = Vec::new();
        if numbered {
            shape.push("n BIGINT NOT NULL AUTO_INCREMENT, UNIQUE KEY (n)".to_owned());
        }
        if !key.loose {
            shape.push(format!("PRIMARY KEY ({})", names(&keys)));
        }
        let shape = match shape.is_empty() {
            true => String::new(),
            false => format!("({}) ", shape.join(", ")),
        };
        vec![format!(
            "CREATE TEMPORARY TABLE {set} {shape}SELECT {} FROM {from} AS t WHERE FALSE",
            named(&keys)
        )]
    }
    fn create_kept(&self, set: &str, key: &Key, from: &str) -> Vec<String> {
        let columns = named(&key.selected(self, "t"));
        // What decides whose a row is may be too long for an index; a key is not.
        let index = match key.loose {
            true => String::new(),
            false => format!(", KEY ({})", names(&key.under("t"))),
        };
        vec![format!(
            "CREATE TEMPORARY TABLE {set} (why VARCHAR(255) NOT NULL{index}) SELECT {columns}, '' \
             AS why FROM {from} AS t WHERE FALSE"
        )]
    }
    fn linked(&self, (left, column): Side<'_>, (right, key): Side<'_>) -> String {
        if as_they_are(column, key) && column.collation == key.collation {
            return format!("{left} = {right}");
        }
        // By the rules of the key, else by those of the text beside it.
        let rules = key.collation.as_deref().or(column.collation.as_deref());
        let under = |expression: &str, of: &CatalogueColumn| match rules {
            Some(rules) if of.collation.as_deref() != Some(rules) => {
                let set = characters(rules);
                format!("CAST({expression} AS CHAR CHARACTER SET {set}) COLLATE {rules}")
            }
            Some(_) => expression.to_owned(),
            None => self.text(expression),
        };
        let (written, key_written) = (under(left, column), under(right, key));
        // In whatever case it was written.
        if key.declared == "uuid" {
            return format!("{written} IN ({key_written}, upper({key_written}))");
        }
        if column.declared == "uuid" {
            return format!("{written} = lower({key_written})");
        }
        let equal = format!("{written} = {key_written}");
        match (&column.collation, rules) {
            // What does not fit into the characters of the key becomes a question mark there.
            (Some(own), Some(rules)) if characters(own) != characters(rules) => {
                let whole =
                    |text: &str| format!("CONVERT({text} USING utf8mb4) COLLATE utf8mb4_bin");
                let set = characters(rules);
                let fitted = format!("CAST({left} AS CHAR CHARACTER SET {set})");
                format!("({equal} AND {} = {})", whole(&fitted), whole(left))
            }
            _ => equal,
        }
    }
    fn told_apart(&self, expression: &str, class: Class) -> String {
        match class {
            Class::Text => utf8_bytes(expression),
            _ => expression.to_owned(),
        }
    }
    fn reads_sets_twice(&self) -> bool {
        false // MariaDB may, MySQL may not
    }
    fn drop_set(&self, set: &str) -> String {
        format!("DROP TEMPORARY TABLE IF EXISTS {set}")
    }
    fn number(&self) -> &'static str {
        "n"
    }
    fn insert_new(&self) -> (&'static str, &'static str) {
        ("INSERT IGNORE INTO", "")
    }
    fn delete(&self, table: &str, set: &str, _: &[String], on: &str) -> String {
        format!("DELETE t FROM {table} AS t JOIN {set} AS s ON {on}")
    }
    fn update(&self, table: &str, set: &str, _: &[String], on: &str) -> (String, String) {
        (
            format!("UPDATE {table} AS t JOIN {set} AS s ON {on} SET "),
            " WHERE TRUE".to_owned(),
        )
    }
    fn update_each(&self, table: &str, set: &str, on: &str) -> (String, String) {
        self.update(table, set, &[], on)
    }
    fn masked(&self, expression: &str, first: u32) -> String {
        format!(
            "CASE WHEN char_length({expression}) > {first} THEN concat(left({expression}, {first}), \
             repeat('*', char_length({expression}) - {first})) ELSE repeat('*', \
             char_length({expression})) END"
        )
    }
    fn coarser(&self, expression: &str, class: Class, to: Generalise) -> String {
        match (class, to) {
            (Class::Date | Class::Time, Generalise::Year | Generalise::Month) => {
                let (form, kind) = match (to, class) {
                    (Generalise::Year, Class::Date) => ("%Y-01-01", "DATE"),
                    (Generalise::Year, _) => ("%Y-01-01", "DATETIME"),
                    (_, Class::Date) => ("%Y-%m-01", "DATE"),
                    _ => ("%Y-%m-01", "DATETIME"),
                };
                format!("CAST(date_format({expression}, '{form}') AS {kind})")
            }
            _ => {
                let is_date = format!("{expression} REGEXP '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}'");
                coarser_text(expression, &is_date, to)
            }
        }
    }
    fn contains(&self, expression: &str, class: Class, place: &str) -> String {
        // Compared without regard to case as far as the bytes are text.
        let text = match class {
            Class::Bytes => self.as_text(expression, class),
            _ => expression.to_owned(),
        };
        format!("locate(lower({place}), lower({text})) > 0")
    }
    fn holds_text(&self, column: &CatalogueColumn) -> bool {
        matches!(column.class, Class::Text | Class::Bytes | Class::Other) && !is_place(column)
    }
    fn as_text(&self, expression: &str, class: Class) -> String {
        match class {
            // What is not UTF-8 MariaDB converts as far as it goes, and MySQL not at all.
            Class::Bytes => format!(
                "coalesce(CONVERT({expression} USING utf8mb4), CONVERT({expression} USING latin1))"
            ),
            _ => self.text(expression),
        }
    }
    fn part(&self, expression: &str, path: &[String]) -> String {
        let path = literal(path);
        format!(
            "CASE WHEN JSON_VALID({expression}) AND JSON_TYPE(JSON_EXTRACT({expression}, {path})) <> \
             'NULL' THEN JSON_UNQUOTE(JSON_EXTRACT({expression}, {path})) END"
        )
    }
    fn with_part(&self, document: &str, path: &[String], part: &Part, _: &str) -> String {
        let value = match part {
            Part::Null => "JSON_EXTRACT('null', '$')".to_owned(),
            Part::Bool(value) => format!("JSON_EXTRACT('{value}', '$')"),
            Part::Number(number) => number.to_string(),
            Part::Text(text) => {
                format!("JSON_EXTRACT(coalesce(JSON_QUOTE({text}), 'null'), '$')")
            }
        };
        format!("JSON_REPLACE({document}, {}, {value})", literal(path))
    }
    fn is_document(&self, expression: &str) -> Option<String> {
        Some(format!("JSON_VALID({expression})"))
    }
    fn without_part(&self, document: &str, path: &[String], _: &str) -> String {
        let path = literal(path);
        format!("CASE WHEN JSON_VALID({document}) THEN JSON_REMOVE({document}, {path}) END")
    }
    fn instant(&self, expression: &str, place: &str, column: &CatalogueColumn) -> (String, String) {
        let place = format!("CAST({place} AS DATETIME(6))");
        match column.class {
            // The session's zone is UTC on sqlx's connections.
            Class::Int => (format!("from_unixtime({expression})"), place),
            _ => (format!("CAST({expression} AS DATETIME(6))"), place),
        }
    }
    fn piece(&self, expression: &str, class: Class, from: u64, length: u64) -> String {
        let bytes = match class {
            Class::Bytes => expression.to_owned(),
            _ => format!("CAST({expression} AS BINARY)"),
        };
        format!("substring({bytes}, {from}, {length})")
    }
    fn create_effects(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS datarights_effects (effect VARCHAR(64) PRIMARY KEY, answer \
         MEDIUMTEXT NOT NULL) ENGINE = InnoDB"
    }
    fn create_restrictions(&self) -> &'static str {
        // Compared byte by byte, and short enough for a key.
        "CREATE TABLE IF NOT EXISTS datarights_restrictions (request VARBINARY(64) NOT NULL, \
         collection VARBINARY(255) NOT NULL, row_key VARBINARY(1024) NOT NULL, was VARBINARY(1024), \
         PRIMARY KEY (request, collection, row_key))"
    }
    fn note_effect(&self) -> &'static str {
        "INSERT IGNORE INTO datarights_effects (effect, answer) VALUES (?, ?)"
    }
    fn takes_zones(&self) -> bool {
        false // MariaDB reads an offset as seconds
    }
    fn checks_row_by_row(&self) -> bool {
        true
    }
    async fn elsewhere(
        &self,
        session: &mut Session,
        catalogue: &mut Catalogue,
    ) -> Result<(), PortError> {
        // From other databases of the server.
        let cascades = "SELECT DISTINCT CAST(referenced_table_name AS CHAR), \
                        CAST(concat(constraint_schema, '.', table_name) AS CHAR) FROM \
                        information_schema.referential_constraints WHERE \
                        unique_constraint_schema = database() AND constraint_schema <> database() \
                        AND delete_rule = 'CASCADE' ORDER BY 1, 2";
        let cascades = session
            .fetch(Sql::new(&Self, cascades), "catalogue")
            .await?;
        gather::cascades(catalogue, &cascades);
        Ok(())
    }
    async fn catalogue(&self, session: &mut Session) -> Result<Catalogue, PortError> {
        let mut catalogue = Catalogue::new();
        let columns = format!(
            "SELECT CAST(c.table_name AS CHAR), CAST(c.column_name AS CHAR), CAST(c.column_type \
             AS CHAR), IF(c.is_nullable = 'NO', 1, 0), IF(c.extra LIKE \
             '%GENERATED%' AND c.extra NOT LIKE '%DEFAULT_GENERATED%', 1, 0), \
             CAST(c.character_maximum_length AS CHAR), CAST(c.collation_name AS CHAR) FROM information_schema.columns AS c JOIN \
             information_schema.tables AS t ON t.table_schema = c.table_schema AND t.table_name = \
             c.table_name WHERE c.table_schema = database() AND t.table_type IN ('BASE TABLE', 'SYSTEM VERSIONED') AND \
             c.table_name <> '{EFFECTS}' ORDER BY c.table_name, c.ordinal_position"
        );
        let columns = session.fetch(Sql::new(&Self, columns), "catalogue").await?;
        gather::columns(&mut catalogue, &columns, class);
        let marked = "SELECT CAST(t.table_name AS CHAR), IF(t.table_type = 'SYSTEM VERSIONED', 1, 0), \
                      IF(e.transactions = 'YES', 0, 1) FROM information_schema.tables AS t LEFT JOIN \
                      information_schema.engines AS e ON e.engine = t.engine WHERE t.table_schema = \
                      database()";
        for row in session.fetch(Sql::new(&Self, marked), "catalogue").await? {
            let [name, versioned, no_transactions] = row.as_slice() else {
                continue;
            };
            let name = name.text().unwrap_or_default();
            if let Some(table) = catalogue.tables.get_mut(&name) {
                table.versioned = versioned.count() > 0;
                table.no_transactions = no_transactions.count() > 0;
            }
        }
        let unique = "SELECT CAST(table_name AS CHAR), CAST(index_name AS CHAR), \
                      CAST(column_name AS CHAR), IF(index_name = 'PRIMARY', 1, 0), IF(sub_part IS \
                      NULL, 0, 1) FROM information_schema.statistics WHERE table_schema = database() \
                      AND non_unique = 0 ORDER BY table_name, index_name, seq_in_index";
        let mut unique = session.fetch(Sql::new(&Self, unique), "catalogue").await?;
        // An index on the beginnings of texts names no row by whole ones.
        let index = |row: &Row| {
            (
                row.first().and_then(Scalar::text),
                row.get(1).and_then(Scalar::text),
            )
        };
        let cut = |row: &&Row| row.get(4).is_some_and(|cut| cut.count() > 0);
        let cut: BTreeSet<_> = unique.iter().filter(cut).map(index).collect();
        unique.retain(|row| !cut.contains(&index(row)));
        unique.iter_mut().for_each(|row| row.truncate(4));
        gather::unique_sets(&mut catalogue, &unique);
        let foreign = "SELECT CAST(k.table_name AS CHAR), CAST(k.constraint_name AS CHAR), \
                       CAST(k.referenced_table_name AS CHAR), CAST(k.column_name AS CHAR), \
                       CAST(k.referenced_column_name AS CHAR), CAST(r.delete_rule AS CHAR) FROM \
                       information_schema.key_column_usage AS k JOIN \
                       information_schema.referential_constraints AS r ON r.constraint_schema = \
                       k.constraint_schema AND r.constraint_name = k.constraint_name AND \
                       r.table_name = k.table_name WHERE k.table_schema = database() AND \
                       k.referenced_table_schema = database() ORDER BY k.table_name, \
                       k.constraint_name, k.ordinal_position";
        let foreign = session.fetch(Sql::new(&Self, foreign), "catalogue").await?;
        gather::foreign_keys(&mut catalogue, &foreign);
        Ok(catalogue)
    }
}

/// Whether a column holds places on a map.
fn is_place(column: &CatalogueColumn) -> bool {
    let kinds = [
        "geometry",
        "geomcollection",
        "point",
        "linestring",
        "polygon",
    ];
    kinds.iter().any(|kind| column.declared.contains(kind))
}

fn class(declared: &str) -> Class {
    match declared.split(['(', ' ']).next().unwrap_or(declared) {
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" | "year" | "bit" => Class::Int,
        "decimal" | "float" | "double" => Class::Decimal,
        // A document is compared as the text that it is.
        "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext" | "json" => {
            Class::Text
        }
        "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob" => Class::Bytes,
        "date" => Class::Date,
        "datetime" | "timestamp" => Class::Time,
        _ => Class::Other,
    }
}
