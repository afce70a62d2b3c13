//! Parts of JSON documents, as all databases can say it. A path is a list of names that hold no
//! quotes and no backslashes, or of digits for a place in a list.

use crate::datamap::{CatalogueColumn, Plain, Strategy};

use super::dialect::Dialect;
use super::statement::Sql;

/// A value that is put into a document. Texts are SQL.
pub(super) enum Part {
    Null,
    Bool(bool),
    Number(i64),
    Text(String),
}

/// `$."a"[0]."b"`, as a literal.
#[cfg(any(feature = "sql-mysql", feature = "sql-sqlite"))]
pub(super) fn literal(path: &[String]) -> String {
    let steps: String = path
        .iter()
        .map(|step| match step.parse::<u32>() {
            Ok(place) => format!("[{place}]"),
            Err(_) => format!(".\"{}\"", step.replace('\'', "''")),
        })
        .collect();
    format!("'${steps}'")
}

/// Writes a document with parts of it changed.
pub(super) fn changed(sql: &mut Sql, column: &CatalogueColumn, parts: &[(&[String], &Strategy)]) {
    let dialect = sql.dialect;
    let here = format!("t.{}", dialect.quote(&column.name));
    let mut document = dialect.document(&here);
    for (path, strategy) in parts {
        let value = value_at(dialect, column, path);
        let part = match strategy {
            Strategy::Fixed(Plain::Bool(yes)) => Part::Bool(*yes),
            Strategy::Fixed(Plain::Int(number)) => Part::Number(*number),
            // Bound in the order in which it is written: what is inside comes first.
            Strategy::Fixed(Plain::Text(text)) => {
                Part::Text(sql.hold(super::statement::Param::Text(text.clone())))
            }
            Strategy::Mask(first) => Part::Text(dialect.masked(&value, *first)),
            Strategy::Generalise(to) => {
                Part::Text(dialect.coarser(&value, crate::datamap::Class::Text, *to))
            }
            _ => Part::Null,
        };
        document = dialect.with_part(&document, path, &part, &here);
    }
    let written = dialect.written(&document, column);
    match dialect.is_document(&here) {
        // What is no document has no parts, and stays.
        Some(is_one) => sql.push(&format!(
            "CASE WHEN {is_one} THEN {written} ELSE {here} END"
        )),
        None => sql.push(&written),
    };
}

/// Writes of `t` that a strategy has not been applied to a part yet.
pub(super) fn pending(
    sql: &mut Sql,
    column: &CatalogueColumn,
    path: &[String],
    strategy: &Strategy,
) {
    let dialect = sql.dialect;
    let value = value_at(dialect, column, path);
    let class = crate::datamap::Class::Text;
    let wanted = match strategy {
        Strategy::Fixed(Plain::Bool(yes)) => format!("'{}'", dialect.part_bool(*yes)),
        Strategy::Fixed(Plain::Int(number)) => format!("'{number}'"),
        Strategy::Fixed(Plain::Text(text)) => {
            // The value stands before it, and holds nothing bound.
            sql.hold(super::statement::Param::Text(text.clone()))
        }
        Strategy::Mask(first) => dialect.masked(&value, *first),
        Strategy::Generalise(to) => dialect.coarser(&value, class, *to),
        _ => {
            sql.push(&format!("{value} IS NOT NULL"));
            return;
        }
    };
    let same = dialect.same(&value, &wanted, class);
    sql.push(&format!("({value} IS NOT NULL AND NOT ({same}))"));
}

/// A part of the document in a column of `t`, as text.
pub(super) fn value_at(dialect: &dyn Dialect, column: &CatalogueColumn, path: &[String]) -> String {
    dialect.part(&format!("t.{}", dialect.quote(&column.name)), path)
}
