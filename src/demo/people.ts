/** The users of the demo, by id, with the sentences for the help and the guide. */
export const people = Object.freeze({
  alice: 'healthy: three tabs, in one of them an agent runs now and then',
  bob: 'healthy: two tabs',
  carol: 'healthy: two tabs',
  dave: 'healthy: one tab',
  'hugo-heavy': '18 tabs of 20, the level emergency; opens three more, and the one left alone goes',
  'greta-greedy': '20 tabs, all in use; opens two more, which are refused until she closes two',
  'phil-phone': '16 tabs, of which six fall asleep; opens six more, and two of the silent make room',
  'pat-piler': 'five of eleven tabs unused; the twelfth raises the level, and the unused go',
  'ida-idle': 'six tabs that send keepalives alone, until they are closed as idle',
  'sam-sleeper': 'three tabs of a laptop whose lid closes: the heartbeat finds out',
  'carl-crash': 'two tabs of an app that crashes (a reset), and reconnects',
  'gus-glitch': 'a tab whose backend says that it is broken: the background cleanup closes it',
  'tess-twice': 'two tabs that take one thread from each other, until the server settles it',
});

export type PersonName = keyof typeof people;

/** The longest of their user ids, in characters. */
export const longestName = Math.max(...Object.keys(people).map((name) => name.length));
