//! What is wrong with a template, where, and what to do about it.

use std::fmt;

/// A place in a file: both count from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Position {
    pub line: u32,
    pub column: u32,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Severity {
    Error,
    Warning,
}

/// One finding about a template.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    pub severity: Severity,
    /// A short name that stays the same when the wording changes, e.g. `unknown-dependency`.
    pub code: &'static str,
    pub message: String,
    /// What to do about it.
    pub hint: Option<String>,
    pub at: Position,
    /// Where in the document, e.g. `steps[2].retry.max_attempts`; empty for the whole.
    pub path: String,
}

impl Problem {
    pub fn is_error(&self) -> bool {
        self.severity == Severity::Error
    }

    /// The finding with the line it speaks of, for people:
    ///
    /// ```text
    /// order.yaml:14:21: error[unknown-dependency]: step `ship` depends on `chrage`, which is not a step (steps[3].dependencies[0])
    ///    14 |     dependencies: [chrage]
    ///       |                    ^
    ///    help: did you mean `charge`?
    /// ```
    pub fn render(&self, file: &str, source: &str) -> String {
        let severity = match self.severity {
            Severity::Error => "error",
            Severity::Warning => "warning",
        };
        let Position { line, column } = self.at;
        let mut text = format!("{file}:{line}:{column}: {severity}[{}]: {}", self.code, self.message);
        if !self.path.is_empty() {
            text.push_str(&format!(" ({})", self.path));
        }
        if let Some(excerpt) = line.checked_sub(1).and_then(|index| source.lines().nth(index as usize)) {
            // A line may be a minified document: show what surrounds the place.
            let skipped = (column as usize).saturating_sub(60);
            let shown: String = excerpt.chars().skip(skipped).take(100).collect();
            let caret = " ".repeat(column as usize - skipped - 1);
            text.push_str(&format!("\n  {line:>4} | {shown}\n       | {caret}^"));
        }
        if let Some(hint) = &self.hint {
            text.push_str(&format!("\n  help: {hint}"));
        }
        text
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.at.line, self.at.column, self.message)
    }
}

/// The candidate that a misspelt name most likely meant, if one is near.
pub fn nearest<'a>(name: &str, candidates: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (name.chars().count() / 3).max(1);
    candidates
        .into_iter()
        .map(|candidate| (distance(name, candidate), candidate))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, candidate)| candidate)
}

/// A name that was cut short is nearer than one that was misspelt.
fn distance(name: &str, candidate: &str) -> usize {
    if name.len() >= 4 && candidate.starts_with(name) {
        1
    } else {
        edits(name, candidate)
    }
}

/// How many letters have to be added, dropped, changed or swapped with a neighbour.
fn edits(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    if a.len().abs_diff(b.len()) > 4 {
        return usize::MAX;
    }
    let mut rows = vec![vec![0; b.len() + 1]; a.len() + 1];
    for (i, row) in rows.iter_mut().enumerate() {
        row[0] = i;
    }
    for (j, cell) in rows[0].iter_mut().enumerate() {
        *cell = j;
    }
    for i in 1..=a.len() {
        for j in 1..=b.len() {
            let changed = rows[i - 1][j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut best = changed.min(rows[i - 1][j] + 1).min(rows[i][j - 1] + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                best = best.min(rows[i - 2][j - 2] + 1);
            }
            rows[i][j] = best;
        }
    }
    rows[a.len()][b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_name_finds_its_neighbour() {
        let steps = ["validate", "charge", "ship"];
        assert_eq!(nearest("chrage", steps), Some("charge"));
        assert_eq!(nearest("shp", steps), Some("ship"));
        assert_eq!(nearest("vali", steps), Some("validate"));
        assert_eq!(nearest("refund", steps), None);
    }

    #[test]
    fn a_rendered_problem_points_at_its_place() {
        let problem = Problem {
            severity: Severity::Error,
            code: "unknown-dependency",
            message: "no such step".into(),
            hint: Some("did you mean `charge`?".into()),
            at: Position { line: 2, column: 4 },
            path: "steps[0]".into(),
        };
        assert_eq!(
            problem.render("a.yaml", "x\nabcdef\n"),
            "a.yaml:2:4: error[unknown-dependency]: no such step (steps[0])\n     2 | abcdef\n       |    ^\n  help: did you mean `charge`?"
        );
    }
}
