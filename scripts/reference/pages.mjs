/** Which reference page comes from which table. */

import { eventFields } from './event-fields.mjs';
import { renderHttp } from './http.mjs';
import { renderCli, renderCloseCodes, renderConfig, renderErrors, renderEvents, renderMetrics } from './render.mjs';

/** When each close happens and what its client should do; the table of the code has the numbers. */
export const advice = Object.freeze({
  quota: 'All of the user’s places are in use. Come back after `retry`.',
  capacity: 'This server is full. Come back after `retry`, or connect to another one.',
  contested: 'Another live connection keeps taking the thread back. Come back after `retry`.',
  slow: 'Nothing moved for `slowConsumerTimeoutMs` while data was waiting to be sent or read. Reconnect.',
  silent: 'The peer did not answer. Reconnect.',
  drain: 'The server stops. Reconnect after `retry`.',
  error: 'The application said that the connection is broken. Reconnect.',
  replaced: 'A newer connection of the same thread took over. Do not reconnect.',
  evicted: 'Made room for a newer connection of the user. Reconnect when the user does something.',
  idle: 'Nothing was said for too long. Reconnect on next use.',
  requested: 'An operator or the application asked. Reconnect when the user does something.',
  malformed: 'The user or thread id breaks a rule. Do not reconnect.',
  unauthenticated: 'The credentials are missing, wrong or expired. Authenticate, then reconnect.',
  authentication: 'Authentication itself failed. Come back after `retry`.',
  closed: 'The application ended the connection. Do not reconnect.',
  unattached: 'A slot was granted, and the socket came too late for it. Reconnect.',
  unavailable: 'The shared quota cannot be asked, and `failOpen` is off. Come back after `retry`.',
});

/**
 * @param {{ tables: Parameters<typeof renderConfig>[0] & Omit<Parameters<typeof renderCloseCodes>[0], 'advice'> & Parameters<typeof renderErrors>[0] & Parameters<typeof renderMetrics>[0] & Parameters<typeof renderEvents>[0], program: import('commander').Command, openApi: Parameters<typeof renderHttp>[0] }} from
 * @returns {Record<string, string>} pages by file name
 */
export function referencePages({ tables, program, openApi }) {
  return {
    'cli.md': renderCli(
      helpOf(program),
      Object.fromEntries(program.commands.map((each) => [each.name(), helpOf(each)])),
    ),
    'config.md': renderConfig(tables),
    'close-codes.md': renderCloseCodes({ ...tables, advice }),
    'errors.md': renderErrors(tables),
    'events.md': renderEvents(tables, eventFields()),
    'http.md': renderHttp(openApi),
    'metrics.md': renderMetrics(tables),
  };
}

/** As it is printed, examples included, in lines that fit the page. @param {import('commander').Command} command */
function helpOf(command) {
  let text = '';
  command.configureOutput({ writeOut: (part) => (text += part), getOutHelpWidth: () => 110 });
  command.outputHelp();
  return text;
}
