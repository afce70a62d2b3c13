//! The guide shows the files of its example to the letter; `tests/examples.rs` runs it.

#[test]
fn the_guide_shows_its_files_as_they_are() {
    let guide = include_str!("../docs/write-a-store.md");
    for (name, file) in [
        ("tables", include_str!("../examples/redb_store/tables.rs")),
        ("writing", include_str!("../examples/redb_store/writing.rs")),
        ("store", include_str!("../examples/redb_store/store.rs")),
        ("main", include_str!("../examples/redb_store/main.rs")),
    ] {
        assert!(
            guide.contains(&format!("```rust\n{file}```")),
            "examples/redb_store/{name}.rs differs from the guide"
        );
    }
}
