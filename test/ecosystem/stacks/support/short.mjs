const why = 'of this stack only the first three facts are looked at';

/** What is left out for stacks that are looked at in short. */
export const short = Object.freeze({ refusal: why, frozen: why, close: why, clean: why });
