//! How the table of settings is written: the macro that turns each row of [`super::settings`] into
//! a field of a section and into a [`Definition`]. What must not live here: any single setting.

use std::any::Any;

/// One setting, as the table defines it.
pub struct Definition {
    /// Its name, such as `limits.code_per_ip`.
    pub name: &'static str,
    /// What it is for, in one line.
    pub doc: &'static str,
    /// What holds when nobody sets it, written as a person would write it.
    pub default: &'static str,
    /// Other variables of the environment that set it: the names of a Django project.
    pub aliases: &'static [Alias],
    /// Whether its value is never shown.
    pub secret: bool,
    /// Whether it is a table of the file, whose keys are not settings of their own: `a.b.key` is
    /// one of the pairs of `a.b`.
    pub open: bool,
    pub(super) read: fn(&str) -> Result<Box<dyn Any>, String>,
}

impl Definition {
    /// The variable of the environment that sets it: `a.b_c` is `GATEPOST_A_B_C`.
    pub fn variable(&self) -> String {
        format!(
            "GATEPOST_{}",
            self.name.replace('.', "_").to_ascii_uppercase()
        )
    }
}

/// A variable that sets a setting under another name.
#[derive(Clone, Copy)]
pub struct Alias {
    /// The variable.
    pub variable: &'static str,
    /// From what stands in the variable to what the setting would say.
    pub(super) convert: fn(&str) -> Result<String, String>,
}

pub(super) fn unchanged(text: &str) -> Result<String, String> {
    Ok(text.to_owned())
}

/// Hands out the values that were read, each once, by name.
pub(super) type Take<'a> = &'a mut dyn FnMut(&'static str) -> Option<Box<dyn Any>>;

/// The value of `name`. Every definition was read before, by the reader of this very row.
pub(super) fn taken<T: 'static>(take: Take<'_>, name: &'static str) -> T {
    *take(name)
        .and_then(|value| value.downcast::<T>().ok())
        .expect("each row was read by its own reader")
}

/// Rows are `/// doc`, `name: Type = reader, "default" [env NAME] [env NAME via convert] secret;` (or `open;`)
macro_rules! settings {
    ($(
        $(#[doc = $section_doc:literal])+
        $section:ident: $Section:ident {$(
            #[doc = $doc:literal]
            $field:ident: $type:ty = $read:path, $default:literal
                $([env $alias:ident $(via $convert:path)?])* $($mark:ident)?;
        )*}
    )*) => {
        $(
            $(#[doc = $section_doc])+
            #[derive(Debug, Clone)]
            pub struct $Section {
                $(#[doc = $doc] pub $field: $type,)*
            }
        )*

        /// Everything that can be set, read and checked, and where each value came from.
        #[derive(Debug, Clone)]
        pub struct Settings {
            $($(#[doc = $section_doc])+ pub $section: $Section,)*
            /// What gatepost was started for.
            pub mode: super::Mode,
            /// Every setting with its value as it was written and where that was.
            pub origins: Vec<super::Origin>,
            /// What is allowed, and probably not meant.
            pub warnings: Vec<String>,
        }

        /// The table: one row a setting, in the order in which they are shown.
        pub static DEFINITIONS: &[super::table::Definition] = &[$($(
            super::table::Definition {
                name: concat!(stringify!($section), ".", stringify!($field)),
                doc: $doc,
                default: $default,
                aliases: &[$(super::table::Alias {
                    variable: stringify!($alias),
                    convert: settings!(@convert $($convert)?),
                }),*],
                secret: settings!(@secret $($mark)?),
                open: settings!(@open $($mark)?),
                read: |text| $read(text).map(|value: $type| Box::new(value) as Box<dyn std::any::Any>),
            },
        )*)*];

        /// Puts the values that were read into their sections.
        pub(super) fn assemble(
            take: super::table::Take<'_>,
            mode: super::Mode,
            origins: Vec<super::Origin>,
        ) -> Settings {
            Settings {
                $($section: $Section {$(
                    $field: super::table::taken::<$type>(
                        take,
                        concat!(stringify!($section), ".", stringify!($field)),
                    ),
                )*},)*
                mode,
                origins,
                warnings: Vec::new(),
            }
        }
    };
    (@convert) => { super::table::unchanged };
    (@convert $convert:path) => { $convert };
    (@secret) => { false };
    (@secret secret) => { true };
    (@secret open) => { false };
    (@open) => { false };
    (@open secret) => { false };
    (@open open) => { true };
}
pub(super) use settings;
