//! What leaves the dashboard: files, pages for the browser, links to be opened.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use gatepost::client::Message;
use gatepost::tui::open;
use gatepost::tui::open::Platform;
use gatepost::tui::reader::links::Link;
use gatepost::tui::save;
use proptest::prelude::*;

fn mode(path: &Path) -> u32 {
    std::fs::metadata(path).unwrap().permissions().mode() & 0o777
}

#[test]
fn names_of_attachments_are_plain() {
    for (given, saved) in [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Windows\\system32\\x.dll", "x.dll"),
        ("/etc/", "attachment-2.bin"),
        ("..", "attachment-2.bin"),
        ("", "attachment-2.bin"),
        (" \u{200b}\u{3164}.", "attachment-2.bin"),
        (".bashrc", "bashrc"),
        ("-rf", "_-rf"),
        ("~root", "_~root"),
        ("CON", "_CON"),
        ("nul.txt", "_nul.txt"),
        ("Com1.log", "_Com1.log"),
        ("a\u{1b}[2Jb\u{202e}gpj.exe", "a[2Jbgpj.exe"),
        ("發票 11月.pdf", "發票 11月.pdf"),
        ("a\nb:c?.txt", "a b_c_.txt"),
        ("x.txt. . ", "x.txt"),
    ] {
        assert_eq!(save::attachment_name(Some(given), 1), saved, "{given:?}");
    }
    assert_eq!(save::attachment_name(None, 0), "attachment-1.bin");
    let long = save::attachment_name(Some(&("字".repeat(300) + ".pdf")), 0);
    assert!(long.len() <= 150 && long.ends_with("字.pdf"));
    assert_eq!(save::mail_name(Some("Re: a/b"), "412"), "Re_ a_b 412.eml");
    assert_eq!(save::mail_name(None, "../x"), "mail x.eml");
}

#[test]
fn nothing_is_overwritten_and_links_are_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let first = save::save(folder.path(), "a.tar.gz", b"1").unwrap();
    let second = save::save(folder.path(), "a.tar.gz", b"2").unwrap();
    assert_eq!(first, folder.path().join("a.tar.gz"));
    assert_eq!(second, folder.path().join("a.tar (2).gz"));
    assert_eq!(
        (std::fs::read(&first).unwrap(), mode(&first)),
        (b"1".to_vec(), 0o600)
    );
    let elsewhere = folder.path().join("elsewhere");
    std::os::unix::fs::symlink(&elsewhere, folder.path().join("link")).unwrap();
    let saved = save::save(folder.path(), "link", b"3").unwrap();
    assert_eq!(saved, folder.path().join("link (2)"));
    assert!(!elsewhere.exists());
    let outside = save::save(folder.path(), "../../up", b"4").unwrap();
    assert_eq!(outside, folder.path().join("up"));
    assert!(save::save(&folder.path().join("no such folder"), "a", b"").is_err());
}

proptest! {
    #[test]
    fn any_name_is_one_plain_name(
        name in prop_oneof![
            any::<String>(),
            "([./\\\\ ~-]|\\PC|con|nul|com[0-9¹]|\u{202e}|\u{0}|\u{1b}){0,60}",
            "\\PC{100,400}",
        ],
        index in 0..1_000_usize,
    ) {
        let plain = save::attachment_name(Some(&name), index);
        prop_assert!(!plain.is_empty() && plain.len() <= 152, "{:?}", plain);
        prop_assert!(!plain.contains(['/', '\\', '\0', ':', '\n']), "{:?}", plain);
        prop_assert!(!plain.starts_with(['.', '-', '~', ' ']), "{:?}", plain);
        prop_assert!(!plain.ends_with(['.', ' ']), "{:?}", plain);
        prop_assert!(!plain.chars().any(gatepost::text::hides), "{:?}", plain);
        prop_assert_eq!(Path::new(&plain).components().count(), 1);
        prop_assert_eq!(save::attachment_name(Some(&plain), index), plain);
    }
}

#[test]
fn the_page_for_the_browser_locks_the_mail_up() {
    let mut message = Message::default();
    message.summary.subject = Some("<script>alert(1)</script>\u{202e}".to_owned());
    message.summary.from = Some("\"a\" <a@example.com>".to_owned());
    let html = "\"></iframe><script>alert(2)</script><img src='//example.org/pixel'>&quot;";
    let page = open::page(&message, Some(html));
    assert!(!page.contains("<script") && page.matches("<iframe").count() == 1);
    assert!(page.contains("&lt;script&gt;alert(1)&lt;/script&gt;</title>"));
    // The first thing in the page and in the frame is the policy.
    let policy = "Content-Security-Policy";
    assert!(page.find(policy).unwrap() < page.find("<title>").unwrap());
    let frame = page.split_once("<iframe sandbox ").unwrap().1;
    let source = frame.split_once("srcdoc=\"").unwrap().1;
    let source = source.split_once('"').unwrap().0;
    assert!(source.find(policy).unwrap() < source.find("alert(2)").unwrap());
    assert!(source.contains("default-src &#39;none&#39;") && source.contains("&amp;quot;"));
    assert!(!frame.contains("allow-"));

    message.text = Some("a < b".to_owned());
    assert!(open::page(&message, None).contains("<pre>a &lt; b</pre>"));
}

#[test]
fn pages_lie_where_only_their_owner_looks() {
    let parent = tempfile::tempdir().unwrap();
    let folder = open::Folder::create(parent.path(), "01J8ZC4T").unwrap();
    assert!(open::Folder::create(parent.path(), "01J8ZC4T").is_err());
    let page = folder.write(1, "<p>").unwrap();
    assert_eq!((mode(&page), mode(page.parent().unwrap())), (0o600, 0o700));
    assert!(folder.write(1, "again").is_err());
    folder.remove().unwrap();
    assert!(!page.exists());
}

#[test]
fn only_links_of_the_web_are_opened_and_without_a_shell() {
    let command =
        open::link_command(Platform::Linux, &Link::new("HTTPS://example.com/a;b&c")).unwrap();
    assert_eq!(command.get_program(), "xdg-open");
    assert_eq!(
        command.get_args().collect::<Vec<_>>(),
        ["https://example.com/a;b&c"]
    );
    for url in [
        "javascript:alert(1)",
        "file:///etc/passwd",
        "mailto:a@example.com",
        "-x",
        "data:,x",
    ] {
        assert!(
            open::link_command(Platform::Mac, &Link::new(url)).is_none(),
            "{url}"
        );
    }
    let page = open::page_command(Platform::Windows, Path::new("/tmp/x.html"));
    assert_eq!(page.get_program(), "rundll32.exe");
}
