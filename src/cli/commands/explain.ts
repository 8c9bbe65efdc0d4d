import type { Command } from 'commander';
import type { JournalView } from '../../admin/schemas.js';
import { addAskFlags, clientOf, printAnswer, type AskFlags, type Told } from './asking.js';
import { timeOf } from '../../presentation/figures.js';
import { inert } from '../../presentation/inert.js';
import { sentenceOf } from '../../presentation/sentences.js';
import type { Paint } from '../terminal/paint.js';
import { suspectLines } from '../terminal/suspects.js';

const examples = `
Examples:
  mooring explain alice
  mooring explain alice --json | jq '.entries[] | select(.type == "manager.released")'

Also of users who hold nothing any longer. Exit code: 1 when nothing is known of the user.`;

/** `mooring explain` */
export function addExplain(program: Command): void {
  const command = program
    .command('explain')
    .description('why was I disconnected? what was lately decided about a user, and why')
    .argument('<user>', 'user id');
  addAskFlags(command)
    .addHelpText('after', examples)
    .action(async (user: string, flags: AskFlags) => {
      const client = await clientOf(flags);
      printAnswer(flags, await client.journal(user), tellJournal);
    });
}

/** A journal as a timeline, with the last disconnection in front. */
export function tellJournal({ userId, isKept, entries, suspects }: JournalView, paint: Paint): Told {
  const present = suspectLines(suspects, paint);
  if (!isKept)
    return {
      text: `This server keeps no journal; the setting journalBytes gives it room.\n${present}`,
      hasTrouble: true,
    };
  const last = entries.findLast(({ type }) => type === 'manager.released');
  const answer = last === undefined ? 'never disconnected, as far as is known' : `last disconnected ${momentOf(last)}`;
  const lines = [`${paint('bold', inert(userId))}: ${answer}`, ...(present === '' ? [] : ['', present.trimEnd()])];
  let date = '';
  for (const entry of entries) {
    const at = new Date(entry.at);
    if (dateOf(at) !== date) lines.push('', paint('dim', (date = dateOf(at))));
    const sentence = sentenceOf(entry).text;
    lines.push(`${timeOf(at)}  ${entry.type === 'manager.released' ? paint('yellow', sentence) : sentence}`);
  }
  return { text: `${lines.join('\n')}\n`, hasTrouble: false };
}

function momentOf(entry: JournalView['entries'][number]): string {
  const at = new Date(entry.at);
  return `${dateOf(at)} ${timeOf(at)}: ${sentenceOf(entry).text}`;
}

/** The local date: `2026-11-25`. */
function dateOf(at: Date): string {
  const parts = [at.getFullYear(), at.getMonth() + 1, at.getDate()];
  return parts.map((part) => String(part).padStart(2, '0')).join('-');
}
