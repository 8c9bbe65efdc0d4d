import { setTimeout as sleep } from 'node:timers/promises';
import type { PersonName } from './people.js';
import { endsOf, type Person } from './person.js';
import { chatting, unused, type Tab } from './tab.js';

/** Never ends. */
type Role = (person: Person) => Promise<void>;

/** What each user does. The times fit the settings of the demo. */
export const cast: Readonly<Record<PersonName, Role>> = Object.freeze({
  alice: playAlice,
  bob: (bob) => playHealthy(bob, 2),
  carol: (carol) => playHealthy(carol, 2),
  dave: (dave) => playHealthy(dave, 1),
  'hugo-heavy': playHugo,
  'greta-greedy': playGreta,
  'phil-phone': playPhil,
  'pat-piler': playPat,
  'ida-idle': playIda,
  'sam-sleeper': playSam,
  'carl-crash': playCarl,
  'gus-glitch': playGus,
  'tess-twice': playTess,
});

async function playHealthy(person: Person, tabs: number): Promise<void> {
  await person.opens(tabs, chatting(6_000), 1_000);
}

async function playAlice(alice: Person): Promise<void> {
  const [first] = await alice.opens(3, chatting(5_000), 1_000);
  for (;;) {
    await sleep(25_000);
    alice.says('asks an agent something; its connection is held for 10 s while the answer streams');
    first?.run(40, 250);
  }
}

async function playHugo(hugo: Person): Promise<void> {
  hugo.says('opens 18 of 20, one after the other: info from 8, warning from 12, critical from 16, emergency from 18');
  const tabs = await hugo.opens(18, chatting(7_000), 300);
  for (;;) {
    await sleep(15_000);
    hugo.says('opens 3 more; two fit, and for the third each of the 20 connections is pinged');
    const { tabs: more, refused } = await hugo.opensAtOnce(3, chatting(2_000));
    await sleep(500);
    const closed = endsOf(tabs.map(({ ended }) => ended).filter((ended) => ended !== null));
    hugo.says(`${more.length - refused.length} are in; to make room the connection idle for longest went: ${closed}`);
    await sleep(10_000);
    for (const tab of more) tab.leave();
    await sleep(15_000);
  }
}

async function playGreta(greta: Person): Promise<void> {
  let tabs = await greta.opens(20, chatting(6_000));
  for (;;) {
    await sleep(10_000);
    greta.says('20 agents run at once: each of the 20 connections is held for 30 s');
    for (const tab of tabs) tab.run(60, 500);
    await sleep(4_000);
    greta.says('opens 2 more, though each of the 20 is in use');
    const { tabs: more, refused } = await greta.opensAtOnce(2, chatting(6_000));
    greta.says(`${refused.length} are refused: ${endsOf(refused)}; they reconnect when they were told to`);
    await sleep(9_000);
    for (const tab of tabs.slice(0, 2)) tab.leave();
    greta.says('closes 2 tabs');
    await sleep(8_000);
    greta.says(`the 2 that were refused are now: ${endsOfTabs(more)}`);
    tabs = [...tabs.slice(2), ...more];
    await sleep(25_000);
  }
}

async function playPhil(phil: Person): Promise<void> {
  const tabs = await phil.opens(16, chatting(6_000));
  const asleep = tabs.slice(0, 6);
  for (;;) {
    await sleep(9_000);
    phil.says('the phone goes to sleep: 6 of 16 connections fall silent without a close frame');
    for (const tab of asleep) tab.fallAsleep();
    await sleep(3_000);
    phil.says('opens 6 more: with the 6 that sleep that makes 22 of 20');
    const sinceMs = performance.now();
    const { tabs: more, refused } = await phil.opensAtOnce(6, chatting(6_000));
    const waited = ((performance.now() - sinceMs) / 1000).toFixed(1);
    phil.says(`${more.length - refused.length} of 6 are in after ${waited} s: suspects made room, one for one`);
    await sleep(9_000);
    for (const tab of more) tab.leave();
    await sleep(9_000);
    await wakeUp(phil, asleep);
    await sleep(15_000);
  }
}

async function playPat(pat: Person): Promise<void> {
  await pat.opens(6, chatting(5_000));
  for (;;) {
    const left = pat.tabs(5, unused);
    for (const tab of left) await tab.open();
    await sleep(16_000);
    pat.says('opens a 12th tab, 60 % of the quota: the level warning');
    const twelfth = pat.tab(chatting(5_000));
    await twelfth.open();
    await sleep(2_000);
    pat.says(`5 tabs that were unused for 16 s, while 12 s are allowed now: ${endsOfTabs(left)}`);
    await sleep(12_000);
    for (const tab of [twelfth, ...left]) tab.leave();
    await sleep(5_000);
  }
}

async function playIda(ida: Person): Promise<void> {
  for (;;) {
    const tabs = ida.tabs(6, unused);
    await Promise.all(tabs.map((tab) => tab.open()));
    ida.says('opens 6 tabs and uses none: from now on they only send keepalives');
    const ends = await Promise.all(tabs.map((tab) => tab.stay()));
    ida.says(`her 6 tabs were closed: ${endsOf(ends)}`);
    await sleep(8_000);
  }
}

async function playSam(sam: Person): Promise<void> {
  const tabs = await sam.opens(3, chatting(6_000));
  for (;;) {
    await sleep(5_000);
    sam.says('closes the lid: 3 connections fall silent, and no other connection needs their places');
    for (const tab of tabs) tab.fallAsleep();
    await sleep(25_000);
    await wakeUp(sam, tabs);
    await sleep(15_000);
  }
}

/** The user wakes up, sees which connections were closed, and goes on. */
async function wakeUp(person: Person, tabs: readonly Tab[]): Promise<void> {
  for (const tab of tabs) tab.wakeUp();
  await sleep(100);
  person.says(`wakes up and finds ${endsOfTabs(tabs)}; reconnects those that are closed`);
}

async function playCarl(carl: Person): Promise<void> {
  const tabs = await carl.opens(2, chatting(5_000));
  for (;;) {
    await sleep(18_000);
    for (const tab of tabs) tab.crash();
    await sleep(100);
    carl.says(`the app crashes: 2 connections are reset (${endsOfTabs(tabs)}), and reconnect`);
  }
}

async function playGus(gus: Person): Promise<void> {
  const [tab] = await gus.opens(1, chatting(5_000));
  for (;;) {
    await sleep(14_000);
    gus.says('his agent crashes, and the backend reports that the connection is broken');
    tab?.fail();
    await sleep(8_000);
  }
}

async function playTess(tess: Person): Promise<void> {
  const thread = tess.nextThread();
  let holder = tess.tab(chatting(5_000), thread);
  let other = tess.tab(chatting(5_000), thread);
  await holder.open();
  for (;;) {
    await sleep(4_000);
    tess.says('two tabs take one thread from each other, as often as they can');
    let takeovers = 0;
    let refusal = await other.open();
    while (refusal === null) {
      takeovers += 1;
      [holder, other] = [other, holder];
      await sleep(200);
      refusal = await other.open();
    }
    tess.says(
      `after ${takeovers} takeovers the holder is pinged, answers and keeps it; the other: ${endsOf([refusal])}`,
    );
    await sleep(30_000);
  }
}

function endsOfTabs(tabs: readonly Tab[]): string {
  return endsOf(tabs.map(({ ended }) => ended));
}
