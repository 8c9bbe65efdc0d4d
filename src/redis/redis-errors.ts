/** Why Redis did not do what it was asked. */
export class RedisError extends Error {
  override readonly name = 'RedisError';

  constructor(
    /** @see redisTroubles */
    readonly trouble: RedisTrouble,
    /** What Redis or its client said. */
    readonly said: string,
  ) {
    super(said === '' ? redisTroubles[trouble].means : `${redisTroubles[trouble].means} (${said})`);
  }

  /** What an operator can do. */
  get advice(): string {
    return redisTroubles[this.trouble].advice;
  }
}

interface Trouble {
  /** How the text of the error begins, or what it contains; for troubles without a text of their own `null`. */
  readonly sign: RegExp | null;
  readonly means: string;
  readonly advice: string;
  /** Whether another connection may lead to another server, which can do it. @default false */
  readonly asksForNewConnection?: true;
}

/** All troubles with Redis that are told apart; an error belongs to the first whose sign it has. */
export const redisTroubles = Object.freeze({
  noAnswer: {
    sign: null,
    means: 'Redis did not answer in time',
    advice: 'Look at the load of Redis, and at the network between.',
  },
  notConnected: {
    sign: null,
    means: 'there is no connection to Redis',
    advice: 'Look whether Redis runs, at its address, and whether it wants TLS (then the URL begins with rediss://).',
  },
  tooOld: {
    sign: null,
    means: 'this Redis is too old',
    advice: 'Use Redis 7.0 or newer.',
  },
  wrongPassword: {
    sign: /^(WRONGPASS|NOAUTH)|no password|without any password|invalid username-password/i,
    means: 'Redis does not accept the user or the password',
    advice: 'Look at the user and the password in the URL, or in the options of the client.',
  },
  noPermission: {
    sign: /^NOPERM|No permissions|can't run this command or subcommand/i,
    means: 'the user of Redis may not do everything that is needed',
    advice: 'Give the user the permissions that the guide lists.',
  },
  noMemory: {
    sign: /^OOM\b|OOM command not allowed/,
    means: 'Redis has no memory left',
    advice: 'Give Redis more memory (maxmemory).',
  },
  diskFull: {
    sign: /^MISCONF/,
    means: 'Redis cannot save, so it writes nothing',
    advice: 'Look at its disk and its log; or set stop-writes-on-bgsave-error no.',
  },
  noReplicas: {
    sign: /^NOREPLICAS/,
    means: 'Redis has fewer replicas than it wants (min-replicas-to-write), so it writes nothing',
    advice: 'Look at the replicas of Redis.',
  },
  readOnly: {
    sign: /^READONLY/,
    means: 'the connection leads to a replica, which writes nothing',
    advice: 'It is left for a new one by itself. If that does not help, look where the address leads.',
    asksForNewConnection: true,
  },
  masterDown: {
    sign: /^MASTERDOWN/,
    means: 'the connection leads to a replica without its master',
    advice: 'It is left for a new one by itself. Look whether a replica gets promoted.',
    asksForNewConnection: true,
  },
  loading: {
    sign: /^LOADING/,
    means: 'Redis is loading its data',
    advice: 'Nothing: it takes part again when it is ready.',
  },
  busy: {
    sign: /^BUSY\b/,
    means: 'Redis is busy with the script of another application',
    advice: 'Find that script, and end it with SCRIPT KILL.',
  },
  clusterDown: {
    sign: /^(CLUSTERDOWN|TRYAGAIN|MOVED|ASK|CROSSSLOT)\b/,
    means: 'a node of the Redis Cluster cannot serve its part of the keys',
    advice: 'Look at CLUSTER INFO. While keys move to another node, it ends by itself.',
  },
  tooManyClients: {
    sign: /max number of clients/i,
    means: 'Redis takes no more connections',
    advice: 'Raise maxclients of Redis, or find who holds so many connections.',
  },
  tls: {
    sign: /\b(TLS|SSL)\b|ssl3|wrong version number|Protocol error|EPROTO|certificate/i,
    means: 'no encrypted connection to Redis comes about',
    advice: 'Look whether Redis wants TLS (then the URL begins with rediss://), and at its certificate.',
  },
  misunderstood: {
    sign: /a script of Redis replied|^WRONGTYPE|^ERR /,
    means: 'Redis replied what no script of Mooring replies',
    advice: 'Look whether another application uses the same key prefix.',
  },
  other: {
    sign: null,
    means: 'Redis, or its client, failed',
    advice: 'The text in brackets is what it said.',
  },
}) satisfies Readonly<Record<string, Trouble>>;

/** @see redisTroubles */
export type RedisTrouble = keyof typeof redisTroubles;

/** The trouble that an error of a client tells of. Never throws. */
export function redisErrorOf(error: unknown): RedisError {
  if (error instanceof RedisError) return error;
  const said = textOf(error);
  const rows = Object.entries(redisTroubles) as [RedisTrouble, Trouble][];
  const trouble = rows.find(([, { sign }]) => sign?.test(said) === true)?.[0];
  return new RedisError(trouble ?? (isNotConnected(error, said) ? 'notConnected' : 'other'), said);
}

/** Whether another connection may help. */
export function asksForNewConnection({ trouble }: RedisError): boolean {
  return (redisTroubles[trouble] as Trouble).asksForNewConnection === true;
}

function isNotConnected(error: unknown, said: string): boolean {
  const code = error instanceof Error && 'code' in error ? String(error.code) : '';
  return (
    /^(ECONNREFUSED|ECONNRESET|ENOTFOUND|EAI_AGAIN|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|EPIPE|ENOENT)$/.test(code) ||
    /ECONNREFUSED|ENOTFOUND|closed|max retries/i.test(said)
  );
}

/** What an error says, with the first of those that it is made of. */
function textOf(error: unknown): string {
  if (error instanceof AggregateError && error.errors.length > 0) return textOf(error.errors[0]);
  if (error instanceof Error) return error.message === '' ? error.name : error.message;
  return String(error);
}
