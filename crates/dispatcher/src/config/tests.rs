use super::*;

fn load(toml: &str, environment: &[(&str, &str)]) -> Result<Config, String> {
    let environment = environment.iter().copied().collect();
    Config::from_table(toml.parse().unwrap(), &environment).map_err(|error| error.to_string())
}

#[test]
fn without_a_file_everything_comes_from_the_environment() {
    let config =
        load("", &[("TIKTOK_PIXEL_ID", "PIXEL"), ("TIKTOK_TEST_SECRET", "s"), ("OUTBOUND_MODE", "mock")])
            .unwrap();
    let names: Vec<&str> = config.sinks.iter().map(|sink| sink.name.as_str()).collect();
    assert_eq!(names, ["tiktok", "google-ads"]);
    assert_eq!(config.outbound.mode, OutboundMode::Mock);
    assert_eq!(config.server.listen.to_string(), "127.0.0.1:8080");
    assert_eq!(config.store.url, "sqlite://signalbox.db");
    assert_eq!(config.sinks[0].settings.0.get("pixel_id").unwrap().as_str(), Some("PIXEL"));
    assert!(config.sinks[0].options.test_secret.as_ref().unwrap().matches("s"));
    assert_eq!(load("", &[("SIGNALBOX_SINKS", "tiktok")]).unwrap().sinks.len(), 1);
}

#[test]
fn the_environment_wins_over_the_file_and_empty_is_unset() {
    let file = r#"
        [server]
        listen = "127.0.0.1:1"
        [[sinks]]
        kind = "tiktok"
        pixel_id = "FILE"
        access_token = "FILE"
        [sinks.events]
        TRIAL_BOOKED = "Lead"
        OTHER = "Contact"
        [[sinks]]
        kind = "tiktok"
        name = "tiktok-eu"
        pixel_id = "EU"
    "#;
    let environment = [
        ("SIGNALBOX_LISTEN", "127.0.0.1:2"),
        ("TIKTOK_PIXEL_ID", "ENV"),
        ("TIKTOK_ACCESS_TOKEN", ""),
        ("TIKTOK_EVENT_ACTIONS", "TRIAL_BOOKED=CompleteRegistration, APPOINTMENT_UPDATED="),
    ];
    let config = load(file, &environment).unwrap();
    assert_eq!(config.server.listen.port(), 2);
    let text = |sink: usize, key: &str| {
        config.sinks[sink].settings.0.get(key).and_then(|v| v.as_str().map(str::to_owned))
    };
    assert_eq!(text(0, "pixel_id").as_deref(), Some("ENV"));
    assert_eq!(text(0, "access_token").as_deref(), Some("FILE"));
    assert_eq!(
        text(1, "pixel_id").as_deref(),
        Some("EU"),
        "the variables speak to the sink named like its kind"
    );
    let events = config.sinks[0].settings.0["events"].as_table().unwrap();
    let pairs: Vec<(&str, &str)> = events.iter().map(|(k, v)| (k.as_str(), v.as_str().unwrap())).collect();
    assert_eq!(
        pairs,
        [("APPOINTMENT_UPDATED", ""), ("OTHER", "Contact"), ("TRIAL_BOOKED", "CompleteRegistration")]
    );
}

#[test]
fn a_list_of_the_environment_stands_in_place_of_the_files() {
    let file = "[[sinks]]\nkind = 'google-ads'\nretract_on = ['FILE']";
    for (variable, expected) in [("", &["FILE"][..]), ("A", &["A"]), (" A, B ,", &["A", "B"]), (",", &[])] {
        let config = load(file, &[("GOOGLE_ADS_RETRACT_ON", variable)]).unwrap();
        let names = config.sinks[0].settings.0["retract_on"].as_array().unwrap();
        let names: Vec<&str> = names.iter().map(|name| name.as_str().unwrap()).collect();
        assert_eq!(names, expected, "{variable:?}");
    }
}

