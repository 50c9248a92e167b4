//! The sanitiser at work on what strangers try. What must not live here: style sheets and
//! pictures, whose rules are tried where they are.

use super::elements::kept;
use super::picture::tests::png;
use super::rewrite::{DEPTH, ELEMENTS, FORMATTING, TABLES};
use super::*;

fn shown(html: &str) -> SafeHtml {
    clean(html, Vec::new(), Remote::LeftOut)
}

/// The body of the document.
fn body(html: &str) -> String {
    let safe = shown(html).html;
    let (_, body) = safe.split_once("<body>").expect("a plain body");
    body.strip_suffix("</body></html>").unwrap().to_owned()
}

#[test]
fn a_mail_looks_as_its_author_meant() {
    let html = "<!doctype html><html lang=en dir=ltr><head><title>No</title>\
        <meta name=color-scheme content='light dark'><style>p{color:red}</style>\
        <style media=print>b{x:y}</style></head>\
        <body class=x bgcolor='#eee' style='margin:0;background:url(http://a.test)'>\
        <center><table width=600 cellpadding=0><tr><td align=center bgcolor=red>\
        <font face=Arial size=2>a &amp; b</font><a href='https://example.com/?a=1&amp;b=2'>go</a>\
        </td></tr></table></center></body></html>";
    let safe = shown(html);
    assert_eq!(
        safe.html,
        "<!doctype html><html lang=\"en\" dir=\"ltr\"><head><meta charset=\"utf-8\">\
         <meta name=\"referrer\" content=\"no-referrer\">\
         <meta name=\"color-scheme\" content=\"light dark\">\
         <style>p{color:red}\n@media print{b{x:y}}\n</style></head>\
         <body class=\"x\" bgcolor=\"#eee\" style=\"margin:0;\">\
         <center><table width=\"600\" cellpadding=\"0\"><tbody><tr><td align=\"center\" \
         bgcolor=\"red\"><font face=\"Arial\" size=\"2\">a &amp; b</font>\
         <a href=\"https://example.com/?a=1&amp;b=2\" target=\"_blank\" \
         rel=\"noopener noreferrer nofollow\">go</a></td></tr></tbody></table></center></body></html>"
    );
    assert_eq!((safe.remote_pictures, safe.never_fetched), (0, 1));
    assert!(safe.whole);
}

/// Whether anything in the document could run, lead elsewhere or fetch. It is read in a crude
/// way of its own: every `<` must begin an element that is known, every attribute be harmless.
fn assert_harmless(html: &str, from: &str) {
    let (head, rest) = html.split_once("<style>").unwrap();
    let (style, rest) = rest.split_once("</style>").unwrap();
    assert!(!style.contains("</") && !style.contains("url(h"), "{style}");
    assert!(head.matches('<').count() <= 6, "{head}");
    let known: Vec<&str> = kept().chain(["body", "head", "html"]).collect();
    let mut rest = rest;
    while let Some((_, tag)) = rest.split_once('<') {
        let tag = tag.strip_prefix('/').unwrap_or(tag);
        let end = tag.find(|c: char| !c.is_ascii_alphanumeric()).unwrap();
        assert!(known.contains(&&tag[..end]), "{}: {from}", &tag[..end]);
        rest = &tag[end..];
        while let Some(attribute) = rest.strip_prefix(' ') {
            let (name, value) = attribute.split_once("=\"").unwrap();
            let (value, behind) = value.split_once('"').unwrap();
            let plain = name.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
            assert!(plain && !name.starts_with("on"), "{name}: {from}");
            let link = ["http://", "https://", "mailto:", "tel:"];
            let is_link = link.iter().any(|scheme| value.starts_with(scheme));
            match name {
                "href" => assert!(is_link, "{value}: {from}"),
                "src" => assert!(value.starts_with("data:image/"), "{value}: {from}"),
                "style" => assert!(!value.contains("url(h"), "{value}: {from}"),
                "target" => assert_eq!(value, "_blank"),
                "rel" => assert_eq!(value, "noopener noreferrer nofollow"),
                _ => assert!(!["srcdoc", "srcset", "action", "background"].contains(&name)),
            }
            rest = behind;
        }
        assert!(rest.starts_with('>'), "{rest}: {from}");
    }
}

