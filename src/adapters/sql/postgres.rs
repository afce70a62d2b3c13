//! PostgreSQL: the tables of the current schema.

use std::collections::BTreeSet;

use sqlx::{Row as _, TypeInfo as _, ValueRef as _};

use crate::datamap::{Catalogue, CatalogueColumn, CatalogueTable, Class, Generalise};
use crate::ports::PortError;

use super::dialect::{
    Dialect, EFFECTS, Inside, Side, Stay, as_they_are, coarser_text, named, names,
};
use super::gather;
use super::json::Part;
use super::layout::Key;
use super::session::{Row, Scalar, Session};
use super::statement::Sql;

pub(super) struct Postgres;

/// A row: bytes and counts are fetched as such, all else as text.
pub(super) fn row(row: &sqlx::postgres::PgRow) -> Result<Row, sqlx::Error> {
    let value = |index| {
        let raw = row.try_get_raw(index)?;
        if raw.is_null() {
            return Ok(Scalar::Null);
        }
        let name = raw.type_info().name().to_owned();
        Ok(match name.as_str() {
            "INT8" => Scalar::Int(row.try_get_unchecked(index)?),
            "INT4" => Scalar::Int(row.try_get_unchecked::<i32, _>(index)?.into()),
            "BYTEA" => Scalar::Bytes(row.try_get_unchecked(index)?),
            _ => Scalar::Text(row.try_get_unchecked(index)?),
        })
    };
    (0..row.len()).map(value).collect()
}