#[test]
fn references_are_replaced() {
    let file = r#"
        [[sinks]]
        kind = "tiktok"
        pixel_id = "${PIXEL}"
        partner_name = "${PARTNER:-Nobody}-x"
    "#;
    let config = load(file, &[("PIXEL", "P1")]).unwrap();
    assert_eq!(config.sinks[0].settings.0["pixel_id"].as_str(), Some("P1"));
    assert_eq!(config.sinks[0].settings.0["partner_name"].as_str(), Some("Nobody-x"));
    let error = load(file, &[]).unwrap_err();
    assert_eq!(
        error,
        "sinks[0].pixel_id: the variable PIXEL is not set; set it, or write ${PIXEL:-} where it may be missing"
    );
}

#[test]
fn mistakes_name_the_setting_and_the_mend() {
    for (file, environment, error) in [
        ("[sever]", vec![], "configuration: there is no section [sever]; did you mean [server]?"),
        (
            "[server]\nlisen = '127.0.0.1:1'",
            vec![],
            "[server]: `lisen` is not a setting; did you mean `listen`?",
        ),
        (
            "[delivery]\nretry_for = '14'",
            vec![],
            "[delivery]: `retry_for`: must be a whole number with a unit: 30s, 15m, 6h or 14d",
        ),
        (
            "[[sinks]]\nkind = 'tictok'",
            vec![],
            "sink tictok: there is no sink of kind `tictok`; did you mean `tiktok`?",
        ),
        ("[[sinks]]\nname = 'x'", vec![], "[[sinks]]: `kind` is missing"),
        (
            "[[sinks]]\nkind = 'tiktok'\n[[sinks]]\nkind = 'tiktok'",
            vec![],
            "sink tiktok: is configured twice",
        ),
        (
            "[[sinks]]\nkind = 'tiktok'\nmax_batch = 1001",
            vec![],
            "sink tiktok: max_batch must lie between 1 and 1000",
        ),
        (
            "[[sinks]]\nkind = 'tiktok'\nsend_denied = true",
            vec![],
            "sink tiktok: send_denied: TikTok has no field",
        ),
        (
            "[[keys]]\nname = 'k'\nsha256 = 'zz'\nscopes = ['read']",
            vec![],
            "keys[0]: `sha256`: must be 64 hex digits",
        ),
        (
            "",
            vec![("TIKTOK_EVENT_ACTIONS", "TRIAL_BOOKED")],
            "sink tiktok: TIKTOK_EVENT_ACTIONS must have the form",
        ),
        (
            "",
            vec![("GOOGLE_ADS_SEND_IP", "perhaps")],
            "sink google-ads: GOOGLE_ADS_SEND_IP must be true or false",
        ),
        ("sinks = []", vec![], "[[sinks]]: no sink is configured"),
        ("[delivery]\nretry_for = '0s'", vec![], "[delivery] retry_for: must be longer than nothing"),
        ("[attribution]\nkeep_for = '0s'", vec![], "[attribution] keep_for: must be longer than nothing"),
        (
            "[attribution]\nvisits_per_minute = 0",
            vec![],
            "[attribution]: `visits_per_minute`: invalid value: integer …, expected a nonzero u32",
        ),
        (
            "[attribution]\ncookie_domain = 'academy.example'",
            vec![("SIGNALBOX_PUBLIC_URL", "https://signals.elsewhere.example")],
            "[attribution] cookie_domain: browsers take no cookie for academy.example from signals.elsewhere.example",
        ),
    ] {
        let refused = load(file, &environment).unwrap_err();
        assert!(refused.starts_with(error), "{refused}\n{error}");
    }
}

