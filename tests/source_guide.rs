//! The guide shows the files that are compiled: block by block, to the letter.

#[test]
fn the_guide_shows_its_files_as_they_are() {
    let guide = include_str!("../docs/write-a-source.md");
    for (name, file) in [
        (
            "application",
            include_str!("../docs/write-a-source/application.rs"),
        ),
        ("finding", include_str!("../docs/write-a-source/finding.rs")),
        ("reading", include_str!("../docs/write-a-source/reading.rs")),
        ("writing", include_str!("../docs/write-a-source/writing.rs")),
        ("source", include_str!("../docs/write-a-source/source.rs")),
        ("suite", include_str!("../docs/write-a-source/suite.rs")),
    ] {
        assert!(
            guide.contains(file),
            "docs/write-a-source/{name}.rs differs from the guide"
        );
    }
}
