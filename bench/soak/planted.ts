/** What an application can be made to leak, one connection in a hundred, so that the soak is seen to find it. */
export const plantable = ['managers', 'timers', 'listeners', 'bytes'] as const;

export type Planted = (typeof plantable)[number];
