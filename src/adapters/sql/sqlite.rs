//! SQLite.

use std::collections::BTreeSet;

use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use crate::datamap::{Catalogue, CatalogueColumn, CatalogueTable, Class, Generalise};
use crate::ports::PortError;

use super::dialect::{
    Dialect, EFFECTS, Inside, Side, Stay, as_they_are, coarser_text, named, names,
};
use super::gather;
use super::json::{Part, literal};
use super::layout::Key;
use super::session::{Row, Scalar, Session};
use super::statement::Sql;

pub(super) struct Sqlite;

/// A row: each value has the type it was stored with.
pub(super) fn row(row: &sqlx::sqlite::SqliteRow) -> Result<Row, sqlx::Error> {
    let value = |index| {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Scalar::Null);
        }
        let name = raw.type_info().name().to_owned();
        Ok(match name.as_str() {
            "INTEGER" | "BOOLEAN" => Scalar::Int(row.try_get_unchecked(index)?),
            "REAL" => Scalar::Real(row.try_get_unchecked(index)?),
            "BLOB" => Scalar::Bytes(row.try_get_unchecked(index)?),
            // Text need not be UTF-8.
            _ => {
                let bytes: Vec<u8> = row.try_get_unchecked(index)?;
                let lossy = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                Scalar::Text(String::from_utf8(bytes).unwrap_or_else(|e| lossy(e.as_bytes())))
            }
        })
    };
    (0..row.len()).map(value).collect()
}

