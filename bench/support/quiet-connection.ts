import type { Connection } from '../../src/index.js';

/** A minimal connection: it is open, and nothing ever arrives. */
export class QuietConnection implements Connection {
  isOpen = true;
  bytesReceived = 0;
  bytesSent = 0;
  unsentBytes = 0;
  isReadingPaused = false;

  ping(): void {}

  close(): void {
    this.isOpen = false;
  }

  terminate(): void {
    this.isOpen = false;
  }
}
