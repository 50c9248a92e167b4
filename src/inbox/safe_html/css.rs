//! Style sheets and `style` attributes without what could fetch. They are cut into tokens as
//! browsers cut them (css-syntax-3), so that no escape or comment hides a `url(`, and written
//! anew from those tokens. A declaration or rule with anything that is not known goes as a whole.

use cssparser::{Parser, ToCss as _, Token};

use super::picture;

/// How deep blocks and brackets may be nested.
const DEPTH: usize = 24;

/// The rules beside ordinary ones that are kept.
const AT_RULES: &[&str] = &[
    "media",
    "supports",
    "layer",
    "container",
    "keyframes",
    "-webkit-keyframes",
    "-moz-keyframes",
];

/// The functions that may stand anywhere, and the selectors that look like functions.
const FUNCTIONS: &[&str] = &[
    "abs",
    "acos",
    "asin",
    "atan",
    "atan2",
    "blur",
    "brightness",
    "calc",
    "circle",
    "clamp",
    "color",
    "color-mix",
    "conic-gradient",
    "contrast",
    "cos",
    "counter",
    "counters",
    "cubic-bezier",
    "drop-shadow",
    "ellipse",
    "env",
    "exp",
    "fit-content",
    "grayscale",
    "hsl",
    "hsla",
    "hue-rotate",
    "hwb",
    "hypot",
    "inset",
    "invert",
    "lab",
    "lch",
    "light-dark",
    "linear-gradient",
    "log",
    "matrix",
    "matrix3d",
    "max",
    "min",
    "minmax",
    "mod",
    "oklab",
    "oklch",
    "opacity",
    "perspective",
    "polygon",
    "pow",
    "radial-gradient",
    "rect",
    "rem",
    "repeat",
    "repeating-conic-gradient",
    "repeating-linear-gradient",
    "repeating-radial-gradient",
    "rgb",
    "rgba",
    "rotate",
    "rotate3d",
    "rotatex",
    "rotatey",
    "rotatez",
    "round",
    "saturate",
    "scale",
    "scale3d",
    "scalex",
    "scaley",
    "scalez",
    "sepia",
    "sign",
    "sin",
    "skew",
    "skewx",
    "skewy",
    "sqrt",
    "steps",
    "tan",
    "translate",
    "translate3d",
    "translatex",
    "translatey",
    "translatez",
    "var",
    "-webkit-linear-gradient",
    "-moz-linear-gradient",
    "-o-linear-gradient",
    "-webkit-radial-gradient",
    "-webkit-gradient",
    "from",
    "to",
    "color-stop",
    "has",
    "is",
    "lang",
    "dir",
    "not",
    "nth-child",
    "nth-last-child",
    "nth-last-of-type",
    "nth-of-type",
    "where",
    "selector",
];

/// Properties that run something in some browser.
const BANNED: &[&str] = &["behavior", "-ms-behavior", "-moz-binding"];

/// What became of it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct SafeCss {
    /// It holds no `</` and no `<!`.
    pub(super) css: String,
    /// How many things it would have fetched.
    pub(super) references: usize,
}

/// A style sheet.
pub(super) fn sheet(css: &str) -> SafeCss {
    safe(css, true)
}

/// The value of a `style` attribute.
pub(super) fn declarations(css: &str) -> SafeCss {
    safe(css, false)
}

fn safe(css: &str, blocks: bool) -> SafeCss {
    let mut writer = Writer {
        blocks,
        references: 0,
    };
    let css = writer.statements(&mut Parser::new(css), 0);
    SafeCss {
        // An end tag would end the style sheet; within a string this is the same character.
        css: css.replace("</", "<\\/").replace("<!", "<\\!"),
        references: writer.references,
    }
}

struct Writer {
    /// Whether there may be blocks.
    blocks: bool,
    references: usize,
}

/// A declaration, or what stands before a block.
#[derive(Default)]
struct Statement {
    text: String,
    /// Something in it is not allowed.
    spoilt: bool,
    /// Anything but space was seen.
    begun: bool,
}