#[test]
fn nothing_that_strangers_try_gets_through() {
    for html in ATTACKS {
        let safe = shown(html);
        assert_harmless(&safe.html, html);
        // What is safe stays as it is.
        assert_harmless(&shown(&safe.html).html, html);
    }
    for html in ATTACKS {
        for around in [
            "<table>X",
            "<svg>X",
            "<math><mtext>X",
            "<select>X",
            "<p title=\"X",
            "<!--X",
        ] {
            let html = around.replace('X', html);
            assert_harmless(&shown(&html).html, &html);
        }
    }
}

const ATTACKS: &[&str] = &[
    "<script>alert(1)</script>x",
    "<SCRIPT/SRC=//a.test></SCRIPT>",
    "<scr<script>ipt>alert(1)</scr</script>ipt>",
    "<scr\0ipt>alert(1)</scr\0ipt>",
    "<img src=x onerror=alert(1)>",
    "<img/src/onerror=alert(1)//",
    "<img src=x on\0error=alert(1) ONERROR\n=\n'alert(1)'>",
    "<p onclick=alert(1) onfoo=alert(1)>x",
    "<svg onload=alert(1)><script>alert(1)</script></svg>",
    "<svg><style><img src=x onerror=alert(1)></style></svg>",
    "<svg></p><style><a id=\"</style><img src=1 onerror=alert(1)>\">",
    "<math><mi xlink:href=javascript:alert(1)>x</mi></math>",
    "<form><math><mtext></form><form><mglyph><style></math><img src onerror=alert(1)>",
    "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(1)&gt;\">",
    "<noscript><p title=\"</noscript><img src=x onerror=alert(1)>\"></noscript>",
    "<xmp><p title=\"</xmp><img src=x onerror=alert(1)>\">",
    "<textarea><p title=\"</textarea><img src=x onerror=alert(1)>\">",
    "<title><p title=\"</title><img src=x onerror=alert(1)>\">",
    "<style><p title=\"</style><img src=x onerror=alert(1)>\">",
    "<listing>&lt;img src=x onerror=alert(1)&gt;</listing>",
    "<plaintext></plaintext><img src=x onerror=alert(1)>",
    "<!--><img src=x onerror=alert(1)>-->",
    "<!-- --!><img src=x onerror=alert(1)> -->",
    "<![CDATA[><img src=x onerror=alert(1)>]]>",
    "<? x=\"><img src=x onerror=alert(1)>\"?>",
    "<a href=javascript:alert(1)>x</a><a href=' javascript:alert(1)'>x</a>",
    "<a href=\"java\nscript:alert(1)\">x</a><a href=\"&#14;javascript:alert(1)\">x</a>",
    "<a href=\"&#x6A&#x61&#x76&#x61script&colon;alert(1)\">x</a>",
    "<a href=\"java&Tab;script:alert(1)\">x</a><a href=\"java\0script:alert(1)\">x</a>",
    "<a href=vbscript:x>x</a><a href='data:text/html,<script>alert(1)</script>'>x</a>",
    "<a href=blob:x>x</a><a href=file:///etc/passwd>x</a><a href=//a.test>x</a><a href=/inbox/>x</a>",
    "<a href=https://example.com target=_top rel=opener ping=//a.test download>x</a>",
    "<area href=javascript:alert(1)><map name=x><area href=https://example.com target=_self></map>",
    "<iframe src=//a.test></iframe><iframe srcdoc='<script>alert(1)</script>'></iframe>",
    "<object data=x><embed src=x></object><applet code=x><frameset><frame src=x>",
    "<base href=//a.test><link rel=stylesheet href=//a.test><meta http-equiv=refresh content='0;url=x'>",
    "<form action=//a.test><input name=x formaction=javascript:x><button>y</button></form>",
    "<template><script>alert(1)</script></template><div><template shadowrootmode=open><img src=x>",
    "<video src=x poster=y><source src=z></video><audio src=x><bgsound src=x>",
    "<img srcset='//a.test 1x' lowsrc=x dynsrc=y><picture><source srcset=x><img src=//a.test></picture>",
    "<image src=x onerror=alert(1)><isindex action=x><keygen><dialog open>x",
    "<body background=//a.test onload=alert(1)><table background=x><td background=y>z",
    "<html onclick=alert(1) manifest=x><body \"onload=alert(1)><p>",
    "<p style=\"background:url(//a.test)\">x<p style=\"x:expression(alert(1))\">",
    "<p style=\"x:'&quot;&gt;&lt;img src=x onerror=alert(1)&gt;'\">x",
    "<a title=\"&lt;/a&gt;&lt;img src=x onerror=alert(1)&gt;\" class='\"><img src=x onerror=alert(1)>'>",
    "<p id='\"><script>' lang=\"'><script>\" title=`><script>`>",
    "<img src=data:image/svg+xml,<svg/onload=alert(1)>><img src=data:text/html,x>",
    "<img src=javascript:alert(1)><img src=http:a.test><img src='ht\ntp://a.test'>",
    "<x-y is=script slot=a>z</x-y><portal src=x></portal><marquee onstart=alert(1)>",
    "<table><caption><svg><title><style><img title='</style><img src=x onerror=alert(1)>'>",
    "<b><a href=https://example.com><table><b><td><a href=https://example.com></b><p></a>",
    "<a href=\"https://example.com/&quot;onmouseover=&quot;alert(1)\">x</a>",
    "&lt;script&gt;alert(1)&lt;/script&gt;&#60;img src=x onerror=alert(1)&#62;",
    "<",
    "</",
    "<a",
    "<a href=\"",
    "<a href=\"x\"",
    "<!",
    "<!--",
    "<style>",
    "<script",
    "</p><//p></ p>",
];

