//! What people type of themselves, and names of things.

use datarights::model::{
    ControllerId, Digest, Identifier, IdentifierKind, KeyId, PartyId, Right, SourceId,
};

use super::{same_again, text};

/// An identifier as a form sends it.
pub mod identifier {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Ok(identifier) = serde_json::from_slice::<Identifier>(bytes) else {
            return false;
        };
        let written = serde_json::to_string(&identifier.exposed()).expect("it can be written");
        assert!(serde_json::from_str::<Identifier>(&written).expect("and read") == identifier);
        let Ok(normal) = identifier.normal() else {
            return false;
        };
        assert_eq!(*normal.kind(), identifier.kind());
        // The normal form is its own: who types it is the same person.
        let again = match identifier {
            Identifier::Mail(_) => Identifier::mail(normal.expose()),
            Identifier::Phone(_) => Identifier::phone(normal.expose()),
            Identifier::Account(_) => Identifier::account(normal.expose()),
            Identifier::Device(_) => Identifier::device(normal.expose()),
            Identifier::Custom { kind, .. } => Identifier::custom(kind, normal.expose()),
            _ => return true,
        };
        let again = again.expect("the normal form is accepted").normal();
        assert!(again.expect("and has one") == normal);
        true
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        [
            r#"{"mail":" Ada@Example.ORG "}"#,
            r#"{"phone":"0033 (1) 23-45"}"#,
            r#"{"phone":"+33/1.23 45"}"#,
            r#"{"phone":"(00)33 12 34"}"#,
            r#"{"phone_during":{"number":"+33 1 23","window":{"start":"2026-01-01T00:00:00Z","end":"2026-02-01T00:00:00Z"}}}"#,
            r#"{"ip_during":{"address":"::ffff:192.0.2.1","window":{"start":"2026-01-01T00:00:00Z","end":"2026-02-01T00:00:00Z"}}}"#,
            r#"{"account":" 7 "}"#,
            r#"{"device":"a-b-c"}"#,
            r#"{"name_and_birth":{"name":"ADA  Lovelace","birth":"1815-12-10"}}"#,
            r#"{"custom":{"kind":"badge","value":"77"}}"#,
        ]
        .map(Into::into)
        .into()
    }
}

/// Names, digests, rights and kinds, as they stand in stored values.
pub mod names {
    use super::*;

    pub fn read(bytes: &[u8]) -> bool {
        let Some(text) = text(bytes) else {
            return false;
        };
        let names = [
            ControllerId::new(text).map(|name| name.as_str().to_owned()),
            SourceId::new(text).map(|name| name.as_str().to_owned()),
            PartyId::new(text).map(|name| name.as_str().to_owned()),
            KeyId::try_from(text.to_owned()).map(String::from),
        ];
        let mut was_read = false;
        for name in names {
            let Ok(name) = name else { continue };
            assert_eq!(name, text);
            assert!(!name.contains("..") || !name.starts_with('.'));
            was_read = true;
        }
        if let Some(digest) = Digest::from_hex(text) {
            assert_eq!(digest.to_string(), text.to_ascii_lowercase());
            was_read = true;
        }
        assert_eq!(Right::from(text).name(), text);
        if let Ok(kind) = serde_json::from_slice::<IdentifierKind>(bytes) {
            same_again(&kind);
            was_read = true;
        }
        was_read
    }

    pub fn seeds() -> Vec<Vec<u8>> {
        [
            "acme",
            "acme/0190f5a0-0000-7000-8000-000000000001",
            "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF",
            r#"{"custom":"badge"}"#,
            r#""mail""#,
        ]
        .map(Into::into)
        .into()
    }
}
