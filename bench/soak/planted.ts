/** Leaks that can be planted, one connection in a hundred, to show that the soak finds them. */
export const plantable = ['managers', 'timers', 'listeners', 'bytes'] as const;

export type Planted = (typeof plantable)[number];
