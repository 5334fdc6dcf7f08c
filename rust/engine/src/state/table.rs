//! What both state machines share: a dense table built at compile time, and the refusal of a pair that is not in it.

use std::fmt;

/// An event that the state it met does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{machine} in state {state} does not take the event {event}")]
pub struct IllegalTransition {
    pub machine: &'static str,
    pub state: &'static str,
    pub event: &'static str,
}

/// Declares an enum whose variants have a name in the trail and, for states, a one-letter code in the store.
macro_rules! named {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident = $text:literal $(as $code:literal)?),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        #[repr(u8)]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            pub const ALL: &'static [$name] = &[$($name::$variant),+];

            /// The name that people and the trail use.
            pub const fn name(self) -> &'static str {
                match self { $($name::$variant => $text),+ }
            }

            /// The value with this name.
            pub fn from_name(name: &str) -> Option<Self> {
                match name { $($text => Some($name::$variant),)+ _ => None }
            }

            $crate::state::table::named!(@codes $name $($variant $($code)?),+);
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.name())
            }
        }
    };
    (@codes $name:ident $($variant:ident $code:literal),+) => {
        /// The letter that stands for this state in the store.
        pub const fn code(self) -> u8 {
            match self { $($name::$variant => $code),+ }
        }

        /// The state that a letter in the store stands for.
        pub const fn from_code(code: u8) -> Option<Self> {
            match code { $($code => Some($name::$variant),)+ _ => None }
        }
    };
    (@codes $name:ident $($variant:ident),+) => {};
}
pub(crate) use named;

/// The rows of a table as an array by state and event, made at compile time, so that a move costs one look-up.
macro_rules! dense {
    ($state:ident, $event:ident, $rows:expr) => {{
        let mut next: [[Option<$state>; $event::ALL.len()]; $state::ALL.len()] =
            [[None; $event::ALL.len()]; $state::ALL.len()];
        let mut row = 0;
        while row < $rows.len() {
            let (from, event, to) = $rows[row];
            next[from as usize][event as usize] = Some(to);
            row += 1;
        }
        next
    }};
}
pub(crate) use dense;

/// The states that one commit walked a step or a task through, first to last.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Path<S> {
    states: [Option<S>; Path::<()>::LONGEST],
    len: u8,
}

impl Path<()> {
    /// No single event walks further: an interrupted attempt that is claimed again at once takes seven states.
    pub const LONGEST: usize = 10;
}

impl<S: Copy> Path<S> {
    pub fn from(start: S) -> Self {
        let mut states = [None; Path::<()>::LONGEST];
        states[0] = Some(start);
        Path { states, len: 1 }
    }

    pub fn push(&mut self, state: S) {
        self.states[usize::from(self.len)] = Some(state);
        self.len += 1;
    }

    pub fn iter(&self) -> impl Iterator<Item = S> + '_ {
        self.states.iter().filter_map(|state| *state)
    }

    pub fn last(&self) -> S {
        self.states[usize::from(self.len) - 1].expect("a path has its start")
    }

    /// Whether anything moved.
    pub fn moved(&self) -> bool {
        self.len > 1
    }

    /// Whether `more` states still fit.
    pub fn has_room(&self, more: usize) -> bool {
        usize::from(self.len) + more <= Path::<()>::LONGEST
    }
}

impl<S: Copy + fmt::Display> fmt::Display for Path<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, state) in self.iter().enumerate() {
            if index > 0 {
                f.write_str(" > ")?;
            }
            write!(f, "{state}")?;
        }
        Ok(())
    }
}

impl<S: Copy + fmt::Display> fmt::Debug for Path<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}
