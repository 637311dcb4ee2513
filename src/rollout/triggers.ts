/** What rolls the candidate back, or has a person look at it. */
export interface Triggers {
  /** How many of the stage's last candidate files are looked at. */
  readonly window: number
  /** Fewer of them say nothing yet. */
  readonly minFiles: number
  /** The same where more than half of them failed. */
  readonly minFilesFailing: number
  /** A smaller share of successes, from 0 to 1, rolls back. */
  readonly minSuccess: number
  /** A larger share of errors, from 0 to 1, rolls back. */
  readonly maxErrors: number
  /** A candidate whose p95 latency is more than so many times the baseline's is put under review: 1.2. */
  readonly maxLatencyRatio: number
}

/** Where nobody says otherwise. */
export const defaultTriggers: Triggers = {
  window: 500,
  minFiles: 200,
  minFilesFailing: 100,
  minSuccess: 0.95,
  maxErrors: 0.05,
  maxLatencyRatio: 1.2,
}
