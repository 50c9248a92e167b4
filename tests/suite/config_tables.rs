//! Settings that are tables of the file: the dashboard's keys, colours and columns.

use crate::config::Project;

const FILE: &str = "[dashboard]\ntheme = \"light\"\n\n[dashboard.keys]\nretry = \"r\"\n\
                    requeue = [\"e\", \"ctrl-e\"]\n\n[dashboard.columns]\noutbox = [\"state\", \"to\"]\n";

#[test]
fn a_table_of_the_file_is_one_setting_with_many_pairs() {
    let project = Project::new().file("gatepost.toml", FILE);
    let settings = project.load().unwrap();
    let keys: Vec<_> = settings.dashboard.keys.into_iter().collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(keys, [pair("requeue", "e,ctrl-e"), pair("retry", "r")]);
    assert_eq!(settings.dashboard.columns["outbox"], "state,to");
    assert!(settings.dashboard.colors.is_empty());
    let (shown, source) = project.shown("dashboard.keys");
    assert_eq!(shown, "retry=r; requeue=e,ctrl-e");
    assert_eq!(source, "gatepost.toml:5");

    // As every setting, it can be set in the environment, which counts more.
    let project = project.env("GATEPOST_DASHBOARD_KEYS", "quit=Q; retry = R");
    let keys = project.load().unwrap().dashboard.keys;
    assert_eq!(keys.into_values().collect::<Vec<_>>(), ["Q", "R"]);
}

#[test]
fn what_is_no_pair_or_no_table_is_told() {
    let errors = |name: &str, value: &str| Project::new().env(name, value).errors();
    let said = errors("GATEPOST_DASHBOARD_KEYS", "retry");
    assert!(said.contains("name=value"), "{said}");
    let said = errors("GATEPOST_DASHBOARD_KEYS", "a=1;a=2");
    assert!(said.contains("a stands twice"), "{said}");
    let said = errors("GATEPOST_DASHBOARD_THEME", "pink");
    assert!(said.contains("auto, light, dark or plain"), "{said}");
    let file = Project::new().file("gatepost.toml", "[dashboard.kyes]\nretry = \"r\"\n");
    let said = file.errors();
    assert!(said.contains("dashboard.kyes.retry"), "{said}");
    assert!(said.contains("gatepost.toml:2"), "{said}");
}
