//! The guide shows the files that are compiled: block by block, to the letter.

#[test]
fn the_guide_shows_its_files_as_they_are() {
    let guide = include_str!("../docs/write-a-gateway.md");
    for (name, file) in [
        (
            "processor",
            include_str!("../docs/write-a-gateway/processor.rs"),
        ),
        (
            "gateway",
            include_str!("../docs/write-a-gateway/gateway.rs"),
        ),
        ("suite", include_str!("../docs/write-a-gateway/suite.rs")),
    ] {
        assert!(
            guide.contains(file),
            "docs/write-a-gateway/{name}.rs differs from the guide"
        );
    }
}