#[async_trait::async_trait]
impl Dialect for Sqlite {
    fn placeholder(&self, nth: usize) -> String {
        format!("?{nth}")
    }
    fn typed(&self, place: &str, column: &CatalogueColumn) -> String {
        match column.class {
            Class::Int | Class::Bool => format!("CAST({place} AS INTEGER)"),
            Class::Decimal => format!("CAST({place} AS NUMERIC)"),
            Class::Bytes => format!("CAST({place} AS BLOB)"),
            _ => place.to_owned(),
        }
    }
    fn boolean(&self, value: bool, _: &CatalogueColumn) -> &'static str {
        if value { "1" } else { "0" }
    }
    fn text(&self, expression: &str) -> String {
        format!("CAST({expression} AS TEXT)")
    }
    fn fetched(&self, expression: &str, _: &CatalogueColumn) -> String {
        expression.to_owned()
    }
    fn same(&self, one: &str, other: &str, _: Class) -> String {
        format!("{one} IS {other}")
    }
    fn exactly(&self, name: &str, column: &CatalogueColumn) -> Option<String> {
        (column.class == Class::Text).then(|| format!("{name} COLLATE BINARY"))
    }
    fn linked(&self, (left, column): Side<'_>, (right, key): Side<'_>) -> String {
        // As it looks at its own keys: by the rules of the key.
        let text = |expression: &str, of: &CatalogueColumn| match of.class {
            Class::Text => expression.to_owned(),
            _ => self.text(expression),
        };
        let (left, right) = match as_they_are(column, key) {
            true => (left.to_owned(), right.to_owned()),
            false => (text(left, column), text(right, key)),
        };
        if column.collation.is_none() && key.collation.is_none() {
            return format!("{left} = {right}");
        }
        let rules = key.collation.as_deref().unwrap_or("BINARY");
        format!("{left} = {right} COLLATE {rules}")
    }
    fn key_text(&self, expression: &str, class: Class) -> String {
        // A column holds what it was given: what is not of its class could not be bound again.
        let blob = format!("typeof({expression}) = 'blob'");
        match class {
            Class::Bytes => format!("CASE WHEN {blob} THEN hex({expression}) END"),
            _ => format!("CASE WHEN NOT {blob} THEN {} END", self.text(expression)),
        }
    }
    fn truth(&self, expression: &str, column: &CatalogueColumn) -> String {
        // Some libraries write words.
        match column.class {
            Class::Bool => format!(
                "CASE WHEN typeof({expression}) = 'text' THEN lower(trim({expression})) IN ('t', \
                 'true', 'y', 'yes', 'on', '1') ELSE {expression} END"
            ),
            _ => expression.to_owned(),
        }
    }
    fn texts_are_utf8(&self) -> bool {
        false
    }
    fn row_names(&self, table: &CatalogueTable) -> &'static [&'static str] {
        let names: [&[&str]; 3] = [&["rowid"], &["_rowid_"], &["oid"]];
        let hidden = |name: &str| {
            let mut columns = table.columns.iter();
            columns.any(|column| column.name.eq_ignore_ascii_case(name))
        };
        let free = names.into_iter().find(|name| !hidden(name[0]));
        free.unwrap_or_default()
    }
    fn sets_stay(&self) -> Stay {
        Stay::Committed
    }
    fn create_set(&self, set: &str, key: &Key, from: &str, numbered: bool) -> Vec<String> {
        // A whole number as the only key can be the number of the row: no index beside it. It is
        // none to go on from, for keys may be below zero.
        let is_number = |column: &CatalogueColumn| column.declared.eq_ignore_ascii_case("INTEGER");
        let by_number = matches!(key.columns.as_slice(), [column] if is_number(column));
        if by_number && !key.loose && !numbered {
            return vec![format!("CREATE TEMP TABLE {set} (k0 INTEGER PRIMARY KEY)")];
        }
        let keys = key.under("t");
        let mut made = vec![format!(
            "CREATE TEMP TABLE {set} AS SELECT {} FROM {from} AS t WHERE 0",
            named(&keys)
        )];
        if !key.loose {
            let names = names(&keys);
            made.push(format!(
                "CREATE UNIQUE INDEX temp.{set}_keys ON {set} ({names})"
            ));
            // Rows that refer to it are compared by the rules of the key.
            let ruled = key.columns.iter().enumerate();
            made.extend(ruled.filter_map(|(n, column)| {
                let rules = column.collation.as_ref()?;
                Some(format!(
                    "CREATE INDEX temp.{set}_ruled{n} ON {set} (k{n} COLLATE {rules})"
                ))
            }));
        }
        made
    }
    fn create_kept(&self, set: &str, key: &Key, from: &str) -> Vec<String> {
        let columns = named(&key.under("t"));
        vec![
            format!(
                "CREATE TEMP TABLE {set} AS SELECT {columns}, CAST('' AS TEXT) AS why FROM {from} \
                 AS t WHERE 0"
            ),
            format!(
                "CREATE INDEX temp.{set}_keys ON {set} ({})",
                names(&key.under("t"))
            ),
        ]
    }
    fn drop_set(&self, set: &str) -> String {
        format!("DROP TABLE IF EXISTS temp.{set}")
    }
    fn join(&self) -> &'static str {
        // It takes a temporary table for large, unless it is told where to begin.
        "CROSS JOIN"
    }
    fn sets_inside(&self) -> Inside {
        Inside::Sets
    }
    fn has_rights(&self) -> bool {
        false
    }
    fn number(&self) -> &'static str {
        "rowid"
    }
    fn insert_new(&self) -> (&'static str, &'static str) {
        ("INSERT OR IGNORE INTO", "")
    }
    fn update_word(&self) -> &'static str {
        "UPDATE OR ABORT" // whatever a constraint says of conflicts: it may say to delete the other row
    }
    fn masked(&self, expression: &str, first: u32) -> String {
        let stars = |many: &str| format!("replace(hex(zeroblob({many})), '00', '*')");
        format!(
            "CASE WHEN length({expression}) > {first} THEN concat(substr({expression}, 1, {first}), \
             {}) WHEN {expression} IS NOT NULL THEN {} END",
            stars(&format!("length({expression}) - {first}")),
            stars(&format!("length({expression})"))
        )
    }
    fn coarser(&self, expression: &str, _: Class, to: Generalise) -> String {
        let is_date = format!("{expression} GLOB '[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]*'");
        coarser_text(expression, &is_date, to)
    }
    fn contains(&self, expression: &str, _: Class, place: &str) -> String {
        format!("instr(lower(CAST({expression} AS TEXT)), lower({place})) > 0")
    }
    fn holds_text(&self, _: &CatalogueColumn) -> bool {
        true // whatever its type
    }
    fn numbers_may_be_texts(&self) -> bool {
        true
    }
    fn piece(&self, expression: &str, _: Class, from: u64, length: u64) -> String {
        format!("substr(CAST({expression} AS BLOB), {from}, {length})")
    }
    fn create_effects(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS datarights_effects (effect TEXT PRIMARY KEY, answer TEXT NOT \
         NULL)"
    }
    fn note_effect(&self) -> &'static str {
        "INSERT OR IGNORE INTO datarights_effects (effect, answer) VALUES (?1, ?2)"
    }
    fn schema_mark(&self) -> Option<String> {
        // Of the main database.
        Some("(SELECT schema_version FROM pragma_schema_version)".to_owned())
    }
    async fn guarded(&self, session: &mut Session) -> Result<Option<BTreeSet<String>>, PortError> {
        // Told by words of their definitions; a word too many costs a rehearsal.
        let guarded = Sql::new(
            &Self,
            "SELECT DISTINCT m.name FROM sqlite_schema AS m JOIN sqlite_schema AS g ON m.name = \
             g.tbl_name COLLATE NOCASE WHERE m.type = 'table' AND CASE g.type WHEN 'trigger' THEN 1 \
             WHEN 'table' THEN g.sql LIKE '%check%' OR g.sql LIKE '%generated%' OR g.sql LIKE \
             '%as%(%' WHEN 'index' THEN g.sql LIKE '%where%' OR g.sql LIKE '%(%(%' END",
        );
        let guarded = session.fetch(guarded, "catalogue").await?;
        Ok(Some(gather::names(&guarded)))
    }
    fn part(&self, expression: &str, path: &[String]) -> String {
        let path = literal(path);
        format!(
            "CASE WHEN json_valid({expression}) THEN CAST(json_extract({expression}, {path}) AS \
             TEXT) END"
        )
    }
    fn with_part(&self, document: &str, path: &[String], part: &Part, _: &str) -> String {
        let value = match part {
            Part::Null => "NULL".to_owned(),
            Part::Bool(value) => format!("json('{value}')"),
            Part::Number(number) => number.to_string(),
            Part::Text(text) => text.clone(),
        };
        format!("json_replace({document}, {}, {value})", literal(path))
    }
    fn is_document(&self, expression: &str) -> Option<String> {
        Some(format!("json_valid({expression})"))
    }
    fn without_part(&self, document: &str, path: &[String], _: &str) -> String {
        let path = literal(path);
        format!("CASE WHEN json_valid({document}) THEN json_remove({document}, {path}) END")
    }
    fn part_bool(&self, value: bool) -> &'static str {
        if value { "1" } else { "0" }
    }
    /// Times are kept as text in one of the forms that SQLite knows, or as seconds since 1970.
    fn instant(&self, expression: &str, place: &str, column: &CatalogueColumn) -> (String, String) {
        let form = "'%Y-%m-%d %H:%M:%f'";
        let of = |time: &str| format!("strftime({form}, {time})");
        match column.class {
            Class::Int => (of(&format!("{expression}, 'unixepoch'")), of(place)),
            _ => (of(expression), of(place)),
        }
    }
    fn deferred_tables(&self) -> Option<&'static str> {
        // Where the host's pool does not enforce keys, the commit does not look at them either.
        Some(
            "SELECT m.name FROM sqlite_schema AS m, pragma_foreign_keys AS k WHERE m.type = \
             'table' AND k.foreign_keys = 1 AND m.sql LIKE '%DEFERR%' ORDER BY m.name",
        )
    }
    async fn catalogue(&self, session: &mut Session) -> Result<Catalogue, PortError> {
        let mut catalogue = Catalogue::new();
        let all = |columns: &str, pragma: &str, order: &str| {
            let text = format!(
                "SELECT m.name, {columns} FROM sqlite_schema AS m, {pragma} AS p WHERE m.type = \
                 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' AND m.name <> '{EFFECTS}' \
                 ORDER BY m.name, {order}"
            );
            Sql::new(&Self, text)
        };
        // Hidden columns of virtual tables (1) are not listed; computed ones (2, 3) are.
        let columns = all(
            "p.name, p.type, p.\"notnull\", p.pk, p.hidden",
            "pragma_table_xinfo(m.name)",
            "p.cid",
        );
        let mut keys: Vec<(String, i64, String)> = Vec::new();
        for row in session.fetch(columns, "catalogue").await? {
            let [table, name, declared, not_null, key, hidden] = row.as_slice() else {
                continue;
            };
            let (Some(table), Some(name)) = (table.text(), name.text()) else {
                continue;
            };
            let declared = declared.text().unwrap_or_default();
            let (hidden, place) = (hidden.count(), key.count());
            let described = catalogue.tables.entry(table.clone()).or_default();
            if hidden == 1 {
                continue;
            }
            let mut column = CatalogueColumn::new(&name, class(&declared), declared);
            column.nullable = not_null.count() == 0;
            column.generated = hidden > 1;
            described.columns.push(column);
            if place > 0 {
                keys.push((table, i64::try_from(place).unwrap_or(0), name));
            }
        }
        keys.sort();
        for (table, _, name) in keys {
            if let Some(table) = catalogue.tables.get_mut(&table) {
                table.key.push(name);
            }
        }
        let foreign = all(
            "p.id, p.\"table\", p.\"from\", p.\"to\", p.on_delete, p.seq",
            "pragma_foreign_key_list(m.name)",
            "p.id, p.seq",
        );
        let foreign = session.fetch(foreign, "catalogue").await?;
        let foreign: Vec<Row> = foreign
            .into_iter()
            .filter_map(|row| complete(&catalogue, row))
            .collect();
        gather::foreign_keys(&mut catalogue, &foreign);
        let unique = Sql::new(
            &Self,
            "SELECT m.name, l.name, i.name, 0 FROM sqlite_schema AS m, pragma_index_list(m.name) \
             AS l, pragma_index_info(l.name) AS i WHERE m.type = 'table' AND l.\"unique\" = 1 AND \
             l.origin <> 'pk' AND l.partial = 0 ORDER BY m.name, l.name, i.seqno",
        );
        let unique = session.fetch(unique, "catalogue").await?;
        gather::unique_sets(&mut catalogue, &unique);
        // A key with an index of its own is not the number of the row.
        let indexed = Sql::new(
            &Self,
            "SELECT DISTINCT m.name FROM sqlite_schema AS m, pragma_index_list(m.name) AS l WHERE \
             m.type = 'table' AND l.origin = 'pk'",
        );
        let indexed = gather::names(&session.fetch(indexed, "catalogue").await?);
        for (name, table) in &mut catalogue.tables {
            trust_key(table, indexed.contains(name));
        }
        let ruled = "SELECT name FROM sqlite_schema WHERE type = 'table' AND sql LIKE '%collate%'";
        for name in gather::names(&session.fetch(Sql::new(&Self, ruled), "catalogue").await?) {
            if let Some(table) = catalogue.tables.get_mut(&name) {
                collations(session, &name, table).await?;
            }
        }
        // A key that tells apart what its column calls equal would name more rows than one.
        let keyed = Sql::new(
            &Self,
            "SELECT m.name, i.name, i.coll FROM sqlite_schema AS m, pragma_index_list(m.name) AS l, \
             pragma_index_xinfo(l.name) AS i WHERE m.type = 'table' AND l.origin = 'pk' AND i.key = 1 \
             AND i.name IS NOT NULL",
        );
        for row in session.fetch(keyed, "catalogue").await? {
            let mut cells = row.iter().map(Scalar::text);
            let mut next = || cells.next().flatten().unwrap_or_default();
            let (name, column, rules) = (next(), next(), next());
            let Some(table) = catalogue.tables.get_mut(&name) else {
                continue;
            };
            let own = table.column(&column).and_then(|c| c.collation.as_deref());
            if !rules.eq_ignore_ascii_case(own.unwrap_or("BINARY")) {
                table.key.clear();
            }
        }
        Ok(catalogue)
    }
}

