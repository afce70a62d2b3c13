//! Descriptions of databases, and what databases tell of themselves.

use datarights::datamap::{Catalogue, DataMap};

use super::{same_again, text};

/// What a map says is the same in both forms of the file; and it can be held against a database.
fn holds(map: &DataMap) {
    let json = map.to_json().expect("a map can be written");
    assert!(DataMap::from_json(&json).expect("and read") == *map);
    let toml = map.to_toml().expect("a map can be written");
    assert!(DataMap::from_toml(&toml).expect("and read") == *map);
    for table in map.owned_tables() {
        assert!(map.tables.contains_key(table));
    }
    let _ = map.check(&database());
}

fn database() -> Catalogue {
    serde_json::from_str(DATABASE).expect("a catalogue")
}

const DATABASE: &str = r#"{"tables":{
    "users":{"columns":[
        {"name":"id","class":"int","declared":"INTEGER","nullable":false,"length":null,"generated":false},
        {"name":"email","class":"text","declared":"VARCHAR(20)","nullable":true,"length":20,"generated":false},
        {"name":"born","class":"date","declared":"DATE","nullable":true,"length":null,"generated":false}],
        "key":["id"],"unique":[["email"]],"foreign_keys":[]},
    "orders":{"columns":[
        {"name":"id","class":"int","declared":"INTEGER","nullable":false,"length":null,"generated":false},
        {"name":"user_id","class":"int","declared":"INTEGER","nullable":true,"length":null,"generated":false},
        {"name":"note","class":"text","declared":"TEXT","nullable":true,"length":null,"generated":true}],
        "key":["id"],"unique":[],
        "foreign_keys":[{"columns":["user_id"],"table":"users","references":["id"],"on_delete":"cascade"}]}
}}"#;

const MAP: &str = r#"
schema = 1
[tables.users]
person = true
names = [["email"]]
columns.id = { category = "account", identifiers = ["account"] }
columns.email = { category = "contact", identifiers = ["mail", { custom = "login" }], rectify = true }
columns.born = { category = "identity" }
[tables.orders]
links.user = { columns = ["user_id"], to = { rows = { table = "users" } } }
columns.note = { category = "correspondence", free_text = true }
"#;

pub mod map_toml {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Some(Ok(map)) = text(bytes).map(DataMap::from_toml) else {
            return false;
        };
        holds(&map);
        true
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        let chinook = include_str!("../../maps/chinook.toml");
        let helpdesk = include_str!("../../maps/helpdesk.toml");
        [MAP, chinook, helpdesk].map(Into::into).into()
    }
}

pub mod map_json {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Some(Ok(map)) = text(bytes).map(DataMap::from_json) else {
            return false;
        };
        holds(&map);
        true
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        let of = |seed: Vec<u8>| {
            let map = DataMap::from_toml(text(&seed).expect("text")).expect("a map");
            map.to_json().expect("a map can be written").into_bytes()
        };
        map_toml::seeds().into_iter().map(of).collect()
    }
}

/// A database that tells of itself is drafted.
pub mod catalogue {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Ok(catalogue) = serde_json::from_slice::<Catalogue>(bytes) else {
            return false;
        };
        same_again(&catalogue);
        let draft = DataMap::draft(&catalogue);
        let _ = draft.map.check(&catalogue);
        if draft.map.validate().is_ok() {
            holds(&draft.map);
        }
        for guess in &draft.guesses {
            assert!(catalogue.tables.contains_key(&guess.table));
        }
        true
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        vec![DATABASE.into()]
    }
}
