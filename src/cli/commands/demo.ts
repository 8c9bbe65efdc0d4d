import type { Command } from 'commander';
import { longestName, people } from '../../demo/people.js';
import { defaultPorts } from '../server/defaults.js';
import type { DemoFlags } from './demo-run.js';
import { addSettingsFlags } from './settings-flags.js';
import { portNumber } from './values.js';

const examples = `
Examples:
  mooring demo
  mooring demo --port 0 --admin-port 0
  mooring demo --set idleManagerTimeout=120s

People, some 90 connections in all:
${Object.entries(people)
  .map(([name, about]) => `  ${name.padEnd(longestName)}  ${about}`)
  .join('\n')}

The server is that of mooring serve. Its settings are those of production, with seconds instead of minutes; each can be
overridden, but the people keep their own times. The people are real WebSocket clients in a second process. A sleeping
client does not read from its socket, so it answers no ping and sends no close frame, like a phone in a pocket; a client
that crashes resets its connection. When one of the two processes ends, the other one ends too.`;

/** `mooring demo` */
export function addDemo(program: Command): void {
  const command = program
    .command('demo')
    .description('mooring serve with people who use it, misuse it and vanish; for a first look at the dashboard')
    .option('--port <number>', 'port to listen on; 0 takes any free port', portNumber, defaultPorts.webSocket)
    .option('--admin-port <number>', 'port of the dashboard and the admin API', portNumber, defaultPorts.admin);
  addSettingsFlags(command)
    .addHelpText('after', examples)
    .action(async (flags: DemoFlags) => {
      const { runDemo } = await import('./demo-run.js');
      await runDemo(flags);
    });
}
