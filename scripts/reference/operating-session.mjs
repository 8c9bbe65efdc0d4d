/** A session at a real server, as it was: 8 of the 12 clients of a user were stopped, and 30 others had two connections each. */

/** @type {readonly { about: string, command: string, output: string }[]} */
export const operatingSession = Object.freeze([
  {
    about: `Alice says that she cannot get in. How many connections has she, and are they alive? Eight of hers are \`quiet\`: nothing came
lately, and nobody has asked them yet. The exit code is 1, since 12 of 20 is \`warning\`.`,
    command: 'mooring check alice',
    output: `alice: 12 of 20 (60 %), warning

thread     age   idle  silent  liveness   held  engaged  error
thread_1   34 s  34 s  4.8 s   answering  no    yes
thread_2   34 s  34 s  4.6 s   answering  no    yes
thread_3   34 s  34 s  4.3 s   answering  no    yes
thread_4   34 s  34 s  8.1 s   answering  no    yes
thread_5   33 s  33 s  32 s    quiet      no    yes
thread_6   33 s  33 s  32 s    quiet      no    yes
thread_7   33 s  33 s  32 s    quiet      no    yes
thread_8   33 s  33 s  31 s    quiet      no    yes
thread_9   33 s  33 s  31 s    quiet      no    yes
thread_10  33 s  33 s  31 s    quiet      no    yes
thread_11  33 s  33 s  31 s    quiet      no    yes
thread_12  33 s  33 s  30 s    quiet      no    yes`,
  },
  {
    about: `Who would go, and why? A dry run asks all of them whether they are there, and releases nobody.`,
    command: 'mooring cleanup alice --emergency --dry-run',
    output: `alice: 8 would be released (disconnected 8), 4 left, in 1 s
  thread_5   disconnected  no answer when asked, silent for 34 s
  thread_6   disconnected  no answer when asked, silent for 34 s
  thread_7   disconnected  no answer when asked, silent for 34 s
  thread_8   disconnected  no answer when asked, silent for 33 s
  thread_9   disconnected  no answer when asked, silent for 33 s
  thread_10  disconnected  no answer when asked, silent for 33 s
  thread_11  disconnected  no answer when asked, silent for 33 s
  thread_12  disconnected  no answer when asked, silent for 32 s`,
  },
  {
    about: `The same without \`--dry-run\`: they are asked again, and those that do not answer are released.`,
    command: 'mooring cleanup alice --emergency',
    output: `alice: 8 released (disconnected 8), 4 left, in 1.1 s
  thread_5   disconnected  no answer when asked, silent for 36 s
  thread_6   disconnected  no answer when asked, silent for 36 s
  thread_7   disconnected  no answer when asked, silent for 36 s
  thread_8   disconnected  no answer when asked, silent for 35 s
  thread_9   disconnected  no answer when asked, silent for 35 s
  thread_10  disconnected  no answer when asked, silent for 35 s
  thread_11  disconnected  no answer when asked, silent for 35 s
  thread_12  disconnected  no answer when asked, silent for 34 s`,
  },
  {
    about: `Why was she disconnected? This is known for some time after her last connection is gone, too.`,
    command: 'mooring explain alice',
    output: `alice: last disconnected 2026-11-28 07:34:35, thread_12: no answer when asked, silent for 34 s (found by a cleanup somebody asked for; it lasted 37 s)

2026-11-28
07:33:56  thread_1  admitted as number 1
07:33:56  thread_2  admitted as number 2
07:33:56  thread_3  admitted as number 3
07:33:56  thread_4  admitted as number 4
07:33:57  thread_5  admitted as number 5
07:33:57  thread_6  admitted as number 6
07:33:57  thread_7  admitted as number 7
07:33:57  thread_8  admitted as number 8
07:33:57  level normal → info, 8 of 20 in use
07:33:57  thread_9  admitted as number 9
07:33:57  thread_10  admitted as number 10
07:33:58  thread_11  admitted as number 11
07:33:58  thread_12  admitted as number 12
07:33:58  level info → warning, 12 of 20 in use
07:33:58  cleanup (level): 0 released, 12 left, in 1 ms
07:34:33  loopback asked for emergency-cleanup (dry run): 8 would be released, 4 left
07:34:35  thread_5  disconnected: no answer when asked, silent for 36 s (found by a cleanup somebody asked for; it lasted 37 s)
07:34:35  level warning → info, 11 of 20 in use
07:34:35  thread_6  disconnected: no answer when asked, silent for 36 s (found by a cleanup somebody asked for; it lasted 37 s)
07:34:35  thread_7  disconnected: no answer when asked, silent for 36 s (found by a cleanup somebody asked for; it lasted 37 s)
07:34:35  thread_8  disconnected: no answer when asked, silent for 35 s (found by a cleanup somebody asked for; it lasted 37 s)
07:34:35  thread_9  disconnected: no answer when asked, silent for 35 s (found by a cleanup somebody asked for; it lasted 37 s)
07:34:35  level info → normal, 7 of 20 in use
07:34:35  thread_10  disconnected: no answer when asked, silent for 35 s (found by a cleanup somebody asked for; it lasted 37 s)
07:34:35  thread_11  disconnected: no answer when asked, silent for 35 s (found by a cleanup somebody asked for; it lasted 37 s)
07:34:35  thread_12  disconnected: no answer when asked, silent for 34 s (found by a cleanup somebody asked for; it lasted 37 s)
07:34:35  cleanup (request): 8 released, 4 left, in 1.1 s and 3 passes
07:34:35  loopback asked for emergency-cleanup: 8 released, 4 left`,
  },
  {
    about: `Does the server keep its promise? Below the verdicts is what each is made of.`,
    command: 'mooring kpis',
    output: `success metrics since the start, 0.0286 h

#  success metric            value     target                         verdict  samples
1  emergency cleanup time    1.05 s    all under 10 s, p99 under 5 s  pass     1
2  background effectiveness  -         over 0.9                       no data  0
3  alert frequency           3.23 %    under 0.05                     pass     31
4  accumulation              0         0                              pass     1
5  connection success        100.00 %  over 0.99                      pass     31
6  wrong refusals            -         0                              no data  0
7  false kills               0         0                              pass     8

1  emergency cleanup time  runs 1, waits 0, timed out 0, p99 1.1 s, longest 1.1 s
3  alert frequency         users 31, alerted 1
4  accumulation            accumulated 0, miscounted 0
5  connection success      wanted 31, got in 31, refused otherwise 0`,
  },
]);
