//! Checks of `read`.

use std::collections::BTreeSet;

use futures::{StreamExt, TryStreamExt};

use super::super::contract::{Checked, Seen, ensure};
use super::probe::{Counts, Probe};
use crate::model::Value;
use crate::ports::{Cell, Item, PortError, Reading};

async fn open(probe: &Probe<'_>) -> Result<Reading, Seen> {
    let locators = probe.person().await?;
    probe.read("read", &locators).await
}

/// Each collection in one piece, rows with as many cells as columns, everything that is stored.
pub(super) async fn reads(probe: &Probe<'_>) -> Checked {
    let mut items = open(probe).await?;
    let mut begun = BTreeSet::new();
    let mut current: Option<(String, usize)> = None;
    let mut rows = Counts::new();
    while let Some(item) = items.next().await {
        match probe.noted(item)? {
            Item::Collection(collection) => {
                ensure!(
                    begun.insert(collection.name.clone()),
                    "collection {} comes in two pieces",
                    collection.name
                );
                current = Some((collection.name, collection.columns.len()));
            }
            Item::Row(cells) => {
                let Some((name, columns)) = &current else {
                    return Err(Seen("a row comes before any collection".to_owned()));
                };
                ensure!(
                    cells.len() == *columns,
                    "a row of {name} has {} cells for {columns} columns",
                    cells.len()
                );
                *rows.entry(name.clone()).or_default() += 1;
                for cell in cells {
                    if let Cell::File(file) = cell {
                        let drained = file.content.try_for_each(async |_| Ok(())).await;
                        probe.noted::<()>(drained)?;
                    }
                }
            }
            Item::Withheld(withheld) => {
                *rows.entry(withheld.collection).or_default() += withheld.rows;
            }
        }
    }
    for (collection, stored) in probe.stored().await {
        let read = rows.get(&collection).copied().unwrap_or(0);
        ensure!(
            read == stored,
            "{stored} rows of {collection} are stored, and {read} were read or named"
        );
    }
    Ok(())
}

/// Nothing that may not be handed over is.
pub(super) async fn keeps_secrets(probe: &Probe<'_>) -> Checked {
    let mut items = open(probe).await?;
    let mut place = String::new();
    while let Some(item) = items.next().await {
        let cells = match probe.noted(item)? {
            Item::Collection(collection) => {
                place = collection.name;
                continue;
            }
            Item::Row(cells) => cells,
            Item::Withheld(_) => continue,
        };
        for (column, cell) in cells.into_iter().enumerate() {
            let shown = probe.noted(shown(cell).await)?;
            for secret in &probe.specimen.secrets {
                let secret = secret.expose().as_bytes();
                let there = !secret.is_empty() && shown.windows(secret.len()).any(|w| w == secret);
                ensure!(!there, "{place} shows a secret in column {}", column + 1);
            }
        }
    }
    Ok(())
}

/// Everything that somebody would see of a cell.
async fn shown(cell: Cell) -> Result<Vec<u8>, PortError> {
    Ok(match cell {
        Cell::Value(Value::Text(text) | Value::Decimal(text)) => text.into_bytes(),
        Cell::Value(Value::Bytes(bytes)) => bytes,
        Cell::Value(Value::Int(number)) => number.to_string().into_bytes(),
        Cell::Value(_) => Vec::new(),
        Cell::File(file) => {
            let mut bytes = file.name.into_bytes();
            bytes.push(0);
            let content: Vec<u8> = file.content.try_concat().await?;
            bytes.extend(content);
            bytes
        }
    })
}