#[async_trait::async_trait]
impl Dialect for Postgres {
    fn placeholder(&self, nth: usize) -> String {
        format!("${nth}")
    }
    fn typed(&self, place: &str, column: &CatalogueColumn) -> String {
        match column.class {
            Class::Bytes => format!("convert_to({place}, 'UTF8')"),
            _ => format!("CAST({place} AS {})", without_limit(&column.declared)),
        }
    }
    fn boolean(&self, value: bool, column: &CatalogueColumn) -> &'static str {
        match (column.class, value) {
            (Class::Int, true) => "1",
            (Class::Int, false) => "0",
            (_, true) => "TRUE",
            (_, false) => "FALSE",
        }
    }
    fn text(&self, expression: &str) -> String {
        format!("CAST({expression} AS text)")
    }
    fn readable(&self, expression: &str, column: &CatalogueColumn) -> String {
        match column.declared.as_str() {
            "inet" => format!("abbrev({expression})"), // without the bits of a single address
            // Rules of its own may not be able to look into a text.
            _ if column.class == Class::Text && column.collation.is_some() => {
                format!("({expression} COLLATE pg_catalog.\"default\")")
            }
            _ => expression.to_owned(),
        }
    }
    fn key_text(&self, expression: &str, class: Class) -> String {
        match class {
            Class::Bytes => format!("encode({expression}, 'hex')"),
            _ => self.text(expression),
        }
    }
    fn same(&self, one: &str, other: &str, class: Class) -> String {
        match class {
            // Not each of them can be compared.
            Class::Other => {
                let (one, other) = (self.text(one), self.text(other));
                format!("({one} IS NOT DISTINCT FROM {other})")
            }
            _ => format!("({one} IS NOT DISTINCT FROM {other})"),
        }
    }
    fn exactly(&self, name: &str, column: &CatalogueColumn) -> Option<String> {
        let text = column.class == Class::Text || column.declared.ends_with("citext");
        text.then(|| format!("CAST({name} AS text) COLLATE \"C\""))
    }
    fn linked(&self, (left, column): Side<'_>, (right, key): Side<'_>) -> String {
        let text = |expression: &str, of: &CatalogueColumn| match of.class {
            Class::Text => expression.to_owned(),
            _ => self.text(&self.readable(expression, of)),
        };
        // In whatever case it was written.
        let uuid = |of: &CatalogueColumn| of.declared == "uuid";
        if uuid(key) && column.class == Class::Text {
            let right = self.text(right);
            return format!("{left} IN ({right}, upper({right}))");
        }
        if uuid(column) && key.class == Class::Text {
            return format!("{} = lower({right})", self.text(left));
        }
        let types = |of: &CatalogueColumn| without_limit(&of.declared);
        let strange = column.class == Class::Other && types(column) != types(key);
        let as_they_are = as_they_are(column, key) && !strange;
        let (mut written, right) = match as_they_are {
            true => (left.to_owned(), right.to_owned()),
            false => (text(left, column), text(right, key)),
        };
        if key.class == Class::Text {
            // The type of the key may call equal what another does not.
            let kind = |of: &CatalogueColumn| match without_limit(&of.declared).as_str() {
                "character varying" => "text".to_owned(),
                other => other.to_owned(),
            };
            if column.class == Class::Text && kind(column) != kind(key) {
                written = format!("CAST({left} AS {})", kind(key));
            }
            if column.collation != key.collation {
                let rules = key.collation.as_deref().unwrap_or("pg_catalog.\"default\"");
                written = format!("{written} COLLATE {rules}");
            }
        }
        format!("{written} = {right}")
    }
    fn row_names(&self, _: &CatalogueTable) -> &'static [&'static str] {
        // Stable inside a transaction that sees one state of the database, up to its own write.
        // Tables that hang together have rows at the same places.
        &["tableoid", "ctid"]
    }
    fn renames_rows(&self) -> bool {
        true
    }
    fn sets_stay(&self) -> Stay {
        Stay::Never
    }
    fn create_set(&self, set: &str, key: &Key, from: &str, numbered: bool) -> Vec<String> {
        let columns = named(&key.under("t"));
        let mut made = vec![format!(
            "CREATE TEMPORARY TABLE {set} ON COMMIT DROP AS SELECT {columns} FROM {from} AS t WHERE \
             FALSE"
        )];
        if numbered {
            made.push(format!(
                "ALTER TABLE {set} ADD COLUMN n bigserial PRIMARY KEY"
            ));
        }
        made
    }
    fn create_kept(&self, set: &str, key: &Key, from: &str) -> Vec<String> {
        let columns = named(&key.under("t"));
        vec![
            format!(
                "CREATE TEMPORARY TABLE {set} ON COMMIT DROP AS SELECT {columns}, CAST('' AS \
                 text) AS why FROM {from} AS t WHERE FALSE"
            ),
            format!("CREATE INDEX ON {set} ({})", names(&key.under("t"))),
        ]
    }
    fn look_at(&self, set: &str) -> Option<String> {
        // A set of one row would be taken for thousands, and tables be read whole for it.
        Some(format!("ANALYZE pg_temp.{set}"))
    }
    fn drop_set(&self, set: &str) -> String {
        format!("DROP TABLE IF EXISTS pg_temp.{set}")
    }
    fn sets_inside(&self) -> Inside {
        Inside::Cursors
    }
    fn number(&self) -> &'static str {
        "n"
    }
    fn insert_new(&self) -> (&'static str, &'static str) {
        ("INSERT INTO", "ON CONFLICT DO NOTHING")
    }
    fn unless_known(&self, set: &str, key: &Key) -> String {
        // A third of the time of a unique index and `ON CONFLICT`.
        format!("EXCEPT SELECT {} FROM {set} AS h", key.in_set("h."))
    }
    fn masked(&self, expression: &str, first: u32) -> String {
        format!(
            "CASE WHEN length({expression}) > {first} THEN concat(left({expression}, {first}), repeat('*', \
             length({expression}) - {first})) ELSE repeat('*', length({expression})) END"
        )
    }
    fn coarser(&self, expression: &str, class: Class, to: Generalise) -> String {
        let unit = match to {
            Generalise::Year => "year",
            _ => "month",
        };
        match (class, to) {
            (Class::Date | Class::Time, Generalise::Year | Generalise::Month) => {
                let coarser = format!("date_trunc('{unit}', {expression})");
                match class {
                    Class::Date => format!("CAST({coarser} AS date)"),
                    _ => coarser,
                }
            }
            _ => {
                let is_date = format!("{expression} ~ '^[0-9]{{4}}-[0-9]{{2}}-[0-9]{{2}}'");
                coarser_text(expression, &is_date, to)
            }
        }
    }
    fn contains(&self, expression: &str, class: Class, place: &str) -> String {
        match class {
            // Bytes need not be valid text: both sides are compared as they are escaped.
            Class::Bytes => format!(
                "position(lower(encode(convert_to({place}, 'UTF8'), 'escape')) IN \
                 lower(encode({expression}, 'escape'))) > 0"
            ),
            _ => format!("position(lower({place}) IN lower(CAST({expression} AS text))) > 0"),
        }
    }
    fn as_text(&self, expression: &str, class: Class) -> String {
        match class {
            // With no-break spaces as blanks, for they are escaped.
            Class::Bytes => format!("replace(encode({expression}, 'escape'), '\\302\\240', ' ')"),
            _ => self.text(expression),
        }
    }
    fn part(&self, expression: &str, path: &[String]) -> String {
        format!("(CAST({expression} AS jsonb) #>> {})", array(path))
    }
    fn document(&self, expression: &str) -> String {
        format!("CAST({expression} AS jsonb)")
    }
    fn with_part(&self, document: &str, path: &[String], part: &Part, whole: &str) -> String {
        let null = "CAST('null' AS jsonb)";
        let value = match part {
            Part::Null => null.to_owned(),
            Part::Bool(value) => format!("to_jsonb({value})"),
            Part::Number(number) => format!("to_jsonb({number})"),
            // Without it, no value would make no document.
            Part::Text(text) => format!("coalesce(to_jsonb(CAST({text} AS text)), {null})"),
        };
        let path = array(path);
        let with = format!("jsonb_set({document}, {path}, {value}, false)");
        if_there(whole, &path, &with, document)
    }
    fn without_part(&self, document: &str, path: &[String], whole: &str) -> String {
        let path = array(path);
        let without = format!("CAST({document} AS jsonb) #- {path}");
        if_there(whole, &path, &without, document)
    }
    fn written(&self, document: &str, column: &CatalogueColumn) -> String {
        // A cast would cut it off, where the database itself would refuse.
        format!("CAST({document} AS {})", without_limit(&column.declared))
    }
    fn address(&self, expression: &str, column: &CatalogueColumn) -> String {
        match column.declared.as_str() {
            "inet" | "cidr" => format!("host({expression})"),
            _ => expression.to_owned(),
        }
    }
    fn instant(&self, expression: &str, place: &str, column: &CatalogueColumn) -> (String, String) {
        match column.class {
            Class::Int => (
                format!("to_timestamp({expression})"),
                format!("CAST(CAST({place} AS text) || '+00' AS timestamptz)"),
            ),
            Class::Time if column.declared.ends_with("with time zone") => (
                expression.to_owned(),
                format!("CAST(CAST({place} AS text) || '+00' AS timestamptz)"),
            ),
            _ => (
                format!("CAST({expression} AS timestamp)"),
                format!("CAST(CAST({place} AS text) AS timestamp)"),
            ),
        }
    }
    fn piece(&self, expression: &str, class: Class, from: u64, length: u64) -> String {
        let bytes = match class {
            Class::Bytes => expression.to_owned(),
            _ => format!("convert_to(CAST({expression} AS text), 'UTF8')"),
        };
        format!("substring({bytes} FROM {from} FOR {length})")
    }
    fn create_effects(&self) -> &'static str {
        "CREATE TABLE IF NOT EXISTS datarights_effects (effect text PRIMARY KEY, answer text NOT \
         NULL)"
    }
    fn note_effect(&self) -> &'static str {
        "INSERT INTO datarights_effects (effect, answer) VALUES ($1, $2) ON CONFLICT DO NOTHING"
    }
    fn settle_keys(&self) -> Option<&'static str> {
        Some("SET CONSTRAINTS ALL IMMEDIATE")
    }
    fn schema_mark(&self) -> Option<String> {
        // Every change of a table, column, index, constraint or trigger writes its row of the catalogue
        // anew, in a transaction with another number.
        let rows = |of: &str, table: &str, row: &str| {
            format!(
                "(SELECT concat(count(*), ' ', sum(hashtextextended(concat({row}, ' ', x.xmin), 0))) \
                 FROM {of} AS x JOIN c ON c.oid = x.{table})"
            )
        };
        Some(format!(
            "(WITH c AS MATERIALIZED (SELECT oid FROM pg_class WHERE relnamespace = \
             current_schema()::regnamespace AND relkind IN ('r', 'p')) SELECT concat_ws(' ', \
             current_schema(), {}, {}, {}, {}, {}))",
            rows("pg_class", "oid", "x.oid"),
            rows("pg_attribute", "attrelid", "x.attrelid, ' ', x.attnum"),
            rows("pg_index", "indrelid", "x.indexrelid"),
            rows("pg_constraint", "conrelid", "x.oid"),
            rows("pg_trigger", "tgrelid", "x.oid"),
        ))
    }
    async fn guarded(&self, session: &mut Session) -> Result<Option<BTreeSet<String>>, PortError> {
        let guarded = Sql::new(
            &Self,
            "SELECT c.relname::text FROM pg_class AS c WHERE c.relnamespace = \
             current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND (c.relkind = 'p' OR \
             c.relhasrules OR c.relrowsecurity OR EXISTS (SELECT FROM pg_trigger AS g WHERE \
             g.tgrelid = c.oid AND NOT g.tgisinternal) OR EXISTS (SELECT FROM pg_constraint AS o \
             WHERE o.conrelid = c.oid AND o.contype IN ('c', 'x', 't')) OR EXISTS (SELECT FROM \
             pg_index AS i WHERE i.indrelid = c.oid AND (i.indpred IS NOT NULL OR i.indexprs IS NOT \
             NULL)) OR EXISTS (SELECT FROM pg_attribute AS a JOIN pg_type AS y ON y.oid = a.atttypid \
             WHERE a.attrelid = c.oid AND (y.typtype = 'd' OR a.attgenerated <> '')))",
        );
        let guarded = session.fetch(guarded, "catalogue").await?;
        Ok(Some(gather::names(&guarded)))
    }
    async fn catalogue(&self, session: &mut Session) -> Result<Catalogue, PortError> {
        let mut catalogue = Catalogue::new();
        let columns = format!(
            "SELECT c.relname::text, a.attname::text, format_type(b.oid, b.typmod), CASE WHEN a.attnotnull OR y.typnotnull THEN 1 ELSE 0 END, CASE WHEN a.attgenerated <> '' OR a.attidentity \
             = 'a' THEN 1 ELSE 0 END, CASE WHEN b.oid IN (1042, 1043) AND b.typmod > 4 THEN \
             b.typmod - 4 END, CASE WHEN l.collname <> 'default' THEN quote_ident(n.nspname) \
             || '.' || quote_ident(l.collname) END FROM pg_class AS c JOIN pg_attribute AS a ON \
             a.attrelid = c.oid JOIN pg_type AS y ON y.oid = a.atttypid CROSS JOIN LATERAL (SELECT \
             CASE y.typtype WHEN 'd' THEN y.typbasetype ELSE y.oid END, CASE y.typtype WHEN 'd' THEN \
             y.typtypmod ELSE a.atttypmod END) AS b (oid, typmod) LEFT JOIN pg_collation AS l ON l.oid = a.attcollation LEFT JOIN \
             pg_namespace AS n ON n.oid = l.collnamespace WHERE c.relnamespace = current_schema()::regnamespace AND c.relkind IN ('r', \
             'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped AND c.relname \
             <> '{EFFECTS}' ORDER BY c.relname, a.attnum"
        );
        let columns = session.fetch(Sql::new(&Self, columns), "catalogue").await?;
        gather::columns(&mut catalogue, &columns, class);
        // Unique indexes that hold for all rows and have no expressions, primary keys among them.
        let unique = "SELECT c.relname::text, i.indexrelid::text, a.attname::text, CASE WHEN \
                      i.indisprimary THEN 1 ELSE 0 END FROM pg_index AS i JOIN pg_class AS c ON \
                      c.oid = i.indrelid CROSS JOIN LATERAL unnest(i.indkey) WITH ORDINALITY AS k \
                      (num, place) JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = \
                      k.num WHERE c.relnamespace = current_schema()::regnamespace AND i.indisunique \
                      AND i.indpred IS NULL AND i.indexprs IS NULL AND k.place <= i.indnkeyatts \
                      ORDER BY c.relname, i.indexrelid, k.place";
        let unique = session.fetch(Sql::new(&Self, unique), "catalogue").await?;
        gather::unique_sets(&mut catalogue, &unique);
        // A key holds in a table alone, not in those that inherit from it and are read with it.
        let parents = "SELECT DISTINCT c.relname::text FROM pg_inherits AS i JOIN pg_class AS c ON \
                       c.oid = i.inhparent WHERE c.relnamespace = current_schema()::regnamespace AND \
                       c.relkind = 'r'";
        let parents = session.fetch(Sql::new(&Self, parents), "catalogue").await?;
        for name in gather::names(&parents) {
            if let Some(parent) = catalogue.tables.get_mut(&name) {
                parent.key.clear();
                parent.unique.clear();
            }
        }
        // What is declared on a partition alone, or leads to one, is a key of the whole table.
        let foreign = "SELECT c.relname::text, o.oid::text, f.relname::text, a.attname::text, \
                       b.attname::text, CASE o.confdeltype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN \
                       'SET NULL' WHEN 'd' THEN 'SET DEFAULT' END FROM pg_constraint AS o JOIN pg_class \
                       AS c ON c.oid = coalesce(pg_partition_root(o.conrelid), o.conrelid) JOIN \
                       pg_class AS f ON f.oid = coalesce(pg_partition_root(o.confrelid), \
                       o.confrelid) CROSS JOIN LATERAL unnest(o.conkey, o.confkey) WITH ORDINALITY \
                       AS k (here, there, place) JOIN pg_attribute AS a ON a.attrelid = o.conrelid \
                       AND a.attnum = k.here JOIN pg_attribute AS b ON b.attrelid = o.confrelid AND \
                       b.attnum = k.there WHERE c.relnamespace = current_schema()::regnamespace AND \
                       o.contype = 'f' AND o.conparentid = 0 ORDER BY c.relname, o.conname, o.oid, \
                       k.place";
        let foreign = session.fetch(Sql::new(&Self, foreign), "catalogue").await?;
        gather::foreign_keys(&mut catalogue, &foreign);
        for table in catalogue.tables.values_mut() {
            table.foreign_keys.dedup(); // the same of several partitions
        }
        let hidden = "SELECT c.relname::text FROM pg_class AS c WHERE c.relnamespace = \
                      current_schema()::regnamespace AND c.relkind IN ('r', 'p') AND \
                      row_security_active(c.oid)";
        let hidden = session.fetch(Sql::new(&Self, hidden), "catalogue").await?;
        for name in gather::names(&hidden) {
            if let Some(table) = catalogue.tables.get_mut(&name) {
                table.hides_rows = true;
            }
        }
        // From other schemas.
        let cascades = "SELECT DISTINCT f.relname::text, n.nspname || '.' || c.relname FROM \
                        pg_constraint AS o JOIN pg_class AS c ON c.oid = o.conrelid JOIN \
                        pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_class AS f ON f.oid = \
                        coalesce(pg_partition_root(o.confrelid), o.confrelid) WHERE f.relnamespace = \
                        current_schema()::regnamespace AND o.contype = 'f' AND o.confdeltype = 'c' \
                        AND o.conparentid = 0 AND c.relnamespace <> f.relnamespace ORDER BY 1, 2";
        let cascades = session
            .fetch(Sql::new(&Self, cascades), "catalogue")
            .await?;
        gather::cascades(&mut catalogue, &cascades);
        Ok(catalogue)
    }
}

