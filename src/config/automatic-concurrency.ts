/** What `--concurrency auto` stands for: where it starts, and how far it goes. */
export const automaticConcurrency = { start: 32, most: 256 }