impl Writer {
    /// What stands in a sheet or a block.
    fn statements(&mut self, parser: &mut Parser<'_>, depth: usize) -> String {
        let mut out = String::new();
        let mut current = Statement::default();
        while let Ok(token) = parser.next_including_whitespace_and_comments() {
            match token.clone() {
                Token::Semicolon => end(&mut out, &mut current, ";"),
                Token::CurlyBracketBlock => {
                    let allowed = self.blocks && !current.spoilt && depth < DEPTH;
                    // What is in a rule that goes is looked at all the same, to be counted.
                    let inner = self.inside(parser, depth, Writer::statements);
                    current.spoilt |= !allowed;
                    end(&mut out, &mut current, &format!("{{{inner}}}"));
                }
                Token::CDO | Token::CDC if !current.begun => {}
                Token::AtKeyword(name) => {
                    let known = AT_RULES
                        .iter()
                        .any(|known| name.eq_ignore_ascii_case(known));
                    if name.eq_ignore_ascii_case("import") {
                        self.references += 1;
                    }
                    current.spoilt |= current.begun || !known;
                    self.write(&Token::AtKeyword(name), &mut current);
                }
                token => self.value(&token, parser, depth, &mut current),
            }
        }
        end(&mut out, &mut current, "");
        out
    }

    /// What stands in brackets.
    fn values(&mut self, parser: &mut Parser<'_>, depth: usize, into: &mut Statement) {
        while let Ok(token) = parser.next_including_whitespace_and_comments() {
            let token = token.clone();
            match token {
                Token::CurlyBracketBlock | Token::Semicolon | Token::AtKeyword(_) => {
                    into.spoilt = true;
                }
                token => self.value(&token, parser, depth, into),
            }
        }
    }

    fn value(
        &mut self,
        token: &Token<'_>,
        parser: &mut Parser<'_>,
        depth: usize,
        into: &mut Statement,
    ) {
        let close = match token {
            Token::UnquotedUrl(url) => return self.url(url, into),
            Token::Function(name) if name.eq_ignore_ascii_case("url") => {
                let url = self.inside(parser, depth, |_, parser, _| {
                    let url = parser.expect_string_cloned().ok();
                    url.filter(|_| parser.is_exhausted())
                        .map(|url| url.to_string())
                });
                return match url {
                    Some(url) => self.url(&url, into),
                    None => into.spoilt = true,
                };
            }
            Token::Function(name) => {
                let known = FUNCTIONS
                    .iter()
                    .any(|known| name.eq_ignore_ascii_case(known));
                if name.to_ascii_lowercase().ends_with("image-set") {
                    self.references += 1;
                }
                into.spoilt |= !known;
                ")"
            }
            Token::ParenthesisBlock => ")",
            Token::SquareBracketBlock => "]",
            token => return self.write(token, into),
        };
        self.write(token, into);
        into.spoilt |= depth >= DEPTH;
        self.inside(parser, depth, |writer, parser, depth| {
            writer.values(parser, depth, into);
        });
        into.text.push_str(close);
    }

    /// What `read` makes of the block that the parser has just come to. What is too deep is not
    /// read.
    fn inside<'i, T: Default>(
        &mut self,
        parser: &mut Parser<'i>,
        depth: usize,
        read: impl FnOnce(&mut Writer, &mut Parser<'i>, usize) -> T,
    ) -> T {
        if depth >= DEPTH {
            return T::default();
        }
        let mut made = T::default();
        let read: Result<(), cssparser::ParseError<()>> = parser.parse_nested_block(|parser| {
            made = read(self, parser, depth + 1);
            Ok(())
        });
        drop(read);
        made
    }

    fn url(&mut self, url: &str, into: &mut Statement) {
        into.begun = true;
        let data = url.get(..5).filter(|s| s.eq_ignore_ascii_case("data:"));
        match data.and_then(|_| picture::again(&url[5..])) {
            Some(data) => into.text.push_str(&format!("url(\"{data}\")")),
            None => {
                into.spoilt = true;
                self.references += usize::from(data.is_none() && !url.starts_with('#'));
            }
        }
    }

