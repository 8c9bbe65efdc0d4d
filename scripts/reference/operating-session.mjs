/** A session at a real server, as it was: 8 of the 12 clients of a user were stopped, and 30 others had two connections each. */

/** @type {readonly { about: string, command: string, output: string }[]} */
export const operatingSession = Object.freeze([
  {
    about: `Alice says that she cannot get in. How many connections has she, and are they alive? Eight of hers have said
nothing for more than 20 seconds. That is less than a heartbeat's interval: \`heard\` tells when something came last, and not
that anybody is there now. The exit code is 1, since 12 of 20 is \`warning\`.`,
    command: 'mooring check alice',
    output: `alice: 12 of 20 (60 %), warning

thread     age   idle   silent  liveness  held  engaged  error
thread_1   29 s  8.6 s  8.6 s   heard     no    yes
thread_2   29 s  8.6 s  8.6 s   heard     no    yes
thread_3   29 s  8.6 s  8.6 s   heard     no    yes
thread_4   29 s  8.6 s  8.6 s   heard     no    yes
thread_5   26 s  26 s   25 s    heard     no    no
thread_6   26 s  26 s   25 s    heard     no    no
thread_7   26 s  26 s   24 s    heard     no    no
thread_8   26 s  26 s   24 s    heard     no    no
thread_9   24 s  24 s   22 s    heard     no    no
thread_10  24 s  24 s   22 s    heard     no    no
thread_11  24 s  24 s   21 s    heard     no    no
thread_12  24 s  24 s   21 s    heard     no    no`,
  },
  {
    about: `Who would go, and why? A dry run asks all of them whether they are there, and releases nobody.`,
    command: 'mooring cleanup alice --emergency --dry-run',
    output: `alice: 8 would be released (disconnected 8), 4 left, in 1 s
  thread_5   disconnected  no answer when asked, silent for 27 s
  thread_6   disconnected  no answer when asked, silent for 26 s
  thread_7   disconnected  no answer when asked, silent for 26 s
  thread_8   disconnected  no answer when asked, silent for 26 s
  thread_9   disconnected  no answer when asked, silent for 24 s
  thread_10  disconnected  no answer when asked, silent for 23 s
  thread_11  disconnected  no answer when asked, silent for 23 s
  thread_12  disconnected  no answer when asked, silent for 23 s`,
  },
  {
    about: `The same without \`--dry-run\`: they are asked again, and those that do not answer are released.`,
    command: 'mooring cleanup alice --emergency',
    output: `alice: 8 released (disconnected 8), 4 left, in 1 s
  thread_5   disconnected  no answer when asked, silent for 28 s
  thread_6   disconnected  no answer when asked, silent for 28 s
  thread_7   disconnected  no answer when asked, silent for 28 s
  thread_8   disconnected  no answer when asked, silent for 28 s
  thread_9   disconnected  no answer when asked, silent for 25 s
  thread_10  disconnected  no answer when asked, silent for 25 s
  thread_11  disconnected  no answer when asked, silent for 25 s
  thread_12  disconnected  no answer when asked, silent for 25 s`,
  },
  {
    about: `Why was she disconnected? This is known for some time after her last connection is gone, too.`,
    command: 'mooring explain alice',
    output: `alice: last disconnected 2026-11-28 09:23:45, thread_12: no answer when asked, silent for 25 s (found by a cleanup somebody asked for; it lasted 28 s)

2026-11-28
09:23:13  thread_1  admitted as number 1
09:23:13  thread_2  admitted as number 2
09:23:13  thread_3  admitted as number 3
09:23:13  thread_4  admitted as number 4
09:23:16  thread_5  admitted as number 5
09:23:16  thread_6  admitted as number 6
09:23:16  level normal → info, 6 of 20 in use
09:23:16  thread_7  admitted as number 7
09:23:16  thread_8  admitted as number 8
09:23:16  level info → warning, 8 of 20 in use
09:23:18  thread_9  admitted as number 9
09:23:18  thread_10  admitted as number 10
09:23:18  thread_11  admitted as number 11
09:23:18  thread_12  admitted as number 12
09:23:44  loopback asked for emergency-cleanup (dry run): 8 would be released, 4 left
09:23:45  thread_5  disconnected: no answer when asked, silent for 28 s (found by a cleanup somebody asked for; it lasted 30 s)
09:23:45  thread_6  disconnected: no answer when asked, silent for 28 s (found by a cleanup somebody asked for; it lasted 30 s)
09:23:45  thread_7  disconnected: no answer when asked, silent for 28 s (found by a cleanup somebody asked for; it lasted 30 s)
09:23:45  thread_8  disconnected: no answer when asked, silent for 28 s (found by a cleanup somebody asked for; it lasted 30 s)
09:23:45  thread_9  disconnected: no answer when asked, silent for 25 s (found by a cleanup somebody asked for; it lasted 28 s)
09:23:45  level warning → info, 7 of 20 in use
09:23:45  thread_10  disconnected: no answer when asked, silent for 25 s (found by a cleanup somebody asked for; it lasted 28 s)
09:23:45  thread_11  disconnected: no answer when asked, silent for 25 s (found by a cleanup somebody asked for; it lasted 28 s)
09:23:45  level info → normal, 5 of 20 in use
09:23:45  thread_12  disconnected: no answer when asked, silent for 25 s (found by a cleanup somebody asked for; it lasted 28 s)
09:23:45  cleanup (request): 8 released, 4 left, in 1 s and 3 passes
09:23:45  loopback asked for emergency-cleanup: 8 released, 4 left`,
  },
  {
    about: `Does the server keep its promise? Below the verdicts is what each is made of.`,
    command: 'mooring kpis',
    output: `success metrics since the start, 36 s

#  success metric            value     target                         verdict  samples
1  emergency cleanup time    1.01 s    all under 10 s, p99 under 5 s  pass     1
2  background effectiveness  -         over 90 %                      no data  0
3  alert frequency           3.23 %    under 5 %                      pass     31
4  accumulation              0         0                              pass     2
5  connection success        100.00 %  over 99 %                      pass     31
6  wrong refusals            -         0                              no data  0
7  false kills               0         0                              pass     8

1  emergency cleanup time  runs 1, waits 0, timed out 0, p99 1 s, longest 1 s
3  alert frequency         users 31, alerted 1
4  accumulation            accumulated 0, miscounted 0
5  connection success      wanted 31, got in 31, refused otherwise 0`,
  },
]);
