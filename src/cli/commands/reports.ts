import type { Command } from 'commander';
import { asksServer } from './server-command.js';

/** `mooring explain` */
export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('why was I disconnected? the latest decisions about a user, each with its reason')
    .argument('<user>', 'user id');
  const examples = `
Examples:
  mooring explain alice
  mooring explain alice --json | jq '.entries[] | select(.type == "manager.released")'

Also of users who hold nothing any longer. Exit code: 1 when nothing is known of the user.`;
  asksServer(command, examples, async ({ user, client, answers, print }) =>
    print(await client.journal(user), answers.tellJournal),
  );
}

/** `mooring kpis` */
export function addKpis(program: Command): void {
  const command = program.command('kpis').description('the success metrics of the server, with verdicts');
  const examples = `
Examples:
  mooring kpis
  mooring kpis --json | jq '.kpis[] | {name, verdict}'

Exit code: 1 when a metric fails.`;
  asksServer(command, examples, async ({ client, answers, print }) => print(await client.kpis(), answers.tellKpis));
}

/** `mooring config` */
export function addConfig(program: Command): void {
  const command = program.command('config').description('the settings of the running server, each with its source');
  const examples = `
Examples:
  mooring config
  mooring config --json | jq .settings.maxManagersPerUser`;
  asksServer(command, examples, async ({ client, answers, print }) => print(await client.config(), answers.tellConfig));
}