#[test]
fn what_is_left_out_leaves_the_text_around_it() {
    assert_eq!(body("a<script>b</script>c"), "ac");
    assert_eq!(body("<form>a<input>b<button>c</button></form>"), "abc");
    assert_eq!(body("<noscript>a</noscript><o:p>b</o:p>"), "ab");
    assert_eq!(
        body("<!--[if mso]>a<![endif]-->b<!--[if !mso]><!-->c<!--<![endif]-->"),
        "bc"
    );
    assert_eq!(
        body("1 < 2 &amp;&amp; 3 > 2"),
        "1 &lt; 2 &amp;&amp; 3 &gt; 2"
    );
    assert_eq!(
        body("<p>a<p>b<ul><li>c<li>d</ul>"),
        "<p>a</p><p>b</p><ul><li>c</li><li>d</li></ul>"
    );
    assert_eq!(body("<td>a</td>"), " a ");
}

#[test]
fn pictures_that_the_mail_brings_are_shown() {
    let carried = |id: &str, bytes: Vec<u8>| Carried {
        content_id: id.to_owned(),
        bytes,
    };
    let given = vec![
        carried("a@x", png(2, 2)),
        carried("svg", b"<svg onload='alert(1)'/>".to_vec()),
        carried("bomb", png(60_000, 60_000)),
    ];
    let html = "<img src=cid:a@x><img src='CID:%61%40x'><img src=cid:svg><img src=cid:bomb>\
        <img src=cid:none alt=n>";
    let safe = clean(html, given, Remote::LeftOut);
    assert_eq!(safe.html.matches("src=\"data:image/png;base64,").count(), 2);
    assert_eq!(safe.html.matches("src=").count(), 2);
    assert!(safe.html.contains("<img alt=\"n\">"), "{}", safe.html);
    assert_eq!(safe.remote_pictures, 0);
}