/// A changed document where the path leads somewhere in the whole: it is an error else that there is
/// a list or a single value on the way.
fn if_there(whole: &str, path: &str, changed: &str, document: &str) -> String {
    format!(
        "CASE WHEN (CAST({whole} AS jsonb) #> {path}) IS NOT NULL THEN {changed} ELSE CAST({document} AS \
         jsonb) END"
    )
}

/// A type without its limits: a cast would cut off, or round, what an assignment refuses.
fn without_limit(declared: &str) -> String {
    let array = declared.ends_with("[]");
    let Some((name, rest)) = declared.split_once('(') else {
        return declared.to_owned();
    };
    let rest = rest.split_once(')').map_or("", |(_, rest)| rest);
    match name {
        "character" if !array => "bpchar".to_owned(),
        "bit" if !array => "bit varying".to_owned(),
        _ if name == "character" || name == "bit" => declared.to_owned(),
        _ => format!("{name}{rest}"),
    }
}

fn class(declared: &str) -> Class {
    let word = declared.split(['(', ' ']).next().unwrap_or(declared);
    match word {
        _ if declared.ends_with(']') => Class::Other,
        "boolean" => Class::Bool,
        "smallint" | "integer" | "bigint" => Class::Int,
        "numeric" | "real" | "double" => Class::Decimal,
        "text" | "character" => Class::Text,
        // In whichever schema.
        _ if word == "citext" || word.ends_with(".citext") => Class::Text,
        "bytea" => Class::Bytes,
        "date" => Class::Date,
        "timestamp" => Class::Time,
        _ => Class::Other,
    }
}

/// `ARRAY['a', '0', 'b']`.
fn array(path: &[String]) -> String {
    let steps: Vec<String> = path
        .iter()
        .map(|step| format!("'{}'", step.replace('\'', "''")))
        .collect();
    format!("ARRAY[{}]::text[]", steps.join(", "))
}