/// The collations of a table's columns. SQLite lists them nowhere; what a column calls equal gives
/// those away that it has of itself.
async fn collations(
    session: &mut Session,
    name: &str,
    table: &mut CatalogueTable,
) -> Result<(), PortError> {
    let quoted = Sqlite.quote(name);
    for column in &mut table.columns {
        let here = Sqlite.quote(&column.name);
        // A column of the table with other rows.
        let equal = |other: &str| {
            format!(
                "(SELECT count(*) FROM (SELECT {here} AS x FROM {quoted} WHERE 0 UNION ALL SELECT \
                 'a') WHERE x = '{other}')"
            )
        };
        let asked = format!("SELECT {}, {}", equal("A"), equal("a "));
        let told = session.fetch(Sql::new(&Sqlite, asked), name).await?;
        column.collation = match told.first().map(Vec::as_slice) {
            Some([case, _]) if case.count() > 0 => Some("NOCASE".to_owned()),
            Some([_, blanks]) if blanks.count() > 0 => Some("RTRIM".to_owned()),
            _ => None,
        };
    }
    Ok(())
}

/// Unless the key is the row's number or declared NOT NULL, it may hold NULL, and names no row.
fn trust_key(table: &mut CatalogueTable, indexed: bool) {
    let whole_number = |name: &String| {
        table
            .column(name)
            .is_some_and(|c| c.declared.eq_ignore_ascii_case("INTEGER"))
    };
    let is_row_number = !indexed && matches!(table.key.as_slice(), [name] if whole_number(name));
    if is_row_number {
        let key = table.key.clone();
        let columns = table.columns.iter_mut();
        columns
            .filter(|c| key.contains(&c.name))
            .for_each(|c| c.nullable = false);
        return;
    }
    let filled = |name: &String| table.column(name).is_some_and(|c| !c.nullable);
    if !table.key.iter().all(filled) {
        let key = std::mem::take(&mut table.key);
        table.unique.push(key);
    }
}

