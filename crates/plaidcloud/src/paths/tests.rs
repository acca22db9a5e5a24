use super::*;

const DOCUMENTED: &str = "paths:
 PROJECT_ROOT: '{WORKING_USER}/Documents'
 LOCAL_STORAGE: '{PROJECT_ROOT}/local_storage'
 DEBUG: '{PROJECT_ROOT}/local_storage'
 REPORTS: '{PROJECT_ROOT}/reports'

 create: []
 local: {}
";

fn load(files: &[(&str, &str)]) -> Result<Option<Paths>, PathsError> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        std::fs::write(folder.path().join(name), text).unwrap();
    }
    Paths::load(folder.path(), "/h")
}

fn error(text: &str) -> String {
    load(&[("paths.yaml", text)]).unwrap_err().to_string()
}

#[test]
fn the_documented_file_resolves_as_documented() {
    let windows = format!("\u{FEFF}{}", DOCUMENTED.replace('\n', "\r\n"));
    for text in [DOCUMENTED, &windows] {
        let paths = load(&[("paths.yaml", text)]).unwrap().unwrap();
        let expected = [
            ("PROJECT_ROOT", "/h/Documents"),
            ("LOCAL_STORAGE", "/h/Documents/local_storage"),
            ("DEBUG", "/h/Documents/local_storage"),
            ("REPORTS", "/h/Documents/reports"),
        ];
        assert_eq!(paths.all(), expected.map(|(name, path)| (name, path.to_owned())));
        assert!(paths.notes[0].contains("`local` under `paths` has no effect"));
    }
}

#[test]
fn names_and_texts_are_looked_up() {
    let text = format!("{DOCUMENTED} EXPORTS: '{{LOCAL_STORAGE}}/x/../exports'\n");
    let paths = load(&[("paths.yaml", &text)]).unwrap().unwrap();
    let look = |text: &str| paths.lookup(text).unwrap();
    assert_eq!(look("EXPORTS").text, "/h/Documents/local_storage/exports");
    assert_eq!(look("{WORKING_USER}//a").text, "/h/a");
    let unknown = look("{REPORTS}/a");
    assert_eq!(
        (unknown.text.as_str(), unknown.unknown),
        ("{REPORTS}/a", vec!["REPORTS".to_owned()])
    );
    let refused = paths.lookup("EXPORT").unwrap_err().to_string();
    assert!(refused.contains("did you mean EXPORTS?"), "{refused}");
    assert!(paths.lookup("{DEBUG").is_err());
}

#[test]
fn files_are_merged_in_the_order_of_their_names_at_top_level() {
    let other = DOCUMENTED.replace("Documents", "Other");
    let files = [
        ("b.yaml", DOCUMENTED),
        ("a.yaml", other.as_str()),
        (".c.yaml", "]"),
    ];
    let paths = load(&files).unwrap().unwrap();
    assert_eq!(paths.lookup("PROJECT_ROOT").unwrap().text, "/h/Documents");
    assert!(
        load(&[("options.yaml", "options: {}\n"), ("empty.yaml", "")])
            .unwrap()
            .is_none()
    );
}

#[test]
fn local_counts_at_top_level_alone() {
    let text = format!("{DOCUMENTED}local:\n fetch: false\n cache_locally: yes\n");
    let local = load(&[("paths.yaml", &text)]).unwrap().unwrap().local;
    assert_eq!(
        (local.debug, local.fetch, local.cache_locally),
        (true, false, true)
    );
    assert!(error("local:\n debug: perhaps\n").contains("local.debug"));
}

#[test]
fn what_cannot_be_resolved_is_named() {
    let replaced = |from: &str, to: &str| error(&DOCUMENTED.replace(from, to));
    assert!(replaced(" REPORTS", " REPORT").contains("REPORTS must be there"));
    assert!(
        replaced("'{WORKING_USER}/Documents'", "'{HOME}/x'").contains("PROJECT_ROOT: the placeholder {HOME}")
    );
    assert!(replaced("'{PROJECT_ROOT}/reports'", "'{DEBUG}/x'").contains("only {PROJECT_ROOT} is"));
    assert!(replaced("'{PROJECT_ROOT}/reports'", "'{PROJECT_ROOT/x'").contains("without its }"));
    assert!(replaced("create: []", "create: ['{NOPE}']").contains("create: the placeholder {NOPE}"));
    assert!(replaced("create: []", "create: x").contains("create must be a list"));
    assert!(error("paths:\n").contains("must be a map"));
    assert!(error("- x\n").contains("not a map"));
    assert!(error("a: [").contains("paths.yaml"));
}

#[test]
fn create_makes_the_four_and_those_listed() {
    let home = tempfile::tempdir().unwrap();
    std::fs::write(
        home.path().join("paths.yaml"),
        DOCUMENTED.replace("create: []", "create: ['{PROJECT_ROOT}/more/deep']"),
    )
    .unwrap();
    let user = home.path().to_str().unwrap();
    let paths = Paths::load(home.path(), user).unwrap().unwrap();
    for _ in 0..2 {
        let made = paths.create().unwrap();
        assert_eq!(made.len(), 4, "{made:?}");
        assert!(made.iter().all(|path| Path::new(path).is_dir()));
    }
    std::fs::remove_dir_all(home.path().join("Documents")).unwrap();
    std::fs::write(home.path().join("Documents"), "a file").unwrap();
    let refused = paths.create().unwrap_err().to_string();
    assert!(refused.contains("Documents cannot be made"), "{refused}");
}

proptest::proptest! {
    #[test]
    fn no_map_makes_it_panic(root in "\\PC{0,20}", storage in "[{}A-Z_/]{0,30}", create in "\\PC{0,20}") {
        let quote = |text: &str| format!("'{}'", text.replace('\'', "''"));
        let text = format!(
            "paths:\n PROJECT_ROOT: {}\n LOCAL_STORAGE: {}\n DEBUG: x\n REPORTS: x\n create: [{}]\n",
            quote(&root), quote(&storage), quote(&create)
        );
        let _ = load(&[("paths.yaml", &text)]);
    }
}