#[test]
fn origins_and_cookie_domains_are_as_browsers_have_them() {
    let attribution = |setting: String| load(&format!("[attribution]\n{setting}"), &[]).map(drop);
    for (origin, is_one) in [
        ("https://academy.example", true),
        ("http://localhost:3000", true),
        ("http://127.0.0.1:3000", true),
        ("http://[::1]:3000", true),
        ("https://academy.example/", false),
        ("https://academy.example:443", false),
        ("http://academy.example:80", false),
        ("https://Academy.example", false),
        ("https://académie.example", false),
        ("https://ann@academy.example", false),
        ("https://*.academy.example", false),
        ("ftp://academy.example", false),
        ("academy.example", false),
        ("null", false),
        ("*", false),
    ] {
        let read = attribution(format!("origins = ['{origin}']"));
        let expected = format!("[attribution] origins: `{origin}` is not an origin as browsers send it");
        assert_eq!(read.is_ok(), is_one, "{origin}: {read:?}");
        assert!(read.err().is_none_or(|error| error.starts_with(&expected)), "{origin}");
    }
    for (domain, is_one) in [
        ("academy.example", true),
        ("localhost", true),
        (".academy.example", false),
        ("https://academy.example", false),
        ("academy.example:443", false),
        ("academy.example; Secure", false),
        ("127.0.0.1", false),
    ] {
        let read = attribution(format!("cookie_domain = '{domain}'"));
        let expected = format!("[attribution] cookie_domain: `{domain}` is not a host name");
        assert_eq!(read.is_ok(), is_one, "{domain}: {read:?}");
        assert!(read.err().is_none_or(|error| error.starts_with(&expected)), "{domain}");
    }
    let within = [("SIGNALBOX_PUBLIC_URL", "https://signals.academy.example")];
    assert!(load("[attribution]\ncookie_domain = 'academy.example'", &within).is_ok());
}

#[test]
fn without_keys_only_this_machine_is_served() {
    let open = |environment: &[(&str, &str)]| {
        load("", environment).unwrap().check_exposure().map_err(|e| e.to_string())
    };
    let everywhere = ("SIGNALBOX_LISTEN", "0.0.0.0:8080");
    assert!(
        open(&[everywhere])
            .unwrap_err()
            .starts_with("[server] listen: refusing to listen on 0.0.0.0:8080 without API keys")
    );
    assert!(open(&[everywhere, ("SIGNALBOX_API_KEY", "k")]).is_ok());
    assert!(open(&[]).is_ok());
}

/// Every secret that there is, in the file, over it and for connectors under another name.
#[test]
fn no_secret_is_printed() {
    let file = r#"
        [qstash]
        token = "hunter2"
        current_signing_key = "hunter2"
        next_signing_key = "hunter2"
        [[sinks]]
        kind = "tiktok"
        access_token = "hunter2"
        test_secret = "hunter2"
        [[sinks]]
        kind = "google-ads"
        client_secret = "hunter2"
        refresh_token = "hunter2"
        developer_token = "hunter2"
        test_secret = "hunter2"
        [[sources]]
        kind = "acuity"
        user_id = "12345"
        api_key = "hunter2"
        webhook_keys = ["hunter2"]
    "#;
    let environment: Environment = [
        ("SIGNALBOX_API_KEY", "hunter2"),
        ("SIGNALBOX_PUBLIC_URL", "https://signalbox.example"),
        ("QSTASH_TOKEN", "hunter2"),
        ("TIKTOK_ACCESS_TOKEN", "hunter2"),
        ("GOOGLE_ADS_CLIENT_SECRET", "hunter2"),
        ("ACUITY_API_KEY", "hunter2"),
        ("ACUITY_WEBHOOK_KEYS", "hunter2,hunter2"),
    ]
    .into_iter()
    .collect();
    let config = Config::from_table(file.parse().unwrap(), &environment).unwrap();
    let printed = format!("{config:?} {environment:?} {:?}", config.queue_link().unwrap().unwrap());
    assert!(printed.contains("TIKTOK_ACCESS_TOKEN") && !printed.contains("hunter2"), "{printed}");
    for sink in &config.sinks {
        let built = crate::service::build_sink(&config, sink).unwrap();
        assert!(!format!("{built:?}").contains("hunter2"), "{built:?}");
    }
    let source = crate::service::build_source(&config.sources[0]).unwrap();
    assert!(!format!("{source:?}").contains("hunter2"), "{source:?}");
}

