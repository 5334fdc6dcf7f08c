//! Whether and when a failed step runs again.

use crate::state::table::named;

named! {
    /// How the delay grows with the number of failures.
    Backoff {
        None = "none",
        Linear = "linear",
        Exponential = "exponential",
        Fibonacci = "fibonacci",
    }
}

/// A step's `retry`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    pub retryable: bool,
    /// Counts the first run.
    pub max_attempts: u16,
    pub backoff: Backoff,
    pub base_ms: u32,
    pub max_ms: u32,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        RetryPolicy { retryable: true, max_attempts: 3, backoff: Backoff::Exponential, base_ms: 1000, max_ms: 30_000 }
    }
}

/// What an error or a server asks for is honoured up to an hour.
pub const LONGEST_RETRY_AFTER_MS: u64 = 3_600_000;

impl RetryPolicy {
    /// The delay before the next attempt, in milliseconds, without jitter: `failures` (1 or more) attempts have failed so far.
    ///
    /// `retry_after_ms`, which an error may carry, wins over the policy and its cap.
    pub fn delay_ms(&self, failures: u16, retry_after_ms: Option<u64>) -> u64 {
        if let Some(asked) = retry_after_ms {
            return asked.min(LONGEST_RETRY_AFTER_MS);
        }
        let (base, failures) = (u64::from(self.base_ms), u32::from(failures.max(1)));
        let grown = match self.backoff {
            Backoff::None => return 0,
            Backoff::Linear => base.saturating_mul(u64::from(failures)),
            Backoff::Exponential => {
                2u64.checked_pow(failures - 1).map_or(u64::MAX, |factor| base.saturating_mul(factor))
            }
            Backoff::Fibonacci => base.saturating_mul(fibonacci(failures)),
        };
        grown.min(u64::from(self.max_ms))
    }

    /// The delay moved by up to 15 % either way; `random` is uniform over all of `u64`.
    pub fn jittered_ms(&self, failures: u16, retry_after_ms: Option<u64>, random: u64) -> u64 {
        let delay = self.delay_ms(failures, retry_after_ms);
        if retry_after_ms.is_some() {
            return delay;
        }
        // from -150 to +150 thousandths
        let thousandths = 850 + random % 301;
        (delay.saturating_mul(thousandths) + 500) / 1000
    }
}

fn fibonacci(n: u32) -> u64 {
    let (mut a, mut b) = (1u64, 1u64);
    for _ in 1..n {
        (a, b) = (b, a.saturating_add(b));
    }
    a
}

#[cfg(test)]
mod tests {
    use super::*;

    fn delays(backoff: Backoff) -> Vec<u64> {
        let policy = RetryPolicy { backoff, ..RetryPolicy::default() };
        (1..=7).map(|failures| policy.delay_ms(failures, None)).collect()
    }

    #[test]
    fn the_four_kinds_grow_as_the_rules_say() {
        assert_eq!(delays(Backoff::None), [0; 7]);
        assert_eq!(delays(Backoff::Linear), [1000, 2000, 3000, 4000, 5000, 6000, 7000]);
        assert_eq!(delays(Backoff::Exponential), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000]);
        assert_eq!(delays(Backoff::Fibonacci), [1000, 1000, 2000, 3000, 5000, 8000, 13_000]);
    }

    #[test]
    fn the_hundredth_attempt_does_not_overflow() {
        for &backoff in Backoff::ALL {
            let policy = RetryPolicy { backoff, base_ms: 3_600_000, max_ms: 3_600_000, ..RetryPolicy::default() };
            assert!(policy.delay_ms(u16::MAX, None) <= 3_600_000);
        }
    }

    #[test]
    fn retry_after_wins_over_the_cap_up_to_an_hour() {
        let policy = RetryPolicy::default();
        assert_eq!(policy.delay_ms(1, Some(120_000)), 120_000);
        assert_eq!(policy.delay_ms(1, Some(u64::MAX)), LONGEST_RETRY_AFTER_MS);
        assert_eq!(policy.jittered_ms(1, Some(5), 0), 5);
    }

    #[test]
    fn jitter_stays_within_fifteen_percent_and_reaches_both_ends() {
        let policy = RetryPolicy::default();
        let (mut low, mut high) = (u64::MAX, 0);
        for random in 0..1000 {
            let delay = policy.jittered_ms(1, None, random);
            low = low.min(delay);
            high = high.max(delay);
        }
        assert_eq!((low, high), (850, 1150));
    }
}
