import type { Command } from 'commander';
import { asksServer, type ServerFlags } from './server-command.js';
import { durationMs } from './values.js';

interface ExplainFlags extends ServerFlags {
  /** In milliseconds. */
  readonly since?: number;
}

interface ConfigFlags extends ServerFlags {
  readonly schema?: boolean;
}

/** `mooring explain` */
export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('why was I disconnected? the latest decisions about a user, each with its reason')
    .argument('<user>', 'user id')
    .option('--since <duration>', 'only what happened since then, such as 10m or 2h', durationMs);
  const examples = `
Examples:
  mooring explain alice
  mooring explain alice --since 10m
  mooring explain alice --json | jq '.entries[] | select(.type == "manager.released")'

Also of users who hold nothing any longer. Exit code: 1 when nothing is known of the user.`;
  asksServer<ExplainFlags>(command, examples, async ({ flags, user, client, answers, print }) => {
    const journal = await client.journal(user);
    const { since = Infinity } = flags;
    const entries = journal.entries.filter(({ at }) => Date.now() - Date.parse(at) <= since);
    const isPart = entries.length < journal.entries.length;
    print({ ...journal, entries }, (view, paint) => answers.tellJournal(view, paint, isPart));
  });
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
  const command = program
    .command('config')
    .description('the settings of the running server, each with its source')
    .option('--schema', 'print the JSON schema of a configuration file instead; needs no server');
  const examples = `
Examples:
  mooring config
  mooring config --json | jq .settings.maxManagersPerUser
  mooring config --schema > mooring.schema.json

With "$schema": "./mooring.schema.json" in a configuration file, editors check it and explain each setting.`;
  asksServer<ConfigFlags>(command, examples, async ({ flags, client, answers, print }) => {
    if (flags.schema !== true) {
      print(await client.config(), answers.tellConfig);
      return;
    }
    const { settingsSchema } = await import('../../config/json-schema.js');
    process.stdout.write(`${JSON.stringify(settingsSchema(), null, 2)}\n`);
  });
}