/// A column of a foreign key, with what SQLite leaves to be known: names of tables are compared
/// without regard to case, and a key that names no columns leads to the primary key.
fn complete(catalogue: &Catalogue, mut row: Row) -> Option<Row> {
    let nth = usize::try_from(row.pop()?.count()).ok()?;
    let [_, _, to, _, references, _] = row.as_mut_slice() else {
        return None;
    };
    let named = to.text()?;
    let exactly = catalogue.tables.get_key_value(&named);
    let mut known = catalogue.tables.iter();
    let there = exactly.or_else(|| known.find(|(name, _)| name.eq_ignore_ascii_case(&named)));
    if let Some((name, _)) = there {
        *to = Scalar::Text(name.clone());
    }
    let named = match references.text() {
        None => there.and_then(|(_, table)| table.key.get(nth).cloned()),
        Some(named) => {
            let columns = there.map(|(_, table)| table.columns.iter());
            let mut columns = columns.into_iter().flatten();
            let known = columns.find(|column| column.name.eq_ignore_ascii_case(&named));
            Some(known.map_or(named, |column| column.name.clone()))
        }
    };
    *references = Scalar::Text(named.unwrap_or_default());
    Some(row)
}

/// By the affinity that SQLite reads out of a declared type, dates and truth values apart.
fn class(declared: &str) -> Class {
    let declared = declared.to_uppercase();
    let has = |words: &[&str]| words.iter().any(|word| declared.contains(word));
    match declared.as_str() {
        "DATE" => Class::Date,
        _ if has(&["DATETIME", "TIMESTAMP"]) => Class::Time,
        _ if has(&["BOOL"]) => Class::Bool,
        _ if has(&["INT"]) => Class::Int,
        _ if has(&["CHAR", "CLOB", "TEXT"]) => Class::Text,
        _ if has(&["BLOB", "BINARY"]) => Class::Bytes,
        _ if has(&["REAL", "FLOA", "DOUB", "NUMERIC", "DECIMAL"]) => Class::Decimal,
        _ => Class::Other,
    }
}
