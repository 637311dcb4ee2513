/** Which of a rollout's two ways a file was given to. */
export type Side = 'candidate' | 'baseline'
