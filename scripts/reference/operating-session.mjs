/** A session at a real server in production, as it was: 8 of the 12 clients of a user were stopped, and 30 others had a connection each. */

/** @type {readonly { about: string, command: string, output: string }[]} */
export const operatingSession = Object.freeze([
  {
    about: `Alice says that she cannot get in. How many connections has she, and are they alive? Eight of hers have said
nothing for more than 10 seconds. That is less than a heartbeat's interval: \`heard\` tells when something came last, and not
that anybody is there now. The exit code is 1, since 12 of 20 is \`warning\`.`,
    command: 'mooring check alice',
    output: `alice: 12 of 20 (60 %), warning

thread     age   idle   silent  liveness  held  engaged  error
thread_1   17 s  7.6 s  7.6 s   heard     no    yes
thread_2   16 s  7.5 s  7.5 s   heard     no    yes
thread_3   16 s  7.5 s  7.5 s   heard     no    yes
thread_4   16 s  7.5 s  7.5 s   heard     no    yes
thread_5   14 s  14 s   12 s    heard     no    yes
thread_6   14 s  14 s   12 s    heard     no    yes
thread_7   14 s  14 s   11 s    heard     no    yes
thread_8   14 s  14 s   11 s    heard     no    yes
thread_9   11 s  11 s   11 s    heard     no    yes
thread_10  11 s  11 s   11 s    heard     no    yes
thread_11  11 s  11 s   11 s    heard     no    yes
thread_12  11 s  11 s   11 s    heard     no    yes`,
  },
  {
    about: `Who would go, and why? A dry run asks all of them whether they are there, and releases nobody. It takes three
seconds (\`minSilence\`), since four of them have left no ping unanswered so far.`,
    command: 'mooring cleanup alice --emergency --dry-run',
    output: `alice: 8 would be released (disconnected 8), 4 left, in 3 s
  thread_5   disconnected  a suspect: no answer when asked, silent for 16 s
  thread_6   disconnected  a suspect: no answer when asked, silent for 16 s
  thread_7   disconnected  a suspect: no answer when asked, silent for 16 s
  thread_8   disconnected  a suspect: no answer when asked, silent for 16 s
  thread_9   disconnected  a suspect: no answer when asked, silent for 15 s
  thread_10  disconnected  a suspect: no answer when asked, silent for 15 s
  thread_11  disconnected  a suspect: no answer when asked, silent for 15 s
  thread_12  disconnected  a suspect: no answer when asked, silent for 15 s`,
  },
  {
    about: `Now it is known that eight do not answer. They are suspects until they say something: each gives its place to a
newcomer of hers, one for one, and the heartbeat ends those that nobody replaced.`,
    command: 'mooring check alice',
    output: `alice: 12 of 20 (60 %), warning

thread     age   idle   silent  liveness  held  engaged  error
thread_1   22 s  4.3 s  4.3 s   heard     no    yes
thread_2   22 s  4.2 s  4.2 s   heard     no    yes
thread_3   22 s  4.2 s  4.2 s   heard     no    yes
thread_4   22 s  4.2 s  4.2 s   heard     no    yes
thread_5   20 s  20 s   18 s    suspect   no    yes
thread_6   20 s  20 s   17 s    suspect   no    yes
thread_7   20 s  20 s   17 s    suspect   no    yes
thread_8   20 s  20 s   17 s    suspect   no    yes
thread_9   17 s  17 s   17 s    suspect   no    yes
thread_10  17 s  17 s   17 s    suspect   no    yes
thread_11  17 s  17 s   17 s    suspect   no    yes
thread_12  17 s  17 s   17 s    suspect   no    yes

thread_5   suspect: has not answered for 4.3 s; gives its place to a newcomer, else the heartbeat ends it in at most 58 s
thread_6   suspect: has not answered for 4.3 s; gives its place to a newcomer, else the heartbeat ends it in at most 58 s
thread_7   suspect: has not answered for 4.3 s; gives its place to a newcomer, else the heartbeat ends it in at most 58 s
thread_8   suspect: has not answered for 4.3 s; gives its place to a newcomer, else the heartbeat ends it in at most 59 s
thread_9   suspect: has not answered for 14 s; gives its place to a newcomer, else the heartbeat ends it in at most 37 s
thread_10  suspect: has not answered for 13 s; gives its place to a newcomer, else the heartbeat ends it in at most 37 s
thread_11  suspect: has not answered for 13 s; gives its place to a newcomer, else the heartbeat ends it in at most 37 s
thread_12  suspect: has not answered for 13 s; gives its place to a newcomer, else the heartbeat ends it in at most 37 s`,
  },
  {
    about: `The same without \`--dry-run\`: they are asked again, and all suspects are released, in use or not. This time their
pings have been unanswered for long enough, and it takes a second.`,
    command: 'mooring cleanup alice --emergency',
    output: `alice: 8 released (disconnected 8), 4 left, in 1 s
  thread_5   disconnected  a suspect: no answer when asked, silent for 20 s
  thread_6   disconnected  a suspect: no answer when asked, silent for 20 s
  thread_7   disconnected  a suspect: no answer when asked, silent for 20 s
  thread_8   disconnected  a suspect: no answer when asked, silent for 19 s
  thread_9   disconnected  a suspect: no answer when asked, silent for 19 s
  thread_10  disconnected  a suspect: no answer when asked, silent for 19 s
  thread_11  disconnected  a suspect: no answer when asked, silent for 19 s
  thread_12  disconnected  a suspect: no answer when asked, silent for 19 s`,
  },
  {
    about: `Why was she disconnected? This is known for some time after her last connection is gone, too.`,
    command: 'mooring explain alice',
    output: `alice: last disconnected 2026-11-29 17:06:48: thread_12 was released as a suspect: no answer when asked, silent for 19 s, found by a requested cleanup; it had lasted 19 s.

2026-11-29
17:06:24  thread_1 was admitted as number 1.
17:06:24  thread_2 was admitted as number 2.
17:06:24  thread_3 was admitted as number 3.
17:06:24  thread_4 was admitted as number 4.
17:06:26  thread_5 was admitted as number 5.
17:06:26  thread_6 was admitted as number 6.
17:06:26  thread_7 was admitted as number 7.
17:06:26  thread_8 was admitted as number 8.
17:06:26  Usage rose to info, from normal: 8 of 20 (40 %).
17:06:29  thread_9 was admitted as number 9.
17:06:29  thread_10 was admitted as number 10.
17:06:29  thread_11 was admitted as number 11.
17:06:29  thread_12 was admitted as number 12.
17:06:29  Usage rose to warning, from info: 12 of 20 (60 %).
17:06:45  loopback ran emergency-cleanup (dry run) on alice: 8 would be released, 4 left.
17:06:48  thread_5 was released as a suspect: no answer when asked, silent for 20 s, found by a requested cleanup; it had lasted 22 s.
17:06:48  Usage fell to info, from warning: 11 of 20 (55 %).
17:06:48  thread_6 was released as a suspect: no answer when asked, silent for 20 s, found by a requested cleanup; it had lasted 22 s.
17:06:48  thread_7 was released as a suspect: no answer when asked, silent for 20 s, found by a requested cleanup; it had lasted 22 s.
17:06:48  thread_8 was released as a suspect: no answer when asked, silent for 19 s, found by a requested cleanup; it had lasted 22 s.
17:06:48  thread_9 was released as a suspect: no answer when asked, silent for 19 s, found by a requested cleanup; it had lasted 19 s.
17:06:48  Usage fell to normal, from info: 7 of 20 (35 %).
17:06:48  thread_10 was released as a suspect: no answer when asked, silent for 19 s, found by a requested cleanup; it had lasted 19 s.
17:06:48  thread_11 was released as a suspect: no answer when asked, silent for 19 s, found by a requested cleanup; it had lasted 19 s.
17:06:48  thread_12 was released as a suspect: no answer when asked, silent for 19 s, found by a requested cleanup; it had lasted 19 s.
17:06:48  A requested cleanup released 8 (8 disconnected) in 1 s and 3 passes; 4 left.
17:06:48  loopback ran emergency-cleanup on alice: 8 released, 4 left.`,
  },
  {
    about: `Does the server keep its promise? Below the verdicts is what each is made of.`,
    command: 'mooring kpis',
    output: `success metrics since the start, 29 s

#  success metric            value     target                         verdict  samples
1  emergency cleanup time    1.00 s    all under 10 s, p99 under 5 s  pass     1
2  background effectiveness  -         over 90 %                      no data  0
3  alert frequency           3.23 %    under 5 %                      pass     31
4  accumulation              -         0                              no data  0
5  connection success        100.00 %  over 99 %                      pass     31
6  wrong refusals            -         0                              no data  0
7  false kills               0         0                              pass     8

1  emergency cleanup time  runs 1, waits 0, timed out 0, p99 1 s, longest 1 s
3  alert frequency         users 31, alerted 1
5  connection success      wanted 31, got in 31, refused otherwise 0
7  false kills             suspects heard late 0`,
  },
]);