#[test]
fn pictures_that_lie_elsewhere_are_shown_when_asked_for() {
    let html = "<img src=http://a.test/1><img src=' https://a.test/2?a=1&amp;b '><img src=//a.test/3>\
        <img src=ftp://a.test/4><img src=/5><img srcset=//a.test/6><p style='x:url(//a.test/7)'>";
    let safe = shown(html);
    assert!(!safe.html.contains("a.test"), "{}", safe.html);
    assert_eq!((safe.remote_pictures, safe.never_fetched), (3, 2));
    let safe = clean(html, Vec::new(), Remote::Shown);
    for src in [
        "http://a.test/1",
        "https://a.test/2?a=1&amp;b",
        "https://a.test/3",
    ] {
        assert!(
            safe.html.contains(&format!("<img src=\"{src}\">")),
            "{}",
            safe.html
        );
    }
    assert_eq!(safe.html.matches("a.test").count(), 3);
    assert_eq!((safe.remote_pictures, safe.never_fetched), (3, 2));
}

#[test]
fn the_work_is_bounded() {
    let count = |html: &str, what: &str| shown(html).html.matches(what).count();
    assert_eq!(count(&"<b x=1>".repeat(150_000), "<b>"), FORMATTING);
    assert_eq!(count(&"<p><b>".repeat(100_000), "<b>"), ELEMENTS / 2);
    assert_eq!(count(&"<div>".repeat(200_000), "<div>"), DEPTH);
    assert_eq!(count(&"<table><tr><td>".repeat(5_000), "<table>"), TABLES);
    assert_eq!(
        count(&"<a href=https://example.com>".repeat(50_000), "<a "),
        ELEMENTS
    );
    assert!(count(&"<p>x</p>".repeat(100_000), "<p>") <= ELEMENTS);
    for (html, whole) in [
        ("<br>".repeat(100), true),
        ("<br>".repeat(100_000), false),
        ("x".repeat(3 << 20), false),
        ("<b><!-- -->".repeat(200_000), false),
        ("<".repeat(1 << 20), false),
        ("<!--".repeat(1 << 18), true),
        ("</x".repeat(1 << 18), true),
        ("<style>".repeat(1 << 17), false),
        ("<style></style>".repeat(100), true),
        (format!("<style>{}", "p{".repeat(1 << 17)), true),
        (format!("<p style='{}'>", "x:(".repeat(1 << 17)), false),
        (format!("<p {}>", "a=1 ".repeat(1 << 17)), true),
    ] {
        let safe = shown(&html);
        assert_eq!(safe.whole, whole, "{}", &html[..20]);
        assert!(safe.html.len() < 12 << 20);
    }
}

#[test]
fn one_picture_shown_many_times_is_cut() {
    let mut bytes = png(1, 1);
    bytes.resize(3 << 20, 0);
    let carried = vec![Carried {
        content_id: "x".to_owned(),
        bytes,
    }];
    let safe = clean(&"<img src=cid:x>".repeat(1_000), carried, Remote::LeftOut);
    assert_eq!(safe.html.matches("src=").count(), 3);
    assert!(!safe.whole);
}

#[test]
fn two_style_sheets_make_nothing_together() {
    for html in [
        "<style>a<</style><style>/style><link rel=preconnect href=http://t.leak.test/></style>",
        "<style>a{b:c}/</style><style>*x{y:url(http://t.leak.test/)}*/</style>",
        "<style>p{x:y}<</style><style>!--</style>",
    ] {
        let safe = shown(html);
        let (_, rest) = safe.html.split_once("<style>").unwrap();
        let (sheet, rest) = rest.split_once("</style>").unwrap();
        assert!(rest.starts_with("</head><body"), "{}", safe.html);
        for joined in ["/*", "</", "<!", "url("] {
            assert!(!sheet.contains(joined), "{sheet}");
        }
    }
}

#[test]
fn what_is_dropped_from_a_picture_is_not_counted_against_the_text() {
    let nulls = "\0".repeat(20_000);
    let html = format!(
        "<img src='data:image/png;base64,{nulls}'>{}",
        "<p>x</p>".repeat(3)
    );
    assert!(shown(&html).html.contains("<p>x</p>"));
}