    fn write(&mut self, token: &Token<'_>, into: &mut Statement) {
        match token {
            Token::WhiteSpace(_) => return into.text.push(' '),
            // A comment parts what would be one word without it.
            Token::Comment(_) => return into.text.push_str("/**/"),
            // Not what it says by itself; but nothing good begins like that.
            Token::Ident(name) if name.eq_ignore_ascii_case("url") => into.spoilt = true,
            Token::Delim(c) if !"*.>+~|/=!&%<#$^-,".contains(*c) => into.spoilt = true,
            Token::CDO | Token::CDC => into.spoilt = true,
            token if token.is_parse_error() => into.spoilt = true,
            token => into.text.push_str(&token.to_css_string()),
        }
        into.begun = true;
    }
}

/// Ends a statement: it is kept or goes.
fn end(out: &mut String, current: &mut Statement, with: &str) {
    let statement = std::mem::take(current);
    let text = statement.text.trim();
    let name = text.split(':').next().unwrap_or_default().trim();
    let banned = BANNED
        .iter()
        .any(|banned| name.eq_ignore_ascii_case(banned));
    if statement.begun && !statement.spoilt && !banned {
        out.push_str(text);
        out.push_str(with);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(css: &str) -> String {
        sheet(css).css
    }

    #[test]
    fn what_a_mail_needs_to_look_right_is_kept() {
        for css in [
            "a:hover,p>b~i+u::before{color:#FF0000;margin:-1px auto 0.5em !important;}",
            "@media screen and (max-width:600px){.x[class=\"y\"]{width:100%!important;}}",
            "@media (prefers-color-scheme:dark){body{background:rgb(0 0 0 / 50%);color:var(--x,#fff);}}",
            "@keyframes k{0%{opacity:0;}to{opacity:1;}}",
            "@supports not (display:grid){a:not(.b):nth-child(2n + 1){width:calc(100% - 20px);}}",
            "p{background:linear-gradient(to right,#fff 0%,red 100%);content:\"a;b}\";}",
            "[data-ogsc] u + .body *{--x:1px;mso-line-height-rule:exactly;}",
        ] {
            assert_eq!(kept(css), css);
        }
        assert_eq!(kept("<!-- p{color:red} -->"), "p{color:red}");
        assert_eq!(
            declarations("color:red;width:1px").css,
            "color:red;width:1px"
        );
    }

    #[test]
    fn what_could_fetch_goes_with_its_declaration() {
        for value in [
            "url(http://a.test/x)",
            "url( 'http://a.test/x' )",
            "URL(//a.test)",
            "\\75rl(http://a.test)",
            "u\\72 l(http://a.test)",
            "\\000075\\000072\\00006c(http://a.test)",
            "ur\\l(\"http://a.test\")",
            "url(\\68ttp://a.test)",
            "url(/x)",
            "url(data:text/html,x)",
            "url(data:image/svg+xml;base64,PHN2Zz4=)",
            "image-set(\"http://a.test\" 1x)",
            "-webkit-image-set(url(http://a.test) 1x)",
            "imag\\65-set(\"x\" 1x)",
            "image(\"http://a.test\")",
            "cross-fade(url(x),red)",
            "src(\"http://a.test\")",
            "element(#x)",
            "paint(x)",
            "attr(x type(<url>))",
            "expression(alert(1))",
            "ex\\pression(alert(1))",
            "var(--x,url(http://a.test))",
            "calc(1px + url(http://a.test))",
            "(url(http://a.test))",
            "[url(http://a.test)]",
            "progid:DXImageTransform.Microsoft.AlphaImageLoader(src='http://a.test')",
            "\"\nurl(http://a.test)",
            "'a\n;",
            "url(http://a.test/'x)",
            "url(http://a.test",
        ] {
            let css = format!("p{{x:1;background:{value};y:2}}");
            let left = kept(&css);
            assert!(left.starts_with("p{x:1;"), "{value}: {left}");
            for never in ["a.test", "url", "image", "alert", "(", "expression"] {
                assert!(!left.to_lowercase().contains(never), "{value}: {left}");
            }
            let left = declarations(&format!("x:1;background:{value}")).css;
            assert_eq!(left, "x:1;", "{value}");
        }
    }

    #[test]
    fn rules_that_fetch_go_and_take_nothing_else_with_them() {
        for rule in [
            "@import \"http://a.test\";",
            "@IMPORT url(http://a.test) screen;",
            "@\\69mport 'http://a.test';",
            "@import/**/\"http://a.test\";",
            "@font-face{src:url(http://a.test)}",
            "@f\\6fnt-face{src:url(x)}",
            "@namespace url(http://a.test);",
            "@charset \"utf-8\";",
            "@property --x{initial-value:url(http://a.test)}",
            "@page{margin:0}",
            "@document url(http://a.test){p{color:red}}",
        ] {
            assert_eq!(kept(&format!("{rule}b{{x:y}}")), "b{x:y}", "{rule}");
        }
        assert_eq!(
            kept("@media print{@import 'x';@font-face{src:url(x)}p{a:b}}"),
            "@media print{p{a:b}}"
        );
        let all = "p{behavior:x;BEHAVIOR:y;-moz-binding:z;-m\\6fz-binding:z;color:red}";
        assert_eq!(kept(all), "p{color:red}");
    }

    #[test]
    fn a_comment_or_an_escape_never_becomes_a_function() {
        for css in [
            "p{x:u/**/rl(http://a.test)}",
            "p{x:url/**/(http://a.test)}",
            "p{x:\\\nurl(http://a.test)}",
            "p{x:ur\\\nl(http://a.test)}",
        ] {
            let once = kept(css);
            assert!(!once.contains("url("), "{once}");
            assert_eq!(kept(&once), once);
        }
        assert_eq!(kept("p{x:a/* */b}"), "p{x:a/**/b}");
    }

    #[test]
    fn a_sheet_cannot_end_itself() {
        for css in [
            "p{content:\"</style><script>alert(1)</script>\"}",
            "p[a='<!--</STYLE>']{x:y}",
            "p{x:\\3c/style>}",
            "a<\\/b{x:y}",
            "\\3c\\2fstyle\\3e{x:y}",
            "@media (a</style>){p{x:y}}",
        ] {
            let css = kept(css).to_lowercase();
            assert!(!css.contains("</") && !css.contains("<!"), "{css}");
        }
        // Whatever is left open is closed.
        assert_eq!(
            kept("@media print{p{color:red"),
            "@media print{p{color:red}}"
        );
        assert_eq!(kept("p{x:calc(1px"), "p{x:calc(1px)}");
        assert_eq!(kept("}p{x:y}"), "");
    }

    #[test]
    fn an_attribute_has_no_blocks() {
        for css in ["}*{x:url(y)}{", "x:{y:z}", "a{b:c}", "@media print{p{x:y}}"] {
            assert_eq!(declarations(css).css, "", "{css}");
        }
        assert_eq!(declarations("a:b;&:hover{c:d}e:f").css, "a:b;e:f");
    }

    #[test]
    fn references_are_counted_and_own_pictures_kept() {
        let safe = sheet("p{a:url(http://x.test);b:url(#y)}@import 'z';q{c:url(//d.test)}");
        assert_eq!(safe.references, 3);
        let own = picture::encoded(&picture::tests::png(1, 1)).unwrap();
        let css = format!("p{{background:url(\"{own}\") no-repeat;}}");
        assert_eq!(kept(&css), css);
        assert_eq!(kept(&css.replace('"', "")), css);
    }

    #[test]
    fn depth_is_bounded() {
        for open in ["(", "[", "{", "a(", "@media x{", "p{", "calc(", ":not("] {
            let css = kept(&open.repeat(100_000));
            assert!(css.len() < 2_000, "{open}: {}", css.len());
        }
    }
}