/// Settings that connectors, and the program itself, read as secrets.
#[test]
fn what_is_read_as_a_secret_is_one_by_its_name() {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let folders = std::fs::read_dir(&crates).unwrap().map(|entry| entry.unwrap().path());
    let own = ["sections.rs", "sink.rs"].map(|name| crates.join("dispatcher/src/config").join(name));
    let files: Vec<_> =
        folders.map(|folder| folder.join("src/config.rs")).filter(|file| file.exists()).collect();
    let mut seen = 0;
    for file in files.iter().chain(&own) {
        for line in std::fs::read_to_string(file).unwrap().lines() {
            let Some((name, kind)) = line.trim().trim_end_matches(',').rsplit_once(": ") else { continue };
            if ["Secret", "Option<Secret>", "Vec<Secret>"].contains(&kind) && !name.contains("fn ") {
                seen += 1;
                let name = name.rsplit(' ').next().unwrap();
                assert!(private::is_secret(name), "{name} of {}", file.display());
            }
        }
    }
    assert!(seen >= 10, "{seen}");
}

#[test]
fn a_secret_without_quotes_is_not_repeated() {
    for file in [
        "[qstash]\ntoken = 72941",
        "[[sinks]]\nkind = 'tiktok'\ntest_secret = 72941",
        "[[sinks]]\nkind = 'tiktok'\naccess_token = 72941",
        "[[sources]]\nkind = 'acuity'\nuser_id = '1'\napi_key = 72941",
    ] {
        let refused = match load(file, &[]) {
            Err(refused) => refused,
            Ok(config) => match config.sources.first() {
                Some(source) => crate::service::build_source(source).unwrap_err().to_string(),
                None => crate::service::build_sink(&config, &config.sinks[0]).unwrap_err().to_string(),
            },
        };
        assert!(refused.contains("must be text, in quotes") && !refused.contains("72941"), "{refused}");
    }
}

#[cfg(unix)]
#[test]
fn a_file_with_secrets_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;

    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("signalbox.toml");
    let load = |toml: &str, mode: u32| {
        std::fs::write(&path, toml).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        Config::load(Some(&path), &[("TOKEN", "hunter2")].into_iter().collect()).map_err(|e| e.to_string())
    };
    let secret = "[[sinks]]\nkind = 'tiktok'\naccess_token = 'hunter2'";
    let reference = "[[sinks]]\nkind = 'tiktok'\naccess_token = '${TOKEN}'";
    for (toml, mode, error) in [
        (secret, 0o600, None),
        (secret, 0o400, None),
        (secret, 0o644, Some("sinks[0].access_token")),
        (secret, 0o604, Some("sinks[0].access_token")),
        (reference, 0o644, None),
        ("[qstash]\ntoken = 'hunter2'", 0o666, Some("qstash.token")),
        ("[server]\nlisten = '127.0.0.1:1'", 0o644, None),
    ] {
        let read = load(toml, mode).err();
        let expected = error.map(|what| {
            format!(
                "{path} can be read by others than its owner, and holds {what}: chmod 600 {path}, or, where it is \
                 mounted, give it the mode 0400",
                path = path.display()
            )
        });
        assert_eq!(read, expected, "{toml} {mode:o}");
    }
}

#[test]
fn keys_have_scopes() {
    // printf %s read-key | sha256sum
    let file = "[[keys]]\nname = 'k'\nsha256 = '8578df6c579d44d3bf7caeada69ed9cbca30b318a50a0e60216b46760edf5477'\nscopes = ['read']";
    let config = load(file, &[("SIGNALBOX_API_KEY", "all"), ("SIGNALBOX_LISTEN", "0.0.0.0:80")]).unwrap();
    assert!(config.keys.find("nobody").is_none());
    let reader = config.keys.find("read-key").unwrap();
    assert!(reader.allows(Scope::Read) && !reader.allows(Scope::Ingest) && !reader.allows(Scope::Admin));
    let key = config.keys.find("all").unwrap();
    assert!(key.allows(Scope::Ingest) && key.allows(Scope::Read) && key.allows(Scope::Admin));
}
