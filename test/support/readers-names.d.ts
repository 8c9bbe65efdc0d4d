// Names that the examples of a page leave to its reader. The test of these examples imports them from here.

declare module 'every page' {
  import type { Mooring } from 'mooring';

  export { createMooring } from 'mooring';
  export const mooring: Mooring;
}

declare module 'README.md' {
  import type { RawData } from 'ws';

  export function answer(question: RawData): AsyncIterable<string>;
  export function sessionOf(request: unknown): Promise<{ user: string; conversation: string } | undefined>;
  export function show(message: string, options: { button: string | null }): void;
  export const url: string;
}

declare module 'docs/guides/clients.md' {
  import type { WebSocketServer } from 'ws';

  export const url: string;
  export const server: WebSocketServer;
  export const reconnecting: WebSocket;
  export function render(data: unknown): void;
  export function showBanner(message: string, options: { seconds: number | null }): void;
  export function showButton(text: string, onClick: () => void): void;
}

declare module 'docs/guides/dashboard.md' {
  import type { AccessAnswer } from 'mooring/admin';

  export const app: { use(first: unknown, second?: unknown): void };
  export const sessions: unknown;
  export function operatorOf(request: unknown): AccessAnswer;
  export function userOfSession(cookie: string | null): Promise<{ email: string; isOperator: boolean } | null>;
}

declare module 'docs/guides/socket-io.md' {
  export const token: string;
  export function userOfToken(token: unknown): Promise<{ id: string } | null>;
  export function tabId(): string;
  export function showBanner(message: string, options: { seconds: number | null }): void;
  export function showButton(text: string, onClick: () => void): void;
}

declare module 'docs/guides/threads-and-limits.md' {
  import type { IncomingMessage } from 'node:http';
  import type { WebSocketServer } from 'ws';

  export { AuthenticationError } from 'mooring';
  export { attach } from 'mooring/ws';

  interface Session {
    readonly user: string;
    readonly plan: 'free' | 'team' | 'enterprise';
  }
  export const server: WebSocketServer;
  export const session: Session;
  export const threadId: string;
  export const plans: ReadonlyMap<string, { readonly limit: number }>;
  export const sessions: { deleteAllOf(userId: string): Promise<void> };
  export function sessionOf(request: IncomingMessage): Promise<Session | undefined>;
}

declare module 'docs/guides/ws.md' {
  import type { IncomingMessage } from 'node:http';

  export const log: Console;
  export const userId: string;
  export function sessionOf(request: IncomingMessage): Promise<{ user: string; conversation: string } | undefined>;
  export function userOf(request: IncomingMessage): Promise<{ id: string; device: string } | null>;
  export function userOfToken(token: string): Promise<{ id: string; device: string } | null>;
}

declare module 'docs/guides/your-own-adapter.md' {
  import type { Connection, ManagedConnection, Mooring, QuotaLedger } from 'mooring';
  import type { IncomingRequest } from 'mooring/doorway';

  export { randomBytes } from 'node:crypto';
  export { FakeConnection, quotaLedgerContract, SimulatedTime } from 'mooring/testing';

  export const transport: Connection;
  export const userId: string;
  export const threadId: string;
  export const socket: {
    onmessage: (text: string) => void;
    onping: () => void;
    onpong: (payload: string) => void;
    onerror: (error: Error) => void;
    onclosing: (closer: 'application' | 'peer') => void;
    onclose: () => void;
  };

  export interface MyRequest {
    readonly incoming: IncomingRequest;
    reject(status: number, reason: string): void;
    refuse(code: number, reason: string): void;
    accept(): Connection;
    onGone(act: () => void): void;
  }
  export function userOf(request: MyRequest, signal: AbortSignal): Promise<{ userId: string; threadId: string }>;

  interface Peer {
    send(bytes: Uint8Array | string, options?: { fin: boolean }): void;
    ping(): void;
    pause(): void;
    resume(): void;
    close(code: number): void;
    terminate(): void;
    readonly stream: { write(bytes: Uint8Array): void };
    readonly closedWith: { readonly code: number; readonly reason: string } | null;
  }
  export const unmaskedFrame: Uint8Array;
  export const client: unknown;
  export const otherClient: unknown;
  export const MyLedger: new (client: unknown) => QuotaLedger;
  export function it(name: string, test: (context: { skip: (why?: string) => never }) => unknown): void;
  export function connectOverMyLibrary(
    mooring: Mooring,
  ): Promise<{ connection: ManagedConnection; far: Peer; client: Peer }>;
}
