import type { Command } from 'commander';
import { longestName, people } from '../../demo/people.js';
import { defaultPorts, portNumber } from './serve.js';
import { addSettingsFlags, type SettingsFlags } from './settings-flags.js';

/** What `mooring demo` was told. */
export interface DemoFlags extends SettingsFlags {
  readonly port: number;
  readonly adminPort: number;
}

const examples = `
Examples:
  mooring demo
  mooring demo --port 0 --admin-port 0
  mooring demo --set idleManagerTimeout=120s

People, some 90 connections in all:
${Object.entries(people)
  .map(([name, about]) => `  ${name.padEnd(longestName)}  ${about}`)
  .join('\n')}

The server is that of mooring serve. Its settings are the ladder of production in seconds instead of minutes; each can
be overridden, but the people keep to their times. The people are real WebSocket clients in a process of their own. Who
sleeps reads nothing from its socket, so that no ping is answered and no goodbye is said, just as on a phone in a pocket;
who crashes resets its connection. Both processes end together, however one of them ends.`;

/** `mooring demo` */
export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('mooring serve with people who use it, misuse it and vanish; for a first look at the dashboard')
    .option('--port <number>', 'port to listen on; 0 takes any that is free', portNumber, defaultPorts.webSocket)
    .option('--admin-port <number>', 'port of the dashboard and the admin API', portNumber, defaultPorts.admin);
  addSettingsFlags(command)
    .addHelpText('after', examples)
    .action(async (flags: DemoFlags) => {
      const { runDemo } = await import('./demo-run.js');
      await runDemo(flags);
    });
}
