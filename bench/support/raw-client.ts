import { connect, type Socket } from 'node:net';

const key = 'dGhlIHNhbXBsZSBub25jZQ==';
/** The server's answer to this key, by RFC 6455, section 1.3. */
const accept = 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=';
const mask = Buffer.from([0x37, 0xfa, 0x21, 0x3d]);

const opcodes = { text: 1, close: 8, ping: 9, pong: 10 } as const;
const longestShortPayload = 125;

/** Where to connect, and from which local address. */
export interface Target {
  readonly port: number;
  readonly path: string;
  readonly localAddress: string;
}

/** What a client waits for. */
export interface Listener {
  readonly opened: (client: RawClient) => void;
  readonly echoed?: (client: RawClient) => void;
  /** Text that is not the message. Without this, it ends the run. */
  readonly other?: (client: RawClient, text: string) => void;
  readonly closed?: (client: RawClient) => void;
}

/**
 * A WebSocket client that does as little as possible, so that the server is measured. What it sends is prepared before,
 * and answers are compared byte by byte. Anything unexpected throws, and ends the run.
 */
export class RawClient {
  readonly #socket: Socket;
  readonly #listener: Listener;
  #unread: Buffer | null = null;
  #isOpen = false;
  #isClosing = false;
  #message: Message | null = null;

  constructor(target: Target, listener: Listener) {
    this.#listener = listener;
    this.#socket = connect({ host: '127.0.0.1', port: target.port, localAddress: target.localAddress, noDelay: true });
    this.#socket.write(handshake(target));
    this.#socket.on('data', (chunk) => {
      this.#read(chunk);
    });
    this.#socket.on('close', () => {
      if (!this.#isClosing) throw new Error('the server ended a connection');
      this.#listener.closed?.(this);
    });
    this.#socket.on('error', (error) => {
      throw error;
    });
  }

  send(message: Message): void {
    this.#message = message;
    this.#socket.write(message.frame);
  }

  /** Sends text that gets no echo. */
  say(text: string): void {
    this.#socket.write(frameOf(opcodes.text, Buffer.from(text)));
  }

  /** Sends a close frame. `closed` follows when the server has answered and the socket is closed. */
  close(): void {
    this.#isClosing = true;
    this.#socket.write(goodbye);
  }

  #read(chunk: Buffer): void {
    let data = this.#unread === null ? chunk : Buffer.concat([this.#unread, chunk]);
    if (!this.#isOpen) data = this.#readHandshake(data);
    let at = 0;
    while (this.#isOpen && data.length - at >= 2) {
      const length = data[at + 1] ?? 0;
      if (length > longestShortPayload) throw new Error('a frame longer than any that was asked for');
      if (data.length - at < 2 + length) break;
      this.#frame(data, at);
      at += 2 + length;
    }
    this.#unread = at === data.length ? null : data.subarray(at);
  }

  /** @returns what arrived after the HTTP response */
  #readHandshake(data: Buffer): Buffer {
    const end = data.indexOf('\r\n\r\n');
    if (end === -1) return data;
    const answer = data.toString('latin1', 0, end);
    if (!answer.startsWith('HTTP/1.1 101') || !answer.includes(accept)) throw new Error(`not upgraded: ${answer}`);
    this.#isOpen = true;
    this.#listener.opened(this);
    return data.subarray(end + 4);
  }

  #frame(data: Buffer, at: number): void {
    const opcode = (data[at] ?? 0) & 0x0f;
    const end = at + 2 + (data[at + 1] ?? 0);
    if (opcode === opcodes.text) {
      if (this.#message?.text.compare(data, at + 2, end) === 0) this.#listener.echoed?.(this);
      else if (this.#listener.other === undefined) throw new Error('not the message that was sent');
      else this.#listener.other(this, data.toString('utf8', at + 2, end));
    } else if (opcode === opcodes.ping) this.#socket.write(frameOf(opcodes.pong, data.subarray(at + 2, end)));
    else if (opcode !== opcodes.close) throw new Error(`opcode ${opcode} was not asked for`);
    else if (!this.#isClosing) throw new Error(`closed by the server: ${data.readUInt16BE(at + 2)}`);
  }
}

/** A message, as text and as the frame that carries it. */
export interface Message {
  readonly text: Buffer;
  readonly frame: Buffer;
}

export function messageOf(words: string): Message {
  const text = Buffer.from(words);
  return { text, frame: frameOf(opcodes.text, text) };
}

function frameOf(opcode: number, payload: Uint8Array): Buffer {
  const masked = payload.map((byte, index) => byte ^ (mask[index % 4] ?? 0));
  return Buffer.concat([Buffer.from([0x80 | opcode, 0x80 | payload.length]), mask, masked]);
}

const goodbye = frameOf(opcodes.close, Buffer.from([0x03, 0xe8]));

function handshake({ port, path }: Target): string {
  const lines = [
    `GET ${path} HTTP/1.1`,
    `Host: 127.0.0.1:${port}`,
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Version: 13',
    `Sec-WebSocket-Key: ${key}`,
  ];
  return `${lines.join('\r\n')}\r\n\r\n`;
}
